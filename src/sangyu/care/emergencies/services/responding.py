"""Asking somebody to go, and what they say: next when closed, refused or silent (R-093)."""

from datetime import datetime

from django.db import connection
from django.db.models import F
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.scoping import as_system
from sangyu.kernel.services import service

from ..enums import Answer, Did, Kind, PartyKind, State
from ..models import Incident, Party, Step
from ._shared import changed, further, locked, must_live, note_down, save
from .chain import TRACK, Candidate, answer_time, candidates_of
from .notices import notify

_GOING = (PartyKind.FACILITY, PartyKind.WORKER, PartyKind.VOLUNTEER)


# ---------------------------------------------------------------- asking
def advance(incident: Incident, track: str, actor: Actor, now: datetime) -> str:
    """Ask the next of the track, unless somebody is being asked or comes already. Answers what happened, in words."""
    with as_system("the chain asks whoever is next"):
        parties = list(Party.objects.filter(incident=incident))
        mine = [p for p in parties if TRACK[PartyKind(p.kind)] == track]
        if any(p.answer == Answer.ACCEPTED for p in mine):
            return _("Somebody comes already")
        if any(p.answer == Answer.WAITING for p in mine):
            return _("Somebody is being asked")
        known = {(p.kind, p.subject_id) for p in parties}
        for candidate in candidates_of(incident, track, now):
            if (candidate.kind, candidate.subject_id) in known:
                continue
            if not candidate.able:
                _pass_over(incident, candidate, actor, now)
                continue
            party = ask(incident, candidate, actor, now)
            return _("%(name)s is asked") % {"name": party.name}
        note_down(incident, actor, now, Did.NOBODY, track=track)
        return _("Nobody left to ask")


def _new_party(incident: Incident, c: Candidate, now: datetime, **more) -> Party:
    return Party(
        incident=incident, kind=c.kind, subject_id=c.subject_id, organisation_id=c.organisation_id, worker_id=c.worker_id,
        account_id=c.account_id, name=c.name[:100], distance_m=c.distance_m, reason=c.reason[:300], offered_at=now, **more,
    )  # fmt: skip


def _pass_over(incident: Incident, c: Candidate, actor: Actor, now: datetime) -> None:
    """It was nearer: that and why it could not be asked stays with the case."""
    _new_party(incident, c, now, answer=Answer.PASSED, answered_at=now).save()
    note_down(incident, actor, now, Did.PASSED, f"{c.name}：{c.reason}", distance=c.distance_m)


def ask(incident: Incident, c: Candidate, actor: Actor, now: datetime) -> Party:
    """Ask one: a row with a clock, the case shown to them, a notice."""
    track = TRACK[PartyKind(c.kind)]
    party = _new_party(incident, c, now, answer_by=now + answer_time(incident, track))
    with as_system("who is asked to go sees the case"):
        party.save()
        _show(incident, party)
        Step.objects.create(
            incident=incident, code=f"answer.{party.pk}", act="answer", due_at=party.answer_by, rank=0, words=c.name[:200],
            params={"party": party.pk},
        )  # fmt: skip
    far = _("%(metres)s m") % {"metres": c.distance_m} if c.distance_m is not None else ""
    note_down(
        incident, actor, now, Did.OFFERED, "，".join(filter(None, (c.name, far, c.reason))), party=party.pk,
        distance=c.distance_m,
    )  # fmt: skip
    notify(
        incident, now=now, role=c.kind, name=c.name, why="asked", account_id=c.account_id, number=c.telephone, party=party,
        words=message_for(incident, c.kind),
    )  # fmt: skip
    changed(incident)
    return party


def message_for(incident: Incident, kind: str) -> str:
    """The words of a notice: what, who, where. No health data."""
    what = {
        "drill": _("[Drill] ") if incident.drill else "", "kind": Kind(incident.kind).label, "name": incident.person_name,
        "address": incident.address, "number": incident.number,
    }  # fmt: skip
    if kind == PartyKind.FAMILY:
        return _("%(drill)s%(kind)s: %(name)s, %(address)s. Please call back or answer on the page. %(number)s") % what
    return _("%(drill)s%(kind)s: %(name)s, %(address)s. Please answer whether you go. %(number)s") % what


def _show(incident: Incident, party: Party) -> None:
    """The worker or the facility's organisation sees the case from now on."""
    if party.worker_id:
        pair = (Audience.WORKER.value, party.worker_id)
    elif party.organisation_id:
        pair = (Audience.PROVIDER.value, party.organisation_id)
    else:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sangyu.share(%s, %s, 'incident', %s, %s, NULL, %s)",
            [*pair, incident.pk, incident.path, f"emergency {incident.number}"],
        )


