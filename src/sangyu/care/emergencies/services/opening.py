"""From alarms to cases: an alarm opens one or joins the open one of the same person and family (R-094)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible
from sangyu.kernel.events import emit
from sangyu.kernel.numbering import next_numbers
from sangyu.kernel.scoping import as_system
from sangyu.kernel.services import service
from sangyu.registry.facilities import selectors as facilities
from sangyu.registry.people import selectors as people
from sangyu.registry.regions import selectors as regions

from .. import events, ladders
from ..enums import LIVE, Did, Family, Kind, Level, Source, State, family_of
from ..models import Alarm, Incident, PeriodicTest, Step, Trail

#: Alarms up to this level open a case; the others are the register's and the charts' business.
OPENS = Level.URGENT


class Raised(Protocol):
    """What signals says of an alarm (``care.signals.services.Raised``)."""

    alarm_id: int | None
    device_id: int | None
    person_id: int | None
    facility_id: int | None
    room: str
    bed: str
    path: str
    rule: str
    kind: str
    level: int
    at: datetime
    received_at: datetime
    late: bool
    drill: bool
    latitude: float | None
    longitude: float | None
    placed_at: datetime | None
    accuracy: float | None
    text: str


@dataclass(frozen=True, slots=True)
class ByHand:
    """An alarm that a person raised: no device, no rule."""

    path: str
    kind: str
    level: int
    at: datetime
    received_at: datetime
    person_id: int | None = None
    facility_id: int | None = None
    device_id: int | None = None
    room: str = ""
    bed: str = ""
    alarm_id: int | None = None
    rule: str = ""
    late: bool = False
    drill: bool = False
    latitude: float | None = None
    longitude: float | None = None
    placed_at: datetime | None = None
    accuracy: float | None = None
    text: str = ""
    source: str = Source.CALL
    address: str = ""


Key = tuple[str, int, str, str, str, bool]


def key_of(alarm: Raised) -> Key:
    """What makes two alarms one case: whose, which family, drill or not."""
    family = family_of(alarm.kind)
    if alarm.person_id:
        return ("person", alarm.person_id, "", "", family, alarm.drill)
    if alarm.facility_id:
        return ("facility", alarm.facility_id, alarm.room, alarm.bed, family, alarm.drill)
    if alarm.device_id:
        return ("device", alarm.device_id, "", "", family, alarm.drill)
    return ("call", id(alarm), "", "", family, alarm.drill)  # nobody knows who: each call is a case of its own


def _key_of_case(i: Incident) -> Key:
    if i.person_id:
        return ("person", i.person_id, "", "", i.family, i.drill)
    if i.facility_id:
        return ("facility", i.facility_id, i.room, i.bed, i.family, i.drill)
    return ("device" if i.device_id else "case", i.device_id or i.pk, "", "", i.family, i.drill)


def alarms(raised: Iterable[Raised], *, actor: Actor, now: datetime) -> list[int]:
    """Open a case for each alarm of level 1 or 2, or let it join: ids of the cases, opened or joined, each once.

    Any order, any repetition: one open case a person and family. Two callers at once wait for each other by person, in one
    order, so that neither doubles a case nor blocks the other for good.
    """
    return _alarms(raised=list(raised), actor=actor, now=now)


@service("emergencies.receive")
def _alarms(*, raised: Sequence[Raised], actor: Actor, now: datetime) -> list[int]:
    tests = [a for a in raised if a.kind == Kind.TEST and a.device_id]
    if tests:
        PeriodicTest.objects.bulk_create(
            (
                PeriodicTest(device_id=a.device_id, path=a.path, at=a.at, received_at=a.received_at, stored_at=now)
                for a in tests
            ),
            ignore_conflicts=True,
        )
    return take_in([a for a in raised if a.level <= OPENS], actor=actor, now=now)


def take_in(raised: Sequence[Raised], *, actor: Actor, now: datetime) -> list[int]:
    """``alarms`` without the door, for those who raise by hand."""
    if not raised:  # most batches of readings bring none
        return []
    groups: dict[Key, list[Raised]] = {}
    with as_system("a case belongs to its region, whoever raises the alarm"):
        _one_at_a_time({key_of(alarm)[:4] for alarm in raised})
        fresh, before = _unknown(raised)
        for alarm in sorted(fresh, key=lambda a: (a.level, a.at)):
            groups.setdefault(key_of(alarm), []).append(alarm)
        standing = _standing(groups)
        new = _without_case(groups, standing)
        touched = _open(new, actor, now)
        standing.update(zip(new, touched, strict=True))
        ids = before + [i.pk for i in touched]
        for key, found in groups.items():
            incident = standing.get(key) or standing[_life(key)]
            rest = found[1:] if key in new else found
            if rest:
                _join(incident, rest, actor, now, told=key in new)
                ids.append(incident.pk)
    return list(dict.fromkeys(ids))


def _unknown(raised: Sequence[Raised]) -> tuple[list[Raised], list[int]]:
    """Alarms that no case has yet, each once, and the open cases of the others. What comes again after its case was closed
    opens nothing: it was seen.
    """
    ids = [a.alarm_id for a in raised if a.alarm_id is not None]
    rows = Alarm.objects.filter(alarm_id__in=ids).values_list("alarm_id", "at", "incident_id", "incident__state")
    known = {(pk, at): (case, state) for pk, at, case, state in rows} if ids else {}
    fresh: list[Raised] = []
    seen: set[tuple] = set()
    for alarm in raised:
        mark = (alarm.alarm_id, alarm.at)
        if alarm.alarm_id is None or (mark not in known and mark not in seen):
            fresh.append(alarm)
            seen.add(mark)
    again = [known[(a.alarm_id, a.at)] for a in raised if (a.alarm_id, a.at) in known]
    return fresh, [case for case, state in again if state in LIVE]


def _life(key: Key) -> Key:
    return (*key[:4], Family.LIFE, key[5])


def _one_at_a_time(whose: set[tuple]) -> None:
    """Advisory locks to the end of the transaction, in one order for all."""
    names = sorted("emergency:" + ":".join(str(part) for part in w) for w in whose)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_advisory_xact_lock(k)) FROM (SELECT DISTINCT hashtextextended(n, 0) AS k "
            "FROM unnest(%s::text[]) AS n ORDER BY k) AS locks",
            [names],
        )


def _standing(groups: dict[Key, list[Raised]]) -> dict[Key, Incident]:
    """Open cases of those whom the alarms are about, locked, by key."""
    persons = sorted({k[1] for k in groups if k[0] == "person"})
    houses = sorted({k[1] for k in groups if k[0] == "facility"})
    devices = sorted({k[1] for k in groups if k[0] == "device"})
    rows: list[Incident] = []
    live = Incident.objects.live().select_for_update(of=("self",)).select_related("region").order_by("id")
    if persons:
        rows += live.filter(person_id__in=persons)
    if houses:
        rows += live.filter(person=None, facility_id__in=houses)
    if devices:
        rows += live.filter(person=None, facility=None, device_id__in=devices)
    return {_key_of_case(i): i for i in rows}


def _without_case(groups: dict[Key, list[Raised]], standing: dict[Key, Incident]) -> dict[Key, list[Raised]]:
    """Groups that open a case. A health value or a fence joins an open call for help of the same person."""
    found = {}
    for key, rows in groups.items():
        joins = key[4] in (Family.HEALTH, Family.PLACE) and (_life(key) in standing or _life(key) in groups)
        if key not in standing and not joins:
            found[key] = rows
    return found


def _open(groups: dict[Key, list[Raised]], actor: Actor, now: datetime) -> list[Incident]:
    if not groups:
        return []
    firsts = [found[0] for found in groups.values()]
    areas = {path: _region(path) for path in sorted({a.path for a in firsts})}
    homes = people.homes(a.person_id for a in firsts if a.person_id)
    houses = facilities.places([a.facility_id for a in firsts if a.facility_id])
    by_county: dict[str, list[Incident]] = {}
    made: list[Incident] = []
    for alarm in firsts:
        region = areas[alarm.path]
        incident = _new(alarm, region, homes.get(alarm.person_id), houses.get(alarm.facility_id), now)
        by_county.setdefault(region.code[:6], []).append(incident)
        made.append(incident)
    for county in sorted(by_county):  # the counter's row is locked to the end: one order for all
        wanting = by_county[county]
        mark = "YL" if wanting[0].drill else "JJ"
        for incident, number in zip(
            wanting, next_numbers(mark, timezone.localdate(now), county, count=len(wanting)), strict=True
        ):
            incident.number = number
    Incident.objects.bulk_create(made)
    Alarm.objects.bulk_create(_row(i, a, now) for i, a in zip(made, firsts, strict=True))
    Trail.objects.bulk_create(
        Trail(
            incident=i, at=now, what=Did.OPENED, actor=actor.name[:100], account_id=actor.account_id,
            words=a.text[:500], data=_said(a),
        )
        for i, a in zip(made, firsts, strict=True)
    )  # fmt: skip
    write_steps(made, now)
    for incident in made:
        emit(
            events.OPENED, path=incident.path, incident=incident.pk, number=incident.number, level=incident.level,
            state=incident.state,
        )  # fmt: skip
    return made


def _region(path: str):
    found = regions.at_path(path)
    if found is None:
        raise LookupError(f"no region at {path}")
    return found


def _new(alarm: Raised, region, person, house, now: datetime) -> Incident:
    fresh = ladders.book_for(region.code).fresh_place
    usable = alarm.latitude is not None and (alarm.placed_at is None or alarm.at - alarm.placed_at <= fresh)
    home = house or person
    latitude, longitude = (alarm.latitude, alarm.longitude) if usable else (None, None)
    if not usable and home is not None:
        latitude, longitude = home.latitude, home.longitude
    address = getattr(alarm, "address", "") or (person.address if person and not house else "")
    if house:
        address = " ".join(filter(None, (house.name, alarm.room, alarm.bed)))
    return Incident(
        level=alarm.level, kind=alarm.kind if alarm.kind in Kind.values else Kind.UNKNOWN, family=family_of(alarm.kind),
        source=getattr(alarm, "source", Source.DEVICE), state=State.OPEN, person_id=alarm.person_id,
        person_name=person.name if person else "", facility_id=alarm.facility_id, room=alarm.room, bed=alarm.bed,
        device_id=alarm.device_id, region=region, path=alarm.path, address=address[:200], latitude=latitude,
        longitude=longitude, accuracy=alarm.accuracy if usable else None,
        placed_at=(alarm.placed_at or alarm.at) if usable else None, text=alarm.text[:300], drill=alarm.drill,
        alarm_at=alarm.at, received_at=alarm.received_at, last_alarm_at=alarm.at, opened_at=now,
    )  # fmt: skip


def _row(incident: Incident, a: Raised, now: datetime) -> Alarm:
    return Alarm(
        incident=incident, alarm_id=a.alarm_id, device_id=a.device_id, kind=incident.kind, level=a.level, rule=a.rule,
        at=a.at, received_at=a.received_at, joined_at=now, late=a.late, text=a.text[:300], latitude=a.latitude,
        longitude=a.longitude, accuracy=a.accuracy, placed_at=a.placed_at,
    )  # fmt: skip


def _said(a: Raised) -> dict:
    return {"kind": str(a.kind), "level": int(a.level), "at": a.at.isoformat(), "rule": a.rule, "late": a.late}


def write_steps(incidents: Iterable[Incident], since: datetime) -> None:
    """The clocks of the cases' ladders, counted from ``since``; codes that stand already stay. One statement."""
    steps = []
    for i in incidents:
        ladder = ladders.book_for(i.region.code).ladder(i.level, in_facility=i.facility_id is not None)
        steps += [
            Step(incident=i, code=f"{i.level}.{r.code}", act=r.act, unless=r.unless, words=r.words, due_at=since + r.after, rank=n)
            for n, r in enumerate(ladder.rungs if ladder else ())
        ]  # fmt: skip
    Step.objects.bulk_create(steps, ignore_conflicts=True)


