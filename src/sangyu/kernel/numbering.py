"""Running numbers people read aloud: by kind, day and region, never twice.

The counter is one row of ``kernel_sequence``; taking a number locks it until the caller's transaction ends, so take the
number last. A rolled-back transaction gives its number back; a number that was committed is never given again.
"""

from datetime import date

from .quick import rows

_TAKE = (
    "INSERT INTO kernel_sequence (name, value) VALUES (%s, %s) "
    "ON CONFLICT (name) DO UPDATE SET value = kernel_sequence.value + excluded.value RETURNING value"
)


def next_number(name: str, day: date, region_code: str = "") -> str:
    """The next number of kind ``name`` ("DD") on ``day`` in the region with ``region_code``.

    ``DD20261015-210802-0217`` with a region (its six-digit county code: two counties count apart and never share a
    number), ``DD20261015-0217`` without one. Raises ValueError for an empty name.
    """
    return next_numbers(name, day, region_code, count=1)[0]


def next_numbers(name: str, day: date, region_code: str = "", *, count: int) -> list[str]:
    """``count`` consecutive numbers in one statement, for bulk work. See ``next_number``."""
    if not name or count < 1:
        raise ValueError(f"numbering needs a name and a count of at least one, not {name!r} and {count}")
    prefix = f"{name}{day:%Y%m%d}-" + (f"{region_code[:6]}-" if region_code else "")
    ((last,),) = rows(_TAKE, [prefix, count])
    return [f"{prefix}{number:04d}" for number in range(last - count + 1, last + 1)]
