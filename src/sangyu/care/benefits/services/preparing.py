"""Beginning, computing and cancelling a run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.db.models import Count, Sum
from django.db.models.functions import Substr
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.care.applications import selectors as applications
from sangyu.care.policies import selectors as policies
from sangyu.engines.columnar import pl
from sangyu.kernel import operations
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, Refused
from sangyu.kernel.importing.work import Silent
from sangyu.kernel.models import Operation
from sangyu.kernel.numbering import next_number
from sangyu.kernel.scoping import PATH_STEP
from sangyu.kernel.services import service
from sangyu.registry.regions import selectors as regions
from sangyu.registry.regions.enums import Level as RegionLevel

from .. import computing
from ..enums import RELEASED, Level, RunAction, RunState
from ..models import Line, Notice, Review, Run
from ..workflow import RUN_FLOW
from ._shared import apply, run_of

#: Earlier months that may be computed again.
MOST_BACK = 24


def add_months(month: date, n: int) -> date:
    """First day of the month ``n`` months after the month of ``month``."""
    number = month.year * 12 + month.month - 1 + n
    return date(number // 12, number % 12 + 1, 1)


@service("benefits.prepare")
def begin(*, actor: Actor, region_id: int, month: date, back_months: int = 3, now: datetime | None = None) -> Run:
    """A run of ``month`` for the region, still without lines. ``back_months`` earlier months are looked at again.

    Repeating it answers the run that is there as long as it is being computed. Raises Refused("benefits.exists"), Invalid.
    """
    now = now or timezone.now()
    month = month.replace(day=1)
    errors = {}
    if month > add_months(timezone.localdate(now), 1):
        errors["month"] = [_("At most the coming month can be computed.")]
    if not 0 <= back_months <= MOST_BACK:
        errors["back_months"] = [_("Between 0 and %(n)d months.") % {"n": MOST_BACK}]
    region = regions.region(region_id)
    if not region.path.startswith(actor.path):
        errors["region"] = [_("You compute for your own region only.")]
    if errors:
        raise Invalid(errors)
    live = Run.objects.exclude(state=RunState.CANCELLED)
    existing = live.filter(region_id=region_id, month=month).first()
    if existing is not None:
        if existing.state == RunState.COMPUTING:
            return existing
        raise Refused(_("This region has a run for the month already."), code="benefits.exists")
    run = Run(
        number=next_number("BT", month, region.code), region_id=region_id, path=region.path, month=month,
        back_months=back_months, known_at=now, created_at=now, prepared_by=actor.name,
        prepared_by_account=actor.account_id,
        previous=live.filter(region_id=region_id, month__lt=month, computed_at__isnull=False).order_by("-month").first(),
    )  # fmt: skip
    return RUN_FLOW.begin(actor=actor, row=run, action=RunAction.COMPUTE, now=now)


def past_months(run: Run) -> list[date]:
    """Earlier months that are computed again: those for which the region has a released run, newest first. Asked for are the last
    ``back_months``, and each month of which an objection was agreed with since the last run (R-029).
    """
    wanted = {add_months(run.month, -n) for n in range(1, run.back_months + 1)}
    if run.previous is not None:
        agreed = applications.upheld_months(run.path, run.previous.known_at, run.known_at)
        wanted |= {month for month in agreed if month < run.month}
    released = Run.objects.filter(region_id=run.region_id, month__in=wanted, state__in=RELEASED)
    return sorted(released.values_list("month", flat=True), reverse=True)


@service("benefits.prepare")
def compute(*, actor: Actor, run_id: int, op=None, now: datetime | None = None) -> Run:
    """Read the facts, evaluate the policies in force, write the lines and what changed (R-068). All or nothing: a run that
    was interrupted is computed from the start; one that is computed already stays as it is.
    """
    from .. import evaluation

    run = run_of(actor, run_id)
    if run.state != RunState.COMPUTING:
        return run
    found = evaluation.evaluate_run(actor, run, past_months(run), op or Silent())
    return _enter(
        actor, run, found.lines, moved=found.moved, past=found.past, versions=found.versions,
        input_digest=found.input_digest, notice_days=found.notice_days, explain=found.explain, now=now,
    )  # fmt: skip


@service("benefits.prepare")
def enter(
    *,
    actor: Actor,
    run_id: int,
    lines: pl.DataFrame,
    past: Sequence[date] = (),
    versions: Sequence[dict] = (),
    notice_days: int = 0,
    now: datetime | None = None,
) -> Run:
    """Write lines that were computed elsewhere (an older system's month, a test) as those of the run."""
    from .. import evaluation

    run = run_of(actor, run_id)
    moved = policies.moved(run.path, evaluation.looked_at(run, past), run.known_at)
    return _enter(actor, run, lines, moved=moved, past=past, versions=versions, notice_days=notice_days, now=now)


def _enter(
    actor: Actor,
    run: Run,
    lines: pl.DataFrame,
    *,
    moved,
    past,
    versions,
    notice_days,
    input_digest="",
    explain=None,
    now=None,
) -> Run:
    now = now or timezone.now()
    if run.state == RunState.COMPUTING:
        found = computing.write(run, lines, moved=moved, past=past, versions=versions)
        if explain is not None:
            explain(run)
        _reviews(run)
    else:
        found = computing.Outcome("")  # the graph refuses below
    changes = {
        "computed_at": now, "versions": list(versions), "input_digest": input_digest, "notice_days": notice_days,
        "lines_digest": found.lines_digest, "line_count": found.line_count, "subject_count": found.subject_count,
        "total": found.total, "withheld": 0, "counts": found.counts,
    }  # fmt: skip
    return apply(actor, run, RunAction.COMPUTE, now=now, changes=changes)


def _reviews(run: Run) -> None:
    """A review for each street with lines and one for each county; a month without lines is looked at once, by the run's own region."""
    levels, made = [(Level.STREET, RegionLevel.STREET), (Level.COUNTY, RegionLevel.COUNTY)], []
    street = Substr("path", 1, PATH_STEP * (int(RegionLevel.STREET) + 1))
    rows = Line.objects.filter(run=run).annotate(place=street).values("place")
    rows = list(rows.annotate(n=Count("id"), total=Sum("amount")).values_list("place", "n", "total"))
    for level, of_region in levels:
        length = PATH_STEP * (int(of_region) + 1)
        sums: dict[str, tuple[int, int]] = {}
        for place, n, total in rows:
            known = sums.get(place[:length], (0, 0))
            sums[place[:length]] = known[0] + n, known[1] + int(total)
        places = {r.path: r for r in regions.below(run.path, of_region)}
        if level == Level.COUNTY and not (sums and places):  # the run of a street has its last look there
            places = {run.path: run.region}
            sums = {run.path: (sum(n for n, _total in sums.values()), sum(total for _n, total in sums.values()))}
        made += [
            Review(run=run, level=level, region=places[p], path=p, line_count=n, total=total)
            for p, (n, total) in sorted(sums.items())
            if p in places
        ]
    Review.objects.bulk_create(made)


@service("benefits.prepare")
def start(*, actor: Actor, run_id: int) -> Operation:
    """Compute the run in the background; the operation shows how far it is."""
    run = run_of(actor, run_id)
    title = _("Benefit run %(number)s") % {"number": run.number}
    work = operations.start(actor, "benefits.compute", title=title, params={"run_id": run.pk})
    run.operation = work
    run.save(update_fields=["operation"])
    return work


@service("benefits.prepare")
def again(*, actor: Actor, run_id: int, now: datetime | None = None) -> Run:
    """Throw the lines away and let the run be computed anew with what is known now. Not once a review is finished."""
    now = now or timezone.now()
    run = run_of(actor, run_id)
    if run.state == RunState.COMPUTED:
        _empty(run)
    changes = {
        "known_at": now, "computed_at": None, "line_count": 0, "subject_count": 0, "total": 0, "withheld": 0, "counts": {},
        "prepared_by": actor.name, "prepared_by_account": actor.account_id, "lines_digest": "", "input_digest": "",
    }  # fmt: skip
    return apply(actor, run, RunAction.AGAIN, now=now, changes=changes)


@service("benefits.prepare")
def cancel(*, actor: Actor, run_id: int, reason: str, now: datetime | None = None) -> Run:
    """Give a run up before its approval; its lines go, its number and trail stay."""
    if not reason.strip():
        raise Invalid({"reason": [_("Give the reason.")]})
    run = run_of(actor, run_id)
    if RUN_FLOW.target(RunAction.CANCEL, run.state):
        _empty(run)
    changes = {"line_count": 0, "subject_count": 0, "total": 0, "withheld": 0, "counts": {}}
    return apply(actor, run, RunAction.CANCEL, now=now, reason=reason.strip()[:300], changes=changes)


def _empty(run: Run) -> None:
    Notice.objects.filter(run=run).delete()
    Review.objects.filter(run=run).delete()
    Line.objects.filter(run=run).delete()
