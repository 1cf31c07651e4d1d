"""Words of the screening room. Values are stored: never change one."""

from django.db import models
from django.utils.translation import pgettext_lazy


class CampaignState(models.TextChoices):
    DRAFT = "draft", pgettext_lazy("screening", "Draft")
    OPEN = "open", pgettext_lazy("screening", "Under way")
    CLOSED = "closed", pgettext_lazy("screening", "Closed")
    CANCELLED = "cancelled", pgettext_lazy("screening", "Cancelled")

    @property
    def tone(self) -> str:
        return {"draft": "mute", "open": "acc", "closed": "ok", "cancelled": "mute"}[self.value]


class TaskState(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("screening", "To visit")
    FILLED = "filled", pgettext_lazy("screening", "To confirm")
    CONFIRMED = "confirmed", pgettext_lazy("screening", "Confirmed")
    MISSED = "missed", pgettext_lazy("screening", "Not met")
    LAPSED = "lapsed", pgettext_lazy("screening", "Not visited")

    @property
    def tone(self) -> str:
        return {"waiting": "acc", "filled": "warn", "confirmed": "ok", "missed": "bad", "lapsed": "mute"}[self.value]


class Action(models.TextChoices):
    OPEN = "open", pgettext_lazy("screening", "Start")
    CLOSE = "close", pgettext_lazy("screening", "Close")
    CANCEL = "cancel", pgettext_lazy("screening", "Cancel")
    CREATE = "create", pgettext_lazy("screening", "Create")
    ADD = "add", pgettext_lazy("screening", "Add")
    FILL = "fill", pgettext_lazy("screening", "Hand in")
    MISS = "miss", pgettext_lazy("screening", "Not met")
    AGAIN = "again", pgettext_lazy("screening", "Visit again")
    GIVE_BACK = "give_back", pgettext_lazy("screening", "Give back")
    CONFIRM = "confirm", pgettext_lazy("screening", "Confirm")


class Missed(models.TextChoices):
    """Why the elder was not met."""

    ABSENT = "absent", pgettext_lazy("screening", "Nobody at home")
    REFUSED = "refused", pgettext_lazy("screening", "Does not want to be asked")
    MOVED = "moved", pgettext_lazy("screening", "Moved away")
    HOSPITAL = "hospital", pgettext_lazy("screening", "In hospital or an institution")
    DIED = "died", pgettext_lazy("screening", "Died")
    OTHER = "other", pgettext_lazy("screening", "Other")


class Standing(models.TextChoices):
    """How an elder stands to the database of special difficulty by the sheet (R-023)."""

    DISABLED = "disabled", pgettext_lazy("screening", "Disabled")
    PARTLY = "partly", pgettext_lazy("screening", "Partly disabled")
    ABLE = "able", pgettext_lazy("screening", "Self-caring")
    OPEN = "open", pgettext_lazy("screening", "Ability not asked")
    OUTSIDE = "outside", pgettext_lazy("screening", "Not in the database")


#: In the database, whatever the ability.
INSIDE = (Standing.DISABLED, Standing.PARTLY, Standing.ABLE, Standing.OPEN)


class FollowUpKind(models.TextChoices):
    ASSESSMENT = "assessment", pgettext_lazy("screening", "Assessment")
    VISIT = "visit", pgettext_lazy("screening", "Regular visits")
    ORDER = "order", pgettext_lazy("screening", "Service")


class FollowUpState(models.TextChoices):
    OPEN = "open", pgettext_lazy("screening", "To do")
    DONE = "done", pgettext_lazy("screening", "Done")
    DROPPED = "dropped", pgettext_lazy("screening", "Not needed")

    @property
    def tone(self) -> str:
        return {"open": "warn", "done": "ok", "dropped": "mute"}[self.value]
