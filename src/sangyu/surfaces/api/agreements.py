"""Service agreements and the recurring visits planned under them."""

from datetime import date, time
from typing import Annotated, Any

from django.utils.translation import gettext_lazy as _
from ninja import Router
from pydantic import Field

from sangyu.care.orders import selectors, services
from sangyu.care.orders.enums import AgreementState
from sangyu.registry.people import selectors as people

from .orders import OrderOut
from .values import Bytes64, Code, Day, Id, In, Schema, decode, operation, upto

router = Router(tags=["agreements"])


class AgreementOut(Schema):
    id: int
    number: str
    person_id: int
    person_name: str
    organisation_id: int
    items: list[str]
    terms: str
    risk_notice: str
    valid_from: date
    valid_to: date
    signed_on: date | None
    signed_by: str
    state: AgreementState
    ended_on: date | None


class AgreementIn(In):
    person_id: Id
    organisation_id: Id
    items: Annotated[list[Code], Field(min_length=1, max_length=30)]
    valid_from: Day
    valid_to: Day
    risk_notice: upto(4000, 1)
    terms: upto(8000) = ""


class SignIn(In):
    """``signature``: PNG bytes as base64."""

    signed_by: upto(60, 1)
    signed_on: Day
    signature: Bytes64 | None = None


class EndIn(In):
    ended_on: Day


class PlanIn(In):
    """``weekdays``: 0 = Monday … 6 = Sunday. ``at``: time of day in Shanghai, without an offset."""

    item_code: Code
    weekdays: Annotated[list[Annotated[int, Field(ge=0, le=6)]], Field(min_length=1, max_length=7)]
    at: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    first: Day
    last: Day


@operation(
    router, "GET", "/people/{person_id}/agreements", "agreements.of_person", "orders.view", list[AgreementOut],
    _("Agreements of a person"),
)  # fmt: skip
def of_person(request, person_id: Id) -> Any:
    people.get_person(request.actor, person_id)
    return selectors.agreements_of_person(request.actor, person_id)


@operation(
    router, "POST", "/agreements", "agreements.draft", "orders.agree", AgreementOut, _("Draft an agreement"), status=201
)
def draft(request, given: AgreementIn) -> Any:
    return 201, services.draft_agreement(actor=request.actor, **given.dict())


@operation(
    router, "POST", "/agreements/{agreement_id}/sign", "agreements.sign", "orders.agree", AgreementOut,
    _("Record the signature"),
)  # fmt: skip
def sign(request, agreement_id: Id, given: SignIn) -> Any:
    parts = {**given.dict(), "signature": decode("signature", given.signature)}
    return services.sign_agreement(actor=request.actor, agreement_id=agreement_id, **parts)


@operation(
    router,
    "POST",
    "/agreements/{agreement_id}/end",
    "agreements.end",
    "orders.agree",
    AgreementOut,
    _("End an agreement"),
)
def end(request, agreement_id: Id, given: EndIn) -> Any:
    return services.end_agreement(actor=request.actor, agreement_id=agreement_id, ended_on=given.ended_on)


@operation(
    router, "POST", "/agreements/{agreement_id}/plan", "agreements.plan", "orders.agree", list[OrderOut],
    _("Plan recurring visits"),
)  # fmt: skip
def plan(request, agreement_id: Id, given: PlanIn) -> Any:
    parts = {**given.dict(), "at": time.fromisoformat(given.at)}
    return services.plan_recurring(actor=request.actor, agreement_id=agreement_id, **parts)
