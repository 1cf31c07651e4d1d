"""What a merge does with the rows that point at the two sides. A room declares it in its ``merging.py``::

    merge_rules = {"people.Person": [Move("orders.Order", "person"), Stay("settlement.StatementLine", "person_id", "…")]}

A rule only plans: it reads rows of both sides and says what to write, so a preview costs nothing. A guard test demands a
rule for each foreign key to the kind and each opaque column that holds its ids.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, ClassVar

from django.apps import apps
from django.db import connection, models

Row = dict[str, Any]


@dataclass
class Case:
    """One merge: ``gone`` goes into ``kept``. ``path`` is where the kept one belongs afterwards; ``prefer`` holds what the
    reviewer took from the gone side ("facts.living"). ``stayed``: model → {row of gone that stays: row of kept in its way}.
    """

    kept: int
    gone: int
    path: str
    now: datetime
    prefer: frozenset[str] = frozenset()
    stayed: dict[str, dict[int, int]] = field(default_factory=dict)


@dataclass
class Plan:
    """What a merge would write. ``patches``: model → row → {column: JSON value}; ``new``: model → whole rows."""

    patches: dict[str, dict[int, Row]] = field(default_factory=dict)
    new: dict[str, list[Row]] = field(default_factory=dict)
    moved: dict[str, int] = field(default_factory=dict)
    left: list[dict[str, Any]] = field(default_factory=list)
    conflicts: list[dict[str, Any]] = field(default_factory=list)

    def patch(self, label: str, row_id: int, columns: Row) -> None:
        self.patches.setdefault(label, {}).setdefault(row_id, {}).update(columns)

    def count(self, label: str, n: int) -> None:
        if n:
            self.moved[label] = self.moved.get(label, 0) + n

    def leave(self, label: str, row_id: int, why: str) -> None:
        """Row ``row_id`` stays with the gone one: ``why`` is a code ("taken")."""
        self.left.append({"model": label, "row": row_id, "why": why})


def read(model: type[models.Model], condition: Row) -> list[Row]:
    """Rows as JSON, in the order of their ids; ``condition`` maps column → value."""
    where = " AND ".join(f'"{c}" = %s' for c in condition)
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT to_jsonb(t) FROM "{model._meta.db_table}" t WHERE {where} ORDER BY id', list(condition.values())
        )
        return [_json(row) for (row,) in cursor.fetchall()]


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


class Rule(ABC):
    """Base: one column of one model that points at the kind."""

    model: str
    column: str

    @abstractmethod
    def plan(self, case: Case, plan: Plan) -> None:
        """Put what a merge does with the column's rows into ``plan``."""

    # -- what undo must know of the model's rows
    #: Columns that are put back together or not at all.
    together: tuple[tuple[str, ...], ...] = ()
    #: Columns whose later change is no obstacle: derived ones, ciphertext beside its index, the path beside its owner.
    loose: frozenset[str] = frozenset()
    #: SQL condition on a row ``t`` that still counts: such a row must not be left with the gone one. "" = none may count.
    live: ClassVar[str] = ""

    def table(self) -> type[models.Model]:
        return apps.get_model(self.model)

    def pointer(self) -> str:
        """The database column."""
        return self.table()._meta.get_field(self.column).column


@dataclass(frozen=True)
class Move(Rule):
    """Rows of the gone one go to the kept one. A row for which the kept one has its own (a unique constraint) stays.

    A row that follows (``PlaceRow.follows``, or ``along``) takes on the path of the kept one. ``where`` limits the rule.
    """

    model: str
    column: str
    along: bool = False
    where: tuple[tuple[str, Any], ...] = ()
    live: ClassVar[str] = "true"

    @property
    def follows(self) -> bool:
        return self.along or getattr(self.table(), "follows", "") == self.column

    @property
    def together(self):
        return ((self.pointer(), "path"),) if self.follows else ()

    @property
    def loose(self):
        return frozenset({"path"}) if self.follows else frozenset()

    def plan(self, case: Case, plan: Plan) -> None:
        model, column = self.table(), self.pointer()
        taken = self.collisions(case)
        case.stayed.setdefault(self.model, {}).update(taken)
        rows = read(model, {column: case.gone, **dict(self.where)})
        for row in rows:
            if row["id"] in taken:
                plan.leave(self.model, row["id"], "taken")
            else:
                plan.patch(self.model, row["id"], {column: case.kept} | ({"path": case.path} if self.follows else {}))
        plan.count(self.model, len(rows) - len(taken))
        if self.follows:
            for row in read(model, {column: case.kept, **dict(self.where)}):
                if row["path"] != case.path:
                    plan.patch(self.model, row["id"], {"path": case.path})

    def collisions(self, case: Case) -> dict[int, int]:
        """Rows of the gone one for which a unique constraint leaves no place → the kept one's row in the way."""
        model, found = self.table(), {}
        for names, condition, nulls_equal in _unique(model, self.column):
            rest = [model._meta.get_field(n).attname for n in names if n != self.column]
            keys: dict[int, dict[tuple, int]] = {}
            for side in (case.kept, case.gone):
                rows = model._base_manager.filter(**{self.column: side}, **dict(self.where))
                rows = rows.filter(condition) if condition is not None else rows
                keys[side] = {tuple(map(_hashable, key)): pk for pk, *key in rows.values_list("pk", *rest)}
            for key, pk in keys[case.gone].items():
                if key in keys[case.kept] and (nulls_equal or None not in key):
                    found[pk] = keys[case.kept][key]
        return found


