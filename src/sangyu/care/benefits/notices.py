"""The public notice of a run, read by anybody while it lasts: masked names, one community at a time (R-039)."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.errors import NotVisible
from sangyu.kernel.identity import mask_name
from sangyu.kernel.scoping import for_everybody
from sangyu.registry.regions import selectors as regions

from .enums import LineState, RunState
from .models import Line, Notice
from .selectors import names, policy_names


@dataclass(frozen=True)
class NoticeLine:
    """What the public sees of a line: masked name, what for, how much."""

    name: str
    policy: str
    amount: int
    month: date


def public_notice(code: str, today: date | None = None) -> Notice:
    """The notice at a public address while it lasts. Raises NotVisible. Opens a scope of its own, as nobody is signed in."""
    today = today or timezone.localdate()
    with for_everybody():
        rows = Notice.objects.filter(opens_on__lte=today, closes_on__gt=today, run__state=RunState.PUBLISHED)
        return _one_by(rows.select_related("run", "run__region"), code)


def _one_by(rows: QuerySet, code: str) -> Notice:
    found = rows.filter(code=code).first()
    if found is None:
        raise NotVisible
    return found


def open_notices(today: date | None = None) -> list[Notice]:
    """All notices that last today, for the public list."""
    today = today or timezone.localdate()
    with for_everybody():
        rows = Notice.objects.filter(opens_on__lte=today, closes_on__gt=today, run__state=RunState.PUBLISHED)
        return list(rows.select_related("run", "run__region").order_by("path"))


def notice_places(notice: Notice) -> list[tuple[str, str, int]]:
    """(path, name, lines) of the communities on a notice."""
    with for_everybody():
        rows = _on_notice(notice).order_by().values_list("path").annotate(n=Count("id"))
        found = dict(rows)
        named = regions.names_of(list(found))
        return [(path, named.get(path, _("Others")), n) for path, n in sorted(found.items())]


def notice_lines(notice: Notice, path: str) -> list[NoticeLine]:
    """Lines of one community, by masked name."""
    with for_everybody():
        rows = list(_on_notice(notice).filter(path=path).order_by("subject_kind", "subject_id", "policy", "month"))
        known, said = names(rows), policy_names({r.policy for r in rows})
        return [
            NoticeLine(
                mask_name(known.get((r.subject_kind, r.subject_id), ""))
                if r.subject_kind in ("person", "worker")
                else known.get((r.subject_kind, r.subject_id), ""),
                said[r.policy], r.amount, r.month,
            )
            for r in rows
        ]  # fmt: skip


def _on_notice(notice: Notice) -> QuerySet[Line]:
    return Line.objects.filter(run_id=notice.run_id, amount__gt=0, state=LineState.OPEN)