def hide(incident: Incident, party: Party, why: str) -> None:
    """The case is no longer shown to who was asked."""
    pairs = [(Audience.WORKER.value, party.worker_id), (Audience.PROVIDER.value, party.organisation_id)]
    with connection.cursor() as cursor:
        for audience, subject in pairs:
            if subject:
                cursor.execute(
                    "SELECT sangyu.unshare(%s, %s, 'incident', %s, %s)", [audience, subject, incident.pk, why]
                )


@service("emergencies.handle")
def offer(*, actor: Actor, incident_id: int, kind: str, subject_id: int, now: datetime, reason: str = "") -> Party:
    """Ask one whom the desk has chosen; the chain goes on from there. ``reason`` is needed for one who is passed over as a
    rule (closed, signed out). Raises NotVisible, Invalid, Refused.
    """
    incident = locked(actor, incident_id)
    must_live(incident)
    if kind not in TRACK:
        raise Invalid({"kind": [_("Choose who is to go.")]})
    found = candidates_of(incident, TRACK[PartyKind(kind)], now)
    chosen = next((c for c in found if c.kind == kind and c.subject_id == subject_id), None)
    if chosen is None:
        raise NotVisible
    if not chosen.able and not reason.strip():
        raise Invalid({"reason": [_("%(why)s. Say why you ask them all the same.") % {"why": chosen.reason}]})
    with as_system("whoever was asked before is asked again"):
        before = Party.objects.filter(incident=incident, kind=kind, subject_id=subject_id).first()
        if before is not None:
            if before.answer in (Answer.WAITING, Answer.ACCEPTED):
                raise Refused(_("%(name)s is asked already.") % {"name": before.name}, code="emergencies.asked")
            before.subject_id = None  # the earlier answer stays in the list
            before.save(update_fields=["subject_id"])
    party = ask(incident, chosen, actor, now)
    if reason.strip():
        note_down(incident, actor, now, Did.NOTE, reason.strip(), party=party.pk)
    return party


# ---------------------------------------------------------------- answering
def party_for(actor: Actor, incident: Incident, party_id: int | None) -> Party:
    """The row that the actor may answer: its own, or any one for the desk. Raises NotVisible."""
    rows = Party.objects.filter(incident=incident).exclude(answer=Answer.PASSED)
    if party_id is not None:
        rows = rows.filter(pk=party_id)
    if actor.audience is Audience.WORKER:
        rows = rows.filter(worker_id=actor.subject_id)
    elif actor.audience is Audience.PROVIDER:
        rows = rows.filter(organisation_id=actor.subject_id)
    elif actor.audience is Audience.FAMILY:
        rows = rows.filter(account_id=actor.account_id, kind=PartyKind.FAMILY)
    elif not actor.may("emergencies.handle") or party_id is None:
        rows = rows.filter(account_id=actor.account_id or 0)
    with as_system("an answer is written into the row of who was asked"):
        found = rows.order_by(F("worker_id").asc(nulls_first=True), "-offered_at", "-id").first()
    if found is None:
        raise NotVisible
    return found


@service("emergencies.answer")
def answer_offer(
    *, actor: Actor, incident_id: int, accepted: bool, now: datetime, reason: str = "", party_id: int | None = None
) -> Party:
    """Yes or no of who was asked (by the desk for who answers by telephone: ``party_id``). A no asks the next one; a yes that
    comes late counts unless somebody else comes. Again the same answer: nothing. Raises NotVisible, Invalid, Refused.
    """
    incident = locked(actor, incident_id)
    party = party_for(actor, incident, party_id)
    wanted = Answer.ACCEPTED if accepted else Answer.REFUSED
    if party.answer == wanted:
        return party
    must_live(incident)
    if party.answer == Answer.WITHDRAWN:
        raise Refused(_("Thank you. Somebody else is already on the way."), code="emergencies.withdrawn")
    if party.answer == Answer.REFUSED and not accepted:
        return party
    if party.arrived_at is not None:
        raise Refused(_("Help has arrived already."), code="emergencies.arrived")
    with as_system("an answer is written into the row of who was asked"):
        others = Party.objects.filter(incident=incident, answer=Answer.ACCEPTED, kind__in=_GOING).exclude(pk=party.pk)
        if accepted and party.kind in _GOING and others.exists():
            party.answer, party.answered_at = Answer.WITHDRAWN, now
            party.save(update_fields=["answer", "answered_at"])
            return party
        party.answer, party.answered_at, party.answer_words = wanted, now, reason.strip()[:300]
        party.under_way_at = party.under_way_at if accepted else None
        party.save(update_fields=["answer", "answered_at", "answer_words", "under_way_at"])
        _clock_done(incident, party, now, wanted)
    did = Did.ACCEPTED if accepted else Did.REFUSED
    note_down(incident, actor, now, did, "：".join(filter(None, (party.name, reason.strip()))), party=party.pk)
    if accepted:
        _comes(incident, party, now)
    else:
        advance(incident, TRACK[PartyKind(party.kind)], actor, now)
    changed(incident)
    return party


