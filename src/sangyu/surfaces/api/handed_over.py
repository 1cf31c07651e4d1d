"""Hand-over of rows by other systems with the rules of an uploaded file: validated, idempotent, replayable (R-012).

A module named ``imports`` is loaded at every start for the kinds of import that it registers; this one registers none.
"""

from typing import Annotated, Any, Literal

from django.utils.translation import gettext_lazy as _
from ninja import Router
from pydantic import Field

from sangyu.kernel.importing import exchange
from sangyu.kernel.importing.services import ImportState

from .values import Code, In, Schema, operation, upto

router = Router(tags=["imports"])
Cell = upto(300) | int | float | bool | None


class RowsIn(In):
    """``key`` names the hand-over and may be sent again after any failure: the same content under it is taken once.

    ``rows``: field → cell, as written in a workbook; ``settings``: the options of the import (``mode``: report or update).
    """

    key: Code
    source: upto(60) = ""
    settings: dict[Code, upto(100)] = {}
    rows: Annotated[list[dict[Code, Cell]], Field(min_length=1, max_length=20_000)]


class RowProblem(Schema):
    """``held``: the row is kept for a person to decide who it is; it need not be sent again."""

    row: int
    field: str
    code: str
    message: str
    held: bool


class Standing(Schema):
    """``state``: running (ask again), done, or preview (it failed: ``result`` says why; send it again).

    ``counts``: rows, new, changed, unchanged, held, rejected. ``problems``: the first 1,000; ``row`` counts from 1.
    """

    key: str
    state: Literal["running", "done", "preview"]
    counts: dict[str, int]
    problems: list[RowProblem]
    operation_id: int | None
    result: str


def _standing(key: str, state: ImportState) -> dict[str, Any]:
    problems = [
        {"row": p.row, "field": p.field, "code": p.code, "message": p.message, "held": p.held} for p in state.problems
    ]
    return {
        "key": key, "state": state.step if state.step in ("running", "done") else "preview", "counts": state.counts,
        "problems": problems, "operation_id": state.operation_id, "result": state.result,
    }  # fmt: skip


@operation(router, "POST", "/imports/roster", "imports.roster", "people.import", Standing, _("Hand over a roster"))
def roster(request, given: RowsIn) -> Any:
    return _standing(given.key, exchange.hand_over(actor=request.actor, kind="people.roster", **given.dict()))


@operation(
    router, "GET", "/imports/roster/{key}", "imports.roster_standing", "people.import", Standing,
    _("What came of a roster"),
)  # fmt: skip
def roster_standing(request, key: Code) -> Any:
    return _standing(key, exchange.standing(actor=request.actor, kind="people.roster", key=key))


@operation(
    router,
    "POST",
    "/imports/statuslist",
    "imports.statuslist",
    "statuslists.import",
    Standing,
    _("Hand over a status list"),
)
def statuslist(request, given: RowsIn) -> Any:
    return _standing(given.key, exchange.hand_over(actor=request.actor, kind="statuslists.list", **given.dict()))


@operation(
    router, "GET", "/imports/statuslist/{key}", "imports.statuslist_standing", "statuslists.import", Standing,
    _("What came of a status list"),
)  # fmt: skip
def statuslist_standing(request, key: Code) -> Any:
    return _standing(key, exchange.standing(actor=request.actor, kind="statuslists.list", key=key))
