"""Working days, deadlines and the lunar calendar, in Asia/Shanghai.

A day is working when the editable table ``CalendarDay`` says so; else when the State Council's published holidays do
(the ``chinesecalendar`` package); else, beyond the years it knows, from Monday to Friday.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta

import chinese_calendar
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from lunar_python import Lunar, Solar

from .actor import Actor
from .errors import NotVisible, Refused
from .models import CalendarDay
from .services import service

#: A year of rest days in a row means a broken calendar table, not a deadline.
_LONGEST_REST = 366


def is_working_day(day: date) -> bool:
    """Whether offices work on ``day``."""
    return _is_working(day, _exceptions(day, day))


def add_working_days(day: date, n: int) -> date:
    """The ``n``-th working day after ``day`` (before it when negative); ``day`` itself is not counted (Civil Code 201).

    ``n = 0`` gives ``day`` when it is working, else the next working day.
    """
    if n == 0:
        return day if is_working_day(day) else add_working_days(day, 1)
    step = 1 if n > 0 else -1
    left = abs(n)
    for candidate, working in _days(day, step):
        if working:
            left -= 1
            if left == 0:
                return candidate
    raise AssertionError("unreachable: _days never ends")


def working_days_between(start: date, end: date) -> int:
    """Working days after ``start`` up to and including ``end``; 0 when ``end`` is not later."""
    if end <= start:
        return 0
    exceptions = _exceptions(start, end)
    return sum(_is_working(start + timedelta(n), exceptions) for n in range(1, (end - start).days + 1))


def deadline(start: datetime, *, hours: float = 0, working_hours: float = 0, working_days: int = 0) -> datetime:
    """The moment until which something must be done; exactly one of the three lengths is given.

    ``hours`` run day and night. ``working_hours`` run between the opening hours (setting ``SANGYU_WORKING_HOURS``, by
    default 08:30 to 17:30) of working days. ``working_days`` end at the last second of that day, ``start``'s day not
    counted. Raises ValueError for none or several lengths, or a negative one.
    """
    given = [value for value in (hours, working_hours, working_days) if value]
    if len(given) != 1 or given[0] < 0:
        raise ValueError("give exactly one positive length: hours, working_hours or working_days")
    if hours:
        return start + timedelta(hours=hours)
    local = timezone.localtime(start)
    if working_days:
        return _at(add_working_days(local.date(), working_days), time(23, 59, 59))
    opens, closes = (time.fromisoformat(t) for t in getattr(settings, "SANGYU_WORKING_HOURS", ("08:30", "17:30")))
    left = timedelta(hours=working_hours)
    for day, working in _days(local.date() - timedelta(1), 1):
        begin = max(local, _at(day, opens))
        end = _at(day, closes)
        if not working or begin >= end:
            continue
        if left <= end - begin:
            return begin + left
        left -= end - begin
    raise AssertionError("unreachable: _days never ends")


# ---------------------------------------------------------------- exceptions
#: Who keeps the calendar is responsible for a city at least: four levels of the tree with three characters each.
_CITY = 9


@service("ui.calendar")
def set_days(*, actor: Actor, days: Iterable[tuple[date, bool, str]]) -> int:
    """Say of days (day, whether it is worked, name) that they differ from the shipped calendar; returns how many.

    A day that is there already takes the new word. Deadlines that were counted before stay as they are. Raises
    Refused("calendar.above") for who answers for less than a city: the calendar is everybody's.
    """
    _require_city(actor)
    rows = {day: CalendarDay(day=day, is_working=working, name=name[:60]) for day, working, name in days}
    CalendarDay.objects.bulk_create(
        rows.values(), update_conflicts=True, unique_fields=["day"], update_fields=["is_working", "name"]
    )
    return len(rows)


@service("ui.calendar")
def set_day(*, actor: Actor, day: date, is_working: bool, name: str = "") -> CalendarDay:
    """``set_days`` for one."""
    set_days(actor=actor, days=[(day, is_working, name)])
    return CalendarDay.objects.get(day=day)


@service("ui.calendar")
def remove_day(*, actor: Actor, day_id: int) -> None:
    """Take an exception back: the shipped calendar holds again for that day. Raises NotVisible."""
    _require_city(actor)
    row = CalendarDay.objects.filter(pk=day_id).first()
    if row is None:
        raise NotVisible
    row.delete()


def _require_city(actor: Actor) -> None:
    if len(actor.path) > _CITY:
        raise Refused(_("The working calendar is kept by the city."), code="calendar.above")


def shipped(day: date) -> bool:
    """Whether ``day`` is worked by the published holidays alone, or from Monday to Friday beyond the years they cover."""
    return _is_working(day, {})


def _at(day: date, moment: time) -> datetime:
    return timezone.make_aware(datetime.combine(day, moment))


def _days(day: date, step: int) -> Iterator[tuple[date, bool]]:
    """Days after (before) ``day``, each with whether it is working; the table is read a year at a time."""
    rest = 0
    while True:
        far = day + timedelta(step * 365)
        exceptions = _exceptions(min(day, far), max(day, far))
        for _each in range(365):
            day += timedelta(step)
            working = _is_working(day, exceptions)
            rest = 0 if working else rest + 1
            if rest > _LONGEST_REST:
                raise ValueError(f"the calendar has no working day in the year around {day}: check the calendar table")
            yield day, working


def _exceptions(first: date, last: date) -> dict[date, bool]:
    return dict(CalendarDay.objects.filter(day__range=(first, last)).values_list("day", "is_working"))


def _is_working(day: date, exceptions: dict[date, bool]) -> bool:
    if day in exceptions:
        return exceptions[day]
    try:
        return chinese_calendar.is_workday(day)
    except NotImplementedError:
        return day.weekday() < 5


# ---------------------------------------------------------------- lunar
def lunar_text(day: date) -> str:
    """The lunar date as elders read it, with the festival if there is one: "九月初九 重阳节"."""
    lunar = Solar.fromYmd(day.year, day.month, day.day).getLunar()
    return " ".join([f"{lunar.getMonthInChinese()}月{lunar.getDayInChinese()}", *lunar.getFestivals()])


def double_ninth(year: int) -> date:
    """重阳 of ``year``: the ninth day of the ninth lunar month (R-046)."""
    solar = Lunar.fromYmd(year, 9, 9).getSolar()
    return date(solar.getYear(), solar.getMonth(), solar.getDay())
