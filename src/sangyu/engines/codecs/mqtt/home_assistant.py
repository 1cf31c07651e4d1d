"""Home Assistant discovery, the second optional input (Zigbee2MQTT, ESPHome, OpenMQTTGateway): retained ``…/config`` topics name the state topics.

Long and short keys of discovery are read. Templates: ``{{ value }}``, ``{{ value_json.a.b }}``, ``{{ value_json['a'] }}`` with the filters float, int and
round(n); an entity with another template is skipped and said.
"""

import re
from collections.abc import KeysView, Mapping
from dataclasses import dataclass
from datetime import datetime

from ..commands import Command, Encoded, NotEncodable, Target
from ..interface import Collector, Options, register
from ..kinds import MessageKind
from ..messages import Field, Message
from .common import TopicDecoder, items, mapping, parsed, text_of

NAME = "home-assistant"
MOST_ENTITIES = 5_000
_SHORT = {
    "stat_t": "state_topic", "val_tpl": "value_template", "uniq_id": "unique_id", "dev": "device", "ids": "identifiers",
    "cmps": "components", "obj_id": "object_id", "pl_on": "payload_on", "pl_off": "payload_off",
}  # fmt: skip
_TEMPLATE = re.compile(
    r"\{\{\s*(value|value_json((?:\.\w+|\[['\"]?[\w ]+['\"]?\])+))\s*((?:\|\s*\w+(?:\(\s*-?\d*\s*\))?\s*)*)\}\}"
)
_KEY = re.compile(r"\.(\w+)|\[['\"]?([\w ]+)['\"]?\]")
_FILTER = re.compile(r"(\w+)(?:\(\s*(-?\d*)\s*\))?")


@dataclass(frozen=True)
class Entity:
    """One value of a device: its name, where it comes from, how it is taken out."""

    device: str
    name: str
    path: tuple[str, ...] | None  # None: the payload itself
    filters: tuple[tuple[str, int], ...]
    on: str = ""
    off: str = ""

    def value(self, payload: bytes) -> float | str | bool | None:
        found: object = payload[:1024].decode("utf-8", "replace").strip()
        if self.path is not None:
            found = parsed(payload)
            for key in self.path:
                if isinstance(found, list) and key.isdigit() and int(key) < len(found):
                    found = found[int(key)]
                else:
                    found = mapping(found).get(key)
        if not isinstance(found, int | float | str | bool):
            return None
        if self.on and str(found) == self.on:
            return True
        if self.off and str(found) == self.off:
            return False
        for name, digits in self.filters:
            try:
                found = round(float(found), digits) if name == "round" else {"float": float, "int": _int}[name](found)
            except (ValueError, OverflowError):
                return None
        return found


def _int(value: object) -> int:
    return int(float(value))


def _long(values: object) -> dict:
    return {_SHORT.get(key, key): value for key, value in mapping(values).items()}


class Decoder(TopicDecoder):
    """Learns entities from configurations; ``wanted`` are the state topics to subscribe to. At most 5,000 entities are kept."""

    limit = MOST_ENTITIES

    def __init__(self) -> None:
        super().__init__(self.read)
        self._entities: dict[str, dict[tuple[str, str], Entity]] = {}
        self._count = 0

    @property
    def buffered(self) -> int:
        return self._count

    @property
    def wanted(self) -> KeysView[str]:
        return self._entities.keys()

    def read(self, topic: str, payload: bytes, received_at: datetime, out: Collector) -> None:
        parts = topic.split("/")
        if parts[0] == "homeassistant" and parts[-1] == "config" and len(parts) in (4, 5):
            self._learn(parts, payload, received_at, out)
            return
        found: dict[str, dict[str, Field]] = {}
        for entity in self._entities.get(topic, {}).values():
            value = entity.value(payload)
            if value is not None:
                found.setdefault(entity.device, {})[entity.name] = Field(value)
        for device, values in found.items():
            out.messages.append(Message(NAME, device, MessageKind.STATUS, "state", received_at, payload, fields=values))

    def _learn(self, parts: list[str], payload: bytes, received_at: datetime, out: Collector) -> None:
        body = parsed(payload)
        if not isinstance(body, dict):
            out.skip("json", payload)  # an empty payload takes an entity away; it will be silent
            return
        config = _long(body)
        device = self._device(config, parts)
        components = {parts[-2]: config}
        if parts[1] == "device" or "components" in config:
            components = {key: {**config, **_long(part)} for key, part in mapping(config.get("components")).items()}
        learnt = sum(self._entity(device, key, part, body, out, payload) for key, part in components.items())
        if learnt:
            out.messages.append(
                Message(NAME, device, MessageKind.STATUS, "config", received_at, payload, details={"entities": learnt})
            )

    def _device(self, config: Mapping, parts: list[str]) -> str:
        identifiers = _long(config.get("device")).get("identifiers")
        first = next(iter(items(identifiers)), identifiers)
        return text_of(first) or (parts[2] if len(parts) == 5 or parts[1] == "device" else parts[-2])

    def _entity(self, device: str, key: str, config: Mapping, body: Mapping, out: Collector, payload: bytes) -> bool:
        topic = str(config.get("state_topic") or "")[:512]
        base = str(body.get("~", ""))[:512]
        topic = base + topic[1:] if topic.startswith("~") else topic[:-1] + base if topic.endswith("~") else topic
        if not topic:
            return False
        template = _TEMPLATE.fullmatch(str(config.get("value_template") or "{{ value }}").strip()[:512])
        filters = _filters(template[3]) if template else None
        if template is None or filters is None:
            out.skip("template", payload)
            return False
        path = tuple(a or b for a, b in _KEY.findall(template[2])) if template[2] else None
        name = text_of(config.get("object_id")) or key
        on, off = (text_of(config.get(k)) or d for k, d in (("payload_on", "ON"), ("payload_off", "OFF")))
        place = self._entities.setdefault(topic, {})
        if (device, name) not in place:
            if self._count >= MOST_ENTITIES:
                if not place:
                    del self._entities[topic]
                out.skip("too_many", payload)
                return False
            self._count += 1
        place[device, name] = Entity(device, name, path, filters, on, off)
        return True


def _filters(text: str) -> tuple[tuple[str, int], ...] | None:
    made = []
    for part in (p.strip() for p in text.split("|")[1:]):
        found = _FILTER.fullmatch(part)
        if not found or found[1] not in ("float", "int", "round"):
            return None
        made.append((found[1], max(-9, min(9, int(found[2]))) if found[2] not in (None, "", "-") else 0))
    return tuple(made)


class HomeAssistant:
    name = NAME
    topics = ("homeassistant/#",)

    def decoder(self, options: Options = Options()) -> Decoder:
        return Decoder()

    def encode(self, command: Command, target: Target, now: datetime) -> Encoded | NotEncodable:
        return NotEncodable("unsupported", command.name)


register(HomeAssistant())
