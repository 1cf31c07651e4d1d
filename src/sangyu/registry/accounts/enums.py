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
    TWO_PLACES = "two_places", _("Used at two places at once")
    KEY_ADDED = "key_added", _("Passkey added")
    KEY_REMOVED = "key_removed", _("Passkey removed")
    KEY_CLONED = "key_cloned", _("Refused: the passkey may be a copy")
    KEY_WRONG = "key_wrong", _("Wrong passkey")
    LINKED = "linked", _("Linked with an identity provider")
    UNLINKED = "unlinked", _("Link with an identity provider removed")
    NO_LINK = "no_link", _("Refused: no account is linked")


class Method(models.TextChoices):
    """By what a session was opened. A passkey is two factors in one."""

    PASSWORD = "password", _("Password")
    CODE = "code", _("Password and code")
    PASSKEY = "passkey", _("Passkey")
    PHONE = "phone", _("Code by short message")
    PROVIDER = "provider", _("Identity provider")
    PROVIDER_STRONG = "provider2", _("Identity provider, two factors")


class FactorPolicy(models.TextChoices):
    """What a role asks for beyond the password; ``second_factor`` of roles.yaml."""

    OPTIONAL = "optional", _("Optional")
    REQUIRED = "required", _("Required")
    PASSKEY = "passkey", _("Passkey required")


class Act(models.TextChoices):
    """What was done to an account; one row of the delegation log each (R-176)."""

    CREATE = "create", _("Account created")
    CHANGE = "change", _("Account changed")
    DISABLE = "disable", _("Account disabled")
    ENABLE = "enable", _("Account enabled")
    RESET = "reset", _("New first password given")
    UNLOCK = "unlock", _("Account unlocked")
    REMOVE_FACTOR = "factor", _("Second factor removed")
    GRANT = "grant", _("Role given")
    END_GRANT = "end_grant", _("Role ended")
    TOKEN = "token", _("API token made")
    REVOKE = "revoke", _("API token revoked")
    LINK = "link", _("Linked with an identity provider")
    HAND_OVER = "hand_over", _("Open work handed over")


class MessageState(models.TextChoices):
    KEPT = "kept", _("Kept, not sent")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")


#: The three administrators of GB/T 22239 level 3. Nobody holds two of them at a time (exclusion constraint on Grant).
ADMINISTRATORS = ("system_administrator", "security_administrator", "audit_administrator")
