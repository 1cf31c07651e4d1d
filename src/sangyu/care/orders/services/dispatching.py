"""Ranked proposal → offer → answer (R-081). A worker is only sent when nothing blocks, or with a reason and the right
to override.
"""

from copy import copy
from datetime import datetime, timedelta

from django.db import IntegrityError, connection, models
from django.utils import timezone
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from sangyu.care.dispatch import services as dispatch
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Forbidden, Refused
from sangyu.kernel.scoping import as_system
from sangyu.kernel.services import service
from sangyu.registry.catalogue import selectors as catalogue
from sangyu.registry.organisations import selectors as organisations
from sangyu.registry.people import selectors as people
from sangyu.registry.workforce import selectors as workforce

from ..enums import Action, OfferState, State
from ..models import Offer, Order
from ._shared import (
    apply,
    get_order,
    lock_order,
    require_step,
    service_rule,
    share_with_provider,
    unshare_provider,
    unshare_worker,
)
from .intake import offerings_for, reprice, tier_for

#: Blocks that no reason can lift: the law or another person's time forbids it.
HARD_BLOCKS = {
    *("licence", "contract", "suspended", "ended", "left", "candidate"),
    *("certificate", "entry_training", "health_check", "background_check", "duty", "leave", "taken"),
}


@service("orders.dispatch")
def proposals(*, actor: Actor, order_id: int) -> list[dispatch.Proposal]:
    """Everybody who might do the visit, best first, blocked ones last, each with reasons."""
    order = get_order(actor, order_id)
    item = catalogue.get_item_by_id(order.item_id)
    return rank_for(order, item, offerings_for(order, item))


def rank_for(order: Order, item, offered: list[organisations.Offering]) -> list[dispatch.Proposal]:
    """The ranking behind ``proposals``; reads other rooms' registers, writes nothing."""
    offerings = {o.organisation_id: o for o in offered}
    with as_system("a worker's other visits may lie in another county; only their times are used"):
        candidates = workforce.candidates(list(offerings), item, order.planned_start, order.planned_end)
        options = [_option(c, offerings[c.organisation_id]) for c in candidates]
        bookings = _bookings([o.worker_id for o in options], order)
        before = _visits_before(order.person_id)
    need = dispatch.Need(
        person_id=order.person_id,
        item_code=item.code,
        start=order.planned_start,
        end=order.planned_end,
        latitude=order.latitude,
        longitude=order.longitude,
        worker_sex=order.worker_sex,
        preferred_worker_id=order.preferred_worker_id,
        crew_size=item.crew_size,
    )
    return dispatch.propose(need, options, bookings=bookings, visits_before=before)


def _option(candidate, offering) -> dispatch.Option:
    return dispatch.Option(
        worker_id=candidate.worker_id,
        worker_name=candidate.name,
        sex=candidate.sex,
        organisation_id=offering.organisation_id,
        organisation_name=offering.name,
        contract_id=offering.contract_id,
        unit_price=offering.unit_price or 0,
        skills=candidate.skills,
        latitude=candidate.latitude,
        longitude=candidate.longitude,
        rating=None if candidate.rating is None else float(candidate.rating),
        blocks=tuple((b.code, b.message) for b in (*offering.blocks, *candidate.blocks)),
    )


def _bookings(worker_ids: list[int], order: Order) -> list[dispatch.Booking]:
    start = localtime(order.planned_start).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = (
        Order.objects.booked()
        .on_day(start, start + timedelta(days=1))
        .filter(models.Q(worker_id__in=worker_ids) | models.Q(second_worker_id__in=worker_ids))
        .exclude(pk=order.pk)
        .values_list(
            "worker_id", "second_worker_id", "planned_start", "planned_end", "item_name", "latitude", "longitude"
        )
    )
    return [
        dispatch.Booking(worker_id, begin, end, label, lat, lon)
        for lead, second, begin, end, label, lat, lon in rows
        for worker_id in (lead, second)
        if worker_id is not None
    ]


def _visits_before(person_id: int) -> dict[int, int]:
    done = Order.objects.filter(person_id=person_id, state__in=[State.CONFIRMED, State.SETTLED], worker__isnull=False)
    return dict(done.values_list("worker_id").annotate(n=models.Count("id")).order_by())


