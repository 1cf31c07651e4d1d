"""Life events whose check list is open go to the successor; who recorded them stays in the record (X-07)."""

from django.utils.translation import gettext_lazy as _

from sangyu.kernel.handover import HandoverRule, Holder, Work

from .models import LifeEvent


def open_of(holder: Holder) -> list[Work]:
    rows = LifeEvent.objects.filter(assigned_id=holder.account_id, closed_at__isnull=True).order_by("on", "id")
    return [Work(e.pk, e.path, f"{e.get_kind_display()} {e.pk} ({e.on:%Y-%m-%d})") for e in rows]


def move(holder: Holder, successor: Holder, ids: list[int]) -> None:
    LifeEvent.objects.filter(pk__in=ids, assigned_id=holder.account_id).update(assigned_id=successor.account_id)


handover_rules = [HandoverRule("lifeevents.events", _("Life events with open items"), open_of, move)]
