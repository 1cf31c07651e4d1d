"""From alarms to cases: an alarm opens one or joins the open one of the same person and family (R-094)."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sangyu.kernel import quick
from sangyu.kernel.actor import Actor
from sangyu.kernel.bulk import insert_together
from sangyu.kernel.scoping import as_system
from sangyu.kernel.services import service

from .. import events
from ..enums import LIVE, Did, Family, Kind, Level, family_of
from ..models import Incident, PeriodicTest, Step, Trail
from .making import Raised, alarm_row, kind_of, open_cases, steps_of, tell, trail_line

#: Alarms up to this level open a case; the others are the register's and the charts' business.
OPENS = Level.URGENT


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


def _key_of_case(pk, person, facility, room, bed, device, family, drill) -> Key:
    if person:
        return ("person", person, "", "", family, drill)
    if facility:
        return ("facility", facility, room, bed, family, drill)
    return ("device" if device else "case", device or pk, "", "", family, drill)


def alarms(raised: Iterable[Raised], *, actor: Actor, now: datetime) -> list[int]:
    """Open a case for each alarm of level 1 or 2, or let it join: ids of the cases, opened or joined, each once.

    Any order, any repetition: one open case a person and family. Two callers at once wait for each other by person, in one
    order, so that neither doubles a case nor blocks the other for good.
    """
    return _alarms(raised=list(raised), actor=actor, now=now)


@service("emergencies.receive", savepoint=False)
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
        known, standing = _look(raised)
        fresh, before = _unknown(raised, known)
        for alarm in sorted(fresh, key=lambda a: (a.level, a.at)):
            groups.setdefault(key_of(alarm), []).append(alarm)
        new = _without_case(groups, standing)
        opened = dict(zip(new, open_cases([found[0] for found in new.values()], actor, now), strict=True))
        ids = before + [i.pk for i in opened.values()]
        joining = {key: rest for key, found in groups.items() if (rest := found[1:] if key in new else found)}
        if joining:
            joined = {standing[k] for k in (_joined(key, standing) for key in joining) if k is not None}
            cases = Incident.objects.select_related("region").in_bulk(joined)
            for key, rest in joining.items():
                here = _joined(key, standing)
                incident = cases[standing[here]] if here else opened.get(key) or opened[_life(key)]
                _join(incident, rest, actor, now, told=key in new)
                ids.append(incident.pk)
    return list(dict.fromkeys(ids))


def _joined(key: Key, standing: dict[Key, int]) -> Key | None:
    """The case that was open before which an alarm joins."""
    return next((k for k in (key, _life(key)) if k in standing), None)


def _unknown(raised: Sequence[Raised], known: dict[tuple, int]) -> tuple[list[Raised], list[int]]:
    """Alarms that no case has yet, each once, and the open cases of the others. What comes again after its case was closed
    opens nothing: it was seen.
    """
    fresh: list[Raised] = []
    seen: set[tuple] = set()
    for alarm in raised:
        mark = (alarm.alarm_id, alarm.at)
        if alarm.alarm_id is None or (mark not in known and mark not in seen):
            fresh.append(alarm)
            seen.add(mark)
    if not known:
        return fresh, []
    live = set(Incident.objects.live().filter(pk__in=set(known.values())).values_list("pk", flat=True))
    again = [known[(a.alarm_id, a.at)] for a in raised if (a.alarm_id, a.at) in known]
    return fresh, [case for case in again if case in live]


def _life(key: Key) -> Key:
    return (*key[:4], Family.LIFE, key[5])


_LOCK = "SELECT count(pg_advisory_xact_lock(k)) FROM (SELECT DISTINCT hashtextextended(n, 0) AS k FROM unnest(%s::text[]) AS n ORDER BY k) AS locks"
_KNOWN = "SELECT alarm_id, at, incident_id FROM emergencies_alarm WHERE alarm_id = ANY (%s::bigint[])"
_STANDING = (
    "SELECT id, person_id, facility_id, room, bed, device_id, family, drill FROM emergencies_incident WHERE state IN ({live}) AND ({whose}) "
    "ORDER BY id FOR UPDATE"
)
_WHOSE = {
    "person": "person_id = ANY (%s::bigint[])",
    "facility": "person_id IS NULL AND facility_id = ANY (%s::bigint[])",
    "device": "person_id IS NULL AND facility_id IS NULL AND device_id = ANY (%s::bigint[])",
}


def _look(raised: Sequence[Raised]) -> tuple[dict[tuple, int], dict[Key, int]]:
    """Lock those whom the alarms are about to the end of the transaction, in one order for all; then (alarm and moment → case) of
    alarms that a case has, and (key → case) of the open cases of those people, places and devices, locked.
    """
    whose = {key_of(alarm)[:4] for alarm in raised}
    by_kind: dict[str, set[int]] = {}
    for kind, pk, *_where in whose:
        if kind in _WHOSE:
            by_kind.setdefault(kind, set()).add(pk)
    live = ", ".join(f"'{state}'" for state in LIVE)
    mine = " OR ".join(f"({_WHOSE[kind]})" for kind in by_kind) or "false"
    quick.rows(_LOCK, [quick.array(sorted("emergency:" + ":".join(str(part) for part in w) for w in whose))])
    # who waited for the locks sees what was committed meanwhile: each statement has a view of its own
    asked = quick.rows(_KNOWN, [quick.array(a.alarm_id for a in raised if a.alarm_id is not None)])
    known = {(alarm, at): case for alarm, at, case in asked}
    standing = quick.rows(
        _STANDING.format(live=live, whose=mine), [quick.array(sorted(pks)) for pks in by_kind.values()]
    )
    return known, {_key_of_case(*row): row[0] for row in standing}


def _without_case(groups: dict[Key, list[Raised]], standing: dict[Key, int]) -> dict[Key, list[Raised]]:
    """Groups that open a case. A health value or a fence joins an open call for help of the same person."""
    found = {}
    for key, rows in groups.items():
        joins = key[4] in (Family.HEALTH, Family.PLACE) and (_life(key) in standing or _life(key) in groups)
        if key not in standing and not joins:
            found[key] = rows
    return found


def _join(incident: Incident, fresh: list[Raised], actor: Actor, now: datetime, *, told: bool) -> None:
    """Alarms that fold into an open case; one that is graver brings its own ladder."""
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
        incident.level, incident.kind = gravest.level, kind_of(gravest)
        fields += ["level", "kind"]
        steps = steps_of(incident, incident.region.code, now)  # codes that stand already stay
        Step.objects.bulk_create(steps, ignore_conflicts=True)
    incident.save(update_fields=fields)
    insert_together(
        [alarm_row(incident, a, now) for a in fresh],
        [trail_line(incident, a, Did.REPEATED, actor, now) for a in fresh],
    )
    if not told:
        tell(events.CHANGED, [incident], repeats=incident.repeats)


@service("emergencies.receive")
def device_reset(*, actor: Actor, device_id: int, now: datetime) -> list[int]:
    """The device says that all is fine: written into its open cases, which stay open. A person closes a case (devices.md §6)."""
    found = []
    for incident in Incident.objects.live().select_for_update(of=("self",)).filter(device_id=device_id).order_by("id"):
        if incident.reset_at is None:
            incident.reset_at = now
            incident.save(update_fields=["reset_at"])
            Trail.objects.create(incident=incident, at=now, what=Did.RESET, actor=actor.name[:100])
            tell(events.CHANGED, [incident])
        found.append(incident.pk)
    return found
