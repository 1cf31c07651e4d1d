"""The funds behind a what-if: budget, spent, and what a fund's other rules still take in the year (R-062)."""

from datetime import date, datetime
from functools import lru_cache

from django.db.models import Max, Q, Sum
from django.urls import reverse
from django.utils import timezone

from sangyu.care.policies import selectors as policies
from sangyu.care.policies.enums import PeriodKind
from sangyu.kernel.actor import Actor
from sangyu.kernel.scoping import lineage

from . import selectors
from .enums import RELEASED, FundKind, LineKind, LineState
from .models import Fund, Line, Run
from .services import add_months


def budgets(
    actor: Actor, policy: str, code: str, path: str, month: date, read_at: datetime
) -> list[policies.Budget] | None:
    """The funds with ``code`` that pay ``policy`` for the people of ``path``: as in runs, the nearest at or above whoever runs.

    What was spent is summed once for the facts of ``read_at``. None for whoever may not see benefits.
    """
    if not actor.may("benefits.view"):
        return None
    above = Q(path__in=lineage(path)) | Q(path__startswith=path)
    funds = list(Fund.objects.on(month).filter(above, code=code).select_related("region").order_by("path"))

    def nearest(region: str) -> Fund | None:
        return next((f for f in reversed(funds) if region.startswith(f.path)), None)

    released = dict(Run.objects.filter(state__in=RELEASED).order_by().values_list("path").annotate(last=Max("month")))
    here = {r: until for r, until in released.items() if r.startswith(path) or path.startswith(r)}
    if nearest(path) and not any(path.startswith(r) for r in here):
        here[path] = None
    here |= {f.path: None for f in funds if not any(f.path.startswith(r) for r in here)}
    return [
        _budget(
            actor, fund, policy, month, read_at,
            {r: until for r, until in here.items() if nearest(r) is fund},
            {r: until for r, until in released.items() if nearest(r) is fund},
        )
        for fund in funds
        if any(nearest(r) is fund for r in here)
    ]  # fmt: skip


def _budget(actor: Actor, fund: Fund, policy: str, month: date, read_at: datetime, here: dict, released: dict):
    year = _spent(fund.pk, month.year, read_at)
    row = fund.budgets.filter(year=month.year).first()
    this_year = month.year == timezone.localdate(read_at).year
    has = year.available + year.elder_care + year.other if fund.limited and this_year else None
    others = None
    if fund.path.startswith(actor.path):
        left = {r: tuple(policies.months_left(month.year, month, until)) for r, until in released.items()}
        others = sum(
            _others(r, fund.code, policy if r in here else "", until, left[r], read_at) for r, until in released.items()
        )
    return policies.Budget(
        name=fund.name, region=fund.region.name, url=reverse("benefits:fund", args=[fund.pk]), year=month.year,
        amount=row.amount if row else has, planned=row is not None, document=row.document_number if row else "",
        received=year.received, spent=year.elder_care, other_use=year.other, others=others, regions=here,
        least_share=selectors.LOTTERY_SHARE if fund.kind == FundKind.LOTTERY else None,
        pays=not fund.policies or policy in fund.policies,
    )  # fmt: skip


#: Sums of a year are read once for a session of what-if: its facts have a moment, and so have they.
@lru_cache(maxsize=64)
def _spent(fund_id: int, year: int, read_at: datetime) -> selectors.FundYear:
    return selectors.fund_year(Fund.objects.get(pk=fund_id), year)


@lru_cache(maxsize=256)
def _others(region: str, code: str, but: str, until: date, months: tuple[date, ...], read_at: datetime) -> int:
    """Fen that the fund's rules other than ``but`` take in ``months``: each as often as it is due, as much as it last was.

    What is paid once is left out: who got it does not get it again, and nobody knows who asks next.
    """
    if not months:
        return 0
    rules = [policies.policy_of(v) for v in policies.approved(region) if v.code != but]
    rules = [r for r in rules if r.fund == code and r.period != PeriodKind.ONCE]
    counts: dict[str, int] = {}
    for r in rules:
        counts[r.code] = counts.get(r.code, 0) + policies.times_due(r, list(months))
    last: dict[date, list[str]] = {}
    for policy in (c for c, n in counts.items() if n):
        own = [r for r in rules if r.code == policy]
        due = next((m for n in range(12) if any(r.due(m := add_months(until, -n)) for r in own)), None)
        if due is not None:
            last.setdefault(due, []).append(policy)
    total = 0
    for month, codes in last.items():
        rows = Line.objects.filter(
            run__path=region, run__month=month, state=LineState.RELEASED, kind=LineKind.ENTITLEMENT, policy__in=codes
        )
        for policy, fen in rows.order_by().values_list("policy").annotate(fen=Sum("amount")):
            total += fen * counts[policy]
    return total
