"""Small readers that answer None instead of raising: numbers and dates."""

import re
from datetime import datetime, timedelta
from functools import lru_cache
from math import isfinite

EPOCH = datetime(1970, 1, 1)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)")


def number(text: str) -> float | None:
    """A plain decimal number with spaces around it; no exponents, no words like "nan"."""
    if (
        len(text) <= 32 and text.isascii() and text.replace(".", "", 1).isdigit()
    ):  # nearly all; an expression costs as much as all the rest
        return float(text)
    text = text.strip()
    if len(text) > 32 or not _NUMBER.fullmatch(text):
        return None
    return float(text)


def whole(text: str) -> int | None:
    """A whole number; "12.0" counts."""
    if len(text) < 16 and text.isdigit() and text.isascii():  # nearly all
        return int(text)
    value = number(text)
    return int(value) if value is not None else None


def hexadecimal(text: str) -> int | None:
    text = text.strip()
    if not text or len(text) > 16 or text.strip("0123456789abcdefABCDEF"):
        return None
    return int(text, 16)


def moment(year: int, month: int, day: int, hour: int, minute: int, second: int) -> datetime | None:
    try:
        return datetime(year, month, day, hour, minute, second)
    except ValueError:
        return None


def day_and_clock(ddmmyy: str, hhmmss: str) -> datetime | None:
    """``ddmmyy`` and ``hhmmss`` as trackers write them."""
    d, t = ddmmyy.strip(), hhmmss.strip()
    return _day_and_clock(d + t) if len(d) == len(t) == 6 else None


@lru_cache(10_000)  # thousands of devices write the same second
def _day_and_clock(both: str) -> datetime | None:
    if not both.isascii() or not both.isdigit():
        return None
    day, month, year, hour, minute, second = (int(both[at : at + 2]) for at in range(0, 12, 2))
    return moment(2000 + year, month, day, hour, minute, second)


def from_milliseconds(value: object) -> datetime | None:
    """A moment in milliseconds (or seconds) since 1970, without zone, in UTC."""
    if isinstance(value, str):
        value = number(value)
    if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value) or not 0 < value < 4e12:
        return None
    return EPOCH + timedelta(milliseconds=value if value >= 1e11 else value * 1000)
