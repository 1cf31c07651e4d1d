"""What a room writes to have an import: fields with parsers, checks over the whole file, the writing of good rows."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import BadValue

from .parsers import Parser, text_of
from .reading import Table, normalise_heading


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


@dataclass(slots=True)
class Row:
    """One row of the file: its number in the sheet, its cells, the values read, and what is wrong with it."""

    number: int
    cells: list[Any]
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[tuple[str, str, str]] = field(default_factory=list)

    def refuse(self, key: str, message: str, code: str) -> None:
        """Say what is wrong in field ``key`` and what to do about it."""
        self.problems.append((key, str(message), code))


class Import:
    """Base of a room's import. Instances live for one check or commit; ``actor`` and ``today`` are set before use.

    ``kind`` is unique ("people.roster"); ``permission`` is asked at every step.
    """

    kind: ClassVar[str]
    title: ClassVar[str]
    permission: ClassVar[str]

    def __init__(self, actor: Actor, today: date) -> None:
        self.actor = actor
        self.today = today
        self.fields: Sequence[Field] = self.describe()

    def describe(self) -> Sequence[Field]:
        """The fields, in the order of the template."""
        raise NotImplementedError

    def check(self, rows: list[Row]) -> None:
        """Look at the rows that were read well, all together; ``row.refuse`` those that cannot be taken."""

    def commit(self, rows: list[Row], batch, advance: Callable[[int], None]) -> dict[str, int]:
        """Write ``rows`` in the open transaction with few statements; tell ``advance`` how many are done.

        Returns counts for the result, at least {"new": n}.
        """
        raise NotImplementedError

    def row_name(self, row: Row) -> str:
        """By what name the list of problems calls the row."""
        return str(row.values.get("name") or "")

    # ------------------------------------------------------------ mechanism
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
        columns = [(f, matching.get(f.key)) for f in self.fields]
        rows = []
        example = [(at, f.example) for f, at in columns if f.example and at is not None]
        for number, cells in table.rows:
            if example and all(at < len(cells) and text_of(cells[at]) == written for at, written in example):
                continue  # the template's own example
            row = Row(number, cells)
            for f, at in columns:
                self._read_cell(row, f, cells[at] if at is not None and at < len(cells) else None)
            rows.append(row)
            advance(1)
        self.check([r for r in rows if not r.problems])
        return rows

    def _read_cell(self, row: Row, f: Field, cell: Any) -> None:
        if cell is None or cell == "" or text_of(cell) in ("", "—", "/"):
            if f.required:
                row.refuse(f.key, _("This is missing. Fill it in."), "missing")
            return
        try:
            row.values[f.key] = f.parser(cell)
        except BadValue as bad:
            row.refuse(f.key, bad.message, bad.code)


IMPORTS: dict[str, type[Import]] = {}


def register(cls: type[Import]) -> type[Import]:
    """Class decorator: make the import known under its ``kind``."""
    IMPORTS[cls.kind] = cls
    return cls
