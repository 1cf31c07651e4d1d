"""The graphs of a campaign and of a task, and steps that several services share. Called inside an open scope."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import NotVisible, Refused
from sangyu.kernel.workflow import Workflow

from ..enums import Action, CampaignState, TaskState
from ..models import Campaign, CampaignLog, SheetVersion, Task, TaskLog
from ..sheets import shipped_text

CAMPAIGN = Workflow(
    name="screening",
    edges=(
        (Action.OPEN, CampaignState.DRAFT, CampaignState.OPEN),
        (Action.CANCEL, CampaignState.DRAFT, CampaignState.CANCELLED),
        (Action.CLOSE, CampaignState.OPEN, CampaignState.CLOSED),
    ),
    log=lambda: CampaignLog,
    log_fk="campaign",
    stamps={
        CampaignState.OPEN: "opened_at", CampaignState.CLOSED: "closed_at", CampaignState.CANCELLED: "closed_at",
    },
)  # fmt: skip


def open_campaign(row: Task, **more) -> None:
    if row.campaign.state != CampaignState.OPEN:
        raise Refused(_("The campaign is not under way."), code="screening.campaign")


TASK = Workflow(
    name="screening.task",
    edges=(
        (Action.FILL, TaskState.WAITING, TaskState.FILLED),
        (Action.FILL, TaskState.MISSED, TaskState.FILLED),
        (Action.MISS, TaskState.WAITING, TaskState.MISSED),
        (Action.AGAIN, TaskState.MISSED, TaskState.WAITING),
        (Action.GIVE_BACK, TaskState.FILLED, TaskState.WAITING),
        (Action.CONFIRM, TaskState.FILLED, TaskState.CONFIRMED),
    ),
    log=lambda: TaskLog,
    log_fk="task",
    stamps={TaskState.FILLED: "filled_at", TaskState.CONFIRMED: "confirmed_at"},
    guards=dict.fromkeys((Action.FILL, Action.MISS, Action.AGAIN, Action.GIVE_BACK), (open_campaign,)),
)

#: What a task that is to be visited again has lost; the answers stay, to be corrected.
EMPTIED = {"filled_at": None, "filled_by": "", "filled_account": None, "standing": "", "facts": {}, "needs": [], "follow_up": [],
           "missed": ""}  # fmt: skip


def use_sheet(code: str) -> SheetVersion:
    """The stored version of the shipped sheet ``code``. Raises Invalid."""
    sheet, text, digest = shipped_text(code)
    found, _made = SheetVersion.objects.get_or_create(
        code=code, digest=digest, defaults={"name": sheet.name[:60], "text": text}
    )
    return found


def locked_tasks(ids: Iterable[int]) -> list[Task]:
    """The tasks that the open scope sees, locked, in the order of ids."""
    rows = Task.objects.select_for_update(of=("self",)).select_related("campaign__version")
    return list(rows.filter(pk__in=list(ids)).order_by("id"))


def task_of(pk: int) -> Task:
    """One task, locked. Raises NotVisible."""
    found = locked_tasks([pk])
    if not found:
        raise NotVisible
    return found[0]


def campaign_of(pk: int) -> Campaign:
    """One campaign in the open scope. Raises NotVisible."""
    row = Campaign.objects.select_related("region", "version").filter(pk=pk).first()
    if row is None:
        raise NotVisible
    return row


def log_many(
    rows: Sequence[Task], actor: Actor, now: datetime, action: str, source: str, target: str, reason: str = ""
) -> None:
    """The trail of one step of many tasks."""
    TaskLog.objects.bulk_create(
        (TASK.entry(row, actor, now, action, source, target, reason=reason) for row in rows), batch_size=1000
    )
