"""What bank and insurer answered: each item once, paid or back to whom it is due."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Refused
from sangyu.kernel.ledger import services as ledger
from sangyu.kernel.scoping import as_system
from sangyu.kernel.services import service

from ..enums import FileAction, FileState, PaymentAction, PaymentState, Result, RunAction, RunState
from ..models import FileItem, Fund, Payment, PaymentFile, Run
from ..workflow import FILE_FLOW, PAYMENT_FLOW, RUN_FLOW
from . import deducting
from ._shared import IN_BANK, PAID, fund_account, get, log_many

#: Payment → (paid, why not).
Answers = dict[int, tuple[bool, str]]


@service("benefits.settle")
def settle(*, actor: Actor, file_id: int, answers: Answers, now: datetime | None = None) -> dict[str, int]:
    """Settle items of a sent file; those answered before in the same way stay as they are. Counts per result.

    Raises Refused: "benefits.not_sent", "benefits.not_in_file", "benefits.answered" (answered otherwise before).
    """
    return close_file(actor, get(PaymentFile, file_id, lock=True), answers, now or timezone.now())


@service("benefits.settle")
def confirm(*, actor: Actor, file_id: int, now: datetime | None = None) -> dict[str, int]:
    """The insurer (or the bank, for the whole file) confirmed every item that still waits."""
    made = get(PaymentFile, file_id, lock=True)
    waiting = made.items.filter(result=Result.PENDING).values_list("payment_id", flat=True)
    return close_file(actor, made, dict.fromkeys(waiting, (True, "")), now or timezone.now())


def close_file(actor: Actor, made: PaymentFile, answers: Answers, now: datetime) -> dict[str, int]:
    """Settle ``answers`` of a locked file in a handful of statements; the file is settled when no item waits."""
    if made.state not in (FileState.SENT, FileState.SETTLED):
        raise Refused(_("This file has not been sent."), code="benefits.not_sent")
    items = {i.payment_id: i for i in made.items.filter(payment_id__in=answers).select_related("payment")}
    if len(items) < len(answers):
        raise Refused(_("Some payments are not in this file."), code="benefits.not_in_file")
    accepted, rejected, same = [], [], 0
    for payment_id, (paid, _why) in sorted(answers.items()):
        item = items[payment_id]
        if item.result == Result.PENDING:
            (accepted if paid else rejected).append(item)
        elif (item.result == Result.ACCEPTED) == paid:
            same += 1
        else:
            raise Refused(
                _("%(ref)s was answered otherwise before.") % {"ref": item.payment.reference}, code="benefits.answered"
            )
    why = {pk: text.strip()[:200] or _("No reason given") for pk, (paid, text) in answers.items() if not paid}
    _book(actor, made, accepted, rejected, now)
    _mark(actor, made, accepted, rejected, why, now)
    deducting.undo(actor, [i.payment_id for i in rejected], now)
    if made.state == FileState.SENT and not made.items.filter(result=Result.PENDING).exists():
        FILE_FLOW.apply(
            actor=actor, queryset=PaymentFile.objects.all(), pk=made.pk, row=made, action=FileAction.SETTLE, now=now
        )
    advance_runs(actor, {i.payment.run_id for i in items.values()}, now)
    return {"accepted": len(accepted), "rejected": len(rejected), "same": same}


def _book(actor: Actor, made: PaymentFile, accepted: list[FileItem], rejected: list[FileItem], now: datetime) -> None:
    from .paying import waiting_accounts

    with as_system("the fund of a payment may lie above its region"):
        funds = Fund.objects.in_bulk({i.payment.fund_id for i in accepted + rejected})
        on_the_way = {pk: fund_account(actor, fund, IN_BANK) for pk, fund in funds.items()}
        paid = {pk: fund_account(actor, fund, PAID) for pk, fund in funds.items()}
        back = waiting_accounts(actor, rejected)
        for kind, items, target in (
            ("benefits.paid", accepted, lambda i: paid[i.payment.fund_id]),
            ("benefits.returned", rejected, lambda i: back[i.payment_id]),
        ):
            word = kind.rpartition(".")[2]
            ledger.transfer_batch(
                actor=actor, kind=kind, effective_on=timezone.localdate(now),
                moves=[
                    ledger.Move(
                        on_the_way[i.payment.fund_id], target(i), i.amount, f"payment:{i.payment_id}:{made.pk}:{word}",
                        f"payment:{i.payment_id}",
                    )
                    for i in items
                ],
            )  # fmt: skip


def _mark(
    actor: Actor,
    made: PaymentFile,
    accepted: list[FileItem],
    rejected: list[FileItem],
    why: dict[int, str],
    now: datetime,
) -> None:
    FileItem.objects.filter(pk__in=[i.pk for i in accepted]).update(result=Result.ACCEPTED, settled_at=now)
    ids = [i.payment_id for i in accepted]
    Payment.objects.filter(pk__in=ids).update(state=PaymentState.PAID, paid_at=now)
    log_many(
        PAYMENT_FLOW, actor, [(pk, "") for pk in ids], PaymentAction.ACCEPT, PaymentState.IN_FILE, PaymentState.PAID, now,
        file=made.number,
    )  # fmt: skip
    for item in rejected:  # few, each with a reason of its own
        item.result, item.refusal, item.settled_at = Result.REJECTED, why[item.payment_id], now
    FileItem.objects.bulk_update(rejected, ["result", "refusal", "settled_at"], batch_size=1000)
    back = [i.payment for i in rejected]
    for payment in back:
        payment.state, payment.refusal = PaymentState.REJECTED, why[payment.pk]
    Payment.objects.bulk_update(back, ["state", "refusal"], batch_size=1000)
    log_many(
        PAYMENT_FLOW, actor, [(p.pk, why[p.pk]) for p in back], PaymentAction.REJECT, PaymentState.IN_FILE,
        PaymentState.REJECTED, now, file=made.number,
    )  # fmt: skip


def advance_runs(actor: Actor, run_ids: Iterable[int], now: datetime) -> None:
    """Runs of which every payment was answered are paid out; of which none came back unpaid, reconciled."""
    with as_system("a payment's run may belong to a region above"):
        rows = Run.objects.filter(pk__in=list(run_ids), state__in=[RunState.RELEASED, RunState.PAID]).annotate(
            waiting=Count("payments", filter=Q(payments__state__in=[PaymentState.DUE, PaymentState.IN_FILE])),
            rejected=Count("payments", filter=Q(payments__state=PaymentState.REJECTED)),
        )
        for found in rows.order_by("pk"):
            run = Run.objects.select_for_update().get(pk=found.pk)
            steps = [(RunState.RELEASED, RunAction.PAY_OUT, not found.waiting)]
            steps.append((RunState.PAID, RunAction.RECONCILE, not found.waiting and not found.rejected))
            for state, action, reached in steps:
                if run.state == state and reached:
                    run = RUN_FLOW.apply(
                        actor=actor, queryset=Run.objects.all(), pk=run.pk, row=run, action=action, now=now
                    )
