"""Names of columns, where they come from and what they hold: shared by the tables of a day and those of stretches."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sangyu.engines.columnar import pl

from .vocabulary import BASES, Column, Made, entries, source_of

#: Kind of a word → name of the Polars type.
_TYPES = {"date": "Date", "bool": "Boolean", "int": "Int64", "fen": "Int64", "text": "String"}


def known_rows(known_at: datetime | None) -> str:
    """Condition for the rows of a fact table (alias f) that were known at a moment; None = now."""
    if known_at is None:
        return "f.superseded_at IS NULL"
    return "(f.superseded_at IS NULL OR f.superseded_at > %(known)s) AND f.recorded_at <= %(known)s"


WITHIN = "{a}.path >= %(path)s AND {a}.path < %(path)s || '~'"


def word_of(name: str) -> str:
    """The word of a column: ``applied_on@home-care`` → ``applied_on``."""
    return name.partition("@")[0]


def policy_code(name: str) -> str:
    """The policy that a column of its own belongs to, or ""."""
    return name.partition("@")[2]


def source_for(name: str, subject: str):
    """Where a column comes from."""
    return source_of(word_of(name), subject)


def table_of(subject: str) -> str:
    """Kinds of subject with the same rows share them."""
    return BASES[subject].table + BASES[subject].where


def own_columns(subject: str) -> set[str]:
    """Words of the subject's own row."""
    return {n for n, e in entries().items() if isinstance(e.sources.get(subject), Column)}


def key_of(subject: str, name: str, day: date | None) -> tuple[str, str, date | None]:
    """Columns of the subject's own row are the same on every day."""
    return table_of(subject), name, None if isinstance(source_for(name, subject), Column) else day


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


def kind_of(name: str) -> str:
    """What kind of value a column holds."""
    return entries()[word_of(name)].term.kind


def type_of(name: str) -> pl.DataType:
    """The type of a column. Codes are numbers that stand for the vocabulary's; a code that it does not have is unknown."""
    term = entries()[word_of(name)].term
    return pl.Enum([*term.values]) if term.kind == "code" else getattr(pl, _TYPES[term.kind])()


def value_of(text: str, kind: str) -> Any:
    """A text of the database as a value of ``kind``."""
    match kind:
        case "bool":
            return text in ("yes", "true", "t", "1")
        case "int" | "fen":
            return int(text)
        case "date":
            return date.fromisoformat(text)
    return text


def cast(series: pl.Series, name: str) -> pl.Series:
    """Texts as values of the column ``name``."""
    match kind_of(name):
        case "bool":
            return pl.select(
                pl.when(series.is_null()).then(None).otherwise(series.is_in(["yes", "true", "t", "1"]))
            ).to_series()
        case "date":
            return series.str.to_date()
        case kind:
            return series.cast(type_of(name), strict=kind != "code")
