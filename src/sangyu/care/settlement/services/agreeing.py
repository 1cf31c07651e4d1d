"""After freezing: the provider confirms or objects, finance approves and pays."""

from datetime import date, datetime

from django.utils import timezone
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from sangyu.care.vouchers import services as vouchers
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.ledger import services as ledger
from sangyu.kernel.ledger.enums import Unit
from sangyu.kernel.scoping import as_system
from sangyu.kernel.services import service
from sangyu.registry.organisations import selectors as organisations

from ..enums import SHOWN_TO_PROVIDER, Action, LineKind, State
from ..models import Statement, StatementLine
from ._shared import apply, get_statement
from .closing import totals


def _own(actor: Actor, statement_id: int) -> Statement:
    statement = get_statement(statement_id, lock=True)
    if statement.state not in SHOWN_TO_PROVIDER:
        raise NotVisible
    return statement


@service("settlement.confirm")
def confirm(*, actor: Actor, statement_id: int, now: datetime | None = None) -> Statement:
    """The provider agrees with its statement."""
    _own(actor, statement_id)
    return apply(actor, statement_id, Action.CONFIRM, now=now)


@service("settlement.confirm")
def object_to(*, actor: Actor, statement_id: int, reason: str, now: datetime | None = None) -> Statement:
    """The provider returns its statement with a reason."""
    if not reason.strip():
        raise Invalid({"reason": [_("Say what is wrong with the statement.")]})
    _own(actor, statement_id)
    return apply(
        actor, statement_id, Action.OBJECT, now=now, reason=reason.strip()[:500],
        changes={"objection": reason.strip()[:500]},
    )  # fmt: skip


@service("settlement.close")
def answer(
    *,
    actor: Actor,
    statement_id: int,
    reason: str,
    adjustment: int = 0,
    day: date | None = None,
    now: datetime | None = None,
) -> Statement:
    """Answer an objection, with an adjustment line (fen, may be negative) or none, and send the statement again.

    Visits are never taken off a frozen statement: what is wrong with one is refunded on its order and comes as a
    negative line.
    """
    if not reason.strip():
        raise Invalid({"reason": [_("Give the reason.")]})
    statement = get_statement(statement_id, lock=True)
    if adjustment and statement.state == State.OBJECTED:
        StatementLine.objects.create(
            statement=statement, kind=LineKind.ADJUSTMENT, day=day or localdate(now or timezone.now()),
            price=adjustment, public_pay=adjustment, note=reason.strip()[:300],
        )  # fmt: skip
    changes = {**totals(statement), "frozen_by": actor.name, "frozen_by_account": actor.account_id}
    return apply(actor, statement_id, Action.ANSWER, now=now, reason=reason.strip(), changes=changes)


@service("settlement.approve")
def approve(*, actor: Actor, statement_id: int, now: datetime | None = None) -> Statement:
    """Finance approves a confirmed statement; never who froze it. Raises Refused("settlement.four_eyes")."""
    statement = get_statement(statement_id, lock=True)
    same = (
        actor.account_id == statement.frozen_by_account
        if actor.account_id is not None
        else actor.name == statement.frozen_by
    )
    if same:
        raise Refused(_("Who froze the statement does not approve it. Ask a colleague."), code="settlement.four_eyes")
    return apply(
        actor, statement_id, Action.APPROVE, now=now,
        changes={"approved_by": actor.name, "approved_by_account": actor.account_id},
    )  # fmt: skip


@service("settlement.pay")
def pay(*, actor: Actor, statement_id: int, now: datetime | None = None) -> Statement:
    """Record the payment: fund → provider in fen, and the vouchers earned are redeemed. A negative total is a claim
    on the
    provider, moved the other way. Repeating it is refused by the workflow, and by the ledger's key.
    """
    now = now or timezone.now()
    statement = apply(actor, statement_id, Action.PAY, now=now)
    day = localdate(now)
    with as_system("the provider's account may lie outside the purchasing region"):
        fund = ledger.open_account(
            actor=actor, owner_kind="fund", owner_id=statement.region_id, unit=Unit.FEN, purpose="service_purchase",
            path=statement.path, floor=None,
        )  # fmt: skip
        redeemed = ledger.open_account(
            actor=actor, owner_kind="fund", owner_id=statement.region_id, unit=Unit.VOUCHER_FEN, purpose="redeemed",
            path=statement.path, floor=None,
        )  # fmt: skip
        provider = ledger.open_account(
            actor=actor, owner_kind="organisation", owner_id=statement.organisation_id, unit=Unit.FEN,
            purpose="settled", path=organisations.path_of(statement.organisation_id), floor=None,
        )  # fmt: skip
        earned = vouchers.earned_account(actor, statement.organisation_id)
        common = {"actor": actor, "reference": statement.number, "effective_on": day}
        for kind, back, source, target, amount in (
            ("settlement.pay", "settlement.claim", fund, provider, statement.payable),
            ("settlement.redeem", "settlement.unredeem", earned, redeemed, statement.voucher),
        ):
            if amount:
                debit, credit = (source, target) if amount > 0 else (target, source)
                key = f"{statement.number}:{kind}"
                ledger.transfer(
                    debit=debit, credit=credit, amount=abs(amount), key=key, kind=kind if amount > 0 else back, **common
                )
    return statement
