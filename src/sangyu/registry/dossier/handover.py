"""Files whose check is somebody's turn go to the successor (X-07)."""

from django.utils.translation import gettext_lazy as _

from sangyu.kernel.handover import HandoverRule, Holder, Work

from .models import Assignment


def open_of(holder: Holder) -> list[Work]:
    rows = Assignment.objects.filter(account_id=holder.account_id).order_by("id")
    return [Work(a.pk, a.path, f"{a.person_id}") for a in rows]


def move(holder: Holder, successor: Holder, ids: list[int]) -> None:
    Assignment.objects.filter(pk__in=ids, account_id=holder.account_id).update(account_id=successor.account_id)


handover_rules = [HandoverRule("dossier.checks", _("Files to check"), open_of, move)]
