"""The response report and the figures of false alarms (R-094). Counted in the database; drills only when asked for."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Aggregate, Avg, Count, DurationField, ExpressionWrapper, F, FloatField, Q, QuerySet
from django.db.models.functions import ExtractMonth, ExtractYear, Left
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.registry.devices import selectors as devices
from sangyu.registry.regions import selectors as regions

from .enums import ENDED, Cause, Kind, Level, Outcome
from .models import Incident

#: Figures often used in telecare (devices.md §6); shown, not claimed.
TARGETS = {60: 97.5, 180: 99.0}
BY = ("month", "desk", "area", "level", "kind", "total")


class Middle(Aggregate):
    """The median of durations, in seconds."""

    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM %(expressions)s))"
    output_field = FloatField()


@dataclass(frozen=True, slots=True)
class Line:
    """One group of cases. Shares in per cent of all its cases: an unanswered one is not within any time."""

    key: str
    label: str
    cases: int
    answered: int
    device_60: int
    device_180: int
    arrival_60: int
    arrival_180: int
    device_median: float | None
    arrival_median: float | None
    to_arrival_minutes: float | None
    false_alarms: int
    emergency: int
    closed: int

    def share(self, count: int) -> float | None:
        return round(100 * count / self.cases, 1) if self.cases else None

    @property
    def device_60_share(self) -> float | None:
        return self.share(self.device_60)

    @property
    def device_180_share(self) -> float | None:
        return self.share(self.device_180)

    @property
    def arrival_60_share(self) -> float | None:
        return self.share(self.arrival_60)

    @property
    def arrival_180_share(self) -> float | None:
        return self.share(self.arrival_180)

    @property
    def false_share(self) -> float | None:
        return self.share(self.false_alarms)


def between(actor: Actor, frm: date, to: date, *, drills: bool = False) -> QuerySet[Incident]:
    """Cases that opened from ``frm`` to ``to`` (the last day included), as the actor sees them."""
    starts = timezone.make_aware(datetime.combine(frm, time.min))
    ends = timezone.make_aware(datetime.combine(to + timedelta(days=1), time.min))
    rows = Incident.objects.visible_to(actor).filter(opened_at__gte=starts, opened_at__lt=ends)
    return rows if drills else rows.filter(drill=False)


def report(actor: Actor, frm: date, to: date, by: str = "month", *, drills: bool = False, level: int = 0) -> list[Line]:
    """Cases answered within 60 s and 180 s, from the device's time and from arrival here; ``by`` month, desk, area, level,
    kind or total. Raises ValueError for another ``by``.
    """
    if by not in BY:
        raise ValueError(f"by is one of {', '.join(BY)}, not {by!r}")
    rows = between(actor, frm, to, drills=drills)
    if level:
        rows = rows.filter(level=level)
    rows, keys = _grouped(rows, by, actor)
    took = {
        "from_device": ExpressionWrapper(F("answered_at") - F("alarm_at"), output_field=DurationField()),
        "from_arrival": ExpressionWrapper(F("answered_at") - F("received_at"), output_field=DurationField()),
        "to_arrival": ExpressionWrapper(F("arrived_at") - F("received_at"), output_field=DurationField()),
    }
    minute, three = timedelta(seconds=60), timedelta(seconds=180)
    found = rows.annotate(**took).values(*keys).annotate(
        cases=Count("pk"),
        answered=Count("pk", filter=Q(answered_at__isnull=False)),
        device_60=Count("pk", filter=Q(from_device__lte=minute)),
        device_180=Count("pk", filter=Q(from_device__lte=three)),
        arrival_60=Count("pk", filter=Q(from_arrival__lte=minute)),
        arrival_180=Count("pk", filter=Q(from_arrival__lte=three)),
        device_median=Middle("from_device"),
        arrival_median=Middle("from_arrival"),
        there=Avg("to_arrival"),
        false_alarms=Count("pk", filter=Q(outcome=Outcome.FALSE)),
        emergency=Count("pk", filter=Q(emergency_at__isnull=False)),
        closed=Count("pk", filter=Q(state__in=ENDED)),
    ).order_by(*keys)  # fmt: skip
    words = _words(by, [tuple(r[k] for k in keys) for r in found])
    return [_line(r, keys, words) for r in found]


def _grouped(rows: QuerySet, by: str, actor: Actor) -> tuple[QuerySet, list[str]]:
    if by == "month":
        zone = timezone.get_current_timezone()
        return rows.annotate(y=ExtractYear("opened_at", tzinfo=zone), m=ExtractMonth("opened_at", tzinfo=zone)), [
            "y",
            "m",
        ]
    if by == "area":
        return rows.annotate(area=Left("path", len(actor.path) + 3)), ["area"]
    if by == "total":
        return rows.annotate(one=Left("path", 3)), ["one"]
    return rows, [{"desk": "answered_by", "level": "level", "kind": "kind"}[by]]


def _words(by: str, keys: list[tuple]) -> dict[tuple, str]:
    if by == "month":
        return {(y, m): f"{y}-{m:02d}" for y, m in keys}
    if by == "area":
        names = regions.names_of([area for (area,) in keys])
        return {(area,): names.get(area, area) for (area,) in keys}
    if by == "desk":
        return {(name,): name or _("Nobody answered") for (name,) in keys}
    if by == "level":
        return {(level,): str(Level(level).label) for (level,) in keys}
    if by == "kind":
        return {(kind,): str(Kind(kind).label) for (kind,) in keys}
    return {key: _("All") for key in keys}


def _line(r: dict, keys: list[str], words: dict[tuple, str]) -> Line:
    key = tuple(r[k] for k in keys)
    there = r["there"]
    return Line(
        "-".join(str(k) for k in key), words[key], r["cases"], r["answered"], r["device_60"], r["device_180"],
        r["arrival_60"], r["arrival_180"], r["device_median"], r["arrival_median"],
        round(there.total_seconds() / 60, 1) if there is not None else None, r["false_alarms"], r["emergency"], r["closed"],
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class FalseLine:
    """How many of the closed cases of a group were false alarms."""

    label: str
    cases: int
    false_alarms: int
    causes: dict[str, int]

    @property
    def share(self) -> float | None:
        return round(100 * self.false_alarms / self.cases, 1) if self.cases else None


def _product(code: str | None) -> str:
    known = devices.product(code) if code else None
    return known.name if known else code or _("By hand")


def false_alarms(actor: Actor, frm: date, to: date, by: str = "kind") -> list[FalseLine]:
    """False alarms among closed cases with their causes, by kind of alarm or by product of the device; most first."""
    field = {"kind": "kind", "product": "device__product"}[by]
    closed = between(actor, frm, to).filter(state__in=ENDED)
    rows = closed.values(field).annotate(
        cases=Count("pk"), false=Count("pk", filter=Q(outcome=Outcome.FALSE)),
        **{f"c_{c}": Count("pk", filter=Q(outcome=Outcome.FALSE, cause=c)) for c in Cause.values},
    )  # fmt: skip
    found = []
    for r in rows:
        label = str(Kind(r[field]).label) if by == "kind" else _product(r[field])
        causes = {str(Cause(c).label): r[f"c_{c}"] for c in Cause.values if r[f"c_{c}"]}
        found.append(FalseLine(label, r["cases"], r["false"], causes))
    return sorted(found, key=lambda line: (-line.false_alarms, line.label))
