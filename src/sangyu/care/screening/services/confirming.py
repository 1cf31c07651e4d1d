"""A second person looks at sheets and confirms them: only then the register changes (R-022, R-023, R-037)."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.care.assessments import services as assessments
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid
from sangyu.kernel.events import emit
from sangyu.kernel.services import service
from sangyu.registry.people import selectors as people
from sangyu.registry.people import services as registers

from .. import events
from ..enums import Action, TaskState
from ..models import FollowUp, Task
from ._shared import EMPTIED, locked_tasks, log_many


@service("screening.review")
def confirm(*, actor: Actor, ids: Sequence[int], now: datetime | None = None) -> dict[int, str]:
    """Take what the sheets say into the register: facts that change, needs, follow-ups. Answers {id: why not}.

    Few statements whatever the number of sheets.
    """
    now = now or timezone.now()
    rows = locked_tasks(ids)
    refused = {pk: _("This row does not exist any more.") for pk in set(ids) - {r.pk for r in rows}}
    ready: list[Task] = []
    for row in rows:
        if row.state != TaskState.FILLED:
            refused[row.pk] = _("This sheet does not wait for confirmation.")
        elif actor.account_id is not None and row.filled_account == actor.account_id:
            refused[row.pk] = _("You filled this in yourself. Somebody else confirms.")
        else:
            ready.append(row)
    living = people.search(actor, filters={"alive": True}).filter(
        restricted_at__isnull=True, pk__in=[r.person_id for r in ready]
    )
    reached = set(living.values_list("pk", flat=True))
    for row in ready:
        if row.person_id not in reached:
            refused[row.pk] = _("The person has died, is restricted, or is not in your area any more.")
    ready = [r for r in ready if r.person_id in reached]
    for campaign in sorted({r.campaign_id for r in ready}):
        _take_in(actor, [r for r in ready if r.campaign_id == campaign], now)
    return refused


def _take_in(actor: Actor, rows: list[Task], now: datetime) -> None:
    """The sheets of one campaign."""
    campaign, today = rows[0].campaign, timezone.localdate(now)
    source = (_("Screening %(number)s") % {"number": campaign.number})[:100]
    by_day: dict[date, list[Task]] = defaultdict(list)
    for row in rows:
        by_day[row.visited_on].append(row)
    for day, own in sorted(by_day.items()):
        _state(actor, own, day, source, now)
    assessments.note_needs(
        actor=actor, named={r.person_id: r.needs for r in rows if r.needs}, source=source, today=today
    )
    FollowUp.objects.bulk_create(
        (
            FollowUp(task=row, path=row.path, person_id=row.person_id, kind=kind, opened_on=today)
            for row in rows
            for kind in row.follow_up
        ),
        batch_size=1000,
    )
    Task.objects.filter(pk__in=[r.pk for r in rows]).update(
        state=TaskState.CONFIRMED, confirmed_at=now, confirmed_by=actor.name, confirmed_account=actor.account_id
    )
    log_many(rows, actor, now, Action.CONFIRM, TaskState.FILLED, TaskState.CONFIRMED)
    emit(events.CONFIRMED, path=campaign.path, id=campaign.pk, count=len(rows))


def _state(actor: Actor, rows: list[Task], day: date, source: str, now: datetime) -> None:
    """Only what changes: a fact that holds already keeps its older source and beginning."""
    held = people.facts_of([r.person_id for r in rows], day)
    stated: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for row in rows:
        for kind, value in row.facts.items():
            before = held.get(row.person_id, {}).get(kind)
            if before != value and not (before is None and value == "no"):
                stated[kind].append((row.person_id, value, source))
    for kind, given in sorted(stated.items()):
        registers.state_facts(actor=actor, kind=kind, stated=given, valid_from=day, reason=source, now=now)


@service("screening.review")
def give_back(*, actor: Actor, ids: Sequence[int], reason: str, now: datetime | None = None) -> dict[int, str]:
    """The community looks at these sheets again, and why. The answers stay. Answers {id: why not}. Raises Invalid."""
    if not reason.strip():
        raise Invalid({"reason": [_("Say why.")]})
    now = now or timezone.now()
    rows = locked_tasks(ids)
    refused = {pk: _("This row does not exist any more.") for pk in set(ids) - {r.pk for r in rows}}
    refused |= {r.pk: _("This sheet does not wait for confirmation.") for r in rows if r.state != TaskState.FILLED}
    back = [r for r in rows if r.state == TaskState.FILLED]
    Task.objects.filter(pk__in=[r.pk for r in back]).update(
        state=TaskState.WAITING, note=reason.strip()[:300], **EMPTIED
    )
    log_many(back, actor, now, Action.GIVE_BACK, TaskState.FILLED, TaskState.WAITING, reason.strip()[:300])
    return refused
