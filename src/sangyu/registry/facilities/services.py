"""What people do with facilities and stays (R-057 … R-060; R-043, R-044)."""

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.utils import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel import facts
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.events import emit
from sangyu.kernel.publishing import require_responsible
from sangyu.kernel.scoping import as_system, say_why
from sangyu.kernel.services import service
from sangyu.registry.people import selectors as people_selectors
from sangyu.registry.people import services as people
from sangyu.registry.regions import selectors as regions

from . import events, selectors
from .enums import FACT_VALUES, EndReason, FactKind, Kind, State, UrbanRural
from .models import Facility, FacilityFact, Stay

_COLUMNS = (
    "name", "kind", "number", "organisation_id", "address", "latitude", "longitude", "telephone", "beds", "opened_on",
    "urban_rural",
)  # fmt: skip


# ---------------------------------------------------------------- the register
@service("facilities.edit")
def register(
    *, actor: Actor, region_id: int, name: str, kind: str, opened_on: date, urban_rural: str, beds: int | None = 0,
    source: str = "", **more: Any,
) -> Facility:  # fmt: skip
    """Enter a facility of ``region_id`` (in the actor's area) that operates from ``opened_on``.

    ``more``: number, organisation_id, address, latitude, longitude (WGS-84), telephone. Raises Invalid, NotVisible (region),
    Refused("facilities.number").
    """
    region = regions.region(region_id, current=True)
    if not region.path.startswith(actor.path):
        raise NotVisible
    given = {"name": name, "kind": kind, "opened_on": opened_on, "urban_rural": urban_rural, "beds": beds or 0, **more}
    made = Facility(region=region, path=region.path)
    _fill(made, given)
    _save(made)
    facts.record(
        FacilityFact, subject=made, kind=FactKind.STATE, value=State.OPERATING, valid_from=opened_on,
        source=source or actor.name,
    )  # fmt: skip
    emit(events.REGISTERED, path=made.path, id=made.pk)
    return made


@service("facilities.edit")
def change(*, actor: Actor, facility_id: int, reason: str = "", **changes: Any) -> Facility:
    """Change columns of a facility. Fewer beds than people living there are refused. Raises Invalid, NotVisible, Refused."""
    made = _own(actor, facility_id)
    if "beds" in changes:
        changes["beds"] = changes["beds"] or 0
        taken = selectors.occupied(made.pk, timezone.localdate())
        if changes["beds"] < taken:
            raise Refused(
                _("%(taken)s people live there: it cannot have %(beds)s beds.")
                % {"taken": taken, "beds": changes["beds"]},
                code="facilities.beds",
            )
    _fill(made, changes)
    if reason:
        say_why(reason)
    _save(made)
    return made


def _own(actor: Actor, facility_id: int) -> Facility:
    """The facility, locked, when the actor's region answers for it. Raises NotVisible, Refused."""
    found = Facility.objects.visible_to(actor).select_for_update(of=("self",)).filter(pk=facility_id).first()
    if found is None:
        raise NotVisible
    require_responsible(actor, found.path)
    return found


def _fill(made: Facility, given: dict[str, Any]) -> None:
    errors: dict[str, list[str]] = {}
    for field, value in given.items():
        if field not in _COLUMNS:
            raise TypeError(f"a facility has no {field}")
        setattr(made, field, value.strip() if isinstance(value, str) else value)
    if not made.name:
        errors["name"] = [_("Please fill in.")]
    if made.kind not in Kind.values:
        errors["kind"] = [_("Choose one of the options.")]
    if made.urban_rural not in UrbanRural.values:
        errors["urban_rural"] = [_("Choose one of the options.")]
    if (made.latitude is None) != (made.longitude is None):
        errors["longitude"] = [_("Give latitude and longitude, or neither.")]
    if errors:
        raise Invalid(errors)


def _save(made: Facility) -> None:
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError as error:
        if "facility_number_once" in str(error):
            raise Refused(_("A facility with this number is registered already."), code="facilities.number") from None
        raise


