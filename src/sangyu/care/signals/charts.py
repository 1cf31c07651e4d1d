"""Measurements as drawings: SVG made on the server, so that they print, need no script and have a table beside them (R-091)."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from math import ceil, floor, log10

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from sangyu.engines.codecs.kinds import UNITS

from . import selectors
from .enums import reading_label

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 720, 170, 40, 10, 22
SPANS = {
    "day": pgettext_lazy("chart", "Day"), "night": pgettext_lazy("chart", "Night"), "week": pgettext_lazy("chart", "Week"),
}  # fmt: skip
#: What one drawing shows: its words, its kinds, the rules whose limits are drawn, as steps instead of lines.
PANELS = (
    ("heart", gettext_lazy("Heart rate"), ("heart_rate",), ("heart_rate", "heart_rate_in_bed"), False),
    ("pressure", gettext_lazy("Blood pressure"), ("systolic", "diastolic"), ("systolic",), False),
    ("spo2", gettext_lazy("Oxygen saturation"), ("spo2",), ("spo2",), False),
    ("temperature", gettext_lazy("Body temperature"), ("body_temperature",), ("body_temperature",), False),
    ("glucose", gettext_lazy("Blood glucose"), ("glucose",), ("glucose",), False),
    ("respiration", gettext_lazy("Breaths"), ("respiration",), (), False),
    ("steps", pgettext_lazy("vital", "Steps"), ("steps",), (), False),
    ("bed", gettext_lazy("In bed"), ("in_bed",), (), True),
    ("battery", gettext_lazy("Battery"), ("battery",), ("low_battery",), False),
)  # fmt: skip


#: Kinds whose tenths mean something.
FINE = frozenset({"body_temperature", "glucose", "weight"})


@dataclass
class Line:
    """One kind: points as an SVG path, the least and greatest behind it as an area, the values in a table."""

    label: str
    path: str
    dots: str
    band: str
    css: str


@dataclass
class Panel:
    """One drawing."""

    key: str
    title: str
    unit: str
    lines: list[Line]
    ticks: list[tuple[float, str]]
    hours: list[tuple[float, str]]
    limits: list[tuple[float, str]]
    rows: list[tuple[str, str, str, str, str]] = field(default_factory=list)
    latest: str = ""

    @property
    def words(self) -> str:
        """For those who do not see the drawing."""
        return _("%(title)s: latest %(latest)s; the values stand in the table below") % {
            "title": self.title, "latest": self.latest or "—",
        }  # fmt: skip


@dataclass(frozen=True)
class Window:
    """From when to when, in which steps; ``before`` and ``after`` are the days of the neighbours."""

    span: str
    day: date
    begins: datetime
    ends: datetime
    step: int

    @property
    def before(self) -> date:
        return self.day - timedelta(days=7 if self.span == "week" else 1)

    @property
    def after(self) -> date:
        return self.day + timedelta(days=7 if self.span == "week" else 1)


def window(span: str, day: date) -> Window:
    """A day from midnight, a night from 20:00 to 08:00, the seven days that end with ``day``."""
    at = lambda d, hour=0: timezone.make_aware(datetime.combine(d, time(hour)))  # noqa: E731
    if span == "night":
        return Window(span, day, at(day, 20), at(day + timedelta(days=1), 8), 180)
    if span == "week":
        return Window(span, day, at(day - timedelta(days=6)), at(day + timedelta(days=1)), 3600)
    return Window("day", day, at(day), at(day + timedelta(days=1)), 300)


def panels(
    whose: dict[str, int], shown: Window, *, health: bool, limits: dict[str, tuple[float | None, float | None]]
) -> list[Panel]:
    """Drawings of what was measured; kinds of which there is nothing are left out. ``health`` False: the device's own values only."""
    wanted = [p for p in PANELS if health or p[0] == "battery"]
    found = selectors.series(whose, {k for p in wanted for k in p[2]}, shown.begins, shown.ends, shown.step)
    made = []
    for key, title, kinds, rules, steps in wanted:
        given = {k: found[k] for k in kinds if found[k]}
        if given:
            held = (
                next((limits[r] for r in rules if r in limits), (None, None))
                if len(kinds) == 1 or rules
                else (None, None)
            )
            made.append(_panel(key, str(title), given, shown, held, steps))
    return made


