"""A campaign from the draft to its end: who is sought, drawn at the start in one statement (R-022)."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import CharField, IntegerField, JSONField, TextField, Value
from django.db.utils import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.numbering import next_number
from sangyu.kernel.services import service
from sangyu.registry.people import selectors as people
from sangyu.registry.regions import selectors as regions

from .. import targets
from ..enums import Action, CampaignState, TaskState
from ..models import Campaign, Task
from ._shared import CAMPAIGN, TASK, campaign_of, log_many, use_sheet

#: More elders than this are several campaigns: one a county.
MOST = 100_000


def _checked(actor: Actor, region_id: int, title: str, sheet: str, starts_on: date, ends_on: date) -> dict[str, Any]:
    if not title.strip():
        raise Invalid({"title": [_("Please fill in.")]})
    if ends_on < starts_on:
        raise Invalid({"ends_on": [_("The last day lies before the first.")]})
    region = regions.region(region_id, current=True)
    if not region.path.startswith(actor.path):
        raise NotVisible
    return {
        "title": title.strip()[:60], "region": region, "path": region.path, "version": use_sheet(sheet), "starts_on": starts_on,
        "ends_on": ends_on,
    }  # fmt: skip


@service("screening.manage")
def create(
    *,
    actor: Actor,
    region_id: int,
    title: str,
    sheet: str,
    starts_on: date,
    ends_on: date,
    conditions: Mapping[str, Any] | None = None,
    note: str = "",
    now: datetime | None = None,
) -> Campaign:
    """Draft a campaign over a region of the actor's area by the question sheet ``sheet``; ``conditions``: ``targets.checked``.

    Raises Invalid, NotVisible.
    """
    now = now or timezone.now()
    given = _checked(actor, region_id, title, sheet, starts_on, ends_on)
    row = Campaign(
        number=next_number("PC", timezone.localdate(now), given["region"].code[:6]), note=note.strip()[:300], created_at=now,
        conditions=targets.checked(conditions or {}), created_by=actor.name, account_id=actor.account_id, **given,
    )  # fmt: skip
    return CAMPAIGN.begin(actor=actor, row=row, action=Action.CREATE, now=now)


@service("screening.manage")
def change(
    *,
    actor: Actor,
    campaign_id: int,
    region_id: int,
    title: str,
    sheet: str,
    starts_on: date,
    ends_on: date,
    conditions: Mapping[str, Any] | None = None,
    note: str = "",
) -> Campaign:
    """Change a draft. Raises NotVisible, Invalid, Refused("screening.campaign")."""
    row = _mine(actor, campaign_id)
    if row.state != CampaignState.DRAFT:
        raise Refused(_("Only a draft can be changed."), code="screening.campaign")
    for name, value in _checked(actor, region_id, title, sheet, starts_on, ends_on).items():
        setattr(row, name, value)
    row.note, row.conditions = note.strip()[:300], targets.checked(conditions or {})
    row.save()
    return row


def _mine(actor: Actor, pk: int) -> Campaign:
    """A campaign of the actor's own area, locked: one published from above is not for changing."""
    row = CAMPAIGN.lock(Campaign.objects.select_related("region", "version"), pk)
    if not row.path.startswith(actor.path):
        raise Forbidden("screening.manage")
    return row


@service("screening.manage")
def start(*, actor: Actor, campaign_id: int, now: datetime | None = None) -> Campaign:
    """Draw the target list and open the campaign: one task per elder who fits today.

    Raises NotVisible, Forbidden, Refused ("screening.over" | "screening.nobody" | "screening.many" | "workflow.edge").
    """
    now = now or timezone.now()
    today = timezone.localdate(now)
    row = _mine(actor, campaign_id)
    CAMPAIGN.require(row, Action.OPEN)
    if row.ends_on < today:
        raise Refused(_("The last day of the campaign is over."), code="screening.over")
    rows = targets.elders(actor, row.path, row.conditions, today)
    count = rows.count()
    if not count:
        raise Refused(_("Nobody fits the conditions."), code="screening.nobody")
    if count > MOST:
        raise Refused(
            _("%(n)d elders fit, more than %(most)d. Narrow the conditions, or make one campaign a county.")
            % {"n": count, "most": MOST},
            code="screening.many",
        )
    done = CAMPAIGN.apply(
        actor=actor,
        queryset=Campaign.objects.all(),
        row=row,
        pk=row.pk,
        action=Action.OPEN,
        now=now,
        data={"targets": count},
    )
    _draw(row, rows)
    return done


