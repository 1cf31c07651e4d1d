"""Opening hours in words, as people write them and read them back: 周一至周五 08:00–17:00；周六 09:00–12:00、13:00–16:00."""

import re
from collections.abc import Iterable
from datetime import time

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from sangyu.kernel.errors import BadValue
from sangyu.kernel.identity import half_width

#: Weekday 1 (Monday) – 7, opens, closes; ``closes`` up to ``opens``: until the next day, equal: round the clock.
Stretch = tuple[int, time, time]

_TIMES = re.compile(r"(\d{1,2})[:.](\d{2})\s*(?:[-–—~～至到]|to)+\s*(\d{1,2})[:.](\d{2})")
_ROUND = re.compile(r"全天|24\s*小时|0{1,2}:00\s*[-–—~～至到]+\s*24:00|round the clock", re.I)
_EVERY = re.compile(r"每天|每日|天天|全周|every day", re.I)
_WORKING = re.compile(r"工作日")


def day_names() -> list[str]:
    """Monday first."""
    return [
        pgettext("opening hours", "Monday"),
        pgettext("opening hours", "Tuesday"),
        pgettext("opening hours", "Wednesday"),
        pgettext("opening hours", "Thursday"),
        pgettext("opening hours", "Friday"),
        pgettext("opening hours", "Saturday"),
        pgettext("opening hours", "Sunday"),
    ]


def in_words(hours: Iterable[Stretch]) -> str:
    """Days with the same hours together; "" for none."""
    by_day: dict[int, list[tuple[time, time]]] = {}
    for weekday, opens, closes in sorted(hours):
        by_day.setdefault(weekday, []).append((opens, closes))
    runs: list[tuple[int, int, list]] = []
    for weekday, found in by_day.items():
        if runs and runs[-1][1] == weekday - 1 and runs[-1][2] == found:
            runs[-1] = (runs[-1][0], weekday, found)
        else:
            runs.append((weekday, weekday, found))
    names = day_names()
    made = []
    for first, last, found in runs:
        if (first, last) == (1, 7):
            days = _("every day")
        elif first == last:
            days = names[first - 1]
        else:
            days = _("%(first)s to %(last)s") % {"first": names[first - 1], "last": names[last - 1]}
        times = "、".join(_("round the clock") if a == b else f"{a:%H:%M}–{b:%H:%M}" for a, b in found)
        made.append(f"{days} {times}")
    return "；".join(made)


def read(written: str) -> list[Stretch]:
    """What ``written`` says. Raises BadValue with an example."""
    found: list[Stretch] = []
    for part in re.split(r"[;；\n]", half_width(written)):
        if not part.strip():
            continue
        times = [_time(*m) for m in _TIMES.findall(part)]
        if _ROUND.search(part):
            times = [(time(0), time(0))]
        days = _days(_TIMES.sub("", _ROUND.sub("", part)))
        if not times or not days or any(pair is None for pair in times):
            raise BadValue(_("Write it like this: %(example)s") % {"example": EXAMPLE}, code="hours")
        found += [(day, *pair) for day in days for pair in times]
    return sorted(set(found))


EXAMPLE = "周一至周五 08:00-17:00；周六 09:00-12:00"


def _time(h1: str, m1: str, h2: str, m2: str) -> tuple[time, time] | None:
    try:
        return time(int(h1), int(m1)), time(int(h2) % 24, int(m2))
    except ValueError:
        return None


def _days(words: str) -> list[int]:
    if _EVERY.search(words) or not words.strip(" ,，、:：。"):
        return list(range(1, 8))
    if _WORKING.search(words):
        return list(range(1, 6))
    names = {name.lower(): n for n, name in enumerate(day_names(), 1)}
    names |= {f"{mark}{c}": n for mark in ("周", "星期", "礼拜") for n, c in enumerate("一二三四五六日", 1)}
    names |= {"周天": 7, "星期天": 7, "礼拜天": 7} | {f"周{n}": n for n in range(1, 8)}
    pattern = "|".join(sorted(names, key=len, reverse=True))
    lower = words.lower()
    found: set[int] = set()
    for first, last in re.findall(rf"({pattern})\s*(?:(?:[-–—~～至到]|to)+\s*({pattern}|[一二三四五六日天]))?", lower):
        a = names[first]
        b = names.get(last) or names.get(f"周{last}", a)
        found |= set(range(a, b + 1)) if a <= b else {*range(a, 8), *range(1, b + 1)}
    for more in re.findall(rf"(?:{pattern})((?:[、,，][一二三四五六日])+)", lower):
        found |= {names[f"周{c}"] for c in re.sub(r"[、,，]", "", more)}
    left = re.sub(rf"{pattern}|[-–—~～至到一二三四五六日天、,，和:：\s]|to", "", lower)
    return [] if left else sorted(found)
