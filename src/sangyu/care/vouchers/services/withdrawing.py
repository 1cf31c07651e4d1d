"""Taking back what of a voucher turned out not to be due (X-03). Asks no permission: the release of a run has."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q, Sum

from sangyu.kernel.actor import Actor
from sangyu.kernel.ledger import services as ledger
from sangyu.kernel.ledger.enums import Phase
from sangyu.kernel.ledger.models import Transfer

from ..enums import Action, State
from ..models import Voucher
from ..workflow import VOUCHER_FLOW
from ._shared import CANCELLED, SPENT, programme_account

_LIVE = (State.ACTIVE, State.LOST)
_MOVES = (Phase.TRANSFER, Phase.POST, Phase.CORRECT)


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Fen: ``back`` came off the voucher, ``ended`` had lapsed or been cancelled before, ``used`` is spent or held by an order."""

    back: int = 0
    ended: int = 0
    used: int = 0

    @property
    def total(self) -> int:
        return self.back + self.ended + self.used


def withdraw(
    *,
    actor: Actor,
    issue_id: int,
    person_ids: Iterable[int | None],
    amount: int,
    key: str,
    reason: str,
    today: date,
    now: datetime,
) -> Withdrawn:
    """Lower what the person's voucher of an issue was worth by ``amount``. What was used within the rest that is still due stays
    with the person; a voucher of which nothing is due any more is cancelled. Less than ``amount`` when no more was due. Call under ``as_system``, once per ``key``.
    """  # fmt: skip
    chain = list(
        Voucher.objects.select_for_update(of=("self",)).select_related("programme", "account")
        .filter(issue_id=issue_id, person_id__in=[p for p in person_ids if p is not None]).order_by("pk")
    )  # fmt: skip
    if not chain:
        return Withdrawn()
    last = next((v for v in chain if v.state in _LIVE), chain[-1])
    amount = min(amount, last.amount - last.withdrawn)
    if not amount:
        return Withdrawn()
    due = last.amount - last.withdrawn - amount
    used = min(max(_used(actor, chain) - due, 0), amount)
    back = min(last.available, amount - used) if last.state in _LIVE else 0
    if back:
        ledger.transfer(
            actor=actor, debit=last.account_id, credit=programme_account(actor, last.programme, CANCELLED), amount=back,
            key=f"voucher:{last.pk}:withdraw:{key}", kind="voucher.withdraw", effective_on=today,
        )  # fmt: skip
    last.withdrawn += amount
    last.save(update_fields=["withdrawn"])
    if last.state in _LIVE:
        action = Action.WITHDRAW if due or last.held else Action.CANCEL
        VOUCHER_FLOW.apply(
            actor=actor, queryset=Voucher.objects.all(), pk=last.pk, action=action, now=now, reason=reason,
            data={"withdrawn": amount, "back": back},
        )  # fmt: skip
    return Withdrawn(back, amount - used - back, used)


def _used(actor: Actor, chain: list[Voucher]) -> int:
    """What was spent of a voucher and those that it replaced, less refunds, and what orders hold."""
    accounts = [v.account_id for v in chain]
    spent = programme_account(actor, chain[0].programme, SPENT)
    touched = Q(debit_id__in=accounts) | Q(credit_id__in=accounts)
    sums = Transfer.objects.filter(touched, phase__in=_MOVES).aggregate(
        out=Sum("amount", filter=Q(debit_id__in=accounts, credit_id=spent)),
        back=Sum("amount", filter=Q(debit_id=spent, credit_id__in=accounts)),
    )
    return (sums["out"] or 0) - (sums["back"] or 0) + sum(v.held for v in chain)
