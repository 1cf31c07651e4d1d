"""A watch's positions: where it is, battery and steps, status bits with alarms, cells and access points around it (devices.md §1).

``read`` takes whatever values there are. ``usual`` reads with one expression what nearly all watches write nearly always, in half of the time, and
answers None for everything else; where it answers, ``read`` answers the same (tests).
"""

import re
from collections.abc import Callable
from datetime import datetime

from .kinds import POSSIBLE, AlarmKind, MessageKind, ReadingKind
from .messages import AccessPoint, Alarm, Cell, Message, Position, Reading, Readings, device_time, gravest_first
from .values import day_and_clock, hexadecimal, number, whole

# devices.md §1 "Status bits". 22 is a fall or an abnormal heart rate, by model: the product says.
ALARM_BITS = {
    0: AlarmKind.LOW_BATTERY,
    14: AlarmKind.POWER_CUT,
    16: AlarmKind.SOS,
    17: AlarmKind.LOW_BATTERY,
    18: AlarmKind.GEOFENCE_EXIT,
    19: AlarmKind.GEOFENCE_ENTER,
    20: AlarmKind.REMOVED,
    21: AlarmKind.FALL,
    22: AlarmKind.FALL,
}
# States that name the cause when an alarm frame has no alarm bit.
CAUSE_BITS = {1: AlarmKind.GEOFENCE_EXIT, 2: AlarmKind.GEOFENCE_ENTER}
_LOW_ALARMS = sum(1 << bit for bit in ALARM_BITS if bit < 16)
STATE_BITS = {1: "outside_fence", 2: "inside_fence", 3: "worn", 4: "moving"}


# ---------------------------------------------------------------- as nearly all are written
_REAL, _SMALL, _WHOLE = r"( ?\d{1,9}(?:\.\d{1,9})?)", r"(-?\d{1,9}(?:\.\d{1,9})?)", r"(\d{1,9})"
#: Word, day, time, fix, place, speed, course, height; satellites, signal, battery, steps, tumbles; status without an alarm of its upper half; neighbours.
_USUAL = re.compile(
    r"(UD\w*|WT),(\d{6}),(\d{6}),([AV])," + ",".join([_REAL, "([NS])", _REAL, "([EW])", _REAL, _REAL, _SMALL, *[_WHOLE] * 5])
    + r",(0000[0-9A-Fa-f]{4})(?:,(.*))?",
    re.ASCII | re.DOTALL,
)  # fmt: skip
_STATES = [{name: bool(low >> bit & 1) for bit, name in STATE_BITS.items()} for low in range(32)]
_MOST_STEPS = POSSIBLE[ReadingKind.STEPS][1]


def usual(raw: bytes, family: str, device: str, serial: str, content: bytes, received_at: datetime) -> Message | None:
    """The message of a position with plain numbers, no alarm and nothing impossible. None for any other content."""
    found = _USUAL.fullmatch(content.decode("latin-1"))
    if found is None:
        return None
    (
        word, day, clock, fix, latitude, north, longitude, east, speed, course, height, satellites, signal, battery, steps, tumbles, status, tail,
    ) = found.groups()  # fmt: skip
    stated, bits = day_and_clock(day, clock), int(status, 16)
    latitude, longitude, signal, battery, steps = map(float, (latitude, longitude, signal, battery, steps))
    if (
        stated is None or bits & _LOW_ALARMS or latitude > 90 or longitude > 180
        or signal > 100 or battery > 100 or steps > _MOST_STEPS
    ):  # fmt: skip
        return None
    cells, points, accuracy = _neighbours(tail.split(",")) if tail else ((), (), None)
    return Message(
        "watch", device, MessageKind.POSITION, word, received_at, raw, device_time(stated, 0, received_at),
        (Reading(ReadingKind.SIGNAL, signal), Reading(ReadingKind.BATTERY, battery), Reading(ReadingKind.STEPS, steps)),
        position=Position(
            latitude if north == "N" else -latitude, longitude if east == "E" else -longitude, fix == "A",
            speed_kmh=float(speed), course=float(course), altitude_m=float(height), satellites=int(satellites), accuracy_m=accuracy,
        ),
        cells=cells, access_points=points, states=_STATES[bits & 31].copy(),
        details={"family": family, "status": status, "tumbles": int(tumbles)}, sequence=serial, late=_late(word),
    )  # fmt: skip


