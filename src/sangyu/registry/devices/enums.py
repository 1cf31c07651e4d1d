"""Words of the devices room. Values are stored and travel in events: never change one."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Kind(models.TextChoices):
    """What a device is (R-089, R-092, R-186)."""

    WATCH = "watch", pgettext_lazy("device", "Watch")
    PENDANT = "pendant", pgettext_lazy("device", "Pendant")
    CANE = "cane", _("Smart cane")
    MATTRESS = "mattress", _("Smart mattress")
    BUTTON = "button", _("Call button")
    ALARM_UNIT = "alarm_unit", _("Alarm unit at home")
    PHONE = "phone", _("Elder's phone")
    METER = "meter", _("Health meter")
    SENSOR = "sensor", _("Home sensor")
    GATEWAY = "gateway", pgettext_lazy("device", "Gateway")

    @property
    def one_each(self) -> bool:
        """Whether an elder has one at most: two watches would tell two places and halve each other's wearing."""
        return self in (Kind.WATCH, Kind.CANE, Kind.PHONE)

    @property
    def placed(self) -> bool:
        """Whether it may stand in a place of a facility instead of going with a person (R-186)."""
        return self in (Kind.MATTRESS, Kind.BUTTON, Kind.ALARM_UNIT, Kind.SENSOR, Kind.GATEWAY, Kind.METER)


class State(models.TextChoices):
    """Where a device is."""

    STOCK = "stock", pgettext_lazy("device", "In stock")
    ISSUED = "issued", pgettext_lazy("device", "Issued")
    RETURNED = "returned", pgettext_lazy("device", "Returned, to be checked")
    REPAIR = "repair", pgettext_lazy("device", "In repair")
    LOST = "lost", pgettext_lazy("device", "Lost")
    RETIRED = "retired", pgettext_lazy("device", "Retired")

    @property
    def tone(self) -> str:
        return {
            "stock": "info",
            "issued": "ok",
            "returned": "warn",
            "repair": "warn",
            "lost": "bad",
            "retired": "mute",
        }[self.value]


class Action(models.TextChoices):
    """Edges of the graph."""

    RECEIVE = "receive", pgettext_lazy("device", "Receive")
    ALLOT = "allot", pgettext_lazy("device", "Allot")
    ISSUE = "issue", pgettext_lazy("device", "Issue")
    RETURN = "return", pgettext_lazy("device", "Take back")
    RESTOCK = "restock", _("Put into stock")
    REPAIR = "repair", _("Send to repair")
    REPAIRED = "repaired", _("Back from repair into stock")
    GIVE_BACK = "give_back", _("Back from repair to the wearer")
    GIVE_UP = "give_up", _("End the binding")
    LOSE = "lose", _("Report lost")
    FIND = "find", _("Report found")
    RETIRE = "retire", pgettext_lazy("device", "Retire")


class EndReason(models.TextChoices):
    """Why a binding ended."""

    RETURNED = "returned", pgettext_lazy("binding", "Not wanted any more")
    EXCHANGED = "exchanged", pgettext_lazy("binding", "Exchanged")
    DEFECT = "defect", pgettext_lazy("binding", "Defect")
    LOST = "lost", pgettext_lazy("binding", "Lost")
    MOVED = "moved", pgettext_lazy("binding", "Moved away or into an institution")
    DEATH = "death", pgettext_lazy("binding", "Died")
    OTHER = "other", pgettext_lazy("binding", "Other")


class Outcome(models.TextChoices):
    """How a repair ended."""

    FIXED = "fixed", pgettext_lazy("repair", "Repaired")
    NO_FAULT = "no_fault", pgettext_lazy("repair", "No fault found")
    REPLACED = "replaced", pgettext_lazy("repair", "Replaced under warranty")
    SCRAP = "scrap", pgettext_lazy("repair", "Not worth repairing")


class FeeKind(models.TextChoices):
    SERVICE = "service", _("Service fee")
    SIM = "sim", _("SIM fee")


class Payer(models.TextChoices):
    """Who pays the fee of a month."""

    GOVERNMENT = "government", pgettext_lazy("payer", "Government")
    ELDER = "elder", pgettext_lazy("payer", "Elder or family")
    OWNER = "owner", pgettext_lazy("payer", "Owner of the device")


class Answer(models.TextChoices):
    """What the elder said when asked for a consent at issue."""

    PAPER = "paper", _("Agrees: signed form")
    ORAL = "oral", _("Agrees: spoken, with a witness")
    REFUSED = "refused", _("Does not agree")


class CommandState(models.TextChoices):
    """How far a command to a device is."""

    QUEUED = "queued", pgettext_lazy("command", "Waits for the device")
    SENT = "sent", pgettext_lazy("command", "Sent")
    CONFIRMED = "confirmed", pgettext_lazy("command", "Confirmed")
    FAILED = "failed", pgettext_lazy("command", "Not confirmed")
    EXPIRED = "expired", pgettext_lazy("command", "Expired")
    CANCELLED = "cancelled", pgettext_lazy("command", "Cancelled")

    @property
    def tone(self) -> str:
        return {"queued": "info", "sent": "info", "confirmed": "ok", "failed": "bad"}.get(self.value, "mute")
