"""The small tree that a condition or an amount is parsed to, after its types were checked."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from .vocabulary import AGE, BIRTH_DATE, Term


class Expr:
    """A node. Each reading of the tree (dataframe, sentence, one row) is one function over the node classes."""

    def parts(self) -> tuple["Expr", ...]:
        return ()

    def walk(self) -> Iterator["Expr"]:
        yield self
        for part in self.parts():
            yield from part.walk()

    def names(self) -> set[str]:
        """The columns it reads: age is read from the birth date."""
        terms = (node.term.name for node in self.walk() if isinstance(node, Name | In | Known))
        return {BIRTH_DATE if name == AGE else name for name in terms}


@dataclass(frozen=True)
class Literal(Expr):
    """``kind``: int, fen, date, text, ratio (a Fraction), bool."""

    value: int | str | date | Fraction | bool
    kind: str


@dataclass(frozen=True)
class Name(Expr):
    """The value of a term; of a bool term also a condition."""

    term: Term


@dataclass(frozen=True)
class In(Expr):
    """The term's code (or text) is one of these."""

    term: Term
    codes: tuple[str, ...]


@dataclass(frozen=True)
class Known(Expr):
    """The fact is there."""

    term: Term


@dataclass(frozen=True)
class Compare(Expr):
    """``op``: = < <= > >= between two numbers, sums of money or dates."""

    op: str
    left: Expr
    right: Expr

    def parts(self):
        return self.left, self.right


@dataclass(frozen=True)
class Not(Expr):
    item: Expr

    def parts(self):
        return (self.item,)


@dataclass(frozen=True)
class And(Expr):
    items: tuple[Expr, ...]

    def parts(self):
        return self.items


@dataclass(frozen=True)
class Or(Expr):
    items: tuple[Expr, ...]

    def parts(self):
        return self.items


@dataclass(frozen=True)
class Arith(Expr):
    """``op``: + - * /; a divisor is a number written in the text."""

    op: str
    left: Expr
    right: Expr

    def parts(self):
        return self.left, self.right


@dataclass(frozen=True)
class Call(Expr):
    """``name``: min, max, months_since, years_since, months_between."""

    name: str
    args: tuple[Expr, ...]

    def parts(self):
        return self.args
