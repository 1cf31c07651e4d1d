"""A policy as it was read: what it says, when it pays, what it needs to know."""

from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from functools import cached_property

from .calendar import EVER, Due, Period, clamp_day, lunar_day_in, quarter_of, year_of
from .tree import Expr
from .vocabulary import AGE, APPLIED_ON, BIRTH_DATE, DECIDED

DAYS_READ = ("first_day", "last_day", "previous_month_end", "pay_day", "each_day")
FORMULA, UNMATCHED = -1, -2


@dataclass(frozen=True)
class Document:
    """Where the rule stands (R-171)."""

    number: str = ""
    title: str = ""
    clause: str = ""


@dataclass(frozen=True)
class Clause:
    """One condition as written, with the line on which it stands. All clauses of ``who`` must hold."""

    text: str
    expr: Expr
    line: int


@dataclass(frozen=True)
class Row:
    """One row of a table; without a condition it fits everybody who is left."""

    when: Clause | None
    value: Expr
    text: str
    line: int


@dataclass(frozen=True)
class Amount:
    """How much: the first row that fits. ``minimum``, ``maximum`` bind the full sum, before the pro-rata part is taken."""

    rows: tuple[Row, ...]
    table: bool
    minimum: int | None = None
    maximum: int | None = None
    prorate: str = "none"
    round_to: int = 1
    round_way: str = "half_up"
    unit: str = ""

    def names(self) -> set[str]:
        exprs = [r.value for r in self.rows] + [r.when.expr for r in self.rows if r.when]
        return set().union(*(e.names() for e in exprs))


@dataclass(frozen=True)
class Edge:
    """Where entitlement starts or stops: a date term and how its day counts."""

    term: str
    rule: str


@dataclass(frozen=True)
class Stacking:
    """With others: ``rule`` add, highest, top_up within ``group``; ``excludes`` and ``excluded_by`` name policy codes (O-3)."""

    group: str = ""
    rule: str = "add"
    excludes: tuple[str, ...] = ()
    excluded_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cycle:
    """``every`` month, quarter, year, once, festival; ``month``: which one of the quarter or year pays."""

    every: str
    month: int = 0
    previous: bool = False
    joiners: bool = False
    festival: str = ""
    lunar: tuple[int, int] | None = None
    solar: tuple[int, int] | None = None


@dataclass(frozen=True)
class Rest:
    """What becomes of an unspent amount (O-5): lapse or carry; at month_end, quarter_end, year_end, never; cap in fen."""

    rule: str = "lapse"
    at: str = "month_end"
    months: int | None = None
    cap: int | None = None


@dataclass(frozen=True)
class Window:
    """Days of the year (month, day) between which something is handed in; it may run over the end of the year."""

    start: tuple[int, int]
    end: tuple[int, int]

    def __contains__(self, day: date) -> bool:
        now = (day.month, day.day)
        return self.start <= now <= self.end if self.start <= self.end else now >= self.start or now <= self.end


@dataclass(frozen=True)
class Instalment:
    """A part of the sum that is paid at a milestone."""

    name: str
    share: Fraction


@dataclass(frozen=True)
class Reading:
    """One table that an evaluation reads. ``day``: one row a subject, facts as of ``day``. ``segments``: a row for every stretch of
    ``[start, end)`` between changes of any of ``terms``; the engine itself cuts at birthdays. Equal but for ``terms`` is equal."""

    subject: str
    mode: str
    day: date | None
    start: date
    end: date
    terms: frozenset[str] = field(compare=False)

    @property
    def period(self) -> Period:
        return Period(self.start, self.end)


