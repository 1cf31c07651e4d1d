"""Facts out of the database as the tables that the engine reads (docs/adr/0020-policies.md).

``Store`` keeps what it has read: a second reading of the same region asks only for words it has not seen. It lives as long as
one piece of work (a run; an officer's session of what-if), sees what the open scope sees, and never reads a row at a time.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from sangyu.engines.policy.policy import Reading

from . import columns
from .vocabulary import BASES, Column, Dated, Fact, Made, entries, source_of

_TYPES = {"date": pl.Date, "bool": pl.Boolean, "int": pl.Int64, "fen": pl.Int64, "code": pl.String, "text": pl.String}


def known_rows(known_at: datetime | None) -> str:
    """Condition for the rows of a fact table (alias f) that were known at a moment; None = now."""
    if known_at is None:
        return "f.superseded_at IS NULL"
    return "(f.superseded_at IS NULL OR f.superseded_at > %(known)s) AND f.recorded_at <= %(known)s"


_WITHIN = "{a}.path >= %(path)s AND {a}.path < %(path)s || '~'"


def frames(
    path: str,
    readings: Iterable[Reading],
    known_at: datetime | None = None,
    *,
    policies: Sequence[str] = (),
    born_until: date | None = None,
) -> dict[Reading, pl.DataFrame]:
    """The table of each reading, for the subjects of the region ``path`` that the open scope sees, as known at a moment.

    ``policies``: codes for which words that differ by policy (the day of an application) are read, each as ``<word>@<code>``.
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
        policies: Sequence[str] = (),
        born_until: date | None = None,
    ) -> None:
        self.path, self.known_at, self.policies, self.born_until = path, known_at, tuple(policies), born_until
        self._bases: dict[str, tuple[np.ndarray, pl.Series]] = {}
        self._columns: dict[tuple[str, str, date | None], pl.Series] = {}
        self._frames: dict[tuple, pl.DataFrame] = {}
        #: What the session made of these facts; a place for whoever keeps the store.
        self.answers: dict[Any, pl.DataFrame] = {}

    # ------------------------------------------------------------ the tables
    def frame(self, reading: Reading) -> pl.DataFrame:
        """subject_id, from, to (exclusive), path, and a column per word; sorted by subject and day."""
        key = (reading, reading.terms, self.policies)
        if key not in self._frames:
            if reading.mode == "segments":
                self._frames[key] = _Segments(self, reading).frame()
            else:
                self._frames[key] = self._day(reading.subject, reading.day, reading.start, reading.end, reading.terms)
        return self._frames[key]

    def _day(self, subject: str, day: date, start: date, end: date, terms: Iterable[str]) -> pl.DataFrame:
        known, paths = self.base(subject)
        self.load(subject, day, terms)
        fixed = [pl.Series("subject_id", known), paths]
        read = [self._columns[_key(subject, name, day)].alias(name) for name in self._names(subject, terms)]
        span = [pl.lit(start).alias("from"), pl.lit(end).alias("to")]
        return pl.DataFrame([*fixed, *read]).with_columns(*span)

    def _names(self, subject: str, terms: Iterable[str]) -> list[str]:
        """The columns of ``terms``; a word of its own per policy has one a policy."""
        found = []
        for name in sorted(terms):
            source = source_of(name, subject)
            own = isinstance(source, Dated) and source.of_policy
            found += [f"{name}@{code}" for code in self.policies] if own else [name]
        return found

    def base(self, subject: str) -> tuple[np.ndarray, pl.Series]:
        """Ids of all subjects of that kind, ascending, and their paths; their dates come with them, in the one scan."""
        kind = _table(subject)
        if kind not in self._bases:
            dates = [n for n in sorted(_own_columns(subject)) if entries()[n].term.kind == "date"]
            exprs = [f"{_source(n, subject).sql} AS c{i}" for i, n in enumerate(dates)]
            gathered = "".join(f", array_agg(coalesce(s.c{i}, 'infinity'::date))" for i in range(len(dates)))
            rows = columns.fetch(
                f"SELECT s.path, array_agg(s.id){gathered} FROM ({self._subjects(subject, 's.path', *exprs)}) s GROUP BY 1",
                self._values(),
            )
            ids = [columns.ids(row[1]) for row in rows]
            known = np.concatenate([np.empty(0, np.int64), *ids])
            order = np.argsort(known, kind="stable")
            known = known[order]
            names = pl.Series([row[0].decode() for row in rows], dtype=pl.String)
            groups = np.repeat(np.arange(len(rows), dtype=np.uint32), [len(i) for i in ids])
            self._bases[kind] = known, names.gather(groups[order]).alias("path")
            for i, name in enumerate(dates):
                days = np.concatenate([np.empty(0, np.int32), *(columns.days(row[2 + i]) for row in rows)])[order]
                series = self._as_then(subject, name, known, columns.day_series(name, days))
                self._columns[_key(subject, name, None)] = series
        return self._bases[kind]

    def _subjects(self, subject: str, *expressions: str) -> str:
        base = BASES[subject]
        young = "AND s.birth_date <= %(born)s" if self.born_until and "birth_date" in _own_columns(subject) else ""
        listed = ", ".join(["s.id", *expressions])
        return f'SELECT {listed} FROM "{base.table}" s WHERE {base.where} AND {_WITHIN.format(a="s")} {young}'

    def _values(self, **more: Any) -> dict[str, Any]:
        return {"path": self.path, "known": self.known_at, "born": self.born_until, "sep": columns.SEPARATOR, **more}

    # ------------------------------------------------------------ columns
    def load(self, subject: str, day: date, terms: Iterable[str]) -> None:
        """Read what is not there yet of ``terms`` as of ``day``."""
        wanted = [
            n for n in self._names(subject, closure(terms, subject)) if _key(subject, n, day) not in self._columns
        ]
        facts = [n for n in wanted if isinstance(_source(n, subject), Fact)]
        own = [n for n in wanted if isinstance(_source(n, subject), Column)]
        if own:
            self._load_own(subject, own)
        if facts:
            self._load_facts(subject, day, facts)
        for name in wanted:
            if isinstance(_source(name, subject), Dated):
                self._load_dated(subject, day, name)
        for name in wanted:
            if isinstance(source := _source(name, subject), Made):
                self._columns[_key(subject, name, day)] = self._made(subject, day, name, source)

    def _load_own(self, subject: str, names: list[str]) -> None:
        known, _paths = self.base(subject)
        kinds = {n: entries()[n].term.kind for n in names}
        exprs = [f"{_source(n, subject).sql} AS c{i}" for i, n in enumerate(names)]
        gathered = ", ".join(
            f"array_agg(coalesce(s.c{i}, 'infinity'::date))"
            if kinds[n] == "date"
            else f"string_agg(coalesce(s.c{i}::text, ''), %(sep)s)"
            for i, n in enumerate(names)
        )
        ((raw, *found),) = columns.fetch(
            f"SELECT array_agg(s.id), {gathered} FROM ({self._subjects(subject, *exprs)}) s", self._values()
        )
        having = columns.ids(raw)
        for name, value in zip(names, found, strict=True):
            if kinds[name] == "date":
                series = columns.day_series(name, columns.days(value))
            else:
                series = _cast(columns.texts(value, len(having)), kinds[name])
            series = self._as_then(subject, name, having, series)
            self._columns[_key(subject, name, None)] = columns.placed(known, having, series)

    def _load_facts(self, subject: str, day: date, names: list[str]) -> None:
        known, _paths = self.base(subject)
        kinds = {_source(n, subject).kind: n for n in names}
        rows = columns.fetch(
            f'SELECT f.kind, f.value, array_agg(f.subject_id) FROM "{BASES[subject].facts}" f '
            f"WHERE f.kind = ANY(%(kinds)s) AND {_WITHIN.format(a='f')} AND {known_rows(self.known_at)} "
            "AND f.valid_from <= %(day)s AND (f.valid_to IS NULL OR f.valid_to > %(day)s) GROUP BY f.kind, f.value",
            self._values(kinds=list(kinds), day=day),
        )
        groups: dict[str, list] = {kind: [] for kind in kinds}
        for kind, value, having in rows:
            groups[kind.decode()].append((value.decode(), columns.ids(having)))
        for kind, name in kinds.items():
            self._keep(subject, name, day, known, groups[kind])

    def _load_dated(self, subject: str, day: date, name: str) -> None:
        known, _paths = self.base(subject)
        rows = columns.fetch(
            f"SELECT x.value::text, array_agg(x.subject_id) FROM ({_dated(name, subject)}) x "
            "WHERE x.valid_from <= %(day)s AND (x.valid_to IS NULL OR x.valid_to > %(day)s) GROUP BY 1",
            self._values(day=day, policy=_policy(name)),
        )
        self._keep(
            subject, name, day, known, [(v.decode(), columns.ids(having)) for v, having in rows if v is not None]
        )

    def _keep(
        self, subject: str, name: str, day: date, known: np.ndarray, groups: list[tuple[str, np.ndarray]]
    ) -> None:
        kind = entries()[_word(name)].term.kind
        made = [(_value(value, kind), having) for value, having in groups]
        self._columns[_key(subject, name, day)] = columns.gathered(name, known, made, _TYPES[kind])

    def _made(self, subject: str, day: date, name: str, source: Made) -> pl.Series:
        _known, paths = self.base(subject)
        needed = [self._columns[_key(subject, n, day)].alias(n) for n in source.needs]
        return pl.DataFrame([paths, *needed]).select(source.make(pl.lit(day)).alias(name)).to_series()

    def _as_then(self, subject: str, name: str, having: np.ndarray, series: pl.Series) -> pl.Series:
        """A column of the subject's own row as it stood at ``known_at``: what the history says was changed since is put back."""
        sql = _source(name, subject).sql
        if self.known_at is None or not sql.startswith("s.") or not len(having):
            return series
        rows = columns.fetch(
            "SELECT DISTINCT ON (c.row_id) c.row_id, c.fields -> %(field)s ->> 0 FROM kernel_change c "
            "WHERE c.table_name = %(table)s AND c.op = 'U' AND c.at > %(known)s AND c.id > %(since)s AND c.fields ? %(field)s "
            f"AND {_WITHIN.format(a='c')} ORDER BY c.row_id, c.id",
            self._values(field=sql[2:], table=BASES[subject].table, since=self._history_since()),
        )
        if not rows:
            return series
        then = {
            int.from_bytes(row_id, "big", signed=True): old.decode() if old is not None else None
            for row_id, old in rows
        }
        old = pl.DataFrame(
            {"id": list(then), "old": list(then.values())}, schema={"id": pl.Int64, "old": pl.String}
        ).with_columns(pl.col("old").cast(series.dtype) if series.dtype != pl.Date else pl.col("old").str.to_date())
        both = pl.DataFrame([pl.Series("id", having), series.alias("now")]).join(
            old.with_columns(was=pl.lit(True)), on="id", how="left", maintain_order="left"
        )
        return both.select(pl.when(pl.col("was")).then(pl.col("old")).otherwise(pl.col("now"))).to_series().alias(name)

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


