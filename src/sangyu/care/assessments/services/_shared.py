"""The graph of an assessment and its guards."""

from datetime import datetime

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import NotVisible, Refused
from sangyu.kernel.models import Share
from sangyu.kernel.scoping import as_system
from sangyu.kernel.workflow import Workflow

from ..enums import Action, Reason, State
from ..models import Assessment, AssessmentLog, Assessor


def own_accounts(row: Assessment) -> set[int]:
    """Accounts of those who were in the home."""
    with as_system("assessors of an outside body may lie outside the actor's sight"):
        known = Assessor.objects.filter(pk__in=[row.lead_id, row.second_id]).values_list("account_id", flat=True)
        return {a for a in (*known, row.visited_account) if a is not None}


def _other_eyes(row: Assessment, *, actor: Actor, **more) -> None:
    """Who assessed does not take the second look, publish or decide."""
    if actor.account_id is not None and actor.account_id in own_accounts(row):
        raise Refused(
            _("You assessed this person yourself. Somebody else takes the second look."), code="assessments.four_eyes"
        )


def _not_the_reviewer(row: Assessment, *, actor: Actor, **more) -> None:
    if actor.account_id is not None and actor.account_id == row.reviewed_account:
        raise Refused(_("You took the second look. Somebody else decides."), code="assessments.four_eyes")


def _notice_over(row: Assessment, *, now: datetime, **more) -> None:
    if timezone.localdate(now) <= row.notice_to:
        raise Refused(
            _("The public notice runs until %(day)s. Decide after it.") % {"day": row.notice_to},
            code="assessments.notice",
        )


def _for_a_decision(row: Assessment, **more) -> None:
    if row.reason == Reason.SAMPLE:
        raise Refused(_("A drawn sample is compared, not decided."), code="assessments.sample")


def _answers_objection(row: Assessment, **more) -> None:
    if row.reason == Reason.OBJECTION:
        raise Refused(_("An objection is answered by a new assessment."), code="assessments.objection")


FLOW = Workflow(
    name="assessments",
    edges=(
        (Action.ASSIGN, State.APPLIED, State.ASSIGNED),
        (Action.TAKE_BACK, State.ASSIGNED, State.APPLIED),
        (Action.VISIT, State.ASSIGNED, State.VISITED),
        (Action.SEND_BACK, State.VISITED, State.ASSIGNED),
        (Action.REVIEW, State.VISITED, State.REVIEWED),
        (Action.COMPARE, State.REVIEWED, State.COMPARED),
        (Action.PUBLISH, State.REVIEWED, State.PUBLISHED),
        (Action.DECIDE, State.PUBLISHED, State.DECIDED),
        (Action.OBJECT, State.PUBLISHED, State.OBJECTED),
        (Action.OBJECT, State.DECIDED, State.OBJECTED),
        (Action.REASSESS, State.OBJECTED, State.REASSESSED),
        (Action.REFUSE, State.APPLIED, State.REFUSED),
        (Action.WITHDRAW, State.APPLIED, State.WITHDRAWN),
        (Action.WITHDRAW, State.ASSIGNED, State.WITHDRAWN),
    ),
    log=lambda: AssessmentLog,
    log_fk="assessment",
    stamps={
        State.ASSIGNED: "assigned_at", State.VISITED: "visited_at", State.REVIEWED: "reviewed_at",
        State.PUBLISHED: "published_at", State.DECIDED: "decided_at", State.REFUSED: "closed_at",
        State.WITHDRAWN: "closed_at",
    },
    guards={
        Action.REVIEW: (_other_eyes,),
        Action.SEND_BACK: (_other_eyes,),
        Action.PUBLISH: (_for_a_decision, _other_eyes),
        Action.DECIDE: (_other_eyes, _not_the_reviewer, _notice_over),
        Action.REFUSE: (_answers_objection,),
        Action.WITHDRAW: (_answers_objection,),
    },
    hears=lambda row: [f"provider:{row.body_id}"] if row.body_id else [],
)  # fmt: skip


def step(actor: Actor, pk: int, action: Action, now: datetime | None = None, **more) -> Assessment:
    """One transition as the actor sees the row. Raises NotVisible, Refused."""
    return FLOW.apply(actor=actor, queryset=Assessment.objects.all(), pk=pk, action=action, now=now, **more)


def seen(pk: int) -> Assessment:
    """The assessment in the open scope. Raises NotVisible."""
    row = Assessment.objects.select_related("version").filter(pk=pk).first()
    if row is None:
        raise NotVisible
    return row


def show_person(row: Assessment) -> None:
    """The commissioned body sees the elder while it assesses, unless it sees the file for another reason already."""
    if row.body_id is None:
        return
    with as_system("shares belong to their subject"):
        if Share.objects.filter(
            audience=Audience.PROVIDER,
            subject_id=row.body_id,
            kind="person",
            object_id=row.person_id,
            until__isnull=True,
        ).exists():
            return
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT sangyu.share(%s, %s, %s, %s, %s, NULL, %s)",
                [Audience.PROVIDER.value, row.body_id, "person", row.person_id, row.path, _why(row)],
            )


def hide_person(row: Assessment, body_id: int | None) -> None:
    """End what ``show_person`` gave."""
    if body_id is None:
        return
    with as_system("shares belong to their subject"):
        own = Share.objects.filter(
            audience=Audience.PROVIDER, subject_id=body_id, kind="person", object_id=row.person_id, reason=_why(row)
        ).exists()
        if own:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT sangyu.unshare(%s, %s, %s, %s, %s)",
                    [Audience.PROVIDER.value, body_id, "person", row.person_id, _why(row)],
                )


def _why(row: Assessment) -> str:
    return f"assessment {row.number}"
