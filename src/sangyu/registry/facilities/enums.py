"""Words of the facilities room. Values are stored and named in policies: never change one."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Kind(models.TextChoices):
    """What a place is (R-057 … R-060)."""

    INSTITUTION = "institution", _("Care institution")
    NURSING_HOME = "nursing_home", _("Nursing home")
    DAY_CARE = "day_care", _("Day-care centre")
    MUTUAL_AID = "mutual_aid", _("Mutual-aid home")
    STATION = "station", _("Care station")
    CANTEEN = "canteen", _("Elders' canteen")
    ACTIVITY = "activity", _("Activity centre")

    @property
    def houses(self) -> bool:
        """Whether people live there for good; a night in a mutual-aid home is no admission."""
        return self in (Kind.INSTITUTION, Kind.NURSING_HOME)


class UrbanRural(models.TextChoices):
    URBAN = "urban", pgettext_lazy("facilities", "Urban")
    RURAL = "rural", pgettext_lazy("facilities", "Rural")


class FactKind(models.TextChoices):
    """Dated facts of a facility."""

    STATE = "state", _("Operation")
    RATING = "rating", _("Rating level")
    INSPECTION = "inspection", _("Inspection")


class State(models.TextChoices):
    OPERATING = "operating", pgettext_lazy("facilities", "Operating")
    SUSPENDED = "suspended", pgettext_lazy("facilities", "Suspended")
    CLOSED = "closed", pgettext_lazy("facilities", "Closed")

    @property
    def tone(self) -> str:
        return {"operating": "ok", "suspended": "warn", "closed": "mute"}[self.value]


class Rating(models.TextChoices):
    """Level 5 is the best (O-7)."""

    ONE = "1", _("Level 1")
    TWO = "2", _("Level 2")
    THREE = "3", _("Level 3")
    FOUR = "4", _("Level 4")
    FIVE = "5", _("Level 5")


class Inspection(models.TextChoices):
    PASS = "pass", pgettext_lazy("facilities", "Passed")
    FAIL = "fail", pgettext_lazy("facilities", "Failed")

    @property
    def tone(self) -> str:
        return {"pass": "ok", "fail": "bad"}[self.value]


#: Kind of fact → its values: the only ones that the database accepts.
FACT_VALUES: dict[str, dict[str, str]] = {
    FactKind.STATE: dict(State.choices),
    FactKind.RATING: dict(Rating.choices),
    FactKind.INSPECTION: dict(Inspection.choices),
}


class EndReason(models.TextChoices):
    """Why a stay ended."""

    HOME = "home", _("Went home")
    HOSPITAL = "hospital", _("Went to hospital for good")
    OTHER = "other_facility", _("Moved to another facility")
    DEATH = "death", pgettext_lazy("facilities", "Died")
    CLOSED = "closed", _("The facility closed")