def _hashable(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def _unique(model: type[models.Model], column: str) -> Iterator[tuple[list[str], Any, bool]]:
    """(fields, condition, whether NULLs are equal) of the unique constraints that ``column`` takes part in."""
    if model._meta.get_field(column).unique:
        yield [column], None, False
    for names in model._meta.unique_together:
        if column in names:
            yield list(names), None, False
    for c in model._meta.constraints:
        if isinstance(c, models.UniqueConstraint) and column in c.fields:
            yield list(c.fields), c.condition, c.nulls_distinct is False


@dataclass(frozen=True)
class Stay(Rule):
    """Rows keep what they say; ``why`` is for the reader (a frozen statement, a log)."""

    model: str
    column: str
    why: str

    def plan(self, case: Case, plan: Plan) -> None:
        return None


@dataclass(frozen=True)
class Facts(Rule):
    """Dated facts (``kernel.facts``): the winner's stay as they are, the other's fill the days on which it says nothing.

    The kept side wins, or the gone one for kinds in ``case.prefer`` ("facts.<kind>"). Rows of the gone one are superseded and
    stay with it: what was known of each file on a past day can still be read. Copies are known from now on.
    """

    model: str
    column: str = "subject"
    together: tuple[tuple[str, ...], ...] = ()
    loose: frozenset[str] = frozenset({"path"})
    live: ClassVar[str] = "t.superseded_at IS NULL"

    def plan(self, case: Case, plan: Plan) -> None:
        model, column = self.table(), self.pointer()
        own = read(model, {column: case.kept})
        for row in own:
            if row["path"] != case.path:
                plan.patch(self.model, row["id"], {"path": case.path})
        kept = _by_kind(own)
        gone = _by_kind(read(model, {column: case.gone}))
        now = case.now.isoformat()
        for kind, rows in gone.items():
            mine = kept.get(kind, [])
            self._conflicts(kind, mine, rows, plan)
            made: list[Row] = []
            if f"facts.{kind}" in case.prefer:
                made += [dict(r) for r in rows]
                for row in mine:
                    if any(_overlap(row, r) for r in rows):
                        plan.patch(self.model, row["id"], {"superseded_at": now})
                        made += _minus(row, rows)
            else:
                made += [piece for row in rows for piece in _minus(row, mine)]
            for row in rows:
                plan.patch(self.model, row["id"], {"superseded_at": now})
            fresh = {column: case.kept, "path": case.path, "recorded_at": now, "superseded_at": None}
            plan.new.setdefault(self.model, []).extend({**r, **fresh} for r in made)
            plan.count(self.model, len(rows))

    def _conflicts(self, kind: str, mine: list[Row], theirs: list[Row], plan: Plan) -> None:
        for a in mine:
            for b in theirs:
                if a["value"] != b["value"] and _overlap(a, b):
                    plan.conflicts.append({"kind": kind, "kept": _stated(a), "gone": _stated(b)})


def _stated(row: Row) -> Row:
    return {k: row[k] for k in ("value", "valid_from", "valid_to", "source")}


_END = "9999-99-99"


def _by_kind(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Live rows by kind, earliest first."""
    found: dict[str, list[Row]] = {}
    for row in sorted((r for r in rows if r["superseded_at"] is None), key=lambda r: r["valid_from"]):
        found.setdefault(row["kind"], []).append(row)
    return found


def _overlap(a: Row, b: Row) -> bool:
    return a["valid_from"] < (b["valid_to"] or _END) and b["valid_from"] < (a["valid_to"] or _END)


def _minus(row: Row, others: list[Row]) -> list[Row]:
    """What of ``row`` lies outside ``others`` (earliest first, without overlap)."""
    pieces, start = [], row["valid_from"]
    for other in others:
        if not _overlap(row, other):
            continue
        if other["valid_from"] > start:
            pieces.append({**row, "valid_from": start, "valid_to": other["valid_from"]})
        if other["valid_to"] is None:
            return pieces
        start = max(start, other["valid_to"])
    if start < (row["valid_to"] or _END):
        pieces.append({**row, "valid_from": start})
    return pieces


# ---------------------------------------------------------------- what the rooms declare
def kinds() -> list[str]:
    """What can be merged, in app order."""
    found: dict[str, None] = {}
    for config in apps.get_app_configs():
        if config.name.startswith("sangyu.") and find_spec(f"{config.name}.merging"):
            found |= dict.fromkeys(getattr(import_module(f"{config.name}.merging"), "merge_rules", {}))
    return list(found)


@cache
def rules_of(kind: str) -> tuple[Rule, ...]:
    """All rules for ``kind`` ("people.Person"), in app order: a rule may look at what earlier ones left behind."""
    found: list[Rule] = []
    for config in apps.get_app_configs():
        if config.name.startswith("sangyu.") and find_spec(f"{config.name}.merging"):
            found += getattr(import_module(f"{config.name}.merging"), "merge_rules", {}).get(kind, [])
    return tuple(found)
