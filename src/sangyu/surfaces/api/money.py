"""Vouchers and the statements of providers. Money in fen."""

from datetime import date
from typing import Annotated, Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from ninja import Query, Router
from pydantic import Field

from sangyu.care.settlement import selectors as settlement
from sangyu.care.settlement import services as settlements
from sangyu.care.settlement.enums import LineKind
from sangyu.care.settlement.enums import State as StatementState
from sangyu.care.vouchers import selectors as vouchers
from sangyu.care.vouchers.enums import RefusedUse
from sangyu.care.vouchers.enums import State as VoucherState
from sangyu.kernel.errors import NotVisible
from sangyu.registry.catalogue import selectors as catalogue
from sangyu.registry.people import selectors as people

from .orders import Why
from .values import Code, Day, Id, In, Moment, Paging, Reason, Schema, one_of, operation

router = Router(tags=["money"])
VoucherStates = one_of(VoucherState)
StatementStates = one_of(StatementState)


# ---------------------------------------------------------------- vouchers
class VoucherOut(Schema):
    """Usable in ``[valid_from, valid_to)``. ``available`` may still be spent, ``held`` is promised to orders."""

    id: int
    programme: str
    person_id: int
    period: date
    amount: int
    available: int
    held: int
    valid_from: date
    valid_to: date
    state: VoucherStates
    serial: str | None

    @staticmethod
    def resolve_programme(voucher: Any) -> str:
        return voucher.programme.name

    @staticmethod
    def resolve_available(voucher: Any) -> int:
        return voucher.available if voucher.account_id else 0

    @staticmethod
    def resolve_held(voucher: Any) -> int:
        return voucher.held if voucher.account_id else 0


class VoucherPage(Schema):
    items: list[VoucherOut]
    next: str


class VoucherFilter(Paging):
    person_id: Id | None = None
    state: VoucherStates | None = None


class UsableOut(Schema):
    voucher_id: int
    name: str
    amount: int
    valid_to: date


class RefusedOut(Schema):
    voucher_id: int
    name: str
    reason: RefusedUse


class Usable(Schema):
    """``usable`` in the order in which they would be spent; ``refused`` with the reason."""

    usable: list[UsableOut]
    refused: list[RefusedOut]


class Movement(Schema):
    effective_on: date
    kind: str
    reference: str
    amount: int
    running: int


class VoucherStatement(Schema):
    since: date
    until: date
    opening: int
    closing: int
    lines: list[Movement]


@operation(router, "GET", "/vouchers", "vouchers.list", "vouchers.view", VoucherPage, _("List vouchers"))
def voucher_list(request, given: Query[VoucherFilter]) -> Any:
    return given.page(vouchers.vouchers_visible(request.actor))


@operation(
    router, "GET", "/people/{person_id}/usable-vouchers", "vouchers.usable", "vouchers.view", Usable,
    _("Vouchers that may pay a visit"),
)  # fmt: skip
def usable(request, person_id: Id, item_code: Code, day: Day | None = None, organisation_id: Id | None = None) -> Any:
    day = day or timezone.localdate()
    person = people.get_person(request.actor, person_id)
    item = catalogue.get_item(item_code, person.path, day)
    if item is None:
        raise NotVisible
    return vouchers.explain(
        actor=request.actor, person_id=person_id, item=item, day=day, organisation_id=organisation_id
    )


@operation(router, "GET", "/vouchers/{voucher_id}", "vouchers.get", "vouchers.view", VoucherOut, _("Read one voucher"))
def voucher_get(request, voucher_id: Id) -> Any:
    return vouchers.get_voucher(request.actor, voucher_id)


@operation(
    router, "GET", "/vouchers/{voucher_id}/statement", "vouchers.statement", "vouchers.view", VoucherStatement,
    _("Movements of a voucher"),
)  # fmt: skip
def voucher_statement(request, voucher_id: Id, until: Day | None = None) -> Any:
    voucher = vouchers.get_voucher(request.actor, voucher_id)
    return vouchers.statement(request.actor, voucher, until=until or timezone.localdate())


