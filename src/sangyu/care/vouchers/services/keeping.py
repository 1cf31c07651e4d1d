"""After issue: loss, reissue, cancellation, expiry."""

from datetime import date, datetime
from uuid import uuid4

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, Refused
from sangyu.kernel.ledger import services as ledger
from sangyu.kernel.scoping import as_system
from sangyu.kernel.services import service

from ..enums import Action, State, Unspent
from ..models import Voucher, VoucherLog
from ..periods import add_months
from ..serials import next_serials
from ..workflow import VOUCHER_FLOW
from ._shared import CANCELLED, LAPSED, get_voucher, programme_account
from .issuing import open_accounts

_LIVE = (State.ACTIVE, State.LOST)


def _apply(actor: Actor, voucher_id: int, action: Action, **kwargs) -> Voucher:
    return VOUCHER_FLOW.apply(actor=actor, queryset=Voucher.objects.all(), pk=voucher_id, action=action, **kwargs)


def _reason(reason: str) -> str:
    if not reason.strip():
        raise Invalid({"reason": [_("Give the reason.")]})
    return reason.strip()


def _free_of_holds(voucher: Voucher) -> None:
    if voucher.held:
        raise Refused(_("An order holds part of this voucher. Cancel or finish the order first."), code="vouchers.held")


@service("vouchers.replace")
def report_loss(*, actor: Actor, voucher_id: int, reason: str, now: datetime | None = None) -> Voucher:
    """Block a lost voucher: no new use. What orders hold already stays held."""
    return _apply(actor, voucher_id, Action.REPORT_LOSS, reason=_reason(reason), now=now)


@service("vouchers.replace")
def find(*, actor: Actor, voucher_id: int, now: datetime | None = None) -> Voucher:
    """The lost paper was found again."""
    return _apply(actor, voucher_id, Action.FIND, now=now)


@service("vouchers.replace")
def reissue(*, actor: Actor, voucher_id: int, today: date, now: datetime | None = None) -> Voucher:
    """A new voucher with a new serial for a lost one; what was left moves over, the validity stays. Answers the new
    one.

    Raises Refused("vouchers.held") while orders hold part of it, "vouchers.empty" when nothing is left.
    """
    get_voucher(voucher_id)
    old = _apply(actor, voucher_id, Action.REISSUE, now=now)
    old = get_voucher(voucher_id)
    _free_of_holds(old)
    if not old.available:
        raise Refused(_("Nothing is left on this voucher."), code="vouchers.empty")
    serial = next_serials(today, 1)[0] if old.serial else None
    new = Voucher.objects.create(
        programme=old.programme, issue=old.issue, person_id=old.person_id, region_id=old.region_id, path=old.path,
        period=old.period, amount=old.amount, valid_from=old.valid_from, valid_to=old.valid_to, serial=serial,
        replaces=old, rolled_over=old.rolled_over,
    )  # fmt: skip
    open_accounts(actor, [new])
    ledger.transfer(
        actor=actor,
        debit=old.account_id,
        credit=new.account_id,
        amount=old.available,
        key=f"voucher:{old.pk}:reissue",
        kind="voucher.reissue",
        reference=f"voucher:{new.pk}",
        effective_on=today,
    )
    return get_voucher(new.pk)


@service("vouchers.cancel")
def cancel(*, actor: Actor, voucher_id: int, reason: str, today: date, now: datetime | None = None) -> Voucher:
    """Take back a voucher; what is left returns to the programme. Raises Refused("vouchers.held")."""
    _apply(actor, voucher_id, Action.CANCEL, reason=_reason(reason), now=now)
    voucher = get_voucher(voucher_id)
    _free_of_holds(voucher)
    _empty(actor, voucher, CANCELLED, today)
    return get_voucher(voucher_id)


def _empty(actor: Actor, voucher: Voucher, purpose: str, today: date) -> None:
    if voucher.available:
        with as_system("the programme's account may lie above the voucher's region"):
            ledger.transfer(
                actor=actor,
                debit=voucher.account_id,
                credit=programme_account(actor, voucher.programme, purpose),
                amount=voucher.available,
                key=f"voucher:{voucher.pk}:{purpose}",
                kind=f"voucher.{purpose}",
                effective_on=today,
            )


@service("vouchers.cancel")
def cancel_for_person(*, actor: Actor, person_id: int, reason: str, today: date) -> int:
    """Take back all vouchers of a person that no order holds (death); how many. Repeatable."""
    rows = Voucher.objects.filter(person_id=person_id, state__in=_LIVE, account__reserved_out=0)
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    for pk in ids:
        cancel(actor=actor, voucher_id=pk, reason=reason, today=today)
    return len(ids)


@service("vouchers.expire")
def expire_due(*, actor: Actor, today: date, now: datetime | None = None, limit: int = 5000) -> dict[str, int]:
    """End what may no longer be used on ``today``: the rest lapses, or stays usable for further months, as its
    programme
    says (O-5). What an order holds is left until the order has ended.

    Set-based, at most ``limit`` vouchers a call, repeatable. Answers counts: expired, waiting, rolled_over, fen.
    """
    now = now or timezone.now()
    due = list(
        Voucher.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("programme", "account")
        .filter(
            Q(state__in=_LIVE, valid_to__lte=today)
            | (~Q(state__in=_LIVE) & Q(account__balance__gt=0))  # refunded after it had ended
        )
        .order_by("pk")[:limit]
    )
    rolling = [
        v
        for v in due
        if v.state in _LIVE and v.programme.unspent == Unspent.ROLL_OVER and not v.rolled_over and v.account.balance
    ]
    for v in rolling:
        v.valid_to, v.rolled_over = add_months(v.valid_to, v.programme.roll_over_months), True
    Voucher.objects.bulk_update(rolling, ["valid_to", "rolled_over"], batch_size=1000)
    rolled = {v.pk for v in rolling}
    ending = [v for v in due if v.pk not in rolled]
    lapsed = _lapse(actor, ending, today)
    live = [v for v in ending if v.state in _LIVE]
    free = [v for v in live if not v.held]
    Voucher.objects.filter(pk__in=[v.pk for v in free]).update(state=State.EXPIRED)
    VoucherLog.objects.bulk_create(
        VoucherLog(
            voucher=v, action=Action.EXPIRE, source=v.state, target=State.EXPIRED, at=now,
            account_id=actor.account_id, actor=actor.name, data={"lapsed": v.available},
        )
        for v in free
    )  # fmt: skip
    return {"expired": len(free), "waiting": len(live) - len(free), "rolled_over": len(rolling), "fen": lapsed}


def _lapse(actor: Actor, vouchers: list[Voucher], today: date) -> int:
    moves, accounts = [], {}
    with as_system("the programme's account may lie above the voucher's region"):
        for v in vouchers:
            if v.available:
                if v.programme_id not in accounts:
                    accounts[v.programme_id] = programme_account(actor, v.programme, LAPSED)
                key = f"voucher:{v.pk}:lapse:{uuid4().hex}"  # the locked row, not the key, keeps a run from repeating
                moves.append(ledger.Move(v.account_id, accounts[v.programme_id], v.available, key))
        ledger.transfer_batch(actor=actor, moves=moves, kind="voucher.lapse", effective_on=today)
    return sum(m.amount for m in moves)
