"""Dated rows out of the database, once for all the days that a piece of work looks at.

A run reads the first and the last day of a month, the day before it, and months that are computed again. What holds on each of these
days is nearly always the same row: all that touch the stretch are read in one statement a source, and a day is chosen from them here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from sangyu.engines.columnar import np

from . import columns
from .naming import known_rows, policy_code, source_for, table_of, word_of
from .vocabulary import BASES, Dated, Fact

if TYPE_CHECKING:
    from .frames import Store

#: Who says nothing of the days to come is read so many around the first one: a month with the days before and after.
AROUND = timedelta(days=62)
_EPOCH = date(1970, 1, 1).toordinal()
#: Who has which value of which word. Nearly everything holds on all the days that are read: of that no days are sent.
_GATHERED = """
SELECT name, value::text, array_agg(subject_id), array_agg(valid_from) FILTER (WHERE NOT whole), array_agg(until) FILTER (WHERE NOT whole)
  FROM (SELECT r.*, coalesce(valid_to, 'infinity'::date) AS until,
               valid_from <= %(first)s AND (valid_to IS NULL OR valid_to > %(last)s) AS whole
          FROM ({rows}) r WHERE valid_from <= %(last)s AND (valid_to IS NULL OR valid_to > %(first)s)) t
 GROUP BY name, value, whole
"""


def number_of(day: date) -> int:
    """Days since 1970, as the arrays count them."""
    return day.toordinal() - _EPOCH


@dataclass(frozen=True)
class Rows:
    """Of one word: who (places in the store's ids) has which value (place in ``values``), each from ``begins`` until before
    ``ends`` (days since 1970)."""

    values: list[str]
    who: np.ndarray
    which: np.ndarray
    begins: np.ndarray
    ends: np.ndarray

    def on(self, day: date) -> tuple[np.ndarray, np.ndarray]:
        """Who has which value on ``day``."""
        number = number_of(day)
        there = (self.begins <= number) & (self.ends > number)
        return self.who[there], self.which[there]


class DatedRows:
    """The facts and other rooms' words that a store has read. ``span``: first and last day that will be asked for."""

    def __init__(self, store: Store, span: tuple[date, date] | None = None) -> None:
        self.store, self.span = store, span
        self._read: dict[tuple[str, str], tuple[date, date, Rows]] = {}

    def of(self, subject: str, names: Iterable[str], first: date, last: date) -> dict[str, Rows]:
        """By name what touches the days ``first`` to ``last``, read when it is not there yet."""
        table, names = table_of(subject), list(names)
        missing = [n for n in names if not self._covers(self._read.get((table, n)), first, last)]
        if missing:
            whole = self.span or (first - AROUND, last + AROUND)
            begin, end = min(first, whole[0]), max(last, whole[1])
            for name, rows in self._fetch(subject, missing, begin, end).items():
                self._read[table, name] = begin, end, rows
        return {n: self._read[table, n][2] for n in names}

    @staticmethod
    def _covers(read: tuple[date, date, Rows] | None, first: date, last: date) -> bool:
        return read is not None and read[0] <= first and last <= read[1]

    def _fetch(self, subject: str, names: list[str], first: date, last: date) -> dict[str, Rows]:
        store, found = self.store, {n: [] for n in names}
        sources = {n: source_for(n, subject) for n in names}
        if kinds := {source.kind: n for n, source in sources.items() if isinstance(source, Fact)}:
            facts = (
                f'SELECT f.kind AS name, f.value, f.subject_id, f.valid_from, f.valid_to FROM "{BASES[subject].facts}" f '
                f"WHERE f.kind = ANY(%(kinds)s) AND {store.within('f')} AND {known_rows(store.known_at)}"
            )
            values = store.values(kinds=list(kinds), first=first, last=last)
            for kind, *row in columns.fetch(_GATHERED.format(rows=facts), values):
                found[kinds[kind.decode()]].append(row)
        for word, own in groupby(sorted(n for n in names if isinstance(sources[n], Dated)), word_of):
            codes = [policy_code(n) for n in own]
            rows = (
                "SELECT x.policy AS name, x.value, x.subject_id, x.valid_from, x.valid_to "
                f"FROM ({source_for(word, subject).sql}) x WHERE x.value IS NOT NULL AND {store.chosen('x')}"
            )
            values = store.values(policies=codes, first=first, last=last)
            for code, *row in columns.fetch(_GATHERED.format(rows=rows), values):
                found[f"{word}@{code.decode()}"].append(row)
        places = store.places(subject)
        return {n: _rows(places, groups, number_of(first)) for n, groups in found.items()}


def _rows(places: columns.Places, groups: list[list[bytes | None]], first: int) -> Rows:
    """``groups``: value, ids, and their days unless they hold on all of them."""
    groups = sorted(groups, key=itemgetter(0), reverse=True)  # the lowest value last, so that it stands
    ids = [columns.ids(g[1]) for g in groups]
    which = np.repeat(np.arange(len(groups), dtype=np.uint32), [len(i) for i in ids])
    begins = [
        columns.days(g[2]) if g[2] else np.full(len(i), first, np.int32) for g, i in zip(groups, ids, strict=True)
    ]
    ends = [
        columns.days(g[3]) if g[3] else np.full(len(i), columns.NO_DAY, np.int32)
        for g, i in zip(groups, ids, strict=True)
    ]
    who, there = places.of(_joined(ids, np.int64))
    return Rows(
        [g[0].decode() for g in groups],
        who,
        which[there],
        _joined(begins, np.int32)[there],
        _joined(ends, np.int32)[there],
    )


def _joined(parts: list[np.ndarray], kind: type) -> np.ndarray:
    return np.concatenate([np.empty(0, kind), *parts])
