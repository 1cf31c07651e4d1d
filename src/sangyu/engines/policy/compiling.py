"""The tree as narwhals expressions: the same on Polars and on Spark. Sums are whole numbers over one written divisor, so exact."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import reduce
from math import gcd

from .backend import frames as nw
from .calendar import latest_birth
from .tree import And, Arith, Call, Compare, Expr, In, Known, Literal, Name, Not, Or
from .vocabulary import AGE, BIRTH_DATE

#: In segments: the first day, and the day after the last, counted from 1 January of the year (0).
FROM, TO = "_from", "_to"


@dataclass(frozen=True)
class Ratio:
    """``num / den``: a column over a number."""

    num: nw.Expr
    den: int = 1

    def over(self, den: int) -> nw.Expr:
        return self.num if den == self.den else self.num * (den // self.den)


def common(values: Sequence[Ratio]) -> int:
    return reduce(lambda a, b: a * b // gcd(a, b), (v.den for v in values), 1)


@dataclass(frozen=True)
class Compiler:
    """``day``: the day on which facts are read; in segments the last day of the stretch, and ages are those at the segment's start."""

    day: date
    birthday: str
    segments: bool = False
    #: Word → column, for words that have another name in the table.
    columns: Mapping[str, str] = field(default_factory=dict)

    def col(self, word: str) -> nw.Expr:
        return nw.col(self.columns.get(word, word))

    def condition(self, expr: Expr) -> nw.Expr:
        """Three-valued: null is unknown."""
        match expr:
            case And(items=items):
                return reduce(lambda a, b: a & b, map(self.condition, items))
            case Or(items=items):
                return reduce(lambda a, b: a | b, map(self.condition, items))
            case Not(item=item):
                return ~self.condition(item)
            case In(term=term, codes=codes):
                # One comparison a code: numbers against a number where codes are stored as such, and unknown stays unknown,
                # which not every engine's ``is_in`` grants.
                return reduce(lambda a, b: a | b, (self.col(term.name) == nw.lit(code) for code in codes))
            case Known(term=term):
                return ~self.col(BIRTH_DATE if term.name == AGE else term.name).is_null()
            case Name(term=term):
                return self.col(term.name)
            case Compare():
                return self._compare(expr)
        raise TypeError(type(expr))

    def _compare(self, expr: Compare) -> nw.Expr:
        match expr:
            case Compare(left=Name(term=term), right=Literal(value=int() as age, kind="int")) if (
                term.name == AGE and not self.segments
            ):
                return self._age(expr.op, age)
            case Compare(left=left, right=Literal(kind="date", value=day)) if isinstance(left, Name):
                return _COMPARE[expr.op](self.col(left.term.name), nw.lit(day))
            case Compare(left=Name(term=a), right=Name(term=b)) if a.kind == "date":
                return _COMPARE[expr.op](self.col(a.name), self.col(b.name))
        left, right = self.number(expr.left), self.number(expr.right)
        den = common((left, right))
        return _COMPARE[expr.op](left.over(den), right.over(den))

    def _age(self, op: str, age: int) -> nw.Expr:
        birth = self.col(BIRTH_DATE)
        at_least, beyond = (
            nw.lit(latest_birth(age, self.day, self.birthday)),
            nw.lit(latest_birth(age + 1, self.day, self.birthday)),
        )
        return {
            ">=": lambda: birth <= at_least,
            "<": lambda: birth > at_least,
            ">": lambda: birth <= beyond,
            "<=": lambda: birth > beyond,
            "=": lambda: (birth <= at_least) & (birth > beyond),
        }[op]()

    # ------------------------------------------------------------ numbers
    def number(self, expr: Expr) -> Ratio:
        match expr:
            case Literal(kind="ratio", value=value):
                return Ratio(_whole(value.numerator), value.denominator)
            case Literal(value=value):
                return Ratio(_whole(int(value)))
            case Name(term=term) if term.name == AGE:
                return Ratio(self._age_column())
            case Name(term=term):
                return Ratio(self.col(term.name).cast(nw.Int64))
            case Arith(op="+" | "-" as op, left=left, right=right):
                a, b = self.number(left), self.number(right)
                den = common((a, b))
                return Ratio(a.over(den) + b.over(den) if op == "+" else a.over(den) - b.over(den), den)
            case Arith(op="*", left=left, right=right):
                a, b = self.number(left), self.number(right)
                return Ratio(a.num * b.num, a.den * b.den)
            case Arith(left=left, right=Literal(value=by)):
                a = self.number(left)
                by = by if hasattr(by, "numerator") else int(by)
                num = a.num if by.denominator == 1 else a.num * by.denominator
                return Ratio(num if by.numerator > 0 else num * -1, a.den * abs(by.numerator))
            case Call(name="min" | "max" as name, args=args):
                values = [self.number(a) for a in args]
                den = common(values)
                pick = _least if name == "min" else _greatest
                return Ratio(reduce(pick, (v.over(den) for v in values)), den)
            case Call(name="months_between", args=(Name(term=first), Name(term=last))):
                return Ratio(_full_months(_parts(self.col(first.name)), _parts(self.col(last.name))))
            case Call(name=name, args=(Name(term=term),)):
                today = tuple(map(_whole, (self.day.year, self.day.month, self.day.day)))
                months = _full_months(_parts(self.col(term.name)), today)
                return Ratio(months if name == "months_since" else _floor(months, 12))
        raise TypeError(type(expr))

    def _age_column(self) -> nw.Expr:
        birth = self.col(BIRTH_DATE)
        years = birth.dt.year().cast(nw.Int64) * -1 + self.day.year
        if self.birthday == "january":
            return years
        if self.segments:
            later = nw.col(FROM) < turning(birth, self.birthday, self.day.year)
        else:
            month, day = birth.dt.month(), birth.dt.day()
            later = {
                "day": lambda: (month > self.day.month) | ((month == self.day.month) & (day > self.day.day)),
                "month": lambda: month > self.day.month,
                "next_month": lambda: month >= self.day.month,
            }[self.birthday]()
        return nw.when(later).then(years - 1).otherwise(years)


