"""Orders that still run stand against deleting a person's data."""

from django.utils.translation import gettext as _

from .enums import State
from .models import Order

ENDED = (State.SETTLED, State.CANCELLED, State.NO_SHOW)


def open_orders(person_id: int) -> str:
    count = Order.objects.filter(person_id=person_id).exclude(state__in=ENDED).count()
    return _("%(n)d orders are not settled") % {"n": count} if count else ""


blocks = [open_orders]
