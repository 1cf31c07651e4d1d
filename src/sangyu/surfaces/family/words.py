"""Words that elders read: days, hours and names as people say them."""

from datetime import date, datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from sangyu.care.orders.enums import State
from sangyu.kernel.calendar import lunar_text

WEEKDAYS = [
    pgettext_lazy("elder", "Monday"),
    pgettext_lazy("elder", "Tuesday"),
    pgettext_lazy("elder", "Wednesday"),
    pgettext_lazy("elder", "Thursday"),
    pgettext_lazy("elder", "Friday"),
    pgettext_lazy("elder", "Saturday"),
    pgettext_lazy("elder", "Sunday"),
]
#: State → what it means to the family.
STATES = {
    State.REQUESTED: gettext_lazy("We have your request"),
    State.RECEIVED: gettext_lazy("We are looking for somebody"),
    State.OFFERED: gettext_lazy("We are asking somebody"),
    State.ACCEPTED: gettext_lazy("Somebody is coming"),
    State.ON_THE_WAY: pgettext_lazy("elder", "On the way"),
    State.ARRIVED: gettext_lazy("With you now"),
    State.DONE: gettext_lazy("Done: please confirm"),
    State.CONFIRMED: pgettext_lazy("elder", "Done"),
    State.SETTLED: pgettext_lazy("elder", "Done"),
    State.DISPUTED: gettext_lazy("We are looking into it"),
    State.NO_SHOW: gettext_lazy("Nobody was at home"),
    State.CANCELLED: pgettext_lazy("elder", "Cancelled"),
}


def day_words(day: date) -> str:
    """ "Today, Thursday", "10-17, Saturday"."""
    away = (day - timezone.localdate()).days
    near = {0: _("Today"), 1: _("Tomorrow"), 2: _("The day after tomorrow")}.get(away, month_day(day))
    return f"{near}　{WEEKDAYS[day.weekday()]}"


def month_day(day: date) -> str:
    return _("%(month)s/%(day)s") % {"month": day.month, "day": day.day}


def hour_words(moment: datetime) -> str:
    """ "3 in the afternoon", "half past 9 in the morning"."""
    local = timezone.localtime(moment)
    part = _("morning") if local.hour < 12 else _("afternoon") if local.hour < 18 else _("evening")
    hour = local.hour if local.hour <= 12 else local.hour - 12
    if local.minute == 0:
        return _("%(hour)s o'clock, %(part)s") % {"hour": hour, "part": part}
    if local.minute == 30:
        return _("half past %(hour)s, %(part)s") % {"hour": hour, "part": part}
    return _("%(hour)s:%(minute)s, %(part)s") % {"hour": hour, "minute": f"{local.minute:02}", "part": part}


def greeting(card, now: datetime, *, own: bool) -> str:
    """ "Grandma Wang, good afternoon" for the elder; the elder's name for the family."""
    hour = timezone.localtime(now).hour
    time = _("good morning") if hour < 12 else _("good afternoon") if hour < 18 else _("good evening")
    if not own:
        return card.name
    form = {"2": _("Grandma %(name)s, %(time)s"), "1": _("Grandpa %(name)s, %(time)s")}.get(
        card.sex, _("%(name)s, %(time)s")
    )
    return form % {"name": card.name[:1], "time": time}


def today_lines(now: datetime) -> list[str]:
    """Date with weekday, and the lunar date."""
    day = timezone.localtime(now).date()
    return [f"{month_day(day)}　{WEEKDAYS[day.weekday()]}", _("Lunar calendar: %(text)s") % {"text": lunar_text(day)}]
