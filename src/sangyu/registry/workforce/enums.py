"""Words of the workforce. Values are stored and travel in files and the API: never change one."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class State(models.TextChoices):
    """State of an engagement."""

    CANDIDATE = "candidate", _("Candidate")
    ACTIVE = "active", pgettext_lazy("worker", "Active")
    SUSPENDED = "suspended", _("Suspended")
    LEFT = "left", _("Left")

    @property
    def tone(self) -> str:
        """Colour of the state on screen."""
        return {"candidate": "info", "active": "ok", "suspended": "warn", "left": "mute"}[self.value]


class Action(models.TextChoices):
    ADMIT = "admit", _("Admit")
    SUSPEND = "suspend", _("Suspend")
    RESUME = "resume", _("Resume")
    LEAVE = "leave", _("End engagement")


class Post(models.TextChoices):
    """What somebody is engaged as. Duties are published per post (R-158)."""

    CARER = "carer", _("Carer")
    MUTUAL_AID = "mutual_aid", _("Mutual-aid carer")
    NURSE = "nurse", _("Nurse")
    PHYSICIAN = "physician", _("Physician")
    THERAPIST = "therapist", _("Therapist")
    SOCIAL_WORKER = "social_worker", _("Social worker")
    HANDYMAN = "handyman", _("Handyman")
    DELIVERY = "delivery", _("Delivery")
    COORDINATOR = "coordinator", _("Coordinator")
    VOLUNTEER = "volunteer", _("Volunteer")


class Graduate(models.TextChoices):
    """The diploma in elder care that an entry grant is for (R-061)."""

    BACHELOR = "bachelor", _("Bachelor or higher")
    COLLEGE = "college", _("Higher vocational college")
    VOCATIONAL = "vocational", _("Vocational secondary school")


class Sex(models.TextChoices):
    """GB/T 2261.1."""

    MALE = "1", _("Male")
    FEMALE = "2", _("Female")


class ClearanceKind(models.TextChoices):
    """What must hold on the day of a visit (R-152, R-157)."""

    ENTRY_TRAINING = "entry_training", _("Entry training")
    HEALTH_CHECK = "health_check", _("Health check")
    BACKGROUND_CHECK = "background_check", _("Background check")


class LeaveKind(models.TextChoices):
    ANNUAL = "annual", _("Annual leave")
    SICK = "sick", _("Sick leave")
    PERSONAL = "personal", _("Personal leave")
    TRAINING = "training", _("Training")


class Weekday(models.IntegerChoices):
    """ISO weekday."""

    MONDAY = 1, _("Monday")
    TUESDAY = 2, _("Tuesday")
    WEDNESDAY = 3, _("Wednesday")
    THURSDAY = 4, _("Thursday")
    FRIDAY = 5, _("Friday")
    SATURDAY = 6, _("Saturday")
    SUNDAY = 7, _("Sunday")
