"""Code lists of the policy library."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Level(models.TextChoices):
    """Which tier of government issued it."""

    STATE = "state", pgettext_lazy("documents", "State")
    PROVINCE = "province", pgettext_lazy("documents", "Province")
    CITY = "city", pgettext_lazy("documents", "City")
    COUNTY = "county", pgettext_lazy("documents", "County")
    STREET = "street", pgettext_lazy("documents", "Street or town")


class Kind(models.TextChoices):
    """What it is. The lists (清单) are kinds of their own: they say who is owed what (R-171)."""

    LAW = "law", _("Law or regulation")
    PLAN = "plan", _("Plan")
    OPINION = "opinion", _("Opinions or notice")
    MEASURES = "measures", _("Measures or rules")
    STANDARD = "standard", _("Standard")
    BASIC_LIST = "basic_list", _("List of basic services")
    SUPPORT_LIST = "support_list", _("List of policy support")
    DUTY_LIST = "duty_list", _("List of duties")
    OTHER = "other", pgettext_lazy("documents", "Other")

    @property
    def is_list(self) -> bool:
        return self.value.endswith("_list")
