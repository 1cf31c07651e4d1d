"""Reading an instrument: every mistake is found with its line, and every total must have exactly one level."""

from collections.abc import Iterable
from itertools import product

from ..yamlfile import Node, Source
from .instrument import (
    MARKS,
    Change,
    Condition,
    Finding,
    Instrument,
    Item,
    LevelRule,
    Matrix,
    Option,
    Parameter,
    Part,
)

PURPOSES = ("care", "insurance", "history")
KINDS = ("tick", "count", "choice")
_REQUIRED = ("code", "name", "document", "purpose", "valid_from", "levels", "parts", "changes")
_OPTIONAL = (
    "valid_to", "part_levels", "parameters", "ladders", "findings", "level_rules", "level_matrix", "fixed_levels",
    "reassess_months", "publicity_days", "assessors", "notes",
)  # fmt: skip


def read(text: str, *, file: str) -> Instrument:
    """The instrument that ``text`` describes. Raises FileErrors with all problems found."""
    return _Reader(Source(text, file)).instrument()


class _Reader:
    def __init__(self, source: Source) -> None:
        self.s, self.codes = source, set()
        self.ladders: dict[str, Node] = {}
        self.levels: dict[int, str] = {}
        self.part_levels: dict[int, str] = {}

    def instrument(self) -> Instrument:
        s, root = self.s, self.s.root
        s.keys(root, _REQUIRED, _OPTIONAL)
        self.levels = self._levels(root, "levels")
        self.part_levels = self._levels(root, "part_levels") if "part_levels" in root else self.levels
        parameters = self._parameters(root)
        self.ladders = self._mapping(root, "ladders")
        parts = tuple(self._part(n) for n in s.nodes(root, "parts"))
        findings = tuple(self._finding(n) for n in s.nodes(root, "findings", required=False))
        s.finish()  # what follows would stumble over a broken part
        rules, matrix = self._result(root, parts)
        flags = {o.flag for p in parts for i in p.items for o in i.options if o.flag}
        changes = tuple(
            self._change(n, flags, {f.code: f for f in findings}, parameters)
            for n in s.nodes(root, "changes", required=False)
        )
        assessors = root.get("assessors", Node())
        made = Instrument(
            code=s.text(root, "code"),
            name=s.text(root, "name"),
            document=s.text(root, "document"),
            purpose=s.one_of(root, "purpose", PURPOSES),
            valid_from=s.day(root, "valid_from"),
            valid_to=s.day(root, "valid_to"),
            parts=parts,
            levels=self.levels,
            part_levels=self.part_levels,
            rules=rules,
            matrix=matrix,
            changes=changes,
            findings=findings,
            parameters=parameters,
            fixed_levels=frozenset(s.numbers(root, "fixed_levels")) if "fixed_levels" in root else frozenset(),
            reassess_months=s.number(root, "reassess_months", 12),
            publicity_days=s.number(root, "publicity_days", 7),
            assessors=s.number(assessors, "count", 2) if isinstance(assessors, Node) else 2,
            qualified=s.number(assessors, "qualified", 1) if isinstance(assessors, Node) else 1,
            notes=tuple(s.words(root, "notes")),
        )
        s.finish()
        return made

    # -- small parts
    def _mapping(self, node: Node, key: str) -> Node:
        value = node.get(key, Node())
        if not isinstance(value, Node):
            self.s.say(node.lines[key], f"“{key}” must be a mapping.", f"Write “{key}:” and indented lines below it.")
            return Node()
        return value

    def _levels(self, root: Node, key: str) -> dict[int, str]:
        given = self._mapping(root, key)
        if [str(k) for k in given] != [str(n) for n in range(len(given))] or len(given) < 2:
            line = root.lines.get(key, root.line)
            self.s.say(line, f"“{key}” must count from 0 (best) upwards.", "Write 0: …, 1: …, 2: … in this order.")
            return {}
        return {int(k): str(v) for k, v in given.items()}

    def _mark(self, node: Node, default: str = "") -> str:
        return self.s.one_of(node, "mark", MARKS, default)

    def _parameters(self, root: Node) -> dict[str, Parameter]:
        made = {}
        for name, node in self._mapping(root, "parameters").items():
            line = root["parameters"].lines[name]
            if not isinstance(node, Node):
                self.s.say(line, f"The parameter “{name}” must be a mapping.", "Give label, value, values and mark.")
                continue
            self.s.keys(node, ("label", "value", "values", "mark"), ("note",))
            values = {str(k): str(v) for k, v in self._mapping(node, "values").items()}
            value = self.s.one_of(node, "value", values)
            made[name] = Parameter(
                name, self.s.text(node, "label"), value, values, self._mark(node), self.s.text(node, "note")
            )
        return made

    # -- items
    def _part(self, node: Node) -> Part:
        s = self.s
        s.keys(node, ("code", "name", "max", "items"), ("levels", "mark"))
        code, mark = s.code(node, "code", self.codes), self._mark(node, "V")
        items = tuple(self._item(n, mark) for n in s.nodes(node, "items"))
        made = Part(code, s.text(node, "name"), items, mark=mark)
        if items and all(i.options for i in items):
            if made.most != s.number(node, "max"):
                s.say(
                    node.lines.get("max", node.line),
                    f"The items of {code} add up to {made.most}, not {node.get('max')}.",
                    "Correct “max” or the options.",
                )
            if "levels" in node:
                names = {i.code: i.scores for i in items}
                rules = self._rules(node, "levels", code, self.part_levels, names, _sums(i.scores for i in items))
                made = Part(code, made.name, items, rules, mark)
        return made

    def _item(self, node: Node, mark: str) -> Item:
        s = self.s
        s.keys(node, ("code", "name"), ("ladder", "options", "mark", "help"))
        code, options = s.code(node, "code", self.codes), ()
        if "ladder" in node:
            ladder = self.ladders.get(str(node["ladder"]))
            if isinstance(ladder, Node):
                options = self._scored(ladder)
            else:
                s.say(node.lines["ladder"], f"There is no ladder “{node['ladder']}”.", "Name one under “ladders”.")
        elif isinstance(node.get("options"), Node):
            options = self._scored(node["options"])
        elif "options" in node:
            options = tuple(self._option(n) for n in s.nodes(node, "options"))
        else:
            s.say(node.line, f"{code} has no options.", "Add “ladder: …” or “options:” with one line a score.")
        values = [o.value for o in options]
        if len(values) != len(set(values)):
            s.say(node.line, f"{code} has the same answer twice.", "Give each option its own “value”.")
        if options and len({o.score for o in options}) < 2:
            s.say(node.line, f"All options of {code} score the same.", "An item needs at least two scores.")
        return Item(code, s.text(node, "name"), options, self._mark(node, mark), s.text(node, "help"))

    def _scored(self, node: Node) -> tuple[Option, ...]:
        made = []
        for score, text in node.items():
            if not score.lstrip("-").isdigit():
                self.s.say(node.lines[score], f"“{score}” is no score.", "Write a whole number before the colon.")
                continue
            made.append(Option(score, int(score), str(text)))
        return tuple(made)

    def _option(self, node: Node) -> Option:
        self.s.keys(node, ("score", "text"), ("value", "flag"))
        score = self.s.number(node, "score")
        return Option(
            self.s.text(node, "value", str(score)), score, self.s.text(node, "text"), self.s.text(node, "flag")
        )

    def _finding(self, node: Node) -> Finding:
        s = self.s
        s.keys(node, ("code", "name", "kind"), ("choices", "group"))
        kind = s.one_of(node, "kind", KINDS)
        choices = {str(k): str(v) for k, v in self._mapping(node, "choices").items()}
        if (kind == "choice") != bool(choices):
            s.say(node.line, "“choices” goes with “kind: choice”, and only with it.", "Add or remove “choices”.")
        return Finding(s.code(node, "code", self.codes), s.text(node, "name"), kind, choices, s.text(node, "group"))

    # -- levels
    def _rules(self, owner: Node, key: str, prefix: str, levels: dict[int, str], names: dict[str, list[int]], totals):
        """Rules of ``owner[key]``; each reachable total or combination of ``names`` must find a level."""
        made = [self._rule(n, prefix, levels, names) for n in self.s.nodes(owner, key)]
        if any(r.low is not None for r in made) and any(r.all_of for r in made):
            self.s.say(owner.lines[key], "Spans and conditions are mixed.", "Use “from/to” or “when” for all rules.")
        elif made and all(r.low is not None for r in made):
            self._spans(owner.lines[key], made, totals)
        elif made and not self.s.problems:
            self._complete(owner.lines[key], made, names)
        return tuple(made)

    def _rule(self, node: Node, prefix: str, levels: dict[int, str], names: dict[str, list[int]]) -> LevelRule:
        s = self.s
        s.keys(node, ("level", "mark"), ("from", "to", "when", "text", "otherwise", "code"))
        level = s.number(node, "level")
        if levels and level not in levels:
            s.say(node.lines.get("level", node.line), f"There is no level {level}.", f"Use one of {list(levels)}.")
        low = high = None
        conditions: tuple[Condition, ...] = ()
        if "from" in node or "to" in node:
            s.keys(node, ("level", "mark", "from", "to"), ("text", "code"))
            low, high = s.number(node, "from"), s.number(node, "to")
            if low > high:
                s.say(node.line, f"The span {low}–{high} is empty.", "“from” is the smaller number.")
            text = s.text(node, "text", f"{low}–{high} 分" if low != high else f"{low} 分")
        else:
            if "otherwise" not in node:
                conditions = tuple(self._condition(n, names) for n in s.nodes(node, "when"))
            text = s.text(node, "text")
        code = s.text(node, "code", f"{prefix}.{level}")
        return LevelRule(code, level, text, self._mark(node), low, high, conditions, node.line)

    def _condition(self, node: Node, names: dict[str, list[int]]) -> Condition:
        s = self.s
        s.keys(node, ("of", "in"), ("at_least", "at_most"))
        of = s.words(node, "of")
        for name in of:
            if name not in names:
                s.say(node.line, f"“{name}” is not known here.", f"Use {', '.join(names)}.")
        return Condition(
            tuple(of), frozenset(s.numbers(node, "in")), s.number(node, "at_least", 1), s.number(node, "at_most", 99)
        )

    def _spans(self, line: int, rules: list[LevelRule], totals: Iterable[int]) -> None:
        for total in sorted(totals):
            hits = sum(r.holds(total, {}) for r in rules)
            if hits != 1:
                what = "no level" if not hits else "several levels"
                self.s.say(line, f"{total} points have {what}.", "Make the spans touch without overlap.")
                return

    def _complete(self, line: int, rules: list[LevelRule], names: dict[str, list[int]]) -> None:
        used = {n for r in rules for c in r.all_of for n in c.names}
        wanted = {n: names[n] for n in sorted(used)}
        for values in product(*wanted.values()):
            case = dict(zip(wanted, values, strict=True))
            if not any(r.holds(0, case) for r in rules):
                said = ", ".join(f"{k} = {v}" for k, v in case.items())
                self.s.say(line, f"No rule fits {said}.", "Add a rule, or end with “otherwise: true”.")
                return

    def _result(self, root: Node, parts: tuple[Part, ...]) -> tuple[tuple[LevelRule, ...], Matrix | None]:
        names = {p.code: list(self.part_levels) for p in parts if p.rules}
        if ("level_rules" in root) == ("level_matrix" in root):
            self.s.say(
                root.line, "The level must come from rules or from a table.", "Give “level_rules” or “level_matrix”."
            )
            return (), None
        if "level_rules" in root:
            totals = _sums(i.scores for p in parts for i in p.items)
            return self._rules(root, "level_rules", "level", self.levels, names, totals), None
        return (), self._matrix(self._mapping(root, "level_matrix"), names)

    def _matrix(self, node: Node, names: dict[str, list[int]]) -> Matrix:
        s = self.s
        s.keys(node, ("rows", "columns", "table", "mark"), ("text",))
        rows, columns = s.text(node, "rows"), s.words(node, "columns")
        for name in [rows, *columns]:
            if name not in names:
                s.say(node.line, f"“{name}” is no part with levels.", f"Use {', '.join(names)}.")
        table = node.get("table")
        size = len(self.part_levels)
        good = isinstance(table, list) and len(table) == size
        if not good or any(not isinstance(r, list) or len(r) != size or set(r) - set(self.levels) for r in table):
            s.say(
                node.lines.get("table", node.line), f"The table must have {size} rows of {size} levels.",
                "One row a level of the first part, one column a level of the worst other part.",
            )  # fmt: skip
            table = []
        return Matrix(rows, tuple(columns), tuple(tuple(r) for r in table), self._mark(node), s.text(node, "text"))

    # -- changes
    def _change(self, node: Node, flags: set[str], findings: dict[str, Finding], parameters: dict) -> Change:
        s = self.s
        s.keys(node, ("code", "name", "text", "mark"), ("flags", "findings", "counts", "at_least", "to", "worse"))
        named = {k: s.words(node, k) for k in ("flags", "findings", "counts")}
        for name in set(named["flags"]) - flags:
            s.say(node.line, f"No option raises the flag “{name}”.", "Add “flag:” to an option.")
        for key, kinds in (("findings", ("tick", "choice")), ("counts", ("count",))):
            for name in named[key]:
                if name not in findings or findings[name].kind not in kinds:
                    s.say(
                        node.line,
                        f"“{name}” is no finding of this kind.",
                        f"“{key}” name findings that are {kinds[0]}.",
                    )
        if not any(named.values()):
            s.say(node.line, "Nothing leads to this change.", "Give “flags”, “findings” or “counts”.")
        if ("to" in node) == ("worse" in node):
            s.say(node.line, "A change goes “to” a level or is so much “worse”.", "Give one of the two.")
        to = s.text(node, "to")
        if "to" in node and to not in parameters:
            s.say(node.lines["to"], f"There is no parameter “{to}”.", "“to” names a parameter that holds the level.")
        return Change(
            s.code(node, "code", self.codes), s.text(node, "name"), s.text(node, "text"), self._mark(node),
            tuple(named["flags"]), tuple(named["findings"]), tuple(named["counts"]), s.number(node, "at_least", 1), to,
            s.number(node, "worse", 0),
        )  # fmt: skip


def _sums(scores: Iterable[list[int]]) -> set[int]:
    """All totals that can be reached."""
    reached = {0}
    for options in scores:
        reached = {a + b for a in reached for b in options}
    return reached
