"""Confirmed, disputed, refunded, cancelled, called back: how an order ends (R-084, R-085)."""

from datetime import datetime

from django.utils import timezone
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from sangyu.care.vouchers import services as vouchers
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.events import emit
from sangyu.kernel.scoping import as_system
from sangyu.kernel.services import service
from sangyu.registry.organisations import selectors as organisations

from ..enums import HELD_STATES, Action, OfferState, ReturnVisitReason, ReturnVisitState, State
from ..models import Order, Refund, ReturnVisit
from ..pricing import cancellation_fee
from ._shared import (
    apply,
    end_person_shares,
    get_order,
    is_sampled,
    lock_order,
    require_return_visit,
    service_rule,
    unshare_worker,
)
from .dispatching import close_offer
from .intake import order_ref, save_changes


@service("orders.confirm")
def confirm(
    *,
    actor: Actor,
    order_id: int,
    rating: int | None = None,
    comment: str = "",
    on_behalf_of: str = "",
    now: datetime | None = None,
) -> Order:
    """The elder or family confirms the visit: DONE → CONFIRMED, vouchers are spent, a low rating forces a return visit.

    Staff confirm for somebody who telephones (``on_behalf_of`` says who). Raises Invalid for a rating outside 1 … 5.
    """
    now = now or timezone.now()
    if rating is not None and not 1 <= rating <= 5:
        raise Invalid({"rating": [_("The rating must be between 1 and 5.")]})
    if actor.audience in (Audience.PROVIDER, Audience.WORKER):
        raise Forbidden("orders.confirm")
    if actor.audience is Audience.STAFF:
        if not actor.may("orders.confirm_for"):
            raise Forbidden("orders.confirm_for")
        if not on_behalf_of.strip():
            raise Invalid({"on_behalf_of": [_("Say who confirmed by telephone or in person.")]})
    who = on_behalf_of.strip() or actor.name
    return _confirm(actor, order_id, rating=rating, comment=comment, who=who, now=now)


def confirm_by_time(actor: Actor, order_id: int, now: datetime) -> Order:
    """What happens when nobody answers within the set time; called by the sweep."""
    return _confirm(actor, order_id, rating=None, comment="", who=_("Nobody objected in time"), now=now)


def _confirm(actor: Actor, order_id: int, *, rating: int | None, comment: str, who: str, now: datetime) -> Order:
    order = lock_order(order_id)
    rule = service_rule(order.path, localtime(now).date())
    with as_system("vouchers, return visits and the workers' view lie outside the sight of who confirms"):
        order = apply(
            actor,
            order,
            Action.CONFIRM,
            now=now,
            changes={"confirmed_at": now, "confirmed_by": who[:60], "rating": rating, "comment": comment[:500]},
            data={"rating": rating},
        )
        _spend(actor, order)
        end_person_shares(order, order.worker_id, order.second_worker_id)
    if rating is not None and rating <= rule.low_rating:
        require_return_visit(order, ReturnVisitReason.LOW_RATING, now)
    elif is_sampled(order.number, rule.sample_percent):
        require_return_visit(order, ReturnVisitReason.SAMPLE, now)
    return order


def _spend(actor: Actor, order: Order) -> None:
    if order.voucher_amount:
        vouchers.spend(
            actor=actor,
            order_ref=order_ref(order),
            organisation_id=order.organisation_id,
            key=f"{order_ref(order)}:spend",
        )


@service("orders.dispute")
def dispute(*, actor: Actor, order_id: int, reason: str, now: datetime | None = None) -> Order:
    """The elder, family or staff objects to a visit: it is not settled until somebody has decided."""
    now = now or timezone.now()
    if not reason.strip():
        raise Invalid({"reason": [_("Say what was wrong with the visit.")]})
    if actor.audience in (Audience.PROVIDER, Audience.WORKER):
        raise Forbidden("orders.dispute")
    order = apply(actor, order_id, Action.DISPUTE, now=now, reason=reason)
    require_return_visit(order, ReturnVisitReason.DISPUTE, now)
    return order


