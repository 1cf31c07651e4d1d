"""Tables that count days: a row for every stretch between changes of any word that is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sangyu.engines.columnar import np, pl
from sangyu.engines.policy.policy import Reading

from . import columns
from .naming import cast, closure, key_of, source_for, type_of
from .rows import Rows, number_of
from .vocabulary import Column, Dated, Fact, Made

if TYPE_CHECKING:
    from .frames import Store


class Segments:
    """A reading that counts days: a row for every stretch between changes of any word it reads."""

    def __init__(self, store: Store, reading: Reading) -> None:
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
        changed = cuts["subject_id"].unique()
        for name in self.dated:
            pieces = self._with_value(pieces, name, self._rows(name, changed))
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
        ids, _paths = self.store.base(self.subject)
        known = pl.DataFrame([pl.Series("subject_id", ids)])
        found = [pl.DataFrame(schema={"subject_id": pl.Int64, "day": pl.Date})]
        first, last = number_of(self.start), number_of(self.end)
        for rows in self._dated().values():
            for edge in (rows.begins, rows.ends):
                there = (edge > first) & (edge < last)
                found.append(self._days(ids[rows.who[there]], edge[there]))
        if "died_on" in self.names:
            found.append(self._own().select("subject_id", day=pl.col("died_on")).filter(inside))
        for name in self.made:
            days = source_for(name, self.subject).cuts(self.start, self.end)
            found += [known.with_columns(day=pl.lit(day)) for day in days]
        return pl.concat(found).unique().join(known, on="subject_id", how="semi")

    def _dated(self) -> dict[str, Rows]:
        return self.store.dated.of(self.subject, self.dated, self.start, self.end)

    @staticmethod
    def _days(subjects: np.ndarray, days: np.ndarray) -> pl.DataFrame:
        return pl.DataFrame([pl.Series("subject_id", subjects, dtype=pl.Int64), columns.day_series("day", days)])

    def _rows(self, name: str, changed: pl.Series) -> pl.DataFrame:
        """The values of ``name`` that touch the stretch, of the subjects ``changed``: subject_id, value, begin, end."""
        rows, ids = self._dated()[name], self.store.base(self.subject)[0]
        there = (rows.begins < number_of(self.end)) & (rows.ends > number_of(self.start))
        there &= np.isin(ids, changed.to_numpy())[rows.who]
        begun = self._days(ids[rows.who[there]], rows.begins[there]).rename({"day": "begin"})
        words = pl.Series("value", rows.values, dtype=pl.String).gather(rows.which[there])
        return begun.with_columns(columns.day_series("end", rows.ends[there]), words)

    def _pieces(self, cuts: pl.DataFrame) -> pl.DataFrame:
        first = cuts.select("subject_id").unique().with_columns(day=pl.lit(self.start))
        pieces = pl.concat([first, cuts]).sort("subject_id", "day").rename({"day": "from"})
        return pieces.with_columns(to=pl.col("from").shift(-1).over("subject_id").fill_null(self.end))

    def _with_value(self, pieces: pl.DataFrame, name: str, rows: pl.DataFrame) -> pl.DataFrame:
        held = pieces.select("subject_id", "from").join(rows, on="subject_id")
        begun = (pl.col("begin") <= pl.col("from")) & (pl.col("end").is_null() | (pl.col("end") > pl.col("from")))
        held = (
            held.filter(begun).unique(["subject_id", "from"]).select("subject_id", "from", pl.col("value").alias(name))
        )
        found = pieces.join(held, on=["subject_id", "from"], how="left", maintain_order="left")
        return found.with_columns(cast(found[name], name).alias(name))
