"""At the door: answers, or why nobody was met; who goes where (R-022)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, Refused
from sangyu.kernel.scoping import as_system
from sangyu.kernel.services import service
from sangyu.registry.accounts import selectors as accounts
from sangyu.registry.people import selectors as people
from sangyu.registry.workforce import selectors as workforce

from ..enums import Action, CampaignState, Missed, TaskState
from ..models import Task
from ._shared import TASK, locked_tasks, log_many, open_campaign, task_of

#: What the engine says of an answer → words.
WRONG = {
    "missing": gettext_lazy("Please answer this."),
    "unknown": gettext_lazy("This is none of the answers."),
    "number": gettext_lazy("Write a whole number."),
    "day": gettext_lazy("Write the day as 2026-11-05."),
    "long": gettext_lazy("This is too long."),
}


@service("screening.fill")
def save(
    *,
    actor: Actor,
    task_id: int,
    answers: Mapping[str, Any],
    visited_on: date | None = None,
    hand_in: bool = True,
    now: datetime | None = None,
) -> Task:
    """Keep the answers; with ``hand_in`` the sheet must be whole and goes to who confirms.

    Raises NotVisible, Invalid (by question), Refused ("screening.campaign" | "people.restricted" | "workflow.edge").
    """
    now = now or timezone.now()
    row = task_of(task_id)
    return keep(actor, row, answers, visited_on or timezone.localdate(now), hand_in, now)


def keep(actor: Actor, row: Task, answers: Mapping[str, Any], visited_on: date, hand_in: bool, now: datetime) -> Task:
    """``save`` of a locked task."""
    open_campaign(row)
    TASK.require(row, Action.FILL)
    with as_system("a worker sees the task, not the file"):
        if people.is_restricted(row.person_id):
            raise Refused(_("The data of this person are kept for a statute only."), code="people.restricted")
    kept, errors = checked(row, answers, visited_on, hand_in, now)
    if errors:
        raise Invalid(errors)
    if not hand_in:
        row.answers, row.visited_on = kept, visited_on
        row.save(update_fields=["answers", "visited_on"])
        return row
    return TASK.apply(
        actor=actor, queryset=Task.objects.all(), row=row, pk=row.pk, action=Action.FILL, now=now,
        changes=handed_in(actor, row, kept, visited_on, now),
    )  # fmt: skip


def checked(row: Task, answers: Mapping[str, Any], visited_on: date, hand_in: bool, now: datetime) -> tuple[dict, dict]:
    """(answers that count, errors by field) of one sheet."""
    kept, wrong = row.campaign.version.sheet.check(answers, partial=not hand_in)
    errors: dict[str, list[str]] = {code: [str(WRONG[what])] for code, what in wrong.items()}
    if not row.campaign.starts_on <= visited_on <= timezone.localdate(now):
        errors["visited_on"] = [_("The day lies outside the campaign, or in the future.")]
    return kept, errors


def handed_in(actor: Actor, row: Task, kept: dict[str, Any], visited_on: date, now: datetime) -> dict[str, Any]:
    """Columns of a task whose whole sheet is ``kept``."""
    found = row.campaign.version.sheet.findings(kept)
    return {
        "answers": kept, "facts": found.facts, "needs": list(found.needs), "follow_up": list(found.follow_up),
        "standing": found.standing, "visited_on": visited_on, "missed": "", "note": "", "filled_at": now, "filled_by": actor.name,
        "filled_account": actor.account_id,
    }  # fmt: skip


@service("screening.fill")
def miss(*, actor: Actor, task_id: int, why: str, note: str = "", now: datetime | None = None) -> Task:
    """Nobody was met, and why; the visit can be made again. Raises NotVisible, Invalid, Refused."""
    if why not in Missed.values:
        raise Invalid({"why": [_("Choose one of the options.")]})
    if why == Missed.OTHER and not note.strip():
        raise Invalid({"note": [_("Say why.")]})
    row = task_of(task_id)
    return TASK.apply(
        actor=actor, queryset=Task.objects.all(), row=row, pk=row.pk, action=Action.MISS, now=now, reason=note.strip(),
        changes={"missed": why, "note": note.strip()[:300]},
    )  # fmt: skip


@service("screening.fill")
def again(*, actor: Actor, task_id: int, now: datetime | None = None) -> Task:
    """Put a missed elder back on the list. Raises NotVisible, Refused."""
    row = task_of(task_id)
    return TASK.apply(
        actor=actor, queryset=Task.objects.all(), row=row, pk=row.pk, action=Action.AGAIN, now=now,
        changes={"missed": "", "note": ""},
    )  # fmt: skip


@service("screening.fill")
def miss_all_of(
    *, actor: Actor, person_id: int, why: str, outside_only: bool = False, now: datetime | None = None
) -> int:
    """Whoever has died or left the campaign's region is not visited any more. Answers how many visits that were."""
    rows = Task.objects.select_for_update(of=("self",)).select_related("campaign").filter(
        person_id=person_id, state=TaskState.WAITING, campaign__state=CampaignState.OPEN
    )  # fmt: skip
    rows = [r for r in rows if not (outside_only and r.path.startswith(r.campaign.path))]
    now = now or timezone.now()
    Task.objects.filter(pk__in=[r.pk for r in rows]).update(state=TaskState.MISSED, missed=why)
    log_many(rows, actor, now, Action.MISS, TaskState.WAITING, TaskState.MISSED)
    return len(rows)


@service("screening.fill")
def assign(
    *, actor: Actor, ids: Sequence[int], account_id: int | None = None, worker_id: int | None = None
) -> dict[int, str]:
    """Give visits to somebody of the own staff, or to a worker; nobody = back to the community. Answers {id: why not}.

    Raises Invalid for somebody outside the actor's area, NotVisible for a worker that it does not see.
    """
    if account_id is not None and account_id not in {a.pk for a in accounts.colleagues(actor)}:
        raise Invalid({"to": [_("Choose one of the options.")]})
    if worker_id is not None:
        workforce.get_worker(actor, worker_id)
    rows = locked_tasks(ids)
    refused = {pk: _("This row does not exist any more.") for pk in set(ids) - {r.pk for r in rows}}
    free = [r.pk for r in rows if r.state in (TaskState.WAITING, TaskState.MISSED)]
    refused |= {r.pk: _("The sheet is handed in already.") for r in rows if r.pk not in free}
    Task.objects.filter(pk__in=free).update(account_id=account_id, worker_id=worker_id)
    return refused
