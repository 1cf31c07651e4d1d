"""What the dialects share: safe JSON, fields, events that are alarms, one shape of codec."""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from ..interface import HEAD, Collector, Options
from ..kinds import AlarmKind, MessageKind
from ..messages import Alarm, Batch, DeviceTime, Field, Message, device_time
from ..values import from_milliseconds

LARGEST = 256 * 1024
MOST_FIELDS = 500
_SMALL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PART = re.compile(r"[^+#\x00-\x1f/]{1,128}")


def whole_number(text: str) -> float:
    """Numbers of JSON; a very long one becomes a float, so that nothing later overflows."""
    return int(text) if len(text) < 19 else float(text)


def parsed(payload: bytes) -> object | None:
    """The JSON value; None when it is none, or nested too deep."""
    try:
        return json.loads(payload, parse_int=whole_number)
    except (ValueError, RecursionError):
        return None


def mapping(value: object) -> Mapping:
    return value if isinstance(value, dict) else {}


def items(value: object) -> list:
    return value[:MOST_FIELDS] if isinstance(value, list) else []


def dumped(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def fields(values: object, received_at: datetime, at: DeviceTime | None = None) -> dict[str, Field]:
    """Plain values by name; ``{"value": 72, "time": ms}`` keeps its own time; lists and deeper objects by dotted names."""
    made: dict[str, Field] = {}
    _collect(made, "", mapping(values), received_at, at, 0)
    return made


def _collect(
    made: dict, prefix: str, values: Mapping, received_at: datetime, at: DeviceTime | None, depth: int
) -> None:
    for name, value in values.items():
        if len(made) >= MOST_FIELDS:
            return
        if isinstance(value, dict):
            if "value" in value and isinstance(value["value"], int | float | str | bool):
                own_time = moment_of(value.get("time"), received_at)
                made[prefix + str(name)] = Field(value["value"], own_time or at)
            elif depth < 4:
                _collect(made, f"{prefix}{name}.", value, received_at, at, depth + 1)
        elif isinstance(value, int | float | str | bool):
            made[prefix + str(name)] = Field(value, at)


def moment_of(value: object, received_at: datetime) -> DeviceTime | None:
    stated = from_milliseconds(value)
    return device_time(stated, 0, received_at) if stated else None


def event_alarm(name: str, level: object = None) -> Alarm:
    """The alarm of an event by its name: ``sos``, ``LowBattery``. Another name is an unknown alarm until the product names it.

    A level that the device states can make it graver, never milder."""
    plain = _SMALL.sub("_", name).lower()
    kind = AlarmKind(plain) if plain in set(AlarmKind) else AlarmKind.UNKNOWN
    made = Alarm.of(kind, f"event.{name}")
    if isinstance(level, int) and 1 <= level < made.level:
        return Alarm(kind, level, made.code)
    return made


def text_of(value: object) -> str:
    """A short identifier out of JSON."""
    return str(value)[:128] if isinstance(value, int | str) and not isinstance(value, bool) else ""


def safe(device: str) -> bool:
    """May this stand in a topic?"""
    return all(_PART.fullmatch(part) for part in device.split("/"))


Reader = Callable[[str, bytes, datetime, Collector], None]


class TopicDecoder:
    """Nothing is kept between payloads unless the dialect keeps it. A payload above 256 KiB is skipped."""

    limit = 0

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    @property
    def buffered(self) -> int:
        return 0

    def feed(self, data: bytes, *, received_at: datetime, topic: str = "") -> Batch:
        out = Collector()
        if len(data) > LARGEST:
            out.skip("too_long", data)
        else:
            self._reader(topic, data, received_at, out)
            if not out.messages and not out.skipped:
                out.skip("topic", data or topic.encode("utf-8", "replace")[:HEAD] or b"?")
        return out.batch()


class Dialect(ABC):
    """A codec whose decoder is one function of topic and payload."""

    name = ""
    topics: tuple[str, ...] = ()
    urgent = None

    def decoder(self, options: Options = Options()) -> TopicDecoder:
        return TopicDecoder(self.read)

    @abstractmethod
    def read(self, topic: str, payload: bytes, received_at: datetime, out: Collector) -> None:
        """Read one payload into ``out``."""

    def message(self, device: str, kind: MessageKind, word: str, received_at: datetime, raw: bytes, **parts) -> Message:
        return Message(self.name, device, kind, word, received_at, raw, **parts)


def milliseconds(now: datetime) -> int:
    return int(now.astimezone(UTC).timestamp() * 1000)


def kind_of(alarms: Iterable[Alarm]) -> MessageKind:
    return MessageKind.ALARM if tuple(alarms) else MessageKind.STATUS
