from django.db import models
from django.utils.translation import gettext_lazy as _


class Level(models.IntegerChoices):
    """Level of a region; the value is the number of path segments less one."""

    COUNTRY = 0, _("Country")
    PROVINCE = 1, _("Province")
    CITY = 2, _("City")
    COUNTY = 3, _("County")
    STREET = 4, _("Street")
    COMMUNITY = 5, _("Community")
