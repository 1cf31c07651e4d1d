"""What a room writes to have an import: fields with parsers, checks over the whole file, the writing of good rows."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import BadValue, Invalid, Refused

from .parsers import Parser, text_of
from .reading import Table, normalise_heading

#: Different cells of a column whose value is remembered; beyond that the column has no words worth remembering.
_MEMORY = 20_000
#: Rows between two words about the progress.
STEP = 1000


@dataclass(frozen=True)
class Field:
    """One column the import understands. ``parser`` reads a cell that is not empty; ``synonyms`` are other headings.

    ``choices`` become a dropdown in the template; ``mask`` hides part of a wrong value where it is shown.
    """

    key: str
    label: str
    parser: Parser
    synonyms: tuple[str, ...] = ()
    required: bool = False
    example: str = ""
    hint: str = ""
    choices: tuple[str, ...] = ()
    mask: Callable[[str], str] | None = None

    def headings(self) -> list[str]:
        """Normalised headings that mean this field."""
        return [normalise_heading(h) for h in (self.label, self.key, *self.synonyms)]


@dataclass(frozen=True)
class Option:
    """Something said once for a whole import: what to do with rows known already, of which month a list is.

    ``choices`` (value, label) make it a choice, the first is the default; ``parser`` reads other values, which must be given
    unless ``optional``. ``input_type`` is that of the form's field.
    """

    key: str
    label: str
    choices: tuple[tuple[str, str], ...] = ()
    parser: Callable[[str], Any] | None = None
    input_type: str = "text"
    hint: str = ""
    optional: bool = False

    def read(self, written: str) -> str:
        """The value to keep for ``written``. Raises BadValue."""
        written = written.strip()
        if self.choices:
            if not written:
                return self.choices[0][0]
            if written not in dict(self.choices):
                raise BadValue(_("Choose one of the options."), code="choice.unknown")
        elif not written:
            if not self.optional:
                raise BadValue(_("This is missing. Fill it in."), code="missing")
        elif self.parser:
            self.parser(written)
        return written[:100]


class Fate:
    """What becomes of a row without problems."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    HELD = "held"


@dataclass(slots=True)
class Row:
    """One row of the file: its number in the sheet, its cells, the values read, what is wrong with it, what becomes of it.

    ``known`` is what the room found registered for it (its own kind of value); ``candidates`` ids that it may be.
    """

    number: int
    cells: list[Any]
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[tuple[str, str, str]] = field(default_factory=list)
    fate: str = Fate.NEW
    known: Any = None
    candidates: list[int] = field(default_factory=list)

    def refuse(self, key: str, message: str, code: str) -> None:
        """Say what is wrong in field ``key`` and what to do about it."""
        self.problems.append((key, str(message), code))

    def once(self, seen: dict[tuple[str, Any], int], **keys: Any) -> bool:
        """Whether no good row before this one has one of ``keys`` (field=key); otherwise the row is refused. ``seen`` is shared by the
        rows of a file."""
        for name, key in keys.items():
            if first := seen.get((name, key)):
                self.refuse(name, _("The same stands in row %(n)d. Keep one of the two.") % {"n": first}, "twice")
                return False
        seen |= dict.fromkeys(keys.items(), self.number)
        return True

    def hold(self, key: str, message: str, code: str, candidates: list[int]) -> None:
        """Keep the row for a person to decide: it may be one of ``candidates``."""
        self.fate, self.candidates = Fate.HELD, candidates
        self.problems = [(key, str(message), code)]


