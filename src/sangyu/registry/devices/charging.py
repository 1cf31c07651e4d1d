"""Monthly fees: registered from the devices' plans, marked as paid (R-089). Imported through ``services``."""

from datetime import date, datetime, time

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.services import service

from .models import Fee

#: Devices that somebody had on a day of the month; what is registered already stays as it is.
_CHARGE = """
WITH held AS (
    SELECT DISTINCT ON (b.device_id) b.device_id, b.person_id, b.path
      FROM devices_binding b
     WHERE b.issued_at < %(after)s AND (b.returned_at IS NULL OR b.returned_at >= %(first)s)
       AND b.path >= %(path)s AND b.path < %(path)s || '~'
     ORDER BY b.device_id, b.issued_at DESC)
INSERT INTO devices_fee (device_id, person_id, path, month, kind, amount, payer, reference)
SELECT d.id, h.person_id, h.path, %(month)s, k.kind, k.amount, d.payer, ''
  FROM held h JOIN devices_device d ON d.id = h.device_id
 CROSS JOIN LATERAL (VALUES ('service', d.service_fee), ('sim', d.sim_fee)) k (kind, amount)
 WHERE k.amount > 0
    ON CONFLICT ON CONSTRAINT device_fee_once DO NOTHING
"""


@service("devices.fees")
def charge_month(*, actor: Actor, month: date, today: date | None = None) -> int:
    """Register the fees of ``month`` (any day of it) for devices that somebody of the actor's area had in it.

    Repeatable: answers how many were added. Raises Invalid for a month that has not begun.
    """
    first = month.replace(day=1)
    if first > (today or timezone.localdate()):
        raise Invalid({"month": [_("The month has not begun.")]})
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    at = {
        name: timezone.make_aware(datetime.combine(day, time())) for name, day in (("first", first), ("after", after))
    }
    with connection.cursor() as cursor:
        cursor.execute(_CHARGE, {**at, "month": first, "path": actor.path})
        return cursor.rowcount


@service("devices.fees")
def record_paid(*, actor: Actor, fee_id: int, paid_on: date, reference: str = "", today: date | None = None) -> Fee:
    """The fee was paid. Raises NotVisible, Invalid (future), Refused("devices.paid")."""
    found = Fee.objects.select_for_update(of=("self",)).visible_to(actor).filter(pk=fee_id).first()
    if found is None:
        raise NotVisible
    if paid_on > (today or timezone.localdate()):
        raise Invalid({"paid_on": [_("The day lies in the future.")]})
    if found.paid_on is not None:
        raise Refused(_("This was paid already."), code="devices.paid")
    found.paid_on, found.reference = paid_on, reference.strip()
    found.save(update_fields=["paid_on", "reference"])
    return found
