"""Dated rows out of the database, once for all the days that a piece of work looks at.

A run reads the first and the last day of a month, the day before it, and months that are computed again. What holds on each of these
days is nearly always the same row: all that touch the stretch are read in one statement a source, and a day is chosen from them here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sangyu.engines.columnar import np

from . import columns
from .naming import dated_sql, known_rows, policy_code, source_for, table_of
from .vocabulary import BASES, Fact

if TYPE_CHECKING:
    from .frames import Store

#: Who says nothing of the days to come is read so many around the first one: a month with the days before and after.
AROUND = timedelta(days=62)
_EPOCH = date(1970, 1, 1).toordinal()
_ARRAYS = "array_agg({a}.subject_id), array_agg({a}.valid_from), array_agg(coalesce({a}.valid_to, 'infinity'::date))"
_TOUCHES = "{a}.valid_from <= %(last)s AND ({a}.valid_to IS NULL OR {a}.valid_to > %(first)s)"


def number_of(day: date) -> int:
    """Days since 1970, as the arrays count them."""
    return day.toordinal() - _EPOCH


@dataclass(frozen=True)
class Group:
    """The subjects that have ``value``, each from ``begins`` until before ``ends`` (days since 1970)."""

    value: str
    subjects: np.ndarray
    begins: np.ndarray
    ends: np.ndarray

    def on(self, day: date) -> np.ndarray:
        """Subjects that have it on ``day``."""
        number = number_of(day)
        return self.subjects[(self.begins <= number) & (self.ends > number)]


def flat(groups: Sequence[Group]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Subjects, begins, ends and the place of their group, of all groups together: a word may have a value for every day."""
    none = np.empty(0, np.int64)
    places = np.repeat(np.arange(len(groups), dtype=np.uint32), [len(g.subjects) for g in groups])
    parts = ([g.subjects for g in groups], [g.begins for g in groups], [g.ends for g in groups])
    subjects, begins, ends = (np.concatenate([none, *part]) for part in parts)
    return subjects, begins, ends, places


class DatedRows:
    """The facts and other rooms' words that a store has read. ``span``: first and last day that will be asked for."""

    def __init__(self, store: Store, span: tuple[date, date] | None = None) -> None:
        self.store, self.span = store, span
        self._read: dict[tuple[str, str], tuple[date, date, list[Group]]] = {}

    def of(self, subject: str, names: Iterable[str], first: date, last: date) -> dict[str, list[Group]]:
        """By name what touches the days ``first`` to ``last``, read when it is not there yet."""
        table, names = table_of(subject), list(names)
        missing = [n for n in names if not self._covers(self._read.get((table, n)), first, last)]
        if missing:
            whole = self.span or (first - AROUND, last + AROUND)
            begin, end = min(first, whole[0]), max(last, whole[1])
            for name, groups in self._fetch(subject, missing, begin, end).items():
                self._read[table, name] = begin, end, groups
        return {n: self._read[table, n][2] for n in names}

    @staticmethod
    def _covers(read: tuple[date, date, list[Group]] | None, first: date, last: date) -> bool:
        return read is not None and read[0] <= first and last <= read[1]

    def _fetch(self, subject: str, names: list[str], first: date, last: date) -> dict[str, list[Group]]:
        found: dict[str, list[Group]] = {n: [] for n in names}
        kinds = {source_for(n, subject).kind: n for n in names if isinstance(source_for(n, subject), Fact)}
        span = {"first": first, "last": last}
        if kinds:
            sql = (
                f'SELECT f.kind, f.value, {_ARRAYS.format(a="f")} FROM "{BASES[subject].facts}" f '
                f"WHERE f.kind = ANY(%(kinds)s) AND {self.store.within('f')} AND {known_rows(self.store.known_at)} "
                f"AND {_TOUCHES.format(a='f')} GROUP BY f.kind, f.value"
            )
            for kind, *row in columns.fetch(sql, self.store.values(kinds=list(kinds), **span)):
                found[kinds[kind.decode()]].append(_group(*row))
        for name in found.keys() - kinds.values():
            sql = (
                f"SELECT x.value::text, {_ARRAYS.format(a='x')} FROM ({dated_sql(name, subject)}) x "
                f"WHERE x.value IS NOT NULL AND {self.store.chosen('x')} AND {_TOUCHES.format(a='x')} GROUP BY 1"
            )
            found[name] += [_group(*r) for r in columns.fetch(sql, self.store.values(policy=policy_code(name), **span))]
        return found


def _group(value: bytes, *arrays: Any) -> Group:
    subjects, begins, ends = arrays
    return Group(value.decode(), columns.ids(subjects), columns.days(begins), columns.days(ends))