class Import(ABC):
    """Base of a room's import. Instances live for one check or commit; ``actor`` and ``today`` are set before use.

    ``kind`` is unique ("people.roster"); ``permission`` is asked at every step. ``settings`` are the values of ``options``.
    """

    kind: ClassVar[str]
    title: ClassVar[str]
    permission: ClassVar[str]
    #: Whether a named source is asked for, under which columns are remembered.
    has_source: ClassVar[bool] = False
    #: Whether the values parsed for the check are kept for the commit: where many rows come and all values are text,
    #: numbers, dates and ID numbers.
    keeps_values: ClassVar[bool] = False

    def __init__(self, actor: Actor, today: date, settings: dict[str, str] | None = None) -> None:
        self.actor = actor
        self.today = today
        self.settings = settings or {}
        self.fields: Sequence[Field] = self.describe()

    @classmethod
    def options(cls) -> Sequence[Option]:
        """What is asked once for the file."""
        return ()

    @abstractmethod
    def describe(self) -> Sequence[Field]:
        """The fields, in the order of the template."""

    def check(self, rows: list[Row]) -> None:  # noqa: B027  many imports have nothing to compare
        """Look at the rows that were read well, all together: ``row.refuse``, ``row.hold``, or set ``row.fate``."""

    @abstractmethod
    def commit(self, rows: list[Row], batch, advance: Callable[[int], None]) -> dict[str, int]:
        """Write ``rows`` (new and changed) in the open transaction with few statements; tell ``advance`` how many are done.

        ``batch.source_of(row)`` is the row's source in words. Returns counts for the result beside those of the fates.
        """

    def settle(self, row: Row, known_id: int | None, batch) -> int | None:
        """Write one held ``row``: as an update of ``known_id``, or as a new record. Returns the record's id."""
        raise Refused(_("This import holds no rows."), code="import.not_held")

    def check_alone(self, row: Row) -> None:
        """Say what else is wrong with a row of which some cell cannot be read, so that one pass names everything."""
        return

    def row_name(self, row: Row) -> str:
        """By what name the list of problems calls the row."""
        return str(row.values.get("name") or "")

    def row_path(self, row: Row) -> str:
        """Path of the region that a held row belongs to."""
        return self.actor.path

    # ------------------------------------------------------------ mechanism
    @classmethod
    def read_settings(cls, given: dict[str, str]) -> dict[str, str]:
        """Values of all options. Raises Invalid per option."""
        settings, errors = {}, {}
        for option in cls.options():
            try:
                settings[option.key] = option.read(str(given.get(option.key) or ""))
            except BadValue as bad:
                errors[option.key] = [f"{option.label}: {bad.message}"]
        if errors:
            raise Invalid(errors, code="import.options")
        return settings

    def known_headings(self) -> set[str]:
        return {h for f in self.fields for h in f.headings()}

    def propose(self, headers: list[str]) -> dict[str, int | None]:
        """Field → column: an equal heading first, then the longest known heading that is part of one."""
        normal = [normalise_heading(h) for h in headers]
        matching: dict[str, int | None] = dict.fromkeys((f.key for f in self.fields), None)
        taken: set[int] = set()
        for f in self.fields:
            at = next((normal.index(h) for h in f.headings() if h in normal and normal.index(h) not in taken), None)
            if at is not None:
                matching[f.key] = at
                taken.add(at)
        parts = sorted(
            (
                (len(h), f.key, at)
                for f in self.fields
                for h in f.headings()
                if len(h) > 1
                for at, n in enumerate(normal)
                if h in n
            ),
            reverse=True,
        )
        for _length, key, at in parts:
            if matching[key] is None and at not in taken:
                matching[key] = at
                taken.add(at)
        return matching

    def signature(self, headers: list[str]) -> str:
        return hashlib.sha256("\x1f".join([self.kind, *map(normalise_heading, headers)]).encode()).hexdigest()

    def read(
        self, table: Table, matching: dict[str, int | None], advance: Callable[[int], None] = lambda n: None
    ) -> list[Row]:
        """Every row with its values or problems; the room's ``check`` has run on the good ones."""
        rows = self.parse(table, matching, advance)
        self.judge(rows)
        return rows

    def judge(self, rows: list[Row]) -> None:
        """Have the room look at what ``parse`` read."""
        for row in rows:
            if row.problems:
                self.check_alone(row)
        self.check([r for r in rows if not r.problems])

    def values_of(self, table: Table, rows: list[Row]) -> list[list[Any] | None]:
        """What ``parse`` made of the rows of ``table``, to be kept with it."""
        keys = [f.key for f in self.fields]
        found = {row.number: [row.values.get(key) for key in keys] for row in rows if not row.problems}
        return [found.get(number) for number, _cells in table.rows]

    def parse(
        self, table: Table, matching: dict[str, int | None], advance: Callable[[int], None] = lambda n: None
    ) -> list[Row]:
        """Every row with the values of its cells, or what is wrong with them."""
        columns = [_Column(f, matching.get(f.key)) for f in self.fields]
        present = [c for c in columns if c.at is not None]
        absent = [c for c in columns if c.at is None and c.field.required]
        example = [(c.at, c.field.example) for c in present if c.field.example]
        keys, kept = [f.key for f in self.fields], table.parsed or [None] * len(table.rows)
        rows = []
        for (number, cells), known in zip(table.rows, kept, strict=True):
            if len(rows) % STEP == STEP - 1:
                advance(STEP)
            if known is not None:
                values = {key: value for key, value in zip(keys, known, strict=True) if value is not None}
                rows.append(Row(number, cells, values))
                continue
            if example and all(at < len(cells) and text_of(cells[at]) == written for at, written in example):
                continue  # the template's own example
            row = Row(number, cells)
            values, width = row.values, len(cells)
            for column in present:
                cell = cells[column.at] if column.at < width else None
                found = column.memory.get(cell, _NEW) if cell is not True and cell is not False else _NEW
                if found is _NEW:
                    found = column.parse(cell)
                if type(found) is BadValue:
                    row.refuse(column.field.key, found.message, found.code)
                elif found is not None:
                    values[column.field.key] = found
            for column in absent:
                row.refuse(column.field.key, _("This is missing. Fill it in."), "missing")
            rows.append(row)
        advance(len(rows) % STEP)
        return rows


_NEW = object()


class _Column:
    """One column on its way: its parser, and what it made of the cells seen so far."""

    __slots__ = ("at", "field", "memory")

    def __init__(self, f: Field, at: int | None) -> None:
        self.field, self.at = f, at
        self.memory: dict[Any, Any] = {}

    def parse(self, cell: Any) -> Any:
        """The value, None for an empty cell, or the BadValue."""
        f = self.field
        written = cell.strip() if type(cell) is str else "" if cell is None else text_of(cell)
        if written in ("", "—", "/"):
            found = BadValue(_("This is missing. Fill it in."), code="missing") if f.required else None
        else:
            try:
                found = f.parser(cell)
            except BadValue as bad:
                found = BadValue(bad.message, code=bad.code)
        if len(self.memory) < _MEMORY and cell is not True and cell is not False:
            self.memory[cell] = found
        return found


IMPORTS: dict[str, type[Import]] = {}


def register(cls: type[Import]) -> type[Import]:
    """Class decorator: make the import known under its ``kind``."""
    IMPORTS[cls.kind] = cls
    return cls
