"""Values of requests and answers: what the database can hold, said in the schema."""

import binascii
from base64 import b64decode
from datetime import date, datetime
from typing import Annotated, Any, Literal

from django.db.models import QuerySet, TextChoices
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from ninja import Router
from ninja.schema import Schema
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from sangyu.kernel.errors import Invalid
from sangyu.ui.pages.keyset import page_of

from .access import callers
from .errors import REFUSALS, Error

YEARS = (1900, 2200)
_PRINTABLE = r"^[^\x00]*$"
_BIG = 2**63 - 1


def _in_our_time(value: date) -> date:
    if not YEARS[0] <= value.year < YEARS[1]:
        raise ValueError(f"the year must be between {YEARS[0]} and {YEARS[1] - 1}")
    return value


#: A day of the calendar in Shanghai.
Day = Annotated[date, AfterValidator(_in_our_time)]
#: ISO 8601 with offset; one without is refused, for nobody knows which hour it means.
When = Annotated[AwareDatetime, AfterValidator(_in_our_time)]
#: ISO 8601 with the offset of Shanghai.
Moment = Annotated[
    datetime,
    PlainSerializer(lambda value: localtime(value).isoformat(timespec="seconds"), return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Id = Annotated[int, Field(ge=1, le=_BIG)]
#: Money in fen (1/100 yuan), never a fraction.
Fen = Annotated[int, Field(ge=0, le=10**12)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Rating = Annotated[int, Field(ge=1, le=5)]
Cursor = Annotated[str, StringConstraints(max_length=400, pattern=r"^[A-Za-z0-9_-]*$")]
Size = Annotated[int, Field(ge=1, le=100)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_.-]+$")]
#: Files travel in JSON as base64, so that a phone's queue can keep one kind of request; 6 MB of bytes.
Bytes64 = Annotated[str, StringConstraints(max_length=8_400_000, pattern=r"^[A-Za-z0-9+/]*={0,2}$")]


def upto(longest: int, shortest: int = 0) -> type[str]:
    """A string of at most ``longest`` characters that PostgreSQL can store."""
    return Annotated[str, StringConstraints(min_length=shortest, max_length=longest, pattern=_PRINTABLE)]


Short = upto(60)
Line = upto(300)
Reason = upto(300, 1)


class In(Schema):
    """Base of request bodies: a field that nobody reads is an error of the caller, not silently lost."""

    model_config = ConfigDict(extra="forbid")


def one_of(words: type[TextChoices]) -> Any:
    """The values of ``words``, written out in the schema: several rooms call theirs ``State``."""
    return Annotated[Literal[tuple(str(v) for v in words.values)], BeforeValidator(str)]


def decode(field: str, value: str | None) -> bytes | None:
    """The bytes of a base64 ``field``. Raises Invalid."""
    if value is None:
        return None
    try:
        return b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid({field: [_("This is not base64.")]}) from error


class Paging(Schema):
    """``after`` is the ``next`` of the answer before; pages are stable while rows are added."""

    after: Cursor = ""
    size: Size = 50

    def page(self, rows: QuerySet, order: str = "-pk", *, filtered: bool = True) -> dict[str, Any]:
        """The part of ``rows`` that was asked for; a filter's other fields are those of the rows unless ``filtered``
        is False.
        """
        if filtered:
            rows = rows.filter(**self.dict(exclude={"after", "size"}, exclude_none=True))
        page = page_of(rows, order, self.size, after=self.after)
        return {"items": page.rows, "next": page.after}


def operation(router: Router, method: str, path: str, name: str, permission: str, out, summary, *, status: int = 200):
    """Declare an operation: ``name`` is its stable operationId, ``permission`` what the caller's role must hold."""
    return router.api_operation(
        [method],
        path,
        operation_id=name,
        url_name=name,
        summary=summary,
        auth=callers(permission),
        response={status: out, REFUSALS: Error},
        openapi_extra={"x-permission": permission},
    )
