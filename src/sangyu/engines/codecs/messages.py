"""What codecs hand on: messages in one form for all protocols, what was skipped, and what must be sent back (ADR 0022).

Structs of msgspec: thousands are made each second, and one of twenty fields is made in a tenth of a dataclass's time.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from sys import float_info

import msgspec

from .kinds import LEVELS, POSSIBLE, AlarmKind, Datum, Doubt, MessageKind, ReadingKind

OLDEST, NEWEST = timedelta(days=7), timedelta(minutes=10)
_FINITE = (-float_info.max, float_info.max)


class DeviceTime(msgspec.Struct, frozen=True, gc=False):
    """``stated`` without zone, as the device wrote it; ``offset`` minutes east of UTC, None where nobody says which zone it is."""

    stated: datetime
    offset: int | None
    doubt: Doubt = Doubt.NONE

    @property
    def utc(self) -> datetime | None:
        """The moment, doubtful or not; None without a zone."""
        return None if self.offset is None else _utc(self.stated, self.offset)

    @property
    def usable(self) -> bool:
        return self.doubt is Doubt.NONE


@lru_cache(10_000)  # thousands of devices write the same second
def _utc(stated: datetime, offset: int) -> datetime | None:
    try:
        return (stated - timedelta(minutes=offset)).replace(tzinfo=UTC)
    except OverflowError:
        return None


def device_time(stated: datetime, offset: int | None, received_at: datetime) -> DeviceTime:
    """The time with its doubt: usable from seven days before ``received_at`` to ten minutes after (devices.md §0.6)."""
    if stated.year < 2001:
        return DeviceTime(stated, offset, Doubt.UNSET)
    if offset is None:
        return DeviceTime(stated, offset, Doubt.NO_ZONE)
    utc = _utc(stated, offset)
    if utc is None:
        return DeviceTime(stated, offset, Doubt.FUTURE)
    age = received_at - utc
    if age > OLDEST:
        return DeviceTime(stated, offset, Doubt.OLD)
    return DeviceTime(stated, offset, Doubt.FUTURE if age < -NEWEST else Doubt.NONE)


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One measured value in the unit of its kind. ``at`` only where it differs from the time of the message."""

    kind: ReadingKind
    value: float
    at: DeviceTime | None = None


class Field(msgspec.Struct, frozen=True, gc=False):
    """A value under the dialect's own name, before the product says what it means."""

    value: float | str | bool
    at: DeviceTime | None = None


class Alarm(msgspec.Struct, frozen=True, gc=False):
    """``code`` is the device's own name for it ("status.16", "0x23"), which a product may read otherwise."""

    kind: AlarmKind
    level: int
    code: str
    text: str = ""

    @classmethod
    def of(cls, kind: AlarmKind, code: str, text: str = "") -> "Alarm":
        return cls(kind, LEVELS[kind], code, text)


def gravest_first(alarms: Iterable[Alarm]) -> tuple[Alarm, ...]:
    """Every kind once (an unknown one once for each code), the gravest first: an SOS is never hidden (devices.md §0.2)."""
    best: dict[tuple[AlarmKind, str], Alarm] = {}
    for alarm in alarms:
        best.setdefault((alarm.kind, alarm.code if alarm.kind is AlarmKind.UNKNOWN else ""), alarm)
    return tuple(sorted(best.values(), key=lambda a: (a.level, a.kind, a.code))) if best else ()


class Position(msgspec.Struct, frozen=True, gc=False):
    """A place in degrees, in the datum of the device. ``fixed``: the device says that it is measured now."""

    latitude: float
    longitude: float
    fixed: bool
    datum: Datum = Datum.WGS84
    speed_kmh: float | None = None
    course: float | None = None
    altitude_m: float | None = None
    satellites: int | None = None
    accuracy_m: float | None = None

    @property
    def usable(self) -> bool:
        """May this be stored as a new place? Not without fix, not at 0,0, not off the globe (devices.md §0.5)."""
        return self.fixed and (self.latitude, self.longitude) != (0, 0) and self.possible

    @property
    def possible(self) -> bool:
        return -90 <= self.latitude <= 90 and -180 <= self.longitude <= 180


class Cell(msgspec.Struct, frozen=True, gc=False):
    """A mobile network's cell; ``signal`` as sent, without sign."""

    mcc: int
    mnc: int
    lac: int
    cid: int
    signal: int | None = None


class AccessPoint(msgspec.Struct, frozen=True, gc=False):
    """A wireless network seen; ``signal`` in dBm."""

    mac: str
    signal: int | None = None
    name: str = ""


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """Bytes to send: on the connection, or to ``topic`` where there are topics."""

    payload: bytes
    topic: str = ""


class Attachment(msgspec.Struct, frozen=True, gc=False):
    """Voice or picture. ``part`` of ``parts`` where it comes in pieces."""

    kind: str
    data: bytes
    name: str = ""
    part: int = 1
    parts: int = 1


class Message(msgspec.Struct, frozen=True, gc=False):
    """What one frame says. ``word`` is the protocol's own type; ``device`` is "" until the connection has said who it is.

    ``fields``: values under the dialect's own names, for the product to read. ``states``: worn, moving, charging … as booleans.
    ``details``: what is kept for people to look at. The names of both are the codec's or the product's, never the device's.
    ``late``: from the device's memory. ``replies`` are sent once this is stored.
    """

    protocol: str
    device: str
    kind: MessageKind
    word: str
    received_at: datetime
    raw: bytes
    time: DeviceTime | None = None
    readings: tuple[Reading, ...] = ()
    failed: tuple[ReadingKind, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    position: Position | None = None
    cells: tuple[Cell, ...] = ()
    access_points: tuple[AccessPoint, ...] = ()
    states: Mapping[str, bool] = {}
    fields: Mapping[str, Field] = {}
    details: Mapping[str, object] = {}
    sequence: str = ""
    late: bool = False
    confirms: str = ""
    text: str = ""
    attachment: Attachment | None = None
    replies: tuple[Outgoing, ...] = ()

    def value(self, kind: ReadingKind) -> float | None:
        """The first reading of that kind."""
        return next((r.value for r in self.readings if r.kind is kind), None)


class Skipped(msgspec.Struct, frozen=True, gc=False):
    """Bytes that made no message: why, how many, the first of them. ``replies``: some protocols answer even these."""

    reason: str
    size: int
    head: bytes
    replies: tuple[Outgoing, ...] = ()


class Batch(msgspec.Struct, frozen=True, gc=False):
    """What one piece of input led to, in the order of the bytes."""

    messages: tuple[Message, ...] = ()
    skipped: tuple[Skipped, ...] = ()


class Readings:
    """Collects readings; a value that cannot be true is a failed measurement."""

    def __init__(self) -> None:
        self.made: list[Reading] = []
        self.failed: list[ReadingKind] = []

    def add(self, kind: ReadingKind, value: float | None, at: DeviceTime | None = None) -> None:
        low, high = POSSIBLE.get(kind, _FINITE)
        if value is None or not low <= value <= high:
            self.failed.append(kind)
        else:
            self.made.append(Reading(kind, value, at))
