"""Words, numbers, dates and signs of a condition. Chinese has no spaces: the longest known phrase is one word."""

import re
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

#: What stands between two operands, by any of its words.
INFIX = {
    "or": "or", "或": "or", "或者": "or", "或是": "or",
    "and": "and", "且": "and", "并且": "and", "而且": "and", "同时": "and",
    "=": "=", "==": "=", "is": "=", "等于": "=", "为": "=", "是": "=",
    "!=": "!=", "<>": "!=", "≠": "!=", "不等于": "!=", "不为": "!=", "不是": "!=",
    "<": "<", "小于": "<", "少于": "<", "低于": "<", "早于": "<", "不满": "<", "未满": "<",
    "<=": "<=", "≤": "<=", "小于等于": "<=", "不大于": "<=", "不超过": "<=", "不高于": "<=", "不晚于": "<=", "至多": "<=",
    ">": ">", "大于": ">", "多于": ">", "超过": ">", "高于": ">", "晚于": ">",
    ">=": ">=", "≥": ">=", "大于等于": ">=", "不小于": ">=", "不少于": ">=", "不低于": ">=", "不早于": ">=", "满": ">=", "年满": ">=", "至少": ">=",
    "in": "in", "属于": "in", "不属于": "not in", "between": "between", "介于": "between",
    "未知": "unknown", "不明": "unknown", "已知": "known",
    "+": "+", "加": "+", "-": "-", "减": "-", "*": "*", "×": "*", "乘以": "*", "/": "/", "÷": "/", "除以": "/",
}  # fmt: skip
NOT = {"not", "非", "并非", "不"}
YES, NO = {"yes", "true", "是"}, {"no", "false", "否"}
RANGE_TO = {"and", "至", "到", "和", "与"}
CALLS = {
    "min": "min", "较小": "min", "取小": "min", "max": "max", "较大": "max", "取大": "max",
    "months_since": "months_since", "满月数": "months_since", "years_since": "years_since", "满年数": "years_since",
    "months_between": "months_between", "相隔月数": "months_between",
}  # fmt: skip
_OTHER = {"之间", "unknown", "known"}
KEYWORDS = {*INFIX, *NOT, *YES, *NO, *RANGE_TO, *CALLS, *_OTHER}
#: Multiplier to fen.
MONEY = {"万元": 1_000_000, "元": 100, "角": 10, "分": 1, "yuan": 100, "fen": 1}
_COUNTS = ("周岁", "岁", "个月", "个", "张", "次", "小时", "天", "日", "月", "年", "名", "人", "级", "床")

_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|年(\d{1,2})月(\d{1,2})日)")
_NUMBER = re.compile(
    r"(\d+(?:,\d{3})+|\d+)(\.\d+)?\s*(%|％|"
    + "|".join(_COUNTS[:3])
    + r"|万元|元|角|分|(?:yuan|fen)\b|"
    + "|".join(_COUNTS[3:])
    + ")?"
)
_ASCII = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "「": "」"}
_FULL = str.maketrans("（）＜＞＝＋－＊／，！", "()<>=+-*/,!")
_SIGNS = re.compile(r"==|<=|>=|!=|<>|[=<>≤≥≠+\-*/×÷]")


@dataclass(frozen=True)
class Token:
    """``kind``: word, quoted, number (int, fen, ratio), date, sign, ( , ) end, bad."""

    kind: str
    text: str
    at: int
    value: object = None
    type: str = ""


class Lexer:
    """Tokens of one text; ``phrases`` are the labels of the vocabulary."""

    def __init__(self, phrases: set[str]) -> None:
        self._by_first: dict[str, list[str]] = {}
        for phrase in {*phrases, *(k for k in KEYWORDS if not k.isascii())}:
            if phrase and not _ASCII.match(phrase) and not phrase[0].isdigit():
                self._by_first.setdefault(phrase[0], []).append(phrase)
        for found in self._by_first.values():
            found.sort(key=len, reverse=True)

    def _phrase(self, text: str, at: int) -> str | None:
        return next((p for p in self._by_first.get(text[at], ()) if text.startswith(p, at)), None)

    def tokens(self, text: str) -> list[Token]:
        found, at = [], 0
        while at < len(text):
            if text[at].isspace():
                at += 1
                continue
            token, at = self._next(text, at)
            found.append(token)
        return [*found, Token("end", "", len(text))]

    def _next(self, text: str, at: int) -> tuple[Token, int]:
        char = text[at]
        if (close := _QUOTES.get(char)) is not None:
            end = text.find(close, at + 1)
            if end < 0:
                return Token("bad", text[at:], at, type="quote"), len(text)
            return Token("quoted", text[at + 1 : end], at), end + 1
        if match := _DATE.match(text, at):
            year, month, day = (int(g) for g in match.groups() if g)
            try:
                return Token("date", match[0], at, date(year, month, day), "date"), match.end()
            except ValueError:
                return Token("bad", match[0], at, type="date"), match.end()
        if match := _NUMBER.match(text, at):
            return self._number(match, at), match.end()
        if match := _ASCII.match(text, at):
            return Token("word", match[0], at), match.end()
        if phrase := self._phrase(text, at):
            return Token("word", phrase, at), at + len(phrase)
        plain = text[at:].translate(_FULL)
        if plain[0] in "(),、":
            return Token(plain[0].replace("、", ","), char, at), at + 1
        if match := _SIGNS.match(plain):
            return Token("sign", match[0], at), at + match.end()
        if "一" <= char <= "鿿":
            end = at + 1
            while end < len(text) and "一" <= text[end] <= "鿿" and not self._phrase(text, end):
                end += 1
            return Token("word", text[at:end], at), end
        return Token("bad", char, at, type="sign"), at + 1

    def _number(self, match: re.Match, at: int) -> Token:
        whole, part, unit = match[1].replace(",", ""), match[2] or "", match[3]
        value = Fraction(whole + part)
        if unit in ("%", "％"):
            return Token("number", match[0], at, value / 100, "ratio")
        if unit in MONEY:
            fen = value * MONEY[unit]
            return (
                Token("number", match[0], at, int(fen), "fen")
                if fen.denominator == 1
                else Token("bad", match[0], at, type="fen")
            )
        if part:
            return (
                Token("number", match[0], at, value, "ratio")
                if unit is None
                else Token("bad", match[0], at, type="count")
            )
        return Token("number", match[0], at, int(value), "int")
