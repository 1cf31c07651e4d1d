"""Conditions and amounts: a Pratt parser over the published vocabulary, with types. Nothing is ever evaluated as code."""

import difflib
from fnmatch import fnmatchcase
from fractions import Fraction

from .lexer import CALLS, INFIX, NO, NOT, RANGE_TO, YES, Lexer, Token
from .tree import And, Arith, Call, Compare, Expr, In, Known, Literal, Name, Not, Or
from .vocabulary import KINDS, Term, Vocabulary

_POWER = {"or": 1, "and": 2, "+": 6, "-": 6, "*": 7, "/": 7} | dict.fromkeys(
    ("=", "!=", "<", "<=", ">", ">=", "in", "not in", "between", "unknown", "known"), 5
)
_NOT_POWER, _DEPTH = 3, 60
_FLIP = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_BAD = {
    "quote": "quote_open",
    "date": "no_such_day",
    "fen": "below_fen",
    "count": "count_fraction",
    "sign": "strange_sign",
}
_KIND_WORDS = {
    "code": ("a coded value", "代码"), "bool": ("yes or no", "是或否"), "int": ("a number", "数"), "fen": ("a sum of money", "金额"),
    "date": ("a date", "日期"), "text": ("a text", "文字"), "ratio": ("a share", "比例"),
}  # fmt: skip


class Fault(Exception):
    """A problem at ``at`` within one expression; the reader of the document turns it into file and line."""

    def __init__(self, at: int, kind: str, /, **values) -> None:
        super().__init__(kind)
        self.at, self.kind, self.values = at, kind, values


class _Word:
    """A word whose meaning depends on what it is compared with."""

    def __init__(self, token: Token) -> None:
        self.token = token


def condition(text: str, vocabulary: Vocabulary, subject: str) -> Expr:
    """Parse a condition. Raises Fault."""
    parser = _Parser(text, vocabulary, subject)
    return parser.as_bool(parser.all())


def number(text: str, vocabulary: Vocabulary, subject: str, kind: str) -> Expr:
    """Parse an amount (``fen``), a quantity (``int``) or a share (``ratio``). Raises Fault."""
    parser = _Parser(text, vocabulary, subject)
    expr = parser.resolved(parser.all())
    found = kind_of(expr)
    if kind == "fen" and found in ("int", "ratio") and not expr.names():
        raise Fault(0, "money_unit", text=text.strip())
    if found != kind and not (kind == "ratio" and found == "int"):
        raise Fault(0, "wrong_result", text=text.strip(), wanted=_said(kind), found=_said(found))
    return expr


def kind_of(expr: Expr) -> str:
    """int, fen, date, text, ratio, code or bool."""
    match expr:
        case Literal(kind=kind):
            return kind
        case Name(term=term):
            return term.kind
        case Arith(op="+" | "-", left=left, right=right):
            kinds = {kind_of(left), kind_of(right)}
            return "ratio" if "ratio" in kinds else kinds.pop()
        case Arith(left=left, right=right):
            kinds = {kind_of(left), kind_of(right)}
            return "fen" if "fen" in kinds else "ratio" if "ratio" in kinds or expr.op == "/" else "int"
        case Call(name="min" | "max", args=args):
            kinds = {kind_of(a) for a in args}
            return "fen" if "fen" in kinds else "ratio" if "ratio" in kinds else "int"
        case Call():
            return "int"
    return "bool"


def _said(kind: str) -> str:
    return "/".join(_KIND_WORDS[kind])