def _panel(key: str, title: str, given: dict, shown: Window, held: tuple, steps: bool) -> Panel:
    values = [v for points in given.values() for p in points for v in (p[1], p[3])]
    held = held if len(given) == 1 else (None, held[1])
    inside = [v for v in held if v is not None and min(values) * 0.6 <= v <= max(values) * 1.6]
    ticks = [0, 1] if steps else _ticks(min([*values, *inside]), max([*values, *inside]))
    low, high = ticks[0], ticks[-1]
    seconds = (shown.ends - shown.begins).total_seconds()
    x = lambda s: LEFT + (WIDTH - LEFT - 8) * s / seconds  # noqa: E731
    y = lambda v: TOP + (HEIGHT - TOP - BOTTOM) * (1 - (v - low) / ((high - low) or 1))  # noqa: E731
    lines = [
        Line(
            reading_label(kind),
            _path(points, x, y, shown.step, steps),
            "" if steps else _dots(points, x, y, shown.step),
            "" if steps else _band(points, x, y),
            f"chart__l{n}",
        )
        for n, (kind, points) in enumerate(given.items())
    ]
    unit = UNITS[next(iter(given))]
    first = next(iter(given))
    words = {0: _("out of bed"), 1: _("in bed")} if steps else {}
    rows = [
        (
            timezone.localtime(shown.begins + timedelta(seconds=p[0])).strftime("%m-%d %H:%M"), reading_label(kind),
            _number(p[1]), words.get(round(p[2]), _number(p[2])), _number(p[3]),
        )
        for kind, points in given.items()
        for p in points[-200:]
    ]  # fmt: skip
    latest = " / ".join(_number(points[-1][2], kind in FINE) for kind, points in given.items())
    return Panel(
        key, title, "" if steps or first == "steps" else unit, lines, [(y(t), words.get(t, _number(t))) for t in ticks],
        _hours(shown, x), [(y(v), _number(v)) for v in inside if low <= v <= high], rows, words.get(round(given[first][-1][2]), latest),
    )  # fmt: skip


def _path(points, x, y, step: int, stairs: bool) -> str:
    """A line that breaks where nothing was measured for long."""
    made, before = [], None
    for at, _low, mean, _high in points:
        far = before is not None and at - before[0] > max(6 * step, 3600)
        value = round(mean) if stairs else mean
        if before is None or far:
            made.append(f"M{x(at):.1f} {y(value):.1f}h.1")
        elif stairs:
            made.append(f"H{x(at):.1f}V{y(value):.1f}")
        else:
            made.append(f"L{x(at):.1f} {y(value):.1f}")
        before = (at, value)
    return "".join(made)


def _dots(points, x, y, step: int) -> str:
    """Values that stand alone, for a thicker pen."""
    far = max(6 * step, 3600)
    alone = [
        p
        for n, p in enumerate(points)
        if (n == 0 or p[0] - points[n - 1][0] > far) and (n == len(points) - 1 or points[n + 1][0] - p[0] > far)
    ]
    return "".join(f"M{x(p[0]):.1f} {y(p[2]):.1f}h.1" for p in alone)


def _band(points, x, y) -> str:
    if len(points) < 2 or all(p[1] == p[3] for p in points):
        return ""
    up = "L".join(f"{x(p[0]):.1f} {y(p[3]):.1f}" for p in points)
    down = "L".join(f"{x(p[0]):.1f} {y(p[1]):.1f}" for p in reversed(points))
    return f"M{up}L{down}Z"


def _ticks(low: float, high: float) -> list[float]:
    """Three to six round values that hold all."""
    span = (high - low) or max(1.0, abs(high) * 0.1)
    raw = span / 4
    unit = 10 ** floor(log10(raw))
    step = next(m * unit for m in (1, 2, 5, 10) if m * unit >= raw)
    first, last = floor(low / step), ceil(high / step)
    if first == last:
        last += 1
    return [round(n * step, 6) for n in range(first, last + 1)]


def _hours(shown: Window, x) -> list[tuple[float, str]]:
    if shown.span == "week":
        days = [shown.begins + timedelta(days=n) for n in range(7)]
        return [(x((d - shown.begins).total_seconds() + 43_200), timezone.localtime(d).strftime("%m-%d")) for d in days]
    every = 2 if shown.span == "night" else 3
    count = int((shown.ends - shown.begins).total_seconds() // 3600 // every)
    marks = [shown.begins + timedelta(hours=every * n) for n in range(1, count)]
    return [(x((m - shown.begins).total_seconds()), timezone.localtime(m).strftime("%H:%M")) for m in marks]


def _number(value: float, fine: bool = True) -> str:
    if not fine:
        return f"{value:.0f}"
    return f"{value:.1f}".rstrip("0").rstrip(".") if abs(value) < 100 else f"{value:.0f}"
