"""What an officer may turn on the what-if page: the conditions and amounts of a text, each where it stands in it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from sangyu.engines.policy import Policy, sentence
from sangyu.engines.policy.schema import key_of

_YUAN = re.compile(r"(\d[\d,]*(?:\.\d{1,2})?)\s*(元|yuan)")
#: A plain scalar with one of these would mean something else to YAML.
_SPECIAL = re.compile(r"^[\s\"'&*!|>%@`{\[#?-]|: |:$| #|[\[\]{},]|^$")


@dataclass(frozen=True)
class Knob:
    """One value: ``start`` to ``end`` of the text hold it. ``unit`` is set when only the number is shown (yuan)."""

    key: str
    group: str
    label: str
    value: str
    start: int
    end: int
    unit: str = ""

    def written(self, given: str) -> str:
        """``given`` as it is put into the text."""
        words = f"{given.strip()}{self.unit}"
        return '"' + words.replace("\\", "\\\\").replace('"', '\\"') + '"' if _SPECIAL.search(words) else words


def knobs(policy: Policy) -> list[Knob]:
    """Conditions and amounts of ``policy`` in the order of its text; values over several lines are left to the text itself."""
    root = yaml.compose(policy.text, Loader=yaml.SafeLoader)
    found: list[Knob] = []
    for key_node, node in root.value:
        match key_of("policy", str(key_node.value)):
            case "who":
                items = node.value if isinstance(node, yaml.SequenceNode) else [node]
                found += [k for n, item in enumerate(items) if (k := _knob(f"who.{n}", "who", "", item))]
            case "amount":
                found += _amounts(node, policy)
    return found


def _amounts(node: yaml.Node, policy: Policy) -> list[Knob]:
    if isinstance(node, yaml.ScalarNode):
        return _some(_knob("amount", "amount", "", node))
    found: list[Knob] = []
    for key_node, value in node.value:
        key = key_of("amount", str(key_node.value))
        if key == "table" and isinstance(value, yaml.SequenceNode):
            for n, row in enumerate(value.value):
                found += _row(n, row, policy)
        elif key in ("formula", "minimum", "maximum"):
            found += _some(_knob(f"amount.{key}", "amount", key, value))
    return found


def _row(n: int, node: yaml.Node, policy: Policy) -> list[Knob]:
    row = policy.amount.rows[n] if n < len(policy.amount.rows) else None
    label = sentence(row.when.expr) if row is not None and row.when else ""
    found: list[Knob] = []
    for key_node, value in node.value:
        key = key_of("row", str(key_node.value))
        if key == "when":
            found += _some(_knob(f"when.{n}", "when", label, value))
        elif key == "amount":
            found += _some(_knob(f"amount.{n}", "amount", label, value))
    return found


def _knob(key: str, group: str, label: str, node: yaml.Node) -> Knob | None:
    if not isinstance(node, yaml.ScalarNode) or node.style in ("|", ">"):
        return None
    value, start, end = str(node.value), node.start_mark.index, node.end_mark.index
    money = _YUAN.fullmatch(value.strip())
    if money and group == "amount":
        return Knob(key, group, label, money[1].replace(",", ""), start, end, money[2])
    return Knob(key, group, label, value, start, end)


def _some(knob: Knob | None) -> list[Knob]:
    return [knob] if knob else []


def turned(policy: Policy, given: Mapping[str, str]) -> str:
    """The text of ``policy`` with the values in ``given`` (key → value as shown) put in their places; unknown keys are left out."""
    text = policy.text
    for knob in sorted(knobs(policy), key=lambda k: -k.start):
        if knob.key in given and given[knob.key].strip() != knob.value:
            text = text[: knob.start] + knob.written(given[knob.key]) + text[knob.end :]
    return text
