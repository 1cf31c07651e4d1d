"""What other rooms and surfaces may ask about orders."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, Prefetch, Q, QuerySet
from django.utils.timezone import localtime, make_aware

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import NotVisible
from sangyu.kernel.scoping import PATH_END

from ..enums import OPEN_STATES, State
from ..models import Agreement, Evidence, Offer, Order, OrderLog, Refund, ReturnVisit
from ..workflow import ORDER_FLOW


@dataclass(frozen=True)
class SettleableLine:
    """One confirmed visit (or refund, then negative) that no statement holds yet. Money in fen."""

    order_id: int
    number: str
    visit_on: date
    person_id: int
    person_name: str
    item_code: str
    item_name: str
    minutes: int | None
    price: int
    concession: int
    voucher: int
    public_pay: int
    self_pay: int
    confirmed_at: datetime
    organisation_id: int
    path: str
    refund_id: int | None = None


def settleable(*, path: str, organisation_id: int, until: datetime) -> list[SettleableLine]:
    """Confirmed visits and refunds of ``organisation_id`` under ``path`` confirmed before ``until`` and on no
    statement, oldest first.
    """
    orders = Order.objects.filter(
        state=State.CONFIRMED,
        organisation_id=organisation_id,
        confirmed_at__lt=until,
        path__gte=path,
        path__lt=path + PATH_END,
    ).select_related("item")
    lines = [
        SettleableLine(
            o.pk, o.number, localtime(o.arrived_at).date(), o.person_id, o.person_name, o.item.code, o.item_name,
            o.minutes,
            o.market_price, o.concession, o.voucher_amount, o.public_pay, o.self_pay, o.confirmed_at,
            o.organisation_id, o.path,
        )
        for o in orders.order_by("confirmed_at", "pk")
    ]  # fmt: skip
    refunds = Refund.objects.filter(
        organisation_id=organisation_id,
        statement_id__isnull=True,
        at__lt=until,
        path__gte=path,
        path__lt=path + PATH_END,
    ).select_related("order", "order__item")
    lines += [
        SettleableLine(
            r.order_id, r.order.number, localtime(r.at).date(), r.order.person_id, r.order.person_name,
            r.order.item.code, r.order.item_name, None,
            -(r.voucher_amount + r.public_pay + r.self_pay), 0, -r.voucher_amount, -r.public_pay, -r.self_pay, r.at,
            r.organisation_id, r.path, r.pk,
        )
        for r in refunds.order_by("at", "pk")
    ]  # fmt: skip
    return lines


def settleable_organisations(*, path: str, until: datetime) -> list[int]:
    """Organisations with anything that ``settleable`` would answer under ``path``."""
    place = {"path__gte": path, "path__lt": path + PATH_END}
    visits = Order.objects.filter(state=State.CONFIRMED, confirmed_at__lt=until, **place)
    refunds = Refund.objects.filter(statement_id__isnull=True, at__lt=until, **place)
    found = [rows.order_by().values_list("organisation_id", flat=True).distinct() for rows in (visits, refunds)]
    return sorted({pk for rows in found for pk in rows})


def get_order(actor: Actor, pk: int) -> Order:
    """The order with what its page shows in few queries; raises NotVisible."""
    order = (
        Order.objects.select_related("item", "organisation", "worker", "second_worker", "agreement", "region")
        .prefetch_related(
            Prefetch("offers", Offer.objects.select_related("organisation", "worker").order_by("-id")),
            Prefetch("evidence", Evidence.objects.select_related("file").order_by("at", "id")),
            Prefetch("log", OrderLog.objects.order_by("id")),
            Prefetch("return_visits", ReturnVisit.objects.order_by("id")),
            Prefetch("refunds", Refund.objects.order_by("id")),
        )
        .filter(pk=pk)
        .first()
    )
    if order is None:
        raise NotVisible
    return order


def orders_visible(actor: Actor) -> QuerySet[Order]:
    """All orders in the actor's scope, newest first."""
    return Order.objects.visible_to(actor).order_by("-id")


def orders_of_person(actor: Actor, person_id: int) -> QuerySet[Order]:
    """Orders of one elder, newest first."""
    return orders_visible(actor).filter(person_id=person_id)


def visits_after(actor: Actor, person_id: int, day: date) -> list[Order]:
    """Visits that began after ``day`` and were not called off: what was used after a death that became known late (X-03)."""
    first = make_aware(datetime.combine(day + timedelta(days=1), time.min))
    rows = orders_of_person(actor, person_id).filter(arrived_at__gte=first).exclude(state=State.CANCELLED)
    return list(rows.select_related("organisation", "worker").order_by("arrived_at", "id"))


def steps_of_person(actor: Actor, person_id: int) -> QuerySet[OrderLog]:
    """Steps of all orders of one elder with their order and worker; the caller orders and limits."""
    rows = OrderLog.objects.filter(order__in=Order.objects.visible_to(actor).filter(person_id=person_id))
    return rows.select_related("order", "order__worker")


def calls_of_person(actor: Actor, person_id: int) -> QuerySet[ReturnVisit]:
    """Call-backs after visits to one elder, made and still due."""
    return ReturnVisit.objects.visible_to(actor).filter(order__person_id=person_id).select_related("order")


def tasks_of_worker(actor: Actor, start: datetime, end: datetime) -> QuerySet[Order]:
    """Visits of the signed-in worker planned in ``[start, end)``, by time."""
    mine = Q(worker_id=actor.subject_id) | Q(second_worker_id=actor.subject_id)
    return (
        Order.objects.filter(mine, planned_start__gte=start, planned_start__lt=end)
        .select_related("item")
        .order_by("planned_start", "id")
    )


def agreements_of_person(actor: Actor, person_id: int) -> QuerySet[Agreement]:
    """Agreements of one elder, newest first."""
    return Agreement.objects.visible_to(actor).filter(person_id=person_id).order_by("-id")


def due_return_visits(actor: Actor) -> QuerySet[ReturnVisit]:
    """Call-backs still to be made, the most urgent first."""
    return ReturnVisit.objects.visible_to(actor).filter(state="due").select_related("order").order_by("due_by", "id")


def count_by_state(actor: Actor) -> dict[str, int]:
    """Open orders by state, for home pages and badges."""
    rows = (
        Order.objects.visible_to(actor)
        .filter(state__in=OPEN_STATES)
        .values_list("state")
        .annotate(n=Count("id"))
        .order_by()
    )
    return dict(rows)


def actions_from(order: Order) -> list[str]:
    """Actions that the graph allows for the order now; whether the actor may is the services' question."""
    return [str(action) for action in ORDER_FLOW.actions_from(order.state)]
