"""Facts out of the database as the tables that the engine reads (docs/adr/0020-policies.md).

``Store`` keeps what it has read: a second reading of the same region asks only for words it has not seen. It lives as long as
one piece of work (a run; an officer's session of what-if), sees what the open scope sees, and never reads a row at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from sangyu.engines.columnar import np, pl
from sangyu.engines.policy.policy import Policy, Reading

from . import columns
from .naming import (
    WITHIN,
    cast,
    closure,
    key_of,
    kind_of,
    own_columns,
    source_for,
    table_of,
    type_of,
    value_of,
)
from .rows import DatedRows
from .segments import Segments
from .vocabulary import BASES, Column, Dated, Fact, Made, source_of


def frames(
    path: str,
    readings: Iterable[Reading],
    known_at: datetime | None = None,
    *,
    policies: Sequence[Policy] = (),
    born_until: date | None = None,
) -> dict[Reading, pl.DataFrame]:
    """The table of each reading, for the subjects of the region ``path`` that the open scope sees, as known at a moment.

    ``policies``: those for which words that differ by policy (the day of an application) are read, each as ``<word>@<code>``.
    ``born_until`` leaves out persons born later (see ``selectors.born_until``).
    """
    store = Store(path, known_at, policies=policies, born_until=born_until)
    return {reading: store.frame(reading) for reading in readings}


class Store:
    """What one piece of work has read of one region."""

    def __init__(
        self,
        path: str,
        known_at: datetime | None = None,
        *,
        policies: Sequence[Policy] = (),
        born_until: date | None = None,
        only: Sequence[int] | None = None,
        span: tuple[date, date] | None = None,
    ) -> None:
        """``span``: the first and last day that will be asked for, when the caller knows (see ``rows``)."""
        self.path, self.known_at, self.policies, self.born_until = path, known_at, tuple(policies), born_until
        #: These persons wherever they belong, instead of those of ``path``; to be read under ``as_system``.
        self.only = None if only is None else sorted(only)
        self.dated = DatedRows(self, span)
        self._bases: dict[str, tuple[np.ndarray, pl.Series]] = {}
        self.series: dict[tuple[str, str, date | None], pl.Series] = {}
        self._places: dict[str, columns.Places] = {}
        self._frames: dict[tuple, pl.DataFrame] = {}
        #: What the session made of these facts; a place for whoever keeps the store.
        self.answers: dict[Any, pl.DataFrame] = {}

    # ------------------------------------------------------------ the tables
    def frame(self, reading: Reading) -> pl.DataFrame:
        """subject_id, from, to (exclusive), path, and a column per word; sorted by subject and day."""
        key = (reading, *self.names_of(reading.subject, reading.terms))
        if key not in self._frames:
            if reading.mode == "segments":
                self._frames[key] = Segments(self, reading).frame()
            else:
                self._frames[key] = self.day_table(
                    reading.subject, reading.day, reading.start, reading.end, reading.terms
                )
        return self._frames[key]

    def day_table(self, subject: str, day: date, start: date, end: date, terms: Iterable[str]) -> pl.DataFrame:
        known, paths = self.base(subject)
        self.load(subject, day, terms)
        fixed = [pl.Series("subject_id", known).set_sorted(), paths]
        read = [self.series[key_of(subject, name, day)].alias(name) for name in self.names_of(subject, terms)]
        span = [pl.lit(start).alias("from"), pl.lit(end).alias("to")]
        return pl.DataFrame([*fixed, *read]).with_columns(*span)

    def names_of(self, subject: str, terms: Iterable[str]) -> list[str]:
        """The columns of ``terms``; a word that differs by policy has one for each policy that reads it."""
        found = []
        for name in sorted(terms):
            asking = sorted({p.code for p in self.policies if p.subject == subject and name in p.terms})
            own = isinstance(source_of(name, subject), Dated)
            found += [f"{name}@{code}" for code in asking] if own else [name]
        return found

    def base(self, subject: str) -> tuple[np.ndarray, pl.Series]:
        """Ids of all subjects of that kind, ascending, and their paths; their dates come with them, in the one scan."""
        kind = table_of(subject)
        if kind not in self._bases:
            dates = [n for n in sorted(own_columns(subject)) if kind_of(n) == "date"]
            exprs = [f"{source_for(n, subject).sql} AS c{i}" for i, n in enumerate(dates)]
            gathered = "".join(f", array_agg(coalesce(s.c{i}, 'infinity'::date))" for i in range(len(dates)))
            rows = columns.fetch(
                f"SELECT s.path, array_agg(s.id){gathered} FROM ({self._subjects(subject, 's.path', *exprs)}) s GROUP BY 1",
                self.values(),
            )
            ids = [columns.ids(row[1]) for row in rows]
            known = np.concatenate([np.empty(0, np.int64), *ids])
            order = np.argsort(known, kind="stable")
            known = known[order]
            names = pl.Series([row[0].decode() for row in rows], dtype=pl.String)
            groups = np.repeat(np.arange(len(rows), dtype=np.uint32), [len(i) for i in ids])
            self._bases[kind] = known, names.gather(groups[order]).alias("path")
            for i, name in enumerate(dates):
                days = columns.days(*(row[2 + i] for row in rows))[order]
                series = self._as_then(subject, name, known, columns.day_series(name, days))
                self.series[key_of(subject, name, None)] = series
        return self._bases[kind]

    def places(self, subject: str) -> columns.Places:
        """Where the ids of ``base`` stand in its columns."""
        kind = table_of(subject)
        if kind not in self._places:
            self._places[kind] = columns.Places(self.base(subject)[0])
        return self._places[kind]

    def _subjects(self, subject: str, *expressions: str) -> str:
        base = BASES[subject]
        young = "AND s.birth_date <= %(born)s" if self.born_until and "birth_date" in own_columns(subject) else ""
        listed = ", ".join(["s.id", *expressions])
        return f'SELECT {listed} FROM "{base.table}" s WHERE {base.where} AND {self.within("s", "id")} {young}'

    def values(self, **more: Any) -> dict[str, Any]:
        return {
            "path": self.path if self.only is None else "", "known": self.known_at, "born": self.born_until,
            "sep": columns.SEPARATOR, "only": self.only, **more,
        }  # fmt: skip

    def within(self, alias: str, subject: str = "subject_id") -> str:
        """Condition for the rows of the subjects that are read."""
        return WITHIN.format(a=alias) if self.only is None else f"{alias}.{subject} = ANY(%(only)s)"

    def chosen(self, alias: str) -> str:
        """The same for a source that looks at ``%(path)s`` itself."""
        return "true" if self.only is None else self.within(alias)

    # ------------------------------------------------------------ columns
    def load(self, subject: str, day: date, terms: Iterable[str]) -> None:
        """Read what is not there yet of ``terms`` as of ``day``."""
        wanted = [
            n for n in self.names_of(subject, closure(terms, subject)) if key_of(subject, n, day) not in self.series
        ]
        dated = [n for n in wanted if isinstance(source_for(n, subject), Fact | Dated)]
        own = [n for n in wanted if isinstance(source_for(n, subject), Column)]
        if own:
            self._load_own(subject, own)
        if dated:
            self._load_at(subject, day, dated)
        for name in wanted:
            if isinstance(source := source_for(name, subject), Made):
                self.series[key_of(subject, name, day)] = self._made(subject, day, name, source)

    def _load_own(self, subject: str, names: list[str]) -> None:
        known, _paths = self.base(subject)
        kinds = {n: kind_of(n) for n in names}
        exprs = [f"{source_for(n, subject).sql} AS c{i}" for i, n in enumerate(names)]
        gathered = ", ".join(
            f"array_agg(coalesce(s.c{i}, 'infinity'::date))"
            if kinds[n] == "date"
            else f"string_agg(coalesce(s.c{i}::text, ''), %(sep)s)"
            for i, n in enumerate(names)
        )
        ((raw, *found),) = columns.fetch(
            f"SELECT array_agg(s.id), {gathered} FROM ({self._subjects(subject, *exprs)}) s", self.values()
        )
        having = columns.ids(raw)
        for name, value in zip(names, found, strict=True):
            if kinds[name] == "date":
                series = columns.day_series(name, columns.days(value))
            else:
                series = cast(columns.texts(value, len(having)), name)
            series = self._as_then(subject, name, having, series)
            self.series[key_of(subject, name, None)] = columns.placed(known, having, series)

    def _load_at(self, subject: str, day: date, names: list[str]) -> None:
        """What facts and words of other rooms are on ``day``."""
        known, _paths = self.base(subject)
        for name, rows in self.dated.of(subject, names, day, day).items():
            values = [value_of(value, kind_of(name)) for value in rows.values]
            column = columns.gathered(name, len(known), values, *rows.on(day), type_of(name))
            self.series[key_of(subject, name, day)] = column

    def _made(self, subject: str, day: date, name: str, source: Made) -> pl.Series:
        _known, paths = self.base(subject)
        needed = [self.series[key_of(subject, n, day)].alias(n) for n in source.needs]
        return (
            pl.DataFrame([paths, *needed])
            .select(source.make(pl.lit(day)).cast(type_of(name), strict=False).alias(name))
            .to_series()
        )

    def _as_then(self, subject: str, name: str, having: np.ndarray, series: pl.Series) -> pl.Series:
        """A column of the subject's own row as it stood at ``known_at``: what the history says was changed since is put back."""
        sql = source_for(name, subject).sql
        if self.known_at is None or not sql.startswith("s.") or not len(having):
            return series
        rows = columns.fetch(
            "SELECT DISTINCT ON (c.row_id) c.row_id, c.fields -> %(field)s ->> 0 FROM kernel_change c "
            "WHERE c.table_name = %(table)s AND c.op = 'U' AND c.at > %(known)s AND c.id > %(since)s AND c.fields ? %(field)s "
            f"AND {self.within('c', 'row_id')} ORDER BY c.row_id, c.id",
            self.values(field=sql[2:], table=BASES[subject].table, since=self._history_since),
        )
        if not rows:
            return series
        then = {
            int.from_bytes(row_id, "big", signed=True): old.decode() if old is not None else None
            for row_id, old in rows
        }
        old = pl.DataFrame(
            {"id": list(then), "old": list(then.values())}, schema={"id": pl.Int64, "old": pl.String}
        ).with_columns(
            pl.col("old").cast(series.dtype, strict=kind_of(name) != "code")
            if series.dtype != pl.Date
            else pl.col("old").str.to_date()
        )
        both = pl.DataFrame([pl.Series("id", having), series.alias("now")]).join(
            old.with_columns(was=pl.lit(True)), on="id", how="left", maintain_order="left"
        )
        return both.select(pl.when(pl.col("was")).then(pl.col("old")).otherwise(pl.col("now"))).to_series().alias(name)

    @cached_property
    def _history_since(self) -> int:
        """A row of the history that is certainly older than ``known_at``; rows come nearly in the order of time."""
        moment = self.known_at - timedelta(hours=1)
        ((low, high),) = columns.fetch("SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM kernel_change", {})
        a, b = (int.from_bytes(x, "big", signed=True) for x in (low, high))
        while b - a > 1000:
            middle = (a + b) // 2
            found = columns.fetch(
                "SELECT (at <= %(m)s)::int::bigint FROM kernel_change WHERE id >= %(id)s ORDER BY id LIMIT 1",
                {"m": moment, "id": middle},
            )
            if found and int.from_bytes(found[0][0], "big"):
                a = middle
            else:
                b = middle
        return a
