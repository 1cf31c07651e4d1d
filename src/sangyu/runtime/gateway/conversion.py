"""From a codec's message to the entry on the stream: the product's meaning, WGS-84, nothing that a consumer could stumble over."""

from collections.abc import Mapping
from datetime import datetime
from itertools import islice

from sangyu.engines.codecs import Message
from sangyu.engines.codecs.entries import Entry, Place
from sangyu.engines.codecs.identity import identity
from sangyu.engines.codecs.products import Product, interpret
from sangyu.kernel.geo import gcj02_to_wgs84

RAW, TEXT, WORDS, NEIGHBOURS = 2048, 2000, 60, 8
_WHOLE = 2**63 - 1
_PLAIN = (bool, int, float, type(None))


def entry_of(message: Message, device: int, code: str, product: Product | None, network: str = "") -> Entry:
    """The entry of a message of the device with this id and product code.

    What cannot be read with the product's profile still goes through as its alarms and raw bytes: an alarm is never lost to a mistake in a profile.
    """
    own = identity(message)
    received = milliseconds(message.received_at)
    try:
        read = message if product is None else interpret(product, message)
        return _whole(own, read, device, code, received, network)
    except Exception:
        if not message.alarms:
            raise
        return Entry(
            own, device, code, "alarm", clean(message.word, 64), received, alarms=_alarms(message), network=network,
            details={"unread": True}, raw=message.raw[:RAW],
        )  # fmt: skip


def _whole(own: bytes, message: Message, device: int, code: str, received: int, network: str) -> Entry:
    time, place = message.time, _place(message)
    return Entry(
        own, device, code, str(message.kind), clean(message.word, 64), received,
        device_time=_moment(time) if time is not None and time.usable else None,
        doubt=str(time.doubt) if time is not None else "",
        late=message.late,
        readings=tuple([(str(r.kind), float(r.value), _moment(r.at) if r.at is not None and r.at.usable else None) for r in message.readings]),
        failed=tuple(map(str, message.failed)),
        alarms=_alarms(message),
        place=place,
        states=dict(message.states),
        details=_details(message, place),
        confirms=clean(message.confirms, 128) if message.confirms else "",
        text=clean(message.text, TEXT) if message.text else "",
        network=network,
        raw=message.raw[:RAW],
    )  # fmt: skip


def _alarms(message: Message) -> tuple[tuple[str, int, str, str], ...]:
    return tuple([(str(a.kind), a.level, clean(a.code, 64), clean(a.text, 200)) for a in message.alarms])


def _place(message: Message) -> Place | None:
    place = message.position
    if place is None or not place.usable:
        return None
    latitude, longitude = place.latitude, place.longitude
    if place.datum == "gcj02":
        latitude, longitude = gcj02_to_wgs84(latitude, longitude)
    return Place(latitude, longitude, place.accuracy_m, place.speed_kmh, place.satellites)


def network_of(message: Message) -> str:
    """The operator in whose network the device is; "" when it does not say."""
    return f"{message.cells[0].mcc:03d}-{message.cells[0].mnc:02d}" if message.cells else ""


def _details(message: Message, place: Place | None) -> dict[str, str | int | float | bool | None]:
    made = _plain(message.details)
    if message.sequence:
        made["sequence"] = clean(message.sequence, 64)
    if message.position is not None and place is None:
        made["no_fix"] = True
    if message.time is not None and not message.time.usable:
        made["stated_time"] = message.time.stated.isoformat()
    if message.cells:
        seen = [_at(f"{c.mcc}-{c.mnc}-{c.lac}-{c.cid}", c.signal) for c in message.cells[:NEIGHBOURS]]
        made["cells"] = ";".join(seen)
    if message.access_points:
        made["access_points"] = ";".join([_at(clean(p.mac, 20), p.signal) for p in message.access_points[:NEIGHBOURS]])
    return made


def _at(name: str, signal: int | None) -> str:
    return name if signal is None else f"{name}@{signal}"


def _plain(values: Mapping[str, object]) -> dict[str, str | int | float | bool | None]:
    made: dict[str, str | int | float | bool | None] = {}
    for name, value in islice(values.items(), WORDS):
        if not isinstance(value, _PLAIN):
            value = clean(str(value), TEXT)
        elif isinstance(value, int) and not -_WHOLE <= value <= _WHOLE:
            value = str(value)
        made[name] = value
    return made


def clean(text: str, most: int) -> str:
    """Text that every database and encoder takes: no NUL, no half characters, ``most`` characters."""
    if len(text) > most:
        text = text[:most]
    if "\x00" in text:
        text = text.replace("\x00", "")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _moment(time) -> int | None:
    utc = time.utc
    return milliseconds(utc) if utc is not None else None


def milliseconds(moment: datetime) -> int:
    """Since 1970 UTC."""
    return round(moment.timestamp() * 1000)
