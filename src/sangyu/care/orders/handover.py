"""Visits of a care worker who leaves: listed. Who goes instead is the provider's or dispatcher's choice (skill, licence,
free hours), so nothing is moved here (X-07)."""

from django.utils.translation import gettext_lazy as _

from sangyu.kernel.actor import Audience
from sangyu.kernel.handover import HandoverRule, Holder, Work

from .enums import State
from .models import Order

#: A worker is on it and the visit has not begun.
AHEAD = (State.OFFERED, State.ACCEPTED, State.ON_THE_WAY)


def open_of(holder: Holder) -> list[Work]:
    workers = holder.subjects.get(Audience.WORKER, ())
    if not workers:
        return []
    rows = Order.objects.filter(worker_id__in=workers, state__in=AHEAD).order_by("planned_start", "id")
    return [Work(o.pk, o.path, f"{o.number} {o.planned_start:%Y-%m-%d}") for o in rows]


handover_rules = [HandoverRule("orders.visits", _("Visits ahead: choose another worker on the order"), open_of)]
