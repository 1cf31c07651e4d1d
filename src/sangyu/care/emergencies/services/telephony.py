"""Telephone calls as rows: events come at least once and in any order; a missed call is called back (devices.md §7)."""

from datetime import datetime

from django.db.models import F
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.events import emit
from sangyu.kernel.identity import BadValue, parse_phone
from sangyu.kernel.scoping import as_system, scope
from sangyu.kernel.services import service
from sangyu.registry.people import selectors as people
from sangyu.registry.regions import selectors as regions

from .. import events, ladders, telephony
from ..enums import CallState, Did
from ..models import Call, CallEvent, Incident
from ._shared import note_down


@service("emergencies.telephony")
def call_event(
    *,
    actor: Actor,
    call_id: str,
    event_id: str,
    what: str,
    at: datetime,
    now: datetime,
    number: str = "",
    agent: str = "",
    adapter: str = "http",
    signature: bytes | None = None,
) -> Call:
    """Take in one event of the exchange; the same again changes nothing, and their order does not matter.

    A caller whose number belongs to one elder is that elder. A call that ends unanswered is to be called back, and one whose
    answer is told later is not. ``signature``: of the request that told it (``exchange_signature``). Raises Invalid, and
    Refused("telephony.replayed") for a signature that was seen: who has no answer signs anew.
    """
    errors: dict[str, list[str]] = {}
    if telephony.adapter(adapter) is None:
        errors["adapter"] = [_("There is no such adapter.")]
    if what not in list(telephony.What):
        errors["what"] = [_("An event is one of: %(words)s") % {"words": ", ".join(telephony.What)}]
    if not call_id.strip() or len(call_id) > 80:
        errors["call_id"] = [_("A call has a number of its own of up to 80 characters.")]
    if not event_id.strip() or len(event_id) > 80:
        errors["event_id"] = [_("An event has a number of its own of up to 80 characters.")]
    if errors:
        raise Invalid(errors)
    with as_system("calls are stored for the desk of the region, whoever reports them"):
        if signature is not None and CallEvent.objects.filter(signature=signature).exists():
            raise Refused(
                _("This request was taken before. To tell it again, sign it anew."), code="telephony.replayed"
            )
        call = _call(actor, adapter, call_id.strip(), number, at)
        _seen, new = CallEvent.objects.get_or_create(
            call=call, event_id=event_id.strip(), defaults={"what": what, "at": at, "signature": signature}
        )
        if new:
            _apply(call, what, at, agent)
            emit(events.CALLED, path=call.path, call=call.pk, state=str(call.state), person=call.person_id)
    return call


