"""From the ability level to the level that money asks for, by the dated mapping of the region (O-1, R-035)."""

from __future__ import annotations

from datetime import date

from django.utils import timezone

from sangyu.care.assessments import selectors as assessments
from sangyu.engines.columnar import pl
from sangyu.kernel.actor import ROOT_PATH
from sangyu.registry.regions import selectors as regions


def cuts(start: date, end: date) -> set[date]:
    """Days inside ``(start, end)`` on which a mapping begins or ends."""
    days = {day for m in assessments.payment_mappings() for day in (m.valid_from, m.valid_to) if day is not None}
    return {day for day in days if start < day < end}


def region_of(code: str):
    """The open region with the division code ``code`` (its digits, without trailing zeros); None when there is none."""
    found = regions.by_code(code, timezone.localdate())
    return found or regions.below(ROOT_PATH).filter(code=code.ljust(12, "0")).first()


def payment_level(day: pl.Expr) -> pl.Expr:
    """An expression over ``care_level`` and ``path``: the nearest region's mapping on ``day`` wins."""
    found = pl.lit(None, dtype=pl.String)
    for m in assessments.payment_mappings():
        holds = (day >= m.valid_from) & (day < m.valid_to if m.valid_to else pl.lit(True))
        if m.region:
            region = region_of(m.region)
            if region is None:
                continue
            holds &= pl.col("path").str.starts_with(region.path)
        words = pl.col("care_level").cast(pl.String).replace_strict(m.levels, default=None, return_dtype=pl.String)
        found = pl.when(holds).then(words).otherwise(found)
    return found
