"""Who may go, nearest first, and why not (R-093). Distances are travel estimates: straight line × the ladder file's factor."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.geo import bounding_box, haversine
from sangyu.kernel.scoping import as_system, lineage
from sangyu.registry.accounts import selectors as accounts
from sangyu.registry.facilities import selectors as facilities
from sangyu.registry.facilities.enums import FactKind
from sangyu.registry.facilities.enums import Kind as FacilityKind
from sangyu.registry.facilities.enums import State as FacilityState
from sangyu.registry.people import selectors as people
from sangyu.registry.workforce import selectors as workforce
from sangyu.registry.workforce.enums import Post

from .. import ladders
from ..enums import PartyKind
from ..models import Duty, Incident, Station

ROUND_THE_CLOCK = (time(0), time(0))
#: When a facility of a kind is staffed, unless its station says otherwise. Kinds that are not here are not asked.
USUAL = {
    FacilityKind.INSTITUTION: ROUND_THE_CLOCK,
    FacilityKind.NURSING_HOME: ROUND_THE_CLOCK,
    FacilityKind.DAY_CARE: (time(8), time(17)),
    FacilityKind.STATION: (time(8), time(17, 30)),
    FacilityKind.MUTUAL_AID: (time(8), time(17)),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One who may go, from where (WGS-84). ``able`` False: is shown and passed over, ``reason`` says why; else it says what speaks for it."""

    kind: PartyKind
    subject_id: int
    name: str
    distance_m: int | None
    able: bool
    reason: str
    telephone: str = ""
    organisation_id: int | None = None
    worker_id: int | None = None
    account_id: int | None = None
    latitude: float | None = None
    longitude: float | None = None


def candidates_of(incident: Incident, track: str, now: datetime) -> list[Candidate]:
    """All of one track in the order of asking."""
    with as_system("who may go is looked for past the borders of areas"):
        if track == "duty":
            return _on_roster(incident, now)
        if track == "family":
            return _relatives(incident)
        found = [*_facilities(incident, now), *_workers(incident, now)]
    far = 10**9
    return sorted(found, key=lambda c: (far if c.distance_m is None else c.distance_m, c.kind, c.name, c.subject_id))


def _metres(incident: Incident, latitude: float | None, longitude: float | None, detour: float) -> int | None:
    if None in (incident.latitude, incident.longitude, latitude, longitude):
        return None
    return round(haversine(incident.latitude, incident.longitude, latitude, longitude) * detour)


def _near(rows, incident: Incident, book: ladders.Book):
    """``rows`` around the incident; without a place those of its street."""
    if incident.latitude is None:
        return rows.filter(path__startswith=incident.path[: max(3, len(incident.path) - 3)])
    south, north, west, east = bounding_box(incident.latitude, incident.longitude, book.most_metres / book.detour)
    return rows.filter(latitude__range=(south, north), longitude__range=(west, east))


def _facilities(incident: Incident, now: datetime) -> list[Candidate]:
    book = ladders.book_for(incident.region.code)
    rows = list(_near(facilities.ready(USUAL), incident, book).exclude(pk=incident.facility_id))
    states = facilities.facts_on([f.pk for f in rows], timezone.localdate(now))
    stations = {s.facility_id: s for s in Station.objects.filter(facility__in=rows).prefetch_related("hours")}
    found = []
    for f in rows:
        station = stations.get(f.pk)
        metres = _metres(incident, f.latitude, f.longitude, book.detour)
        if metres is not None and metres > book.most_metres:
            continue
        able, reason = _staffed(f.kind, station, states.get(f.pk, {}).get(FactKind.STATE, ""), now)
        found.append(
            Candidate(
                PartyKind.FACILITY, f.pk, f.name, metres, able, reason,
                telephone=(station.telephone if station else "") or f.telephone,
                organisation_id=f.organisation_id, account_id=station.account_id if station else None,
                latitude=f.latitude, longitude=f.longitude,
            )
        )  # fmt: skip
    return found