@service("orders.dispatch")
def offer(
    *,
    actor: Actor,
    order_id: int,
    organisation_id: int,
    worker_id: int | None = None,
    second_worker_id: int | None = None,
    override_reason: str = "",
    now: datetime | None = None,
) -> Order:
    """Offer the order to a provider, with or without a named worker: RECEIVED → OFFERED, re-priced at the provider's
    contract.

    Raises Refused when the provider or worker is blocked: hard blocks always, others unless ``override_reason`` is
    given by
    somebody who holds orders.override.
    """
    now = now or timezone.now()
    order = lock_order(order_id)
    item = catalogue.get_item_by_id(order.item_id)
    offerings = offerings_for(order, item)
    minutes = service_rule(order.path, localtime(now).date()).answer_minutes
    rule = tier_for(order, people.get_person(actor, order.person_id))
    with as_system("the offer and its price are the provider's rows; of others only times of visits are read"):
        ranked = rank_for(order, item, offerings)
        chosen = _chosen(ranked, organisation_id, worker_id)
        _check_blocks(actor, ranked, chosen, organisation_id, worker_id, override_reason)
        _check_crew(order, ranked, worker_id, second_worker_id)
        require_step(order, Action.OFFER)
        priced = reprice(actor, order, offerings, rule, organisation_id=organisation_id, item=item)
        order = apply(
            actor,
            order,
            Action.OFFER,
            now=now,
            reason=override_reason,
            changes={
                **priced,
                "organisation_id": organisation_id,
                "worker_id": worker_id,
                "second_worker_id": second_worker_id,
            },
            data={
                "organisation_id": organisation_id,
                "worker_id": worker_id,
                "rank": _place(ranked, chosen),
                "candidates": len(ranked),
            },
        )
        Offer.objects.create(
            order=order,
            path=order.path,
            organisation_id=organisation_id,
            worker_id=worker_id,
            second_worker_id=second_worker_id,
            sent_at=now,
            answer_by=now + timedelta(minutes=minutes),
            score=chosen.score if chosen else None,
            rank=_place(ranked, chosen),
            reasons=[{"tone": r.tone, "text": str(r.text)} for r in chosen.reasons] if chosen else [],
            override_reason=override_reason,
        )
        share_with_provider(order)
        _check_quota(order, item.code)
    return order


def _check_quota(order: Order, item_code: str) -> None:
    """Raises Refused when the contract buys no more of this item in the month or at all (R-067). A contract's quota counts
    every region's orders.
    """
    if order.contract_id is None:
        return
    terms = organisations.terms_of(order.contract_id, item_code, localtime(order.planned_start).date())
    if terms is None or (terms.month_quota is None and terms.quota is None):
        return
    start = localtime(order.planned_start).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = (start + timedelta(days=32)).replace(day=1)
    with connection.cursor() as cursor:
        # Two offers at once would both see the last free place.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"quota:{order.contract_id}:{item_code}"])
    in_month = models.Q(planned_start__gte=start, planned_start__lt=following)
    billed = Order.objects.filter(contract_id=order.contract_id, item__code=item_code).exclude(
        state__in=[State.REQUESTED, State.RECEIVED, State.CANCELLED, State.NO_SHOW]
    )
    used = billed.aggregate(
        ever=models.Sum("quantity", default=0), month=models.Sum("quantity", filter=in_month, default=0)
    )
    if (terms.quota is not None and used["ever"] > terms.quota) or (
        terms.month_quota is not None and used["month"] > terms.month_quota
    ):
        raise Refused(_("The contract's quota for this service is used up."), code="orders.quota")


def _chosen(ranked: list[dispatch.Proposal], organisation_id: int, worker_id: int | None) -> dispatch.Proposal | None:
    if worker_id is None:
        return next((p for p in ranked if p.option.organisation_id == organisation_id and not p.blocked), None)
    return next(
        (p for p in ranked if p.option.worker_id == worker_id and p.option.organisation_id == organisation_id), None
    )


def _place(ranked: list[dispatch.Proposal], chosen: dispatch.Proposal | None) -> int | None:
    return ranked.index(chosen) + 1 if chosen else None


