"""A condition or an amount read back as a Chinese sentence (issue 4 §2)."""

from datetime import date
from fractions import Fraction

from .tree import And, Arith, Call, Compare, Expr, In, Known, Literal, Name, Not, Or
from .vocabulary import AGE

_AGE = {">=": "年满{}周岁", "<": "不满{}周岁", ">": "超过{}周岁", "<=": "不超过{}周岁", "=": "{}周岁"}
_DATE = {">=": "不早于", "<": "早于", ">": "晚于", "<=": "不晚于", "=": "为"}
_SIZE = {">=": "不少于", "<": "少于", ">": "多于", "<=": "不超过", "=": "等于"}
_CALL = {"months_since": "{}至今的满月数", "years_since": "{}至今的满年数"}


def sentence(expr: Expr) -> str:
    """The words of an expression: 年满80周岁，且收入类别为低保或特困供养（居家）."""
    match expr:
        case And(items=items):
            return _range(items) or "，且".join(_bracketed(i, Or) for i in items)
        case Or(items=items):
            return "，或".join(_bracketed(i, And) for i in items)
        case Not(item=item):
            return _not(item)
        case In(term=term, codes=codes):
            return f"{term.label}为{_either(term, codes)}"
        case Known(term=term):
            return f"{term.label}已知"
        case Compare(op=op, left=left, right=right):
            return _compare(op, left, right)
        case Name(term=term):
            return f"属于{term.label}" if term.kind == "bool" else str(term.label)
        case Literal():
            return value(expr)
        case Arith(op="*", left=left, right=Literal(kind="ratio") as share):
            return f"{_grouped(left)}的{value(share)}"
        case Arith(op=op, left=left, right=right):
            return f"{_grouped(left)}{ {'+': '加', '-': '减', '*': '乘以', '/': '除以'}[op] }{_grouped(right)}"
        case Call(name="min" | "max" as name, args=args):
            return "、".join(map(sentence, args)) + ("中较小者" if name == "min" else "中较大者")
        case Call(name="months_between", args=(first, last)):
            return f"{sentence(first)}到{sentence(last)}的满月数"
        case Call(name=name, args=args):
            return _CALL[name].format(sentence(args[0]))
    raise TypeError(type(expr))


def value(literal: Literal) -> str:
    """A number with its unit: 80, 1000元, 60%, 2018年1月1日."""
    match literal.value:
        case bool():
            return "是" if literal.value else "否"
        case date() as day:
            return f"{day.year}年{day.month}月{day.day}日"
    if literal.kind == "fen":
        return money(literal.value)
    if literal.kind == "ratio":
        percent = Fraction(literal.value) * 100
        return f"{percent.numerator}%" if percent.denominator == 1 else f"{float(percent):.10g}%"
    return str(literal.value)


def money(fen: int) -> str:
    """1000元, 0.5元, 5万元."""
    if fen and fen % 1_000_000 == 0:
        return f"{fen // 1_000_000}万元"
    return f"{fen // 100}元" if fen % 100 == 0 else f"{fen / 100:.2f}元"


def _either(term, codes) -> str:
    labels = [str(term.values.get(code, code)) for code in codes]
    return labels[0] if len(labels) == 1 else "、".join(labels[:-1]) + "或" + labels[-1]


def _bracketed(item: Expr, kind: type) -> str:
    return f"（{sentence(item)}）" if isinstance(item, kind) else sentence(item)


def _grouped(item: Expr) -> str:
    return f"（{sentence(item)}）" if isinstance(item, Arith) and item.op in "+-" else sentence(item)


def _compare(op: str, left: Expr, right: Expr) -> str:
    if isinstance(left, Name) and left.term.name == AGE and isinstance(right, Literal):
        return _AGE[op].format(right.value)
    words = _DATE if isinstance(right, Literal) and right.kind == "date" else _SIZE
    return f"{sentence(left)}{words[op]}{sentence(right)}"


def _range(items) -> str | None:
    """年龄介于80至89周岁"""
    match items:
        case (
            Compare(op=">=", left=low_of, right=Literal() as low),
            Compare(op="<=", left=high_of, right=Literal() as high),
        ) if low_of == high_of:
            if isinstance(low_of, Name) and low_of.term.name == AGE:
                return f"年龄在{low.value}至{high.value}周岁之间"
            return f"{sentence(low_of)}在{value(low)}至{value(high)}之间"
    return None


def _not(item: Expr) -> str:
    match item:
        case In(term=term, codes=codes):
            return f"{term.label}不是{_either(term, codes)}"
        case Known(term=term):
            return f"{term.label}未知"
        case Name(term=term):
            return f"不属于{term.label}"
        case Compare(op="=", left=left, right=right):
            return f"{sentence(left)}不等于{sentence(right)}"
    return f"不满足（{sentence(item)}）"
