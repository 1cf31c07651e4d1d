"""Imports that were begun and not yet written go to the successor, with their files (X-07)."""

from django.utils.translation import gettext_lazy as _

from sangyu.kernel.handover import HandoverRule, Holder, Work
from sangyu.kernel.models import StoredFile

from .models import ImportBatch

OPEN = (ImportBatch.State.MATCH, ImportBatch.State.PREVIEW)


def open_of(holder: Holder) -> list[Work]:
    rows = ImportBatch.objects.filter(account_id=holder.account_id, state__in=OPEN).order_by("id")
    return [Work(b.pk, b.path, b.file_name) for b in rows]


def move(holder: Holder, successor: Holder, ids: list[int]) -> None:
    rows = ImportBatch.objects.filter(pk__in=ids, account_id=holder.account_id, state__in=OPEN)
    StoredFile.objects.filter(pk__in=list(rows.values_list("file_id", flat=True))).update(
        account_id=successor.account_id
    )
    rows.update(account_id=successor.account_id, actor=successor.name)


handover_rules = [HandoverRule("importing.batches", _("Imports not yet written"), open_of, move)]
