"""What a visit costs and who pays: market price → concession → vouchers → public pay or self pay (R-052).

Pure arithmetic in fen; the rules and vouchers are handed in. Every step leaves a note, so any fen can be explained
(X-06).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class TierRule:
    """A FeeRule as values; see orders.models.FeeRule."""

    tier: str
    title: str
    basis: str
    min_age: int | None
    facts: dict[str, list[str]]
    concession_percent: int
    vouchers_allowed: bool
    rest_paid_by: str


@dataclass(frozen=True)
class Note:
    """One line of the explanation: what, why, and the amount it changed (fen; negative lowers what is left to pay)."""

    label: str
    why: str
    amount: int


@dataclass(frozen=True)
class Quote:
    """A price in fen with its explanation. ``market = concession + voucher + public_pay + self_pay`` always."""

    tier: str
    market: int
    concession: int
    voucher: int
    public_pay: int
    self_pay: int
    splits: tuple[tuple[int, int], ...] = ()
    notes: tuple[Note, ...] = field(default=())

    def __post_init__(self) -> None:
        if (
            self.market != self.concession + self.voucher + self.public_pay + self.self_pay
            or min(self.concession, self.voucher, self.public_pay, self.self_pay) < 0
        ):
            raise ValueError("a quote must add up and have no negative part")


def first_fitting(rules: Iterable[TierRule], *, age: int, facts: dict[str, str]) -> TierRule | None:
    """The first rule whose age and facts all fit. A missing fact fits only where "" is listed."""
    for rule in rules:
        if rule.min_age is not None and age < rule.min_age:
            continue
        if all(facts.get(kind, "") in allowed for kind, allowed in rule.facts.items()):
            return rule
    return None


def concession_of(market: int, percent: int) -> int:
    """``percent`` of ``market``, rounded down to whole fen so that nobody is given more than the rule says."""
    return market * percent // 100


def quote(
    *,
    rule: TierRule,
    unit_price: int,
    quantity: int,
    price_label: str,
    price_why: str,
    vouchers: Iterable[tuple[int, int, str]] = (),
    voucher_cap: int | None = None,
) -> Quote:
    """Price ``quantity`` units at ``unit_price`` fen under ``rule``.

    ``vouchers`` are (voucher id, usable fen, name) in the order in which they should be spent; ``voucher_cap`` limits
    their sum.
    """
    market = 0 if rule.tier == "voluntary" else unit_price * quantity
    notes = [Note(price_label, price_why, market)]
    concession = concession_of(market, rule.concession_percent)
    if concession:
        notes.append(Note(rule.title, rule.basis, -concession))
    left = market - concession
    room = left if voucher_cap is None else min(left, voucher_cap)
    splits = []
    if rule.vouchers_allowed:
        for voucher_id, usable, name in vouchers:
            part = min(room, usable)
            if part <= 0:
                continue
            splits.append((voucher_id, part))
            notes.append(Note(name, "", -part))
            room -= part
            left -= part
    public = left if rule.rest_paid_by == "public" else 0
    if public:
        notes.append(Note("public_pay", rule.basis, -public))
    return Quote(
        tier=rule.tier,
        market=market,
        concession=concession,
        voucher=sum(part for _id, part in splits),
        public_pay=public,
        self_pay=left - public,
        splits=tuple(splits),
        notes=tuple(notes),
    )


def cancellation_fee(*, self_price: int, hours_before: float, accepted: bool, free_hours: int, percent: int) -> int:
    """Fee in fen for a cancellation ``hours_before`` the start: nothing before acceptance or in time, else
    ``percent`` of the price.
    """
    if not accepted or hours_before >= free_hours:
        return 0
    return self_price * percent // 100