class _Segments:
    """A reading that counts days: a row for every stretch between changes of any word it reads."""

    def __init__(self, store: Store, reading: Reading) -> None:
        self.store, self.reading, self.subject = store, reading, reading.subject
        self.start, self.end = reading.start, reading.end
        self.names = store._names(self.subject, closure(reading.terms, self.subject))
        self.dated = [n for n in self.names if isinstance(_source(n, self.subject), Fact | Dated)]
        self.made = [n for n in self.names if isinstance(_source(n, self.subject), Made)]

    def frame(self) -> pl.DataFrame:
        whole = self.store._day(self.subject, self.start, self.start, self.end, self.reading.terms)
        cuts = self._cuts()
        if cuts.is_empty():
            return whole
        pieces = self._pieces(cuts)
        rows = self._rows(cuts["subject_id"].unique())
        for name in self.dated:
            pieces = self._with_value(pieces, name, rows.filter(pl.col("name") == name))
        pieces = pieces.join(self._own(), on="subject_id", how="left", maintain_order="left")
        for name in self.made:
            pieces = pieces.with_columns(_source(name, self.subject).make(pl.col("from")).alias(name))
        rest = whole.join(cuts.select("subject_id").unique(), on="subject_id", how="anti")
        return pl.concat([rest, pieces.select(whole.columns)]).sort("subject_id", "from")

    def _own(self) -> pl.DataFrame:
        """What does not change: the path and the columns of the subject's own row."""
        known, paths = self.store.base(self.subject)
        own = [n for n in self.names if isinstance(_source(n, self.subject), Column)]
        read = [self.store._columns[_key(self.subject, n, None)].alias(n) for n in own]
        return pl.DataFrame([pl.Series("subject_id", known), paths, *read])

    def _cuts(self) -> pl.DataFrame:
        """subject_id and day of every change inside the stretch."""
        inside = pl.col("day").is_between(self.start, self.end, closed="none")
        known = pl.DataFrame([pl.Series("subject_id", self.store.base(self.subject)[0])])
        found = [pl.DataFrame(schema={"subject_id": pl.Int64, "day": pl.Date})]
        span = {"start": self.start, "end": self.end}
        for _names, sql, more in self._sources():
            for edge in ("valid_from", "valid_to"):
                ((ids, days),) = columns.fetch(
                    f"SELECT array_agg(x.subject_id), array_agg(x.{edge}) FROM ({sql}) x "
                    f"WHERE x.{edge} > %(start)s AND x.{edge} < %(end)s",
                    self.store._values(**span, **more),
                )
                found.append(
                    pl.DataFrame(
                        [
                            pl.Series("subject_id", columns.ids(ids), dtype=pl.Int64),
                            columns.day_series("day", columns.days(days)),
                        ]
                    )
                )
        if "died_on" in self.names:
            found.append(self._own().select("subject_id", day=pl.col("died_on")).filter(inside))
        for name in self.made:
            days = _source(name, self.subject).cuts(self.start, self.end)
            found += [known.with_columns(day=pl.lit(day)) for day in days]
        return pl.concat(found).unique().join(known, on="subject_id", how="semi")

    def _sources(self) -> list[tuple[list[str], str, dict[str, Any]]]:
        """(words, SQL of subject_id, name, value, valid_from, valid_to, its values): all facts at once, then each other source."""
        facts = {_source(n, self.subject).kind: n for n in self.dated if isinstance(_source(n, self.subject), Fact)}
        found: list[tuple[list[str], str, dict[str, Any]]] = []
        if facts:
            sql = (
                "SELECT f.subject_id, f.kind AS name, f.value, f.valid_from, f.valid_to FROM "
                f'"{BASES[self.subject].facts}" f WHERE f.kind = ANY(%(kinds)s) AND {_WITHIN.format(a="f")} AND {known_rows(self.store.known_at)}'
            )
            found.append((list(facts.values()), sql, {"kinds": list(facts)}))
        for name in self.dated:
            if isinstance(_source(name, self.subject), Dated):
                sql = f"SELECT d.*, %(name)s::text AS name FROM ({_dated(name, self.subject)}) d"
                found.append(([name], sql, {"name": name, "policy": _policy(name)}))
        return found

    def _rows(self, changed: pl.Series) -> pl.DataFrame:
        """The dated values that touch the stretch, of the subjects ``changed``: subject_id, name, value, begin, end."""
        kinds = {_source(n, self.subject).kind: n for n in self.dated if isinstance(_source(n, self.subject), Fact)}
        parts = [pl.DataFrame(schema=_ROWS)]
        for _names, sql, more in self._sources():
            ((ids, names, values, begins, ends),) = columns.fetch(
                "SELECT array_agg(x.subject_id), string_agg(x.name, %(sep)s), string_agg(x.value::text, %(sep)s), "
                "array_agg(x.valid_from), array_agg(coalesce(x.valid_to, 'infinity'::date)) "
                f"FROM ({sql}) x JOIN unnest(%(changed)s::bigint[]) c(id) ON c.id = x.subject_id "
                "WHERE x.valid_from < %(end)s AND (x.valid_to IS NULL OR x.valid_to > %(start)s)",
                self.store._values(start=self.start, end=self.end, changed=changed.to_list(), **more),
            )
            known = columns.ids(ids)
            parts.append(
                pl.DataFrame(
                    [
                        pl.Series("subject_id", known, dtype=pl.Int64),
                        columns.texts(names, len(known)).alias("name").replace(kinds),
                        columns.texts(values, len(known)).alias("value"),
                        columns.day_series("begin", columns.days(begins)),
                        columns.day_series("end", columns.days(ends)),
                    ]
                )
            )
        return pl.concat(parts)

    def _pieces(self, cuts: pl.DataFrame) -> pl.DataFrame:
        first = cuts.select("subject_id").unique().with_columns(day=pl.lit(self.start))
        pieces = pl.concat([first, cuts]).sort("subject_id", "day").rename({"day": "from"})
        return pieces.with_columns(to=pl.col("from").shift(-1).over("subject_id").fill_null(self.end))

    def _with_value(self, pieces: pl.DataFrame, name: str, rows: pl.DataFrame) -> pl.DataFrame:
        held = pieces.select("subject_id", "from").join(rows.drop("name"), on="subject_id")
        begun = (pl.col("begin") <= pl.col("from")) & (pl.col("end").is_null() | (pl.col("end") > pl.col("from")))
        held = (
            held.filter(begun).unique(["subject_id", "from"]).select("subject_id", "from", pl.col("value").alias(name))
        )
        found = pieces.join(held, on=["subject_id", "from"], how="left", maintain_order="left")
        return found.with_columns(_cast(found[name], entries()[_word(name)].term.kind).alias(name))


