"""Releasing an approved run: fund → due in the ledger, one payment a line, over-payments offset or opened as recoveries.

What earlier months turn out to be is settled within one subject and fund: arrears first fill what was over-paid; what is left
over-paid becomes a recovery. The month's own entitlement is always paid whole.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel import bulk, operations
from sangyu.kernel.actor import Actor
from sangyu.kernel.ledger import services as ledger
from sangyu.kernel.models import Operation
from sangyu.kernel.numbering import next_numbers
from sangyu.kernel.scoping import as_system
from sangyu.kernel.services import service
from sangyu.registry.regions import selectors as regions

from ..enums import RELEASED, Form, LineKind, LineState, PaymentState, RunAction
from ..models import Line, Payment, Recovery, Run
from ..workflow import RECOVERY_FLOW, RUN_FLOW
from . import deducting
from ._shared import (
    AVAILABLE,
    DUE,
    INSURANCE,
    OWED,
    PAID,
    RECEIVABLE,
    SERVICE,
    VOUCHER,
    apply,
    four_eyes,
    fund_account,
    funds_of,
    log_many,
    run_of,
    subject_accounts,
)
from .recalling import Taken, recall
from .reviewing import funds_suffice
from .settling import advance_runs

#: Where the money of a form waits: in cash on the subject's account, else on one of the fund.
_WAITS = {Form.VOUCHER: VOUCHER, Form.SERVICE: SERVICE, Form.INSURANCE: INSURANCE}
_FIELDS = (
    "id", "subject_kind", "subject_id", "person_id", "path", "policy", "version_id", "form", "fund", "kind", "month", "amount",
)  # fmt: skip


@dataclass(slots=True)
class _Line:
    """A line on its way: ``offset`` fen of it settle an over-payment (arrears), or are settled by arrears or what was not used
    (recovery).
    """

    id: int
    subject_kind: str
    subject_id: int
    person_id: int | None
    path: str
    policy: str
    version_id: int
    form: str
    fund: str
    kind: str
    month: date
    amount: int
    offset: int = 0
    deducted: int = 0

    @property
    def subject(self) -> tuple[str, int, str, int | None]:
        return (self.subject_kind, self.subject_id, self.path, self.person_id)


@dataclass
class _Plan:
    """What the release moves: positive lines, negative lines, and what each subject owes each fund."""

    paid: list[_Line] = field(default_factory=list)
    over: list[_Line] = field(default_factory=list)
    owed: dict[tuple[str, int, str], list[_Line]] = field(default_factory=lambda: defaultdict(list))


def _plan(run: Run) -> _Plan:
    rows = Line.objects.filter(run=run, state=LineState.OPEN).exclude(amount=0).order_by("id")
    plan, arrears, over = _Plan(), defaultdict(list), defaultdict(list)
    for values in rows.values_list(*_FIELDS).iterator(chunk_size=20_000):
        line = _Line(*values)
        if line.amount > 0:
            plan.paid.append(line)
            if line.kind == LineKind.ARREARS and line.form == Form.CASH:
                arrears[line.subject_kind, line.subject_id, line.fund].append(line)
        else:
            plan.over.append(line)
            if line.form == Form.CASH:
                over[line.subject_kind, line.subject_id, line.fund].append(line)
    for key, lines in over.items():
        for line in lines:
            for a in arrears.get(key, ()):
                part = min(a.amount - a.offset, -line.amount - line.offset)
                a.offset += part
                line.offset += part
            if line.offset < -line.amount:
                plan.owed[key].append(line)
    return plan


@service("benefits.release")
def release(*, actor: Actor, run_id: int, now: datetime | None = None) -> Run:
    """Move the money of an approved run from its funds to whom it is due, and make its payments (X-03).

    Never who prepared or approved it: Refused("benefits.four_eyes"). All in one transaction, every transfer under the key of
    its line; repeating it is refused by the graph.
    """
    now = now or timezone.now()
    run = run_of(actor, run_id)
    if RUN_FLOW.target(RunAction.RELEASE, run.state):  # in any other state the graph refuses below
        four_eyes(
            actor,
            (run.prepared_by, run.prepared_by_account, _("prepared the run")),
            (run.approved_by, run.approved_by_account, _("approved the run")),
        )
        funds_suffice(actor, run)
        plan = _plan(run)
        with as_system("vouchers and funds of a line may lie outside the run's region"):
            taken = recall(actor, run, [x for x in plan.over if x.form != Form.CASH], now)
        for part in taken:
            part.line.offset = part.settled
            if part.used:
                plan.owed[part.line.subject_kind, part.line.subject_id, part.line.fund].append(part.line)
        kept = deducting.plan(run, plan.paid, funds_of(run))
        _move(actor, run, plan, taken, now)
        _payments(run, plan, now)
        deducting.book(actor, kept, now)
        _recoveries(actor, run, plan, now)
        Line.objects.filter(run=run, state=LineState.OPEN).update(state=LineState.RELEASED)
    changes = {"released_by": actor.name, "released_by_account": actor.account_id}
    run = apply(actor, run, RunAction.RELEASE, now=now, changes=changes)
    if not run.payments.exists():  # nobody is waited for
        advance_runs(actor, [run.pk], now)
        run.refresh_from_db()
    return run


def _move(actor: Actor, run: Run, plan: _Plan, taken: list[Taken], now: datetime) -> None:
    funds, day = funds_of(run), timezone.localdate(now)
    with as_system("a fund may lie above the run's region"):
        accounts = {
            (code, purpose): fund_account(actor, funds[code], purpose)
            for code in {x.fund for x in plan.paid + plan.over}
            for purpose in (AVAILABLE, RECEIVABLE, PAID, *_WAITS.values())
        }
        cash = [x for x in plan.paid + plan.over if x.form == Form.CASH]
        due = subject_accounts(actor, DUE, (x.subject for x in cash if x.amount > 0))
        owed = subject_accounts(actor, OWED, (x.subject for lines in plan.owed.values() for x in lines))

        def waits(x: _Line) -> int:
            return due[x.subject_kind, x.subject_id] if x.form == Form.CASH else accounts[x.fund, _WAITS[x.form]]

        def batch(kind: str, moves: list[tuple[int, int, int, int]]) -> None:
            word = kind.rpartition(".")[2]
            ledger.transfer_batch(
                actor=actor, kind=kind, effective_on=day,
                moves=[ledger.Move(d, c, n, f"benefit:{pk}:{word}", run.number) for d, c, n, pk in moves if n],
            )  # fmt: skip

        batch("benefits.release", [(accounts[x.fund, AVAILABLE], waits(x), x.amount, x.id) for x in plan.paid])
        batch(
            "benefits.offset",
            [
                (due[x.subject_kind, x.subject_id], accounts[x.fund, AVAILABLE], x.offset, x.id)
                for x in plan.over
                if x.form == Form.CASH and x.offset
            ],
        )
        batch(
            "benefits.claim",
            [
                (owed[x.subject_kind, x.subject_id], accounts[x.fund, RECEIVABLE], -x.amount - x.offset, x.id)
                for lines in plan.owed.values()
                for x in lines
            ],
        )
        back = [(t.line, accounts[t.line.fund, AVAILABLE], t) for t in taken]
        batch("benefits.takeback", [(waits(x), available, t.unissued, x.id) for x, available, t in back])
        batch(
            "benefits.recall", [(accounts[x.fund, PAID], available, t.back + t.ended, x.id) for x, available, t in back]
        )


def _payments(run: Run, plan: _Plan, now: datetime) -> None:
    funds = {code: fund.pk for code, fund in funds_of(run).items()}
    columns = (
        "line_id", "path", "subject_kind", "subject_id", "person_id", "policy", "form", "fund_id", "amount", "offset", "deducted",
        "state",
    )  # fmt: skip
    rows = (
        (
            x.id, x.path, x.subject_kind, x.subject_id, x.person_id, x.policy, x.form, funds[x.fund],
            x.amount - x.offset - x.deducted, x.offset, x.deducted,
            PaymentState.DUE.value if x.amount > x.offset + x.deducted else PaymentState.OFFSET.value,
        )
        for x in plan.paid
    )  # fmt: skip
    bulk.insert_rows(Payment, columns, rows, run_id=run.pk, created_at=now)


def _recoveries(actor: Actor, run: Run, plan: _Plan, now: datetime) -> None:
    if not plan.owed:
        return
    funds = funds_of(run)
    numbers = next_numbers("ZH", timezone.localdate(now), regions.region(run.region_id).code, count=len(plan.owed))
    made = Recovery.objects.bulk_create(
        Recovery(
            number=number, run=run, path=lines[0].path, subject_kind=kind, subject_id=pk, person_id=lines[0].person_id,
            fund=funds[fund], amount=sum(-x.amount - x.offset for x in lines), created_at=now,
        )
        for number, ((kind, pk, fund), lines) in zip(numbers, sorted(plan.owed.items()), strict=True)
    )  # fmt: skip
    log_many(RECOVERY_FLOW, actor, [(r.pk, "") for r in made], "open", "", "open", now, run=run.pk)


@service("benefits.release")
def start_release(*, actor: Actor, run_id: int) -> Operation:
    """Release in the background; who may not is refused here already."""
    run = run_of(actor, run_id)
    RUN_FLOW.require(run, RunAction.RELEASE)
    four_eyes(
        actor,
        (run.prepared_by, run.prepared_by_account, _("prepared the run")),
        (run.approved_by, run.approved_by_account, _("approved the run")),
    )
    title = _("Release of %(number)s") % {"number": run.number}
    work = operations.start(actor, "benefits.release", title=title, params={"run_id": run.pk})
    run.operation = work
    run.save(update_fields=["operation"])
    return work


@service("benefits.release")
def release_once(*, actor: Actor, run_id: int, now: datetime | None = None) -> Run:
    """``release`` for work that may be started twice: a run that is released already is answered as it is."""
    run = run_of(actor, run_id)
    return run if run.state in RELEASED else release(actor=actor, run_id=run_id, now=now)
