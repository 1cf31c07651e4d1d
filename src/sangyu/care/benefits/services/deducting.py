"""Recoveries deducted from later payments: consent or decision, a ceiling a month, undone when the bank rejects (X-03)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.care.policies import selectors as policies
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, Refused
from sangyu.kernel.ledger import services as ledger
from sangyu.kernel.publishing import require_responsible
from sangyu.kernel.scoping import as_system
from sangyu.kernel.services import service

from ..enums import Basis, Form, RecoveryAction, RecoveryState
from ..models import Deduction, Fund, Payment, Recovery, Run
from ._shared import AVAILABLE, DUE, OWED, RECEIVABLE, WAIVED, fund_account, get, subject_accounts
from .preparing import add_months
from .recovering import _apply, fill

_ELSEWHERE = "a recovery's fund may lie above its region"


@service("benefits.fund")
def set_deductible(*, actor: Actor, fund_id: int, share: int | None, document: str = "") -> Fund:
    """How much of a month's payments of the fund may be kept back for recoveries, in per cent (None = nothing)."""
    fund = get(Fund, fund_id, lock=True)
    require_responsible(actor, fund.path)
    if share is not None and not 1 <= share <= 100:
        raise Invalid({"share": [_("Between 1 and 100 per cent.")]})
    if share is not None and not document.strip():
        raise Invalid({"document": [_("Name the document that allows it.")]})
    fund.deduct_most, fund.deduct_document = share, document.strip()[:60] if share is not None else ""
    fund.save(update_fields=["deduct_most", "deduct_document"])
    return fund


@service("benefits.recover")
def deduct(
    *, actor: Actor, recovery_id: int, share: int, basis: str, evidence: str, since: date, now: datetime | None = None
) -> Recovery:
    """Keep the agreed instalments back from what the same fund pays the recipient from the month ``since`` on, at most ``share``
    per cent of a month.

    Raises Refused("benefits.not_deductible") when the fund allows none, Refused("workflow.edge") unless instalments are agreed.
    """
    now = now or timezone.now()
    recovery = get(Recovery, recovery_id, lock=True)
    with as_system(_ELSEWHERE):
        most = recovery.fund.deduct_most
    if most is None:
        raise Refused(
            _("The fund allows no deductions. Set its deductible share first."), code="benefits.not_deductible"
        )
    errors = {}
    if not 1 <= share <= most:
        errors["share"] = [_("Between 1 and %(most)d per cent: more the fund does not allow.") % {"most": most}]
    if basis not in Basis.values:
        errors["basis"] = [_("Choose the ground.")]
    if not evidence.strip():
        errors["evidence"] = [_("Name the paper: the signed consent, or the number of the decision.")]
    since = since.replace(day=1)
    if since < timezone.localdate(now).replace(day=1):
        errors["since"] = [_("Not before this month.")]
    if errors:
        raise Invalid(errors)
    changes = {
        "deduct_share": share, "deduct_basis": basis, "deduct_evidence": evidence.strip()[:100], "deduct_from": since,
    }  # fmt: skip
    return _apply(
        actor, recovery, RecoveryAction.DEDUCT, now=now, reason=evidence.strip()[:100], changes=changes,
        data={"share": share, "basis": str(basis)},
    )  # fmt: skip


@service("benefits.recover")
def stop_deducting(*, actor: Actor, recovery_id: int, reason: str, now: datetime | None = None) -> Recovery:
    """Deduct no more from payments that are still to be released. Raises Refused("benefits.deducts_nothing")."""
    if not reason.strip():
        raise Invalid({"reason": [_("Give the reason.")]})
    recovery = get(Recovery, recovery_id, lock=True)
    if recovery.deduct_share is None:
        raise Refused(_("Nothing is deducted for this case."), code="benefits.deducts_nothing")
    changes = {"deduct_share": None, "deduct_basis": "", "deduct_evidence": "", "deduct_from": None}
    return _apply(actor, recovery, RecoveryAction.STOP_DEDUCTING, now=now, reason=reason.strip(), changes=changes)


# ---------------------------------------------------------------- with a release
@dataclass(slots=True)
class Part:
    """``amount`` fen of a line (of services.releasing) go to a recovery."""

    line: Any
    recovery: Recovery
    amount: int


