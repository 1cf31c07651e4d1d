"""Review by street and county, withholding, public notice, approval."""

import secrets
from datetime import date, datetime, timedelta

from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, Refused
from sangyu.kernel.ledger import selectors as ledger
from sangyu.kernel.scoping import as_system
from sangyu.kernel.services import service

from ..enums import FROZEN, Level, LineAction, LineState, RunAction, RunState
from ..models import Line, Notice, Review, Run
from ..workflow import LINE_FLOW, RUN_FLOW
from ._shared import AVAILABLE, apply, four_eyes, fund_account, funds_of, get, run_of, totals

_UNDER_REVIEW = (RunState.COMPUTED, RunState.REVIEWED, RunState.PUBLISHED)


# ---------------------------------------------------------------- lines
def _set_aside(actor: Actor, line_id: int, reason: str, now: datetime | None, levels: tuple[str, ...]) -> Line:
    if not reason.strip():
        raise Invalid({"reason": [_("Say why the line is withheld.")]})
    line = get(Line, line_id)
    run = get(Run, line.run_id, lock=True)
    if run.state not in _UNDER_REVIEW:
        raise Refused(_("The run is not under review any more."), code="benefits.not_under_review")
    if Level.COUNTY not in levels and _closed(run, line.path):
        raise Refused(_("The street's review is finished. Ask the county."), code="benefits.review_done")
    line = LINE_FLOW.apply(
        actor=actor, queryset=Line.objects.all(), pk=line_id, action=LineAction.WITHHOLD, now=now, reason=reason.strip(),
        changes={"withheld_for": reason.strip()[:300]},
    )  # fmt: skip
    _retotal(run)
    return line


def _closed(run: Run, path: str) -> bool:
    """Whether the street that ``path`` lies in has finished its review."""
    reviews = Review.objects.filter(run=run, level=Level.STREET, done_at__isnull=False)
    return run.state != RunState.COMPUTED or any(path.startswith(p) for p in reviews.values_list("path", flat=True))


@service("benefits.review_street")
def withhold(*, actor: Actor, line_id: int, reason: str, now: datetime | None = None) -> Line:
    """Keep a line back from payment with a reason; who may review a county may do so until the approval."""
    levels = (Level.STREET, Level.COUNTY) if actor.may("benefits.review") else (Level.STREET,)
    return _set_aside(actor, line_id, reason, now, levels)


@service("benefits.review_street")
def resume(*, actor: Actor, line_id: int, reason: str = "", now: datetime | None = None) -> Line:
    """Let a withheld line be paid: with its run as long as that is under review, later as arrears of a later run."""
    line = get(Line, line_id)
    run = get(Run, line.run_id, lock=True)
    if run.state == RunState.COMPUTED and not actor.may("benefits.review") and _closed(run, line.path):
        raise Refused(_("The street's review is finished. Ask the county."), code="benefits.review_done")
    action = LineAction.RESUME_LATER if run.state in FROZEN else LineAction.RESUME
    line = LINE_FLOW.apply(
        actor=actor, queryset=Line.objects.all(), pk=line_id, action=action, now=now, reason=reason.strip(),
        changes={"withheld_for": ""},
    )  # fmt: skip
    if run.state not in FROZEN:
        _retotal(run)
    return line


def _retotal(run: Run) -> None:
    with as_system("a street's act changes the sums of its county's run"):
        Run.objects.filter(pk=run.pk).update(**totals(run))


# ---------------------------------------------------------------- reviews
@service("benefits.review_street")
def review_street(*, actor: Actor, review_id: int, note: str = "", now: datetime | None = None) -> Review:
    """A street has looked at its lines."""
    return _finish(actor, review_id, Level.STREET, note, now)


@service("benefits.review")
def review_county(*, actor: Actor, review_id: int, note: str = "", now: datetime | None = None) -> Review:
    """The county has looked, after all its streets. The last one finishes the run's review.

    Raises Refused("benefits.streets_open").
    """
    return _finish(actor, review_id, Level.COUNTY, note, now)


def _finish(actor: Actor, review_id: int, level: str, note: str, now: datetime | None) -> Review:
    now = now or timezone.now()
    review = get(Review, review_id)
    if review.level != level:
        raise Refused(_("This is the review of another level."), code="benefits.level")
    with as_system("the run belongs to the county, its first review to the street"):
        run = get(Run, review.run_id, lock=True)
        review.refresh_from_db()
        if run.state != RunState.COMPUTED or review.done_at is not None:
            raise Refused(_("This review is finished already."), code="benefits.review_done")
        if level == Level.COUNTY:
            waiting = run.reviews.filter(level=Level.STREET, done_at=None, path__startswith=review.path)
            names = [r.region.name for r in waiting.select_related("region")[:5]]
            if names:
                raise Refused(
                    _("These streets have not finished: %(names)s.") % {"names": "、".join(names)},
                    code="benefits.streets_open",
                )
        review.done_at, review.reviewer, review.account_id = now, actor.name, actor.account_id
        review.note = note.strip()[:300]
        review.save(update_fields=["done_at", "reviewer", "account_id", "note"])
        if not run.reviews.filter(done_at=None).exists():
            apply(actor, run, RunAction.REVIEW, now=now)
    return review


