"""Words of the emergencies room. Values are stored: never change one."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.engines.codecs.kinds import AlarmKind as A


class State(models.TextChoices):
    OPEN = "open", pgettext_lazy("incident", "Waiting")
    CLAIMED = "claimed", pgettext_lazy("incident", "Taken")
    VERIFYING = "verifying", pgettext_lazy("incident", "Calling back")
    DISPATCHED = "dispatched", pgettext_lazy("incident", "Help sent")
    ON_THE_WAY = "on_the_way", pgettext_lazy("incident", "On the way")
    ARRIVED = "arrived", pgettext_lazy("incident", "Help arrived")
    CLOSED = "closed", pgettext_lazy("incident", "Closed")
    REVIEWED = "reviewed", pgettext_lazy("incident", "Reviewed")

    @property
    def tone(self) -> str:
        return {"open": "bad", "claimed": "warn", "verifying": "warn", "closed": "mute", "reviewed": "mute"}.get(
            self.value, "info"
        )


#: States in which somebody still has to do something.
LIVE = (State.OPEN, State.CLAIMED, State.VERIFYING, State.DISPATCHED, State.ON_THE_WAY, State.ARRIVED)
ENDED = (State.CLOSED, State.REVIEWED)


class Family(models.TextChoices):
    """Alarms that are one case. A milder family joins an open ``LIFE`` of the same person; technical ones never do."""

    LIFE = "life", _("Call for help or danger")
    HEALTH = "health", _("Health values")
    PLACE = "place", _("Left a safe place")
    TECHNICAL = "technical", _("Device")


class Kind(models.TextChoices):
    """What an alarm says, in words (``engines.codecs.AlarmKind`` and ``no_device``: by hand)."""

    SOS = A.SOS, _("SOS")
    FALL = A.FALL, _("Fall")
    MEDICAL = A.MEDICAL, _("Medical emergency")
    PANIC = A.PANIC, _("Panic button")
    FIRE = A.FIRE, _("Fire")
    SMOKE = A.SMOKE, _("Smoke")
    GAS = A.GAS, _("Gas")
    CARBON_MONOXIDE = A.CARBON_MONOXIDE, _("Carbon monoxide")
    NO_RESPONSE = A.NO_RESPONSE, _("No answer")
    GENERAL = A.GENERAL, _("Alarm without a cause")
    UNKNOWN = A.UNKNOWN, _("Unknown alarm")
    HEART_RATE = A.HEART_RATE, _("Heart rate")
    VITAL_LIMIT = A.VITAL_LIMIT, _("Health value out of its limits")
    LEFT_BED = A.LEFT_BED, _("Left the bed")
    APNEA = A.APNEA, _("Breathing stops")
    WET_BED = A.WET_BED, _("Wet bed")
    NO_MOVEMENT = A.NO_MOVEMENT, _("No movement")
    GEOFENCE_EXIT = A.GEOFENCE_EXIT, _("Left the fence")
    GEOFENCE_ENTER = A.GEOFENCE_ENTER, _("Entered a fence")
    WANDERING = A.WANDERING, _("Wandering")
    FLOOD = A.FLOOD, _("Water")
    REMOVED = A.REMOVED, pgettext_lazy("alarm", "Taken off")
    TAMPER = A.TAMPER, _("Tampering")
    LOW_BATTERY = A.LOW_BATTERY, _("Low battery")
    POWER_CUT = A.POWER_CUT, _("Mains lost")
    DEVICE_SILENT = A.DEVICE_SILENT, _("Device silent")
    OVERSPEED = A.OVERSPEED, _("Too fast")
    VIBRATION = A.VIBRATION, _("Vibration")
    TEST = A.TEST, _("Test alarm")


_HEALTH = {Kind.HEART_RATE, Kind.VITAL_LIMIT, Kind.LEFT_BED, Kind.APNEA, Kind.WET_BED, Kind.NO_MOVEMENT}
_PLACE = {Kind.GEOFENCE_EXIT, Kind.GEOFENCE_ENTER, Kind.WANDERING}
_TECHNICAL = {
    Kind.REMOVED, Kind.TAMPER, Kind.LOW_BATTERY, Kind.POWER_CUT, Kind.DEVICE_SILENT, Kind.OVERSPEED, Kind.VIBRATION,
    Kind.TEST,
}  # fmt: skip


def family_of(kind: str) -> Family:
    """The family of an alarm; one that nobody knows is a call for help."""
    for family, kinds in ((Family.HEALTH, _HEALTH), (Family.PLACE, _PLACE), (Family.TECHNICAL, _TECHNICAL)):
        if kind in kinds:
            return family
    return Family.LIFE


class Level(models.IntegerChoices):
    """devices.md §6: 1 life, 2 urgent; 3 and 4 open no case."""

    LIFE = 1, _("Level 1, life")
    URGENT = 2, _("Level 2, urgent")
    TECHNICAL = 3, _("Level 3, technical")
    INFORMATION = 4, _("Level 4, information")


class Source(models.TextChoices):
    DEVICE = "device", _("Device")
    CALL = "call", _("Telephone call")
    APP = "app", _("App")
    WALK_IN = "walk_in", _("In person")
    DRILL = "drill", _("Drill")


class Verified(models.TextChoices):
    """What the call back to the elder said."""

    NEEDS_HELP = "needs_help", _("Needs help")
    NO_ANSWER = "no_answer", pgettext_lazy("call", "Nobody answers")
    ALL_RIGHT = "all_right", _("All is well")


class Outcome(models.TextChoices):
    HELPED = "helped", _("Helped on the spot")
    HOSPITAL = "hospital", _("Taken to hospital")
    FAMILY = "family", _("Handed over to the family")
    FALSE = "false_alarm", _("False alarm")
    NOT_FOUND = "not_found", _("Nobody found there")
    DIED = "died", pgettext_lazy("incident", "Died")
    DRILL = "drill", _("Drill done")
    OTHER = "other", pgettext_lazy("outcome", "Other")


class Cause(models.TextChoices):
    ILLNESS = "illness", _("Illness")
    FALL = "fall", _("Fall")
    LOST = "lost", _("Lost the way")
    FIRE = "fire", _("Fire, gas or water")
    HELP = "help", _("Needed help in daily life")
    LONELY = "lonely", _("Wanted to talk")
    BY_MISTAKE = "by_mistake", _("Pressed by mistake")
    DEVICE = "device", _("Fault of the device")
    TEST = "test", _("Test or drill")
    UNKNOWN = "unknown", pgettext_lazy("cause", "Not known")


#: Outcome false alarm: why. A case that was none needs one of these causes.
FALSE_CAUSES = (Cause.BY_MISTAKE, Cause.DEVICE, Cause.TEST, Cause.LONELY, Cause.UNKNOWN)


class PartyKind(models.TextChoices):
    FACILITY = "facility", _("Facility")
    WORKER = "worker", _("Worker")
    VOLUNTEER = "volunteer", _("Volunteer")
    FAMILY = "family", _("Relative")
    OPERATOR = "operator", pgettext_lazy("emergencies", "Operator")


class Answer(models.TextChoices):
    """How a party answered; ``PASSED``: it was nearer and could not be asked (closed, off duty)."""

    WAITING = "", pgettext_lazy("party", "No answer yet")
    ACCEPTED = "accepted", pgettext_lazy("party", "Comes")
    REFUSED = "refused", pgettext_lazy("party", "Refused")
    SILENT = "silent", pgettext_lazy("party", "Did not answer")
    PASSED = "passed", pgettext_lazy("party", "Passed over")
    WITHDRAWN = "withdrawn", pgettext_lazy("party", "No longer needed")

    @property
    def tone(self) -> str:
        return {"": "warn", "accepted": "ok", "refused": "bad", "silent": "bad"}.get(self.value, "mute")


class NoticeState(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("notice", "Waiting")
    SENDING = "sending", pgettext_lazy("notice", "Being sent")
    SENT = "sent", pgettext_lazy("notice", "Sent")
    FAILED = "failed", pgettext_lazy("notice", "Failed")

    @property
    def tone(self) -> str:
        return {"sent": "ok", "failed": "bad"}.get(self.value, "warn")


class ChannelKind(models.TextChoices):
    """How a channel's address looks: ``SCREEN`` is a signed-in page and needs none."""

    SCREEN = "screen", _("On the screen")
    SMS = "sms", _("Text message")
    WECOM = "wecom", _("Company WeChat")
    MAIL = "mail", _("E-mail")
    HOOK = "hook", _("Another system")


