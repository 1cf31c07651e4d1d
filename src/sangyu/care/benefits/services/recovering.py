"""Recoveries: instalments, repayments, writing off. From later payments money is taken only as ``deducting`` says (X-03)."""

from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, Refused
from sangyu.kernel.ledger import services as ledger
from sangyu.kernel.scoping import as_system
from sangyu.kernel.services import service

from ..enums import RecoveryAction
from ..models import Instalment, Recovery, Repayment
from ..workflow import RECOVERY_FLOW
from ._shared import AVAILABLE, OWED, RECEIVABLE, SOURCE, WAIVED, fund_account, get, subject_accounts
from .preparing import add_months

MOST_INSTALMENTS = 60
_ELSEWHERE = "a recovery's fund may lie above its region"


def _apply(actor: Actor, recovery: Recovery, action: RecoveryAction, **kwargs) -> Recovery:
    return RECOVERY_FLOW.apply(
        actor=actor, queryset=Recovery.objects.all(), pk=recovery.pk, action=action, row=recovery, **kwargs
    )


@service("benefits.recover")
def agree(
    *,
    actor: Actor,
    recovery_id: int,
    instalments: int,
    first_due: date,
    payer: str,
    note: str = "",
    now: datetime | None = None,
) -> Recovery:
    """Agree that ``payer`` repays what is left in equal monthly parts; the last one takes the rest. Replaces an earlier plan."""
    errors = {}
    if not 1 <= instalments <= MOST_INSTALMENTS:
        errors["instalments"] = [_("Between 1 and %(n)d instalments.") % {"n": MOST_INSTALMENTS}]
    if not payer.strip():
        errors["payer"] = [_("Say who repays.")]
    recovery = get(Recovery, recovery_id, lock=True)
    if not errors and 0 < recovery.left < instalments:
        errors["instalments"] = [_("Less than one fen an instalment.")]
    if errors:
        raise Invalid(errors)
    left = recovery.left
    recovery = _apply(
        actor,
        recovery,
        RecoveryAction.AGREE,
        now=now,
        changes={"payer": payer.strip()[:60], "note": note.strip()[:300]},
    )
    kept = recovery.instalments.filter(repaid__gt=0).count()
    for paid in recovery.instalments.filter(repaid__gt=0):  # what was begun ends with what came in
        paid.amount = paid.repaid
        paid.save(update_fields=["amount"])
    recovery.instalments.filter(repaid=0).delete()
    part = left // instalments
    for n in range(instalments):
        month = add_months(first_due, n)
        Instalment.objects.create(
            recovery=recovery, number=kept + n + 1, due_on=month.replace(day=min(first_due.day, 28)),
            amount=part if n < instalments - 1 else left - part * (instalments - 1),
        )  # fmt: skip
    return recovery


@service("benefits.recover")
def repay(
    *,
    actor: Actor,
    recovery_id: int,
    amount: int,
    received_on: date,
    receipt: str,
    key: str,
    now: datetime | None = None,
) -> Recovery:
    """Record money that came back, in fen; it fills the instalments in order. The same ``key`` is the same money.

    Raises Refused("benefits.repaid_too_much"), Refused("workflow.edge") when the recovery is closed.
    """
    now = now or timezone.now()
    if amount <= 0:
        raise Invalid({"amount": [_("The amount must be more than zero.")]})
    if not receipt.strip():
        raise Invalid({"receipt": [_("Give the number of the receipt.")]})
    recovery = get(Recovery, recovery_id, lock=True)
    known = recovery.repayments.filter(key=key).first()
    if known is not None:
        if known.amount != amount:
            raise Refused(_("This entry was made before with another amount."), code="benefits.key_reused")
        return recovery
    RECOVERY_FLOW.require(recovery, RecoveryAction.REPAY)
    if amount > recovery.left:
        raise Refused(_("More than what is still owed."), code="benefits.repaid_too_much")
    try:
        with transaction.atomic():
            Repayment.objects.create(
                recovery=recovery, key=key, amount=amount, received_on=received_on, receipt=receipt.strip()[:60],
                actor=actor.name, recorded_at=now,
            )  # fmt: skip
    except IntegrityError as clash:
        raise Refused(_("This entry is being made already."), code="benefits.key_reused") from clash
    fill(recovery, amount)
    with as_system(_ELSEWHERE):
        owed = _owed(actor, recovery)
        moves = [
            (fund_account(actor, recovery.fund, SOURCE), owed, "repaid"),
            (fund_account(actor, recovery.fund, RECEIVABLE), fund_account(actor, recovery.fund, AVAILABLE), "back"),
        ]
        for debit, credit, word in moves:
            ledger.transfer(
                actor=actor, debit=debit, credit=credit, amount=amount, key=f"recovery:{recovery.pk}:{word}:{key}",
                kind=f"benefits.{word}", reference=recovery.number, effective_on=received_on,
            )  # fmt: skip
    recovery.repaid += amount
    recovery.save(update_fields=["repaid"])
    if recovery.repaid == recovery.amount:
        recovery = _apply(actor, recovery, RecoveryAction.REPAY, now=now)
    return recovery


def fill(recovery: Recovery, amount: int) -> None:
    """Fill the instalments in order; a negative amount empties them from the last one on."""
    for part in recovery.instalments.order_by("number" if amount > 0 else "-number"):
        taken = min(amount, part.amount - part.repaid) if amount > 0 else max(amount, -part.repaid)
        if taken:
            part.repaid += taken
            part.save(update_fields=["repaid"])
            amount -= taken


def _owed(actor: Actor, recovery: Recovery) -> int:
    subject = (recovery.subject_kind, recovery.subject_id)
    return subject_accounts(actor, OWED, [(*subject, recovery.path, recovery.person_id)])[subject]


@service("benefits.waive")
def waive(*, actor: Actor, recovery_id: int, reason: str, now: datetime | None = None) -> Recovery:
    """Write off what is left, with a reason (nobody to claim it from, hardship)."""
    if not reason.strip():
        raise Invalid({"reason": [_("Give the reason.")]})
    now = now or timezone.now()
    recovery = get(Recovery, recovery_id, lock=True)
    left = recovery.left
    recovery = _apply(actor, recovery, RecoveryAction.WAIVE, now=now, reason=reason.strip())
    if left:
        with as_system(_ELSEWHERE):
            moves = [
                (fund_account(actor, recovery.fund, RECEIVABLE), fund_account(actor, recovery.fund, WAIVED), "waive"),
                (fund_account(actor, recovery.fund, WAIVED), _owed(actor, recovery), "forgive"),
            ]
            for debit, credit, word in moves:
                ledger.transfer(
                    actor=actor, debit=debit, credit=credit, amount=left, key=f"recovery:{recovery.pk}:{word}",
                    kind=f"benefits.{word}", reference=recovery.number, effective_on=timezone.localdate(now),
                )  # fmt: skip
    return recovery
