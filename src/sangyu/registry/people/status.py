"""Status facts and life events: death, move, admission (R-017, R-019 … R-025). Imported through ``services``."""

from datetime import date, datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel import facts
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, Refused
from sangyu.kernel.events import emit
from sangyu.kernel.models import Share
from sangyu.kernel.scoping import as_system, say_why, take_along
from sangyu.kernel.services import service
from sangyu.registry.regions import selectors as regions

from . import events
from .enums import FACT_VALUES, FactKind, Living, Residence
from .models import Person, PersonFact
from .sharing import PERSON_SHARES
from .store import live_fact, locked, refresh_completeness


def _check_start(person: Person, day: date, field: str = "valid_from") -> None:
    if person.birth_date and day < person.birth_date:
        raise Invalid({field: [_("The day lies before the birth date.")]})


@service("people.facts")
def record_fact(
    *,
    actor: Actor,
    person_id: int,
    kind: str,
    value: str,
    valid_from: date,
    source: str,
    valid_to: date | None = None,
    note: str = "",
    evidence_id: int | None = None,
    now: datetime | None = None,
) -> PersonFact:
    """State that ``kind`` is ``value`` from ``valid_from`` on, until (excluding) ``valid_to``.

    What was known for those days is superseded, never deleted. ``source`` names who established it; ``evidence_id`` is
    a kernel file. Raises Invalid for a value that the kind does not have, NotVisible.
    """
    if value not in FACT_VALUES.get(kind, {}):
        raise Invalid({"value": [_("“%(kind)s” has no value “%(value)s”.") % {"kind": kind, "value": value}]})
    if valid_to is not None and valid_to <= valid_from:
        raise Invalid({"valid_to": [_("The end must be after the start.")]})
    person = locked(person_id)
    _check_start(person, valid_from)
    fact = facts.record(
        PersonFact,
        subject=person,
        kind=kind,
        value=value,
        valid_from=valid_from,
        valid_to=valid_to,
        source=source,
        note=note,
        now=now,
    )
    if evidence_id is not None:
        fact.evidence_id = evidence_id
        fact.save(update_fields=["evidence"])
    refresh_completeness(person)
    emit(
        events.FACT_RECORDED, path=person.path, id=person.pk, kind=kind, value=value, valid_from=valid_from.isoformat()
    )
    if (kind, value) == (FactKind.LIVING, Living.ALONE):
        emit(events.LIVES_ALONE, path=person.path, id=person.pk, on=valid_from.isoformat())
    return fact


@service("people.facts")
def end_fact(*, actor: Actor, fact_id: int, ends_on: date, reason: str, now: datetime | None = None) -> None:
    """Let a live fact end: ``ends_on`` is the first day on which it holds no more (R-017, with the reason).

    ``ends_on`` at or before its start takes it out whole (it was wrong from the beginning). Raises NotVisible, Refused.
    """
    found = live_fact(fact_id)
    person = locked(found.subject_id)
    found.refresh_from_db()
    if found.superseded_at is not None:
        raise Refused(_("Somebody else changed this fact in the meantime."), code="people.stale")
    if found.kind == FactKind.REGION:
        raise Refused(_("The responsible region changes by a move."), code="people.fact_by_move")
    if found.valid_to is not None and ends_on >= found.valid_to:
        raise Invalid({"ends_on": [_("The fact ends earlier already.")]})
    say_why(reason)
    facts.record(
        PersonFact,
        subject=person,
        kind=found.kind,
        value=None,
        valid_from=max(ends_on, found.valid_from),
        valid_to=found.valid_to,
        source=found.source,
        now=now,
    )
    refresh_completeness(person)
    emit(events.FACT_ENDED, path=person.path, id=person.pk, kind=found.kind, value=found.value, on=ends_on.isoformat())


@service("people.life_events")
def record_death(
    *, actor: Actor, person_id: int, died_on: date, source: str, today: date | None = None, reason: str = ""
) -> Person:
    """Record the day of death. Facts stay as they are: what was true before stays true. Emits ``people.died``.

    Raises Invalid (future, before birth), Refused when a death is recorded already.
    """
    person = locked(person_id)
    if died_on > (today or timezone.localdate()):
        raise Invalid({"died_on": [_("The day lies in the future.")]})
    _check_start(person, died_on, "died_on")
    if person.died_on is not None:
        raise Refused(_("A death is recorded already: %(day)s.") % {"day": person.died_on}, code="people.dead")
    say_why(reason or source)
    person.died_on = died_on
    person.save(update_fields=["died_on", "updated_at"])
    emit(events.DIED, path=person.path, id=person.pk, on=died_on.isoformat())
    return person


@service("people.life_events")
def revoke_death(*, actor: Actor, person_id: int, reason: str) -> Person:
    """Take back a death that was recorded by mistake. Raises Refused when none is recorded."""
    person = locked(person_id)
    if person.died_on is None:
        raise Refused(_("No death is recorded."), code="people.alive")
    if not reason.strip():
        raise Invalid({"reason": [_("Say why.")]})
    say_why(reason)
    person.died_on = None
    person.save(update_fields=["died_on", "updated_at"])
    emit(events.DEATH_REVOKED, path=person.path, id=person.pk)
    return person


