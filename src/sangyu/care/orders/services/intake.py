"""Request → price → received: the first steps of the road (R-078, R-087, R-052)."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from sangyu.care.vouchers import selectors as voucher_selectors
from sangyu.care.vouchers import services as vouchers
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.identity import age_on
from sangyu.kernel.numbering import next_number
from sangyu.kernel.scoping import as_system
from sangyu.kernel.services import service
from sangyu.registry.catalogue import selectors as catalogue
from sangyu.registry.organisations import selectors as organisations
from sangyu.registry.people import selectors as people
from sangyu.registry.people.enums import Part
from sangyu.registry.workforce import selectors as workforce

from ..enums import Action, Channel
from ..models import Agreement, Order
from ..pricing import Quote, TierRule, first_fitting, quote
from ..workflow import ORDER_FLOW
from ._shared import apply, fee_rules, lock_order, require_step, service_rule, unshare_provider, unshare_worker


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
    """Register a need in the state REQUESTED. ``key`` is the caller's own number of the request (of its account): a repeat
    from another system returns the first order (R-012).

    Raises NotVisible for a person or preferred worker out of scope, Invalid for an unknown item, a time in the past or
    an elder who has died.
    """
    now = now or timezone.now()
    if key and (known := _of_key(actor, key, person_id, planned_start)):
        return known
    order = _new_order(
        actor, person_id, item_code, planned_start, quantity, preferred_worker_id, now,
        channel=channel, requested_by=requested_by, wishes=wishes, worker_sex=worker_sex, agreement_id=agreement_id, key=key,
    )[0]  # fmt: skip
    return ORDER_FLOW.begin(actor=actor, row=order, action="request", now=now)


def _of_key(actor: Actor, key: str, person_id: int, planned_start: datetime) -> Order | None:
    """The order that the caller has already asked for under ``key``. Raises Refused when it was another need."""
    with connection.cursor() as cursor:  # of two repeats at once the second waits, and finds the first one's order
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", [key, actor.account_id or 0])
    found = Order.objects.filter(key=key, key_account=actor.account_id or 0).first()
    if found and (found.person_id, found.planned_start) != (person_id, planned_start):
        raise Refused(_("The key belongs to another request."), code="orders.key_reused")
    return found


def _new_order(
    actor: Actor,
    person_id: int,
    item_code: str,
    planned_start: datetime,
    quantity: int,
    preferred_worker_id: int | None,
    now: datetime,
    **said: Any,
) -> tuple[Order, Any, Any]:
    """A checked, unsaved order with its person and item. ``said`` are fields as the caller gave them."""
    person = people.get_person(actor, person_id)
    if not people.sees_part(actor, person_id, Part.VISITS):
        raise Forbidden("orders.request")  # the consent does not open the visits
    people.refuse_use(person)
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
        preferred_worker_id=preferred_worker_id,
        requested_at=now,
        key_account=actor.account_id or 0,
        dispatch_by=now + timedelta(minutes=service_rule(person.path, day).dispatch_minutes),
        **said,
    )
    return order, person, item


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


def offerings_for(order: Order, item: Any = None) -> list[organisations.Offering]:
    """Who could serve ``order`` and at which price, with what keeps each from it."""
    return organisations.offering(item or order.item_id, order.path, localtime(order.planned_start).date())


def tier_for(order: Order, person: Any) -> TierRule:
    """The fee rule that fits the elder on the day of the visit; raises Refused when none does."""
    day = localtime(order.planned_start).date()
    age = age_on(person.birth_date, day) if person.birth_date else 0
    rule = first_fitting(fee_rules(order.path, day), age=age, facts=people.facts_on(person.pk, day))
    if rule is None:
        raise Refused(
            _("No fee rule fits this elder. Ask the bureau to complete the rules."), code="orders.no_fee_rule"
        )
    return rule


def quote_for(
    actor: Actor,
    order: Order,
    offerings: list[organisations.Offering],
    rule: TierRule,
    *,
    organisation_id: int | None,
    item: Any = None,
    held: dict[int, int] | None = None,
) -> tuple[Quote, int | None]:
    """The price of ``order`` now, with the contract it comes from: of ``organisation_id``, or the cheapest that can
    serve it. What the order already holds of vouchers (``held``: account → fen) counts as free.
    """
    able = [o for o in offerings if not o.blocks and organisation_id in (None, o.organisation_id)]
    if not able:
        raise Refused(
            _("No provider with a valid contract offers this service here on that day."), code="orders.no_offering"
        )
    chosen = min(able, key=lambda o: (o.unit_price, o.organisation_id))
    usable = voucher_selectors.usable(
        actor=actor,
        person_id=order.person_id,
        item=item or order.item_id,
        day=localtime(order.planned_start).date(),
        organisation_id=chosen.organisation_id,
        held=held,
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
    offerings = offerings_for(order, item)
    return quote_for(actor, order, offerings, tier_for(order, person), organisation_id=None, item=item)[0]


def price_fields(order: Order, terms: Quote, contract_id: int | None) -> dict[str, Any]:
    """The fields of an order that its price fills."""
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


def hold_vouchers(actor: Actor, order: Order, terms: Quote) -> None:
    """Set the price's vouchers aside under a new round of the order."""
    order.hold_round += 1
    if terms.splits:
        ref = order_ref(order)
        vouchers.hold(
            actor=actor, order_ref=ref, person_id=order.person_id, splits=list(terms.splits), key=f"{ref}:hold"
        )