#: What every new task holds besides the elder: column → value.
_FRESH = {
    "state": (TaskState.WAITING.value, CharField()), "answers": ({}, JSONField()), "facts": ({}, JSONField()), "standing": ("", CharField()),
    "missed": ("", CharField()), "note": ("", CharField()), "filled_by": ("", CharField()), "confirmed_by": ("", CharField()),
}  # fmt: skip


def _draw(row: Campaign, rows) -> None:
    """One statement, whatever the number."""
    fresh = {f"new_{name}": Value(value, output_field=kind) for name, (value, kind) in _FRESH.items()}
    chosen = rows.order_by("path", "pk").annotate(
        new_campaign=Value(row.pk, output_field=IntegerField()),
        new_empty=Value("{}", output_field=TextField()),
        **fresh,
    )
    chosen = chosen.values_list("pk", "path", "name", "address", "new_campaign", *fresh, "new_empty")
    sql, values = chosen.query.sql_with_params()
    columns = ["person_id", "path", "person_name", "address", "campaign_id", *_FRESH]
    names = ", ".join(f'"{c}"' for c in [*columns, "needs", "follow_up"])
    taken = ", ".join(f"c{n}" for n in range(len(columns)))
    heads = ", ".join([*(f"c{n}" for n in range(len(columns))), "empty"])
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{Task._meta.db_table}" ({names}) SELECT {taken}, empty::varchar[], empty::varchar[] '
            f"FROM ({sql}) AS chosen ({heads})",
            values,
        )


@service("screening.fill")
def add_target(*, actor: Actor, campaign_id: int, who: str, now: datetime | None = None) -> Task:
    """Add an elder whom the conditions missed: by name or ID number, in the actor's area and the campaign's region.

    Raises NotVisible, Invalid, Refused ("screening.campaign" | "screening.twice").
    """
    now = now or timezone.now()
    today = timezone.localdate(now)
    row = campaign_of(campaign_id)
    if row.state != CampaignState.OPEN:
        raise Refused(_("The campaign is not under way."), code="screening.campaign")
    fitting = people.elders(actor, today, age=0).filter(path__startswith=row.path)
    found = list(fitting.filter(pk__in=people.find_ids(actor, who, today=today)).order_by("pk")[:6])
    if not found:
        raise Invalid({"who": [_("Nobody of your area is found. Register the elder first.")]})
    if len(found) > 1:
        raise Invalid({"who": [_("Several elders are found. Type the ID number.")]})
    person = found[0]
    task = Task(
        campaign=row, person_id=person.pk, path=person.path, person_name=person.name, address=person.address,
        account_id=actor.account_id if actor.audience.value == "staff" else None,
    )  # fmt: skip
    try:
        with transaction.atomic():
            return TASK.begin(actor=actor, row=task, action=Action.ADD, now=now)
    except IntegrityError as error:
        if "screening_task_once" in str(error):
            raise Refused(_("This elder is on the list already."), code="screening.twice") from None
        raise


@service("screening.manage")
def close(*, actor: Actor, campaign_id: int, now: datetime | None = None) -> Campaign:
    """End the campaign: who was not visited stays unvisited. Raises NotVisible, Forbidden, Refused ("screening.unconfirmed")."""
    now = now or timezone.now()
    row = _mine(actor, campaign_id)
    CAMPAIGN.require(row, Action.CLOSE)
    left = row.tasks.filter(state=TaskState.FILLED).count()
    if left:
        raise Refused(
            _("%(n)d sheets wait for confirmation. Confirm them or give them back first.") % {"n": left},
            code="screening.unconfirmed",
        )
    waiting = list(row.tasks.select_for_update().filter(state=TaskState.WAITING).only("pk", "campaign_id"))
    row.tasks.filter(pk__in=[t.pk for t in waiting]).update(state=TaskState.LAPSED)
    log_many(waiting, actor, now, Action.CLOSE, TaskState.WAITING, TaskState.LAPSED)
    return CAMPAIGN.apply(
        actor=actor, queryset=Campaign.objects.all(), row=row, pk=row.pk, action=Action.CLOSE, now=now,
        data={"lapsed": len(waiting)},
    )  # fmt: skip


@service("screening.manage")
def cancel(*, actor: Actor, campaign_id: int, now: datetime | None = None) -> Campaign:
    """Drop a draft. Raises NotVisible, Forbidden, Refused("workflow.edge")."""
    row = _mine(actor, campaign_id)
    return CAMPAIGN.apply(
        actor=actor, queryset=Campaign.objects.all(), row=row, pk=row.pk, action=Action.CANCEL, now=now
    )
