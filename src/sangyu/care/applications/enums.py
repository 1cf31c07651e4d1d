"""Words of the applications room. Values are stored: never change one."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class State(models.TextChoices):
    """Of an application."""

    SUBMITTED = "submitted", pgettext_lazy("applications", "Handed in")
    REVIEW = "review", pgettext_lazy("applications", "In review")
    APPROVED = "approved", pgettext_lazy("applications", "Approved")
    REFUSED = "refused", pgettext_lazy("applications", "Refused")
    WITHDRAWN = "withdrawn", pgettext_lazy("applications", "Withdrawn")

    @property
    def tone(self) -> str:
        return {"submitted": "warn", "review": "info", "approved": "ok", "refused": "bad", "withdrawn": "mute"}[self]


OPEN = (State.SUBMITTED, State.REVIEW)


class Action(models.TextChoices):
    SUBMIT = "submit", pgettext_lazy("applications", "Hand in")
    PASS = "pass", pgettext_lazy("applications", "Pass on")
    APPROVE = "approve", pgettext_lazy("applications", "Approve")
    REFUSE = "refuse", pgettext_lazy("applications", "Refuse")
    WITHDRAW = "withdraw", pgettext_lazy("applications", "Withdraw")
    OVERTURN = "overturn", _("Approve after an objection")
    DECIDE = "decide", _("Decide the amount")


class Step(models.TextChoices):
    """Who looks at an application; a policy names the steps in order."""

    COMMUNITY = "community", pgettext_lazy("applications", "Community")
    STREET = "street", pgettext_lazy("applications", "Street")
    COUNTY = "county", pgettext_lazy("applications", "County")
    CITY = "city", pgettext_lazy("applications", "City")

    @property
    def depth(self) -> int:
        """The longest path of a region that may take this step: a region above may take it too."""
        return {"community": 18, "street": 15, "county": 12, "city": 9}[self.value]


class Vote(models.TextChoices):
    """How a member of a panel voted."""

    FOR = "for", pgettext_lazy("panel", "Agrees")
    AGAINST = "against", pgettext_lazy("panel", "Against")
    ABSTAINED = "abstained", pgettext_lazy("panel", "Abstains")
    WITHDREW = "withdrew", pgettext_lazy("panel", "Withdraws (is concerned)")


class Channel(models.TextChoices):
    SELF = "self", _("The elder")
    FAMILY = "family", _("A relative")
    COMMUNITY = "community", _("The community, for the elder")
    PROVIDER = "provider", _("The organisation")
    OFFICE = "office", _("An office, for the organisation")


class BodyKind(models.TextChoices):
    """Who applies and is not an elder; the words of the policies' ``subject``."""

    FACILITY = "facility", pgettext_lazy("applications", "Facility")
    ORGANISATION = "organisation", pgettext_lazy("applications", "Organisation")
    WORKER = "worker", pgettext_lazy("applications", "Worker")


class ObjectionState(models.TextChoices):
    OPEN = "open", pgettext_lazy("applications", "To answer")
    REJECTED = "rejected", pgettext_lazy("applications", "Not agreed")
    APPEALED = "appealed", pgettext_lazy("applications", "Appeal to answer")
    UPHELD = "upheld", pgettext_lazy("applications", "Agreed")
    FINAL = "final", _("Not agreed on appeal")
    WITHDRAWN = "withdrawn", pgettext_lazy("applications", "Withdrawn")

    @property
    def tone(self) -> str:
        return {"open": "warn", "appealed": "warn", "upheld": "ok", "withdrawn": "mute"}.get(self.value, "bad")


TO_ANSWER = (ObjectionState.OPEN, ObjectionState.APPEALED)


class ObjectionAction(models.TextChoices):
    OBJECT = "object", pgettext_lazy("applications", "Object")
    UPHOLD = "uphold", pgettext_lazy("applications", "Agree")
    REJECT = "reject", pgettext_lazy("applications", "Do not agree")
    APPEAL = "appeal", pgettext_lazy("applications", "Appeal")
    WITHDRAW = "withdraw", pgettext_lazy("applications", "Withdraw")


class HoldReason(models.TextChoices):
    """Why a payment stops for a time."""

    CHECK = "check", _("Entitlement is being checked")
    ACCOUNT = "account", _("No valid account")
    CONFIRM = "confirm", _("Yearly confirmation is missing")
    AWAY = "away", _("Away for a long time")
    REQUEST = "request", _("Asked for by the person")
    OTHER = "other", pgettext_lazy("applications", "Other")


class Form(models.TextChoices):
    """How an entitlement is given (R-049)."""

    CASH = "cash", pgettext_lazy("applications", "Money")
    VOUCHER = "voucher", pgettext_lazy("applications", "Vouchers")
    SERVICE = "service", pgettext_lazy("applications", "Services")


class PayeeState(models.TextChoices):
    PROPOSED = "proposed", _("Waits for approval")
    ACTIVE = "active", _("In use")
    ENDED = "ended", pgettext_lazy("applications", "Replaced")
    REFUSED = "refused", pgettext_lazy("applications", "Refused")

    @property
    def tone(self) -> str:
        return {"proposed": "warn", "active": "ok", "ended": "mute", "refused": "bad"}[self.value]