_ROWS = {"subject_id": pl.Int64, "name": pl.String, "value": pl.String, "begin": pl.Date, "end": pl.Date}


# ---------------------------------------------------------------- names
def _word(name: str) -> str:
    return name.partition("@")[0]


def _policy(name: str) -> str:
    return name.partition("@")[2]


def _source(name: str, subject: str):
    return source_of(_word(name), subject)


def _dated(name: str, subject: str) -> str:
    return _source(name, subject).sql


def _table(subject: str) -> str:
    """Kinds of subject with the same rows share them."""
    return BASES[subject].table + BASES[subject].where


def _own_columns(subject: str) -> set[str]:
    return {n for n, e in entries().items() if isinstance(e.sources.get(subject), Column)}


def _key(subject: str, name: str, day: date | None) -> tuple[str, str, date | None]:
    """Columns of the subject's own row are the same on every day."""
    return _table(subject), name, None if isinstance(_source(name, subject), Column) else day


def closure(terms: Iterable[str], subject: str) -> list[str]:
    """``terms`` and the words they are made of, those first."""
    found: dict[str, None] = {}

    def add(name: str) -> None:
        source = source_of(name, subject)
        for needed in source.needs if isinstance(source, Made) else ():
            add(needed)
        found[name] = None

    for name in sorted(terms):
        add(name)
    return list(found)


def _value(text: str, kind: str) -> Any:
    match kind:
        case "bool":
            return text in ("yes", "true", "t", "1")
        case "int" | "fen":
            return int(text)
        case "date":
            return date.fromisoformat(text)
    return text


def _cast(series: pl.Series, kind: str) -> pl.Series:
    """Texts as values of ``kind``."""
    match kind:
        case "bool":
            return pl.select(
                pl.when(series.is_null()).then(None).otherwise(series.is_in(["yes", "true", "t", "1"]))
            ).to_series()
        case "int" | "fen":
            return series.cast(pl.Int64)
        case "date":
            return series.str.to_date()
    return series
