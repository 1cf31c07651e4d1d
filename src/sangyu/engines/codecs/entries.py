"""What travels on the stream of signals: one message of one registered device, the same for gateways, consumers and the push process (ADR 0024).

``pack`` → the body of one stream message (``packed`` and ``joined``: in two steps), ``unpack`` → its entries. Readings of many devices share a message; an alarm has one to itself.
"""

import msgspec

STREAM = "SIGNALS"
#: Subjects: ``signals.alarm.<level>`` (1 to 4), ``signals.reading.<shard>``, and back to devices ``signals.command.<device>`` (not stored).
ALARM, READING, COMMAND = "signals.alarm", "signals.reading", "signals.command"
VERSION = 1


class Place(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Degrees in WGS-84, measured now (``Position.usable``)."""

    latitude: float
    longitude: float
    accuracy_m: float | None = None
    speed_kmh: float | None = None
    satellites: int | None = None


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Moments are milliseconds since 1970 UTC. New fields come last, with a default: gateways and consumers of two versions may run together.

    ``id``: ``identity`` of the message (16 bytes). ``device``: id in the register. ``device_time``: None when not usable, ``doubt`` says why.
    ``readings``: kind, value, its own time or None. ``alarms``: kind, level, the device's own code, text; gravest first.
    ``network``: what many devices share (access network, hub), by which silences fold. ``raw``: the frame, cut at 2 KiB.
    """

    id: bytes
    device: int
    product: str
    kind: str
    word: str
    received_at: int
    device_time: int | None = None
    doubt: str = ""
    late: bool = False
    readings: tuple[tuple[str, float, int | None], ...] = ()
    failed: tuple[str, ...] = ()
    alarms: tuple[tuple[str, int, str, str], ...] = ()
    place: Place | None = None
    states: dict[str, bool] = {}
    details: dict[str, str | int | float | bool | None] = {}
    confirms: str = ""
    text: str = ""
    network: str = ""
    raw: bytes = b""

    @property
    def at(self) -> int:
        """The moment it is filed under: the device's where it can be used, else when it was received (devices.md §0.6)."""
        return self.received_at if self.device_time is None else self.device_time

    @property
    def level(self) -> int:
        """Of its gravest alarm; 0 without one."""
        return min((alarm[1] for alarm in self.alarms), default=0)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[int, list[Entry]])


def pack(entries: list[Entry]) -> bytes:
    """The body of a stream message: version and entries."""
    return _encoder.encode((VERSION, entries))


def packed(entry: Entry) -> bytes:
    """One entry as it lies in a body: a tenth of the memory of what it is made of. ``joined`` makes the body."""
    return _encoder.encode(entry)


def joined(parts: list[bytes]) -> bytes:
    """The body of a stream message of packed entries, as ``pack`` makes it of the entries."""
    return _encoder.encode((VERSION, list(map(msgspec.Raw, parts))))


def unpack(body: bytes) -> list[Entry]:
    """Entries of a stream message. Raises ValueError for anything else, also for a newer version."""
    try:
        version, entries = _decoder.decode(body)
    except msgspec.DecodeError as error:
        raise ValueError(f"no entries of signals: {error}") from None
    if version != VERSION:
        raise ValueError(f"entries of version {version}; this program reads {VERSION}")
    return entries


def subject(entry: Entry, shards: int = 8) -> str:
    """Where it is published."""
    return f"{ALARM}.{entry.level}" if entry.alarms else f"{READING}.{entry.device % shards}"
