from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Kind(models.TextChoices):
    """What a person may ask about their data (PIPL 44–47)."""

    ACCESS = "access", _("See what is kept")
    COPY = "copy", _("Receive a copy")
    CORRECTION = "correction", _("Have something corrected")
    DELETION = "deletion", _("Have data deleted")


class State(models.TextChoices):
    RECEIVED = "received", pgettext_lazy("request", "Received")
    IN_WORK = "in_work", pgettext_lazy("request", "In work")
    ANSWERED = "answered", pgettext_lazy("request", "Answered")
    REFUSED = "refused", pgettext_lazy("request", "Refused")
    WITHDRAWN = "withdrawn", pgettext_lazy("request", "Withdrawn")

    @property
    def tone(self) -> str:
        return {"received": "warn", "in_work": "acc", "answered": "ok"}.get(self.value, "mute")


#: States in which the request still waits for an answer.
OPEN = (State.RECEIVED, State.IN_WORK)


class Action(models.TextChoices):
    TAKE = "take", _("Take on")
    ANSWER = "answer", pgettext_lazy("request", "Answer")
    REFUSE = "refuse", pgettext_lazy("request", "Refuse")
    WITHDRAW = "withdraw", pgettext_lazy("request", "Withdraw")


class Channel(models.TextChoices):
    SELF = "self", _("Asked by the elder in the elder view")
    FAMILY = "family", _("Asked by a relative in the elder view")
    PAPER = "paper", _("On paper or at the counter")


class Risk(models.TextChoices):
    LOW = "low", pgettext_lazy("risk", "Low")
    MEDIUM = "medium", pgettext_lazy("risk", "Medium")
    HIGH = "high", pgettext_lazy("risk", "High")
