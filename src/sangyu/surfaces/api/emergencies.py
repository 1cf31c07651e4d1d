"""Emergencies: cases, the acts on them, the response report, calls of the exchange (R-094, R-095)."""

from datetime import date
from typing import Annotated, Any, Literal

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from ninja import Query, Router
from pydantic import BeforeValidator

from sangyu.care.emergencies import selectors, services
from sangyu.care.emergencies.enums import Cause, Kind, Outcome, Source, State, Verified
from sangyu.ui.pages.keyset import page_of

from .values import (
    Code,
    Day,
    Id,
    In,
    Latitude,
    Line,
    Longitude,
    Moment,
    Paging,
    Reason,
    Schema,
    Short,
    When,
    one_of,
    operation,
    upto,
)

router = Router(tags=["emergencies"])
States, Kinds, Outcomes, Causes = one_of(State), one_of(Kind), one_of(Outcome), one_of(Cause)
Results = one_of(Verified)


class EmergencyOut(Schema):
    """``alarm_at`` is the device's time, ``received_at`` ours; place in WGS-84, ``placed_at`` null: the home's."""

    id: int
    number: str
    level: int
    kind: str
    state: States
    person_id: int | None
    address: str
    latitude: float | None
    longitude: float | None
    accuracy: float | None
    placed_at: Moment | None
    alarm_at: Moment
    received_at: Moment
    opened_at: Moment
    answered_at: Moment | None
    arrived_at: Moment | None
    closed_at: Moment | None
    repeats: int
    drill: bool
    claimed_name: str
    outcome: str
    cause: str
    follow_up: str


class EmergencyPage(Schema):
    items: list[EmergencyOut]
    next: str


class EmergencyFilter(Paging):
    state: States | None = None
    person_id: Id | None = None


class TrailOut(Schema):
    at: Moment
    what: str
    actor: str
    words: str


class RaiseIn(In):
    """Who (``person_id``) or where (``address``), and how the call came."""

    source: one_of(Source) = Source.APP.value  # type: ignore[valid-type]
    kind: Kinds = Kind.SOS.value
    level: int = 1
    person_id: Id | None = None
    address: upto(200) = ""  # type: ignore[valid-type]
    text: Line = ""
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    accuracy: float | None = None


class VerifyIn(In):
    """Without ``result`` the call begins."""

    result: Results | None = None
    words: Line = ""


class WordsIn(In):
    text: Reason


class WhyIn(In):
    reason: Line = ""


class AnswerIn(In):
    accepted: bool
    reason: Line = ""
    party_id: Id | None = None


class PartyOut(Schema):
    id: int
    kind: str
    name: str
    distance_m: int | None
    answer: str
    answered_at: Moment | None
    under_way_at: Moment | None
    arrived_at: Moment | None


class CloseIn(In):
    """With ``item_code`` and ``planned_start`` an order follows (R-097)."""

    outcome: Outcomes
    cause: Causes
    words: upto(500) = ""  # type: ignore[valid-type]
    item_code: Code | None = None
    planned_start: When | None = None


class ReportFilter(Schema):
    frm: Day
    to: Day
    by: Annotated[Literal[selectors.BY], BeforeValidator(str)] = "month"


class ReportOut(Schema):
    """Counts of cases: answered within 60 s and 180 s of the device's time, and of arrival here; shares in per cent of all of the line.
    An unanswered case is within no time. Medians in seconds.
    """

    label: str
    cases: int
    answered: int
    device_60: int
    device_180: int
    arrival_60: int
    arrival_180: int
    false_alarms: int
    emergency: int
    closed: int
    device_60_share: float | None
    device_180_share: float | None
    arrival_60_share: float | None
    arrival_180_share: float | None
    device_median: float | None
    arrival_median: float | None
    to_arrival_minutes: float | None
    false_share: float | None


class CallEventIn(In):
    """One event of the exchange: offered, ringing, answered or ended. The same ``event_id`` again changes nothing.

    Where the house has given the exchange a secret, the request is signed: headers X-Sangyu-Key, -Time and -Signature.
    """

    call_id: upto(80, 1)  # type: ignore[valid-type]
    event_id: upto(80, 1)  # type: ignore[valid-type]
    what: Short
    at: When
    number: upto(24) = ""  # type: ignore[valid-type]
    agent: Short = ""


class CallOut(Schema):
    id: int
    call_id: str
    state: str
    person_id: int | None
    incident_id: int | None
    call_back_by: Moment | None


def _row(request, pk: int) -> Any:
    return selectors.get_incident(request.actor, pk)


@operation(
    router, "GET", "/emergencies", "emergencies.list", "emergencies.view", EmergencyPage, _("Emergencies, newest first")
)
def listed(request, given: Query[EmergencyFilter]) -> Any:
    wanted = given.dict(include={"state", "person_id"}, exclude_none=True)
    page = page_of(selectors.incidents_visible(request.actor).filter(**wanted), "-pk", given.size, after=given.after)
    return {"items": page.rows, "next": page.after}


