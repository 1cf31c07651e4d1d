"""Orders: list, order page and trail, price, request, receive, reschedule, dispatch and answer."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from ninja import Query, Router

from sangyu.care.orders import selectors, services
from sangyu.care.orders.enums import OPEN_STATES, Channel, EvidenceKind, OfferState, State
from sangyu.registry.people.enums import Sex

from .values import Code, Day, Id, In, Line, Moment, Paging, Reason, Schema, When, one_of, operation, upto

router = Router(tags=["orders"])
States = one_of(State)


class Note(Schema):
    """One step of the price: what, why, and the fen it changed (negative lowers what is left to pay)."""

    label: str
    why: str
    amount: int


class QuoteOut(Schema):
    """Fen. ``market = concession + voucher + public_pay + self_pay``."""

    tier: str
    market: int
    concession: int
    voucher: int
    public_pay: int
    self_pay: int
    notes: list[Note]


class OrderOut(Schema):
    """Money in fen: ``market_price = concession + voucher_amount + public_pay + self_pay``."""

    id: int
    number: str
    state: States
    person_id: int
    person_name: str
    item_code: str
    item_name: str
    quantity: int
    planned_start: Moment
    planned_end: Moment
    address: str
    latitude: float | None
    longitude: float | None
    wishes: str
    channel: Channel
    requested_by: str
    key: str | None
    fee_tier: str
    market_price: int
    concession: int
    voucher_amount: int
    public_pay: int
    self_pay: int
    fee: int
    organisation_id: int | None
    worker_id: int | None
    second_worker_id: int | None
    agreement_id: int | None
    statement_id: int | None
    requested_at: Moment
    dispatch_by: Moment | None
    accepted_at: Moment | None
    departed_at: Moment | None
    arrived_at: Moment | None
    done_at: Moment | None
    confirm_by: Moment | None
    confirmed_at: Moment | None
    closed_at: Moment | None
    minutes: int | None
    rating: int | None
    comment: str
    flagged: str

    @staticmethod
    def resolve_item_code(order: Any) -> str:
        return order.item.code


class OfferOut(Schema):
    id: int
    organisation_id: int
    worker_id: int | None
    second_worker_id: int | None
    state: OfferState
    sent_at: Moment
    answer_by: Moment
    answered_at: Moment | None
    answer: str


class EvidenceOut(Schema):
    """``distance`` in metres from the home."""

    id: int
    kind: EvidenceKind
    at: Moment
    distance: float | None
    text: str
    file_id: int | None
    actor: str


class RefundOut(Schema):
    id: int
    order_id: int
    voucher_amount: int
    public_pay: int
    self_pay: int
    reason: str
    at: Moment


class OrderDetail(OrderOut):
    """The order with how its price came about, its offers and the proof of the visit."""

    price_notes: list[Note]
    offers: list[OfferOut]
    evidence: list[EvidenceOut]
    refunds: list[RefundOut]


class OrderPage(Schema):
    items: list[OrderOut]
    next: str


class OrderFilter(Paging):
    """Newest first. ``open`` true: only those in which somebody still has to act. ``day``: of the visit."""

    state: States | None = None
    open: bool = False
    person_id: Id | None = None
    organisation_id: Id | None = None
    worker_id: Id | None = None
    day: Day | None = None
    flagged: bool = False
    key: upto(80) | None = None


class Step(Schema):
    """One row of the trail: who did what, when, why."""

    action: str
    source: str
    target: str
    at: Moment
    actor: str
    reason: str


class Need(In):
    person_id: Id
    item_code: Code
    planned_start: When
    quantity: int = 1


class RequestIn(Need):
    """``key`` is the caller's own number of the request: sent twice, the second answers with the first order."""

    requested_by: upto(60, 1)
    key: upto(80, 1)
    channel: Channel = Channel.API
    wishes: Line = ""
    worker_sex: Sex | None = None
    preferred_worker_id: Id | None = None


class ReceiveIn(In):
    """``organisation_id``: price by this provider's contract instead of the cheapest."""

    organisation_id: Id | None = None


class RescheduleIn(In):
    planned_start: When
    reason: Reason


class OfferIn(In):
    """``override_reason`` lifts soft blocks for those who hold orders.override."""

    organisation_id: Id
    worker_id: Id | None = None
    second_worker_id: Id | None = None
    override_reason: Line = ""


class AcceptIn(In):
    """``risk_check``: its result, where one worker may do the work of two after it."""

    worker_id: Id | None = None
    second_worker_id: Id | None = None
    risk_check: Line = ""


class SubstituteIn(In):
    worker_id: Id
    second_worker_id: Id | None = None
    reason: Reason


class Why(In):
    reason: Reason


class ReasonOut(Schema):
    tone: str
    text: str


