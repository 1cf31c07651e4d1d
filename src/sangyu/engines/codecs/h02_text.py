"""Text frames of H02: reports, cells, heartbeats, answers to commands (devices.md §2)."""

import re
from datetime import UTC, datetime

from .commands import Command, parameters
from .kinds import AlarmKind, MessageKind, ReadingKind
from .messages import Alarm, Cell, Message, Outgoing, Position, Readings, device_time, gravest_first
from .values import day_and_clock, hexadecimal, number, whole

# A bit that is 0 is the alarm (devices.md §2 "Status is inverted").
ALARM_BITS = {
    0: AlarmKind.VIBRATION,
    1: AlarmKind.SOS,
    2: AlarmKind.OVERSPEED,
    18: AlarmKind.SOS,
    19: AlarmKind.POWER_CUT,
}
KNOTS = 1.852
_ACK = frozenset({"V1", "NBR"})
_STATUS = re.compile(r"[0-9A-Fa-f]{8}")
_COORDINATE = re.compile(r"-?(\d{1,3})-(\d{1,2}\.\d+)|(\d{0,3})(\d\d\.\d+)|(\d{2,3})(\d\d)(\d{4,6})")


def alarms(status: int) -> tuple[Alarm, ...]:
    """All alarms of an inverted status."""
    return gravest_first(Alarm.of(kind, f"status.{bit}") for bit, kind in ALARM_BITS.items() if not status >> bit & 1)


def filled(template: str, command: Command, clock: str) -> str | None:
    """A product's command with the values in their places; None if it names a value that the command does not have."""
    values = {k: ",".join(map(str, v)) if isinstance(v, list) else v for k, v in parameters(command).items()}
    try:
        return template.format(time=clock, **values)
    except (KeyError, IndexError, ValueError, AttributeError):
        return None


def coordinate(text: str, side: str) -> float | None:
    """DDMM.mmmm, -DD-MM.mmmm or DDMMmmmm with its side; S and W are negative."""
    text = text.strip()
    if text.isdigit() and len(text) in (8, 9):  # no point: four digits follow the whole minutes
        text = f"{text[:-4]}.{text[-4:]}"
    found = _COORDINATE.fullmatch(text)
    if not found or side not in ("N", "S", "E", "W"):
        return None
    degrees, minutes = (found[1], found[2]) if found[1] else (found[3] or "0", found[4])
    if minutes is None:
        degrees, minutes = found[5], f"{found[6]}.{found[7]}"
    value = int(degrees) + float(minutes) / 60
    return -value if side in "SW" else value


def read(raw: bytes, received_at: datetime) -> Message:
    """The message of one frame from ``*`` to ``#``."""
    text = raw[1:-1].decode("latin-1")
    values = text.split(",")
    family, device = values[0], values[1] if len(values) > 1 else ""
    word = values[2].strip() if len(values) > 2 else ""
    builder = _Builder(raw, family, device.strip(), word, values[3:], received_at)
    return builder.read()


