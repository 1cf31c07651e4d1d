"""Closing a case: outcome, cause, what follows (R-097). Only a person closes one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from sangyu.care.orders import services as orders
from sangyu.care.signals import services as signals
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid
from sangyu.kernel.scoping import as_system
from sangyu.kernel.services import service

from .. import events
from ..enums import Answer, Did, Kind, State
from ..models import Alarm, Incident, Notice, Party, Step
from ._shared import note_down, save, tell
from .handling import ended_with, own
from .responding import hide


@service("emergencies.handle")
def close(
    *,
    actor: Actor,
    incident_id: int,
    outcome: str,
    cause: str,
    now: datetime,
    words: str = "",
    follow_up: Mapping[str, Any] | None = None,
) -> Incident:
    """End the case. ``follow_up``: ``item_code`` and ``planned_start`` of an order that comes of it, with ``wishes``.

    Who was asked and did not come is told; clocks end; the alarms of its devices are acknowledged up to the last one that the
    case holds, so that a later press is a new case. Raises NotVisible, Invalid, Refused; then nothing has changed.
    """
    incident = own(actor, incident_id, others=True)
    ended_with(incident, outcome, cause, words)
    order = _ordered(actor, incident, follow_up, now) if follow_up else None
    save(
        incident, state=State.CLOSED, closed_at=now, closed_by=actor.name[:100], outcome=outcome, cause=cause,
        words=words.strip()[:500], follow_up=order.number if order else "",
    )  # fmt: skip
    note_down(incident, actor, now, Did.CLOSED, words.strip(), outcome=outcome, cause=cause)
    if order:
        note_down(incident, actor, now, Did.FOLLOW_UP, order.number, order=order.pk)
    tell(events.CLOSED, incident)
    with as_system("whoever was asked no longer sees a closed case"):
        for party in Party.objects.filter(incident=incident).exclude(answer=Answer.PASSED):
            if party.answer == Answer.WAITING:
                party.answer, party.answered_at = Answer.WITHDRAWN, now
                party.save(update_fields=["answer", "answered_at"])
            hide(incident, party, "emergency closed")
        Step.objects.filter(incident=incident, done_at=None).update(done_at=now, result="closed")
        Notice.objects.filter(incident=incident, state="waiting").update(
            state="failed", next_at=None, error=_("The case was closed before.")
        )
        _acknowledge(incident, actor, now)
    return incident


def _ordered(actor: Actor, incident: Incident, wanted: Mapping[str, Any], now: datetime):
    """The order that follows, asked for in the elder's name. Raises what orders raise."""
    if incident.person_id is None or incident.drill:
        raise Invalid({"follow_up": [_("There is nobody for whom an order can be made.")]})
    wishes = wanted.get("wishes") or _("After %(kind)s, %(number)s") % {
        "kind": Kind(incident.kind).label, "number": incident.number
    }  # fmt: skip
    return orders.request(
        actor=actor, person_id=incident.person_id, item_code=wanted["item_code"], planned_start=wanted["planned_start"],
        channel="hotline", requested_by=actor.name[:60], wishes=wishes[:300], key=f"emergency-{incident.number}", now=now,
    )  # fmt: skip


def _acknowledge(incident: Incident, actor: Actor, now: datetime) -> None:
    """Tell signals what was seen, so that a latched alert is over and a press after it is a new one."""
    rows = list(Alarm.objects.filter(incident=incident, alarm_id__isnull=False).values_list("alarm_id", "at"))
    if rows:
        signals.acknowledge(sorted({pk for pk, _at in rows}), actor=actor, through=max(at for _pk, at in rows), now=now)
