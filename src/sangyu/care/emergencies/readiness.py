"""What stands ready, for the screens: roster with gaps, stations, drills, periodic tests, calls."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Max, QuerySet
from django.utils import timezone

from sangyu.kernel.actor import Actor
from sangyu.registry.devices import selectors as devices
from sangyu.registry.regions import selectors as regions

from . import ladders
from .models import Call, Channel, Drill, Duty, PeriodicTest, Station
from .nights import Stretch, gaps_between, nights_of

#: A device's road to the screen is tested at least so often.
TEST_EVERY = timedelta(days=31)


def duties_visible(actor: Actor) -> QuerySet[Duty]:
    return Duty.objects.visible_to(actor).select_related("region", "facility", "account")


def roster_gaps(actor: Actor, frm: date, to: date, *, region_id: int, facility_id: int | None = None) -> list[Stretch]:
    """Stretches of the nights from ``frm`` to ``to`` for which nobody is first on the roster (R-086)."""
    hours = ladders.book_for(regions.region(region_id).code).nights
    nights = nights_of(frm, to, hours)
    rows = Duty.objects.filter(rank=1, facility_id=facility_id, ends_at__gt=nights[0][0], starts_at__lt=nights[-1][1])
    rows = rows if facility_id else rows.filter(region_id=region_id)
    return gaps_between(nights, list(rows.values_list("starts_at", "ends_at")))


def now_on_duty(actor: Actor, now: datetime | None = None) -> list[Duty]:
    """Who of the actor's area is on the roster now."""
    moment = now or timezone.now()
    return list(
        duties_visible(actor).filter(starts_at__lte=moment, ends_at__gt=moment).order_by("region__path", "rank")
    )


@dataclass(frozen=True, slots=True)
class Roster:
    """A roster somebody keeps: of a region or a facility."""

    region_id: int
    facility_id: int | None
    name: str
    gaps: Sequence[Stretch]


def rosters(actor: Actor, frm: date, to: date) -> list[Roster]:
    """Rosters of the actor's area with their gaps; those that begin in the past 100 days count as kept."""
    since = timezone.now() - timedelta(days=100)
    kept = duties_visible(actor).filter(starts_at__gte=since).order_by()
    found = []
    for region, facility, name, house in sorted(
        set(kept.values_list("region_id", "facility_id", "region__name", "facility__name")),
        key=lambda r: (r[2], r[3] or ""),
    ):
        gaps = roster_gaps(actor, frm, to, region_id=region, facility_id=facility)
        found.append(Roster(region, facility, house or name, gaps))
    return found


def stations_visible(actor: Actor) -> QuerySet[Station]:
    return Station.objects.visible_to(actor).select_related("facility", "account").prefetch_related("hours")


def channels_visible(actor: Actor) -> QuerySet[Channel]:
    return Channel.objects.visible_to(actor).select_related("region")


def drills_visible(actor: Actor) -> QuerySet[Drill]:
    return Drill.objects.visible_to(actor).select_related("region", "incident")


def calls_visible(actor: Actor) -> QuerySet[Call]:
    return Call.objects.visible_to(actor).select_related("person", "incident")


def to_call_back(actor: Actor) -> QuerySet[Call]:
    """Missed calls that nobody has called back, the most urgent first."""
    return calls_visible(actor).filter(call_back_by__isnull=False, called_back_at=None).order_by("call_back_by")


def tests_visible(actor: Actor) -> QuerySet[PeriodicTest]:
    return PeriodicTest.objects.visible_to(actor).select_related("device")


def untested(actor: Actor, now: datetime | None = None) -> QuerySet:
    """Devices in use without a test alarm for ``TEST_EVERY``, with ``last_test``; the longest ago first."""
    since = (now or timezone.now()) - TEST_EVERY
    lately = PeriodicTest.objects.filter(received_at__gte=since).values("device_id")
    return devices.in_use(actor).exclude(pk__in=lately).order_by("identity")


def last_tests(device_ids: Sequence[int]) -> dict[int, datetime]:
    """Device → when its last test alarm came."""
    rows = (
        PeriodicTest.objects.filter(device_id__in=list(device_ids)).values("device_id").annotate(at=Max("received_at"))
    )
    return {r["device_id"]: r["at"] for r in rows}
