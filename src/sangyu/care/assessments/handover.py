"""Visits that somebody who leaves was sent to go to the successor (X-07), when that one is an assessor of the same body."""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.handover import HandoverRule, Holder, Work
from sangyu.kernel.identity import mask_name

from .enums import State
from .models import Assessment, Assessor


def open_of(holder: Holder) -> list[Work]:
    rows = Assessment.objects.filter(
        Q(lead__account_id=holder.account_id) | Q(second__account_id=holder.account_id), state=State.ASSIGNED
    ).order_by("pk")
    return [Work(r.pk, r.path, f"{r.number} {mask_name(r.person_name)}") for r in rows]


def move(holder: Holder, successor: Holder, ids: list[int]) -> None:
    """Row by row: nobody stands in both places of a visit, and the body stays the same."""
    for row in Assessment.objects.filter(pk__in=ids, state=State.ASSIGNED).select_related("lead", "second"):
        new = Assessor.objects.filter(account_id=successor.account_id, body_id=row.body_id).order_by("-pk").first()
        if new is None or new.pk in (row.lead_id, row.second_id):
            continue
        for field in ("lead", "second"):
            one = getattr(row, field)
            if one is not None and one.account_id == holder.account_id:
                setattr(row, field, new)
        row.save(update_fields=["lead", "second"])


handover_rules = [HandoverRule("assessments.visits", _("Assessment visits"), open_of, move)]
