"""Signals: alarms of devices, measurements, the last place, personal limits and fences (R-090, R-091)."""

from datetime import date, timedelta
from typing import Annotated, Any, Literal

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from ninja import Query, Router
from pydantic import BeforeValidator, Field

from sangyu.care.signals import selectors, services
from sangyu.care.signals.enums import AlarmState
from sangyu.kernel.errors import Invalid
from sangyu.registry.people import selectors as people

from .values import Code, Id, In, Latitude, Longitude, Moment, Paging, Schema, When, one_of, operation, upto

router = Router(tags=["signals"])
States = one_of(AlarmState)
Measures = Annotated[Literal[selectors.MEASURES], BeforeValidator(str)]
#: Days that one question about measurements may span.
MOST_DAYS = 31
Bound = Annotated[float, Field(ge=-1_000, le=1_000_000)]


class AlarmOut(Schema):
    """``level`` 1 (life) … 4. ``raised_at`` by the device's clock where that can be used; ``count``: how often it came."""

    id: int
    device_id: int | None
    person_id: int | None
    facility_id: int | None
    room: str
    bed: str
    rule: str
    kind: str
    level: int
    text: str
    state: States
    raised_at: Moment
    received_at: Moment
    ended_at: Moment | None
    count: int
    late: bool
    drill: bool


class AlarmPage(Schema):
    items: list[AlarmOut]
    next: str


class AlarmFilter(Paging):
    state: States | None = None
    level: Annotated[int, Field(ge=1, le=4)] | None = None
    person_id: Id | None = None
    device_id: Id | None = None


@operation(router, "GET", "/device-alarms", "signals.alarms", "signals.view", AlarmPage, _("List device alarms"))
def alarms(request, given: Query[AlarmFilter]) -> Any:
    return given.page(selectors.alarms_visible(request.actor))


class Span(Schema):
    """[frm, to), at most 31 days."""

    kind: Measures
    frm: When
    to: When


class MeasuredOut(Schema):
    at: Moment
    value: float


class MeasurementsOut(Schema):
    """``agreed``: whether consent to health data holds; without it there are no items."""

    agreed: bool
    items: list[MeasuredOut]


@operation(
    router, "GET", "/people/{person_id}/measurements", "signals.measurements", "signals.view", MeasurementsOut,
    _("Measurements of a person"),
)  # fmt: skip
def measurements(request, person_id: Id, given: Query[Span]) -> Any:
    """What the person's devices measured. The look is logged."""
    if not timedelta() < given.to - given.frm <= timedelta(days=MOST_DAYS):
        raise Invalid({"to": [gettext("From 1 to 31 days, the end after the beginning.")]})
    people.get_person(request.actor, person_id)
    agreed = selectors.HEALTH in selectors.agreed([person_id]).get(person_id, ())
    if agreed:
        selectors.log_look(request.actor, person_id, "signals", f"{given.kind} {given.frm:%F} – {given.to:%F}")
    rows = selectors.vitals_of(request.actor, person_id, given.kind, given.frm, given.to)
    return {"agreed": agreed, "items": [{"at": at, "value": value} for at, value in rows]}


class PlaceOut(Schema):
    """WGS-84, accuracy in metres. Null where nothing is known, or nothing was agreed and no life alarm is open."""

    latitude: float
    longitude: float
    at: Moment
    accuracy: float | None
    device_id: int | None


class WhereOut(Schema):
    place: PlaceOut | None


@operation(
    router, "GET", "/people/{person_id}/place", "signals.place", "signals.position", WhereOut, _("Where a person was last")
)  # fmt: skip
def place(request, person_id: Id) -> Any:
    """The last usable place. The look is logged."""
    people.get_person(request.actor, person_id)
    found = selectors.place_of(request.actor, person_id)
    if found is not None:
        selectors.log_look(request.actor, person_id, "position", gettext("last place"))
    return {"place": found}


class LimitOut(Schema):
    """For this person ``rule`` counts from these values, in ``[valid_from, valid_to)``; ``off``: it is not watched."""

    id: int
    rule: str
    low: float | None
    high: float | None
    minutes: int | None
    off: bool
    reason: str
    set_by: str
    valid_from: date
    valid_to: date | None


class FenceOut(Schema):
    """A circle, radius in metres, that the person should stay in (``inside``) or out of."""

    id: int
    name: str
    latitude: float
    longitude: float
    radius: int
    inside: bool
    reason: str
    set_by: str
    valid_from: date
    valid_to: date | None


class WatchedOut(Schema):
    limits: list[LimitOut]
    fences: list[FenceOut]


@operation(
    router, "GET", "/people/{person_id}/limits", "signals.limits", "signals.view", WatchedOut,
    _("Personal limits and fences"),
)  # fmt: skip
def limits(request, person_id: Id) -> Any:
    """Those that hold today."""
    people.get_person(request.actor, person_id)
    held, fences = selectors.limits_of(request.actor, person_id)
    return {"limits": held, "fences": fences}


class LimitIn(In):
    """At least one of ``low``, ``high``, ``minutes``, ``off``."""

    rule: Code
    low: Bound | None = None
    high: Bound | None = None
    minutes: Annotated[int, Field(ge=1, le=10_080)] | None = None
    off: bool = False
    reason: upto(200, 1)


@operation(
    router, "POST", "/people/{person_id}/limits", "signals.set_limit", "signals.limits", LimitOut, _("Set a personal limit")
)  # fmt: skip
def set_limit(request, person_id: Id, given: LimitIn) -> Any:
    """From today on; what held before ends."""
    return services.set_limit(actor=request.actor, person_id=person_id, **given.dict())


class FenceIn(In):
    name: upto(40, 1)
    latitude: Latitude
    longitude: Longitude
    radius: Annotated[int, Field(ge=50, le=50_000)]
    inside: bool = True
    reason: upto(200, 1)


@operation(
    router, "POST", "/people/{person_id}/fences", "signals.draw_fence", "signals.limits", FenceOut, _("Draw a fence")
)  # fmt: skip
def draw_fence(request, person_id: Id, given: FenceIn) -> Any:
    return services.draw_fence(actor=request.actor, person_id=person_id, **given.dict())
