"""What settlement asks of orders: mark as settled, once."""

from datetime import datetime

from django.utils import timezone

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Refused
from sangyu.kernel.services import service

from ..enums import Action, State
from ..models import Order, OrderLog, Refund


@service("orders.settle")
def mark_settled(
    *, actor: Actor, order_ids: list[int], refund_ids: list[int] = (), statement_id: int, now: datetime | None = None
) -> int:
    """Move confirmed orders to SETTLED under ``statement_id``, set-based, with a trail row each; returns how many.

    Raises Refused when any of them is not confirmed or lies out of scope: then none has moved.
    """
    now = now or timezone.now()
    locked = list(
        Order.objects.select_for_update()
        .filter(pk__in=order_ids, state=State.CONFIRMED)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    if len(locked) != len(set(order_ids)):
        raise Refused("Some visits are no longer confirmed. Build the statement again.", code="orders.not_settleable")
    Order.objects.filter(pk__in=locked).update(state=State.SETTLED, settled_at=now, statement_id=statement_id)
    Refund.objects.filter(pk__in=refund_ids).update(statement_id=statement_id)
    OrderLog.objects.bulk_create(
        OrderLog(
            order_id=pk,
            action=Action.SETTLE,
            source=State.CONFIRMED,
            target=State.SETTLED,
            at=now,
            account_id=actor.account_id,
            actor=actor.name,
            data={"statement_id": statement_id},
        )
        for pk in locked
    )
    return len(locked)