class _Builder:
    def __init__(
        self, raw: bytes, family: str, device: str, word: str, values: list[str], received_at: datetime
    ) -> None:
        self.raw, self.family, self.device, self.word, self.values = raw, family, device, word, values
        self.received_at = received_at
        self.readings = Readings()

    def made(self, kind: MessageKind, **parts) -> Message:
        parts.setdefault("details", {"family": self.family})
        return Message(
            "h02", self.device, kind, self.word, self.received_at, self.raw,
            readings=tuple(self.readings.made), failed=tuple(self.readings.failed), **parts,
        )  # fmt: skip

    def reply(self, content: str) -> tuple[Outgoing, ...]:
        return (Outgoing(f"*{self.family},{self.device},{content}#".encode("latin-1")),) if self.device else ()

    def stamp(self) -> str:
        return f"{self.received_at.astimezone(UTC):%Y%m%d%H%M%S}"

    def read(self) -> Message:
        word = self.word
        if word in ("HTBT", "V0"):
            if self.values and self.values[0].strip():
                self.readings.add(ReadingKind.BATTERY, number(self.values[0]))
            return self.made(MessageKind.HEARTBEAT, replies=self.reply(word))
        if word == "LINK":
            return self.link()
        if word == "NBR":
            return self.neighbours()
        if word == "V3":
            return self.cells_and_battery()
        if word == "SMS":
            return self.made(MessageKind.TEXT, text=",".join(self.values))
        if word == "VP1" and self.values[:1] != ["A"]:
            return self.short_cells()
        return self.report()

    def status(self, at_least: int = 0) -> tuple[str, tuple[Alarm, ...]]:
        """The first status from that value on."""
        found = next((v.strip() for v in self.values[at_least:] if _STATUS.fullmatch(v.strip())), "")
        return found, alarms(int(found, 16)) if found else ()

    def time(self, day: str, clock: str):
        stated = day_and_clock(day, clock)
        return device_time(stated, 0, self.received_at) if stated else None

    # -- reports
    def report(self) -> Message:
        """V1, V2, V4, V5, V6, V8, V19, VP1 …: …,hhmmss,validity,lat,N,lon,E,speed,course,ddmmyy,status."""
        values, is_vp1 = self.values, self.word == "VP1"
        at = 0 if is_vp1 else next((n for n, v in enumerate(values) if _is_place(values, n)), -1)
        if at < 0:
            return self.without_place()
        latitude, longitude = coordinate(values[at + 1], values[at + 2]), coordinate(values[at + 3], values[at + 4])
        tail = values[at + 5 :] + ["", "", ""]
        clock = "000000" if is_vp1 else values[at - 1]
        speed, course = number(tail[0]), number(tail[1])
        mark = values[at].strip()
        place = None
        if latitude is not None and longitude is not None:
            place = Position(
                latitude, longitude, mark == "A" or mark.isdigit(),
                speed_kmh=speed * KNOTS if speed is not None else None, course=course,
            )  # fmt: skip
        status, found = self.status(at + 8)
        result = ",".join(values[: at - 1]) if self.word == "V4" else ""
        kind = MessageKind.ALARM if found else MessageKind.CONFIRMATION if result else MessageKind.POSITION
        bits = int(status, 16) if status else None
        return self.made(
            kind, time=self.time(tail[2], clock), position=place if place and place.possible else None, alarms=found,
            confirms=values[0] if result else "", text=result, states={"ignition": bool(bits >> 10 & 1)} if bits is not None else {},
            details={"family": self.family, "status": status.lower()},
            replies=self.reply(f"V4,{self.word},{self.stamp()}") if self.word in _ACK else (),
        )  # fmt: skip

    def without_place(self) -> Message:
        """A report whose place cannot be read says nothing, unless its status has an alarm: that counts without a place."""
        status, found = self.status() if self.word.startswith("V") else ("", ())
        if not found:
            return self.made(MessageKind.NOTHING)
        details = {"family": self.family, "status": status.lower()}
        replies = self.reply(f"V4,{self.word},{self.stamp()}") if self.word in _ACK else ()
        return self.made(MessageKind.ALARM, alarms=found, details=details, replies=replies)

    # -- without satellites
    def link(self) -> Message:
        values = self.values + [""] * (8 - len(self.values))
        signal, satellites, battery, steps, turns, day = values[1:7]
        for kind, text in ((ReadingKind.BATTERY, battery), (ReadingKind.STEPS, steps), (ReadingKind.SIGNAL, signal)):
            if text.strip():
                self.readings.add(kind, number(text))
        code, found = self.status(7)
        details = {"family": self.family, "status": code.lower()}
        for name, text in (("satellites", satellites), ("turnovers", turns)):
            if whole(text) is not None:
                details[name] = whole(text)
        kind = MessageKind.ALARM if found else MessageKind.STATUS
        return self.made(kind, time=self.time(day, values[0]), alarms=found, details=details)

    def neighbours(self) -> Message:
        values = self.values + [""] * (5 - len(self.values))
        mcc, mnc, count = whole(values[1]), whole(values[2]), whole(values[4]) or 0
        groups = values[5 : 5 + 3 * max(0, count)]
        cells = _cells(mcc, mnc, [groups[n : n + 3] for n in range(0, len(groups) - 2, 3)])
        after = values[5 + 3 * max(0, count) :] + ["", ""]
        code, found = self.status(6 + 3 * max(0, count))
        return self.made(
            MessageKind.ALARM if found else MessageKind.CELLS, time=self.time(after[0], values[0]), cells=cells,
            alarms=found, details={"family": self.family, "status": code.lower()},
            replies=self.reply(f"V4,NBR,{self.stamp()}"),
        )  # fmt: skip

    def cells_and_battery(self) -> Message:
        """hhmmss, MCC and MNC in one, count, (lac, cid, two numbers) × count, battery (raw), …, X, ddmmyy, status."""
        values = self.values + [""] * (3 - len(self.values))
        operator, count = values[1].strip(), whole(values[2]) or 0
        end = 3 + 4 * max(0, count)
        groups = [values[n : n + 2] for n in range(3, min(end, len(values)) - 1, 4)]
        cells = _cells(whole(operator[:3]), whole(operator[3:]), groups)
        code, found = self.status(end + 3)
        day = next((values[n - 1] for n in range(end + 1, len(values)) if _STATUS.fullmatch(values[n].strip())), "")
        details = {
            "family": self.family,
            "status": code.lower(),
            "battery_raw": values[end] if end < len(values) else "",
        }
        kind = MessageKind.ALARM if found else MessageKind.CELLS
        return self.made(kind, time=self.time(day, values[0]), cells=cells, alarms=found, details=details)

    def short_cells(self) -> Message:
        """VP1 without fix: V, mcc, mnc, then lac, cid, signal with ``Y`` between the groups."""
        values = self.values + [""] * (3 - len(self.values))
        groups = [group.split(",") for group in ",".join(values[3:]).split("Y")]
        return self.made(MessageKind.CELLS, cells=_cells(whole(values[1]), whole(values[2]), groups))


def _is_place(values: list[str], at: int) -> bool:
    """Do validity, latitude, side, longitude, side begin here, after a clock?"""
    if at < 1 or at + 4 >= len(values):
        return False
    mark, clock = values[at].strip(), values[at - 1].strip()
    return (
        (mark in ("A", "V", "B", "") or (mark.isdigit() and len(mark) == 1))
        and (clock == "" or (len(clock) == 6 and clock.isdigit()))
        and values[at + 2] in ("N", "S")
        and values[at + 4] in ("E", "W")
    )


def _cells(mcc: int | None, mnc: int | None, groups: list[list[str]]) -> tuple[Cell, ...]:
    made = []
    for group in groups:
        lac, cid = (_number(v) for v in (group + ["", ""])[:2])
        signal = whole(group[2]) if len(group) > 2 else None
        if None not in (mcc, mnc, lac, cid):
            made.append(Cell(mcc, mnc, lac, cid, abs(signal) if signal is not None else None))
    return tuple(made)


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else hexadecimal(text)
