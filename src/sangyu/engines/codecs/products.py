"""Product profiles: what one model of device means by its fields and codes, as data (``data/devices/products/*.yaml``, ADR 0022).

``read(text, file=)`` → ``Product`` or errors with file, line and remedy. ``interpret(product, message)`` → the message with the product's readings,
alarms, states, place and zone. A new product needs no Python.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ..yamlfile import Node, Source
from . import commands
from .interface import CODECS
from .kinds import LEVELS, AlarmKind, Datum, MessageKind, ReadingKind
from .messages import Alarm, Field, Message, Position, Readings, device_time, gravest_first
from .values import number

NONE = "none"
CAPABILITIES = (
    "position", "sos", "fall", "heart_rate", "blood_pressure", "spo2", "temperature", "glucose", "weight", "steps",
    "sleep", "bed", "call", "voice", "message", "geofence", "relay",
)  # fmt: skip
_REQUIRED = ("code", "name", "kind", "protocol", "supervision_minutes", "capabilities")
_OPTIONAL = ("maker", "notes", "clock", "battery", "readings", "alarms", "triggers", "states", "position", "commands", "min_quality", "family")  # fmt: skip
DEVICE_KINDS = ("watch", "pendant", "cane", "mattress", "radar", "button", "meter", "gateway", "alarm_unit", "phone")
_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})


@dataclass(frozen=True)
class FieldRule:
    """One field → one reading: ``value × scale + offset``; ``invalid`` values are failed measurements; ``values`` maps codes first."""

    kind: ReadingKind
    scale: float = 1
    offset: float = 0
    invalid: frozenset[float] = frozenset()
    values: Mapping[str, float] = field(default_factory=dict)

    def value(self, given: object) -> float | None:
        text = str(given).strip()
        if isinstance(given, bool):
            text = "true" if given else "false"
        if text in self.values:
            return self.values[text]
        if text.lower() in _TRUE | _FALSE:
            plain: float | None = float(text.lower() in _TRUE)
        else:
            plain = number(text.partition("/")[0]) if not isinstance(given, int | float) else float(given)
        if plain is None or plain in self.invalid:
            return None
        return plain * self.scale + self.offset


@dataclass(frozen=True)
class AlarmRule:
    """``kind`` None: this code is no alarm."""

    kind: AlarmKind | None
    level: int = 0

    def alarm(self, code: str, text: str = "") -> Alarm | None:
        return Alarm(self.kind, self.level or LEVELS[self.kind], code, text) if self.kind else None


@dataclass(frozen=True)
class Product:
    """One model. Times in minutes, battery in per cent. ``clock``: minutes east of UTC of the device's clock; None = as the protocol says."""

    code: str
    name: str
    kind: str
    protocol: str
    supervision_minutes: int
    capabilities: frozenset[str]
    maker: str = ""
    family: str = ""
    clock: int | None = None
    battery_low: int = 20
    battery_clear: int = 30
    min_quality: int = 0
    readings: Mapping[str, FieldRule] = field(default_factory=dict)
    alarms: Mapping[str, AlarmRule] = field(default_factory=dict)
    triggers: Mapping[str, Mapping[str, AlarmRule]] = field(default_factory=dict)
    states: Mapping[str, str] = field(default_factory=dict)
    place: Mapping[str, str] = field(default_factory=dict)
    datum: Datum = Datum.WGS84
    commands: Mapping[str, object] = field(default_factory=dict)
    notes: str = ""

    @property
    def allowed(self) -> frozenset[str]:
        """Commands that it understands."""
        return frozenset(self.commands)

    @property
    def templates(self) -> Mapping[str, object]:
        """Its own words for commands, where it has some."""
        return {name: word for name, word in self.commands.items() if word is not None}


def interpret(product: Product, message: Message) -> Message:
    """The message in the product's meaning. Nothing else of it changes; fields that the product does not name stay fields."""
    changed: dict[str, object] = {}
    if product.clock is not None and message.time is not None and message.time.offset != product.clock:
        changed["time"] = device_time(message.time.stated, product.clock, message.received_at)
    if not (changed or message.alarms or message.fields):
        return message
    alarms = [rule_alarm for a in message.alarms if (rule_alarm := _read_alarm(product, a)) is not None]
    if message.fields:
        readings, states = Readings(), dict(message.states)
        for name, given in message.fields.items():
            rule = product.readings.get(name)
            if rule is not None:
                readings.add(rule.kind, rule.value(given.value), given.at)
            if name in product.states:
                states[product.states[name]] = str(given.value).strip().lower() in _TRUE
            trigger = product.triggers.get(name, {}).get(_plain(given.value))
            made = trigger.alarm(f"field.{name}={_plain(given.value)}") if trigger else None
            if made:
                alarms.append(made)
        changed |= {
            "readings": message.readings + tuple(readings.made), "failed": message.failed + tuple(readings.failed),
            "states": states,
        }  # fmt: skip
        if product.place:
            changed["position"] = _position(product, message.fields) or message.position
    found = gravest_first(alarms)
    if found != message.alarms:
        changed["alarms"] = found
        if found:
            changed["kind"] = MessageKind.ALARM
        elif message.kind is MessageKind.ALARM:
            changed["kind"] = MessageKind.POSITION if message.position else MessageKind.STATUS
    return msgspec.structs.replace(message, **changed) if changed else message