@service("orders.resolve")
def resolve(*, actor: Actor, order_id: int, upheld: bool, reason: str, now: datetime | None = None) -> Order:
    """Decide a dispute: upheld → the order is cancelled and what was spent is given back; rejected → confirmed."""
    now = now or timezone.now()
    if not reason.strip():
        raise Invalid({"reason": [_("Say why you decide so.")]})
    order = get_order(actor, order_id)
    was_confirmed = order.confirmed_at is not None
    if upheld:
        if was_confirmed:
            vouchers.refund(
                actor=actor,
                order_ref=order_ref(order),
                amount=order.voucher_amount,
                reason=reason,
                key=f"{order_ref(order)}:upheld",
            )
        else:
            vouchers.release(actor=actor, order_ref=order_ref(order))
        return apply(actor, order_id, Action.CANCEL, now=now, reason=reason, changes={"fee": 0})
    changes = {} if was_confirmed else {"confirmed_at": now, "confirmed_by": actor.name}
    order = apply(actor, order_id, Action.RESOLVE, now=now, reason=reason, changes=changes)
    if not was_confirmed:
        _spend(actor, order)
    return order


@service("orders.refund")
def refund(
    *,
    actor: Actor,
    order_id: int,
    voucher_amount: int = 0,
    public_pay: int = 0,
    self_pay: int = 0,
    reason: str,
    key: str,
    now: datetime | None = None,
) -> Refund:
    """Give back part or all of a confirmed or settled visit (fen); the provider's next statement carries it as a
    negative line.

    Raises Refused when more would be given back than was paid, all refunds of the order together.
    """
    now = now or timezone.now()
    if not (voucher_amount or public_pay or self_pay):
        raise Invalid({"": [_("Say how much is given back.")]})
    order = apply(
        actor,
        order_id,
        Action.REFUND,
        now=now,
        reason=reason,
        data={"voucher": voucher_amount, "public": public_pay, "self": self_pay},
    )
    before = list(order.refunds.all())
    for name, asked, paid in (
        ("voucher_amount", voucher_amount, order.voucher_amount),
        ("public_pay", public_pay, order.public_pay),
        ("self_pay", self_pay, order.self_pay),
    ):
        if asked < 0 or asked + sum(getattr(r, name) for r in before) > paid:
            raise Refused(_("More would be given back than was paid."), code="orders.refund_too_high")
    if voucher_amount:
        vouchers.refund(actor=actor, order_ref=order_ref(order), amount=voucher_amount, reason=reason, key=key)
    row = Refund.objects.create(
        order=order,
        path=order.path,
        organisation_id=order.organisation_id,
        voucher_amount=voucher_amount,
        public_pay=public_pay,
        self_pay=self_pay,
        reason=reason,
        at=now,
        actor=actor.name,
    )
    emit("orders.refunded", path=order.path, id=order.pk, refund_id=row.pk)
    return row


@service("orders.cancel")
def cancel(*, actor: Actor, order_id: int, reason: str, waive_fee: bool = False, now: datetime | None = None) -> Order:
    """Cancel before the visit; held vouchers go back. After acceptance and too late, the region's fee rule applies.

    Only staff may waive the fee. Raises Invalid without a reason.
    """
    now = now or timezone.now()
    if not reason.strip():
        raise Invalid({"reason": [_("Say why the order is cancelled.")]})
    order = get_order(actor, order_id)
    if order.state == State.DISPUTED:
        raise Refused(_("Decide the dispute instead."), code="orders.disputed")
    if waive_fee and actor.audience not in (Audience.STAFF, Audience.JOB):
        raise Forbidden("orders.cancel")
    fee = 0 if waive_fee else _late_fee(order, now)
    return end_without_visit(actor, order, Action.CANCEL, reason=reason, fee=fee, now=now)