def _staffed(kind: str, station: Station | None, state: str, now: datetime) -> tuple[bool, str]:
    if state and state != FacilityState.OPERATING:
        return False, str(FacilityState(state).label)
    if station is not None and not station.takes_alarms:
        return False, _("Takes no alarms")
    local = timezone.localtime(now)
    hours = list(station.hours.all()) if station else []
    if hours:
        stretches = [(h.weekday, h.opens, h.closes) for h in hours]
    else:
        opens, closes = USUAL[FacilityKind(kind)]
        stretches = [(day, opens, closes) for day in range(1, 8)]
    for weekday, opens, closes in stretches:
        if _inside(local, weekday, opens, closes):
            text = (
                _("Open round the clock") if opens == closes else _("Open until %(time)s") % {"time": f"{closes:%H:%M}"}
            )
            return True, text
    today = sorted(
        opens for weekday, opens, _closes in stretches if weekday == local.isoweekday() and opens > local.time()
    )
    return False, _("Closed, opens at %(time)s") % {"time": f"{today[0]:%H:%M}"} if today else _("Closed today")


def _inside(local: datetime, weekday: int, opens: time, closes: time) -> bool:
    """Whether the local moment lies in the stretch; one that closes not after it opens lasts into the next day."""
    day, clock = local.isoweekday(), local.time()
    if opens < closes:
        return day == weekday and opens <= clock < closes
    return (day == weekday and clock >= opens) or (day == weekday % 7 + 1 and clock < closes)


def _workers(incident: Incident, now: datetime) -> list[Candidate]:
    book = ladders.book_for(incident.region.code)
    rows = list(workforce.on_duty(_near(workforce.engaged(), incident, book), now)[:200])
    signed_in = accounts.signed_in([w.account_id for w in rows if w.account_id], now)
    found = []
    for w in rows:
        metres = _metres(incident, w.latitude, w.longitude, book.detour)
        if metres is not None and metres > book.most_metres:
            continue
        able = w.account_id in signed_in
        reason = _("On duty, %(post)s") % {"post": w.get_post_display()} if able else _("Not signed in")
        kind = PartyKind.VOLUNTEER if w.post == Post.VOLUNTEER else PartyKind.WORKER
        found.append(
            Candidate(
                kind, w.pk, w.name, metres, able, reason, telephone=w.phone or "",
                organisation_id=w.organisation_id, worker_id=w.pk, account_id=w.account_id,
                latitude=w.latitude, longitude=w.longitude,
            )
        )  # fmt: skip
    return found


def _relatives(incident: Incident) -> list[Candidate]:
    if incident.person_id is None:
        return []
    found = []
    for c in people.contacts_of(incident.person_id):
        able = bool(c.phone or c.account_id)
        reason = c.get_relation_display() if able else _("No telephone number")
        found.append(
            Candidate(
                PartyKind.FAMILY, c.pk, c.name, None, able, reason, telephone=c.phone or "", account_id=c.account_id
            )
        )
    return found


def _on_roster(incident: Incident, now: datetime) -> list[Candidate]:
    return [
        Candidate(
            PartyKind.OPERATOR, d.account_id, d.account_name, None, True,
            _("On the roster until %(time)s") % {"time": f"{timezone.localtime(d.ends_at):%H:%M}"},
            telephone=d.contact or "", account_id=d.account_id,
        )
        for d in on_duty(incident, now)
    ]  # fmt: skip


def on_duty(incident: Incident, now: datetime) -> list[Duty]:
    """The roster of this moment: of the facility, else of the nearest region upwards; rank 1 first."""
    rows = Duty.objects.filter(starts_at__lte=now, ends_at__gt=now)
    if incident.facility_id:
        inside = list(rows.filter(facility_id=incident.facility_id).order_by("rank"))
        if inside:
            return _each_once(inside)
    around = rows.filter(facility=None, region__path__in=lineage(incident.path)).select_related("region")
    return _each_once(sorted(around, key=lambda d: (-len(d.region.path), d.rank)))


def _each_once(rows: Iterable[Duty]) -> list[Duty]:
    seen: dict[int, Duty] = {}
    for duty in rows:
        seen.setdefault(duty.account_id, duty)
    return list(seen.values())


def answer_time(incident: Incident, track: str) -> timedelta:
    """How long somebody of the track may take to answer."""
    return ladders.book_for(incident.region.code).answer_within[track]


#: Which track a kind of party belongs to.
TRACK = {
    PartyKind.OPERATOR: "duty",
    PartyKind.FAMILY: "family",
    PartyKind.FACILITY: "nearest",
    PartyKind.WORKER: "nearest",
    PartyKind.VOLUNTEER: "nearest",
}


__all__ = ["TRACK", "USUAL", "Candidate", "answer_time", "candidates_of", "on_duty"]
