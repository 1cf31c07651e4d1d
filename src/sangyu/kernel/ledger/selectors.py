"""Reading the ledger: balances and statements of accounts that the open scope sees."""

from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import BigIntegerField, Case, F, Q, Sum, Value, When
from django.db.models.functions import Coalesce

from ..actor import Actor
from ..errors import NotVisible
from ..scoping import scope
from .enums import Phase
from .models import Account, OpenReservation, Transfer

#: Phases that change balances; the others change reservations only.
MOVING = (Phase.TRANSFER, Phase.POST, Phase.CORRECT)


@dataclass(frozen=True, slots=True)
class Balance:
    """Posted balance, what is reserved to leave and to arrive, and what may still leave above zero; in units."""

    posted: int
    reserved_out: int
    reserved_in: int

    @property
    def available(self) -> int:
        return self.posted - self.reserved_out


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One movement on a statement: ``amount`` is signed, ``running`` is the balance after it."""

    transfer_id: int
    effective_on: date
    recorded_at: datetime
    phase: str
    kind: str
    reference: str
    reason: str
    counter_account_id: int
    amount: int
    running: int


@dataclass(frozen=True, slots=True)
class Statement:
    account: Account
    since: date
    until: date
    opening: int
    closing: int
    lines: list[StatementLine] = field(default_factory=list)


def account(*, actor: Actor, account_id: int) -> Account:
    """The account, or NotVisible."""
    with scope(actor):
        found = Account.objects.filter(pk=account_id).first()
    if found is None:
        raise NotVisible
    return found


def find_account(*, actor: Actor, owner_kind: str, owner_id: int, unit: str, purpose: str) -> Account | None:
    """The account of this owner, unit and purpose if it exists and is seen."""
    with scope(actor):
        return Account.objects.filter(owner_kind=owner_kind, owner_id=owner_id, unit=unit, purpose=purpose).first()


def balance(*, actor: Actor, account_id: int) -> Balance:
    """Balance now. Raises NotVisible."""
    found = account(actor=actor, account_id=account_id)
    return Balance(found.balance, found.reserved_out, found.reserved_in)


def balances(*, actor: Actor, account_ids: list[int]) -> dict[int, Balance]:
    """Balances of the accounts that are seen, in one query."""
    with scope(actor):
        rows = Account.objects.filter(pk__in=account_ids).values_list("pk", "balance", "reserved_out", "reserved_in")
        return {pk: Balance(*rest) for pk, *rest in rows}


def _signed(account_id: int) -> Case:
    return Case(When(credit_id=account_id, then=F("amount")), default=-F("amount"), output_field=BigIntegerField())


def balance_on(*, actor: Actor, account_id: int, day: date, known: datetime | None = None) -> int:
    """Balance at the end of ``day`` by effective date; with ``known``, as recorded until then."""
    with scope(actor):
        account(actor=actor, account_id=account_id)
        return _sum(account_id, Q(effective_on__lte=day), known)


def _sum(account_id: int, condition: Q, known: datetime | None = None) -> int:
    rows = Transfer.objects.filter(Q(debit_id=account_id) | Q(credit_id=account_id), condition, phase__in=MOVING)
    if known is not None:
        rows = rows.filter(recorded_at__lte=known)
    return rows.aggregate(total=Coalesce(Sum(_signed(account_id)), Value(0), output_field=BigIntegerField()))["total"]


def statement(*, actor: Actor, account_id: int, since: date, until: date) -> Statement:
    """Movements of an account in ``[since, until]`` by effective date, with opening, running and closing balance."""
    with scope(actor):
        found = account(actor=actor, account_id=account_id)
        running = opening = _sum(account_id, Q(effective_on__lt=since))
        rows = Transfer.objects.filter(
            Q(debit_id=account_id) | Q(credit_id=account_id), phase__in=MOVING, effective_on__range=(since, until)
        )
        lines = []
        for t in rows.order_by("effective_on", "id"):
            amount = t.amount if t.credit_id == account_id else -t.amount
            running += amount
            other = t.debit_id if t.credit_id == account_id else t.credit_id
            lines.append(
                StatementLine(
                    t.pk, t.effective_on, t.recorded_at, t.phase, t.kind, t.reference, t.reason, other, amount, running
                )
            )
        return Statement(found, since, until, opening, running, lines)


def transfers_of(*, actor: Actor, reference: str) -> list[Transfer]:
    """All transfers that carry ``reference``, oldest first."""
    with scope(actor):
        return list(Transfer.objects.filter(reference=reference).order_by("id"))


def open_reservations(*, actor: Actor, account_id: int) -> list[OpenReservation]:
    """Reservations out of an account that have not ended, oldest first."""
    with scope(actor):
        return list(OpenReservation.objects.filter(debit_id=account_id).order_by("transfer_id"))
