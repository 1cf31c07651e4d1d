"""Readings and ids as PostgreSQL's binary COPY reads them: one packed line each, no driver in between (design rule 9)."""

from itertools import groupby
from operator import itemgetter
from struct import Struct

from django.db import connection

from sangyu.kernel import quick

from .models import COLUMNS

#: Microseconds from 1970 to 2000, and days: PostgreSQL counts from there.
EPOCH_US, EPOCH_DAYS = 946_684_800_000_000, 10_957
#: Milliseconds by which local days begin earlier than UTC's (Asia/Shanghai has no summer time).
LOCAL, DAY = 8 * 3_600_000, 86_400_000
HEAD, TAIL = b"PGCOPY\n\xff\r\n\x00" + bytes(8), b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_PLACE, _EMPTY = {name: n for n, name in enumerate(COLUMNS)}, [_NULL] * len(COLUMNS)
_FIXED = Struct(">h i i i q i q i q")  # number of fields, then length and value of day, at, received_at, device_id
_ID = Struct(">h i i i h i 16s")  # the same for day, slot, id
_LONG, _DOUBLE, _SIZE = Struct(">i q"), Struct(">i d"), Struct(">i")
_TRUE, _FALSE = b"\x00\x00\x00\x01\x01", b"\x00\x00\x00\x01\x00"
NAMES = (
    "day", "at", "received_at", "device_id", "person_id", "path", "late", "latitude", "longitude", "accuracy", *COLUMNS, "more", "alarms",
)  # fmt: skip
_fixed, _id, _long, _double, _size = _FIXED.pack, _ID.pack, _LONG.pack, _DOUBLE.pack, _SIZE.pack


def day_of(moment: int) -> int:
    """The local day of a moment in milliseconds, counted from 1970."""
    return (moment + LOCAL) // DAY


def line(
    at: int, received_at: int, device: int, person: int | None, path: bytes, late: bool, place, values: dict, more: bytes, alarms: bytes
) -> bytes:  # fmt: skip
    """One reading. Moments in milliseconds; ``place`` latitude, longitude, accuracy or None; ``values`` by column."""
    parts = [
        _fixed(len(NAMES), 4, (at + LOCAL) // DAY - EPOCH_DAYS, 8, at * 1000 - EPOCH_US, 8, received_at * 1000 - EPOCH_US, 8, device),
        _NULL if person is None else _long(8, person),
        _size(len(path)), path,
        _TRUE if late else _FALSE,
    ]  # fmt: skip
    if place is None:
        parts.append(_NULL * 3)
    else:
        parts += [_double(8, v) if v is not None else _NULL for v in place]
    columns = _EMPTY.copy()
    for name, value in values.items():
        columns[_PLACE[name]] = _double(8, value)
    parts += columns
    parts.append(_size(len(more) + 1) + b"\x01" + more if more else _NULL)
    parts.append(_size(len(alarms)) + alarms if alarms else _NULL)
    return b"".join(parts)


def write(lines: dict[int, list[bytes]]) -> int:
    """COPY the lines of each day into its partition; answers how many. The days must be there."""
    for day, rows in sorted(lines.items()):
        _copy(f"signals_reading_{_written(day)} ({', '.join(NAMES)})", rows)
    return sum(map(len, lines.values()))


def remember(ids: list[tuple[int, int, bytes]]) -> None:
    """COPY ids (day, slot, id), sorted. The days must be there. Raises IntegrityError when one of them is known."""
    for day, rows in groupby(ids, itemgetter(0)):
        _copy(
            f"signals_seen_{_written(day)} (day, slot, id)",
            [_id(3, 4, day - EPOCH_DAYS, 2, slot, 16, pk) for _d, slot, pk in rows],
        )


def _copy(where: str, rows: list[bytes]) -> None:
    quick.copy(f"COPY {where} FROM STDIN (FORMAT BINARY)", HEAD + b"".join(rows) + TAIL)


def _written(day: int) -> str:
    from datetime import date, timedelta

    return f"{date(1970, 1, 1) + timedelta(days=day):%Y%m%d}"


_there: set[int] = set()


def make_days(days: set[int]) -> None:
    """Make partitions that are not there yet. What this process has seen committed is not asked again."""
    missing = days - _there
    if not missing:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sangyu.signals_partitions(date '1970-01-01' + d, date '1970-01-01' + d) FROM unnest(%s::int[]) d",
            [sorted(missing)],
        )
    from django.db import transaction

    transaction.on_commit(lambda: _there.update(missing))


def forget_days() -> None:
    """After an error: look again which days are there."""
    _there.clear()