class ProposalOut(Schema):
    """``score`` 0 … 100, ``distance`` in metres. Blocked ones are last."""

    worker_id: int
    worker_name: str
    organisation_id: int
    organisation_name: str
    score: int
    blocked: bool
    distance: int | None
    visits_before: int
    minutes_that_day: int
    codes: list[str]
    reasons: list[ReasonOut]

    @staticmethod
    def resolve_codes(proposal: Any) -> list[str]:
        return sorted(proposal.codes)

    @staticmethod
    def resolve_worker_id(proposal: Any) -> int:
        return proposal.option.worker_id

    @staticmethod
    def resolve_worker_name(proposal: Any) -> str:
        return proposal.option.worker_name

    @staticmethod
    def resolve_organisation_id(proposal: Any) -> int:
        return proposal.option.organisation_id

    @staticmethod
    def resolve_organisation_name(proposal: Any) -> str:
        return proposal.option.organisation_name


# ---------------------------------------------------------------- reading
@operation(router, "GET", "/orders", "orders.list", "orders.view", OrderPage, _("List orders"))
def order_list(request, given: Query[OrderFilter]) -> Any:
    rows = selectors.orders_visible(request.actor).select_related("item")
    names = {"state", "person_id", "organisation_id", "worker_id", "key"}
    rows = rows.filter(**given.dict(include=names, exclude_none=True))
    if given.open:
        rows = rows.filter(state__in=OPEN_STATES)
    if given.day:
        rows = rows.filter(planned_start__date=given.day)
    if given.flagged:
        rows = rows.exclude(flagged="")
    return given.page(rows, filtered=False)


@operation(router, "GET", "/orders/{order_id}", "orders.get", "orders.view", OrderDetail, _("Read one order"))
def order_get(request, order_id: Id) -> Any:
    return selectors.get_order(request.actor, order_id)


@operation(router, "GET", "/orders/{order_id}/trail", "orders.trail", "orders.view", list[Step], _("Trail of an order"))
def trail(request, order_id: Id) -> Any:
    return selectors.get_order(request.actor, order_id).log.all()


# ---------------------------------------------------------------- need
@operation(router, "POST", "/price-preview", "orders.price_preview", "orders.request", QuoteOut, _("Price of a need"))
def price_preview(request, given: Need) -> Any:
    return services.price_preview(actor=request.actor, **given.dict())


@operation(router, "POST", "/orders", "orders.request", "orders.request", OrderOut, _("Request a service"), status=201)
def request_service(request, given: RequestIn) -> Any:
    need = {**given.dict(), "worker_sex": given.worker_sex or ""}
    return 201, services.request(actor=request.actor, **need)


@operation(
    router, "POST", "/orders/{order_id}/receive", "orders.receive", "orders.receive", OrderOut, _("Receive and price")
)
def receive(request, order_id: Id, given: ReceiveIn) -> Any:
    return services.receive(actor=request.actor, order_id=order_id, **given.dict())


@operation(
    router, "POST", "/orders/{order_id}/reschedule", "orders.reschedule", "orders.receive", OrderOut, _("Change the time")
)  # fmt: skip
def reschedule(request, order_id: Id, given: RescheduleIn) -> Any:
    return services.reschedule(actor=request.actor, order_id=order_id, **given.dict())


# ---------------------------------------------------------------- dispatch and answer
@operation(
    router, "GET", "/orders/{order_id}/proposals", "orders.proposals", "orders.dispatch", list[ProposalOut],
    _("Ranked proposal of workers"),
)  # fmt: skip
def proposals(request, order_id: Id) -> Any:
    return services.proposals(actor=request.actor, order_id=order_id)


@operation(
    router, "POST", "/orders/{order_id}/offer", "orders.offer", "orders.dispatch", OrderOut, _("Offer to a provider")
)
def offer(request, order_id: Id, given: OfferIn) -> Any:
    return services.offer(actor=request.actor, order_id=order_id, **given.dict())


@operation(
    router,
    "POST",
    "/orders/{order_id}/withdraw",
    "orders.withdraw",
    "orders.dispatch",
    OrderOut,
    _("Withdraw the offer"),
)
def withdraw(request, order_id: Id, given: Why) -> Any:
    return services.withdraw(actor=request.actor, order_id=order_id, reason=given.reason)


@operation(
    router, "POST", "/orders/{order_id}/accept", "orders.accept", "orders.answer", OrderOut, _("Accept the offer")
)
def accept(request, order_id: Id, given: AcceptIn) -> Any:
    return services.accept(actor=request.actor, order_id=order_id, **given.dict())


@operation(
    router, "POST", "/orders/{order_id}/decline", "orders.decline", "orders.answer", OrderOut, _("Decline the offer")
)
def decline(request, order_id: Id, given: Why) -> Any:
    return services.decline(actor=request.actor, order_id=order_id, reason=given.reason)


@operation(
    router, "POST", "/orders/{order_id}/hand-back", "orders.hand_back", "orders.answer", OrderOut,
    _("Hand an accepted order back"),
)  # fmt: skip
def hand_back(request, order_id: Id, given: Why) -> Any:
    return services.hand_back(actor=request.actor, order_id=order_id, reason=given.reason)


@operation(
    router, "POST", "/orders/{order_id}/substitute", "orders.substitute", "orders.answer", OrderOut,
    _("Send another worker"),
)  # fmt: skip
def substitute(request, order_id: Id, given: SubstituteIn) -> Any:
    return services.substitute(actor=request.actor, order_id=order_id, **given.dict())
