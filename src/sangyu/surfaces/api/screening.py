"""Screening: campaigns, their totals by area, visits, a filled sheet, its confirmation (R-022, R-023)."""

from datetime import date
from typing import Annotated, Any

from django.utils.translation import gettext_lazy as _
from ninja import Query, Router
from pydantic import Field

from sangyu.care.screening import selectors, services
from sangyu.care.screening.enums import CampaignState, Standing, TaskState
from sangyu.kernel.errors import Refused
from sangyu.ui.pages.keyset import page_of

from .values import Day, Id, In, Moment, Paging, Schema, Short, one_of, operation, upto

router = Router(tags=["screening"])
CampaignStates, TaskStates = one_of(CampaignState), one_of(TaskState)


class CampaignOut(Schema):
    id: int
    number: str
    title: str
    sheet: str
    starts_on: date
    ends_on: date
    state: CampaignStates
    opened_at: Moment | None
    closed_at: Moment | None

    @staticmethod
    def resolve_sheet(row: Any) -> str:
        return row.version.code


class CampaignPage(Schema):
    items: list[CampaignOut]
    next: str


class CampaignFilter(Paging):
    state: CampaignStates | None = None


class AreaOut(Schema):
    """``targets`` is the sum of ``states``; ``inside`` (the database of special difficulty) of ``standings`` but ``outside``."""

    name: str
    targets: int
    inside: int
    states: dict[str, int]
    standings: dict[str, int]


class TotalsOut(Schema):
    lines: list[AreaOut]
    whole: AreaOut


class ScreeningTaskOut(Schema):
    """``answers`` by question of the campaign's sheet; ``facts`` is what they mean once confirmed."""

    id: int
    campaign_id: int
    person_id: int
    state: TaskStates
    answers: dict[str, Any]
    facts: dict[str, str]
    needs: list[str]
    standing: Annotated[str, Field(json_schema_extra={"enum": ["", *Standing.values]})]
    visited_on: date | None
    missed: str
    filled_at: Moment | None
    confirmed_at: Moment | None


class ScreeningTaskPage(Schema):
    items: list[ScreeningTaskOut]
    next: str


class ScreeningTaskFilter(Paging):
    campaign_id: Id | None = None
    person_id: Id | None = None
    state: TaskStates | None = None


class SheetAnswersIn(In):
    """``answers``: question → answer, or a list of answers where several may be given. Without ``hand_in`` they are kept as far as
    they go.
    """

    answers: Annotated[dict[Short, upto(300) | Annotated[list[Short], Field(max_length=50)]], Field(max_length=100)]
    visited_on: Day | None = None
    hand_in: bool = True


@operation(
    router,
    "GET",
    "/screening/campaigns",
    "screening.campaigns",
    "screening.view",
    CampaignPage,
    _("Screening campaigns"),
)
def campaigns(request, given: Query[CampaignFilter]) -> Any:
    rows = selectors.campaigns_visible(request.actor).filter(**given.dict(include={"state"}, exclude_none=True))
    page = page_of(rows, "-pk", given.size, after=given.after)
    return {"items": page.rows, "next": page.after}


@operation(
    router, "GET", "/screening/campaigns/{campaign_id}/totals", "screening.totals", "screening.view", TotalsOut,
    _("Progress and findings by area"),
)  # fmt: skip
def totals(request, campaign_id: Id) -> Any:
    return selectors.totals(request.actor, selectors.get_campaign(request.actor, campaign_id))


@operation(
    router, "GET", "/screening/visits", "screening.tasks", "screening.view", ScreeningTaskPage, _("Visits of campaigns")
)
def tasks(request, given: Query[ScreeningTaskFilter]) -> Any:
    wanted = given.dict(include={"campaign_id", "person_id", "state"}, exclude_none=True)
    page = page_of(selectors.tasks_visible(request.actor).filter(**wanted), "-pk", given.size, after=given.after)
    return {"items": page.rows, "next": page.after}


@operation(
    router, "POST", "/screening/visits/{task_id}/sheet", "screening.save", "screening.fill", ScreeningTaskOut,
    _("Keep or hand in the answers of a visit"),
)  # fmt: skip
def save(request, task_id: Id, given: SheetAnswersIn) -> Any:
    return services.save(actor=request.actor, task_id=task_id, **given.dict())


@operation(
    router, "POST", "/screening/visits/{task_id}/confirm", "screening.confirm", "screening.review", ScreeningTaskOut,
    _("Take a handed-in sheet into the register"),
)  # fmt: skip
def confirm(request, task_id: Id) -> Any:
    row = selectors.get_task(request.actor, task_id)
    if refused := services.confirm(actor=request.actor, ids=[row.pk]):
        raise Refused(refused[row.pk], code="screening.refused")
    return selectors.get_task(request.actor, task_id)
