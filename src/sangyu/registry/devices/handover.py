"""Devices in a workshop after which somebody asks go to the successor (X-07)."""

from django.utils.translation import gettext_lazy as _

from sangyu.kernel.handover import HandoverRule, Holder, Work

from .models import Repair


def open_of(holder: Holder) -> list[Work]:
    rows = Repair.objects.filter(keeper_id=holder.account_id, back_on__isnull=True).select_related("device")
    return [
        Work(r.pk, r.device.path, f"{r.device.identity} {r.vendor} ({r.sent_on:%Y-%m-%d})") for r in rows.order_by("pk")
    ]


def move(holder: Holder, successor: Holder, ids: list[int]) -> None:
    Repair.objects.filter(pk__in=ids, keeper_id=holder.account_id).update(keeper_id=successor.account_id)


handover_rules = [HandoverRule("devices.repairs", _("Devices in repair"), open_of, move)]
