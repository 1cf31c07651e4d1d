"""The words of a device's message: kinds of reading with one unit each, kinds of alarm with a level, kinds of message (devices.md §0, §6)."""

from enum import StrEnum


class ReadingKind(StrEnum):
    """What was measured. The unit belongs to the kind; a codec converts."""

    HEART_RATE = "heart_rate"
    SYSTOLIC = "systolic"
    DIASTOLIC = "diastolic"
    MEAN_PRESSURE = "mean_pressure"
    SPO2 = "spo2"
    PERFUSION = "perfusion"
    BODY_TEMPERATURE = "body_temperature"
    GLUCOSE = "glucose"
    WEIGHT = "weight"
    BODY_MASS_INDEX = "body_mass_index"
    RESPIRATION = "respiration"
    STEPS = "steps"
    IN_BED = "in_bed"
    BODY_MOVEMENT = "body_movement"
    SIT_UP = "sit_up"
    WET_BED = "wet_bed"
    APNEA_COUNT = "apnea_count"
    SNORE_COUNT = "snore_count"
    SLEEP_DEEP = "sleep_deep"
    SLEEP_LIGHT = "sleep_light"
    SLEEP_REM = "sleep_rem"
    SLEEP_AWAKE = "sleep_awake"
    SLEEP_SCORE = "sleep_score"
    ROOM_TEMPERATURE = "room_temperature"
    HUMIDITY = "humidity"
    SIGNAL_QUALITY = "signal_quality"
    BATTERY = "battery"
    SIGNAL = "signal"


UNITS: dict[ReadingKind, str] = {
    ReadingKind.HEART_RATE: "/min",
    ReadingKind.SYSTOLIC: "mmHg",
    ReadingKind.DIASTOLIC: "mmHg",
    ReadingKind.MEAN_PRESSURE: "mmHg",
    ReadingKind.SPO2: "%",
    ReadingKind.PERFUSION: "%",
    ReadingKind.BODY_TEMPERATURE: "°C",
    ReadingKind.GLUCOSE: "mmol/L",
    ReadingKind.WEIGHT: "kg",
    ReadingKind.BODY_MASS_INDEX: "kg/m²",
    ReadingKind.RESPIRATION: "/min",
    ReadingKind.STEPS: "steps",
    ReadingKind.IN_BED: "yes/no",
    ReadingKind.BODY_MOVEMENT: "level",
    ReadingKind.SIT_UP: "yes/no",
    ReadingKind.WET_BED: "yes/no",
    ReadingKind.APNEA_COUNT: "times",
    ReadingKind.SNORE_COUNT: "times",
    ReadingKind.SLEEP_DEEP: "min",
    ReadingKind.SLEEP_LIGHT: "min",
    ReadingKind.SLEEP_REM: "min",
    ReadingKind.SLEEP_AWAKE: "min",
    ReadingKind.SLEEP_SCORE: "points",
    ReadingKind.ROOM_TEMPERATURE: "°C",
    ReadingKind.HUMIDITY: "%",
    ReadingKind.SIGNAL_QUALITY: "%",
    ReadingKind.BATTERY: "%",
    ReadingKind.SIGNAL: "%",
}

# Outside of these a value cannot be one of a living person or a working sensor: the measurement failed (devices.md §0.4).
POSSIBLE: dict[ReadingKind, tuple[float, float]] = {
    ReadingKind.HEART_RATE: (1, 300),
    ReadingKind.SYSTOLIC: (1, 350),
    ReadingKind.DIASTOLIC: (1, 300),
    ReadingKind.MEAN_PRESSURE: (1, 350),
    ReadingKind.SPO2: (1, 100),
    ReadingKind.PERFUSION: (0, 100),
    ReadingKind.BODY_TEMPERATURE: (10, 50),
    ReadingKind.GLUCOSE: (0.1, 80),
    ReadingKind.WEIGHT: (0.1, 500),
    ReadingKind.BODY_MASS_INDEX: (1, 200),
    ReadingKind.RESPIRATION: (1, 150),
    ReadingKind.STEPS: (0, 1_000_000),
    ReadingKind.ROOM_TEMPERATURE: (-60, 90),
    ReadingKind.HUMIDITY: (0, 100),
    ReadingKind.SIGNAL_QUALITY: (0, 100),
    ReadingKind.BATTERY: (0, 100),
    ReadingKind.SIGNAL: (0, 100),
}


