"""Request → price → received: the first steps of the road (R-078, R-087, R-052)."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from sangyu.care.vouchers import selectors as voucher_selectors
from sangyu.care.vouchers import services as vouchers
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.identity import age_on
from sangyu.kernel.numbering import next_number
from sangyu.kernel.scoping import as_system
from sangyu.kernel.services import service
from sangyu.registry.catalogue import selectors as catalogue
from sangyu.registry.organisations import selectors as organisations
from sangyu.registry.people import selectors as people
from sangyu.registry.workforce import selectors as workforce

from ..enums import Action, Channel, State
from ..models import Agreement, Order
from ..pricing import Quote, first_fitting, quote
from ._shared import apply, fee_rules, get_order, service_rule, unshare_provider, unshare_worker


@service("orders.request")
def request(
    *,
    actor: Actor,
    person_id: int,
    item_code: str,
    planned_start: datetime,
    channel: Channel,
    requested_by: str,
    quantity: int = 1,
    wishes: str = "",
    worker_sex: str = "",
    preferred_worker_id: int | None = None,
    agreement_id: int | None = None,
    key: str | None = None,
    now: datetime | None = None,
) -> Order:
    """Register a need in the state REQUESTED. ``key`` makes a repeat from another system return the first order
    (R-012).

    Raises NotVisible for a person or preferred worker out of scope, Invalid for an unknown item, a time in the past or
    an elder who has died.
    """
    now = now or timezone.now()
    if key and (existing := Order.objects.filter(key=key).first()):
        if (existing.person_id, existing.planned_start) != (person_id, planned_start):
            raise Refused(_("The key belongs to another request."), code="orders.key_reused")
        return existing
    person = people.get_person(actor, person_id)
    day = localtime(planned_start).date()
    item = catalogue.get_item(item_code, person.path, day)
    _check_request(person, item, planned_start, quantity, now)
    if preferred_worker_id is not None:
        workforce.get_worker(actor, preferred_worker_id)
    order = Order(
        number=next_number("DD", localtime(now).date(), person.region.code[:6]),
        region_id=person.region_id,
        path=person.path,
        person_id=person.pk,
        person_name=person.name,
        item_id=item.pk,
        item_name=item.name,
        quantity=quantity,
        planned_start=planned_start,
        planned_end=planned_start + timedelta(minutes=item.duration_minutes * quantity),
        address=person.address,
        latitude=person.latitude,
        longitude=person.longitude,
        wishes=wishes,
        worker_sex=worker_sex,
        preferred_worker_id=preferred_worker_id,
        channel=channel,
        requested_by=requested_by,
        requested_at=now,
        agreement_id=agreement_id,
        key=key,
        dispatch_by=now + timedelta(minutes=service_rule(person.path, day).dispatch_minutes),
    )
    with as_system("a family's request is stored in the region's queue"):
        order.save(force_insert=True)
        _log_request(order, actor, now)
    return order


def _check_request(person: Any, item: Any, planned_start: datetime, quantity: int, now: datetime) -> None:
    errors: dict[str, list[str]] = {}
    if item is None:
        errors["item_code"] = [_("This service is not offered here on that day. Choose one from the list.")]
    if planned_start < now - timedelta(minutes=5):
        errors["planned_start"] = [_("The time lies in the past. Choose a later one.")]
    if not 1 <= quantity <= 50:
        errors["quantity"] = [_("The quantity must be between 1 and 50.")]
    if person.died_on is not None:
        errors["person_id"] = [
            _("This elder has died on %(day)s. No service can be ordered.") % {"day": person.died_on}
        ]
    if errors:
        raise Invalid(errors)


def _log_request(order: Order, actor: Actor, now: datetime) -> None:
    from sangyu.kernel.events import emit

    from ..models import OrderLog

    OrderLog.objects.create(
        order=order,
        action="request",
        source="",
        target=State.REQUESTED,
        at=now,
        account_id=actor.account_id,
        actor=actor.name,
    )
    emit("orders.requested", path=order.path, id=order.pk)


def quote_for(actor: Actor, order: Order, *, organisation_id: int | None) -> tuple[Quote, int | None]:
    """The price of ``order`` now, with the contract it comes from: of ``organisation_id``, or the cheapest that can
    serve it.
    """
    day = localtime(order.planned_start).date()
    offerings = [o for o in organisations.offering(order.item_id, order.path, day) if not o.blocks]
    if organisation_id is not None:
        offerings = [o for o in offerings if o.organisation_id == organisation_id]
    if not offerings:
        raise Refused(
            _("No provider with a valid contract offers this service here on that day."), code="orders.no_offering"
        )
    chosen = min(offerings, key=lambda o: (o.unit_price, o.organisation_id))
    person = people.get_person(actor, order.person_id)
    facts = people.facts_on(order.person_id, day)
    age = age_on(person.birth_date, day) if person.birth_date else 0
    rule = first_fitting(fee_rules(order.path, day), age=age, facts=facts)
    if rule is None:
        raise Refused(
            _("No fee rule fits this elder. Ask the bureau to complete the rules."), code="orders.no_fee_rule"
        )
    usable = voucher_selectors.usable(
        person_id=order.person_id,
        item_id=order.item_id,
        day=day,
        organisation_id=chosen.organisation_id,
    )
    return (
        quote(
            rule=rule,
            unit_price=chosen.unit_price,
            quantity=order.quantity,
            price_label="contract_price",
            price_why=f"{chosen.name} {chosen.contract_number}",
            vouchers=[(v.voucher_id, v.amount, v.name) for v in usable],
        ),
        chosen.contract_id,
    )


@service("orders.request")
def price_preview(*, actor: Actor, person_id: int, item_code: str, planned_start: datetime, quantity: int = 1) -> Quote:
    """What a request would cost, without writing anything: for the desk and the family while they choose."""
    person = people.get_person(actor, person_id)
    item = catalogue.get_item(item_code, person.path, localtime(planned_start).date())
    _check_request(person, item, planned_start, quantity, planned_start)
    order = Order(
        person_id=person_id, item_id=item.pk, path=person.path, planned_start=planned_start, quantity=quantity
    )
    return quote_for(actor, order, organisation_id=None)[0]


def price_and_hold(actor: Actor, order: Order, *, organisation_id: int | None) -> dict[str, Any]:
    """Price the order, hold its vouchers under a new round, and return the fields to save with the transition."""
    if order.hold_round:
        vouchers.release(actor=actor, order_ref=order_ref(order))
    terms, contract_id = quote_for(actor, order, organisation_id=organisation_id)
    order.hold_round += 1
    if terms.splits:
        vouchers.hold(
            actor=actor,
            order_ref=order_ref(order),
            person_id=order.person_id,
            splits=list(terms.splits),
            key=f"{order_ref(order)}:hold",
        )
    return {
        "fee_tier": terms.tier,
        "market_price": terms.market,
        "concession": terms.concession,
        "voucher_amount": terms.voucher,
        "public_pay": terms.public_pay,
        "self_pay": terms.self_pay,
        "price_notes": [{"label": n.label, "why": n.why, "amount": n.amount} for n in terms.notes],
        "contract_id": contract_id,
        "hold_round": order.hold_round,
    }


def order_ref(order: Order) -> str:
    """What the ledger knows of an order: its number and the round of its hold."""
    return f"{order.number}#{order.hold_round}"


@service("orders.receive")
def receive(*, actor: Actor, order_id: int, organisation_id: int | None = None, now: datetime | None = None) -> Order:
    """Price a requested order and hold its vouchers: REQUESTED → RECEIVED (R-052)."""
    now = now or timezone.now()
    order = apply(actor, order_id, Action.RECEIVE, now=now)
    return save_changes(order, price_and_hold(actor, order, organisation_id=organisation_id))


@service("orders.receive")
def request_and_receive(
    *, actor: Actor, organisation_id: int | None = None, now: datetime | None = None, **need: Any
) -> Order:
    """What a desk does in one step: register the need and price it. Same checks as the two apart."""
    order = request(actor=actor, now=now, **need)
    if order.state != State.REQUESTED:
        return order
    return receive(actor=actor, order_id=order.pk, organisation_id=organisation_id, now=now)


@service("orders.receive")
def reschedule(
    *, actor: Actor, order_id: int, planned_start: datetime, reason: str, now: datetime | None = None
) -> Order:
    """Change the time; an accepted order goes back to dispatch. Raises Invalid for a past time."""
    now = now or timezone.now()
    order = get_order(actor, order_id)
    if planned_start < now:
        raise Invalid({"planned_start": [_("The time lies in the past. Choose a later one.")]})
    _close_open_offer(order, actor, reason, now)
    unshare_worker(order, order.worker_id, reason)
    unshare_worker(order, order.second_worker_id, reason)
    unshare_provider(order, reason)
    length = order.planned_end - order.planned_start
    minutes = service_rule(order.path, localtime(planned_start).date()).dispatch_minutes
    order = apply(
        actor,
        order_id,
        Action.RESCHEDULE,
        now=now,
        reason=reason,
        changes={
            "planned_start": planned_start,
            "planned_end": planned_start + length,
            "organisation_id": None,
            "worker_id": None,
            "second_worker_id": None,
            "accepted_at": None,
            "dispatch_by": now + timedelta(minutes=minutes),
            "warned_dispatch_at": None,
            "warned_accept_at": None,
        },
        data={"from": order.planned_start.isoformat(), "to": planned_start.isoformat()},
    )
    return save_changes(order, price_and_hold(actor, order, organisation_id=None))


def save_changes(order: Order, changes: dict[str, Any]) -> Order:
    """Write ``changes`` on an order that this transaction has locked."""
    for name, value in changes.items():
        setattr(order, name, value)
    with as_system("prices are written for every channel"):
        Order.objects.filter(pk=order.pk).update(**changes)
    return order


def _close_open_offer(order: Order, actor: Actor, reason: str, now: datetime) -> None:
    from .dispatching import close_offer

    close_offer(order, "withdrawn", actor=actor, answer=reason, now=now)


def require_agreement(agreement_id: int, *, person_id: int, item_code: str, first: Any, last: Any) -> Agreement:
    """The signed agreement that covers ``item_code`` from ``first`` to ``last``; raises Refused without one (R-083)."""
    agreement = Agreement.objects.filter(pk=agreement_id, person_id=person_id).first()
    if agreement is None:
        raise NotVisible
    if agreement.state != "signed" or not (agreement.valid_from <= first and last <= agreement.valid_to):
        raise Refused(
            _("There is no signed agreement for this period. Sign one before planning recurring visits."),
            code="orders.no_agreement",
        )
    if item_code not in agreement.items:
        raise Refused(_("The agreement does not cover this service."), code="orders.not_in_agreement")
    return agreement
