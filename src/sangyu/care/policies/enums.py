"""Code lists of the policies room."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class State(models.TextChoices):
    """What is stored. Whether an approved version is in force today follows from its dates (``Standing``)."""

    DRAFT = "draft", pgettext_lazy("policies", "Draft")
    APPROVED = "approved", pgettext_lazy("policies", "Approved")
    DISCARDED = "discarded", pgettext_lazy("policies", "Discarded")


class Standing(models.TextChoices):
    """How a version stands on a day."""

    DRAFT = "draft", pgettext_lazy("policies", "Draft")
    FUTURE = "future", _("Begins later")
    IN_FORCE = "in_force", _("In force")
    ENDED = "ended", pgettext_lazy("policies", "Ended")
    DISCARDED = "discarded", pgettext_lazy("policies", "Discarded")

    @property
    def tone(self) -> str:
        return {"draft": "warn", "future": "info", "in_force": "ok"}.get(self.value, "mute")


class Subject(models.TextChoices):
    """Whom a policy pays or grants something; the engine's words."""

    PERSON = "person", _("Elder")
    RESIDENT = "resident", _("Resident of an institution")
    FACILITY = "facility", _("Facility")
    WORKER = "worker", _("Worker")
    ORGANISATION = "organisation", _("Organisation")


class PeriodKind(models.TextChoices):
    """How often a policy is due."""

    MONTH = "month", _("Monthly")
    QUARTER = "quarter", _("Quarterly")
    YEAR = "year", _("Yearly")
    ONCE = "once", _("Once")
    FESTIVAL = "festival", _("On a festival")

    @property
    def times_a_year(self) -> int:
        return {"month": 12, "quarter": 4}.get(self.value, 1)