def reprice(
    actor: Actor,
    order: Order,
    offerings: list[organisations.Offering],
    rule: TierRule,
    *,
    organisation_id: int | None,
    item: Any = None,
) -> dict[str, Any]:
    """Price a locked order anew and return the fields to save with its transition.

    Vouchers that it holds stay held when the new price takes the same amounts of the same ones; else they are released and
    held anew under a new round.
    """
    held = vouchers.held(actor=actor, order_ref=order_ref(order)) if order.voucher_amount else {}
    terms, contract_id = quote_for(
        actor,
        order,
        offerings,
        rule,
        organisation_id=organisation_id,
        item=item,
        held={h.account_id: h.amount for h in held},
    )
    if sorted(terms.splits) != sorted((h.voucher_id, h.amount) for h in held):
        if held:
            vouchers.release(actor=actor, order_ref=order_ref(order))
        hold_vouchers(actor, order, terms)
    return price_fields(order, terms, contract_id)


def order_ref(order: Order) -> str:
    """What the ledger knows of an order: its number and the round of its hold."""
    return f"{order.number}#{order.hold_round}"


@service("orders.receive")
def receive(*, actor: Actor, order_id: int, organisation_id: int | None = None, now: datetime | None = None) -> Order:
    """Price a requested order and hold its vouchers: REQUESTED → RECEIVED (R-052)."""
    now = now or timezone.now()
    order = lock_order(order_id)
    require_step(order, Action.RECEIVE)
    item = catalogue.get_item_by_id(order.item_id)
    offerings = offerings_for(order, item)
    rule = tier_for(order, people.get_person(actor, order.person_id))
    with as_system("prices are written for every channel"):
        terms, contract_id = quote_for(actor, order, offerings, rule, organisation_id=organisation_id, item=item)
        hold_vouchers(actor, order, terms)
        return apply(actor, order, Action.RECEIVE, now=now, changes=price_fields(order, terms, contract_id))


@service("orders.receive")
def request_and_receive(
    *,
    actor: Actor,
    person_id: int,
    item_code: str,
    planned_start: datetime,
    quantity: int = 1,
    preferred_worker_id: int | None = None,
    key: str | None = None,
    organisation_id: int | None = None,
    now: datetime | None = None,
    **need: Any,
) -> Order:
    """What a desk does in one step: register the need and price it. Same checks and trail as ``request`` and ``receive``."""
    if not actor.may("orders.request"):
        raise Forbidden("orders.request")
    now = now or timezone.now()
    if key and (known := _of_key(actor, key, person_id, planned_start)):
        return known
    order, person, item = _new_order(
        actor, person_id, item_code, planned_start, quantity, preferred_worker_id, now, key=key, **need
    )
    offerings, rule = offerings_for(order, item), tier_for(order, person)
    with as_system("prices are written for every channel"):
        terms, contract_id = quote_for(actor, order, offerings, rule, organisation_id=organisation_id, item=item)
        hold_vouchers(actor, order, terms)
        for name, value in price_fields(order, terms, contract_id).items():
            setattr(order, name, value)
        return ORDER_FLOW.begin(actor=actor, row=order, action="request", then=[Action.RECEIVE], now=now)


@service("orders.receive")
def reschedule(
    *, actor: Actor, order_id: int, planned_start: datetime, reason: str, now: datetime | None = None
) -> Order:
    """Change the time; an accepted order goes back to dispatch. Raises Invalid for a past time."""
    now = now or timezone.now()
    order = lock_order(order_id)
    if planned_start < now:
        raise Invalid({"planned_start": [_("The time lies in the past. Choose a later one.")]})
    require_step(order, Action.RESCHEDULE)
    _close_open_offer(order, actor, reason, now)
    unshare_worker(order, order.worker_id, reason)
    unshare_worker(order, order.second_worker_id, reason)
    unshare_provider(order, reason)
    before, length = order.planned_start, order.planned_end - order.planned_start
    order.planned_start, order.planned_end = planned_start, planned_start + length
    minutes = service_rule(order.path, localtime(planned_start).date()).dispatch_minutes
    rule = tier_for(order, people.get_person(actor, order.person_id))
    priced = reprice(actor, order, offerings_for(order), rule, organisation_id=None)
    return apply(
        actor,
        order,
        Action.RESCHEDULE,
        now=now,
        reason=reason,
        changes={
            **priced,
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
        data={"from": before.isoformat(), "to": planned_start.isoformat()},
    )


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