@service("facilities.inspect")
def record_fact(
    *, actor: Actor, facility_id: int, kind: str, value: str, valid_from: date, source: str,
    valid_to: date | None = None, note: str = "", now: datetime | None = None,
) -> FacilityFact:  # fmt: skip
    """State a rating, the result of an inspection, or how the facility operates, from ``valid_from`` on.

    Raises Invalid (no such value, before the opening), NotVisible, Refused("scope.above", "facilities.inhabited").
    """
    if value not in FACT_VALUES.get(kind, {}):
        raise Invalid({"value": [_("Choose one of the options.")]})
    made = _own(actor, facility_id)
    if valid_from < made.opened_on:
        raise Invalid({"valid_from": [_("The day lies before the opening.")]})
    if value == State.CLOSED and kind == FactKind.STATE and (taken := selectors.occupied(made.pk, valid_from)):
        raise Refused(
            _("%(taken)s people live there. Discharge them first.") % {"taken": taken}, code="facilities.inhabited"
        )
    fact = facts.record(
        FacilityFact, subject=made, kind=kind, value=value, valid_from=valid_from, valid_to=valid_to, source=source,
        note=note, now=now,
    )  # fmt: skip
    emit(events.FACT, path=made.path, id=made.pk, kind=kind, value=value, on=valid_from.isoformat())
    return fact


# ---------------------------------------------------------------- stays
@service("facilities.admit")
def admit(
    *, actor: Actor, facility_id: int, person_id: int, on: date, source: str, bed: str = "", today: date | None = None,
    now: datetime | None = None,
) -> Stay:  # fmt: skip
    """The person lives in the facility from ``on``; the fact ``residence`` says so in the same transaction (R-043).

    Raises NotVisible, Invalid (future), Refused: "facilities.kind" (nobody lives there), "facilities.not_operating",
    "facilities.full", "facilities.overlap", "facilities.bed", "people.dead". Then nothing has changed.
    """
    if on > (today or timezone.localdate()):
        raise Invalid({"on": [_("The day lies in the future.")]})
    facility = Facility.objects.visible_to(actor).filter(pk=facility_id).first()
    if facility is None:
        raise NotVisible
    person = people_selectors.get_person(actor, person_id)
    with as_system("two counties fill the beds of one institution"):
        facility = Facility.objects.select_for_update(of=("self",), no_key=True).get(pk=facility_id)
        _must_take(facility, on)
    stay = Stay(
        facility=facility, person=person, path=person.path, valid_from=on, bed=bed.strip(), source=source.strip()
    )
    _enter(stay)
    people.admit_to_institution(
        actor=actor, person_id=person_id, on=on, institution=facility.name, source=source, now=now
    )
    emit(events.ADMITTED, path=person.path, id=stay.pk, facility=facility.pk, person=person_id, on=on.isoformat())
    return stay


def _must_take(facility: Facility, on: date) -> None:
    """Raises Refused unless the facility houses people, operates on the day, and has a bed free from then on."""
    if not Kind(facility.kind).houses:
        raise Refused(
            _("“%(name)s” is a %(kind)s: nobody is admitted there.")
            % {"name": facility.name, "kind": facility.get_kind_display()},
            code="facilities.kind",
        )
    if selectors.facts_on([facility.pk], on).get(facility.pk, {}).get(FactKind.STATE) != State.OPERATING:
        raise Refused(
            _("“%(name)s” does not operate on that day.") % {"name": facility.name}, code="facilities.not_operating"
        )
    if (most := _most_from(facility.pk, on)) >= facility.beds:
        raise Refused(
            _("“%(name)s” is full: %(taken)s of %(beds)s beds are taken.")
            % {"name": facility.name, "taken": most, "beds": facility.beds},
            code="facilities.full",
        )


def _most_from(facility_id: int, on: date) -> int:
    """The most beds taken on any day from ``on`` on."""
    rows = Stay.objects.filter(facility_id=facility_id).exclude(valid_to__lte=on)
    steps: dict[date, int] = {on: 0}
    for start, end in rows.values_list("valid_from", "valid_to"):
        steps[max(start, on)] = steps.get(max(start, on), 0) + 1
        if end:
            steps[end] = steps.get(end, 0) - 1
    most = taken = 0
    for _day, change_ in sorted(steps.items()):
        taken += change_
        most = max(most, taken)
    return most


