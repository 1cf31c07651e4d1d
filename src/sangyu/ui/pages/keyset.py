"""Paging by key: the next page starts after the last row seen, so it costs the same at row 10 and row 500,000."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet, FieldDoesNotExist, FieldError, ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DataError, connection
from django.db.models import Count, F, Q, QuerySet, Window
from django.utils.translation import gettext as _

from sangyu.kernel.errors import Invalid

#: Above this number of rows the total is the planner's estimate, and said to be one.
EXACT_COUNT_LIMIT = 20_000
#: What counting may cost in the planner's units: some ten milliseconds.
CHEAP = 20_000.0
#: Up to so many expected rows all are read and counted with the page: the planner would else walk an index in the page's order, hoping to
#: meet enough of them soon.
FEW = 2_000


class Plan(NamedTuple):
    """What the planner expects of a query: its rows, and its cost when it may stop after ``EXACT_COUNT_LIMIT``."""

    rows: int
    cost: float

    @property
    def few(self) -> bool:
        return self.rows <= FEW and self.cost <= 2 * CHEAP


@dataclass
class Slice:
    """One page of rows. ``after``/``before`` are the cursors of the next and previous page, "" when there is none. ``total``: of all pages,
    where it was counted."""

    rows: list
    start: int
    after: str = ""
    before: str = ""
    total: int | None = None

    @property
    def end(self) -> int:
        return self.start + len(self.rows) - 1


def encode(value: Any, pk: Any, start: int) -> str:
    """A cursor for the address bar."""
    raw = json.dumps([value, pk, start], cls=DjangoJSONEncoder, separators=(",", ":"))
    return urlsafe_b64encode(raw.encode()).decode().rstrip("=")


def decode(cursor: str) -> tuple[Any, Any, int]:
    """The parts of a cursor. Raises Invalid when it is not one of ours."""
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        value, pk, start = json.loads(text, parse_constant=_no_number)
        if not isinstance(start, int) or isinstance(value, (list, dict)) or isinstance(pk, (list, dict, type(None))):
            raise ValueError
    except (ValueError, TypeError) as error:
        raise Invalid({"": [_("This page address is damaged. Open the list again.")]}) from error
    return value, pk, start


def _no_number(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are no places in a list


def read(row: Any, field: str) -> Any:
    """The value of ``field`` ("region__name") on ``row``; annotations are attributes under their own name."""
    if hasattr(row, field):
        return getattr(row, field)
    found = row
    for part in field.split("__"):
        found = getattr(found, part, None)
    return found


def _past(field: str, down: bool, value: Any, pk: Any, *, nulls: str) -> Q:
    """Rows after (value, pk) in the order field, pk; ``nulls`` first, last, or "" when there are none.

    Written as a range plus a tie-break so that an index on the field is used.
    """
    tie = Q(pk__lt=pk) if down else Q(pk__gt=pk)
    if field == "pk":
        return tie
    is_null = Q(**{f"{field}__isnull": True})
    if value is None:
        return (is_null & tie) | ~is_null if nulls == "first" else is_null & tie
    inclusive, strict = ("lte", "lt") if down else ("gte", "gt")
    here = Q(**{f"{field}__{inclusive}": value}) & (Q(**{f"{field}__{strict}": value}) | tie)
    return here | is_null if nulls == "last" else here


def _order(field: str, down: bool, nulls: str) -> list:
    if field == "pk":
        return ["-pk" if down else "pk"]
    place = {"first": {"nulls_first": True}, "last": {"nulls_last": True}, "": {}}[nulls]
    return [F(field).desc(**place) if down else F(field).asc(**place), "-pk" if down else "pk"]


def page_of(
    rows: QuerySet,
    order: str,
    size: int,
    *,
    after: str = "",
    before: str = "",
    filled: tuple[str, ...] = (),
    counted: bool = False,
) -> Slice:
    """``size`` rows of ``rows`` in ``order`` ("field" or "-field", then primary key) after or before a cursor.

    NULLs come last; ``filled`` names fields that ``rows`` always have, although the column allows NULL: an index serves
    their order in both directions. Stable while rows are added: going forward no row is shown twice or skipped. ``counted``: reads all
    rows and says how many there are; for few (``Plan.few``). Raises Invalid for a cursor that is not ours.
    """
    down = order.startswith("-")
    field = order.lstrip("-") or "pk"
    if field == rows.model._meta.pk.name:
        field = "pk"
    nullable = field != "pk" and field not in filled and _nullable(rows, field)

    def cursor(row, start):
        return encode(None if field == "pk" else read(row, field), row.pk, start)

    value, pk, start = decode(before or after) if before or after else (None, None, 1)
    backwards = bool(before)
    down_now, nulls = down != backwards, ("first" if backwards else "last") if nullable else ""
    try:
        if before or after:
            rows = rows.filter(_past(field, down_now, value, pk, nulls=nulls))
        if counted := counted and not backwards and not rows.query.distinct and not rows.query.group_by:
            rows = rows.annotate(from_here=Window(Count("pk")))
        found = list(rows.order_by(*_order(field, down_now, nulls))[: size + 1])
    except (FieldError, ValidationError, ValueError, TypeError, DataError) as error:
        raise Invalid({"": [_("This page address is damaged. Open the list again.")]}) from error
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
        start = max(1, start - len(found)) if more else 1
    if not found:
        return Slice([], start)
    return Slice(
        found,
        start,
        after=cursor(found[-1], start + len(found)) if more or backwards else "",
        before=cursor(found[0], start) if (more if backwards else after) else "",
        total=start - 1 + found[0].from_here if counted else None,
    )


def _nullable(rows: QuerySet, field: str) -> bool:
    model, part = rows.model, None
    for name in field.split("__"):
        try:
            part = model._meta.get_field(name)
        except FieldDoesNotExist:
            return True
        if part.null:
            return True
        model = part.related_model or model
    return False


def total_of(
    rows: QuerySet, limit: int = EXACT_COUNT_LIMIT, *, cost: float = CHEAP, plan: Plan | None = None
) -> tuple[int, bool]:
    """(number of rows, whether it is exact): counted up to ``limit`` where that is cheap, else the planner's estimate.

    ``cost`` is what counting may cost in the planner's units; infinity counts in any case, up to ``limit``. ``plan``: that of ``rows``, if known.
    """
    counting = rows.order_by().values("pk")[: limit + 1]
    estimate, expected = plan or plan_of(rows, limit)
    if estimate > 5 * limit or expected > cost:
        return max(1, estimate), False
    counted = counting.count()
    return (counted, True) if counted <= limit else (max(limit, estimate), False)


def plan_of(rows: QuerySet, limit: int = EXACT_COUNT_LIMIT) -> Plan:
    """What the planner expects of ``rows``."""
    try:
        sql, params = rows.order_by().values("pk")[: limit + 1].query.sql_with_params()
    except EmptyResultSet:
        return Plan(0, 0.0)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        plan = cursor.fetchone()[0]
    plan = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    whole = plan["Plans"][0] if plan["Node Type"] == "Limit" else plan
    return Plan(int(whole["Plan Rows"]), float(plan["Total Cost"]))