@service("people.life_events")
def move(
    *,
    actor: Actor,
    person_id: int,
    region_id: int,
    moved_on: date,
    source: str,
    address: str = "",
    latitude: float | None = None,
    longitude: float | None = None,
    today: date | None = None,
    now: datetime | None = None,
) -> Person:
    """Hand the person to another region from ``moved_on``: the file follows, the household is left (迁入迁出).

    Past days keep their region in the facts of kind ``region``. Raises NotVisible, Invalid, Refused.
    """
    person = locked(person_id)
    target = regions.region(region_id, current=True)
    if moved_on > (today or timezone.localdate()):
        raise Invalid({"moved_on": [_("The day lies in the future.")]})
    _check_start(person, moved_on, "moved_on")
    if person.died_on is not None:
        raise Refused(_("The person has died."), code="people.dead")
    if target.pk == person.region_id:
        raise Refused(_("The person belongs to this region already."), code="people.same_region")
    old_path = person.path
    say_why(source)
    with as_system("the file leaves the actor's region with the person"):
        person.region, person.path, person.household = target, target.path, None
        person.address, person.latitude, person.longitude = address, latitude, longitude
        person.save(
            update_fields=[
                "region", "path", "household", "address", "latitude", "longitude", "updated_at",
            ]
        )  # fmt: skip
        take_along(person)
        Share.objects.filter(kind__in=PERSON_SHARES, object_id=person.pk).update(path=target.path)
        facts.record(
            PersonFact,
            subject=person,
            kind=FactKind.REGION,
            value=str(target.pk),
            valid_from=moved_on,
            source=source,
            now=now,
        )
        refresh_completeness(person)
    payload = {"id": person.pk, "region": target.pk, "on": moved_on.isoformat(), "previous_path": old_path}
    emit(events.LEFT, path=old_path, **payload)
    emit(events.MOVED, path=target.path, **payload)
    return person


def _change_residence(actor, person_id, value, on, source, note, now, event) -> Person:
    person = locked(person_id)
    if person.died_on is not None:
        raise Refused(_("The person has died."), code="people.dead")
    _check_start(person, on, "on")
    facts.record(
        PersonFact,
        subject=person,
        kind=FactKind.RESIDENCE,
        value=value,
        valid_from=on,
        source=source,
        note=note,
        now=now,
    )
    refresh_completeness(person)
    emit(event, path=person.path, id=person.pk, on=on.isoformat())
    return person


@service("people.life_events")
def admit_to_institution(
    *, actor: Actor, person_id: int, on: date, institution: str, source: str, now: datetime | None = None
) -> Person:
    """The person lives in an institution from ``on``. Emits ``people.admitted``."""
    return _change_residence(actor, person_id, Residence.INSTITUTION, on, source, institution, now, events.ADMITTED)


@service("people.life_events")
def enter_hospital(
    *, actor: Actor, person_id: int, on: date, hospital: str, source: str, now: datetime | None = None
) -> Person:
    """The person lies in hospital from ``on``. Emits ``people.hospitalised``."""
    return _change_residence(actor, person_id, Residence.HOSPITAL, on, source, hospital, now, events.HOSPITALISED)


@service("people.life_events")
def revoke_residence(*, actor: Actor, person_id: int, on: date, reason: str, now: datetime | None = None) -> Person:
    """Take back a change of residence that was recorded for ``on`` by mistake: what it had replaced holds again.

    Raises Invalid without a reason, Refused when no live change of that day is found.
    """
    person = locked(person_id)
    if not reason.strip():
        raise Invalid({"reason": [_("Say why.")]})
    rows = PersonFact.objects.filter(subject=person, kind=FactKind.RESIDENCE)
    wrong = rows.known_on(None).filter(valid_from=on).first()
    if wrong is None:
        raise Refused(_("The residence was changed again since. Record the right one instead."), code="people.stale")
    # The stay may lie in pieces by now (a shorter one inside it was recorded and taken back); it was first stated once.
    first = rows.filter(valid_from=on, value=wrong.value).order_by("recorded_at", "id").first()
    before = list(rows.filter(superseded_at=first.recorded_at).order_by("valid_from"))
    end = wrong.valid_to
    while end and (piece := rows.known_on(None).filter(valid_from=end, value=wrong.value).first()):
        end = piece.valid_to
    say_why(reason)
    common = {"subject": person, "kind": FactKind.RESIDENCE, "now": now}
    facts.record(PersonFact, value=None, valid_from=on, valid_to=end, source=wrong.source, **common)
    for old in before:
        if old.valid_to is None or old.valid_to > on:
            facts.record(
                PersonFact, value=old.value, valid_from=max(old.valid_from, on), valid_to=old.valid_to,
                source=old.source, note=old.note, **common,
            )  # fmt: skip
    refresh_completeness(person)
    emit(events.RESIDENCE_REVOKED, path=person.path, id=person.pk, on=on.isoformat())
    return person


@service("people.life_events")
def discharge_from_institution(
    *, actor: Actor, person_id: int, on: date, source: str, now: datetime | None = None
) -> Person:
    """The person lives at home again from ``on``, after an institution or a hospital. Emits ``people.discharged``."""
    return _change_residence(actor, person_id, Residence.HOME, on, source, "", now, events.DISCHARGED)
