"""What the what-if asks about funds. The room that keeps them stands below this one and registers how to ask."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from sangyu.engines.policy import Policy
from sangyu.kernel.actor import Actor

from .enums import PeriodKind


@dataclass(frozen=True)
class Budget:
    """One fund in one year, in fen. ``amount`` None: nothing is known to compare with; ``planned``: a budget was entered, else
    ``amount`` is what the fund has.

    ``regions``: path whose runs the fund pays → the last month released there (None: none yet). ``others``: what its other rules
    take until the end of the year, as last released; None when the actor does not see all that the fund pays.
    """

    name: str
    region: str
    url: str
    year: int
    amount: int | None
    planned: bool
    document: str
    received: int
    spent: int
    other_use: int
    least_share: int | None
    pays: bool
    others: int | None = None
    regions: dict[str, date | None] = field(default_factory=dict)


#: (actor, policy code, fund code, path, month, when the facts were read) → the funds that pay the rule there; None for whoever
#: may not see funds.
Reader = Callable[[Actor, str, str, str, date, datetime], list[Budget] | None]
_reader: Reader | None = None


def register(reader: Reader) -> None:
    """The room that keeps the funds tells how to ask for them; once, at start."""
    global _reader
    _reader = reader


def ask(actor: Actor, policy: str, code: str, path: str, month: date, read_at: datetime) -> list[Budget] | None:
    """What the registered reader answers; None also where no room keeps funds."""
    return _reader(actor, policy, code, path, month, read_at) if _reader else None


def months_left(year: int, month: date, until: date | None) -> Iterator[date]:
    """The months of ``year`` that are still to be paid: after the last released one, or from ``month`` where none was."""
    if until is None:
        begin = month.month
    elif until.year < year:
        begin = 1
    else:
        begin = until.month + 1 if until.year == year else 13
    return (date(year, n, 1) for n in range(begin, 13))


def times(policy: Policy, months: list[date]) -> int:
    """How often ``policy`` pays in ``months``; what is paid once is paid once."""
    found = sum(policy.due(m) is not None for m in months)
    return min(found, 1) if policy.period == PeriodKind.ONCE else found
