"""Who gets what: each policy's lines out of its frame, in expressions only; then stacking over all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache, reduce
from math import gcd
from typing import Any

from .backend import frames as nw
from .calendar import Due, Period
from .compiling import FROM, TO, Compiler, common, divided, month_start, turning
from .policy import FORMULA, UNMATCHED, Amount, Policy, Reading
from .stacking import Part, stacked
from .vocabulary import BIRTH_DATE

COLUMNS = (
    "subject_kind",
    "subject_id",
    "policy",
    "index",
    "amount",
    "quantity",
    "share",
    "days",
    "row",
    "base",
    "stacked",
    "winner",
)
#: Which day an edge means: the day itself, the first of its month, the first of the month after.
_STARTS = {"day": "day", "month": "first", "next_month": "after"}
_STOPS = {"day": "day", "month": "after", "month_before": "first"}
_AMOUNT, _DAYS, _START, _PAID = "_amount", "_days", "_start", "_paid"


def readings(policies: Sequence[Policy], period: Period) -> list[Reading]:
    """The tables that a run of ``period`` reads; policies that read the same day of the same subject share one."""
    found: dict[Reading, Reading] = {}
    for policy in policies:
        if (reading := policy.reading(period.start)) is not None:
            known = found.get(reading)
            terms = reading.terms | (known.terms if known else frozenset())
            found[reading] = Reading(reading.subject, reading.mode, reading.day, reading.start, reading.end, terms)
    return list(found.values())


def evaluate(
    policies: Sequence[Policy], frames: Mapping[Reading, Any], period: Period, *, paid: Any = None, direct: bool = True
) -> Any:
    """The lines of a month (``COLUMNS``) as a frame of the kind that came in.

    ``frames``: one per reading of ``readings(policies, period)``: Polars (eager or lazy; the answer is eager) or whatever else
    narwhals reads lazily, such as Spark; a word of one policy alone may stand in a column ``<word>@<policy code>``. Codes may be words or
    ``Enum``. ``paid``: subject_id, policy, amount already released within the policy's cycle (for ``once`` and joiners during the year).
    A subject that meets ``who`` keeps its line also when it gets nothing: ``stacked`` says why (unmatched, paid, excluded, lower). Whoever
    bears all of a service for which the policy gives no more than a smaller own share has no line: that is no benefit.
    Columns of repeating texts are ``Categorical`` in Polars.
    Order: policy after policy as given, in each the subjects as in the frame (of stretches by subject); Spark keeps none.
    ``direct=False`` goes through narwhals also for Polars. Raises KeyError when a frame is missing.
    """
    nw.choose([*frames.values(), *([] if paid is None else [paid])], direct)
    tables = {reading: nw.lazy(frame) for reading, frame in frames.items()}
    names = {reading: table.collect_schema().names() for reading, table in tables.items()}
    found: dict[Reading, list[_Lines]] = {}
    for index, policy in enumerate(policies):
        reading = policy.reading(period.start)
        if reading is None:
            continue
        if reading not in tables:
            raise KeyError(f"no frame for {reading}")
        own = tuple(c for c in names[reading] if c.endswith(f"@{policy.code}"))
        found.setdefault(reading, []).append(_lines(nw.engine, policy, index, period.start, own))
    marked = nw.worked([_marked(tables[reading], lines) for reading, lines in found.items()])
    parts = [
        Part(one.policy, one.index, _less_paid(one.of(table), one.policy, paid))
        for table, lines in zip(marked, found.values(), strict=True)
        for one in lines
    ]
    return stacked(sorted(parts, key=lambda p: p.index), COLUMNS)


def _marked(table: nw.LazyFrame, lines: list["_Lines"]) -> nw.LazyFrame:
    """The table with a column a policy that says who is in: one pass, in which what several ask alike is asked once."""
    marks = [one.holds.alias(one.mark) for one in lines if not one.segments]
    return table.with_columns(*marks) if marks else table


@lru_cache(maxsize=256)
def _lines(engine: Any, policy: Policy, index: int, first: date, own: tuple[str, ...]) -> "_Lines":
    """What a policy that is due says of a month, kept: to spell its expressions takes longer than to work them out for a county, and
    neither a policy nor an expression ever changes. ``engine`` is whose expressions they are; ``own``: columns for this policy alone.
    """
    columns = {name.partition("@")[0]: name for name in own}
    return _Lines(policy, index, policy.due(first), policy.reading(first), columns)


@dataclass(frozen=True)
class _Lines:
    """One policy over one frame. ``columns``: words that have another name there."""

    policy: Policy
    index: int
    due: Due
    reading: Reading
    columns: dict[str, str]

    @property
    def segments(self) -> bool:
        return self.reading.mode == "segments"

    @property
    def mark(self) -> str:
        return f"_holds{self.index}"

    @cached_property
    def compiler(self) -> Compiler:
        day = self.due.window.last if self.segments else self.reading.day
        return Compiler(day, self.policy.birthday, self.segments, self.columns)

    @cached_property
    def holds(self) -> nw.Expr:
        """Who is in: between start and stop, all conditions met, and not bearing all of it themselves where nothing else is given."""
        found = [self.compiler.condition(c.expr) for c in self.policy.who]
        for edge, start in ((self.policy.starts, True), (self.policy.stops, False)):
            if edge is not None and not self.segments:
                found.append(_counts(self.compiler.col(edge.term), edge.rule, start, self._edge_day()))
        if self.policy.shares_only:
            shares = [self.compiler.number(r.value) for r in self.policy.copayment.rows]
            part = [(s.num < s.den) | s.num.is_null() for s in shares]
            found.append(self._chosen(self.policy.copayment, part, nw.lit(True)))
        return reduce(lambda a, b: a & b, found)

    def of(self, table: nw.LazyFrame) -> nw.LazyFrame:
        """The policy's lines of those in ``table`` who are in, before it meets other policies."""
        if self.segments:
            frame = self._cut(table).filter(self.holds).select("subject_id", FROM, TO, *self._sums)
            frame = self._summed(self._limited(frame))
        else:
            read = [self.columns.get(t, t) for t in sorted(self.policy.terms)]
            frame = nw.kept(table, self.mark, ["subject_id", *read]).select("subject_id", *self._sums)
            frame = self._limited(frame)
        return frame.select("subject_id", *self._line)

    @cached_property
    def _sums(self) -> list[nw.Expr]:
        """The row that fits, and by it the full sum (over ``_den``), quantity and share."""
        share, den = self._full(self.policy.copayment)
        part = gcd(10_000, den)
        found = {
            "row": self._row(),
            _AMOUNT: self._amount[0],
            "quantity": self._full(self.policy.quantity)[0],
            "share": divided(share * (10_000 // part), den // part, "half_up"),
        }
        if not self.segments:
            found[_DAYS] = _number(self.due.window.days)
        return [value.alias(name) for name, value in found.items()]

    @cached_property
    def _amount(self) -> tuple[nw.Expr, int]:
        return self._full(self.policy.amount)

    def _limited(self, frame: nw.LazyFrame) -> nw.LazyFrame:
        """Minimum and maximum, one step at a time: a column named is not worked out twice."""
        for column, rule, over in (
            (_AMOUNT, self.policy.amount, self._amount[1]),
            ("quantity", self.policy.quantity, 1),
        ):
            value = nw.col(column)
            if rule is not None and rule.minimum is not None:
                least = _number(rule.minimum * over)
                frame = frame.with_columns(nw.when(value < least).then(least).otherwise(value).alias(column))
            if rule is not None and rule.maximum is not None:
                most = _number(rule.maximum * over)
                frame = frame.with_columns(nw.when(value > most).then(most).otherwise(value).alias(column))
        return frame

    def _edge_day(self) -> date:
        """The day that must lie between start and stop: the day read, or the first of the stretch when that is read before it."""
        return self.reading.day if self.reading.day in self.due.window else self.due.window.start

    # ------------------------------------------------------------ how much
    def _row(self) -> nw.Expr:
        ruling = self.policy.ruling
        values = [_number(n if ruling.table else FORMULA) for n in range(len(ruling.rows))]
        return self._chosen(ruling, values, _number(UNMATCHED))

    def _full(self, amount: Amount | None) -> tuple[nw.Expr, int]:
        """The full sum as a numerator and what it is over; null when no row fits or the sum is unknown."""
        if amount is None or not amount.rows:
            return _number(0), 1
        values = [self.compiler.number(r.value) for r in amount.rows]
        den = common(values)
        found = self._chosen(amount, [v.over(den) for v in values], nw.lit(None, dtype=nw.Int64))
        return found, den

    def _chosen(self, amount: Amount, values: list[nw.Expr], otherwise: nw.Expr) -> nw.Expr:
        for row, value in zip(reversed(amount.rows), reversed(values), strict=True):
            otherwise = (
                value
                if row.when is None
                else nw.when(self.compiler.condition(row.when.expr)).then(value).otherwise(otherwise)
            )
        return otherwise

    # ------------------------------------------------------------ stretches
    def _cut(self, frame: nw.LazyFrame) -> nw.LazyFrame:
        """Segments as days of the year, cut where the age changes, clipped to where entitlement starts and stops."""
        window = self.due.window
        year = window.start.year
        first, last = (window.start - date(year, 1, 1)).days, (window.end - date(year, 1, 1)).days
        frame = frame.with_columns(_day_of(nw.col("from"), year).alias(FROM), _day_of(nw.col("to"), year).alias(TO))
        frame = frame.with_columns(
            _later(nw.col(FROM), _number(first)).alias(FROM), _earlier(nw.col(TO), _number(last)).alias(TO)
        )
        for edge, start in ((self.policy.starts, True), (self.policy.stops, False)):
            if edge is None:
                continue
            day = self.compiler.col(edge.term)
            limit = _day_of(day, year, (_STARTS if start else _STOPS)[edge.rule])
            if start:
                frame = frame.filter(~day.is_null()).with_columns(_later(nw.col(FROM), limit).alias(FROM))
            else:
                frame = frame.with_columns(
                    nw.when(day.is_null()).then(nw.col(TO)).otherwise(_earlier(nw.col(TO), limit)).alias(TO)
                )
        if BIRTH_DATE in self.policy.terms and self.policy.birthday != "january":
            turn = turning(self.compiler.col(BIRTH_DATE), self.policy.birthday, year)
            inside = (nw.col(FROM) < turn) & (turn < nw.col(TO))
            before = frame.with_columns(nw.when(inside).then(turn).otherwise(nw.col(TO)).alias(TO))
            frame = nw.concat([before, frame.filter(inside).with_columns(turn.alias(FROM))], how="vertical")
        return frame.filter(nw.col(FROM) < nw.col(TO))

    def _summed(self, frame: nw.LazyFrame) -> nw.LazyFrame:
        """One row a subject: its days, the row that holds last, and the sum after the pro-rata rule."""
        window = self.due.window
        length = nw.col(TO) - nw.col(FROM)
        frame = frame.with_columns(
            length.sum().over("subject_id").alias(_DAYS),
            nw.col(FROM).max().over("subject_id").alias(_START),
            *self._prorated(window, length),
        )
        frame = frame.filter(nw.col(FROM) == nw.col(_START)).sort("subject_id")
        if self.policy.amount.prorate == "months":
            frame = frame.with_columns((nw.col(_AMOUNT) * nw.col("_months")).alias(_AMOUNT))
        elif self.policy.amount.prorate == "half_month":
            halves = nw.when(nw.col(_DAYS) > 15).then(_number(2)).otherwise(_number(1))
            frame = frame.with_columns((nw.col(_AMOUNT) * halves).alias(_AMOUNT))
        return frame

    @property
    def _den(self) -> int:
        """What the sum of a line is over: the full sum's divisor, and the parts into which the stretch is divided."""
        window = self.due.window
        parts = {"days": window.days, "months": len(window.months()), "half_month": 2}
        return self._amount[1] * (parts.get(self.policy.amount.prorate, 1) if self.segments else 1)

    def _prorated(self, window: Period, length: nw.Expr) -> list[nw.Expr]:
        if self.policy.amount.prorate == "days":
            # A stretch whose sum is unknown adds nothing; the whole is unknown only when all of them are.
            total = (nw.col(_AMOUNT) * length).sum().over("subject_id")
            known = nw.when(nw.col(_AMOUNT).is_null()).then(_number(0)).otherwise(_number(1)).sum().over("subject_id")
            return [nw.when(known > 0).then(total).alias(_AMOUNT)]
        if self.policy.amount.prorate != "months":
            return []
        new_year = date(window.start.year, 1, 1)
        touched = [
            nw.when((nw.col(FROM) < (m.end - new_year).days) & (nw.col(TO) > (m.start - new_year).days))
            .then(_number(1))
            .otherwise(_number(0))
            for m in window.months()
        ]
        counted = [t.max().over("subject_id") for t in touched]
        total = counted[0]
        for more in counted[1:]:
            total = total + more
        return [total.alias("_months")]

    # ------------------------------------------------------------ lines
    @cached_property
    def _line(self) -> list[nw.Expr]:
        """The columns of a line but for the subject."""
        rule, zero = self.policy.amount, _number(0)
        unmatched = nw.col(_AMOUNT).is_null()
        if rule.prorate != "days":
            unmatched = unmatched | (nw.col("row") == UNMATCHED)
        amount = divided(nw.col(_AMOUNT), self._den * rule.round_to, rule.round_way) * rule.round_to
        amount = nw.when(unmatched).then(zero).otherwise(amount)
        quantity = share = zero
        if self.policy.quantity:
            quantity = nw.when(~unmatched & ~nw.col("quantity").is_null()).then(nw.col("quantity")).otherwise(zero)
        if self.policy.copayment:
            share = nw.when(nw.col("share").is_null()).then(zero).otherwise(nw.col("share"))
        return [
            nw.word(self.policy.subject).alias("subject_kind"),
            nw.word(self.policy.code).alias("policy"),
            _number(self.index).alias("index"),
            amount.alias("amount"),
            quantity.alias("quantity"),
            share.alias("share"),
            nw.col(_DAYS).cast(nw.Int64).alias("days"),
            nw.col("row").cast(nw.Int64).alias("row"),
            amount.alias("base"),
            nw.when(unmatched).then(nw.word("unmatched")).otherwise(nw.word("")).alias("stacked"),
            nw.word("").alias("winner"),
        ]


def _number(value: int) -> nw.Expr:
    return nw.lit(value, dtype=nw.Int64)


def _later(a: nw.Expr, b: nw.Expr) -> nw.Expr:
    return nw.when(a >= b).then(a).otherwise(b)


def _earlier(a: nw.Expr, b: nw.Expr) -> nw.Expr:
    return nw.when(a <= b).then(a).otherwise(b)


def _day_of(day: nw.Expr, year: int, rule: str = "day") -> nw.Expr:
    """Days from 1 January of ``year``, of the day itself, of the ``first`` of its month or of the one ``after`` that; a day of
    another year is before or after all of them."""
    if rule == "day":
        inside = day.dt.ordinal_day().cast(nw.Int64) - 1
    else:
        month = day.dt.month()
        inside = month_start(month + 1 if rule == "after" else month, year)
    length = (date(year + 1, 1, 1) - date(year, 1, 1)).days
    found = nw.when(day.dt.year() < year).then(_number(-1 if rule != "after" else 0)).otherwise(inside)
    return nw.when(day.dt.year() > year).then(_number(length)).otherwise(found)


def _counts(term: nw.Expr, rule: str, start: bool, day: date) -> nw.Expr:
    """Whether ``day`` lies behind the start, or before the stop. An unknown start never begins; an unknown stop never ends."""
    month = Period.month(day.year, day.month)
    if start:
        return {
            "day": term <= nw.lit(day),
            "month": term < nw.lit(month.end),
            "next_month": term < nw.lit(month.start),
        }[rule]
    ends = {"day": term > nw.lit(day), "month": term >= nw.lit(month.start), "month_before": term >= nw.lit(month.end)}[
        rule
    ]
    return term.is_null() | ends


def _less_paid(lines: nw.LazyFrame, policy: Policy, paid: Any) -> nw.LazyFrame:
    """What was released within the cycle is not paid again (R-045, R-060)."""
    if paid is None or not policy.repeat:
        return lines
    before = (
        nw.lazy(paid)
        .filter(nw.col("policy") == nw.lit(policy.code))
        .select("subject_id", nw.col("amount").cast(nw.Int64).alias(_PAID))
    )
    before = before.group_by("subject_id").agg(nw.col(_PAID).sum())
    lines = nw.beside(lines, before)
    left = nw.col("amount") - nw.col(_PAID)
    rest = {"never": _number(0), "difference": _later(left, _number(0)), "settle": left}[policy.repeat]
    had = ~nw.col(_PAID).is_null()
    return lines.with_columns(
        nw.when(had).then(rest).otherwise(nw.col("amount")).alias("amount"),
        nw.when(had).then(nw.word("paid")).otherwise(nw.col("stacked")).alias("stacked"),
        *(
            [nw.when(had).then(_number(0)).otherwise(nw.col("quantity")).alias("quantity")]
            if policy.repeat == "never"
            else []
        ),
    ).drop(_PAID)
