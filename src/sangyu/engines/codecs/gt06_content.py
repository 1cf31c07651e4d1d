"""What stands inside a GT06 frame, by its type (devices.md §3)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from .kinds import AlarmKind, MessageKind, ReadingKind
from .messages import (
    AccessPoint,
    Alarm,
    Cell,
    DeviceTime,
    Message,
    Outgoing,
    Position,
    Readings,
    device_time,
    gravest_first,
)
from .values import moment

LOGIN, TIME_QUERY = 0x01, 0x8A
STATUS = frozenset({0x13, 0x23})
PLACES = frozenset({0x10, 0x11, 0x12, 0x22})
ALARMS = frozenset({0x16, 0x26, 0x27})
NEIGHBOURS = frozenset({0x24, 0x28, 0x2C})
OTHER_NEIGHBOURS = frozenset({0x17, 0x69})
TEXTS = frozenset({0x15, 0x21})
INFO = 0x94

TERMINAL_ALARMS = {
    1: AlarmKind.VIBRATION, 2: AlarmKind.POWER_CUT, 3: AlarmKind.LOW_BATTERY, 4: AlarmKind.SOS,
    6: AlarmKind.GEOFENCE_EXIT, 7: AlarmKind.REMOVED,
}  # fmt: skip
ALARM_CODES = {
    0x01: AlarmKind.SOS, 0x02: AlarmKind.POWER_CUT, 0x03: AlarmKind.VIBRATION, 0x04: AlarmKind.GEOFENCE_ENTER,
    0x05: AlarmKind.GEOFENCE_EXIT, 0x06: AlarmKind.OVERSPEED, 0x0E: AlarmKind.LOW_BATTERY, 0x0F: AlarmKind.LOW_BATTERY,
    0x13: AlarmKind.TAMPER, 0x18: AlarmKind.REMOVED, 0x19: AlarmKind.LOW_BATTERY, 0x23: AlarmKind.FALL, 0x25: AlarmKind.TAMPER,
}  # fmt: skip
NO_ALARM = frozenset({0x00, 0xFE, 0xFF})  # nothing; ignition on, off (general knowledge)
PLACE = 18  # bytes of time, satellites, latitude, longitude, speed, course
_PER_DEGREE = 1_800_000


@dataclass
class Session:
    """What a login said; holds for the connection."""

    device: str = ""
    offset: int = 0


class _Builder:
    def __init__(
        self, raw, kind: int, content: bytes, serial: int, received_at: datetime, session: Session, frame
    ) -> None:
        self.raw, self.type, self.content, self.serial = raw, kind, content, serial
        self.received_at, self.session, self.frame = received_at, session, frame
        self.readings, self.states, self.details = Readings(), {}, {}

    def made(self, kind: MessageKind, *, answer: bytes | None = b"", **parts) -> Message:
        """``answer``: content of the reply; None = no reply."""
        replies = () if answer is None else (Outgoing(self.frame(self.type, answer, self.serial)),)
        return Message(
            "gt06", self.session.device, kind, f"0x{self.type:02x}", self.received_at, self.raw,
            readings=tuple(self.readings.made), failed=tuple(self.readings.failed), states=self.states,
            details=self.details, sequence=f"{self.serial}", replies=replies, **parts,
        )  # fmt: skip

    # -- parts
    def time(self) -> DeviceTime | None:
        c = self.content
        stated = moment(2000 + c[0], *c[1:6]) if len(c) >= 6 else None
        return device_time(stated, self.session.offset, self.received_at) if stated else None

    def place(self) -> Position | None:
        c = self.content
        flags = int.from_bytes(c[16:18])
        latitude, longitude = int.from_bytes(c[7:11]) / _PER_DEGREE, int.from_bytes(c[11:15]) / _PER_DEGREE
        if flags >> 14 & 1:
            self.states["ignition"] = bool(flags >> 15 & 1)
        made = Position(
            latitude if flags >> 10 & 1 else -latitude, -longitude if flags >> 11 & 1 else longitude,
            bool(flags >> 12 & 1), speed_kmh=float(c[15]), course=float(flags & 0x3FF), satellites=c[6] & 15,
        )  # fmt: skip
        return made if made.possible else None

    def terminal(self, info: int) -> list[Alarm]:
        """States of the terminal information, and its alarm."""
        self.details["terminal_info"] = info
        for bit, name in ((0, "armed"), (1, "ignition"), (2, "charging"), (6, "gps_on"), (7, "relay")):
            self.states.setdefault(name, bool(info >> bit & 1))
        return _terminal_alarms(info)

    def power(self, level: int, signal: int) -> None:
        """Level 0–6 of the battery; some devices send per cent instead. Signal 0–4 is kept as it is."""
        self.readings.add(ReadingKind.BATTERY, level * 100 // 6 if level <= 6 else level)
        self.details["gsm_signal_level"] = signal


def _terminal_alarms(info: int) -> list[Alarm]:
    code = info >> 3 & 7
    return [Alarm.of(TERMINAL_ALARMS[code], f"terminal.{code}")] if code in TERMINAL_ALARMS else []


def _alarm_byte(code: int) -> list[Alarm]:
    if code in NO_ALARM:
        return []
    return [Alarm.of(ALARM_CODES.get(code, AlarmKind.UNKNOWN), f"0x{code:02x}")]


def cell(data: bytes) -> tuple[Cell | None, int]:
    """MCC 2 bytes (top bit: two bytes of MNC follow), MNC, LAC 2, CID 3 → the cell and how many bytes it took."""
    wide = bool(data[:1] and data[0] & 0x80)
    size = 9 if wide else 8
    if len(data) < size:
        return None, len(data)
    at = 4 if wide else 3
    mnc = int.from_bytes(data[2:at])
    made = Cell(
        int.from_bytes(data[:2]) & 0x7FFF, mnc, int.from_bytes(data[at : at + 2]), int.from_bytes(data[at + 2 : size])
    )
    return made, size


def read(
    raw: bytes, kind: int, content: bytes, serial: int, received_at: datetime, session: Session,
    frame: Callable[[int, bytes, int], bytes],
) -> Message:  # fmt: skip
    """The message of one frame; an unknown type, or one that is too short, says nothing."""
    b = _Builder(raw, kind, content, serial, received_at, session, frame)
    if kind == LOGIN:
        return _login(b)
    if kind in STATUS and len(content) >= 3:
        return _status(b)
    if kind in PLACES and len(content) >= PLACE:
        return _position(b)
    if kind in ALARMS:
        return _alarm(b)
    if kind in NEIGHBOURS and len(content) >= 9:
        return _neighbours(b)
    if kind in OTHER_NEIGHBOURS:
        return b.made(MessageKind.CELLS)
    if kind in TEXTS:
        return _text(b)
    if kind == TIME_QUERY:
        now = received_at.astimezone(UTC)
        return b.made(
            MessageKind.QUERY, answer=bytes([now.year % 100, now.month, now.day, now.hour, now.minute, now.second])
        )
    if kind == INFO:
        if len(content) == 2:
            b.details["external_power_v"] = int.from_bytes(content) / 100
        return b.made(MessageKind.STATUS, answer=None)
    return b.made(MessageKind.NOTHING, answer=None)


def _login(b: _Builder) -> Message:
    """IMEI as 8 bytes of decimals; then perhaps model and time zone (hhmm × 16, bit 3 = west)."""
    digits = b.content[:8].hex()
    if len(digits) != 16 or not digits.isdigit():
        return b.made(MessageKind.NOTHING, answer=None)
    offset = 0
    if len(b.content) >= 12:
        zone = int.from_bytes(b.content[10:12])
        minutes = (zone >> 4) // 100 * 60 + (zone >> 4) % 100
        offset = (-minutes if zone & 8 else minutes) if minutes <= 14 * 60 else 0
    b.session.device, b.session.offset = digits[1:] if digits[0] == "0" else digits, offset
    return b.made(MessageKind.LOGIN)


def _status(b: _Builder) -> Message:
    c = b.content
    alarms = b.terminal(c[0])
    if b.type == 0x23 and len(c) >= 4:  # two bytes of voltage
        b.details["battery_v"] = int.from_bytes(c[1:3]) / 100
        b.details["gsm_signal_level"] = c[3]
        code = c[4:6]
    else:
        b.power(c[1], c[2])
        code = c[3:5]
    if len(code) == 2:
        alarms += _alarm_byte(code[0])
    found = gravest_first(alarms)
    return b.made(MessageKind.ALARM if found else MessageKind.HEARTBEAT, alarms=found)


def _position(b: _Builder) -> Message:
    tail, late = b.content[PLACE:], False
    place, found = b.place(), None
    if b.type == 0x11 and len(tail) == 10:  # MNC in 2 bytes and CID in 4
        found = Cell(*(int.from_bytes(tail[n:m]) for n, m in ((0, 2), (2, 4), (4, 6), (6, 10))))
    elif b.type != 0x10 and len(tail) >= 8:
        found, size = cell(tail)
        late = (
            b.type == 0x22 and tail[size + 2 : size + 3] == b"\x01"
        )  # ignition, why sent, sent again (general knowledge)
    return b.made(
        MessageKind.POSITION if b.type != 0x11 else MessageKind.CELLS, time=b.time(), position=place,
        cells=(found,) if found else (), late=late,
    )  # fmt: skip


def _alarm(b: _Builder) -> Message:
    """Place, length byte, cell, terminal information, voltage, signal, alarm, language. An alarm that is cut short is one all the same."""
    c = b.content
    place, found, alarms = b.place() if len(c) >= PLACE else None, None, []
    tail = c[PLACE + 1 :]
    if tail:
        found, size = cell(tail)
        honest = tail[size:]
        # The length byte counts itself and a standard cell (9); what it counts beyond is passed over. In the captures this is so for a
        # wide cell too, though that has taken its byte already, so alarms are looked for at both places: none may be lost.
        rest = tail[size + max(0, c[PLACE] - 9) :] if c[PLACE] <= 30 else honest
        if len(rest) >= 3:
            alarms = b.terminal(rest[0])
            b.power(rest[1], rest[2])
        if honest:
            alarms = alarms + _terminal_alarms(honest[0])
        if len(honest) >= 4:
            alarms = alarms + _alarm_byte(honest[3])
    if len(tail) < 12:  # no alarm byte to read
        alarms = [*alarms, Alarm.of(AlarmKind.GENERAL, "frame")]
    return b.made(
        MessageKind.ALARM, time=b.time(), position=place, cells=(found,) if found else (), alarms=gravest_first(alarms)
    )


def _neighbours(b: _Builder) -> Message:
    """Time, MCC, MNC, seven cells (LAC 2, CID 3, signal 1), timing advance, then Wi-Fi: count, (MAC 6, signal 1)."""
    c = b.content
    wide = bool(c[6] & 0x80)
    mcc, at = int.from_bytes(c[6:8]) & 0x7FFF, 10 if wide else 9
    mnc, cells, points = int.from_bytes(c[8:at]), [], []
    for _ in range(7):
        part = c[at : at + 6]
        lac, cid = int.from_bytes(part[:2]), int.from_bytes(part[2:5])
        if len(part) == 6 and (lac or cid):
            cells.append(Cell(mcc, mnc, lac, cid, part[5]))
        at += 6
    at += 1
    if b.type != 0x28 and at < len(c):
        for n in range(c[at]):
            part = c[at + 1 + 7 * n : at + 8 + 7 * n]
            if len(part) == 7:
                points.append(AccessPoint(part[:6].hex(":"), -part[6]))
    return b.made(MessageKind.CELLS, time=b.time(), cells=tuple(cells), access_points=tuple(points))


def _text(b: _Builder) -> Message:
    """Length, server flag 4, text, language 2; length 0: text up to the language. The flag says which command is answered."""
    c = b.content
    if b.type == 0x21:  # flag 4, coding 1 (2 = UTF-16), text
        flag, data = c[:4], c[5:]
        text = data.decode("utf-16-be" if c[4:5] == b"\x02" else "ascii", "replace")
    else:
        flag = c[1:5]
        end = 1 + c[0] if c and c[0] > 4 else len(c) - 2
        text = c[5 : max(5, end)].decode("ascii", "replace")
    confirms = flag.hex() if len(flag) == 4 and any(flag) else ""
    return b.made(
        MessageKind.CONFIRMATION if confirms else MessageKind.TEXT, confirms=confirms, text=text.strip("\x00 ")
    )
