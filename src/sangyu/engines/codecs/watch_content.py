"""What stands inside a watch's frame: positions with alarms, vital signs, voice, queries (devices.md §1)."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from .interface import Options
from .kinds import AlarmKind, MessageKind, ReadingKind
from .messages import (
    AccessPoint,
    Alarm,
    Attachment,
    Cell,
    Message,
    Outgoing,
    Position,
    Readings,
    device_time,
    gravest_first,
)
from .values import day_and_clock, hexadecimal, number, whole

_ESCAPES = {b"\x01": b"}", b"\x02": b"[", b"\x03": b"]", b"\x04": b",", b"\x05": b"*"}
_SENT = {plain: b"}" + code for code, plain in _ESCAPES.items()}
_ESCAPED = re.compile(rb"\}([\x01-\x05])", re.DOTALL)
_SPECIAL = re.compile(rb"[}\[\],*]")

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


def escape(data: bytes) -> bytes:
    """Binary content as it is sent."""
    return _SPECIAL.sub(lambda m: _SENT[m[0]], data)


def unescape(data: bytes) -> bytes:
    return _ESCAPED.sub(lambda m: _ESCAPES[m[1]], data)


def frame(family: str, device: str, serial: str, content: bytes) -> bytes:
    """The frame around ``content``; ``serial`` "" for the families without one."""
    middle = f"{serial}*" if serial else ""
    return f"[{family}*{device}*{middle}{len(content):04x}*".encode() + content + b"]"


def read(
    raw: bytes, family: str, device: str, serial: str, content: bytes, received_at: datetime, options: Options
) -> Message:
    """The message of one frame; an unknown word gives one that says nothing."""
    word_bytes, comma, rest = content.partition(b",")
    word = word_bytes.decode("latin-1").strip()
    upper = word.upper()

    def made(kind: MessageKind, reply: str | None = None, **parts) -> Message:
        replies = (Outgoing(frame(family, device, serial, reply.encode())),) if reply else ()
        parts.setdefault("details", {"family": family})
        return Message(
            "watch", device, kind, word, received_at, raw, sequence=serial, replies=replies, **parts
        )  # fmt: skip

    if comma and upper.startswith(("UD", "AL", "WT")):
        return _position(word, upper, rest.decode("latin-1").split(","), received_at, family, made)
    reader = _WORDS.get(upper)
    if reader is not None:
        return reader(made, word, rest, received_at, options)
    if upper.startswith("AL"):
        alarm = Alarm.of(AlarmKind.GENERAL, "frame")
        return made(MessageKind.ALARM, "AL", alarms=(alarm,))
    if word and (not comma or rest.isdigit()):
        return made(MessageKind.CONFIRMATION, confirms=word)
    return made(MessageKind.NOTHING)


# ---------------------------------------------------------------- positions
def _position(
    word: str, upper: str, values: list[str], received_at: datetime, family: str, made: Callable[..., Message]
) -> Message:
    is_alarm = upper.startswith("AL")
    values += [""] * (16 - len(values))
    stated = day_and_clock(values[0], values[1])
    readings = Readings()
    for kind, text in (
        (ReadingKind.SIGNAL, values[11]),
        (ReadingKind.BATTERY, values[12]),
        (ReadingKind.STEPS, values[13]),
    ):
        if text.strip():
            readings.add(kind, number(text))
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
        access_points=points, states={name: bool(status >> bit & 1) for bit, name in STATE_BITS.items()} if status is not None else {},
        late=upper.startswith("UD2"), details=details,
    )  # fmt: skip


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
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else hexadecimal(text)


# ---------------------------------------------------------------- words with a few values
def _numbers(rest: bytes) -> list[float | None]:
    return [number(v) for v in rest.decode("latin-1").split(",")]


def _vitals(made, reply: str, pairs: list[tuple[ReadingKind, float | None]]) -> Message:
    readings = Readings()
    for kind, value in pairs:
        readings.add(kind, value)
    return made(MessageKind.VITALS, reply, readings=tuple(readings.made), failed=tuple(readings.failed))


def _heartbeat(made, word: str, rest: bytes, received_at: datetime, options: Options) -> Message:
    values = _numbers(rest) if rest else []
    readings = Readings()
    if len(values) >= 3:
        readings.add(ReadingKind.STEPS, values[0])
        readings.add(ReadingKind.BATTERY, values[2])
    return made(MessageKind.HEARTBEAT, "LK", readings=tuple(readings.made), failed=tuple(readings.failed))


def _heart(made, word: str, rest: bytes, received_at: datetime, options: Options) -> Message:
    return _vitals(made, word, [(ReadingKind.HEART_RATE, _numbers(rest)[0])])


def _pressure(made, word: str, rest: bytes, received_at: datetime, options: Options) -> Message:
    values = _numbers(rest) + [None, None]
    pairs = [(ReadingKind.SYSTOLIC, values[0]), (ReadingKind.DIASTOLIC, values[1])]
    if word.lower() == "bphrt" and values[2] is not None:
        pairs.append((ReadingKind.HEART_RATE, values[2]))
    return _vitals(made, word, pairs)


def _temperature(made, word: str, rest: bytes, received_at: datetime, options: Options) -> Message:
    values = _numbers(rest)
    if word.lower() == "btemp2":
        values = values[1:2] if values[0] and len(values) > 1 else [None]
    return _vitals(made, word, [(ReadingKind.BODY_TEMPERATURE, values[0])])


def _oxygen(made, word: str, rest: bytes, received_at: datetime, options: Options) -> Message:
    values = _numbers(rest)
    return _vitals(made, "oxygen,1", [(ReadingKind.SPO2, values[1] if len(values) > 1 else None)])


def _voice(made, word: str, rest: bytes, received_at: datetime, options: Options) -> Message:
    if len(rest) <= 1:
        return made(MessageKind.CONFIRMATION, confirms="TK", text=rest.decode("latin-1"))
    return made(MessageKind.VOICE, "TK,1", attachment=Attachment("amr", unescape(rest)))


def _voice_part(made, word: str, rest: bytes, received_at: datetime, options: Options) -> Message:
    _, name, part, parts, data = (rest.split(b",", 4) + [b""] * 5)[:5]
    number_of, total = whole(part.decode("latin-1")), whole(parts.decode("latin-1"))
    piece = Attachment("amr", unescape(data), name.decode("utf-8", "replace"), number_of or 1, total or 1)
    return made(MessageKind.VOICE, "JXTKR,1", attachment=piece)


def _photo(made, word: str, rest: bytes, received_at: datetime, options: Options) -> Message:
    _, name, data = (rest.split(b",", 2) + [b""] * 3)[:3]
    return made(MessageKind.PHOTO, attachment=Attachment("jpeg", unescape(data), name.decode("latin-1")))


def _query(reply: str):
    def read_query(made, word: str, rest: bytes, received_at: datetime, options: Options) -> Message:
        return made(MessageKind.QUERY, reply or word)

    return read_query


def _first_contact(reply: str):
    def read_contact(made, word: str, rest: bytes, received_at: datetime, options: Options) -> Message:
        return made(MessageKind.STATUS, reply, text=rest.decode("utf-8", "replace"))

    return read_contact


def _zone(made, word: str, rest: bytes, received_at: datetime, options: Options) -> Message:
    local = received_at + timedelta(minutes=options.offset) - (received_at.utcoffset() or timedelta())
    return made(MessageKind.QUERY, f"LGZONE,{hours(options.offset / 60)},{local:%H:%M:%S},{local:%Y-%m-%d}")


def hours(value: float) -> str:
    """A zone as watches write it: +8, -3, +5.75."""
    return f"{value:+.2f}".rstrip("0").rstrip(".")


_WORDS = {
    "LK": _heartbeat,
    "HEART": _heart,
    "PULSE": _heart,
    "BPHRT": _pressure,
    "BLOOD": _pressure,
    "TEMP": _temperature,
    "BTEMP2": _temperature,
    "OXYGEN": _oxygen,
    "TK": _voice,
    "JXTK": _voice_part,
    "IMG": _photo,
    "TKQ": _query(""),
    "TKQ2": _query(""),
    "CONFIG": _first_contact("CONFIG,1"),
    "INIT": _first_contact("INIT,1"),
    "ICCID": _first_contact("ICCID2,1"),
    "LGZONE": _zone,
}
