"""The rows of a new case: the case with its number, its first alarm, the first line of its trail, its clocks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from sangyu.care.signals.services import Raised
from sangyu.kernel.actor import Actor
from sangyu.kernel.bulk import insert_together
from sangyu.kernel.events import emit_many
from sangyu.kernel.numbering import next_numbers
from sangyu.registry.facilities import selectors as facilities
from sangyu.registry.people import selectors as people
from sangyu.registry.regions import selectors as regions

from .. import events, ladders
from ..enums import Did, Kind, Source, State, family_of
from ..models import Alarm, Incident, Step, Trail


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand(Raised):
    """An alarm that a person raised: no device, no rule."""

    source: Source
    address: str = ""


def open_cases(firsts: Sequence[Raised], actor: Actor, now: datetime) -> list[Incident]:
    """A case for each alarm: as many statements for one as for a hundred. Raises LookupError for a path without a region."""
    if not firsts:
        return []
    areas = regions.open_at({a.path for a in firsts})
    homes = people.homes(a.person_id for a in firsts if a.person_id)
    houses = facilities.places({a.facility_id for a in firsts if a.facility_id})
    made = [_case(a, areas[a.path], homes.get(a.person_id), houses.get(a.facility_id), now) for a in firsts]
    codes = [areas[a.path].code for a in firsts]
    _number(made, codes, now)
    insert_together(made)
    insert_together(
        [alarm_row(i, a, now) for i, a in zip(made, firsts, strict=True)],
        [trail_line(i, a, Did.OPENED, actor, now) for i, a in zip(made, firsts, strict=True)],
        [step for i, code in zip(made, codes, strict=True) for step in steps_of(i, code, now)],
    )
    tell(events.OPENED, made)
    return made


def _number(made: list[Incident], codes: list[str], now: datetime) -> None:
    """Numbers by county, drills apart. The counter's row is locked to the end of the transaction: one order for all."""
    wanting: dict[tuple[str, str], list[Incident]] = {}
    for incident, code in zip(made, codes, strict=True):
        wanting.setdefault(("YL" if incident.drill else "JJ", code[:6]), []).append(incident)
    today = timezone.localdate(now)
    for (mark, county), cases in sorted(wanting.items()):
        numbers = next_numbers(mark, today, county, count=len(cases))
        for incident, number in zip(cases, numbers, strict=True):
            incident.number = number


def _case(alarm: Raised, region: regions.OpenRegion, person, house, now: datetime) -> Incident:
    fresh = ladders.book_for(region.code).fresh_place
    usable = alarm.latitude is not None and (alarm.placed_at is None or alarm.at - alarm.placed_at <= fresh)
    home = house or person
    latitude, longitude = (alarm.latitude, alarm.longitude) if usable else (None, None)
    if not usable and home is not None:
        latitude, longitude = home.latitude, home.longitude
    by_hand = isinstance(alarm, ByHand)
    address = (alarm.address if by_hand else "") or (person.address if person and not house else "")
    if house:
        address = " ".join(filter(None, (house.name, alarm.room, alarm.bed)))
    return Incident(
        level=alarm.level, kind=kind_of(alarm), family=family_of(alarm.kind),
        source=alarm.source if by_hand else Source.DEVICE, state=State.OPEN, person_id=alarm.person_id,
        person_name=person.name if person else "", facility_id=alarm.facility_id, room=alarm.room, bed=alarm.bed,
        device_id=alarm.device_id, region_id=region.pk, path=alarm.path, address=address[:200], latitude=latitude,
        longitude=longitude, accuracy=alarm.accuracy if usable else None,
        placed_at=(alarm.placed_at or alarm.at) if usable else None, text=alarm.text[:300], drill=alarm.drill,
        alarm_at=alarm.at, received_at=alarm.received_at, last_alarm_at=alarm.at, opened_at=now,
    )  # fmt: skip


def kind_of(alarm: Raised) -> str:
    return alarm.kind if alarm.kind in Kind.values else Kind.UNKNOWN


def alarm_row(incident: Incident, a: Raised, now: datetime) -> Alarm:
    return Alarm(
        incident_id=incident.pk, alarm_id=a.alarm_id, device_id=a.device_id, kind=kind_of(a), level=a.level, rule=a.rule,
        at=a.at, received_at=a.received_at, joined_at=now, late=a.late, text=a.text[:300], latitude=a.latitude,
        longitude=a.longitude, accuracy=a.accuracy, placed_at=a.placed_at,
    )  # fmt: skip


def trail_line(incident: Incident, a: Raised, what: Did, actor: Actor, now: datetime) -> Trail:
    return Trail(
        incident_id=incident.pk, at=now, what=what, actor=actor.name[:100], account_id=actor.account_id, words=a.text[:500],
        data={"kind": str(a.kind), "level": int(a.level), "at": a.at.isoformat(), "rule": a.rule, "late": a.late},
    )  # fmt: skip


def steps_of(incident: Incident, region_code: str, since: datetime) -> list[Step]:
    """The clocks of the case's ladder, counted from ``since``."""
    ladder = ladders.book_for(region_code).ladder(incident.level, in_facility=incident.facility_id is not None)
    return [
        Step(incident_id=incident.pk, code=f"{incident.level}.{r.code}", act=r.act, unless=r.unless, words=r.words, due_at=since + r.after, rank=n)
        for n, r in enumerate(ladder.rungs if ladder else ())
    ]  # fmt: skip


def tell(name: str, incidents: Iterable[Incident], **more) -> None:
    """An event of each case."""
    emit_many(
        name,
        [
            (i.path, {"incident": i.pk, "number": i.number, "level": i.level, "state": str(i.state), **more})
            for i in incidents
        ],
    )