def plan(run: Run, paid: Sequence[Any], funds: dict[str, Fund]) -> list[Part]:
    """What the release of ``paid`` keeps back: instalments due until the end of the run's month, the oldest case first, within
    the share of the case, of the fund and of each policy that says one. Marks the lines.
    """
    with as_system("the case of who moved stays with the region that paid"):
        cases = list(
            Recovery.objects.select_for_update(of=("self",))
            .filter(state=RecoveryState.AGREED, deduct_share__isnull=False, deduct_from__lte=run.month, path__startswith=run.path)
            .order_by("pk")
        )  # fmt: skip
        due = dict(
            Recovery.objects.filter(pk__in=[c.pk for c in cases], instalments__due_on__lt=add_months(run.month, 1))
            .annotate(due=Sum("instalments__amount") - Sum("instalments__repaid")).values_list("pk", "due")
        )  # fmt: skip
    wanted = {(c.subject_kind, c.subject_id, c.fund_id) for c in cases}
    lines: dict[tuple, list[Any]] = defaultdict(list)
    for line in paid if cases else ():
        key = (line.subject_kind, line.subject_id, funds[line.fund].pk)
        if line.form == Form.CASH and key in wanted:
            lines[key].append(line)
    sums = {key: sum(x.amount - x.offset for x in own) for key, own in lines.items()}
    most = {f.pk: f.deduct_most or 0 for f in funds.values()}
    left = {key: total * most[key[2]] // 100 for key, total in sums.items()}
    room = _of_policies(lines)
    found: list[Part] = []
    for case in cases:
        key = (case.subject_kind, case.subject_id, case.fund_id)
        wants = min(due.get(case.pk, 0), sums.get(key, 0) * case.deduct_share // 100, left.get(key, 0))
        for line in lines.get(key, ()):
            own = (key, line.policy)
            part = min(wants, line.amount - line.offset - line.deducted, room.get(own, wants))
            if part > 0:
                found.append(Part(line, case, part))
                line.deducted += part
                if own in room:
                    room[own] -= part
                wants, left[key] = wants - part, left[key] - part
    return found


def _of_policies(lines: dict[tuple, list[Any]]) -> dict[tuple, int]:
    """(recipient and fund, policy) → fen that may be kept back of what the policy pays, where its text sets a ceiling."""
    shares: dict[int, int | None] = {}
    for pk in {x.version_id for own in lines.values() for x in own}:
        with as_system("a policy may be that of a region above"):
            version = policies.version_of(pk)
        shares[pk] = policies.policy_of(version).deduct_most if version is not None else None
    sums: dict[tuple, int] = defaultdict(int)
    for key, own in lines.items():
        for x in own:
            if shares[x.version_id] is not None:
                sums[key, x.policy] += (x.amount - x.offset) * shares[x.version_id]
    return {key: total // 100 for key, total in sums.items()}


def book(actor: Actor, parts: Sequence[Part], now: datetime) -> None:
    """Move what was kept back in the ledger, and keep it with the payments, which are there by now."""
    if not parts:
        return
    payments = dict(Payment.objects.filter(line_id__in=[p.line.id for p in parts]).values_list("line_id", "pk"))
    with as_system(_ELSEWHERE):
        made = [
            Deduction(recovery=p.recovery, payment_id=payments[p.line.id], amount=p.amount, made_at=now) for p in parts
        ]
        Deduction.objects.bulk_create(made)
        for d in made:
            _move(actor, d, "deduct", now)
            fill(d.recovery, d.amount)
            d.recovery.repaid += d.amount
            d.recovery.save(update_fields=["repaid"])
        for case in {p.recovery.pk: p.recovery for p in parts}.values():
            if case.repaid == case.amount:
                _apply(actor, case, RecoveryAction.REPAY, now=now)


def undo(actor: Actor, payment_ids: Iterable[int], now: datetime) -> None:
    """The bank rejected these payments: what was kept back of them is due to the recipient again, and owed again."""
    with as_system(_ELSEWHERE):
        rows = (
            Deduction.objects.filter(payment_id__in=list(payment_ids), undone_at=None)
            .select_related("payment")
            .order_by("pk")
        )
        for d in list(rows):
            case = get(Recovery, d.recovery_id, lock=True)
            d.recovery, d.undone_at = case, now
            d.save(update_fields=["undone_at"])
            _move(actor, d, "undeduct", now)
            if case.state == RecoveryState.REPAID:
                case = d.recovery = _apply(actor, case, RecoveryAction.REOPEN, now=now, changes={"closed_at": None})
            case.repaid -= d.amount
            case.save(update_fields=["repaid"])
            fill(case, -d.amount)
            if case.state == RecoveryState.WAIVED:  # written off meanwhile: all that was left, this too
                _move(actor, d, "waive", now)
                _move(actor, d, "forgive", now)
            d.payment.amount, d.payment.deducted = d.payment.amount + d.amount, d.payment.deducted - d.amount
            d.payment.save(update_fields=["amount", "deducted"])


def _move(actor: Actor, d: Deduction, word: str, now: datetime) -> None:
    """Both sides of one deduction: the recipient's own accounts, and the fund's claim."""
    case, fund = d.recovery, d.recovery.fund
    subject = (case.subject_kind, case.subject_id)
    rows = [(*subject, case.path, case.person_id)]
    due, owed = (subject_accounts(actor, purpose, rows)[subject] for purpose in (DUE, OWED))
    claim, free = (fund_account(actor, fund, purpose) for purpose in (RECEIVABLE, AVAILABLE))
    moves = {
        "deduct": [(due, owed, "deduct"), (claim, free, "kept")],
        "undeduct": [(owed, due, "undeduct"), (free, claim, "unkept")],
        "waive": [(claim, fund_account(actor, fund, WAIVED), "waive")],
        "forgive": [(fund_account(actor, fund, WAIVED), owed, "forgive")],
    }  # fmt: skip
    for debit, credit, kind in moves[word]:
        ledger.transfer(
            actor=actor, debit=debit, credit=credit, amount=d.amount, key=f"deduction:{d.pk}:{kind}", kind=f"benefits.{kind}",
            reference=case.number, effective_on=timezone.localdate(now),
        )  # fmt: skip
