"""Requests about personal data in somebody's hands go to the successor (X-07)."""

from django.utils.translation import gettext_lazy as _

from sangyu.kernel.handover import HandoverRule, Holder, Work

from .enums import OPEN
from .models import Request


def open_of(holder: Holder) -> list[Work]:
    rows = Request.objects.filter(assigned_id=holder.account_id, state__in=OPEN).order_by("due_on", "id")
    return [Work(r.pk, r.path, f"{r.get_kind_display()} {r.pk} ({r.due_on:%Y-%m-%d})") for r in rows]


def move(holder: Holder, successor: Holder, ids: list[int]) -> None:
    Request.objects.filter(pk__in=ids, assigned_id=holder.account_id, state__in=OPEN).update(
        assigned_id=successor.account_id
    )


handover_rules = [HandoverRule("privacy.requests", _("Requests about personal data"), open_of, move)]
