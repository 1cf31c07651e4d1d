"""Words of settlement. Values are stored and travel in files and the API: never change one."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class State(models.TextChoices):
    """Where a statement stands between the bureau and the provider."""

    DRAFT = "draft", _("Draft")
    FROZEN = "frozen", _("Waits for the provider")
    OBJECTED = "objected", _("Objected")
    CONFIRMED = "confirmed", _("Confirmed by the provider")
    APPROVED = "approved", _("Approved")
    PAID = "paid", pgettext_lazy("statement", "Paid")
    DISCARDED = "discarded", _("Discarded")

    @property
    def tone(self) -> str:
        return {"frozen": "info", "objected": "warn", "confirmed": "info", "approved": "info", "paid": "ok"}.get(
            self.value, "mute"
        )


class Action(models.TextChoices):
    FREEZE = "freeze", _("Freeze")
    OBJECT = "object", _("Object")
    ANSWER = "answer", _("Send again")
    CONFIRM = "confirm", _("Confirm")
    APPROVE = "approve", _("Approve")
    PAY = "pay", _("Pay")
    DISCARD = "discard", _("Discard")


class LineKind(models.TextChoices):
    VISIT = "visit", _("Visit")
    REFUND = "refund", _("Refund")
    ADJUSTMENT = "adjustment", _("Adjustment")


#: States in which a provider sees the statement.
SHOWN_TO_PROVIDER = [State.FROZEN, State.OBJECTED, State.CONFIRMED, State.APPROVED, State.PAID]
