"""Cases, nights and stations of somebody who leaves go to the successor (X-07)."""

from django.utils.translation import gettext_lazy as _

from sangyu.kernel.handover import HandoverRule, Holder, Work

from .models import Incident


def open_of(holder: Holder) -> list[Work]:
    rows = Incident.objects.live().filter(claimed_by=holder.account_id)
    return [Work(i.pk, i.path, i.number) for i in rows.order_by("pk")]


def move(holder: Holder, successor: Holder, ids: list[int]) -> None:
    rows = Incident.objects.live().filter(pk__in=ids, claimed_by=holder.account_id)
    rows.update(claimed_by=successor.account_id, claimed_name=successor.name[:100])


handover_rules = [HandoverRule("emergencies.cases", _("Emergencies in hand"), open_of, move)]
