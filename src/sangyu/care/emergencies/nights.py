"""Nights and gaps as arithmetic: no rows, no clock."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta

from django.utils import timezone

Stretch = tuple[datetime, datetime]


def nights_of(first: date, last: date, hours: tuple[time, time]) -> list[Stretch]:
    """Each night that begins on a day from ``first`` to ``last``: local ``hours``, the second on the next day."""
    found = []
    day = first
    while day <= last:
        ends = day + timedelta(days=1) if hours[1] <= hours[0] else day
        found.append((_moment(day, hours[0]), _moment(ends, hours[1])))
        day += timedelta(days=1)
    return found


def _moment(day: date, clock: time) -> datetime:
    return timezone.make_aware(datetime.combine(day, clock))


def gaps_between(wanted: Iterable[Stretch], covered: Sequence[Stretch]) -> list[Stretch]:
    """What of ``wanted`` no stretch of ``covered`` covers, in order."""
    found = []
    known = sorted(covered)
    for starts, ends in wanted:
        at = starts
        for a, b in known:
            if b <= at or a >= ends:
                continue
            if a > at:
                found.append((at, a))
            at = max(at, b)
        if at < ends:
            found.append((at, ends))
    return found
