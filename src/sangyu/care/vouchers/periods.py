"""Periods and ends of validity: pure date arithmetic."""

from datetime import date, timedelta

from .enums import Validity


def add_months(day: date, months: int) -> date:
    """First day of the month ``months`` after the month of ``day``."""
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def first_of_period(validity: str, day: date) -> date:
    """First day of the period that ``day`` lies in; the day itself when validity counts days."""
    match validity:
        case Validity.MONTH:
            return day.replace(day=1)
        case Validity.QUARTER:
            return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
        case Validity.YEAR:
            return date(day.year, 1, 1)
    return day


def end_of_validity(validity: str, period: date, days: int | None = None) -> date:
    """First day on which a voucher of the period beginning at ``period`` no longer holds."""
    match validity:
        case Validity.MONTH:
            return add_months(period, 1)
        case Validity.QUARTER:
            return add_months(period, 3)
        case Validity.YEAR:
            return add_months(period, 12)
    return period + timedelta(days=days)
