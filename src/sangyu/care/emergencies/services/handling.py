"""Acts of the desk: take, give back, call the elder, hand over to 120 or 110, close, review."""

from datetime import datetime

from django.db.models import Case, F, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.services import service

from .. import events
from ..enums import FALSE_CAUSES, LIVE, Cause, Did, Outcome, State, Verified
from ..models import Incident
from ._shared import changed, further, locked, must_live, note_down, save, tell


@service("emergencies.handle")
def claim(*, actor: Actor, incident_id: int, now: datetime) -> Incident:
    """Take the case: one conditional update, so that of any number exactly one has it. Again by the same person: nothing.

    Raises NotVisible, Refused("emergencies.taken"), which names who was quicker, and Refused("emergencies.closed").
    """
    if actor.account_id is None:
        raise Refused(_("A case is taken by a person who is signed in."), code="emergencies.account")
    rows = Incident.objects.visible_to(actor).filter(pk=incident_id, claimed_by=None, state__in=LIVE)
    won = rows.update(
        claimed_by_id=actor.account_id,
        claimed_name=actor.name[:100],
        claimed_at=now,
        answered_at=Coalesce(F("answered_at"), Value(now)),
        answered_by=Case(When(answered_by="", then=Value(actor.name[:100])), default=F("answered_by")),
        state=Case(When(state=State.OPEN, then=Value(State.CLAIMED)), default=F("state")),
    )
    incident = Incident.objects.visible_to(actor).select_related("region").filter(pk=incident_id).first()
    if incident is None:
        raise NotVisible
    if won:
        note_down(incident, actor, now, Did.CLAIMED)
        tell(events.CLAIMED, incident, account=actor.account_id)
        return incident
    must_live(incident)
    if incident.claimed_by_id != actor.account_id:
        raise Refused(
            _("%(name)s was quicker and has had the case since %(time)s.")
            % {"name": incident.claimed_name, "time": f"{timezone.localtime(incident.claimed_at):%H:%M:%S}"},
            code="emergencies.taken",
        )
    return incident


@service("emergencies.handle")
def release(*, actor: Actor, incident_id: int, now: datetime, reason: str = "") -> Incident:
    """Give the case back; a supervisor (``emergencies.review``) gives back another's. It waits again, its clocks run on.

    Raises NotVisible, Refused.
    """
    incident = own(actor, incident_id, others=True)
    save(
        incident, claimed_by=None, claimed_name="", claimed_at=None,
        state=State.OPEN if incident.state in (State.CLAIMED, State.VERIFYING) else incident.state,
    )  # fmt: skip
    note_down(incident, actor, now, Did.RELEASED, reason)
    changed(incident)
    return incident


def own(actor: Actor, incident_id: int, *, others: bool = False) -> Incident:
    """The locked live case that the actor has taken. Raises NotVisible, Refused."""
    incident = locked(actor, incident_id)
    must_live(incident)
    if incident.claimed_by_id is None:
        raise Refused(_("Take the case first."), code="emergencies.not_taken")
    if incident.claimed_by_id != actor.account_id and not (others and actor.may("emergencies.review")):
        raise Refused(
            _("The case is in the hands of %(name)s.") % {"name": incident.claimed_name}, code="emergencies.taken"
        )
    return incident


@service("emergencies.handle")
def verify(*, actor: Actor, incident_id: int, now: datetime, result: str = "", words: str = "") -> Incident:
    """Call the elder: without ``result`` the call begins, with one it is over. Raises NotVisible, Invalid, Refused."""
    if result and result not in Verified.values:
        raise Invalid({"result": [_("Choose what the call said.")]})
    incident = own(actor, incident_id)
    values: dict = {"state": further(incident, State.VERIFYING)}
    if result:
        values |= {"verified": result, "verified_at": now}
    save(incident, **values)
    note_down(incident, actor, now, Did.VERIFIED, words, result=result)
    changed(incident)
    return incident


@service("emergencies.handle")
def note(*, actor: Actor, incident_id: int, now: datetime, text: str) -> Incident:
    """A line of the trail, also in a closed case. Raises NotVisible, Invalid."""
    if not text.strip():
        raise Invalid({"text": [_("Write something.")]})
    incident = locked(actor, incident_id)
    note_down(incident, actor, now, Did.NOTE, text.strip())
    changed(incident)
    return incident


@service("emergencies.handle")
def escalate_120(*, actor: Actor, incident_id: int, now: datetime, number: str = "120", words: str = "") -> Incident:
    """120 or 110 was called and has the case: when, by whom, what they said. Raises NotVisible, Invalid, Refused."""
    if number not in ("120", "110", "119"):
        raise Invalid({"number": [_("Choose 120, 110 or 119.")]})
    incident = locked(actor, incident_id)
    must_live(incident)
    save(
        incident, emergency_at=incident.emergency_at or now, dispatched_at=incident.dispatched_at or now,
        state=further(incident, State.DISPATCHED),
    )  # fmt: skip
    note_down(incident, actor, now, Did.EMERGENCY, words, number=number)
    changed(incident)
    return incident


def ended_with(incident: Incident, outcome: str, cause: str, words: str) -> None:
    """Raises Invalid when outcome and cause do not say how it ended."""
    errors: dict[str, list[str]] = {}
    if outcome not in Outcome.values:
        errors["outcome"] = [_("Choose how it ended.")]
    elif (outcome == Outcome.DRILL) != incident.drill:
        errors["outcome"] = [_("A drill ends as a drill, a case does not.")]
    if cause not in Cause.values:
        errors["cause"] = [_("Choose the cause.")]
    elif outcome == Outcome.FALSE and cause not in FALSE_CAUSES:
        errors["cause"] = [_("Choose why the alarm was false.")]
    if outcome in (Outcome.OTHER, Outcome.DIED, Outcome.NOT_FOUND) and not words.strip():
        errors["words"] = [_("Write how it ended.")]
    if errors:
        raise Invalid(errors)


@service("emergencies.review")
def review(*, actor: Actor, incident_id: int, now: datetime, words: str = "") -> Incident:
    """A superior has looked at a closed case; not who handled it. Raises NotVisible, Refused."""
    incident = locked(actor, incident_id)
    if incident.state != State.CLOSED:
        raise Refused(_("Only a closed case is reviewed, once."), code="emergencies.review")
    if actor.account_id is not None and actor.account_id == incident.claimed_by_id:
        raise Refused(_("Somebody else reviews your case."), code="emergencies.own")
    save(incident, state=State.REVIEWED, reviewed_at=now, reviewed_by=actor.name[:100], review=words.strip()[:500])
    note_down(incident, actor, now, Did.REVIEWED, words.strip())
    changed(incident)
    return incident
