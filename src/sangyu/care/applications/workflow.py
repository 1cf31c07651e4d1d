"""The graphs of applications and objections; nothing else changes their state."""

from datetime import datetime

from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Invalid, Refused
from sangyu.kernel.workflow import Workflow

from .enums import TO_ANSWER, Action, ObjectionAction, ObjectionState, State, Step


def _logs():
    from . import models

    return models


def acts_as(actor: Actor, step: str) -> bool:
    """Whether the actor's region may take ``step``: its own level, or one above."""
    return actor.audience in (Audience.STAFF, Audience.JOB) and len(actor.path) <= Step(step).depth


def _at_the_step(row, *, actor: Actor, **more) -> None:
    """The step's level or above, and nobody takes two steps of one application, nor decides what they handed in."""
    if not acts_as(actor, row.next_step or Step.COUNTY):
        raise Refused(
            _("The step “%(step)s” is not yours to take.") % {"step": Step(row.next_step).label},
            code="applications.step",
        )
    if actor.account_id is None:
        return
    before = row.trail.exclude(account_id=None).values_list("account_id", flat=True)
    if row.applicant_id == actor.account_id or actor.account_id in set(before):
        raise Refused(
            _("You took a step of this application already. Somebody else must take the next one."),
            code="applications.four_eyes",
        )


def _decides(row, *, actor: Actor, **more) -> None:
    """An office that takes the last step decides the amount; who handed in does not, and who decides approves nothing of it. Of a
    refused application only while an objection waits for its answer.
    """
    if row.state == State.REFUSED and not row.objections.filter(state__in=TO_ANSWER).exists():
        raise Refused(_("This application was refused; nobody objects."), code="workflow.edge")
    last = row.steps[-1] if row.steps else Step.COUNTY
    if not acts_as(actor, last):
        raise Refused(
            _("The step “%(step)s” is not yours to take.") % {"step": Step(last).label}, code="applications.step"
        )
    if actor.account_id is not None and row.applicant_id == actor.account_id:
        raise Refused(_("Who hands in does not decide."), code="applications.four_eyes")


def _says_why(row, *, reason: str, **more) -> None:
    if not reason.strip():
        raise Invalid({"reason": [_("Say why.")]})


APPLICATION_FLOW = Workflow(
    name="applications",
    edges=(
        (Action.PASS, State.SUBMITTED, State.REVIEW),
        (Action.PASS, State.REVIEW, State.REVIEW),
        (Action.APPROVE, State.SUBMITTED, State.APPROVED),
        (Action.APPROVE, State.REVIEW, State.APPROVED),
        (Action.REFUSE, State.SUBMITTED, State.REFUSED),
        (Action.REFUSE, State.REVIEW, State.REFUSED),
        (Action.WITHDRAW, State.SUBMITTED, State.WITHDRAWN),
        (Action.WITHDRAW, State.REVIEW, State.WITHDRAWN),
        (Action.DECIDE, State.SUBMITTED, State.SUBMITTED),
        (Action.DECIDE, State.REVIEW, State.REVIEW),
        (Action.DECIDE, State.REFUSED, State.REFUSED),
        (Action.OVERTURN, State.REFUSED, State.APPROVED),
    ),
    log=lambda: _logs().ApplicationLog,
    log_fk="application",
    stamps={State.APPROVED: "decided_at", State.REFUSED: "decided_at", State.WITHDRAWN: "decided_at"},
    guards={
        Action.PASS: (_at_the_step,),
        Action.APPROVE: (_at_the_step,),
        Action.DECIDE: (_decides,),
        Action.REFUSE: (_at_the_step, _says_why),
    },
    hears=lambda row: [f"family:{row.applicant_id}"] if row.applicant_id and row.channel != "community" else [],
)


def _answers(row, *, actor: Actor, reason: str, now: datetime, **more) -> None:
    """A county or street answers an objection; an appeal is answered by somebody else, of a region above the first one or the same."""
    _says_why(row, reason=reason)
    if actor.account_id is None:
        return
    decided = {row.applicant_id}
    if row.application_id:
        decided |= set(
            row.application.trail.filter(
                action__in=[Action.REFUSE, Action.PASS, Action.APPROVE, Action.DECIDE]
            ).values_list("account_id", flat=True)
        )
    if row.state == ObjectionState.APPEALED:
        decided.add(row.answered_id)
    if actor.account_id in decided:
        raise Refused(_("Somebody who did not decide before must answer."), code="applications.four_eyes")


def _above(row, *, actor: Actor, **more) -> None:
    if row.state == ObjectionState.APPEALED and len(actor.path) > len(row.answered_path):
        raise Refused(_("An appeal is answered by the same level or one above."), code="applications.step")


OBJECTION_FLOW = Workflow(
    name="applications.objections",
    edges=(
        (ObjectionAction.UPHOLD, ObjectionState.OPEN, ObjectionState.UPHELD),
        (ObjectionAction.REJECT, ObjectionState.OPEN, ObjectionState.REJECTED),
        (ObjectionAction.APPEAL, ObjectionState.REJECTED, ObjectionState.APPEALED),
        (ObjectionAction.UPHOLD, ObjectionState.APPEALED, ObjectionState.UPHELD),
        (ObjectionAction.REJECT, ObjectionState.APPEALED, ObjectionState.FINAL),
        (ObjectionAction.WITHDRAW, ObjectionState.OPEN, ObjectionState.WITHDRAWN),
        (ObjectionAction.WITHDRAW, ObjectionState.APPEALED, ObjectionState.WITHDRAWN),
    ),
    log=lambda: _logs().ObjectionLog,
    log_fk="objection",
    stamps={
        ObjectionState.UPHELD: "closed_at",
        ObjectionState.FINAL: "closed_at",
        ObjectionState.WITHDRAWN: "closed_at",
    },
    guards={ObjectionAction.UPHOLD: (_answers, _above), ObjectionAction.REJECT: (_answers, _above)},
    hears=lambda row: [f"family:{row.applicant_id}"] if row.applicant_id and row.channel != "community" else [],
)
