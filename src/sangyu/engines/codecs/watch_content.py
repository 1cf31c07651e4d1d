"""What stands inside a watch's frame: vital signs, voice, queries (devices.md §1); positions: ``watch_position``."""

import re
from datetime import datetime, timedelta

from . import watch_position
from .interface import Options
from .kinds import AlarmKind, MessageKind, ReadingKind
from .messages import Alarm, Attachment, Message, Outgoing, Readings
from .values import number, whole

_ESCAPES = {b"\x01": b"}", b"\x02": b"[", b"\x03": b"]", b"\x04": b",", b"\x05": b"*"}
_SENT = {plain: b"}" + code for code, plain in _ESCAPES.items()}
_ESCAPED = re.compile(rb"\}([\x01-\x05])", re.DOTALL)
_SPECIAL = re.compile(rb"[}\[\],*]")


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
    if content.startswith((b"UD", b"WT")):
        usual = watch_position.usual(raw, family, device, serial, content, received_at)
        if usual is not None:
            return usual
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
        return watch_position.read(word, rest.decode("latin-1"), received_at, family, made)
    reader = _WORDS.get(upper)
    if reader is not None:
        return reader(made, word, rest, received_at, options)
    if upper.startswith("AL"):
        alarm = Alarm.of(AlarmKind.GENERAL, "frame")
        return made(MessageKind.ALARM, "AL", alarms=(alarm,))
    if word and (not comma or rest.isdigit()):
        return made(MessageKind.CONFIRMATION, confirms=word)
    return made(MessageKind.NOTHING)


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
