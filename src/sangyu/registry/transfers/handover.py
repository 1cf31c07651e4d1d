"""Requests for a file that wait for their answer go to the successor on the asking side (X-07)."""

from django.utils.translation import gettext_lazy as _

from sangyu.kernel.handover import HandoverRule, Holder, Work

from .enums import State
from .models import Transfer


def open_of(holder: Holder) -> list[Work]:
    rows = Transfer.objects.filter(assigned_id=holder.account_id, state=State.REQUESTED).order_by("answer_by", "id")
    return [Work(t.pk, t.path, t.number) for t in rows]


def move(holder: Holder, successor: Holder, ids: list[int]) -> None:
    Transfer.objects.filter(pk__in=ids, assigned_id=holder.account_id).update(assigned_id=successor.account_id)


handover_rules = [HandoverRule("transfers.requests", _("Requests for files"), open_of, move)]