def _comes(incident: Incident, party: Party, now: datetime) -> None:
    values = {"dispatched_at": incident.dispatched_at or now, "state": further(incident, State.DISPATCHED)}
    if party.kind == PartyKind.OPERATOR and incident.answered_at is None:
        values |= {"answered_at": now, "answered_by": party.name}
    save(incident, **values)
    if party.kind in _GOING:
        with as_system("others are told that they need not go"):
            rest = Party.objects.filter(incident=incident, answer=Answer.WAITING, kind__in=_GOING).exclude(pk=party.pk)
            for other in rest:
                withdraw(incident, other, now)


def withdraw(incident: Incident, party: Party, now: datetime) -> None:
    """Not needed any more; the page of who was asked says so."""
    party.answer, party.answered_at = Answer.WITHDRAWN, now
    party.save(update_fields=["answer", "answered_at"])
    _clock_done(incident, party, now, Answer.WITHDRAWN)


def _clock_done(incident: Incident, party: Party, now: datetime, answer: str) -> None:
    Step.objects.filter(incident=incident, code=f"answer.{party.pk}", done_at=None).update(done_at=now, result=answer)


def not_reached(incident: Incident, party: Party, actor: Actor, now: datetime, result: str = Answer.SILENT) -> None:
    """No answer in time, or no notice arrived: the next one is asked."""
    with as_system("the next one is asked"):
        party.answer, party.answered_at = Answer.SILENT, now
        party.save(update_fields=["answer", "answered_at"])
        _clock_done(incident, party, now, result)
    note_down(incident, actor, now, Did.SILENT, party.name, party=party.pk)
    advance(incident, TRACK[PartyKind(party.kind)], actor, now)


# ---------------------------------------------------------------- going
@service("emergencies.answer")
def on_the_way(*, actor: Actor, incident_id: int, now: datetime, party_id: int | None = None) -> Party:
    """Who accepted has left. Going without having said yes says yes. Raises NotVisible, Refused."""
    return _goes(actor, incident_id, party_id, now, arrived=False)


@service("emergencies.answer")
def arrived(*, actor: Actor, incident_id: int, now: datetime, party_id: int | None = None, words: str = "") -> Party:
    """Who accepted is with the elder. Raises NotVisible, Refused."""
    return _goes(actor, incident_id, party_id, now, arrived=True, words=words)


def _goes(
    actor: Actor, incident_id: int, party_id: int | None, now: datetime, *, arrived: bool, words: str = ""
) -> Party:
    incident = locked(actor, incident_id)
    party = party_for(actor, incident, party_id)
    if (party.arrived_at if arrived else party.under_way_at or party.arrived_at) is not None:
        return party
    must_live(incident)
    if party.answer != Answer.ACCEPTED:
        party = answer_offer(actor=actor, incident_id=incident_id, accepted=True, now=now, party_id=party.pk)
        if party.answer != Answer.ACCEPTED:
            raise Refused(_("Thank you. Somebody else is already on the way."), code="emergencies.withdrawn")
        incident = locked(actor, incident_id)
    party.under_way_at = party.under_way_at or now
    values = {"under_way_at": incident.under_way_at or now, "state": further(incident, State.ON_THE_WAY)}
    if arrived:
        party.arrived_at = now
        values |= {"arrived_at": incident.arrived_at or now, "state": State.ARRIVED}
    with as_system("an answer is written into the row of who was asked"):
        party.save(update_fields=["under_way_at", "arrived_at"])
    save(incident, **values)
    what = Did.ARRIVED if arrived else Did.ON_THE_WAY
    note_down(incident, actor, now, what, "：".join(filter(None, (party.name, words.strip()))), party=party.pk)
    changed(incident)
    return party
