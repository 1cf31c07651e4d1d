"""Working on what a screening found: an assessment is applied for here; visits and services are arranged in their rooms."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.care.assessments import services as assessments
from sangyu.care.assessments.enums import Reason
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, SangyuError
from sangyu.kernel.services import service

from ..enums import FollowUpKind, FollowUpState
from ..models import FollowUp


def _locked(ids: Sequence[int]) -> tuple[list[FollowUp], dict[int, str]]:
    rows = list(
        FollowUp.objects.select_for_update(of=("self",))
        .select_related("task__campaign")
        .filter(pk__in=list(ids))
        .order_by("id")
    )
    refused = {pk: _("This row does not exist any more.") for pk in set(ids) - {r.pk for r in rows}}
    refused |= {r.pk: _("This is done already.") for r in rows if r.state != FollowUpState.OPEN}
    return [r for r in rows if r.state == FollowUpState.OPEN], refused


@service("screening.follow_up")
def apply_for_assessments(*, actor: Actor, ids: Sequence[int], now: datetime | None = None) -> dict[int, str]:
    """Apply for the assessments that sheets ask for; one that is under way counts as well. Answers {id: why not}."""
    now = now or timezone.now()
    rows, refused = _locked(ids)
    for row in rows:
        if row.kind != FollowUpKind.ASSESSMENT:
            refused[row.pk] = _("This asks for no assessment.")
            continue
        number = row.task.campaign.number
        try:
            with transaction.atomic():
                made = assessments.apply(
                    actor=actor, person_id=row.person_id, reason=Reason.OTHER, now=now,
                    note=_("Screening %(number)s") % {"number": number},
                )  # fmt: skip
        except SangyuError as error:
            if getattr(error, "code", "") != "assessments.open":
                refused[row.pk] = str(error) or _("The person is not in your area any more.")
                continue
            made, row.note = None, str(error)
        row.assessment, row.state, row.done_at, row.done_by = made, FollowUpState.DONE, now, actor.name
        row.save(update_fields=["assessment", "state", "done_at", "done_by", "note"])
    return refused


@service("screening.follow_up")
def settle(
    *, actor: Actor, ids: Sequence[int], note: str, dropped: bool = False, now: datetime | None = None
) -> dict[int, str]:
    """Done, or not needed, and what was arranged. Answers {id: why not}. Raises Invalid."""
    if not note.strip():
        raise Invalid({"note": [_("Say what was arranged, or why it is not needed.")]})
    rows, refused = _locked(ids)
    FollowUp.objects.filter(pk__in=[r.pk for r in rows]).update(
        state=FollowUpState.DROPPED if dropped else FollowUpState.DONE, note=note.strip()[:300], done_at=now or timezone.now(),
        done_by=actor.name,
    )  # fmt: skip
    return refused