def _late_fee(order: Order, now: datetime) -> int:
    """The contract's cancellation terms, or the region's where the order has no contract."""
    day = localtime(order.planned_start).date()
    terms = organisations.terms_of(order.contract_id, order.item.code, day) if order.contract_id else None
    rule = service_rule(order.path, day)
    return cancellation_fee(
        self_price=order.market_price - order.concession,
        hours_before=(order.planned_start - now).total_seconds() / 3600,
        accepted=order.state in (State.ACCEPTED, State.ON_THE_WAY),
        free_hours=terms.cancel_free_hours if terms else rule.free_cancel_hours,
        percent=terms.cancel_fee_percent if terms else rule.late_cancel_percent,
    )


@service("orders.visit")
def report_no_show(*, actor: Actor, order_id: int, reason: str, now: datetime | None = None) -> Order:
    """Nobody was at home: the visit ends, the region's fee rule applies, somebody calls back."""
    now = now or timezone.now()
    order = get_order(actor, order_id)
    if now < order.planned_start:
        raise Refused(_("The visit has not begun yet. Wait until the agreed time."), code="orders.too_early")
    rule = service_rule(order.path, localtime(order.planned_start).date())
    fee = (order.market_price - order.concession) * rule.no_show_percent // 100
    order = end_without_visit(actor, order, Action.REPORT_NO_SHOW, reason=reason, fee=fee, now=now)
    require_return_visit(order, ReturnVisitReason.NO_PROOF, now)
    return order


def end_without_visit(actor: Actor, order: Order, action: Action, *, reason: str, fee: int, now: datetime) -> Order:
    """Release vouchers, close the offer, move to the end state; a cancelled order leaves the workers' sight, a visit
    in vain stays
    in their record.
    """
    if order.state in HELD_STATES and order.hold_round:
        vouchers.release(actor=actor, order_ref=order_ref(order))
    workers = (order.worker_id, order.second_worker_id)
    order = apply(actor, order.pk, action, now=now, reason=reason, changes={"fee": fee}, data={"fee": fee})
    close_offer(order, OfferState.WITHDRAWN, actor=actor, answer=reason, now=now)
    for worker_id in workers:
        if action is Action.CANCEL:
            unshare_worker(order, worker_id, reason)
        else:
            end_person_shares(order, worker_id)
    # The fee replaces the price: what the elder owes for the visit that did not happen.
    return save_changes(
        order, {"market_price": fee, "concession": 0, "voucher_amount": 0, "public_pay": 0, "self_pay": fee}
    )


@service("orders.return_visit")
def record_return_visit(
    *,
    actor: Actor,
    return_visit_id: int,
    reached: bool,
    satisfied: int | None = None,
    result: str,
    now: datetime | None = None,
) -> ReturnVisit:
    """Write down a call-back: reached or not, satisfaction 1 … 5, and what came of it (R-084)."""
    now = now or timezone.now()
    row = ReturnVisit.objects.select_for_update().filter(pk=return_visit_id).first()
    if row is None:
        raise NotVisible
    if row.state == ReturnVisitState.DONE:
        raise Refused(_("This call-back is already recorded."), code="orders.return_visit_done")
    if not result.strip():
        raise Invalid({"result": [_("Write down what was said.")]})
    if reached and (satisfied is None or not 1 <= satisfied <= 5):
        raise Invalid({"satisfied": [_("Ask for a rating between 1 and 5.")]})
    row.state, row.done_at, row.done_by = ReturnVisitState.DONE, now, actor.name
    row.reached, row.satisfied, row.result = reached, satisfied if reached else None, result[:500]
    row.save(update_fields=["state", "done_at", "done_by", "reached", "satisfied", "result"])
    emit("orders.called_back", path=row.path, id=row.order_id, return_visit_id=row.pk)
    return row