def _parts(day: nw.Expr) -> tuple[nw.Expr, nw.Expr, nw.Expr]:
    return day.dt.year().cast(nw.Int64), day.dt.month().cast(nw.Int64), day.dt.day().cast(nw.Int64)


def _full_months(first: tuple, last: tuple) -> nw.Expr:
    months = (last[0] - first[0]) * 12 + (last[1] - first[1])
    return nw.when(first[2] > last[2]).then(months - 1).otherwise(months)


def turning(birth: nw.Expr, rule: str, year: int) -> nw.Expr:
    """The day of ``year`` (1 January is 0) on which the new age counts; 29 February is 1 March in other years."""
    month = birth.dt.month()
    if rule == "next_month":
        return month_start(month + 1, year)
    start = month_start(month, year)
    return start + birth.dt.day().cast(nw.Int64) - 1 if rule == "day" else start


def month_start(month: nw.Expr, year: int) -> nw.Expr:
    """1 … 13 → the day of the year on which the month starts, 1 January being 0: (367 m − 362) / 12, less what February is short of 30."""
    value = month.cast(nw.Int64) * 367 - 362
    start = ((value - value % 12) / 12).cast(nw.Int64)
    short = 30 - (date(year, 3, 1) - date(year, 2, 1)).days
    return nw.when(month <= 2).then(start).otherwise(start - short)


_COMPARE = {
    "=": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _whole(value: int) -> nw.Expr:
    return nw.lit(value, dtype=nw.Int64)


def _floor(value: nw.Expr, by: int) -> nw.Expr:
    """Rounded down, also below zero. Without the remainder nothing is left to round, also for an engine that divides by way of
    fractions; a plain ``/`` would not do: Polars multiplies with the reciprocal, which is off in the last place.
    """
    rest = ((value % by) + by) % by
    return ((value - rest) // by).cast(nw.Int64)


def divided(value: nw.Expr, by: int, way: str) -> nw.Expr:
    """``value / by`` as a whole number: half_up, up or down."""
    if by == 1:
        return value
    if way == "half_up":
        return _floor(value * 2 + by, by * 2)
    return _floor(value + (by - 1), by) if way == "up" else _floor(value, by)


def _least(a: nw.Expr, b: nw.Expr) -> nw.Expr:
    return nw.when(a <= b).then(a).otherwise(nw.when(a > b).then(b))


def _greatest(a: nw.Expr, b: nw.Expr) -> nw.Expr:
    return nw.when(a >= b).then(a).otherwise(nw.when(a < b).then(b))