def _check_blocks(
    actor: Actor, ranked, chosen, organisation_id: int, worker_id: int | None, override_reason: str
) -> None:
    if chosen is None:
        if worker_id is None and any(p.option.organisation_id == organisation_id for p in ranked):
            return  # all named workers are blocked now; the provider may still find somebody
        raise Refused(_("This provider or worker cannot serve this order."), code="orders.not_a_candidate")
    if not chosen.blocked:
        return
    reasons = "; ".join(str(r.text) for r in chosen.reasons if r.tone == "bad")
    if chosen.codes & HARD_BLOCKS or not override_reason:
        raise Refused(_("Cannot be sent: %(reasons)s") % {"reasons": reasons}, code="orders.blocked")
    if not actor.may("orders.override"):
        raise Forbidden("orders.override")


def _check_crew(order: Order, ranked, worker_id: int | None, second_worker_id: int | None) -> None:
    if second_worker_id is None:
        return
    if second_worker_id == worker_id:
        raise Refused(_("The second worker must be another person."), code="orders.same_worker")
    second = next((p for p in ranked if p.option.worker_id == second_worker_id), None)
    if second is None or second.blocked:
        raise Refused(_("The second worker cannot be sent."), code="orders.blocked")


def close_offer(order: Order, state: str, *, actor: Actor, answer: str, now: datetime) -> None:
    """Close the open offer of ``order``, if there is one."""
    with as_system("an answer closes the offer for both sides"):
        Offer.objects.filter(order=order, state=OfferState.OPEN).update(
            state=state, answered_at=now, answer=answer[:300]
        )


def _take_back(
    actor: Actor, order_id: int, action: Action, state: str, reason: str, now: datetime, data: dict | None = None
) -> Order:
    order = lock_order(order_id)
    before = copy(order)
    order = apply(
        actor,
        order,
        action,
        now=now,
        reason=reason,
        changes={
            "organisation_id": None,
            "worker_id": None,
            "second_worker_id": None,
            "accepted_at": None,
            "departed_at": None,
            "warned_accept_at": None,
        },
        data={"organisation_id": before.organisation_id, "worker_id": before.worker_id, **(data or {})},
    )
    close_offer(order, state, actor=actor, answer=reason, now=now)
    unshare_worker(before, before.worker_id, reason)  # last: the worker who says no needs its sight until here
    unshare_worker(before, before.second_worker_id, reason)
    unshare_provider(before, reason)
    return order


@service("orders.dispatch")
def withdraw(*, actor: Actor, order_id: int, reason: str, now: datetime | None = None) -> Order:
    """Take an unanswered offer back: OFFERED → RECEIVED."""
    return _take_back(actor, order_id, Action.WITHDRAW, OfferState.WITHDRAWN, reason, now or timezone.now())


@service("orders.answer")
def decline(*, actor: Actor, order_id: int, reason: str, now: datetime | None = None) -> Order:
    """The provider or worker says no, with a reason: OFFERED → RECEIVED."""
    if not reason.strip():
        raise Refused(_("Say why you decline, so that the dispatcher can choose better."), code="orders.reason_needed")
    return _take_back(actor, order_id, Action.DECLINE, OfferState.DECLINED, reason, now or timezone.now())


@service("orders.answer")
def hand_back(*, actor: Actor, order_id: int, reason: str, now: datetime | None = None) -> Order:
    """The provider cannot keep an accepted order: back to dispatch, with a reason."""
    if not reason.strip():
        raise Refused(_("Say why you hand the order back."), code="orders.reason_needed")
    return _take_back(actor, order_id, Action.HAND_BACK, OfferState.WITHDRAWN, reason, now or timezone.now())


