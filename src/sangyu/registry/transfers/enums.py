"""Words of the transfers room. Values are stored: never change one."""

from django.db import models
from django.utils.translation import pgettext_lazy


class State(models.TextChoices):
    REQUESTED = "requested", pgettext_lazy("transfers", "Waits for an answer")
    AGREED = "agreed", pgettext_lazy("transfers", "Handed over")
    REFUSED = "refused", pgettext_lazy("transfers", "Refused")
    WITHDRAWN = "withdrawn", pgettext_lazy("transfers", "Withdrawn")

    @property
    def tone(self) -> str:
        return {"requested": "warn", "agreed": "ok", "refused": "bad", "withdrawn": "mute"}[self.value]


class Action(models.TextChoices):
    AGREE = "agree", pgettext_lazy("transfers", "Hand over")
    REFUSE = "refuse", pgettext_lazy("transfers", "Refuse")
    WITHDRAW = "withdraw", pgettext_lazy("transfers", "Withdraw")
