"""Reading a question sheet: every mistake is found with its line; what an answer states must be in the register's vocabulary."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..assessment.instrument import MARKS
from ..yamlfile import Node, Source
from .sheet import STANDINGS, Option, Part, Question, Sheet

KINDS = ("choice", "several", "number", "day", "text")
#: Kinds of facts that only their own process states: an assessment, a move, a stay.
NOT_BY_SCREENING = ("care_level", "region", "residence")


@dataclass(frozen=True)
class Vocabulary:
    """What an answer may state: kind of fact → values; codes of needs; codes of follow-ups."""

    facts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    follow_up: tuple[str, ...] = ()


def read(text: str, *, file: str, words: Vocabulary) -> Sheet:
    """The sheet that ``text`` describes. Raises FileErrors with all problems found."""
    s = Source(text, file)
    root = s.root
    s.keys(
        root,
        ("code", "name", "document", "mark", "valid_from", "parts"),
        ("valid_to", "monthly", "about", "database"),
    )
    codes: set[str] = set()
    earlier: dict[str, Question] = {}
    parts = []
    for node in s.nodes(root, "parts"):
        s.keys(node, ("name", "questions"))
        parts.append(
            Part(
                s.text(node, "name"), tuple(_question(s, q, codes, earlier, words) for q in s.nodes(node, "questions"))
            )
        )
    made = Sheet(
        code=s.code(root, "code", set()),
        name=s.text(root, "name"),
        document=s.text(root, "document"),
        mark=s.one_of(root, "mark", MARKS),
        valid_from=s.day(root, "valid_from"),
        valid_to=s.day(root, "valid_to"),
        monthly=root.get("monthly") is True,
        about=s.text(root, "about"),
        parts=tuple(parts),
        database=_database(s, root, earlier),
    )
    s.finish()
    return made


def _question(s: Source, node: Node, codes: set[str], earlier: dict[str, Question], words: Vocabulary) -> Question:
    s.keys(node, ("code", "text", "kind"), ("required", "help", "options", "when", "most"))
    kind = s.one_of(node, "kind", KINDS)
    options: list[Option] = []
    if kind in ("choice", "several"):
        values: set[str] = set()
        options = [_option(s, o, values, words) for o in s.nodes(node, "options")]
    elif "options" in node:
        s.say(node.lines["options"], f"A question of kind “{kind}” has no options.", "Delete “options”, or use choice.")
    made = Question(
        code=s.code(node, "code", codes),
        text=s.text(node, "text"),
        kind=kind,
        required=node.get("required") is True,
        help=s.text(node, "help"),
        options=tuple(options),
        when=_answers(s, node, "when", earlier),
        most=s.number(node, "most"),
    )
    earlier[made.code] = made
    return made


def _option(s: Source, node: Node, values: set[str], words: Vocabulary) -> Option:
    s.keys(node, ("value", "text"), ("facts", "needs", "follow_up"))
    facts = node.get("facts", Node())
    if not isinstance(facts, Node):
        s.say(node.lines["facts"], "“facts” must be a mapping.", "Write “facts: {living: alone}”.")
        facts = Node()
    for kind, value in facts.items():
        line = facts.lines[kind]
        if kind in NOT_BY_SCREENING:
            s.say(
                line, f"A screening does not state “{kind}”.",
                "The ability level comes from an assessment: write “follow_up: [assessment]”.",
            )  # fmt: skip
        elif kind not in words.facts:
            s.say(line, f"There is no fact “{kind}”.", f"Use one of: {', '.join(sorted(words.facts))}.")
        elif str(value) not in words.facts[kind]:
            s.say(line, f"“{kind}” is never “{value}”.", f"Use one of: {', '.join(words.facts[kind])}.")
    for key, known in (("needs", words.needs), ("follow_up", words.follow_up)):
        for word in s.words(node, key):
            if word not in known:
                s.say(node.lines[key], f"“{word}” is not known here.", f"Use one of: {', '.join(known)}.")
    return Option(
        s.code(node, "value", values, r"[A-Za-z0-9_.-]+"),
        s.text(node, "text"),
        {str(k): str(v) for k, v in facts.items()},
        tuple(s.words(node, "needs")),
        tuple(s.words(node, "follow_up")),
    )


def _answers(s: Source, node: Node, key: str, earlier: dict[str, Question]) -> dict[str, tuple[str, ...]]:
    """question → answers, of questions that stand before."""
    given = node.get(key, Node())
    if not isinstance(given, Node):
        s.say(node.lines[key], f"“{key}” must be a mapping.", f"Write “{key}: {{living: [alone]}}”.")
        return {}
    made = {}
    for code in given:
        question, values = earlier.get(code), tuple(s.words(given, code))
        if question is None or not question.options:
            s.say(given.lines[code], f"No question “{code}” with options stands before this.", "Name an earlier one.")
            continue
        for value in values:
            if question.option(value) is None:
                s.say(given.lines[code], f"“{code}” has no answer “{value}”.", "Name one of its values.")
        made[code] = values
    return made


def _database(s: Source, root: Node, questions: dict[str, Question]) -> dict[str, dict[str, tuple[str, ...]]]:
    if "database" not in root:
        return {}
    node = root["database"]
    if not isinstance(node, Node):
        s.say(root.lines["database"], "“database” must be a mapping.", "Write “inside: {difficult: [yes]}” below it.")
        return {}
    s.keys(node, ("inside",), STANDINGS[:3])
    return {key: _answers(s, node, key, questions) for key in node}
