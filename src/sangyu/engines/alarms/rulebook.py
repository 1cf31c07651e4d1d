"""Rules as YAML (``data/alarms/*.yaml``): every mistake with file, line and remedy."""

import re
from datetime import time, timedelta

from ..codecs.kinds import LEVELS, AlarmKind, ReadingKind
from ..yamlfile import Node, Source
from .rules import NO_TIME, Rule

_SPAN = re.compile(r"(\d{1,4})(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_HOURS = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
_SOURCES = ("readings", "alarms", "fenced", "silent")
_SPANS = ("within", "stands", "lasting", "clear_after", "hold")
_OPTIONAL = (*_SOURCES, *_SPANS, "level", "low", "high", "margin", "times", "latch", "hours", "context", "note")


def read(text: str, *, file: str) -> dict[str, Rule]:
    """The rules of one file by code. Raises the reader's errors with every problem found."""
    s = Source(text, file)
    s.keys(s.root, ("rules",), ("about",))
    codes: set[str] = set()
    made = [_rule(s, node, codes) for node in s.nodes(s.root, "rules")]
    s.finish()
    return {rule.code: rule for rule in made}


def _rule(s: Source, node: Node, codes: set[str]) -> Rule:
    s.keys(node, ("code", "name", "alarm"), _OPTIONAL)
    kind = s.one_of(node, "alarm", list(AlarmKind))
    kind = AlarmKind(kind) if kind in list(AlarmKind) else AlarmKind.GENERAL
    level = s.number(node, "level", LEVELS[kind])
    if not 1 <= level <= 4 or (LEVELS[kind] == 1 and level > 1):
        s.say(
            node.lines.get("level", node.line),
            f"Level {level} does not fit “{kind}”.",
            "A life alarm is 1, others 1 to 4.",
        )
    sources = [key for key in _SOURCES if node.get(key)]
    if len(sources) != 1:
        s.say(node.line, "A rule looks at exactly one thing.", f"Give one of {', '.join(_SOURCES)}.")
    readings = _words(s, node, "readings", list(ReadingKind))
    spans = {key: _span(s, node, key, timedelta(minutes=10) if key == "within" else NO_TIME) for key in _SPANS}
    low, high, margin = (_real(s, node, key) for key in ("low", "high", "margin"))
    if readings and low is None and high is None:
        s.say(node.line, "No reading can be bad.", "Give “low”, “high” or both.")
    if low is not None and high is not None and low + 2 * (margin or 0) > high:
        s.say(node.lines["low"], "Between “low” and “high” nothing is good.", "Widen them or make “margin” smaller.")
    latch = _truth(s, node, "latch")
    if node.get("alarms") and not latch and not spans["hold"]:
        s.say(node.line, "Nothing ends this alert.", "Give “latch: true” or “hold: 1h”.")
    if node.get("silent") and not spans["lasting"]:
        s.say(node.line, "When is a device silent?", "Give “lasting: 30m”; the product's interval replaces it.")
    times = s.number(node, "times", 1)
    if times < 1:
        s.say(node.lines["times"], "“times” is at least 1.", "Write “times: 2”.")
    context = node.get("context", {})
    if not isinstance(context, dict) or any(
        k not in list(ReadingKind) or type(v) not in (int, float) for k, v in context.items()
    ):
        s.say(
            node.lines["context"], "“context” names readings with their least value.", "Write “context: {in_bed: 1}”."
        )
        context = {}
    return Rule(
        code=s.code(node, "code", codes), name=s.text(node, "name"), alarm=kind, level=level, readings=readings,
        alarms=_words(s, node, "alarms", list(AlarmKind)), fenced=_truth(s, node, "fenced"), silent=_truth(s, node, "silent"),
        low=low, high=high, margin=margin or 0, times=times, latch=latch, hours=_hours(s, node),
        context={str(k): float(v) for k, v in context.items()}, **spans,
    )  # fmt: skip


def _words(s: Source, node: Node, key: str, known: list[str]) -> frozenset[str]:
    words = s.words(node, key) if key in node else []
    for word in words:
        if word not in known:
            s.say(node.lines[key], f"“{word}” is not known.", f"Use {', '.join(known)}.")
    return frozenset(words)


def _span(s: Source, node: Node, key: str, default: timedelta) -> timedelta:
    found = _SPAN.fullmatch(str(node.get(key, ""))) if key in node else None
    if found:
        return timedelta(**{_UNITS[found[2]]: int(found[1])})
    if key in node:
        s.say(node.lines[key], f"“{node[key]}” is no length of time.", "Write 30s, 10m, 2h or 1d.")
    return default


def _real(s: Source, node: Node, key: str) -> float | None:
    value = node.get(key)
    if value is not None and type(value) not in (int, float):
        s.say(node.lines[key], f"“{key}” must be a number.", f"Write “{key}: 45”.")
        return None
    return value


def _truth(s: Source, node: Node, key: str) -> bool:
    value = node.get(key, False)
    if not isinstance(value, bool):
        s.say(node.lines[key], f"“{key}” is true or false.", f"Write “{key}: true”.")
    return value is True


def _hours(s: Source, node: Node) -> tuple[time, time] | None:
    if "hours" not in node:
        return None
    found = _HOURS.fullmatch(str(node["hours"]))
    parts = [int(p) for p in found.groups()] if found else [99]
    if not found or max(parts[0], parts[2]) > 23 or max(parts[1], parts[3]) > 59 or parts[:2] == parts[2:]:
        s.say(node.lines["hours"], f"“{node['hours']}” are no hours.", 'Write “hours: "22:00-06:00"”.')
        return None
    return time(parts[0], parts[1]), time(parts[2], parts[3])
