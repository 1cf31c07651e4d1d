"""Where the expressions go: narwhals in general; Polars by its own names when the tables are Polars.

The two say the same with the same words. Spelling an expression through narwhals costs Python time that is longer than Polars needs
for a whole county, so what runs here every day goes without the detour.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

import narwhals

from sangyu.engines.columnar import pl


@lru_cache(maxsize=4096, typed=True)
def _literal(value: Any, dtype: Any) -> pl.Expr:
    # Of a number with a type Polars would make a column of one row, which takes ten times as long as a cast that it folds away.
    return pl.lit(value) if dtype is None else pl.lit(value).cast(dtype)


@lru_cache(maxsize=1024)
def _word(value: str) -> pl.Expr:
    return pl.lit(value).cast(pl.Categorical)


class _Polars:
    """The names of narwhals that the engine uses, as Polars has them. The same few columns and numbers come back again and again."""

    col = staticmethod(lru_cache(maxsize=1024)(lambda *names: pl.col(*names)))

    def lit(self, value: Any, dtype: Any = None) -> pl.Expr:
        return _literal(value, dtype)

    def __getattr__(self, name: str) -> Any:
        return getattr(pl, name)


_POLARS = _Polars()

_current: ContextVar[Any] = ContextVar("policy_frames", default=narwhals)


class _Frames:
    """The namespace in use; a Polars table without narwhals around it chooses Polars."""

    def __getattr__(self, name: str) -> Any:
        return getattr(_current.get(), name)

    def choose(self, tables: list[Any], direct: bool) -> None:
        plain = direct and all(isinstance(t, pl.DataFrame | pl.LazyFrame) for t in tables)
        _current.set(_POLARS if plain else narwhals)

    @property
    def engine(self) -> Any:
        """What expressions made now belong to."""
        return _current.get()

    def word(self, value: str) -> Any:
        """A text that repeats down a column: Polars keeps four bytes a row of it."""
        return _word(value) if _current.get() is _POLARS else narwhals.lit(value)

    def lazy(self, table: Any) -> Any:
        return table.lazy() if _current.get() is _POLARS else narwhals.from_native(table).lazy()

    def kept(self, table: Any, mark: str, columns: Sequence[str]) -> Any:
        """``columns`` of the rows that have the mark."""
        if _current.get() is _POLARS:
            # Column by column: a whole frame Polars cuts up and puts together again, which takes longer than to filter it.
            return table.select(pl.col(columns).filter(pl.col(mark)))
        return table.filter(self.col(mark)).select(*columns)

    def beside(self, left: Any, right: Any) -> Any:
        """``left`` with the columns of ``right``, which has a subject once; where tables have an order, in its own."""
        if not isinstance(left, pl.LazyFrame):
            return left.join(right, on="subject_id", how="left")
        # Only the subject goes through the join: to move whole lines would take longer than all else.
        found = left.select("subject_id").join(right, on="subject_id", how="left", maintain_order="left")
        return pl.concat([left, found.drop("subject_id")], how="horizontal")

    def worked(self, tables: Sequence[Any]) -> list[Any]:
        """Polars works all tables off at once and keeps what comes out for the next step; elsewhere they stay a plan."""
        if not tables or not self._is_polars(tables[0]):
            return list(tables)
        return [self.lazy(t) for t in self._collected(tables)]

    def finished(self, tables: Sequence[Any]) -> Any:
        """All rows of ``tables``, one table after the other, as their owner knows it: Polars as a DataFrame."""
        if self._is_polars(tables[0]):
            return pl.concat(self._collected(tables))
        return self._native(self.concat(tables, how="vertical"))

    def _collected(self, tables: Sequence[Any]) -> list[pl.DataFrame]:
        # The plans are short and the tables fit into memory: to stream them costs more than it saves.
        return pl.collect_all([self._native(t) for t in tables], engine="in-memory")

    def _is_polars(self, table: Any) -> bool:
        return _current.get() is _POLARS or table.implementation.is_polars()

    def _native(self, table: Any) -> Any:
        return table if _current.get() is _POLARS else table.to_native()


frames = _Frames()
