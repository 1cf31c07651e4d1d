"""Doors that somebody was to knock at go to the successor (X-07): of the staff, and of a worker."""

from django.utils.translation import gettext_lazy as _

from sangyu.kernel.handover import HandoverRule, Holder, Work
from sangyu.kernel.identity import mask_name

from .enums import TaskState
from .models import Task


def open_of(holder: Holder) -> list[Work]:
    rows = Task.objects.filter(account_id=holder.account_id, state=TaskState.WAITING).select_related("campaign")
    return [Work(t.pk, t.path, f"{t.campaign.title} {mask_name(t.person_name)}") for t in rows.order_by("pk")]


def move(holder: Holder, successor: Holder, ids: list[int]) -> None:
    rows = Task.objects.filter(pk__in=ids, account_id=holder.account_id, state=TaskState.WAITING)
    rows.update(account_id=successor.account_id)


handover_rules = [HandoverRule("screening.tasks", _("Screening visits"), open_of, move)]
