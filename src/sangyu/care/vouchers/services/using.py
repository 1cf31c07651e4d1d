"""What orders call inside their own service calls: hold, release, spend, refund.

No permission of their own: the order's service has asked for one and has read the order in the actor's scope.
``order_ref``
is an opaque word; the ledger carries it as reference, so everything about one order is found there.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Refused
from sangyu.kernel.events import emit
from sangyu.kernel.ledger import selectors as ledger_selectors
from sangyu.kernel.ledger import services as ledger
from sangyu.kernel.ledger.enums import Phase, Unit
from sangyu.kernel.ledger.models import OpenReservation, Transfer
from sangyu.kernel.scoping import as_system, scope
from sangyu.registry.organisations import selectors as organisations

from .. import events
from ..enums import State
from ..models import Voucher
from ._shared import SPENT, programme_account

HOLD, EARN = "voucher.hold", "voucher.earn"
_WHY = "a voucher and its programme may lie outside the sight of who acts on the order"


def earned_account(actor: Actor, organisation_id: int) -> int:
    """Account of the vouchers that an organisation has earned and that settlement has not yet redeemed."""
    return ledger.open_account(
        actor=actor,
        owner_kind="organisation",
        owner_id=organisation_id,
        unit=Unit.VOUCHER_FEN,
        purpose="earned",
        path=organisations.path_of(organisation_id),
    )


def hold(
    *, actor: Actor, order_ref: str, person_id: int, splits: Iterable[tuple[int, int]], key: str
) -> dict[int, int]:
    """Set ``splits`` (voucher id, fen) aside for an order: all or none. Answers voucher id → reservation id.

    Raises Refused: "vouchers.not_usable" for a voucher that is not in use or another person's, "ledger.insufficient".
    """
    wanted = {v: fen for v, fen in splits if fen}
    with scope(actor), transaction.atomic(savepoint=False), as_system(_WHY):
        rows = _lock(Voucher.objects.filter(pk__in=wanted, person_id=person_id, state=State.ACTIVE))
        if len(rows) != len(wanted):
            raise Refused(_("A voucher is not in use or belongs to somebody else."), code="vouchers.not_usable")
        spent = {v.programme_id: programme_account(actor, v.programme, SPENT) for v in rows}
        held = {
            v.pk: ledger.reserve(
                actor=actor,
                debit=v.account_id,
                credit=spent[v.programme_id],
                amount=wanted[v.pk],
                key=f"{key}:{v.pk}",
                kind=HOLD,
                reference=order_ref,
            )
            for v in sorted(rows, key=lambda v: (spent[v.programme_id], v.account_id))
        }
        emit(events.HELD, path=actor.path, order_ref=order_ref, amount=sum(wanted.values()))
        return held


def _lock(rows: QuerySet[Voucher]) -> list[Voucher]:
    """Lock vouchers in id order: whoever uses a voucher comes through here first, so accounts of vouchers are
    uncontended.

    The programmes' accounts are then taken in id order and the organisation's last, by all functions of this module.
    """
    return list(rows.select_for_update(of=("self",)).select_related("programme").order_by("pk"))


@dataclass(frozen=True, slots=True)
class _Used:
    """One voucher's part in an order, with what the ledger says about it."""

    voucher: Voucher
    hold: Transfer
    post: Transfer | None = None
    earn: Transfer | None = None
    ended: bool = False
    given_back: int = 0

    @property
    def spent(self) -> int:
        return self.earn.amount - self.given_back if self.earn else 0


def _used(actor: Actor, order_ref: str) -> list[_Used]:
    """The vouchers of an order, locked, the first to expire first."""
    accounts = Transfer.objects.filter(reference=order_ref, kind=HOLD).values("debit_id")
    vouchers = {v.account_id: v for v in _lock(Voucher.objects.filter(account_id__in=accounts))}
    transfers = ledger_selectors.transfers_of(actor=actor, reference=order_ref)  # now nobody else moves them
    ends = {t.pending_id: t for t in transfers if t.pending_id}
    earns = {t.key: t for t in transfers if t.kind == EARN and t.phase == Phase.TRANSFER}
    back: dict[int, int] = {}
    for t in transfers:
        if t.phase == Phase.CORRECT:
            back[t.corrects_id] = back.get(t.corrects_id, 0) + t.amount
    found = []
    for t in transfers:
        if t.phase == Phase.RESERVE and t.kind == HOLD:
            end = ends.get(t.pk)
            post = end if end and end.phase == Phase.POST else None
            earn = earns.get(f"earn:{post.pk}") if post else None
            given = back.get(earn.pk, 0) if earn else 0
            found.append(_Used(vouchers[t.debit_id], t, post, earn, end is not None, given))
    return sorted(found, key=lambda u: (u.voucher.valid_to, u.voucher.pk))


