"""Working days, deadlines, lunar dates (R-046; deadlines by the working-day calendar, issue 2 §3)."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sangyu.kernel import calendar
from sangyu.kernel.models import CalendarDay

pytestmark = pytest.mark.django_db
CN = ZoneInfo("Asia/Shanghai")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CN)


def test_published_holidays_and_swapped_weekends():
    assert not calendar.is_working_day(date(2026, 10, 1))  # National Day
    assert calendar.is_working_day(date(2026, 2, 14))  # a Saturday worked for the Spring Festival
    assert not calendar.is_working_day(date(2026, 10, 18))  # a Sunday


def test_beyond_the_published_years_the_weekday_decides_and_the_table_overrules():
    assert calendar.is_working_day(date(2035, 10, 1))  # a Monday nobody has decided about yet
    CalendarDay.objects.create(day=date(2035, 10, 1), is_working=False, name="国庆节")
    assert not calendar.is_working_day(date(2035, 10, 1))
    CalendarDay.objects.create(day=date(2026, 10, 18), is_working=True)
    assert calendar.is_working_day(date(2026, 10, 18))


@pytest.mark.parametrize(
    ("day", "n", "expected"),
    [
        (date(2026, 9, 30), 1, date(2026, 10, 8)),  # over the holiday week
        (date(2026, 9, 30), 10, date(2026, 10, 20)),
        (date(2026, 10, 8), -1, date(2026, 9, 30)),
        (date(2026, 10, 3), 0, date(2026, 10, 8)),
        (date(2026, 10, 9), 0, date(2026, 10, 9)),
    ],
)
def test_add_working_days(day, n, expected):
    assert calendar.add_working_days(day, n) == expected


def test_adding_and_counting_agree_over_years():
    day = date(2026, 1, 1)
    for n in (1, 7, 250, 600):
        end = calendar.add_working_days(day, n)
        assert calendar.working_days_between(day, end) == n
        assert calendar.is_working_day(end)
    assert calendar.working_days_between(day, day) == 0


def test_deadlines():
    friday = at("2026-10-16T16:30")
    assert calendar.deadline(friday, hours=24) == friday + timedelta(hours=24)
    assert calendar.deadline(friday, working_hours=2) == at("2026-10-19T09:30")
    assert calendar.deadline(friday, working_hours=1) == at("2026-10-16T17:30")
    assert calendar.deadline(at("2026-10-17T22:00"), working_hours=0.5) == at("2026-10-19T09:00")
    assert calendar.deadline(at("2026-10-16T03:00"), working_hours=1) == at("2026-10-16T09:30")
    assert calendar.deadline(friday, working_days=3) == at("2026-10-21T23:59:59")
    # late on the 15th in Shanghai although UTC is still on the 15th at 17:00
    assert calendar.deadline(datetime(2026, 10, 15, 17, tzinfo=ZoneInfo("UTC")), working_days=1) == at(
        "2026-10-19T23:59:59"
    )


@pytest.mark.parametrize("lengths", [{}, {"hours": 1, "working_days": 1}, {"hours": -1}])
def test_a_deadline_has_exactly_one_length(lengths):
    with pytest.raises(ValueError, match="exactly one"):
        calendar.deadline(at("2026-10-16T16:30"), **lengths)


def test_a_table_without_a_working_day_is_reported_not_looped_over():
    CalendarDay.objects.bulk_create(
        CalendarDay(day=date(2031, 1, 1) + timedelta(n), is_working=False) for n in range(800)
    )
    with pytest.raises(ValueError, match="check the calendar table"):
        calendar.add_working_days(date(2031, 1, 1), 1)


def test_double_ninth_of_several_years():
    """standards §4: the dates that 重阳 payments hang on."""
    expected = ["2021-10-14", "2022-10-04", "2023-10-23", "2024-10-11", "2025-10-29", "2026-10-18"]
    assert [calendar.double_ninth(year).isoformat() for year in range(2021, 2027)] == expected


def test_lunar_text():
    assert calendar.lunar_text(date(2026, 10, 18)) == "九月初九 重阳节"
    assert calendar.lunar_text(date(2026, 11, 21)) == "十月十三"
    assert calendar.lunar_text(date(2026, 2, 16)) == "腊月廿九 除夕"
    assert calendar.lunar_text(date(2026, 2, 17)) == "正月初一 春节"
