"""Questions about signals that other rooms and the screens ask. All run in the open scope; what was agreed with the wearer holds at every look."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from sangyu.engines.codecs.kinds import UNITS, ReadingKind
from sangyu.kernel.actor import Actor
from sangyu.kernel.audit import log_read
from sangyu.registry.devices import selectors as devices
from sangyu.registry.people import selectors as people

from . import words
from .enums import AlarmState, reading_label
from .models import COLUMNS, Alarm, Fence, Last, Limit, Summary
from .rulebooks import rules_at

__all__ = ["Place", "agreed", "alarms_of", "last_of", "limits_of", "place_of", "rules_at", "series", "vitals_of"]

POSITION, HEALTH = "location", "health_data"
#: Kinds of readings that have a column, and so a series.
MEASURES = COLUMNS


@dataclass(frozen=True, slots=True)
class Place:
    """A place with its age. Degrees in WGS-84, accuracy in metres."""

    latitude: float
    longitude: float
    at: datetime
    accuracy: float | None = None
    device_id: int | None = None

    def age(self, now: datetime) -> timedelta:
        return now - self.at


def agreed(person_ids: Iterable[int]) -> dict[int, frozenset[str]]:
    """Person → purposes among position and health data to which consent holds now."""
    return devices.consents_of(person_ids)


def last_of(actor: Actor, device_ids: Iterable[int]) -> dict[int, Last]:
    """Device → where it stands, as far as the actor sees it."""
    return {row.device_id: row for row in Last.objects.visible_to(actor).filter(device_id__in=list(device_ids))}


def lasts_visible(actor: Actor) -> QuerySet[Last]:
    """Last states that the actor sees."""
    return Last.objects.visible_to(actor)


def place_of(actor: Actor, person_id: int) -> Place | None:
    """The person's last usable place with its age; of an open life alarm's when that is newer. None without one, or without consent.

    The caller logs the look (``log_look``).
    """
    found = []
    if POSITION in agreed([person_id]).get(person_id, ()):
        rows = Last.objects.visible_to(actor).filter(person_id=person_id, placed_at__isnull=False)
        found += [Place(r.latitude, r.longitude, r.placed_at, r.accuracy, r.device_id) for r in rows]
    calls = Alarm.objects.visible_to(actor).filter(person_id=person_id, state=AlarmState.OPEN, level=1)
    found += [
        Place(a.latitude, a.longitude, a.placed_at, a.accuracy, a.device_id)
        for a in calls.filter(placed_at__isnull=False, latitude__isnull=False)
    ]
    return max(found, key=lambda p: p.at, default=None)


def alarms_visible(actor: Actor) -> QuerySet[Alarm]:
    """Alarms that the actor sees."""
    return Alarm.objects.visible_to(actor)


def alarms_of(actor: Actor, person_id: int) -> QuerySet[Alarm]:
    """Alarms about a person, latest first."""
    return alarms_visible(actor).filter(person_id=person_id).exclude(state=AlarmState.WITHDRAWN).order_by("-raised_at")


def limits_of(actor: Actor, person_id: int, day=None) -> tuple[list[Limit], list[Fence]]:
    """Personal limits and fences that hold."""
    day = day or timezone.localdate()
    limits = Limit.objects.visible_to(actor).on(day).filter(person_id=person_id)
    return list(limits), list(Fence.objects.visible_to(actor).on(day).filter(person_id=person_id))


def limit_lines(actor: Actor, person_id: int) -> dict:
    """What holds for the person alone, as ``signals/parts/limits.html`` shows it."""
    limits, fences = limits_of(actor, person_id)
    return {
        "person_id": person_id, "may_limit": actor.may("signals.limits"),
        "limit_lines": [words.limit_line(r) for r in limits], "fence_lines": [words.fence_line(r) for r in fences],
    }  # fmt: skip


def lines_ever(actor: Actor, person_id: int) -> list[words.Line]:
    """Personal limits and fences in words, also those that hold no more."""
    limits, fences = (m.objects.visible_to(actor).filter(person_id=person_id) for m in (Limit, Fence))
    return [*map(words.limit_line, limits), *map(words.fence_line, fences)]


def log_look(actor: Actor, person_id: int, what: str, purpose: str) -> None:
    """Write down that the actor looked at where a person is, or at measurements (R-090)."""
    log_read(actor=actor, what=what, objects=[people.get_person(actor, person_id)], purpose=purpose)


# ---------------------------------------------------------------- series
def vitals_of(actor: Actor, person_id: int, kind: str, frm: datetime, to: datetime) -> list[tuple[datetime, float]]:
    """What was measured of ``kind`` in [frm, to), in order. Empty without consent to health data."""
    if HEALTH not in agreed([person_id]).get(person_id, ()):
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT at, {_column(kind)} FROM signals_reading WHERE person_id = ANY (%s) AND {_SPAN} AND {_column(kind)} IS NOT NULL ORDER BY at",
            [_files(person_id), *_span(frm, to)],
        )
        return cursor.fetchall()


@dataclass(frozen=True, slots=True)
class Latest:
    """The latest value of one kind, in words."""

    label: str
    text: str
    at: datetime


def latest_of(actor: Actor, person_id: int, now: datetime, days: int = 3) -> list[Latest]:
    """The latest of each vital sign of the last days. Empty without consent; the caller logs the look."""
    if HEALTH not in agreed([person_id]).get(person_id, ()):
        return []
    kinds = [k for k in COLUMNS if k not in ("battery", "signal_quality", "in_bed", "body_movement")]
    values = ", ".join(f"('{k}', {_column(k)})" for k in kinds)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT ON (v.kind) v.kind, v.value, at FROM signals_reading CROSS JOIN LATERAL (VALUES {values}) v (kind, value) "
            f"WHERE person_id = ANY (%s) AND {_SPAN} AND v.value IS NOT NULL ORDER BY v.kind, at DESC",
            [_files(person_id), *_span(now - timedelta(days=days), now + timedelta(minutes=10))],
        )
        found = {kind: (value, at) for kind, value, at in cursor.fetchall()}
    made = []
    for kind in kinds:
        if kind in found:
            value, at = found[kind]
            unit = "" if kind == "steps" else f" {UNITS[ReadingKind(kind)]}"
            made.append(Latest(reading_label(kind), f"{value:.1f}".removesuffix(".0") + unit, at))
    return made


def series(
    whose: Q | dict[str, int], kinds: Iterable[str], frm: datetime, to: datetime, step: int
) -> dict[str, list[tuple[float, float, float, float]]]:
    """Kind → [(seconds since ``frm``, least, mean, greatest)] by buckets of ``step`` seconds. ``whose``: {"person_id": n} or {"device_id": n}.

    Days whose readings were removed come from the hours that were kept. Consent is the caller's to ask.
    """
    ((column, pk),) = whose.items()
    ids = _files(pk) if column == "person_id" else [pk]
    names = list(kinds)
    values = ", ".join(f"('{n}', {_column(n)})" for n in names)
    found: dict[str, list[tuple[float, float, float, float]]] = {n: [] for n in names}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT v.kind, floor(extract(epoch FROM at - %s::timestamptz) / %s)::int b, min(v.value), avg(v.value), max(v.value) "
            f"FROM signals_reading CROSS JOIN LATERAL (VALUES {values}) v (kind, value) "
            f"WHERE {'person_id' if column == 'person_id' else 'device_id'} = ANY (%s) AND {_SPAN} AND v.value IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2",
            [frm, step, ids, *_span(frm, to)],
        )
        for kind, bucket, low, mean, high in cursor.fetchall():
            found[kind].append(((bucket + 0.5) * step, low, mean, high))
    begins = timezone.localtime(frm)
    old = Summary.objects.filter(
        **{f"{column}__in": ids}, kind__in=names, day__gte=begins.date(), day__lte=timezone.localdate(to)
    )
    for kind, day, hour, low, mean, high in old.order_by("day", "hour").values_list(
        "kind", "day", "hour", "low", "mean", "high"
    ):
        at = (day - begins.date()).days * 86_400 + hour * 3600 + 1800 - (begins.hour * 3600)
        if 0 <= at < (to - frm).total_seconds():
            found[kind].append((at, low, mean, high))
    for points in found.values():
        points.sort()
    return found


def track(person_id: int, frm: datetime, to: datetime, most: int = 1_500) -> list[tuple[datetime, float, float]]:
    """Places in [frm, to), in order; evenly thinned to ``most``. Consent and the log are the caller's."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT at, latitude, longitude FROM signals_reading WHERE person_id = ANY (%s) AND {_SPAN} AND latitude IS NOT NULL ORDER BY at",
            [_files(person_id), *_span(frm, to)],
        )
        rows = cursor.fetchall()
    every = len(rows) // most + 1
    return rows[::every]


def nights(whose: dict[str, int], frm: datetime, to: datetime) -> list[tuple[datetime, dict[str, float]]]:
    """Reports of sleep in [frm, to): minutes deep, light, dreaming, awake."""
    ((column, pk),) = whose.items()
    ids = _files(pk) if column == "person_id" else [pk]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT at, more::text FROM signals_reading WHERE {'person_id' if column == 'person_id' else 'device_id'} = ANY (%s) AND {_SPAN} "
            "AND more ? 'sleep_deep' ORDER BY at",
            [ids, *_span(frm, to)],
        )
        return [(at, json.loads(more)) for at, more in cursor.fetchall()]


_SPAN = "day >= %s AND day <= %s AND at >= %s AND at < %s"


def _span(frm: datetime, to: datetime) -> list:
    return [timezone.localdate(frm), timezone.localdate(to), frm, to]


def _column(kind: str) -> str:
    if kind not in COLUMNS:
        raise ValueError(f"{kind} has no column")
    return f'"{kind}"'


def _files(person_id: int) -> list[int]:
    """The person and what was merged into that file: its readings stayed where they were."""
    return [person_id, *people.merged_into(person_id)]
