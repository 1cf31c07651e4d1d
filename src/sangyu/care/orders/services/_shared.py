"""What several services of orders need: loading, rules, sharing, return visits."""

import zlib
from datetime import date, datetime

from django.db import connection, models
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.calendar import add_working_days
from sangyu.kernel.errors import NotVisible, Refused
from sangyu.kernel.scoping import as_system, lineage

from ..enums import Action, ReturnVisitReason
from ..models import FeeRule, Order, ReturnVisit, ServiceRule
from ..pricing import TierRule
from ..workflow import ORDER_FLOW


def get_order(actor: Actor, pk: int) -> Order:
    """The order as ``actor`` sees it; raises NotVisible."""
    order = Order.objects.filter(pk=pk).first()
    if order is None:
        raise NotVisible
    return order


def lock_order(order_id: int) -> Order:
    """The order as the open scope sees it, locked for the step that follows; raises NotVisible."""
    return ORDER_FLOW.lock(Order.objects.all(), order_id)


def require_step(order: Order, action: Action) -> None:
    """Raises Refused when the graph does not lead on from the order's state, before anything is done for the step."""
    ORDER_FLOW.require(order, action)


def apply(actor: Actor, order: Order | int, action: Action, **kwargs) -> Order:
    """One step of the workflow of an order that ``lock_order`` answered, or of the one with this id; see
    kernel.workflow.Workflow.apply.
    """
    row, pk = (None, order) if isinstance(order, int) else (order, order.pk)
    return ORDER_FLOW.apply(actor=actor, queryset=Order.objects.all(), pk=pk, row=row, action=action, **kwargs)


def service_rule(path: str, day: date) -> ServiceRule:
    """The rule of the deepest region on the way to ``path`` in force on ``day``; the built-in defaults where none
    is.
    """
    found = (
        ServiceRule.objects.filter(path__in=lineage(path), valid_from__lte=day)
        .order_by(models.functions.Length("path").desc(), "-valid_from")
        .first()
    )
    return found or ServiceRule(path=path, valid_from=day)


def fee_rules(path: str, day: date) -> list[TierRule]:
    """Fee rules in force on ``day`` for ``path``: those of the deepest region that has any, by rank."""
    rows = list(
        FeeRule.objects.filter(path__in=lineage(path), valid_from__lte=day)
        .filter(models.Q(valid_to__isnull=True) | models.Q(valid_to__gt=day))
        .order_by("rank")
    )
    if not rows:
        raise Refused(_("No fee rule is in force here. Ask the bureau to publish one."), code="orders.no_fee_rule")
    deepest = max(len(r.path) for r in rows)
    return [
        TierRule(r.tier, r.title, r.basis, r.min_age, r.facts, r.concession_percent, r.vouchers_allowed, r.rest_paid_by)
        for r in rows
        if len(r.path) == deepest
    ]


def unshare(audience: Audience, subject_id: int, kind: str, object_id: int, reason: str) -> None:
    """End a share."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sangyu.unshare(%s, %s, %s, %s, %s)", [audience.value, subject_id, kind, object_id, reason]
        )


def share_with_provider(order: Order) -> None:
    """The provider and the sent workers see the order and the elder; the family sees the worker who comes."""
    shares = [(Audience.PROVIDER.value, order.organisation_id, "person", order.person_id)]
    for worker_id in filter(None, (order.worker_id, order.second_worker_id)):
        shares += [(Audience.WORKER.value, worker_id, "order", order.pk)]
        shares += [(Audience.WORKER.value, worker_id, "person", order.person_id)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sangyu.share(a, s, k, o, %s, NULL, %s)"
            " FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::bigint[]) x (a, s, k, o)",
            [order.path, f"order {order.number}", *(list(column) for column in zip(*shares, strict=True))],
        )


def unshare_worker(order: Order, worker_id: int | None, reason: str) -> None:
    """A worker no longer on the order loses sight of it and of the elder."""
    if worker_id is not None:
        unshare(Audience.WORKER, worker_id, "order", order.pk, reason)
        end_person_shares(order, worker_id)


def end_person_shares(order: Order, *worker_ids: int | None) -> None:
    """A worker's view of the elder's file ends with its last open visit there; the visit stays in its own record."""
    over = set(filter(None, worker_ids))
    if not over:
        return
    with as_system("other visits of the workers may lie outside the actor's sight"):
        others = Order.objects.open().filter(person_id=order.person_id).exclude(pk=order.pk)
        for crew in others.values_list("worker_id", "second_worker_id"):
            over.difference_update(crew)
        for worker_id in sorted(over):
            unshare(Audience.WORKER, worker_id, "person", order.person_id, f"order {order.number} is over")


def unshare_provider(order: Order, reason: str) -> None:
    """A provider no longer on the order loses sight of the elder unless it has another order for the same elder."""
    if order.organisation_id is None:
        return
    with as_system("other orders of the provider may lie outside the actor's sight"):
        keeps = (
            Order.objects.filter(organisation_id=order.organisation_id, person_id=order.person_id)
            .exclude(pk=order.pk)
            .exists()
        )
    if not keeps:
        unshare(Audience.PROVIDER, order.organisation_id, "person", order.person_id, reason)


def require_return_visit(order: Order, reason: ReturnVisitReason, now: datetime) -> None:
    """Put a return visit on the list once per reason, due after the region's working days (R-084)."""
    rule = service_rule(order.path, localtime(now).date())
    due = add_working_days(localtime(now).date(), rule.return_visit_working_days)
    with as_system("return visits are the bureau's, whoever caused them"):
        ReturnVisit.objects.get_or_create(
            order=order,
            reason=reason,
            defaults={
                "path": order.path,
                "due_by": localtime(now).replace(
                    year=due.year, month=due.month, day=due.day, hour=17, minute=0, second=0, microsecond=0
                ),
            },
        )


def is_sampled(number: str, percent: int) -> bool:
    """Whether an order falls into the sample: a fixed share of numbers, the same at every asking."""
    return zlib.crc32(number.encode()) % 100 < percent