@operation(
    router,
    "GET",
    "/emergencies/report",
    "emergencies.report",
    "emergencies.report",
    list[ReportOut],
    _("Response report"),
)
def report(request, given: Query[ReportFilter]) -> Any:
    frm, to = sorted((given.frm, given.to))
    return selectors.report(request.actor, frm, min(to, date(2199, 12, 30)), given.by)


@operation(
    router, "GET", "/emergencies/{incident_id}", "emergencies.get", "emergencies.view", EmergencyOut, _("One emergency")
)
def get(request, incident_id: Id) -> Any:
    row = _row(request, incident_id)
    selectors.log_look(request.actor, row)
    return row


@operation(
    router,
    "GET",
    "/emergencies/{incident_id}/trail",
    "emergencies.trail",
    "emergencies.view",
    list[TrailOut],
    _("What happened in an emergency"),
)
def trail(request, incident_id: Id) -> Any:
    return selectors.trail(request.actor, incident_id)


@operation(router, "POST", "/emergencies", "emergencies.raise", "emergencies.raise", EmergencyOut, _("Call for help"))
def raised(request, given: RaiseIn) -> Any:
    values = given.dict()
    if values["latitude"] is None or values["longitude"] is None:
        values |= {"latitude": None, "longitude": None, "accuracy": None}
    return _row(request, services.raise_by_hand(actor=request.actor, now=timezone.now(), **values))


@operation(
    router,
    "POST",
    "/emergencies/{incident_id}/claim",
    "emergencies.claim",
    "emergencies.handle",
    EmergencyOut,
    _("Take an emergency"),
)
def claim(request, incident_id: Id) -> Any:
    return services.claim(actor=request.actor, incident_id=incident_id, now=timezone.now())


@operation(
    router,
    "POST",
    "/emergencies/{incident_id}/release",
    "emergencies.release",
    "emergencies.handle",
    EmergencyOut,
    _("Give an emergency back"),
)
def release(request, incident_id: Id, given: WhyIn) -> Any:
    return services.release(actor=request.actor, incident_id=incident_id, now=timezone.now(), **given.dict())


@operation(
    router,
    "POST",
    "/emergencies/{incident_id}/verify",
    "emergencies.verify",
    "emergencies.handle",
    EmergencyOut,
    _("Call the elder back"),
)
def verify(request, incident_id: Id, given: VerifyIn) -> Any:
    return services.verify(
        actor=request.actor, incident_id=incident_id, now=timezone.now(), result=given.result or "", words=given.words
    )


@operation(
    router,
    "POST",
    "/emergencies/{incident_id}/notes",
    "emergencies.note",
    "emergencies.handle",
    EmergencyOut,
    _("Write a note"),
)
def note(request, incident_id: Id, given: WordsIn) -> Any:
    return services.note(actor=request.actor, incident_id=incident_id, now=timezone.now(), text=given.text)


@operation(
    router,
    "POST",
    "/emergencies/{incident_id}/answer",
    "emergencies.answer",
    "emergencies.answer",
    PartyOut,
    _("Answer whether one goes"),
)
def answer(request, incident_id: Id, given: AnswerIn) -> Any:
    return services.answer_offer(actor=request.actor, incident_id=incident_id, now=timezone.now(), **given.dict())


@operation(
    router,
    "POST",
    "/emergencies/{incident_id}/on-the-way",
    "emergencies.on_the_way",
    "emergencies.answer",
    PartyOut,
    _("On the way"),
)
def on_the_way(request, incident_id: Id) -> Any:
    return services.on_the_way(actor=request.actor, incident_id=incident_id, now=timezone.now())


@operation(
    router,
    "POST",
    "/emergencies/{incident_id}/arrived",
    "emergencies.arrived",
    "emergencies.answer",
    PartyOut,
    _("Arrived"),
)
def arrived(request, incident_id: Id) -> Any:
    return services.arrived(actor=request.actor, incident_id=incident_id, now=timezone.now())


@operation(
    router,
    "POST",
    "/emergencies/{incident_id}/close",
    "emergencies.close",
    "emergencies.handle",
    EmergencyOut,
    _("Close an emergency"),
)
def close(request, incident_id: Id, given: CloseIn) -> Any:
    values = given.dict()
    item, start = values.pop("item_code"), values.pop("planned_start")
    follow_up = {"item_code": item, "planned_start": start} if item and start else None
    return services.close(
        actor=request.actor, incident_id=incident_id, now=timezone.now(), follow_up=follow_up, **values
    )


@operation(
    router,
    "POST",
    "/emergencies/{incident_id}/review",
    "emergencies.review",
    "emergencies.review",
    EmergencyOut,
    _("Review a closed emergency"),
)
def review(request, incident_id: Id, given: WhyIn) -> Any:
    return services.review(actor=request.actor, incident_id=incident_id, now=timezone.now(), words=given.reason)


@operation(
    router,
    "POST",
    "/telephony/events",
    "telephony.event",
    "emergencies.telephony",
    CallOut,
    _("An event of the telephone exchange"),
)
def call_event(request, given: CallEventIn) -> Any:
    signature = services.exchange_signature(request.headers, request.body)
    return services.call_event(actor=request.actor, now=timezone.now(), signature=signature, **given.dict())