def _join(incident: Incident, fresh: list[Raised], actor: Actor, now: datetime, *, told: bool) -> None:
    """Alarms that fold into an open case; one that is graver brings its own ladder."""
    Alarm.objects.bulk_create(_row(incident, a, now) for a in fresh)
    incident.repeats += len(fresh)
    incident.last_alarm_at = max(incident.last_alarm_at, *(a.at for a in fresh))
    fields = ["repeats", "last_alarm_at"]
    place = max((a for a in fresh if a.latitude is not None), key=lambda a: a.placed_at or a.at, default=None)
    if place is not None and (incident.placed_at is None or (place.placed_at or place.at) > incident.placed_at):
        incident.latitude, incident.longitude, incident.accuracy = place.latitude, place.longitude, place.accuracy
        incident.placed_at = place.placed_at or place.at
        fields += ["latitude", "longitude", "accuracy", "placed_at"]
    gravest = min(fresh, key=lambda a: a.level)
    if gravest.level < incident.level:
        incident.level = gravest.level
        incident.kind = gravest.kind if gravest.kind in Kind.values else Kind.UNKNOWN
        fields += ["level", "kind"]
    incident.save(update_fields=fields)
    if "level" in fields:
        write_steps([incident], now)
    Trail.objects.bulk_create(
        Trail(
            incident=incident, at=now, what=Did.REPEATED, actor=actor.name[:100], account_id=actor.account_id,
            words=a.text[:500], data=_said(a),
        )
        for a in fresh
    )  # fmt: skip
    if not told:
        emit(
            events.CHANGED, path=incident.path, incident=incident.pk, number=incident.number, level=incident.level,
            state=incident.state, repeats=incident.repeats,
        )  # fmt: skip