@service("orders.answer")
def accept(
    *,
    actor: Actor,
    order_id: int,
    worker_id: int | None = None,
    second_worker_id: int | None = None,
    risk_check: str = "",
    now: datetime | None = None,
) -> Order:
    """Accept the offer: OFFERED → ACCEPTED. The provider names the worker where the offer did not.

    A service for two may be done by one after a ``risk_check`` (its result in words), where the catalogue allows it
    (R-075).
    Raises Refused when the offer has lapsed, nobody is named, or the worker is blocked or taken by now.
    """
    now = now or timezone.now()
    order = lock_order(order_id)
    open_offer = Offer.objects.filter(order=order, state=OfferState.OPEN).first()
    if open_offer is None or open_offer.answer_by < now:
        raise Refused(_("The time to answer is over. The order is being dispatched anew."), code="orders.offer_lapsed")
    if actor.audience is Audience.WORKER and (worker_id or second_worker_id):
        raise Forbidden("orders.answer")  # a worker answers for the crew that was asked, and names nobody else
    lead = worker_id or order.worker_id
    second = second_worker_id or order.second_worker_id
    if lead is None:
        raise Refused(_("Name the worker who goes."), code="orders.worker_needed")
    require_step(order, Action.ACCEPT)
    item = catalogue.get_item_by_id(order.item_id)
    if item.crew_size > 1 and second is None and not (item.risk_check_replaces_crew and risk_check.strip()):
        raise Refused(_("This service needs two workers. Name the second one."), code="orders.second_worker_needed")
    asked = (order.worker_id, order.second_worker_id)
    with as_system("a worker who accepts for a crew of two does not see the colleague's file"):
        _require_free(order, item, lead, second)
        for replaced, new in zip(asked, (lead, second), strict=True):
            if replaced is not None and replaced != new:
                unshare_worker(order, replaced, "another worker goes")
        order = _booked(
            actor, order, Action.ACCEPT, lead, second, now, stamp={"accepted_at": now}, reason=risk_check.strip()
        )
        close_offer(order, OfferState.ACCEPTED, actor=actor, answer="", now=now)
        if asked != (lead, second):  # the crew that was asked sees the order since the offer
            share_with_provider(order)
    return order


@service("orders.answer")
def substitute(
    *,
    actor: Actor,
    order_id: int,
    worker_id: int,
    second_worker_id: int | None = None,
    reason: str,
    now: datetime | None = None,
) -> Order:
    """Send another worker of the same provider; the visit starts again from ACCEPTED."""
    now = now or timezone.now()
    order = lock_order(order_id)
    if order.worker_id == worker_id and order.second_worker_id == second_worker_id:
        raise Refused(_("This worker is already on the order."), code="orders.same_worker")
    require_step(order, Action.SUBSTITUTE)
    gone = order.worker_id
    with as_system("of two workers who change, each sees its own file only"):
        _require_free(order, catalogue.get_item_by_id(order.item_id), worker_id, second_worker_id)
        for replaced in (order.worker_id, order.second_worker_id):
            if replaced not in (worker_id, second_worker_id):
                unshare_worker(order, replaced, reason)
        order = _booked(
            actor,
            order,
            Action.SUBSTITUTE,
            worker_id,
            second_worker_id,
            now,
            stamp={"departed_at": None},
            reason=reason,
            data={"replaced": gone},
        )
        share_with_provider(order)
    return order


def _booked(
    actor: Actor,
    order: Order,
    action: Action,
    lead: int,
    second: int | None,
    now: datetime,
    *,
    stamp: dict,
    reason: str = "",
    data: dict | None = None,
) -> Order:
    """The step that takes workers' time; the database has the last word on who is free. A refusal ends the transaction."""
    try:
        return apply(
            actor,
            order,
            action,
            now=now,
            reason=reason,
            changes={"worker_id": lead, "second_worker_id": second, **stamp},
            data={"worker_id": lead, **(data or {})},
        )
    except IntegrityError as error:
        if "double_booked" not in str(error):
            raise
        raise Refused(_("The worker has another visit at that time."), code="orders.taken") from error


def _require_free(order: Order, item, *worker_ids: int | None) -> None:
    """Raises Refused when one of the workers is not the provider's, or is blocked for this item and time."""
    wanted = [w for w in worker_ids if w is not None]
    able = workforce.candidates(
        [order.organisation_id], item, order.planned_start, order.planned_end, worker_ids=wanted
    )
    if len(able) != len(set(wanted)):
        raise Refused(_("This worker does not belong to the provider."), code="orders.foreign_worker")
    if blocks := [str(b.message) for c in able for b in c.blocks]:
        raise Refused(_("Cannot be sent: %(reasons)s") % {"reasons": "; ".join(blocks)}, code="orders.blocked")


def is_worker(actor: Actor, order: Order) -> bool:
    """Whether ``actor`` is a worker on this order."""
    return actor.audience is Audience.WORKER and actor.subject_id in (order.worker_id, order.second_worker_id)
