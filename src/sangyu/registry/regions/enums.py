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


class Flag(models.TextChoices):
    """What is odd about a region as its source gives it."""

    NONE = "", _("None")
    PSEUDO = "pseudo", _("Not an administrative division")
    UNCONFIRMED = "unconfirmed", _("Not in the list of the Ministry of Civil Affairs")
    DUPLICATE = "duplicate", _("Name occurs twice in the same street")
    ODD_NAME = "odd_name", _("Unusual characters in the name")


class Source(models.TextChoices):
    """Who publishes the code."""

    MCA = "mca", _("Ministry of Civil Affairs")
    NBS = "nbs", _("National Bureau of Statistics")
    LOCAL = "local", _("Local decision")


class ChangeKind(models.TextChoices):
    LOAD = "load", _("Load")
    RENAME = "rename", _("Rename")
    RECODE = "recode", _("New code")
    MERGE = "merge", _("Merge")
    SPLIT = "split", _("Split")
    MOVE = "move", _("Move to another parent")
