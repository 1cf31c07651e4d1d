"""What happens without a person: deadlines, deaths, ended contracts. Called by the sweep and by event handlers."""

from datetime import date, datetime, timedelta

from django.db import models
from django.utils import timezone
from django.utils.timezone import localtime, make_aware
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.events import emit
from sangyu.kernel.services import service

from ..enums import Action, OfferState, State
from ..models import Offer, Order
from ._shared import service_rule
from .closing import confirm_by_time, end_without_visit
from .dispatching import _take_back


@service("orders.sweep")
def sweep(*, actor: Actor, now: datetime | None = None, limit: int = 500) -> dict[str, int]:
    """Act on every passed deadline under the actor's path, at most ``limit`` of each kind; returns counts by kind.

    Late dispatch and late acceptance are warned of once; unanswered offers lapse; a missed visit raises an alert
    (R-085);
    finished visits confirm themselves. Safe to run twice or by two workers: rows are locked and skipped.
    """
    now = now or timezone.now()
    return {
        "late_dispatch": _warn(
            now, limit, "warned_dispatch_at", "orders.late_dispatch", state=State.RECEIVED, dispatch_by__lt=now
        ),
        "late_accept": _warn_late_accept(now, limit),
        "lapsed": _lapse(actor, now, limit),
        "missed": _missed(now, limit),
        "confirmed": _auto_confirm(actor, now, limit),
    }


def _warn(now: datetime, limit: int, stamp: str, event: str, **condition) -> int:
    rows = list(
        Order.objects.select_for_update(skip_locked=True)
        .filter(**{f"{stamp}__isnull": True}, **condition)
        .order_by("pk")[:limit]
    )
    Order.objects.filter(pk__in=[o.pk for o in rows]).update(**{stamp: now})
    for order in rows:
        emit(event, path=order.path, id=order.pk)
    return len(rows)


def _warn_late_accept(now: datetime, limit: int) -> int:
    """Half of the answering time has passed without an answer."""
    waiting = Offer.objects.filter(state=OfferState.OPEN).annotate(
        gone=models.Value(now) - models.F("sent_at"), left=models.F("answer_by") - models.Value(now)
    )
    ids = list(waiting.filter(gone__gt=models.F("left")).values_list("order_id", flat=True)[:limit])
    return _warn(now, limit, "warned_accept_at", "orders.late_accept", state=State.OFFERED, pk__in=ids)


def _lapse(actor: Actor, now: datetime, limit: int) -> int:
    ids = list(
        Offer.objects.select_for_update(skip_locked=True)
        .filter(state=OfferState.OPEN, answer_by__lt=now)
        .order_by("pk")
        .values_list("order_id", flat=True)[:limit]
    )
    for order_id in ids:
        _take_back(actor, order_id, Action.LAPSE, OfferState.LAPSED, _("No answer in time"), now)
    return len(ids)


def _missed(now: datetime, limit: int) -> int:
    """Nobody has arrived when the region's late minutes are over."""
    rows = (
        Order.objects.filter(
            state__in=[State.ACCEPTED, State.ON_THE_WAY], planned_start__lt=now, warned_missed_at__isnull=True
        )
        .order_by("pk")
        .values_list("pk", "path", "planned_start")[:limit]
    )
    rules: dict[str, int] = {}
    late = []
    for pk, path, start in rows:
        if path not in rules:
            rules[path] = service_rule(path, localtime(now).date()).late_minutes
        if start + timedelta(minutes=rules[path]) <= now:
            late.append(pk)
    return _warn(now, limit, "warned_missed_at", "orders.visit_missed", pk__in=late)


def _auto_confirm(actor: Actor, now: datetime, limit: int) -> int:
    ids = list(
        Order.objects.select_for_update(skip_locked=True)
        .filter(state=State.DONE, confirm_by__lt=now)
        .order_by("pk")
        .values_list("pk", flat=True)[:limit]
    )
    for order_id in ids:
        confirm_by_time(actor, order_id, now)
    return len(ids)


@service("orders.cancel")
def cancel_for_person(
    *, actor: Actor, person_id: int, from_day: date | None, reason: str, now: datetime | None = None
) -> int:
    """End every order of ``person_id`` that has not begun (planned from ``from_day`` on, None = all), without fee;
    returns how many.

    After a death (all), or an admission or move (from its day): R-129. Visits under way are left to the people in the
    home.
    """
    now = now or timezone.now()
    waiting = Order.objects.filter(
        person_id=person_id,
        state__in=[State.REQUESTED, State.RECEIVED, State.OFFERED, State.ACCEPTED, State.ON_THE_WAY],
    )
    if from_day is not None:
        waiting = waiting.filter(planned_start__gte=make_aware(datetime.combine(from_day, datetime.min.time())))
    count = 0
    for order in waiting.order_by("pk"):
        end_without_visit(actor, order, Action.CANCEL, reason=reason, fee=0, now=now)
        count += 1
    return count


@service("orders.dispatch")
def release_from_organisation(
    *,
    actor: Actor,
    organisation_id: int,
    contract_id: int | None,
    from_day: date,
    reason: str,
    now: datetime | None = None,
) -> int:
    """Return to dispatch what a provider may no longer do: a contract ended or the provider was suspended (R-006, R-067)."""
    held = Order.objects.filter(organisation_id=organisation_id)
    if contract_id is not None:
        held = held.filter(contract_id=contract_id)
    return _release(actor, held, from_day, reason, now or timezone.now())


@service("orders.dispatch")
def release_from_worker(
    *, actor: Actor, worker_id: int, from_day: date, reason: str, now: datetime | None = None
) -> int:
    """Return to dispatch the visits of a worker who left or was suspended, from ``from_day`` on; returns how many."""
    held = Order.objects.filter(models.Q(worker_id=worker_id) | models.Q(second_worker_id=worker_id))
    return _release(actor, held, from_day, reason, now or timezone.now())


def _release(actor: Actor, held: models.QuerySet, from_day: date, reason: str, now: datetime) -> int:
    held = held.filter(
        state__in=[State.OFFERED, State.ACCEPTED],
        planned_start__gte=make_aware(datetime.combine(from_day, datetime.min.time())),
    )
    count = 0
    for order in held.order_by("pk"):
        action = Action.WITHDRAW if order.state == State.OFFERED else Action.HAND_BACK
        _take_back(actor, order.pk, action, OfferState.WITHDRAWN, reason, now)
        count += 1
    return count
