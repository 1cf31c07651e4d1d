"""When a policy pays and for which stretch: months, quarters, years, once, festivals by lunar date; ages by rule (O-2)."""

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from lunar_python import Lunar, LunarMonth

#: Lunar month and day; the eve of the Spring Festival is the day before it (the last month has 29 or 30 days).
FESTIVALS = {
    "spring_festival": (1, 1),
    "lantern": (1, 15),
    "dragon_boat": (5, 5),
    "double_seventh": (7, 7),
    "mid_autumn": (8, 15),
    "double_ninth": (9, 9),
    "laba": (12, 8),
}
FESTIVAL_LABELS = {
    "spring_festival": "春节",
    "lantern": "元宵节",
    "dragon_boat": "端午节",
    "double_seventh": "七夕",
    "mid_autumn": "中秋节",
    "double_ninth": "重阳节",
    "laba": "腊八节",
}
BIRTHDAY_RULES = ("day", "month", "next_month", "january")


@dataclass(frozen=True)
class Period:
    """``[start, end)``."""

    start: date
    end: date

    @classmethod
    def month(cls, year: int, month: int) -> "Period":
        return cls(date(year, month, 1), next_month(date(year, month, 1)))

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    @property
    def last(self) -> date:
        return self.end - timedelta(1)

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end

    def months(self) -> list["Period"]:
        found, first = [], self.start.replace(day=1)
        while first < self.end:
            found.append(Period(first, next_month(first)))
            first = next_month(first)
        return found


EVER = Period(date(1, 1, 1), date(9999, 12, 31))


@dataclass(frozen=True)
class Due:
    """What a policy does in one month's run: the stretch it pays for, the day of payment, and the stretch in which it pays once."""

    window: Period
    pay_day: date
    cycle: Period


def next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def year_of(day: date, back: int = 0) -> Period:
    return Period(date(day.year - back, 1, 1), date(day.year - back + 1, 1, 1))


def quarter_of(day: date, back: int = 0) -> Period:
    index = day.year * 4 + (day.month - 1) // 3 - back
    start = date(index // 4, index % 4 * 3 + 1, 1)
    return Period(start, next_month(start.replace(month=start.month + 2)))


@lru_cache(maxsize=512)
def lunar_date(year: int, month: int, day: int) -> date | None:
    """The day of the calendar for a lunar date, never in a leap month; None where that month is too short."""
    found = LunarMonth.fromYm(year, month)
    if found is None or day > found.getDayCount():
        return None
    solar = Lunar.fromYmd(year, month, day).getSolar()
    return date(solar.getYear(), solar.getMonth(), solar.getDay())


def lunar_day_in(period: Period, month: int, day: int) -> date | None:
    """The day within ``period`` that has this lunar date."""
    for year in (period.start.year - 1, period.start.year):
        found = lunar_date(year, month, day)
        if found is not None and found in period:
            return found
    return None


def clamp_day(first: date, day: int) -> date:
    return first.replace(day=min(day, calendar.monthrange(first.year, first.month)[1]))


def age_on(birth: date, day: date, rule: str) -> int:
    """Full years that count on ``day`` (O-2): from the birthday, from the first of its month, of the month after it, or of
    its year. Who was born on 29 February has the birthday on 1 March in other years."""
    years = day.year - birth.year
    if rule == "day":
        return years - ((day.month, day.day) < (birth.month, birth.day))
    if rule == "month":
        return years - (day.month < birth.month)
    if rule == "next_month":
        return years - (day.month <= birth.month)
    return years


def latest_birth(age: int, day: date, rule: str) -> date:
    """The youngest birth date that counts as ``age`` on ``day``: comparing with one date is the fastest form."""
    year = day.year - age
    if year < 1:
        return date.min
    last = calendar.monthrange(year, day.month)[1]
    if rule == "day":
        return date(year, day.month, min(day.day, last))
    if rule == "month":
        return date(year, day.month, last)
    if rule == "next_month":
        return date(year, day.month, 1) - timedelta(1) if (year, day.month) > (1, 1) else date.min
    return date(year, 12, 31)


def months_between(earlier: date, later: date) -> int:
    """Full months from one day to another; negative when the first is later."""
    return (later.year - earlier.year) * 12 + later.month - earlier.month - (later.day < earlier.day)