@service("benefits.review")
def reopen(*, actor: Actor, run_id: int, reason: str, now: datetime | None = None) -> Run:
    """Take a reviewed or published run back to the county's review (an objection to the notice was right)."""
    if not reason.strip():
        raise Invalid({"reason": [_("Give the reason.")]})
    run = run_of(actor, run_id)
    if RUN_FLOW.target(RunAction.REOPEN, run.state):
        Notice.objects.filter(run=run).delete()
        run.reviews.filter(level=Level.COUNTY).update(done_at=None, reviewer="", account_id=None)
    return apply(actor, run, RunAction.REOPEN, now=now, reason=reason.strip())


# ---------------------------------------------------------------- notice and approval
@service("benefits.publish")
def publish(*, actor: Actor, run_id: int, days: int | None = None, now: datetime | None = None) -> Notice:
    """Put the run on public notice with masked names for ``days`` (None = the longest that its policies ask for)."""
    now = now or timezone.now()
    run = run_of(actor, run_id)
    days = run.notice_days if days is None else days
    if days < max(run.notice_days, 1) or days > 60:
        raise Invalid({"days": [_("Between %(least)d and 60 days.") % {"least": max(run.notice_days, 1)}]})
    apply(actor, run, RunAction.PUBLISH, now=now)
    opens = timezone.localdate(now)
    return Notice.objects.create(
        run=run, path=run.path, code=secrets.token_hex(8), opens_on=opens, closes_on=opens + timedelta(days=days),
        line_count=Line.objects.filter(run=run, amount__gt=0, state=LineState.OPEN).count(), total=run.total,
    )  # fmt: skip


@service("benefits.approve")
def approve(*, actor: Actor, run_id: int, now: datetime | None = None) -> Run:
    """Freeze the run: from now on nothing of it changes. Never who prepared it.

    Raises Refused: "benefits.four_eyes", "benefits.no_notice", "benefits.notice_runs", "benefits.fund_missing",
    "benefits.fund_purpose" (R-064), "benefits.fund_short".
    """
    now = now or timezone.now()
    run = run_of(actor, run_id)
    if RUN_FLOW.target(RunAction.APPROVE, run.state):  # in any other state the graph refuses below
        four_eyes(actor, (run.prepared_by, run.prepared_by_account, _("prepared the run")))
        _notice_is_over(run, timezone.localdate(now))
        funds_suffice(actor, run)
    changes = {"approved_by": actor.name, "approved_by_account": actor.account_id, **totals(run)}
    return apply(actor, run, RunAction.APPROVE, now=now, changes=changes)


def _notice_is_over(run: Run, today: date) -> None:
    notice = Notice.objects.filter(run=run).first()
    if notice is None and run.notice_days:
        raise Refused(
            _("Its policies ask for a public notice of %(days)d days first.") % {"days": run.notice_days},
            code="benefits.no_notice",
        )
    if notice is not None and today < notice.closes_on:
        raise Refused(
            _("The public notice lasts until %(day)s.") % {"day": notice.closes_on - timedelta(days=1)},
            code="benefits.notice_runs",
        )


def funds_suffice(actor: Actor, run: Run) -> None:
    """Every line's fund exists, may pay for its policy, and holds enough when it is limited (R-062, R-064)."""
    lines = Line.objects.filter(run=run, state=LineState.OPEN).exclude(amount=0)
    sums = list(lines.values_list("fund", "policy").annotate(total=Sum("amount")).order_by("fund", "policy"))
    funds, wanted = funds_of(run), {}
    for code, policy, total in sums:
        fund = funds.get(code)
        if fund is None:
            raise Refused(
                _("No fund “%(code)s” is kept for this region and month.") % {"code": code},
                code="benefits.fund_missing",
            )
        if fund.policies and policy not in fund.policies:
            raise Refused(
                _("“%(fund)s” may not pay for the policy %(policy)s: it is given for another purpose.")
                % {"fund": fund.name, "policy": policy},
                code="benefits.fund_purpose",
            )
        wanted[fund] = wanted.get(fund, 0) + total
    with as_system("a fund may lie above the run's region"):
        for fund, total in wanted.items():
            if fund.limited:
                has = ledger.balance(actor=actor, account_id=fund_account(actor, fund, AVAILABLE)).available
                if has < total:
                    raise Refused(
                        _("“%(fund)s” holds %(has).2f yuan, the run needs %(total).2f.")
                        % {"fund": fund.name, "has": has / 100, "total": total / 100},
                        code="benefits.fund_short",
                    )