_RESULTS = {
    "needless": pgettext_lazy("clock", "not needed"),
    "closed": pgettext_lazy("clock", "the case was closed before"),
}


def step_result(result: str) -> str:
    """What came of a step of the ladder: a code of its own or of an answer in words; else the words that were kept."""
    if result in _RESULTS:
        return str(_RESULTS[result])
    return str(Answer(result).label) if result and result in Answer.values else result


class Did(models.TextChoices):
    """Lines of the trail."""

    OPENED = "opened", pgettext_lazy("trail", "Alarm received")
    REPEATED = "repeated", pgettext_lazy("trail", "Alarm again")
    RESET = "reset", pgettext_lazy("trail", "Device reset; the case stays open")
    CLAIMED = "claimed", pgettext_lazy("trail", "Taken")
    RELEASED = "released", pgettext_lazy("trail", "Given back")
    VERIFIED = "verified", pgettext_lazy("trail", "Called the elder")
    CALLED = "called", pgettext_lazy("trail", "Telephone call")
    PASSED = "passed", pgettext_lazy("trail", "Passed over")
    OFFERED = "offered", pgettext_lazy("trail", "Asked")
    ACCEPTED = "accepted", pgettext_lazy("trail", "Accepted")
    REFUSED = "refused", pgettext_lazy("trail", "Refused")
    SILENT = "silent", pgettext_lazy("trail", "No answer in time")
    WITHDRAWN = "withdrawn", pgettext_lazy("trail", "No longer needed")
    NOBODY = "nobody", pgettext_lazy("trail", "Nobody left to ask")
    ON_THE_WAY = "on_the_way", pgettext_lazy("trail", "On the way")
    ARRIVED = "arrived", pgettext_lazy("trail", "Arrived")
    ESCALATED = "escalated", pgettext_lazy("trail", "Escalated")
    EMERGENCY = "emergency", pgettext_lazy("trail", "Handed over to 120 or 110")
    NOTICE = "notice", pgettext_lazy("trail", "Notice")
    NOTICE_FAILED = "notice_failed", pgettext_lazy("trail", "Notice failed")
    NOTE = "note", pgettext_lazy("trail", "Note")
    CLOSED = "closed", pgettext_lazy("trail", "Closed")
    FOLLOW_UP = "follow_up", pgettext_lazy("trail", "Follow-up order")
    REVIEWED = "reviewed", pgettext_lazy("trail", "Reviewed")
    LOOKED = "looked", pgettext_lazy("trail", "Shown to the family")


class DrillState(models.TextChoices):
    PLANNED = "planned", pgettext_lazy("drill", "Planned")
    RUNNING = "running", pgettext_lazy("drill", "Running")
    DONE = "done", pgettext_lazy("drill", "Done")

    @property
    def tone(self) -> str:
        return {"planned": "info", "running": "warn", "done": "ok"}[self.value]


class CallState(models.TextChoices):
    RINGING = "ringing", pgettext_lazy("call", "Ringing")
    ANSWERED = "answered", pgettext_lazy("call", "Answered")
    ENDED = "ended", pgettext_lazy("call", "Ended")
    MISSED = "missed", pgettext_lazy("call", "Missed")
