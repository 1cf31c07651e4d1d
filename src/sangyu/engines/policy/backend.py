"""Where the expressions go: narwhals in general; Polars by its own names when the tables are Polars.

The two say the same with the same words. Spelling an expression through narwhals costs Python time that is longer than Polars needs
for a whole county, so what runs here every day goes without the detour.
"""

from contextvars import ContextVar
from typing import Any

import narwhals
import polars


class _Polars:
    """The names of narwhals that the engine uses, as Polars has them."""

    col, lit, when, concat = polars.col, polars.lit, polars.when, staticmethod(polars.concat)
    Int64, Expr, LazyFrame = polars.Int64, polars.Expr, polars.LazyFrame

    @staticmethod
    def all_horizontal(*exprs: polars.Expr, ignore_nulls: bool) -> polars.Expr:
        assert not ignore_nulls
        return polars.all_horizontal(*exprs)


_current: ContextVar[Any] = ContextVar("policy_frames", default=narwhals)


class _Frames:
    """The namespace in use; a Polars table without narwhals around it chooses Polars."""

    def __getattr__(self, name: str) -> Any:
        return getattr(_current.get(), name)

    def choose(self, tables: list[Any], direct: bool) -> None:
        plain = direct and all(isinstance(t, polars.DataFrame | polars.LazyFrame) for t in tables)
        _current.set(_Polars if plain else narwhals)

    def lazy(self, table: Any) -> Any:
        return table.lazy() if _current.get() is _Polars else narwhals.from_native(table).lazy()

    def is_polars(self, frame: Any) -> bool:
        return _current.get() is _Polars or frame.implementation.is_polars()

    def native(self, frame: Any) -> Any:
        return frame if _current.get() is _Polars else frame.to_native()

    def again(self, frame: polars.DataFrame) -> Any:
        """A finished Polars table as the start of the next step."""
        return frame.lazy() if _current.get() is _Polars else narwhals.from_native(frame.lazy())


frames = _Frames()