class _Parser:
    def __init__(self, text: str, vocabulary: Vocabulary, subject: str) -> None:
        self.text, self.vocabulary, self.subject = text, vocabulary, subject
        self.tokens = Lexer(vocabulary.phrases()).tokens(text)
        self.n = self.depth = 0
        for token in self.tokens:
            if token.kind == "bad":
                raise Fault(token.at, _BAD[token.type], text=token.text)

    # ------------------------------------------------------------ tokens
    @property
    def now(self) -> Token:
        return self.tokens[self.n]

    def take(self) -> Token:
        token = self.now
        self.n += token.kind != "end"
        return token

    def operator(self) -> str | None:
        """The operator that starts here, without taking it."""
        token = self.now
        if token.kind == "sign":
            return INFIX.get(token.text)
        if token.kind != "word":
            return None
        word = token.text.lower()
        if word in ("not", "不") and self.tokens[self.n + 1].text.lower() in ("in", "属于"):
            return "not in"
        return INFIX.get(word)

    def all(self):
        if self.now.kind == "end":
            raise Fault(0, "empty_expression")
        found = self.expression(0)
        if self.now.kind == ")":
            raise Fault(self.now.at, "bracket_closed_twice")
        if self.now.kind != "end":
            raise Fault(self.now.at, "no_operator", text=self.now.text)
        return found

    # ------------------------------------------------------------ parsing
    def expression(self, power: int):
        self.depth += 1
        if self.depth > _DEPTH:
            raise Fault(self.now.at, "too_deep", most=_DEPTH)
        left = self.operand()
        while (op := self.operator()) is not None and _POWER[op] > power:
            left = self.follow(left, op)
        self.depth -= 1
        return left

    def operand(self):
        token = self.take()
        word = token.text.lower()
        if token.kind == "(":
            found = self.expression(0)
            if self.now.kind != ")":
                raise Fault(token.at, "bracket_open")
            self.take()
            return found if isinstance(found, Expr) else self.resolved(found)
        if token.kind == "word" and word in NOT:
            return Not(self.as_bool(self.expression(_NOT_POWER)))
        if token.kind == "word" and word in CALLS and self.now.kind == "(":
            return self.call(token)
        if token.kind in ("number", "date"):
            return Literal(token.value, token.type)
        if token.kind == "quoted" or (token.kind == "word" and (word not in INFIX or word in YES)):
            return _Word(token)
        if token.kind == "sign" and token.text == "-":
            right = self.resolved(self.expression(_POWER["*"]))
            kind = kind_of(right)
            self.numeric(kind, token.at, "-")
            return self.arithmetic(Literal(0, kind), "-", right, token.at)
        raise Fault(token.at, "operand_missing", text=token.text or "…")

    def call(self, token: Token) -> Call:
        name = CALLS[token.text.lower()]
        args = [self.resolved(item) for item in self.items()]
        kinds = [kind_of(a) for a in args]
        if name in ("min", "max"):
            if len(args) < 2:
                raise Fault(token.at, "too_few_arguments", name=token.text, least=2)
            for kind in kinds:
                self.numeric(kind, token.at, token.text)
            if "fen" in kinds and set(kinds) != {"fen"}:
                raise Fault(token.at, "mixed_money", text=token.text)
        elif (
            set(kinds) != {"date"}
            or len(args) != 1 + (name == "months_between")
            or not all(isinstance(a, Name) for a in args)
        ):
            raise Fault(token.at, "call_wants_date", name=token.text)
        return Call(name, tuple(args))

    def items(self) -> list:
        """``(a, b, …)``"""
        opening = self.take()
        if opening.kind != "(":
            raise Fault(opening.at, "list_wanted", text=opening.text or "…")
        found = []
        while self.now.kind != ")":
            if self.now.kind == "end":
                raise Fault(opening.at, "bracket_open")
            found.append(self.expression(2))
            if self.now.kind == ",":
                self.take()
            elif self.now.kind != ")":
                if self.now.kind == "end":
                    raise Fault(opening.at, "bracket_open")
                raise Fault(self.now.at, "comma_missing", text=self.now.text)
        self.take()
        if not found:
            raise Fault(opening.at, "empty_list")
        return found

    def follow(self, left, op: str) -> Expr:
        at = self.take().at
        if op in ("and", "or"):
            items = [self.as_bool(left), self.as_bool(self.expression(_POWER[op]))]
            kind = And if op == "and" else Or
            flat = [part for item in items for part in (item.items if isinstance(item, kind) else (item,))]
            return kind(tuple(flat))
        if op in ("unknown", "known"):
            return Known(self.term_of(left, at)) if op == "known" else Not(Known(self.term_of(left, at)))
        if op == "not in":
            if self.now.text.lower() in ("in", "属于"):
                self.take()
            return Not(self.member(left, at))
        if op == "in":
            return self.member(left, at)
        if op == "between":
            low = self.expression(_POWER["="])
            if self.now.text.lower() not in RANGE_TO:
                raise Fault(self.now.at, "range_end")
            self.take()
            high = self.expression(_POWER["="])
            if self.now.text == "之间":
                self.take()
            return And((self.comparison(left, ">=", low, at), self.comparison(left, "<=", high, at)))
        if op in _POWER and _POWER[op] >= 6:
            return self.arithmetic(self.resolved(left), op, self.resolved(self.expression(_POWER[op])), at)
        if op == "=":
            negated = self.now.text.lower() == "not"
            if negated:
                self.take()
            if self.now.text.lower() in ("unknown", "known", "未知", "已知"):
                known = (self.take().text.lower() in ("known", "已知")) is not negated
                return Known(self.term_of(left, at)) if known else Not(Known(self.term_of(left, at)))
            op = "!=" if negated else "="
        right = self.expression(_POWER[op])
        found = self.comparison(left, op, right, at)
        if (chained := self.operator()) in _FLIP:
            at = self.take().at
            found = And((found, self.comparison(right, chained, self.expression(_POWER[chained]), at)))
        return found

    # ------------------------------------------------------------ meaning
    def resolved(self, item) -> Expr:
        """An operand that stands for itself: a term, a number, yes or no."""
        if isinstance(item, Expr):
            return item
        token = item.token
        if token.kind == "quoted":
            return Literal(token.text, "text")
        if token.text.lower() in YES | NO:
            return Literal(token.text.lower() in YES, "bool")
        term = self.vocabulary.term(token.text, self.subject)
        if term is None:
            raise Fault(token.at, "unknown_word", text=token.text, near=self.near(token.text))
        if self.subject not in term.subjects:
            raise Fault(token.at, "not_for_subject", text=token.text, subject=self.subject)
        return Name(term)

    def near(self, word: str) -> str:
        terms = self.vocabulary.of(self.subject)
        known = [t.name for t in terms] + [str(t.label) for t in terms]
        return (
            ", ".join(difflib.get_close_matches(word, known, 3, 0.5))
            or ", ".join(str(t.label) for t in terms[:5]) + " …"
        )

    def as_bool(self, item) -> Expr:
        if isinstance(item, _Word):
            at, item = item.token.at, self.resolved(item)
            if isinstance(item, Literal):
                raise Fault(at, "literal_condition", text=self.text[at:].split()[0])
            if item.term.kind != "bool":
                raise Fault(at, "not_a_condition", text=str(item.term.label), example=self.example(item.term))
        if kind_of(item) != "bool":
            raise Fault(0, "not_a_condition", text=self.text.strip(), example="年龄 >= 80")
        return item

    def example(self, term: Term) -> str:
        if term.values:
            return f"{term.label} = {next(iter(term.values.values()))}"
        return f"{term.label} >= " + {"fen": "1000元", "date": "2020-01-01"}.get(term.kind, "1")

    def term_of(self, item, at: int) -> Term:
        item = self.resolved(item)
        if not isinstance(item, Name):
            raise Fault(at, "known_of_term")
        return item.term

    def member(self, left, at: int) -> Expr:
        left = self.resolved(left)
        items = self.items()
        if not isinstance(left, Name):
            raise Fault(at, "member_of_term")
        if left.term.kind in ("code", "text"):
            return In(left.term, self.codes(left.term, items, at))
        if left.term.kind == "bool":
            raise Fault(at, "member_of_bool", text=str(left.term.label))
        found = tuple(self.comparison(left, "=", item, at) for item in items)
        return found[0] if len(found) == 1 else Or(found)

    def codes(self, term: Term, items: list, at: int) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for item in items:
            if isinstance(item, _Word):
                place, word = item.token.at, item.token.text
            elif isinstance(item, Literal) and item.kind == "int":
                place, word = at, str(item.value)
            else:
                raise Fault(at, "code_wanted", term=str(term.label))
            if term.kind == "text":
                found[word] = None
            elif "*" in word:
                fitting = [code for code in term.values if fnmatchcase(code, word)]
                if not fitting:
                    raise Fault(place, "no_code_fits", text=word, term=str(term.label))
                found |= dict.fromkeys(fitting)
            elif (code := term.code(word)) is not None:
                found[code] = None
            else:
                values = "、".join(map(str, list(term.values.values())[:12]))
                raise Fault(place, "unknown_code", text=word, term=str(term.label), values=values)
        return tuple(found)

    def comparison(self, left, op: str, right, at: int) -> Expr:
        """Left and right may be undecided words: a code is looked up among the values of the term on the other side."""
        if isinstance(left, _Word | Literal) and not self.is_term(left) and self.is_term(right):
            left, right, op = right, left, _FLIP.get(op, op)
        left = self.resolved(left)
        if isinstance(left, Name) and left.term.kind in ("code", "text"):
            return self.compare_code(left.term, op, right, at)
        if isinstance(left, Name) and left.term.values and isinstance(right, _Word):
            code = left.term.code(right.token.text)
            right = Literal(int(code), "int") if code is not None and code.lstrip("-").isdigit() else right
        right = self.resolved(right)
        kinds = kind_of(left), kind_of(right)
        if kinds == ("bool", "bool") and op in ("=", "!="):
            if not isinstance(right, Literal):
                raise Fault(at, "bool_with_yes_no", text=str(left.term.label) if isinstance(left, Name) else self.text)
            return left if right.value == (op == "=") else Not(left)
        if "bool" in kinds:
            raise Fault(
                at, "bool_with_yes_no", text=str(left.term.label) if isinstance(left, Name) else self.text.strip()
            )
        if {"fen"} < set(kinds) and "int" in kinds:
            raise Fault(at, "money_unit", text=self.text[at:].strip())
        if kinds[0] != kinds[1] and set(kinds) != {"int", "ratio"}:
            raise Fault(at, "kinds_differ", left=_said(kinds[0]), right=_said(kinds[1]))
        return Not(Compare("=", left, right)) if op == "!=" else Compare(op, left, right)

    def is_term(self, item) -> bool:
        return isinstance(item, Name) or (
            isinstance(item, _Word)
            and item.token.kind == "word"
            and self.vocabulary.term(item.token.text, self.subject) is not None
        )

    def compare_code(self, term: Term, op: str, right, at: int) -> Expr:
        codes = self.codes(term, [right], at)
        if op == "=":
            return In(term, codes)
        if op == "!=":
            return Not(In(term, codes))
        if not term.ordered:
            raise Fault(at, "no_order", term=str(term.label))
        limit = int(codes[0])
        holds = {"<": int.__lt__, "<=": int.__le__, ">": int.__gt__, ">=": int.__ge__}[op]
        fitting = tuple(code for code in term.values if holds(int(code), limit))
        if not fitting:
            raise Fault(at, "never_true", text=self.text.strip())
        return In(term, fitting)

    def numeric(self, kind: str, at: int, op: str) -> None:
        if kind not in ("int", "fen", "ratio"):
            raise Fault(at, "no_arithmetic", op=op, kind=_said(kind))

    def arithmetic(self, left: Expr, op: str, right: Expr, at: int) -> Expr:
        kinds = kind_of(left), kind_of(right)
        for kind in kinds:
            self.numeric(kind, at, op)
        if op in "+-" and "fen" in kinds and kinds != ("fen", "fen"):
            raise Fault(at, "mixed_money", text=op)
        if op == "*" and kinds == ("fen", "fen"):
            raise Fault(at, "money_times_money")
        if op == "/":
            if not isinstance(right, Literal) or right.kind == "fen":
                raise Fault(at, "divisor_written")
            if right.value == 0:
                raise Fault(at, "divided_by_zero")
        if isinstance(left, Literal) and isinstance(right, Literal):
            return self.folded(left, op, right)
        return Arith(op, left, right)

    @staticmethod
    def folded(left: Literal, op: str, right: Literal) -> Expr:
        a, b = Fraction(left.value), Fraction(right.value)
        value = {"+": a + b, "-": a - b, "*": a * b}.get(op) if op != "/" else a / b
        whole = value.denominator == 1
        kind = kind_of(Arith(op, left, right))
        if kind == "fen" and not whole:
            return Arith(op, left, right)
        return Literal(int(value) if whole and kind != "ratio" else value, kind)


assert set(_KIND_WORDS) == {*KINDS, "ratio"}