@service("emergencies.receive")
def device_reset(*, actor: Actor, device_id: int, now: datetime) -> list[int]:
    """The device says that all is fine: written into its open cases, which stay open. A person closes a case (devices.md §6)."""
    found = []
    for incident in Incident.objects.live().select_for_update(of=("self",)).filter(device_id=device_id).order_by("id"):
        if incident.reset_at is None:
            incident.reset_at = now
            incident.save(update_fields=["reset_at"])
            Trail.objects.create(incident=incident, at=now, what=Did.RESET, actor=actor.name[:100])
            emit(
                events.CHANGED, path=incident.path, incident=incident.pk, number=incident.number, level=incident.level,
                state=incident.state,
            )  # fmt: skip
        found.append(incident.pk)
    return found


@service("emergencies.raise")
def raise_by_hand(
    *,
    actor: Actor,
    source: str,
    now: datetime,
    person_id: int | None = None,
    facility_id: int | None = None,
    room: str = "",
    kind: str = Kind.SOS,
    level: int = Level.LIFE,
    text: str = "",
    address: str = "",
    latitude: float | None = None,
    longitude: float | None = None,
    accuracy: float | None = None,
) -> int:
    """A call for help without a device: ``source`` call, app or walk_in. Answers the id of the case, opened or joined.

    Raises Invalid, NotVisible.
    """
    errors: dict[str, list[str]] = {}
    if source not in (Source.CALL, Source.APP, Source.WALK_IN):
        errors["source"] = [_("Say how the call came.")]
    if kind not in Kind.values:
        errors["kind"] = [_("Choose what has happened.")]
    if level not in (Level.LIFE, Level.URGENT):
        errors["level"] = [_("A case is of level 1 or 2.")]
    if not person_id and not facility_id and not address.strip():
        errors["address"] = [_("Say who or where.")]
    if (latitude is None) != (longitude is None):
        errors["latitude"] = [_("A place has latitude and longitude.")]
    if errors:
        raise Invalid(errors)
    path = actor.path
    if person_id:
        card = people.person_cards(actor, [person_id]).get(person_id)
        if card is None:
            raise NotVisible
        path = card.path
    elif facility_id:
        path = facilities.get_facility(actor, facility_id).path
    alarm = ByHand(
        path=path, kind=kind, level=level, at=now, received_at=now, person_id=person_id, facility_id=facility_id,
        room=room, latitude=latitude, longitude=longitude, accuracy=accuracy, text=text.strip(),
        placed_at=now if latitude is not None else None, source=source, address=address.strip(),
    )  # fmt: skip
    return take_in([alarm], actor=actor, now=now)[0]