def _enter(stay: Stay) -> None:
    try:
        with transaction.atomic():
            stay.save(force_insert=True)
    except IntegrityError as error:
        if "stay_bed_no_overlap" in str(error):
            raise Refused(_("Bed %(bed)s is taken on that day.") % {"bed": stay.bed}, code="facilities.bed") from None
        if "stay_no_overlap" in str(error):
            raise Refused(
                _("The person lives in a facility on that day already. Record the discharge first."),
                code="facilities.overlap",
            ) from None
        raise


@service("facilities.admit")
def discharge(
    *, actor: Actor, stay_id: int, on: date, reason: str, source: str, today: date | None = None,
    now: datetime | None = None,
) -> Stay:  # fmt: skip
    """The stay ended: ``on`` is the first day not lived there; the person lives at home again, unless dead (R-043).

    Raises NotVisible, Invalid (future, not after the admission, no such reason), Refused("facilities.ended").
    """
    stay = _locked(stay_id)
    if on > (today or timezone.localdate()):
        raise Invalid({"on": [_("The day lies in the future.")]})
    if on <= stay.valid_from:
        raise Invalid({"on": [_("The day must be after the admission.")]})
    if reason not in EndReason.values:
        raise Invalid({"reason": [_("Choose one of the options.")]})
    if stay.valid_to is not None:
        raise Refused(_("The stay ended already."), code="facilities.ended")
    _end(stay, on, reason)
    if stay.person.died_on is None:
        people.discharge_from_institution(actor=actor, person_id=stay.person_id, on=on, source=source, now=now)
    return stay


@service("facilities.admit")
def end_by_event(*, actor: Actor, person_id: int, on: date, reason: str) -> int:
    """The register learned otherwise that the person lives there no more (death, home again): the open stay ends.

    Repeatable; answers how many ended (0 or 1). The residence is not touched: whoever told has stated it.
    """
    rows = Stay.objects.select_for_update(of=("self",)).filter(person_id=person_id, valid_to__isnull=True)
    stay = rows.filter(valid_from__lt=on).first()
    if stay is None:
        return 0
    _end(stay, on, reason)
    return 1


@service("facilities.admit")
def reopen_after_death(*, actor: Actor, person_id: int) -> int:
    """A death was recorded by mistake: the stay that it ended goes on. Repeatable."""
    rows = Stay.objects.filter(person_id=person_id, end_reason=EndReason.DEATH)
    last = Stay.objects.filter(person_id=person_id).order_by("-valid_from").values("pk")[:1]
    return rows.filter(pk__in=last).update(valid_to=None, end_reason="")


@service("facilities.admit")
def take_back(*, actor: Actor, stay_id: int, reason: str, now: datetime | None = None) -> None:
    """Remove an admission that never was, and what it said about the residence. The history keeps both.

    Raises NotVisible, Invalid (no reason), Refused("people.stale") when the residence was changed again since.
    """
    stay = _locked(stay_id)
    if not reason.strip():
        raise Invalid({"reason": [_("Say why.")]})
    if stay.valid_to is not None:
        raise Refused(_("The stay ended already."), code="facilities.ended")
    person_id, on = stay.person_id, stay.valid_from
    say_why(reason)
    stay.delete()
    people.revoke_residence(actor=actor, person_id=person_id, on=on, reason=reason, now=now)


@service("facilities.admit")
def remove_revoked(*, actor: Actor, person_id: int, on: date) -> int:
    """The admission ``on`` that day was taken back in the register: its stay goes too. Repeatable."""
    return Stay.objects.filter(person_id=person_id, valid_from=on, valid_to__isnull=True).delete()[0]


def _locked(stay_id: int) -> Stay:
    found = Stay.objects.select_for_update(of=("self",)).select_related("person", "facility").filter(pk=stay_id).first()
    if found is None:
        raise NotVisible
    return found


def _end(stay: Stay, on: date, reason: str) -> None:
    stay.valid_to, stay.end_reason = on, reason
    stay.save(update_fields=["valid_to", "end_reason"])
    emit(
        events.DISCHARGED, path=stay.path, id=stay.pk, facility=stay.facility_id, person=stay.person_id,
        on=on.isoformat(), reason=str(reason),
    )  # fmt: skip