# ---------------------------------------------------------------- as anybody may write
def read(word: str, text: str, received_at: datetime, family: str, made: Callable[..., Message]) -> Message:
    """The message of any position or alarm; ``made`` gives it what its frame says."""
    is_alarm, values = word.upper().startswith("AL"), text.split(",")
    values += [""] * (16 - len(values))
    stated = day_and_clock(values[0], values[1])
    readings = Readings()
    for kind, given in (
        (ReadingKind.SIGNAL, values[11]),
        (ReadingKind.BATTERY, values[12]),
        (ReadingKind.STEPS, values[13]),
    ):
        if given.strip():
            readings.add(kind, number(given))
    status = hexadecimal(values[15])
    alarms = _alarms(status, is_alarm)
    cells, points, accuracy = _neighbours(values[16:])
    place = _place(values, accuracy)
    kind = MessageKind.ALARM if is_alarm or alarms else MessageKind.POSITION
    details = {"family": family, "status": values[15].strip()}
    tumbles = whole(values[14])
    if tumbles is not None:
        details["tumbles"] = tumbles
    return made(
        kind, "AL" if is_alarm else None,
        time=device_time(stated, 0, received_at) if stated else None,
        readings=tuple(readings.made), failed=tuple(readings.failed), alarms=alarms, position=place, cells=cells,
        access_points=points, states=_STATES[status & 31].copy() if status is not None else {},
        late=_late(word), details=details,
    )  # fmt: skip


def _late(word: str) -> bool:
    """From the watch's memory?"""
    return word.upper().startswith("UD2")


def _alarms(status: int | None, is_alarm: bool) -> tuple[Alarm, ...]:
    if not is_alarm and not (status and (status >> 16 or status & _LOW_ALARMS)):
        return ()
    found = []
    if status:
        for bit in range(status.bit_length()):
            if status >> bit & 1:
                if bit in ALARM_BITS:
                    found.append(Alarm.of(ALARM_BITS[bit], f"status.{bit}"))
                elif bit >= 16:
                    found.append(Alarm.of(AlarmKind.UNKNOWN, f"status.{bit}"))
        if is_alarm and not found:
            found = [Alarm.of(kind, f"status.{bit}") for bit, kind in CAUSE_BITS.items() if status >> bit & 1]
    if is_alarm and not found:
        found.append(Alarm.of(AlarmKind.GENERAL, "frame"))
    return gravest_first(found)


def _signed(value: str, side: str, negative: str) -> float | None:
    degrees = number(value)
    if degrees is not None and side.strip().upper() == negative:
        return -abs(degrees)
    return degrees


def _place(values: list[str], accuracy: float | None) -> Position | None:
    latitude, longitude = _signed(values[3], values[4], "S"), _signed(values[5], values[6], "W")
    if latitude is None or longitude is None:
        return None
    made = Position(
        latitude, longitude, values[2].strip().upper() == "A", speed_kmh=number(values[7]), course=number(values[8]),
        altitude_m=number(values[9]), satellites=whole(values[10]), accuracy_m=accuracy,
    )  # fmt: skip
    return made if made.possible else None


def _neighbours(tail: list[str]) -> tuple[tuple[Cell, ...], tuple[AccessPoint, ...], float | None]:
    """Cells, Wi-Fi and accuracy; stops at the first thing that does not fit, keeping what it has."""
    cells: list[Cell] = []
    points: list[AccessPoint] = []
    at, accuracy = 1, None
    count = whole(tail[0]) if tail else None
    if count is None or count < 0:
        return (), (), None
    if count:
        mcc, mnc = (whole(tail[2]), whole(tail[3])) if len(tail) >= 4 else (None, None)
        at = 4 + 3 * count
        for place in range(4, min(at, len(tail)), 3):
            lac, cid, signal = (tail[place : place + 3] + ["", ""])[:3]
            lac, cid, signal = _cell_number(lac), _cell_number(cid), whole(signal)
            if mcc is not None and mnc is not None and lac is not None and cid is not None:
                cells.append(Cell(mcc, mnc, lac, cid, abs(signal) if signal is not None else None))
    count = whole(tail[at]) if at < len(tail) else None
    at += 1
    if count is not None and 0 <= count <= len(tail) - at:
        for place in range(at, min(at + 3 * count, len(tail)), 3):
            name, mac, signal = (tail[place : place + 3] + ["", ""])[:3]
            if mac.strip() not in ("", "0"):
                points.append(AccessPoint(mac.strip().lower(), whole(signal), name))
        at += 3 * count
    if at == len(tail) - 1:
        accuracy = number(tail[at])
    return tuple(cells), tuple(points), accuracy


def _cell_number(text: str) -> int | None:
    """Decimal, or hexadecimal if it contains A to F."""
    text = text.strip()
    return int(text) if len(text) < 12 and text.isdigit() and text.isascii() else hexadecimal(text)