def _call(actor: Actor, adapter: str, call_id: str, number: str, at: datetime) -> Call:
    """The row of the call, locked; made by its first event, whichever that is."""
    found = Call.objects.select_for_update(of=("self",)).filter(adapter=adapter, call_id=call_id).first()
    if found is not None:
        return found
    person = _caller(actor, number)
    Call.objects.bulk_create(
        [
            Call(
                path=person.path if person else actor.path, adapter=adapter, call_id=call_id, number=number.strip(),
                number_index=_index(number), person=person, state=CallState.RINGING, offered_at=at,
                incident=_case_of(person),
            )
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    return Call.objects.select_for_update(of=("self",)).get(adapter=adapter, call_id=call_id)


def _index(number: str) -> bytes | None:
    return Call._meta.get_field("number").indexes["number_index"](number) if number.strip() else None


def _caller(actor: Actor, number: str):
    """The one elder with this number, or with a contact that has it; None when there are none or several."""
    try:
        phone = parse_phone(number)
    except BadValue:
        return None
    found = {person.pk: person for person, _contact in people.persons_by_phone(actor, phone)}
    return next(iter(found.values())) if len(found) == 1 else None


def _case_of(person) -> Incident | None:
    if person is None:
        return None
    return Incident.objects.live().filter(person=person, drill=False).order_by("level", "opened_at").first()


def _apply(call: Call, what: str, at: datetime, agent: str) -> None:
    """What an event means for the row, however late it comes."""
    if what in (telephony.What.OFFERED, telephony.What.RINGING):
        call.offered_at = min(call.offered_at, at)
    elif what == telephony.What.ANSWERED:
        call.answered_at, call.agent = call.answered_at or at, agent[:100] or call.agent
    elif call.ended_at is None:
        call.ended_at = at
    if call.ended_at is None:
        call.state = CallState.ANSWERED if call.answered_at else CallState.RINGING
    else:
        call.state = CallState.ENDED if call.answered_at else CallState.MISSED
    if call.state == CallState.MISSED:
        region = regions.at_path(call.path)
        call.call_back_by = call.ended_at + ladders.book_for(region.code if region else "").follow_up_call
    elif call.called_back_at is None:
        call.call_back_by = None
    call.save(update_fields=["offered_at", "answered_at", "agent", "ended_at", "state", "call_back_by"])


@service("emergencies.handle")
def write_down_call(
    *, actor: Actor, number: str, now: datetime, person_id: int | None = None, words: str = "", missed: bool = False
) -> Call:
    """A call that no exchange reports: who called, what about; ``missed``: to be called back. Raises Invalid, NotVisible."""
    if not number.strip() and person_id is None:
        raise Invalid({"number": [_("Write the number or choose the elder.")]})
    person = people.get_person(actor, person_id) if person_id else _caller(actor, number)
    region = regions.at_path(person.path if person else actor.path)
    call = Call(
        path=person.path if person else actor.path, adapter=telephony.MANUAL.name,
        call_id=f"{actor.account_id or 0}-{now:%Y%m%d%H%M%S%f}", number=number.strip(), number_index=_index(number),
        person=person, offered_at=now, ended_at=now, result=words.strip()[:300], agent="" if missed else actor.name[:100],
        answered_at=None if missed else now, state=CallState.MISSED if missed else CallState.ENDED,
        call_back_by=now + ladders.book_for(region.code if region else "").follow_up_call if missed else None,
    )  # fmt: skip
    with as_system("calls are stored for the desk of the region, whoever reports them"):
        call.incident = _case_of(person)
        call.save()
    if call.incident:
        note_down(call.incident, actor, now, Did.CALLED, words.strip(), call=call.pk)
    emit(events.CALLED, path=call.path, call=call.pk, state=str(call.state), person=call.person_id)
    return call


@service("emergencies.handle")
def called_back(*, actor: Actor, call_id: int, result: str, now: datetime) -> Call:
    """A missed caller was called back. Raises NotVisible, Invalid, Refused."""
    call = Call.objects.visible_to(actor).select_for_update(of=("self",)).filter(pk=call_id).first()
    if call is None:
        raise NotVisible
    if call.call_back_by is None or call.called_back_at is not None:
        raise Refused(_("This call needs no calling back."), code="emergencies.no_call_back")
    if not result.strip():
        raise Invalid({"result": [_("Write what came of it.")]})
    call.called_back_at, call.called_back_by, call.result = now, actor.name[:100], result.strip()[:300]
    call.save(update_fields=["called_back_at", "called_back_by", "result"])
    if call.incident is not None:
        note_down(call.incident, actor, now, Did.CALLED, result.strip(), call=call.pk)
    emit(events.CALLED, path=call.path, call=call.pk, state=str(call.state), person=call.person_id)
    return call


def remind_of_call_backs(*, actor: Actor, now: datetime, limit: int = 50) -> int:
    """Tell the screens once of each missed call whose time to call back is over."""
    with scope(actor):
        rows = Call.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            call_back_by__lte=now, called_back_at=None, reminded_at=None
        )
        found = list(rows.order_by(F("call_back_by"))[:limit])
        for call in found:
            Call.objects.filter(pk=call.pk).update(reminded_at=now)
            emit(events.CALLED, path=call.path, call=call.pk, state="overdue", person=call.person_id)
    return len(found)
