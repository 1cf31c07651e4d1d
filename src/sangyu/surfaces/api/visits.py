"""The visit and how it ends: proof, confirmation, dispute, refund, cancellation, call-back.

Steps of a phone carry ``client_id``: sent again from its offline queue, they change nothing.
"""

from typing import Annotated, Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from ninja import Query, Router
from pydantic import Field

from sangyu.care.orders import selectors, services
from sangyu.care.orders.enums import EvidenceKind, ReturnVisitReason, ReturnVisitState

from .orders import OrderOut, RefundOut, Why
from .values import (
    Bytes64,
    Fen,
    Id,
    In,
    Latitude,
    Line,
    Longitude,
    Moment,
    Paging,
    Rating,
    Reason,
    Schema,
    Short,
    When,
    decode,
    operation,
    upto,
)

router = Router(tags=["visits"])
Items = Annotated[list[upto(300, 1)], Field(max_length=50)]


class Stamp(In):
    """``at``: when it happened by the phone's clock; the server's counts when it lies in the future or too far back."""

    at: When | None = None
    client_id: UUID | None = None


class ArriveIn(Stamp):
    """Proof is the home's QR ``code``, or a WGS-84 place, or a ``reason`` why there is neither."""

    latitude: Latitude | None = None
    longitude: Longitude | None = None
    accuracy: Annotated[float, Field(ge=0, le=100_000)] | None = None
    code: upto(200) = ""
    reason: upto(150) = ""


class EvidenceIn(Stamp):
    """``data``: the bytes of a photo or signature as base64, with their ``content_type``."""

    kind: EvidenceKind
    text: Line = ""
    title: upto(100) = ""
    content_type: upto(100) = ""
    data: Bytes64 | None = None


class FinishIn(Stamp):
    """``signature``: PNG bytes as base64."""

    items: Items = []
    note: Line = ""
    signature: Bytes64 | None = None


class PaperIn(In):
    arrived_at: When
    finished_at: When
    paper_number: upto(60, 1)
    items: Items = []


class ConfirmIn(In):
    """``on_behalf_of``: who confirmed by telephone or in person; needed from staff."""

    rating: Rating | None = None
    comment: upto(500) = ""
    on_behalf_of: Short = ""


class ResolveIn(In):
    """``upheld`` true: the elder was right, what was spent goes back; false: the visit counts as confirmed."""

    upheld: bool
    reason: Reason


class RefundIn(In):
    """Fen. ``key`` is the caller's own number of the refund."""

    voucher_amount: Fen = 0
    public_pay: Fen = 0
    self_pay: Fen = 0
    reason: Reason
    key: upto(60, 1)


class CancelIn(In):
    reason: Reason
    waive_fee: bool = False


class ReturnVisitOut(Schema):
    id: int
    order_id: int
    reason: ReturnVisitReason
    due_by: Moment
    state: ReturnVisitState
    done_at: Moment | None
    reached: bool | None
    satisfied: int | None
    result: str


class ReturnVisitPage(Schema):
    items: list[ReturnVisitOut]
    next: str


class ReturnVisitIn(In):
    reached: bool
    satisfied: Rating | None = None
    result: upto(500, 1)


@operation(router, "POST", "/orders/{order_id}/depart", "orders.depart", "orders.visit", OrderOut, _("Set out"))
def depart(request, order_id: Id, given: Stamp) -> Any:
    return services.depart(actor=request.actor, order_id=order_id, **given.dict())


@operation(
    router, "POST", "/orders/{order_id}/arrive", "orders.arrive", "orders.visit", OrderOut, _("Arrive with proof")
)
def arrive(request, order_id: Id, given: ArriveIn) -> Any:
    return services.arrive(actor=request.actor, order_id=order_id, **given.dict())


@operation(
    router, "POST", "/orders/{order_id}/evidence", "orders.add_evidence", "orders.visit", OrderOut, _("Add proof")
)
def add_evidence(request, order_id: Id, given: EvidenceIn) -> Any:
    parts = {**given.dict(), "data": decode("data", given.data)}
    return services.add_evidence(actor=request.actor, order_id=order_id, **parts)


@operation(
    router, "POST", "/orders/{order_id}/finish", "orders.finish", "orders.visit", OrderOut, _("Finish the visit")
)
def finish(request, order_id: Id, given: FinishIn) -> Any:
    parts = {**given.dict(), "signature": decode("signature", given.signature)}
    return services.finish(actor=request.actor, order_id=order_id, **parts)


@operation(
    router, "POST", "/orders/{order_id}/no-show", "orders.report_no_show", "orders.visit", OrderOut,
    _("Report nobody at home"),
)  # fmt: skip
def report_no_show(request, order_id: Id, given: Why) -> Any:
    return services.report_no_show(actor=request.actor, order_id=order_id, reason=given.reason)


@operation(
    router, "POST", "/orders/{order_id}/paper-visit", "orders.record_paper_visit", "orders.record_visit", OrderOut,
    _("Enter a visit from its paper form"),
)  # fmt: skip
def record_paper_visit(request, order_id: Id, given: PaperIn) -> Any:
    return services.record_paper_visit(actor=request.actor, order_id=order_id, **given.dict())


@operation(
    router, "POST", "/orders/{order_id}/confirm", "orders.confirm", "orders.confirm", OrderOut, _("Confirm the visit")
)
def confirm(request, order_id: Id, given: ConfirmIn) -> Any:
    return services.confirm(actor=request.actor, order_id=order_id, **given.dict())


@operation(
    router, "POST", "/orders/{order_id}/dispute", "orders.dispute", "orders.dispute", OrderOut, _("Object to the visit")
)
def dispute(request, order_id: Id, given: Why) -> Any:
    return services.dispute(actor=request.actor, order_id=order_id, reason=given.reason)


@operation(
    router, "POST", "/orders/{order_id}/resolve", "orders.resolve", "orders.resolve", OrderOut, _("Decide the dispute")
)
def resolve(request, order_id: Id, given: ResolveIn) -> Any:
    return services.resolve(actor=request.actor, order_id=order_id, **given.dict())


@operation(
    router, "POST", "/orders/{order_id}/refund", "orders.refund", "orders.refund", RefundOut, _("Give money back"),
    status=201,
)  # fmt: skip
def refund(request, order_id: Id, given: RefundIn) -> Any:
    return 201, services.refund(actor=request.actor, order_id=order_id, **given.dict())


@operation(
    router, "POST", "/orders/{order_id}/cancel", "orders.cancel", "orders.cancel", OrderOut, _("Cancel the order")
)
def cancel(request, order_id: Id, given: CancelIn) -> Any:
    return services.cancel(actor=request.actor, order_id=order_id, **given.dict())


@operation(
    router, "GET", "/return-visits", "orders.return_visits", "orders.return_visit", ReturnVisitPage,
    _("Call-backs still to be made"),
)  # fmt: skip
def return_visits(request, given: Query[Paging]) -> Any:
    return given.page(selectors.due_return_visits(request.actor), "due_by")


@operation(
    router, "POST", "/return-visits/{return_visit_id}/record", "orders.record_return_visit", "orders.return_visit",
    ReturnVisitOut, _("Write down a call-back"),
)  # fmt: skip
def record_return_visit(request, return_visit_id: Id, given: ReturnVisitIn) -> Any:
    return services.record_return_visit(actor=request.actor, return_visit_id=return_visit_id, **given.dict())