def _read_alarm(product: Product, alarm: Alarm) -> Alarm | None:
    rule = product.alarms.get(alarm.code)
    return rule.alarm(alarm.code, alarm.text) if rule else alarm


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _position(product: Product, fields: Mapping[str, Field]) -> Position | None:
    values = {key: number(str(fields[name].value)) for key, name in product.place.items() if name in fields}
    latitude, longitude = values.get("latitude"), values.get("longitude")
    if latitude is None or longitude is None:
        return None
    made = Position(
        latitude, longitude, True, product.datum, speed_kmh=values.get("speed"), accuracy_m=values.get("accuracy")
    )
    return made if made.possible else None


# ---------------------------------------------------------------- reading
def read(text: str, *, file: str) -> Product:
    """The product that ``text`` describes. Raises the reader's errors with every problem found."""
    return _Reader(Source(text, file)).product()


def shipped(folder: Path) -> dict[str, Product]:
    """All products of a folder by code, which is the name of the file."""
    found = {}
    for path in sorted(folder.glob("*.yaml")):
        found[path.stem] = read(path.read_text(encoding="utf-8"), file=path.name)
    return found


class _Reader:
    def __init__(self, source: Source) -> None:
        self.s = source

    def product(self) -> Product:
        s, root = self.s, self.s.root
        s.keys(root, _REQUIRED, _OPTIONAL)
        capabilities = s.words(root, "capabilities")
        for word in capabilities:
            if word not in CAPABILITIES:
                s.say(root.lines["capabilities"], f"“{word}” is no capability.", f"Use {', '.join(CAPABILITIES)}.")
        battery = self._mapping(root, "battery")
        s.keys(battery, (), ("low", "clear"))
        low, clear = s.number(battery, "low", 20), s.number(battery, "clear", 30)
        if not 0 < low < clear <= 100:
            s.say(root.lines.get("battery", root.line), "“low” must be below “clear”.", "Write “{low: 20, clear: 30}”.")
        minutes = s.number(root, "supervision_minutes")
        if "supervision_minutes" in root and minutes < 1:
            s.say(root.lines["supervision_minutes"], "The interval must be at least a minute.", "Write whole minutes.")
        place = self._mapping(root, "position")
        s.keys(place, ("latitude", "longitude") if place else (), ("speed", "accuracy", "datum"))
        datum = s.one_of(place, "datum", list(Datum), "wgs84")
        made = {
            "code": s.text(root, "code"), "name": s.text(root, "name"), "kind": s.one_of(root, "kind", DEVICE_KINDS),
            "protocol": s.one_of(root, "protocol", sorted(CODECS)), "supervision_minutes": minutes,
            "capabilities": frozenset(capabilities), "maker": s.text(root, "maker"), "family": s.text(root, "family"),
            "clock": self._clock(root), "battery_low": low, "battery_clear": clear,
            "min_quality": s.number(root, "min_quality", 0),
            "readings": {name: self._field(node) for name, node in self._nodes(root, "readings")},
            "alarms": {name: self._alarm(node, name) for name, node in self._mapping(root, "alarms").items()},
            "triggers": self._triggers(root),
            "states": {name: str(word) for name, word in self._mapping(root, "states").items()},
            "place": {key: str(name) for key, name in place.items() if key != "datum"},
            "datum": Datum(datum) if datum in list(Datum) else Datum.WGS84,
            "commands": self._commands(root), "notes": s.text(root, "notes"),
        }  # fmt: skip
        s.finish()
        return Product(**made)

    def _mapping(self, node: Node, key: str) -> Node:
        value = node.get(key, Node())
        if isinstance(value, Node):
            return value if value else _empty(node.lines.get(key, node.line))
        self.s.say(node.lines[key], f"“{key}” must be a mapping.", f"Write “{key}:” and indented lines below it.")
        return _empty(node.lines[key])

    def _nodes(self, root: Node, key: str) -> list[tuple[str, Node]]:
        """Entries that are mappings themselves; a plain word stands for ``kind``."""
        made = []
        for name, value in self._mapping(root, key).items():
            if not isinstance(value, Node):
                line = root[key].lines[name]
                value = Node(kind=value)
                value.line, value.lines = line, {"kind": line}
            made.append((name, value))
        return made

    def _field(self, node: Node) -> FieldRule:
        s = self.s
        s.keys(node, ("kind",), ("scale", "offset", "invalid", "values"))
        kind = s.one_of(node, "kind", list(ReadingKind))
        values = {}
        for code, value in self._mapping(node, "values").items():
            if type(value) not in (int, float):
                s.say(node["values"].lines[code], f"“{value}” is no number.", "Write “code: number”.")
                continue
            values["true" if code == "True" else "false" if code == "False" else code] = float(value)
        return FieldRule(
            ReadingKind(kind) if kind in list(ReadingKind) else ReadingKind.BATTERY, self._real(node, "scale", 1),
            self._real(node, "offset", 0), frozenset(float(n) for n in s.numbers(node, "invalid")) if "invalid" in node else frozenset(), values,
        )  # fmt: skip

    def _real(self, node: Node, key: str, default: float) -> float:
        value = node.get(key, default)
        if type(value) in (int, float):
            return value
        self.s.say(node.lines[key], f"“{key}” must be a number.", f"Write “{key}: 0.1”.")
        return default

    def _alarm(self, node: object, code: str, owner: Node | None = None) -> AlarmRule:
        """``sos`` or ``{kind: sos, level: 1}`` or ``none``."""
        s = self.s
        if not isinstance(node, Node):
            line = (owner or s.root["alarms"]).lines[code]
            node = Node(kind=node)
            node.line, node.lines = line, {"kind": line}
        s.keys(node, ("kind",), ("level",))
        kind = s.one_of(node, "kind", [*AlarmKind, NONE])
        level = s.number(node, "level", 0)
        if "level" in node and not 1 <= level <= 4:
            s.say(node.lines["level"], f"There is no level {level}.", "1 life, 2 urgent, 3 technical, 4 information.")
        if kind == NONE or kind not in list(AlarmKind):
            return AlarmRule(None)
        if LEVELS[AlarmKind(kind)] == 1 and level > 1:
            s.say(node.lines["level"], f"“{kind}” is a life alarm.", "Leave out “level”; rules say whom it alerts.")
        return AlarmRule(AlarmKind(kind), level)

    def _triggers(self, root: Node) -> dict[str, dict[str, AlarmRule]]:
        made = {}
        for name, node in self._mapping(root, "triggers").items():
            if not isinstance(node, Node):
                self.s.say(
                    root["triggers"].lines[name], f"“{name}” must map values to alarms.", "Write “Key: {1: sos}”."
                )
                continue
            made[name] = {_key(value): self._alarm(rule, value, node) for value, rule in node.items()}
        return made

    def _clock(self, root: Node) -> int | None:
        value = self.s.text(root, "clock", "protocol")
        if value == "protocol":
            return None
        sign, hours, minutes = value[:1], value[1:3], value[4:]
        if value == "utc":
            return 0
        if len(value) == 6 and sign in "+-" and value[3] == ":" and (hours + minutes).isdigit() and int(hours) <= 14:
            return (int(hours) * 60 + int(minutes)) * (-1 if sign == "-" else 1)
        self.s.say(root.lines["clock"], f"“{value}” is no zone.", 'Write “protocol”, “utc” or “"+08:00"”.')
        return None

    def _commands(self, root: Node) -> dict[str, object]:
        """A list of names, or names with the product's own words."""
        given = root.get("commands", [])
        line = root.lines.get("commands", root.line)
        if isinstance(given, list):
            given = dict.fromkeys(map(str, given))
        if not isinstance(given, dict):
            self.s.say(line, "“commands” must be a list or a mapping.", "Write “commands: [locate_now, ring]”.")
            return {}
        for name in given:
            if name not in commands.NAMES:
                self.s.say(line, f"“{name}” is no command.", f"Use {', '.join(sorted(commands.NAMES))}.")
        return {name: None if word in ("", None) else word for name, word in given.items()}


def _empty(line: int) -> Node:
    made = Node()
    made.line, made.lines = line, {}
    return made


def _key(text: str) -> str:
    return {"True": "true", "False": "false"}.get(text, text)
