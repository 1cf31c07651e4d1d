"""Words of the voucher room. Values are stored and travel in files and the API: never change one."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    """Whether a voucher may be used; how much is left is the ledger's answer."""

    ACTIVE = "active", _("In use")
    LOST = "lost", _("Reported lost")
    REPLACED = "replaced", _("Replaced")
    CANCELLED = "cancelled", _("Cancelled")
    EXPIRED = "expired", _("Expired")

    @property
    def tone(self) -> str:
        return {"active": "ok", "lost": "warn"}.get(self.value, "mute")


class Action(models.TextChoices):
    REPORT_LOSS = "report_loss", _("Report loss")
    FIND = "find", _("Found again")
    REISSUE = "reissue", _("Reissue")
    CANCEL = "cancel", _("Cancel")
    EXPIRE = "expire", _("Expire")
    WITHDRAW = "withdraw", _("Take a part back")


class Validity(models.TextChoices):
    """How long a voucher of a programme may be used."""

    MONTH = "month", _("Until the end of its month")
    QUARTER = "quarter", _("Until the end of its quarter")
    YEAR = "year", _("Until the end of its year")
    DAYS = "days", _("A number of days")


class Unspent(models.TextChoices):
    """What becomes of the rest at the end (open point O-5)."""

    LAPSE = "lapse", _("Lapses")
    ROLL_OVER = "roll_over", _("Usable for further months")


class RefusedUse(models.TextChoices):
    """Why a voucher cannot be used for a visit (R-069)."""

    STATE = "state", _("The voucher is not in use")
    NOT_YET = "not_yet", _("The voucher is not valid yet on that day")
    EXPIRED = "expired", _("The voucher has expired by that day")
    CATEGORY = "category", _("The programme does not pay for this kind of service")
    ITEM = "item", _("The programme does not pay for this service")
    ORGANISATION = "organisation", _("The programme does not admit this provider")
    NOTHING_LEFT = "nothing_left", _("Nothing is left on the voucher")
