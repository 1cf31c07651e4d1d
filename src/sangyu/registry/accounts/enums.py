from django.db import models
from django.utils.translation import gettext_lazy as _


class AccountKind(models.TextChoices):
    """Who stands behind an account: a person, or another system that only uses API tokens."""

    PERSON = "person", _("A person")
    SYSTEM = "system", _("Another system")


class Outcome(models.TextChoices):
    """What happened at the door; one row of the sign-in log each."""

    SIGNED_IN = "signed_in", _("Signed in")
    WRONG = "wrong", _("Wrong account or password")
    WRONG_CODE = "wrong_code", _("Wrong code")
    LOCKED = "locked", _("Refused: locked")
    DISABLED = "disabled", _("Refused: account disabled")
    SIGNED_OUT = "signed_out", _("Signed out")
    TIMED_OUT = "timed_out", _("Signed out after idle time")
    SWITCHED = "switched", _("Changed role")
    ENDED = "ended", _("Session ended from another device")


class MessageState(models.TextChoices):
    KEPT = "kept", _("Kept, not sent")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")


#: The three administrators of GB/T 22239 level 3. Nobody holds two of them at a time (exclusion constraint on Grant).
ADMINISTRATORS = ("system_administrator", "security_administrator", "audit_administrator")
