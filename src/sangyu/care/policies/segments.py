"""Tables that count days: a row for every stretch between changes of any word that is read."""

from typing import TYPE_CHECKING, Any

import polars as pl

from sangyu.engines.policy.policy import Reading

from . import columns
from .naming import cast, closure, dated_sql, key_of, known_rows, policy_code, source_for, type_of
from .vocabulary import BASES, Column, Dated, Fact, Made

if TYPE_CHECKING:
    from .frames import Store

_ROWS = {"subject_id": pl.Int64, "name": pl.String, "value": pl.String, "begin": pl.Date, "end": pl.Date}


class Segments:
    """A reading that counts days: a row for every stretch between changes of any word it reads."""

    def __init__(self, store: "Store", reading: Reading) -> None:
        self.store, self.reading, self.subject = store, reading, reading.subject
        self.start, self.end = reading.start, reading.end
        self.names = store.names_of(self.subject, closure(reading.terms, self.subject))
        self.dated = [n for n in self.names if isinstance(source_for(n, self.subject), Fact | Dated)]
        self.made = [n for n in self.names if isinstance(source_for(n, self.subject), Made)]

    def frame(self) -> pl.DataFrame:
        whole = self.store.day_table(self.subject, self.start, self.start, self.end, self.reading.terms)
        cuts = self._cuts()
        if cuts.is_empty():
            return whole
        pieces = self._pieces(cuts)
        rows = self._rows(cuts["subject_id"].unique())
        for name in self.dated:
            pieces = self._with_value(pieces, name, rows.filter(pl.col("name") == name))
        pieces = pieces.join(self._own(), on="subject_id", how="left", maintain_order="left")
        for name in self.made:
            pieces = pieces.with_columns(
                source_for(name, self.subject).make(pl.col("from")).cast(type_of(name), strict=False).alias(name)
            )
        rest = whole.join(cuts.select("subject_id").unique(), on="subject_id", how="anti")
        return pl.concat([rest, pieces.select(whole.columns)]).sort("subject_id", "from")

    def _own(self) -> pl.DataFrame:
        """What does not change: the path and the columns of the subject's own row."""
        known, paths = self.store.base(self.subject)
        own = [n for n in self.names if isinstance(source_for(n, self.subject), Column)]
        read = [self.store.series[key_of(self.subject, n, None)].alias(n) for n in own]
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
                    self.store.values(**span, **more),
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
            days = source_for(name, self.subject).cuts(self.start, self.end)
            found += [known.with_columns(day=pl.lit(day)) for day in days]
        return pl.concat(found).unique().join(known, on="subject_id", how="semi")

    def _sources(self) -> list[tuple[list[str], str, dict[str, Any]]]:
        """(words, SQL of subject_id, name, value, valid_from, valid_to, its values): all facts at once, then each other source."""
        facts = {
            source_for(n, self.subject).kind: n for n in self.dated if isinstance(source_for(n, self.subject), Fact)
        }
        found: list[tuple[list[str], str, dict[str, Any]]] = []
        if facts:
            sql = (
                "SELECT f.subject_id, f.kind AS name, f.value, f.valid_from, f.valid_to FROM "
                f'"{BASES[self.subject].facts}" f WHERE f.kind = ANY(%(kinds)s) AND {self.store.within("f")} AND {known_rows(self.store.known_at)}'
            )
            found.append((list(facts.values()), sql, {"kinds": list(facts)}))
        for name in self.dated:
            if isinstance(source_for(name, self.subject), Dated):
                sql = f"SELECT d.*, %(name)s::text AS name FROM ({dated_sql(name, self.subject)}) d WHERE {self.store.chosen('d')}"
                found.append(([name], sql, {"name": name, "policy": policy_code(name)}))
        return found

    def _rows(self, changed: pl.Series) -> pl.DataFrame:
        """The dated values that touch the stretch, of the subjects ``changed``: subject_id, name, value, begin, end."""
        kinds = {
            source_for(n, self.subject).kind: n for n in self.dated if isinstance(source_for(n, self.subject), Fact)
        }
        parts = [pl.DataFrame(schema=_ROWS)]
        for _names, sql, more in self._sources():
            ((ids, names, values, begins, ends),) = columns.fetch(
                "SELECT array_agg(x.subject_id), string_agg(x.name, %(sep)s), string_agg(x.value::text, %(sep)s), "
                "array_agg(x.valid_from), array_agg(coalesce(x.valid_to, 'infinity'::date)) "
                f"FROM ({sql}) x JOIN unnest(%(changed)s::bigint[]) c(id) ON c.id = x.subject_id "
                "WHERE x.valid_from < %(end)s AND (x.valid_to IS NULL OR x.valid_to > %(start)s)",
                self.store.values(start=self.start, end=self.end, changed=changed.to_list(), **more),
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
        return found.with_columns(cast(found[name], name).alias(name))
