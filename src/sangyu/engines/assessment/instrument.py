"""An instrument as read from its file. All texts are the officer's language; codes are stored and never change."""

from dataclasses import dataclass, field
from datetime import date

#: How sure a rule is: agreed by several published copies; one copy; general knowledge, check the official text.
MARKS = ("V", "V1", "G")


@dataclass(frozen=True)
class Parameter:
    """A reading that the text of the scale leaves open: its value here, and why."""

    name: str
    label: str
    value: str
    values: dict[str, str]
    mark: str
    note: str = ""


@dataclass(frozen=True)
class Option:
    """One answer. ``value`` is stored; ``flag`` is raised by choosing it ("coma")."""

    value: str
    score: int
    text: str
    flag: str = ""


@dataclass(frozen=True)
class Item:
    code: str
    name: str
    options: tuple[Option, ...]
    mark: str = "V"
    help: str = ""

    @property
    def scores(self) -> list[int]:
        return sorted({o.score for o in self.options})

    @property
    def most(self) -> int:
        return max(self.scores)

    def option(self, value: str) -> Option | None:
        return next((o for o in self.options if o.value == value), None)


@dataclass(frozen=True)
class Condition:
    """So many (``least`` … ``most``) of the ``names`` have a value in ``among``; names are items or parts."""

    names: tuple[str, ...]
    among: frozenset[int]
    least: int = 1
    most: int = 99

    def holds(self, values: dict[str, int]) -> bool:
        return self.least <= sum(values[n] in self.among for n in self.names) <= self.most


@dataclass(frozen=True)
class LevelRule:
    """One way to a level: a span of the total (``low`` … ``high``) or conditions that all hold. ``line`` in the file."""

    code: str
    level: int
    text: str
    mark: str
    low: int | None = None
    high: int | None = None
    all_of: tuple[Condition, ...] = ()
    line: int = 0

    def holds(self, total: int, values: dict[str, int]) -> bool:
        if self.low is not None:
            return self.low <= total <= self.high
        return all(c.holds(values) for c in self.all_of)


@dataclass(frozen=True)
class Matrix:
    """A table of two part levels: ``rows`` names one part, ``columns`` several of which the worst counts."""

    rows: str
    columns: tuple[str, ...]
    table: tuple[tuple[int, ...], ...]
    mark: str
    text: str


@dataclass(frozen=True)
class Part:
    code: str
    name: str
    items: tuple[Item, ...]
    rules: tuple[LevelRule, ...] = ()
    mark: str = "V"

    @property
    def most(self) -> int:
        return sum(i.most for i in self.items)

    @property
    def least(self) -> int:
        return sum(min(i.scores) for i in self.items)


@dataclass(frozen=True)
class Finding:
    """Something asked besides the scored items: ``tick`` (yes/no), ``count`` (0–3, 3 = three or more) or ``choice``."""

    code: str
    name: str
    kind: str
    choices: dict[str, str] = field(default_factory=dict)
    group: str = ""


@dataclass(frozen=True)
class Change:
    """A change of the preliminary level: to a level (``to``, from a parameter) or ``worse`` by so many classes."""

    code: str
    name: str
    text: str
    mark: str
    flags: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()
    at_least: int = 1
    to: str = ""
    worse: int = 0


@dataclass(frozen=True)
class Instrument:
    """One version of a scale. ``levels`` are the classes from best to worst: code (0 = best) → name."""

    code: str
    name: str
    document: str
    purpose: str
    valid_from: date
    valid_to: date | None
    parts: tuple[Part, ...]
    levels: dict[int, str]
    part_levels: dict[int, str]
    rules: tuple[LevelRule, ...]
    matrix: Matrix | None
    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]
    parameters: dict[str, Parameter]
    fixed_levels: frozenset[int]
    reassess_months: int
    publicity_days: int
    assessors: int
    qualified: int
    notes: tuple[str, ...] = ()

    @property
    def items(self) -> dict[str, Item]:
        return {i.code: i for p in self.parts for i in p.items}

    @property
    def worst(self) -> int:
        return max(self.levels)

    @property
    def most(self) -> int:
        return sum(p.most for p in self.parts)

    def parameter(self, name: str, changed: dict[str, str] | None = None) -> str:
        """The value in force: ``changed`` over the file's."""
        return (changed or {}).get(name, self.parameters[name].value)

    def on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)
