"""Words of the signals room. Values are stored and travel in events: never change one."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.engines.codecs.kinds import AlarmKind, ReadingKind


class AlarmState(models.TextChoices):
    """What became of an alarm."""

    OPEN = "open", pgettext_lazy("alarm", "Open")
    CLEARED = "cleared", pgettext_lazy("alarm", "Over")
    ACKNOWLEDGED = "acknowledged", pgettext_lazy("alarm", "Dealt with")
    WITHDRAWN = "withdrawn", pgettext_lazy("alarm", "Withdrawn")

    @property
    def tone(self) -> str:
        return {"open": "bad", "cleared": "ok", "acknowledged": "ok", "withdrawn": "mute"}[self.value]


ALARM_WORDS = {
    AlarmKind.SOS: _("SOS"), AlarmKind.FALL: _("Fall"), AlarmKind.MEDICAL: _("Medical alarm"), AlarmKind.PANIC: _("Panic alarm"),
    AlarmKind.FIRE: _("Fire"), AlarmKind.SMOKE: _("Smoke"), AlarmKind.GAS: _("Gas"), AlarmKind.CARBON_MONOXIDE: _("Carbon monoxide"),
    AlarmKind.NO_RESPONSE: _("No response"), AlarmKind.GENERAL: _("Alarm without a cause"), AlarmKind.UNKNOWN: _("Unknown alarm"),
    AlarmKind.HEART_RATE: _("Heart rate alarm"), AlarmKind.VITAL_LIMIT: _("Out of limits"), AlarmKind.LEFT_BED: _("Left bed"),
    AlarmKind.APNEA: _("Apnoea"), AlarmKind.WET_BED: _("Wet bed"), AlarmKind.NO_MOVEMENT: _("No movement"),
    AlarmKind.GEOFENCE_EXIT: _("Left the fence"), AlarmKind.GEOFENCE_ENTER: _("Entered a fence"), AlarmKind.WANDERING: _("Wandering"),
    AlarmKind.FLOOD: _("Flood"), AlarmKind.REMOVED: pgettext_lazy("alarm", "Taken off"), AlarmKind.TAMPER: _("Tampered with"),
    AlarmKind.LOW_BATTERY: _("Low battery"), AlarmKind.POWER_CUT: _("Power cut"), AlarmKind.DEVICE_SILENT: _("Device silent"),
    AlarmKind.OVERSPEED: _("Overspeed"), AlarmKind.VIBRATION: _("Vibration"), AlarmKind.TEST: _("Test alarm"),
}  # fmt: skip

READING_WORDS = {
    ReadingKind.HEART_RATE: _("Heart rate"), ReadingKind.SYSTOLIC: _("Systolic pressure"), ReadingKind.DIASTOLIC: _("Diastolic pressure"),
    ReadingKind.SPO2: _("Oxygen saturation"), ReadingKind.BODY_TEMPERATURE: _("Body temperature"), ReadingKind.GLUCOSE: _("Blood glucose"),
    ReadingKind.WEIGHT: pgettext_lazy("vital", "Weight"), ReadingKind.RESPIRATION: _("Breaths"), ReadingKind.STEPS: pgettext_lazy("vital", "Steps"),
    ReadingKind.IN_BED: _("In bed"), ReadingKind.BODY_MOVEMENT: _("Body movement"), ReadingKind.BATTERY: _("Battery"),
    ReadingKind.SIGNAL_QUALITY: _("Signal quality"), ReadingKind.SLEEP_DEEP: _("Deep sleep"), ReadingKind.SLEEP_LIGHT: _("Light sleep"),
    ReadingKind.SLEEP_REM: _("Dream sleep"), ReadingKind.SLEEP_AWAKE: _("Awake"), ReadingKind.SLEEP_SCORE: _("Sleep score"),
}  # fmt: skip


def alarm_label(kind: str) -> str:
    """An alarm kind in words."""
    return str(ALARM_WORDS.get(kind, kind))


def reading_label(kind: str) -> str:
    """A reading kind in words."""
    return str(READING_WORDS.get(kind, kind))


LEVEL_TONES = {1: "bad", 2: "warn", 3: "info", 4: "mute"}