# ---------------------------------------------------------------- statements
class StatementOut(Schema):
    """``payable = voucher + public_pay``. ``period``: first day of the month."""

    id: int
    number: str
    organisation_id: int
    region_id: int
    period: date
    cut_off: Moment
    state: StatementStates
    line_count: int
    price: int
    concession: int
    voucher: int
    public_pay: int
    self_pay: int
    payable: int
    objection: str
    frozen_at: Moment | None
    confirmed_at: Moment | None
    approved_at: Moment | None
    paid_at: Moment | None


class StatementLineOut(Schema):
    """One visit, refund (negative) or adjustment; the elder's name is masked."""

    kind: LineKind
    order_id: int | None
    number: str
    day: date
    person_masked: str
    item_code: str
    item_name: str
    minutes: int | None
    price: int
    concession: int
    voucher: int
    public_pay: int
    self_pay: int
    note: str


class StatementDetail(StatementOut):
    lines: list[StatementLineOut]


class StatementPage(Schema):
    items: list[StatementOut]
    next: str


class StatementFilter(Paging):
    state: StatementStates | None = None
    organisation_id: Id | None = None
    period: Day | None = None


class DraftIn(In):
    region_id: Id
    organisation_id: Id
    period: Day


class AnswerIn(In):
    """``adjustment``: fen of a further line, negative lowers what is paid."""

    reason: Reason
    adjustment: Annotated[int, Field(ge=-(10**12), le=10**12)] = 0


@operation(router, "GET", "/statements", "settlement.list", "settlement.view", StatementPage, _("List statements"))
def statement_list(request, given: Query[StatementFilter]) -> Any:
    return given.page(settlement.statements_visible(request.actor))


@operation(
    router, "GET", "/statements/{statement_id}", "settlement.get", "settlement.view", StatementDetail,
    _("Read one statement with its lines"),
)  # fmt: skip
def statement_get(request, statement_id: Id) -> Any:
    return settlement.get_statement(request.actor, statement_id)


@operation(
    router, "POST", "/statements", "settlement.draft", "settlement.close", StatementOut, _("Draft a month's statement"),
    status=201,
)  # fmt: skip
def draft(request, given: DraftIn) -> Any:
    return 201, settlements.draft(actor=request.actor, **given.dict())


@operation(
    router,
    "POST",
    "/statements/{statement_id}/freeze",
    "settlement.freeze",
    "settlement.close",
    StatementOut,
    _("Freeze a draft"),
)
def freeze(request, statement_id: Id) -> Any:
    return settlements.freeze(actor=request.actor, statement_id=statement_id)


@operation(
    router,
    "POST",
    "/statements/{statement_id}/discard",
    "settlement.discard",
    "settlement.close",
    StatementOut,
    _("Discard a draft"),
)
def discard(request, statement_id: Id, given: Why) -> Any:
    return settlements.discard(actor=request.actor, statement_id=statement_id, reason=given.reason)


@operation(
    router, "POST", "/statements/{statement_id}/confirm", "settlement.confirm", "settlement.confirm", StatementOut,
    _("The provider agrees"),
)  # fmt: skip
def confirm(request, statement_id: Id) -> Any:
    return settlements.confirm(actor=request.actor, statement_id=statement_id)


@operation(
    router, "POST", "/statements/{statement_id}/object", "settlement.object", "settlement.confirm", StatementOut,
    _("The provider objects"),
)  # fmt: skip
def object_to(request, statement_id: Id, given: Why) -> Any:
    return settlements.object_to(actor=request.actor, statement_id=statement_id, reason=given.reason)


@operation(
    router, "POST", "/statements/{statement_id}/answer", "settlement.answer", "settlement.close", StatementOut,
    _("Answer the objection"),
)  # fmt: skip
def answer(request, statement_id: Id, given: AnswerIn) -> Any:
    return settlements.answer(actor=request.actor, statement_id=statement_id, **given.dict())


@operation(
    router,
    "POST",
    "/statements/{statement_id}/approve",
    "settlement.approve",
    "settlement.approve",
    StatementOut,
    _("Approve"),
)
def approve(request, statement_id: Id) -> Any:
    return settlements.approve(actor=request.actor, statement_id=statement_id)


@operation(
    router,
    "POST",
    "/statements/{statement_id}/pay",
    "settlement.pay",
    "settlement.pay",
    StatementOut,
    _("Record the payment"),
)
def pay(request, statement_id: Id) -> Any:
    return settlements.pay(actor=request.actor, statement_id=statement_id)