@dataclass(frozen=True, eq=False)
class Policy:
    """One version of one rule. ``text`` and its ``digest`` (SHA-256) are the truth; everything else is read from it (R-039)."""

    code: str
    name: str
    subject: str
    region: str
    document: Document
    valid_from: date
    valid_to: date | None
    cycle: Cycle
    pay_day: int
    read: str
    birthday: str
    starts: Edge | None
    stops: Edge | None
    who: tuple[Clause, ...]
    amount: Amount
    quantity: Amount | None
    copayment: Amount | None
    stacking: Stacking
    repeat: str
    form: str
    fund: str
    payee: str
    application: str
    evidence: tuple[str, ...]
    windows: dict[str, Window]
    review: tuple[str, ...]
    notice_days: int
    rest: Rest | None
    instalments: tuple[Instalment, ...]
    notes: tuple[str, ...]
    sources: tuple[str, ...]
    text: str
    digest: str
    file: str
    lines: dict[str, int]
    #: Of what it pays somebody in a month, at most this many per cent may be kept back for what was over-paid; None: unsaid.
    deduct_most: int | None = None

    @property
    def period(self) -> str:
        """month, quarter, year, once, festival"""
        return self.cycle.every

    @property
    def mode(self) -> str:
        return "segments" if self.read == "each_day" else "day"

    @property
    def ruling(self) -> Amount:
        """What the row of a line counts in: the amount, else the quantity, else the own share."""
        return self.amount if self.amount.rows else self.quantity or self.copayment or self.amount

    @property
    def shares_only(self) -> bool:
        """It gives nothing but a smaller own share: who bears all of it themselves gets nothing."""
        return self.ruling is self.copayment

    @cached_property
    def terms(self) -> frozenset[str]:
        """The vocabulary names that evaluation reads; age stands as ``birth_date``."""
        found = set().union(*(c.expr.names() for c in self.who), self.amount.names())
        for part in (self.quantity, self.copayment):
            if part is not None:
                found |= part.names()
        found |= {edge.term for edge in (self.starts, self.stops) if edge is not None}
        return frozenset(BIRTH_DATE if name == AGE else name for name in found)

    @property
    def decides(self) -> tuple[int, int] | None:
        """Least and most fen that a panel or office may decide, where the amount reads its decision; else None."""
        if DECIDED not in self.amount.names():
            return None
        return self.amount.minimum or 0, self.amount.maximum or 0

    def as_if_applied(self) -> "Policy":
        """The policy as if everybody who fits had applied: what it may cost."""
        waits = self.starts is not None and self.starts.term == APPLIED_ON
        return replace(self, starts=None) if waits else self

    def in_force(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def due(self, first: date) -> Due | None:
        """What the policy pays in the run of the month that starts on ``first``; None when it does not pay in it.

        The version in force on the first day of the stretch pays for all of it (a festival: on the day itself; once: on the
        last day of the month, so that a grant starts with its policy).
        """
        first = first.replace(day=1)
        month = Period.month(first.year, first.month)
        pay_day = clamp_day(first, self.pay_day) if self.pay_day else month.last
        cycle, found = self.cycle, None
        match cycle.every:
            case "month":
                found = Due(month, pay_day, month)
            case "quarter" if (first.month - 1) % 3 + 1 == cycle.month:
                window = quarter_of(first, int(cycle.previous))
                found = Due(window, pay_day, window)
            case "year" if cycle.joiners and first.month >= cycle.month:
                found = Due(month, pay_day, year_of(first))
            case "year" if first.month == cycle.month:
                window = year_of(first, int(cycle.previous))
                found = Due(window, pay_day, window)
            case "once":
                found = Due(month, pay_day, EVER)
            case "festival" if (day := self.festival_in(month)) is not None:
                found = Due(month, day, Period(day, day))
        if found is None:
            return None
        judged = {"festival": found.pay_day, "once": found.window.last}.get(cycle.every, found.window.start)
        return found if self.in_force(judged) else None

    def festival_in(self, month: Period) -> date | None:
        if self.cycle.solar is not None:
            day = clamp_day(month.start, self.cycle.solar[1])
            return day if month.start.month == self.cycle.solar[0] else None
        return lunar_day_in(month, *self.cycle.lunar)

    def reading(self, first: date) -> Reading | None:
        """The table that the run of this month reads for the policy."""
        due = self.due(first)
        if due is None:
            return None
        window = due.window
        if self.read == "each_day":
            return Reading(self.subject, "segments", None, window.start, window.end, self.terms)
        day = {
            "first_day": window.start,
            "last_day": window.last,
            "previous_month_end": date.fromordinal(window.start.toordinal() - 1),
            "pay_day": due.pay_day,
        }[self.read]
        return Reading(self.subject, "day", day, day, date.fromordinal(day.toordinal() + 1), self.terms)
