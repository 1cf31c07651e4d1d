"""Facilities and stays."""

from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _
from ninja import Query, Router

from sangyu.registry.facilities import selectors as facilities
from sangyu.registry.facilities import services as housing
from sangyu.registry.facilities.enums import EndReason, FactKind, Inspection, Kind, Rating, State, UrbanRural
from sangyu.registry.people import selectors as people

from .values import Day, Id, In, Line, Paging, Schema, Short, one_of, operation, upto

router = Router(tags=["entitlements"])
Kinds, States, Ratings, Inspections = one_of(Kind), one_of(State), one_of(Rating), one_of(Inspection)


class FacilityOut(Schema):
    """``state``, ``rating`` (5 is the best) and ``inspection`` are those of today, null when nothing is recorded."""

    id: int
    name: str
    kind: Kinds
    number: str
    region_id: int
    organisation_id: int | None
    address: str
    latitude: float | None
    longitude: float | None
    beds: int
    opened_on: date
    urban_rural: one_of(UrbanRural)
    state: States | None
    rating: Ratings | None
    inspection: Inspections | None

    @staticmethod
    def resolve_state(found: Any) -> str | None:
        return found.state_now

    @staticmethod
    def resolve_rating(found: Any) -> str | None:
        return found.rating_now

    @staticmethod
    def resolve_inspection(found: Any) -> str | None:
        return found.inspection_now


class FacilityPage(Schema):
    items: list[FacilityOut]
    next: str


class FacilityFilter(Paging):
    kind: Kinds | None = None


@operation(router, "GET", "/facilities", "facilities.list", "facilities.view", FacilityPage, _("List facilities"))
def facility_list(request, given: Query[FacilityFilter]) -> Any:
    return given.page(facilities.with_today(facilities.facilities_visible(request.actor)), "pk")


@operation(
    router, "GET", "/facilities/{facility_id}", "facilities.get", "facilities.view", FacilityOut, _("Read one facility")
)  # fmt: skip
def facility_get(request, facility_id: Id) -> Any:
    return facilities.get_facility(request.actor, facility_id)


class FacilityFactIn(In):
    kind: one_of(FactKind)
    value: Short
    valid_from: Day
    source: upto(100, 1)
    note: Line = ""


class FacilityFactOut(Schema):
    id: int
    kind: str
    value: str
    valid_from: date
    valid_to: date | None
    source: str


@operation(
    router, "POST", "/facilities/{facility_id}/facts", "facilities.record_fact", "facilities.inspect", FacilityFactOut,
    _("State a rating, an inspection or the operation"),
)  # fmt: skip
def facility_fact(request, facility_id: Id, given: FacilityFactIn) -> Any:
    return housing.record_fact(actor=request.actor, facility_id=facility_id, **given.dict())


class StayOut(Schema):
    """Lives there in ``[valid_from, valid_to)``."""

    id: int
    facility_id: int
    person_id: int
    bed: str
    valid_from: date
    valid_to: date | None
    end_reason: str


class AdmitIn(In):
    person_id: Id
    on: Day
    source: upto(100, 1)
    bed: upto(20) = ""


@operation(
    router, "POST", "/facilities/{facility_id}/stays", "facilities.admit", "facilities.admit", StayOut, _("Admit a person")
)  # fmt: skip
def admit(request, facility_id: Id, given: AdmitIn) -> Any:
    """The fact of residence says so from the same day."""
    return housing.admit(actor=request.actor, facility_id=facility_id, **given.dict())


class DischargeIn(In):
    """``on`` is the first day not lived there."""

    on: Day
    reason: one_of(EndReason)
    source: upto(100, 1)


@operation(
    router, "POST", "/stays/{stay_id}/discharge", "facilities.discharge", "facilities.admit", StayOut,
    _("Discharge a person"),
)  # fmt: skip
def discharge(request, stay_id: Id, given: DischargeIn) -> Any:
    return housing.discharge(actor=request.actor, stay_id=stay_id, **given.dict())


@operation(
    router, "GET", "/people/{person_id}/stays", "facilities.stays_of", "facilities.stays", list[StayOut],
    _("Stays of a person"),
)  # fmt: skip
def stays_of(request, person_id: Id) -> Any:
    people.get_person(request.actor, person_id)
    return list(facilities.stays_of(request.actor, person_id)[:200])
