"""Small steps that the services share. Called inside an open scope."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import NotVisible, Refused
from sangyu.kernel.events import emit
from sangyu.kernel.scoping import as_system

from .. import events
from ..enums import LIVE, Answer, Did, State
from ..models import Incident, Party, Trail


def locked(actor: Actor, incident_id: int) -> Incident:
    """The case as the actor sees it, or was asked to go to, locked. Raises NotVisible."""
    seen = Incident.objects.visible_to(actor).filter(pk=incident_id).exists()
    with as_system("who was asked to go writes into the case"):
        if not seen and not was_asked(actor, incident_id):
            raise NotVisible
        return Incident.objects.select_for_update(of=("self",)).select_related("region").get(pk=incident_id)


def was_asked(actor: Actor, incident_id: int) -> bool:
    """Whether the account was asked to go there: a relative without the file, a person on duty for another area."""
    if actor.account_id is None:
        return False
    return (
        Party.objects.filter(incident_id=incident_id, account_id=actor.account_id)
        .exclude(answer=Answer.PASSED)
        .exists()
    )


def must_live(incident: Incident) -> None:
    """Raises Refused when the case is over."""
    if incident.state not in LIVE:
        raise Refused(_("The case %(number)s is closed.") % {"number": incident.number}, code="emergencies.closed")


def save(incident: Incident, **values: Any) -> None:
    """Write ``values`` into the locked case."""
    for name, value in values.items():
        setattr(incident, name, value)
    with as_system("who was asked to go writes into the case"):
        incident.save(update_fields=list(values))


def note_down(incident: Incident, actor: Actor, now: datetime, what: Did, words: str = "", **data: Any) -> Trail:
    """One line of the trail."""
    with as_system("the trail of a case is written by everybody who works on it"):
        return Trail.objects.create(
            incident=incident, at=now, what=what, actor=actor.name[:100], account_id=actor.account_id,
            words=words[:500], data=data,
        )  # fmt: skip


def tell(name: str, incident: Incident, **more: Any) -> None:
    """An event of the case for the screens: staff by path, whoever was asked to go by name."""
    with as_system("who was asked to go hears of it, whoever acts"):
        hearers = hearing(incident)
    if hearers:
        more["to"] = hearers
    emit(
        name, path=incident.path, incident=incident.pk, number=incident.number, level=incident.level,
        state=str(incident.state), **more,
    )  # fmt: skip


def hearing(incident: Incident) -> list[str]:
    """Who besides staff hears of the case: those asked and not yet out of it."""
    out: set[str] = set()
    asked = Party.objects.filter(incident=incident).exclude(answer__in=[Answer.PASSED])
    for worker, organisation, account in asked.values_list("worker_id", "organisation_id", "account_id"):
        if worker:
            out.add(f"worker:{worker}")
        elif organisation:
            out.add(f"provider:{organisation}")
        if account:
            out.add(f"account:{account}")
    return sorted(out)


def changed(incident: Incident, **more: Any) -> None:
    tell(events.CHANGED, incident, **more)


#: How far a case has come; a state never goes back but by giving it back.
RANK = {s: n for n, s in enumerate((State.OPEN, State.CLAIMED, State.VERIFYING, State.DISPATCHED, State.ON_THE_WAY,
                                    State.ARRIVED))}  # fmt: skip


def further(incident: Incident, state: State) -> State:
    """``state``, or where the case is when it has come further."""
    return state if RANK[state] > RANK[State(incident.state)] else State(incident.state)
