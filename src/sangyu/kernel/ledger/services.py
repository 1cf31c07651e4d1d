"""What rooms call to move money, vouchers, minutes and points (docs/adr/0004-ledger.md).

All functions are keyword-only, join or open ``scope(actor)`` and must reach the debited account from it. Amounts are whole
numbers in the account's unit. They raise Refused with a ``ledger.*`` code, or NotVisible for accounts and transfers that do not
exist or lie out of scope; nothing has changed then, and the transaction can go on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..actor import Actor
from ..errors import Invalid, NotVisible, Refused, SangyuError
from ..scoping import run_alone, scope
from .enums import Phase

REFUSALS = {
    "ledger.key_reused": gettext_lazy("This key was used before with other input."),
    "ledger.insufficient": gettext_lazy("The account does not hold enough."),
    "ledger.ceiling": gettext_lazy("The account would exceed its limit."),
    "ledger.closed": gettext_lazy("The account is closed."),
    "ledger.not_empty": gettext_lazy("The account still holds a balance or reservations."),
    "ledger.unit": gettext_lazy("The accounts count different units."),
    "ledger.same_account": gettext_lazy("Both sides are the same account."),
    "ledger.amount": gettext_lazy("The amount must be a whole number of zero or more."),
    "ledger.resolved": gettext_lazy("The reservation has already ended."),
    "ledger.expired": gettext_lazy("The reservation has expired."),
    "ledger.over_posted": gettext_lazy("More than was reserved."),
    "ledger.over_corrected": gettext_lazy("More than is left to correct."),
    "ledger.reason_missing": gettext_lazy("A correction needs a reason."),
}
_HIDDEN = {"ledger.account_unknown", "ledger.transfer_unknown"}
_MAX = 2**63 - 1


def _answer(refusal: str | None, detail: str | None) -> SangyuError | None:
    if refusal is None:
        return None
    if refusal in _HIDDEN:
        return NotVisible(f"{refusal} {detail}", code=refusal)
    text = REFUSALS.get(refusal)
    return Refused(text if text is not None else _("The ledger refused: %s") % refusal, code=refusal)


def _call(actor: Actor, function: str, values: Sequence[Any]) -> Any:
    return _result(run_alone(actor, f"sangyu.{function}", values))


def _result(row: tuple) -> Any:
    result, refusal, detail = row
    if refusal is not None:
        raise _answer(refusal, detail)
    return result


def _whole(*amounts: int) -> None:
    for amount in amounts:
        if type(amount) is not int or not 0 <= amount <= _MAX:
            raise _answer("ledger.amount", str(amount))


def _key(key: str) -> None:
    if not key or len(key) > 120:
        raise Invalid({"key": [_("A key has 1 to 120 characters.")]}, code="ledger.key")


# ---------------------------------------------------------------- accounts
def open_account(
    *,
    actor: Actor,
    owner_kind: str,
    owner_id: int,
    unit: str,
    purpose: str,
    path: str,
    person_id: int | None = None,
    floor: int | None = 0,
    ceiling: int | None = None,
) -> int:
    """Id of the account of this owner, unit and purpose; opened with these limits when it is not there yet."""
    rows = [(owner_id, path, person_id)]
    return open_accounts(
        actor=actor, owner_kind=owner_kind, unit=unit, purpose=purpose, rows=rows, floor=floor, ceiling=ceiling
    )[0]


def open_accounts(
    *,
    actor: Actor,
    owner_kind: str,
    unit: str,
    purpose: str,
    rows: Sequence[tuple[int, str, int | None]],
    floor: int | None = 0,
    ceiling: int | None = None,
) -> list[int]:
    """Open many accounts in one statement; ``rows`` are (owner id, path, person id). Ids in the same order."""
    owners, paths, persons = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    with scope(actor), connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM sangyu.ledger_account_open"
            "(%s, %s::bigint[], %s, %s, %s::text[], %s::bigint[], %s::bigint, %s::bigint)",
            [owner_kind, owners, unit, purpose, paths, persons, floor, ceiling],
        )
        return [found for (found,) in cursor.fetchall()]


def close_account(*, actor: Actor, account_id: int) -> None:
    """End an account; it must be empty. Raises Refused("ledger.not_empty")."""
    _call(actor, "ledger_account_set", [account_id, "true", None, None])


def set_limits(*, actor: Actor, account_id: int, floor: int | None, ceiling: int | None) -> None:
    """Change the limits; None = none. Raises Refused when the present balance breaks them."""
    _call(actor, "ledger_account_set", [account_id, "false", floor, ceiling])


# ---------------------------------------------------------------- transfers
_MOVE = "ledger_move"


def transfer(
    *,
    actor: Actor,
    debit: int,
    credit: int,
    amount: int,
    key: str,
    kind: str,
    reference: str = "",
    reason: str = "",
    effective_on: date | None = None,
) -> int:
    """Move ``amount`` from account ``debit`` to ``credit``; id of the transfer, the same id for a repeated key and input."""
    _whole(amount)
    _key(key)
    return _call(
        actor,
        _MOVE,
        [Phase.TRANSFER.value, debit, credit, amount, key, kind, reference, reason, effective_on, None, None],
    )


def reserve(
    *,
    actor: Actor,
    debit: int,
    credit: int,
    amount: int,
    key: str,
    kind: str,
    reference: str = "",
    expires_at: datetime | None = None,
    effective_on: date | None = None,
) -> int:
    """Set ``amount`` aside for ``credit`` until it is posted, released or expires; id of the reservation."""
    _whole(amount)
    _key(key)
    return _call(
        actor,
        _MOVE,
        [Phase.RESERVE.value, debit, credit, amount, key, kind, reference, "", effective_on, expires_at, None],
    )


def correct(
    *,
    actor: Actor,
    transfer_id: int,
    key: str,
    reason: str,
    amount: int | None = None,
    effective_on: date | None = None,
) -> int:
    """Reverse ``amount`` (None = all) of a posted transfer by a new one that names it. ``reason`` is a code.

    Corrections of one transfer never exceed it: Refused("ledger.over_corrected").
    """
    _key(key)
    if amount is not None:
        _whole(amount)
    return _call(
        actor, _MOVE, [Phase.CORRECT.value, None, None, amount, key, "", "", reason, effective_on, None, transfer_id]
    )


_RESOLVE = "ledger_resolve"


def post(
    *,
    actor: Actor,
    reservation_id: int,
    key: str,
    amount: int | None = None,
    effective_on: date | None = None,
    now: datetime | None = None,
) -> int:
    """Carry out a reservation, whole or in part; the rest is released. Id of the posting transfer."""
    _key(key)
    if amount is not None:
        _whole(amount)
    return _call(actor, _RESOLVE, [Phase.POST.value, reservation_id, amount, key, "", effective_on, now])


def void(*, actor: Actor, reservation_id: int, key: str, reason: str = "", effective_on: date | None = None) -> int:
    """Release a reservation; id of the releasing transfer."""
    _key(key)
    return _call(actor, _RESOLVE, [Phase.VOID.value, reservation_id, None, key, reason, effective_on, None])


def expire_due(*, actor: Actor, now: datetime, limit: int = 1000) -> int:
    """Release up to ``limit`` reservations whose time is over at ``now``; how many. Call until it answers 0."""
    with scope(actor), connection.cursor() as cursor:
        cursor.execute("SELECT sangyu.ledger_expire(%s, %s)", [now, limit])
        return cursor.fetchone()[0]


@dataclass(frozen=True, slots=True)
class Move:
    """One line of a batch."""

    debit: int
    credit: int
    amount: int
    key: str
    reference: str = ""


def transfer_batch(
    *, actor: Actor, moves: Sequence[Move], kind: str, reason: str = "", effective_on: date | None = None
) -> list[int]:
    """Many transfers of one kind in one act and a handful of statements: all or none. Ids in the order of ``moves``.

    Limits are asked of the outcome. Keys used before with the same input count as done, so a batch can be repeated.
    """
    if not moves:
        return []
    _whole(*(m.amount for m in moves))
    for m in moves:
        _key(m.key)
    values = [
        [m.debit for m in moves],
        [m.credit for m in moves],
        [m.amount for m in moves],
        [m.key for m in moves],
        [m.reference for m in moves],
        kind,
        reason,
        effective_on,
    ]
    with scope(actor), connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM sangyu.ledger_batch"
            "(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s, %s, %s)",
            values,
        )
        return _result(cursor.fetchone())
