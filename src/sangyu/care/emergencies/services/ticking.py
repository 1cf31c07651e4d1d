"""The clocks of cases are rows; a ticker executes what is due, each step once (devices.md §6, ADR 0024).

One transaction a step: the step is marked in the transaction of its effect. Two tickers never take the same case; a ticker
killed in between leaves the step as it was.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Forbidden
from sangyu.kernel.scoping import scope
from sangyu.registry.accounts import selectors as accounts

from ..enums import Answer, Did, PartyKind, State, Verified
from ..models import Incident, Party, Step
from ._shared import changed, note_down, save
from .notices import look_after_lost, notify
from .responding import advance, message_for, not_reached
from .telephony import remind_of_call_backs

log = logging.getLogger(__name__)
#: When a step that failed is tried again: it must not stand in the way of all that are due after it.
AGAIN = timedelta(seconds=5)
HELP_GOES = (State.DISPATCHED, State.ON_THE_WAY, State.ARRIVED)


def tick(*, actor: Actor, now: datetime, limit: int = 200) -> int:
    """Execute up to ``limit`` due steps, oldest first: how many. Any number of tickers may run at once.

    A step that fails is logged and put off by ``AGAIN``, so that the others happen. Raises what says that the database is away.
    """
    if not actor.may("emergencies.receive"):
        raise Forbidden("emergencies.receive")
    with scope(actor):  # looked for once: however many wait, a step costs the same
        waiting = Step.objects.filter(done_at=None, due_at__lte=now).order_by("due_at", "rank", "id")
        due = list(waiting.values_list("pk", flat=True)[:limit])
    done = sum(_execute(pk, actor, now) for pk in due)
    look_after_lost(actor=actor, now=now)
    remind_of_call_backs(actor=actor, now=now)
    return done


def _execute(pk: int, actor: Actor, now: datetime) -> bool:
    """One step with its effect, in one transaction. False when somebody else has it, or its case, or has done it."""
    step = None
    try:
        with scope(actor):
            step = (
                Step.objects.select_for_update(skip_locked=True, of=("self", "incident"))
                .select_related("incident__region")
                .filter(pk=pk, done_at=None)
                .first()
            )
            if step is None:
                return False
            result = _NEEDLESS if _needless(step.incident, step) else ACTS[step.act](step.incident, step, actor, now)
            Step.objects.filter(pk=step.pk).update(done_at=now, result=result[:200])
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        if step is None:
            raise
        log.exception("the step %s of case %s failed", step.code, step.incident_id)
        with scope(actor):
            Step.objects.filter(pk=step.pk, done_at=None).update(due_at=now + AGAIN)
    return True


_NEEDLESS = "needless"


def _needless(incident: Incident, step: Step) -> bool:
    """Whether somebody has done what the step would see to."""
    if incident.state not in HELP_GOES and incident.state not in (State.OPEN, State.CLAIMED, State.VERIFYING):
        return True
    well = incident.verified == Verified.ALL_RIGHT
    return {
        "claimed": incident.claimed_by_id is not None,
        "confirmed": incident.verified in (Verified.ALL_RIGHT, Verified.NEEDS_HELP) or incident.state in HELP_GOES,
        "under_way": well or any((incident.under_way_at, incident.arrived_at, incident.emergency_at)),
        "arrived": well or incident.arrived_at is not None,
    }.get(step.unless, False)


def _desk(incident: Incident, step: Step, actor: Actor, now: datetime) -> str:
    return _alert(incident, step, actor, now, "emergencies.handle")


def _supervisor(incident: Incident, step: Step, actor: Actor, now: datetime) -> str:
    return _alert(incident, step, actor, now, "emergencies.review")


def _alert(incident: Incident, step: Step, actor: Actor, now: datetime, permission: str) -> str:
    """Everybody who is signed in and may; nobody else is disturbed."""
    told = accounts.reachable(permission, incident.path, now)
    for account in told:
        notify(
            incident, now=now, role=PartyKind.OPERATOR, name=account.name, why=step.code, account_id=account.pk,
            words=message_for(incident, PartyKind.OPERATOR),
        )  # fmt: skip
    result = "、".join(a.name for a in told)[:150] or _("Nobody is signed in")
    return _escalated(incident, step, actor, now, result)


def _escalated(incident: Incident, step: Step, actor: Actor, now: datetime, result: str) -> str:
    note_down(incident, actor, now, Did.ESCALATED, f"{step.words}：{result}", step=step.code)
    changed(incident, step=step.code)
    return result


def _track(name: str) -> Callable[..., str]:
    def act(incident: Incident, step: Step, actor: Actor, now: datetime) -> str:
        return _escalated(incident, step, actor, now, advance(incident, name, actor, now))

    return act


def _emergency(incident: Incident, step: Step, actor: Actor, now: datetime) -> str:
    """120 or 110 is due: the desk shows the hand-over text until somebody says that it was called."""
    save(incident, emergency_due_at=incident.emergency_due_at or now)
    told = _alert(incident, step, actor, now, "emergencies.handle")
    others = [a for a in accounts.reachable("emergencies.review", incident.path, now) if a.name not in told]
    for account in others:
        notify(
            incident, now=now, role=PartyKind.OPERATOR, name=account.name, why=step.code, account_id=account.pk,
            words=message_for(incident, PartyKind.OPERATOR),
        )  # fmt: skip
    return told


def _answer(incident: Incident, step: Step, actor: Actor, now: datetime) -> str:
    """The time to answer is over."""
    party = Party.objects.select_for_update(of=("self",)).filter(pk=step.params["party"]).first()
    if party is None or party.answer != Answer.WAITING:
        return _NEEDLESS
    not_reached(incident, party, actor, now)
    return Answer.SILENT


ACTS: dict[str, Callable[[Incident, Step, Actor, datetime], str]] = {
    "desk": _desk, "supervisor": _supervisor, "duty": _track("duty"), "family": _track("family"),
    "nearest": _track("nearest"), "emergency": _emergency, "answer": _answer,
}  # fmt: skip