def _in_lock_order(used: Iterable[_Used]) -> list[_Used]:
    return sorted(used, key=lambda u: (u.hold.credit_id, u.hold.debit_id))


@dataclass(frozen=True, slots=True)
class Held:
    """What an order holds of one voucher, in fen."""

    voucher_id: int
    account_id: int
    amount: int


def held(*, actor: Actor, order_ref: str) -> list[Held]:
    """What an order holds now. The caller has locked the order, so nobody else ends its holds meanwhile."""
    with scope(actor), as_system(_WHY):
        own = Voucher.objects.filter(account_id=OuterRef("debit_id")).values("pk")[:1]
        rows = OpenReservation.objects.filter(transfer__reference=order_ref, transfer__kind=HOLD)
        return [Held(*row) for row in rows.annotate(voucher=Subquery(own)).values_list("voucher", "debit_id", "amount")]


def release(*, actor: Actor, order_ref: str, reason: str = "") -> int:
    """Give back what the order holds; the fen given back. Nothing held is fine: 0."""
    with scope(actor), transaction.atomic(savepoint=False), as_system(_WHY):
        holds = [u for u in _used(actor, order_ref) if not u.ended]
        for u in _in_lock_order(holds):
            ledger.void(actor=actor, reservation_id=u.hold.pk, key=f"release:{u.hold.pk}", reason=reason[:200])
        return sum(u.hold.amount for u in holds)


def spend(*, actor: Actor, order_ref: str, organisation_id: int, key: str, amount: int | None = None) -> int:
    """Spend what the order holds for the organisation's visit; the fen spent. ``amount`` (None = all) limits it:
    vouchers
    that expire first are used first, the rest is released.

    Repeating the call with the same ``key`` changes nothing. Raises Refused("vouchers.not_held") when less is held.
    """
    with scope(actor), transaction.atomic(savepoint=False), as_system(_WHY):
        used = _used(actor, order_ref)
        done = [u for u in used if u.post and u.post.key.startswith(f"{key}:")]
        if done:
            return sum(u.earn.amount for u in done)
        holds = [u for u in used if not u.ended]
        held = sum(u.hold.amount for u in holds)
        left = held if amount is None else amount
        if not holds or left > held:
            raise Refused(_("Less is held for this order."), code="vouchers.not_held")
        parts = {}
        for u in holds:
            parts[u.hold.pk] = min(u.hold.amount, left)
            left -= parts[u.hold.pk]
        posts = []
        for u in _in_lock_order(holds):
            rid, part = u.hold.pk, parts[u.hold.pk]
            if part:
                posted = ledger.post(actor=actor, reservation_id=rid, amount=part, key=f"{key}:{rid}")
                posts.append((posted, u.hold.credit_id, part))
            else:
                ledger.void(actor=actor, reservation_id=rid, key=f"{key}:{rid}:rest")
        earned = earned_account(actor, organisation_id)
        for posted, clearing, part in posts:
            ledger.transfer(
                actor=actor,
                debit=clearing,
                credit=earned,
                amount=part,
                key=f"earn:{posted}",
                kind=EARN,
                reference=order_ref,
            )
        spent = sum(parts.values())
        emit(events.SPENT, path=actor.path, order_ref=order_ref, amount=spent, organisation_id=organisation_id)
        return spent


def refund(*, actor: Actor, order_ref: str, amount: int, reason: str, key: str) -> int:
    """Give ``amount`` fen of a spent order back to its vouchers, the last to expire first, by correcting transfers.

    What goes back to a voucher that has ended lapses with the next expiry run. Repeating the call with the same ``key``
    changes nothing. Raises Refused("vouchers.refund_too_high") when less was spent and not yet given back.
    """
    with scope(actor), transaction.atomic(savepoint=False), as_system(_WHY):
        used = _used(actor, order_ref)
        if any(t.key.startswith(f"{key}:") for t in ledger_selectors.transfers_of(actor=actor, reference=order_ref)):
            return amount
        left, parts = amount, {}
        for u in reversed(used):
            parts[u.hold.pk] = min(left, u.spent)
            left -= parts[u.hold.pk]
        if left:
            raise Refused(_("More would be given back than was spent."), code="vouchers.refund_too_high")
        back = [u for u in _in_lock_order(used) if parts[u.hold.pk]]
        why = reason[:200] or "refund"
        for which in ("post", "earn"):  # the programme's accounts before the organisation's, as everywhere here
            for u in back:
                wrong = getattr(u, which)
                ledger.correct(
                    actor=actor, transfer_id=wrong.pk, amount=parts[u.hold.pk], key=f"{key}:{wrong.pk}", reason=why
                )
        emit(events.REFUNDED, path=actor.path, order_ref=order_ref, amount=amount)
        return amount
