"""Binary frames of H02, which have no length: 32 bytes hold all that is read (devices.md §2 "Binary layout")."""

from datetime import datetime

from .h02_text import KNOTS, alarms
from .kinds import MessageKind, ReadingKind
from .messages import Message, Position, Readings, device_time
from .values import day_and_clock

SHORT_ID, LONG_ID = 5, 8
SIZE = 32


def looks_like(data: bytes) -> bool | None:
    """Does a binary frame begin here? None: too few bytes to know. Cheap tests on the decimals of id, clock, day and latitude."""
    answers = [_fits(data, size) for size in (SHORT_ID, LONG_ID)]
    if True in answers:
        return True if len(data) >= SIZE else None
    return None if None in answers else False


def _fits(data: bytes, id_size: int) -> bool | None:
    head = data[1 : 1 + id_size + 10]
    text = head.hex()
    if text and not text.isdigit():
        return False
    clock, day, latitude = (text[2 * id_size + n : 2 * id_size + n + 6] for n in (0, 6, 12))
    # Every part that is there must be possible, so that a wrong start is given up early.
    parts = ((clock[:2], 23), (clock[2:4], 59), (clock[4:], 59), (day[:2], 31), (day[2:4], 12), (latitude[:2], 90), (latitude[2:4], 59))  # fmt: skip
    if any(len(part) == 2 and int(part) > most for part, most in parts):
        return False
    return True if len(head) == id_size + 10 else None


def read(raw: bytes, received_at: datetime) -> Message:
    """The message of 32 bytes for which ``looks_like`` is true."""
    size = SHORT_ID if _fits(raw, SHORT_ID) else LONG_ID
    device = raw[1 : 1 + size].hex()[: 10 if size == SHORT_ID else 15]
    at = 1 + size
    stated = day_and_clock(raw[at + 3 : at + 6].hex(), raw[at : at + 3].hex())
    latitude = _degrees(raw[at + 6 : at + 10].hex(), 2)
    long_text = raw[at + 11 : at + 16].hex()
    flags = int(long_text[9], 16)
    longitude = _degrees(long_text[:9], 3)
    motion = raw[at + 16 : at + 19].hex()
    speed, course = (int(v) if v.isdigit() else None for v in (motion[:3], motion[3:]))
    place = None
    if latitude is not None and longitude is not None:
        place = Position(
            latitude if flags & 4 else -latitude, longitude if flags & 8 else -longitude, bool(flags & 2),
            speed_kmh=speed * KNOTS if speed is not None else None, course=course,
        )  # fmt: skip
    status = raw[at + 19 : at + 23]
    found = alarms(int.from_bytes(status)) if len(status) == 4 else ()
    readings = Readings()
    battery = _battery(raw[at + 10])
    if battery is not None:
        readings.add(ReadingKind.BATTERY, battery)
    return Message(
        "h02", device, MessageKind.ALARM if found else MessageKind.POSITION, "binary", received_at, raw,
        time=device_time(stated, 0, received_at) if stated else None, readings=tuple(readings.made), alarms=found,
        position=place if place and place.possible else None,
        details={"family": "HQ", "status": status.hex()}, states={"ignition": bool(status[2] & 4)} if len(status) == 4 else {},
    )  # fmt: skip


def _degrees(text: str, whole: int) -> float | None:
    """Degrees, then minutes with their fraction, all digits."""
    if not text.isdigit():
        return None
    minutes = int(text[whole:]) / 10 ** (len(text) - whole - 2)
    return int(text[:whole]) + minutes / 60


def _battery(value: int) -> int | None:
    """Per cent; None where the byte says nothing."""
    if 1 <= value <= 3:
        return (value - 1) * 10
    if 4 <= value <= 6:
        return (value - 1) * 20
    if 7 <= value <= 100:
        return value
    return value - 0xF0 if 0xF1 <= value <= 0xF6 else None
