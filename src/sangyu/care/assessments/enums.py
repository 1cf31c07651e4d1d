"""Words of the assessments room. Values are stored: never change one."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class State(models.TextChoices):
    APPLIED = "applied", pgettext_lazy("assessments", "Applied")
    ASSIGNED = "assigned", pgettext_lazy("assessments", "Assigned")
    VISITED = "visited", pgettext_lazy("assessments", "Visited")
    REVIEWED = "reviewed", pgettext_lazy("assessments", "Second look done")
    PUBLISHED = "published", pgettext_lazy("assessments", "Public notice")
    DECIDED = "decided", pgettext_lazy("assessments", "Decided")
    OBJECTED = "objected", pgettext_lazy("assessments", "Objected")
    REASSESSED = "reassessed", pgettext_lazy("assessments", "Assessed again")
    COMPARED = "compared", pgettext_lazy("assessments", "Compared")
    REFUSED = "refused", pgettext_lazy("assessments", "Refused")
    WITHDRAWN = "withdrawn", pgettext_lazy("assessments", "Withdrawn")

    @property
    def tone(self) -> str:
        return {
            "applied": "warn", "assigned": "acc", "visited": "warn", "reviewed": "acc", "published": "acc", "decided": "ok",
            "objected": "bad", "reassessed": "mute", "compared": "ok", "refused": "bad", "withdrawn": "mute",
        }[self.value]  # fmt: skip


#: Somebody has still to do something.
OPEN = (State.APPLIED, State.ASSIGNED, State.VISITED, State.REVIEWED, State.PUBLISHED, State.OBJECTED)


class Action(models.TextChoices):
    APPLY = "apply", pgettext_lazy("assessments", "Apply")
    ASSIGN = "assign", pgettext_lazy("assessments", "Assign")
    TAKE_BACK = "take_back", pgettext_lazy("assessments", "Take the assignment back")
    VISIT = "visit", pgettext_lazy("assessments", "Finish the visit")
    SEND_BACK = "send_back", pgettext_lazy("assessments", "Send back")
    REVIEW = "review", pgettext_lazy("assessments", "Second look")
    PUBLISH = "publish", pgettext_lazy("assessments", "Publish")
    DECIDE = "decide", pgettext_lazy("assessments", "Decide")
    OBJECT = "object", pgettext_lazy("assessments", "Object")
    REASSESS = "reassess", pgettext_lazy("assessments", "Replace by the new result")
    COMPARE = "compare", pgettext_lazy("assessments", "Compare")
    REFUSE = "refuse", pgettext_lazy("assessments", "Refuse")
    WITHDRAW = "withdraw", pgettext_lazy("assessments", "Withdraw")


class Reason(models.TextChoices):
    """Why (form A.1 of GB/T 42195), and the drawn sample of an outside body's work."""

    FIRST = "first", _("First assessment")
    REGULAR = "regular", _("Regular, yearly")
    CHANGE = "change", _("The state changed")
    DEMAND = "demand", _("On demand")
    OBJECTION = "objection", _("Doubt about a result")
    SAMPLE = "sample", _("Drawn sample")
    OTHER = "other", pgettext_lazy("assessments", "Other")


class Informant(models.TextChoices):
    """Who gave the information (form A.3)."""

    SELF = "self", pgettext_lazy("assessments", "The person")
    SPOUSE = "spouse", pgettext_lazy("assessments", "Spouse")
    CHILD = "child", pgettext_lazy("assessments", "Child")
    RELATIVE = "relative", pgettext_lazy("assessments", "Other relative")
    CARER = "carer", pgettext_lazy("assessments", "Paid carer")
    COMMUNITY = "community", pgettext_lazy("assessments", "Community worker")
    OTHER = "other", pgettext_lazy("assessments", "Other")


class Background(models.TextChoices):
    """What an assessor has learnt; at least one of two needs care or medicine (standards §1)."""

    CARE = "care", _("Care")
    MEDICAL = "medical", _("Medicine")
    NURSING = "nursing", _("Nursing")
    REHABILITATION = "rehabilitation", _("Rehabilitation")
    SOCIAL_WORK = "social_work", _("Social work")
    OTHER = "other", pgettext_lazy("assessments", "Other")

    @property
    def qualified(self) -> bool:
        return self not in (Background.SOCIAL_WORK, Background.OTHER)


class NeedKind(models.TextChoices):
    """Fields of need that an assessor ranks (R-037)."""

    HEALTH = "health", _("Health management")
    CLEANING = "cleaning", _("Home cleaning")
    COMFORT = "comfort", _("Emotional support")
    MEALS = "meals", _("Meals")
    BATHING = "bathing", _("Bathing")
    MEDICAL_ESCORT = "medical_escort", _("Company to the doctor")
    DAILY_CARE = "daily_care", _("Daily personal care")
    NURSING = "nursing", _("Nursing at home")
    REHABILITATION = "rehabilitation", _("Rehabilitation")
    DAY_CARE = "day_care", _("Day care")
    ADAPTATION = "adaptation", _("Home adaptation and aids")
    EMERGENCY = "emergency", _("Emergency call")
    RESPITE = "respite", _("Relief of the carer")
    CULTURE = "culture", _("Culture and company")
    LEGAL = "legal", _("Legal help")
    SAFETY = "safety", _("Protection against getting lost")


class Special(models.TextChoices):
    """Special care and health problems (form A.5) that ask for a nurse."""

    TUBE = "tube", _("Feeding tube")
    CATHETER = "catheter", _("Catheter")
    TRACHEOTOMY = "tracheotomy", _("Tracheotomy")
    STOMA = "stoma", _("Stoma")
    VENTILATOR = "ventilator", _("Ventilator")
    DIALYSIS = "dialysis", _("Dialysis")
    PRESSURE = "pressure", _("Pressure injury")
    WOUND = "wound", _("Wound")


class Setting(models.TextChoices):
    """Where care is best given (R-032)."""

    HOME = "home", _("At home")
    COMMUNITY = "community", _("At home with day care")
    INSTITUTION = "institution", _("Care institution")
    NURSING = "nursing", _("Nursing home or hospital")


class Payment(models.TextChoices):
    """Levels that money asks for (O-1)."""

    SELF_CARE = "self_care", _("Self-caring")
    PART = "part", _("Partly dependent")
    FULL = "full", _("Dependent")


class DueReason(models.TextChoices):
    YEARLY = "yearly", _("Time is over")
    CHANGE = "change", _("The state changed")