class AlarmKind(StrEnum):
    """What an alarm says. ``UNKNOWN``: a bit or code that no table has; ``GENERAL``: an alarm frame that names no cause."""

    SOS = "sos"
    FALL = "fall"
    MEDICAL = "medical"
    PANIC = "panic"
    FIRE = "fire"
    SMOKE = "smoke"
    GAS = "gas"
    CARBON_MONOXIDE = "carbon_monoxide"
    NO_RESPONSE = "no_response"
    GENERAL = "general"
    UNKNOWN = "unknown"
    HEART_RATE = "heart_rate"
    VITAL_LIMIT = "vital_limit"
    LEFT_BED = "left_bed"
    APNEA = "apnea"
    WET_BED = "wet_bed"
    NO_MOVEMENT = "no_movement"
    GEOFENCE_EXIT = "geofence_exit"
    GEOFENCE_ENTER = "geofence_enter"
    WANDERING = "wandering"
    FLOOD = "flood"
    REMOVED = "removed"
    TAMPER = "tamper"
    LOW_BATTERY = "low_battery"
    POWER_CUT = "power_cut"
    DEVICE_SILENT = "device_silent"
    OVERSPEED = "overspeed"
    VIBRATION = "vibration"
    TEST = "test"


LIFE, URGENT, TECHNICAL, INFORMATION = 1, 2, 3, 4

# devices.md §6 "Levels"; a product or a rule may say otherwise.
LEVELS: dict[AlarmKind, int] = {
    AlarmKind.SOS: LIFE,
    AlarmKind.FALL: LIFE,
    AlarmKind.MEDICAL: LIFE,
    AlarmKind.PANIC: LIFE,
    AlarmKind.FIRE: LIFE,
    AlarmKind.SMOKE: LIFE,
    AlarmKind.GAS: LIFE,
    AlarmKind.CARBON_MONOXIDE: LIFE,
    AlarmKind.NO_RESPONSE: LIFE,
    AlarmKind.GENERAL: URGENT,
    AlarmKind.UNKNOWN: URGENT,
    AlarmKind.HEART_RATE: URGENT,
    AlarmKind.VITAL_LIMIT: URGENT,
    AlarmKind.LEFT_BED: URGENT,
    AlarmKind.APNEA: URGENT,
    AlarmKind.NO_MOVEMENT: URGENT,
    AlarmKind.GEOFENCE_EXIT: URGENT,
    AlarmKind.WANDERING: URGENT,
    AlarmKind.FLOOD: URGENT,
    AlarmKind.WET_BED: TECHNICAL,
    AlarmKind.REMOVED: TECHNICAL,
    AlarmKind.TAMPER: TECHNICAL,
    AlarmKind.LOW_BATTERY: TECHNICAL,
    AlarmKind.POWER_CUT: TECHNICAL,
    AlarmKind.DEVICE_SILENT: TECHNICAL,
    AlarmKind.OVERSPEED: INFORMATION,
    AlarmKind.VIBRATION: INFORMATION,
    AlarmKind.GEOFENCE_ENTER: INFORMATION,
    AlarmKind.TEST: INFORMATION,
}


class MessageKind(StrEnum):
    """What a message is for. ``NOTHING``: well formed, but it says nothing we use; its device is alive all the same."""

    LOGIN = "login"
    HEARTBEAT = "heartbeat"
    POSITION = "position"
    CELLS = "cells"
    ALARM = "alarm"
    VITALS = "vitals"
    STATUS = "status"
    VOICE = "voice"
    PHOTO = "photo"
    TEXT = "text"
    QUERY = "query"
    CONFIRMATION = "confirmation"
    NOTHING = "nothing"


class Datum(StrEnum):
    """Coordinate system in which a device gives places (devices.md §8)."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"


class Doubt(StrEnum):
    """Why a device time cannot be used for ordering or history (devices.md §0.6)."""

    NONE = ""
    UNSET = "unset"
    OLD = "old"
    FUTURE = "future"
    NO_ZONE = "no_zone"
