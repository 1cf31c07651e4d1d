"""Cells as people write them → values. A parser gets a cell that is not empty and raises BadValue with the remedy."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any

from django.utils.translation import gettext as _

from sangyu.kernel import identity
from sangyu.kernel.errors import BadValue
from sangyu.kernel.names import clean_name

Parser = Callable[[Any], Any]
_EPOCH = date(1899, 12, 30)
#: Excel serials of 1900-01-01 and 2099-12-31.
_SERIALS = (1, 73050)


def text_of(cell: Any) -> str:
    """The cell as text; whole numbers without ".0"."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == cell.time().min else cell.isoformat(" ")
    return str(cell).strip()


def text(most: int) -> Parser:
    """Text of at most ``most`` characters."""

    def parse(cell: Any) -> str:
        found = " ".join(text_of(cell).replace("\0", "").split())
        if len(found) > most:
            raise BadValue(_("At most %(n)d characters.") % {"n": most}, code="text.long")
        return found

    return parse


def name(cell: Any) -> str:
    return clean_name(text_of(cell))


_SEPARATED = re.compile(
    r"(\d{4}|\d{2})\s*[-./\\年,]\s*(\d{1,2})\s*[-./\\月,]\s*(\d{1,2})\s*[日号]?(?:[ T]0{1,2}:00(:00)?)?"
)
_SOLID = re.compile(r"(\d{4})(\d{2})(\d{2})")
_ONLY_YEAR = re.compile(r"(\d{4}|\d{2})年?|(\d{4}|\d{2})\s*[-./年]\s*\d{1,2}月?")
_NUMERALS = {"〇": "0", "零": "0", "○": "0", **{c: str(n) for n, c in enumerate("一二三四五六七八九", start=1)}}
_CHINESE = re.compile("[〇零○一二三四五六七八九十]+")
_LUNAR = re.compile(r"[农阴旧]历|[正腊冬]月|初[一二三四五六七八九十]|闰|廿|卅")


def _arabic(written: str) -> str:
    """一九四一年三月十五日 → 1941年3月15日, 四一年 → 41年."""

    def number(match: re.Match) -> str:
        signs = match[0]
        if "十" not in signs:
            return "".join(_NUMERALS[c] for c in signs)
        tens, _ten, ones = signs.partition("十")
        return (_NUMERALS.get(tens, "") or "1") + (_NUMERALS.get(ones, "") or "0")

    return _CHINESE.sub(number, written)


def day(cell: Any) -> date:
    """A date as rosters write it: a date cell, an Excel serial, 1941.3.5, 41.3.5, 1941年3月5日, 四一年三月五日, 19410305.

    Two digits of a year mean the last hundred years' (41 → 1941). Refused with the remedy: lunar dates, a year alone.
    """
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, int | float) and not isinstance(cell, bool) and _SERIALS[0] <= cell <= _SERIALS[1]:
        if 1850 <= cell <= 2100:
            raise BadValue(_("Only a year: write the whole date, for example 1941-03-05."), code="date.form")
        return _EPOCH + timedelta(days=int(cell))
    written = identity.half_width(text_of(cell))
    if _LUNAR.search(written):
        raise BadValue(
            _("A date of the lunar calendar. Write the date of the ID card, for example 1941-03-05."), code="date.lunar"
        )
    written = _arabic(written)
    match = _SEPARATED.fullmatch(written) or _SOLID.fullmatch(written)
    if not match:
        if _ONLY_YEAR.fullmatch(written):
            raise BadValue(_("The day is missing: write the whole date, for example 1941-03-05."), code="date.form")
        raise BadValue(_("Not a date: write for example 1941-03-05."), code="date.form")
    try:
        return date(_century(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        raise BadValue(_("There is no such day. Compare it with the card."), code="date.none") from None


def _century(year: str) -> int:
    """The year that two digits mean: the latest that is not ahead of us."""
    if len(year) == 4:
        return int(year)
    now = date.today().year
    return int(year) + (now - int(year)) // 100 * 100


_PLAIN_ID = re.compile(r"[0-9]{17}[0-9X]")
_ROUNDED = re.compile(r"\d+(?:\.\d+)?[eE]\+?\d+")


def id_number(today: date) -> Parser:
    """An identity number; refuses one that the spreadsheet turned into a rounded number."""

    def parse(cell: Any) -> identity.IdNumber:
        if type(cell) is str and _PLAIN_ID.fullmatch(cell):
            return identity.parse_id_number(cell, today=today)
        if (isinstance(cell, int | float) and abs(cell) >= 1e15) or _ROUNDED.fullmatch(
            identity.half_width(text_of(cell))
        ):
            problem = _(
                "The spreadsheet turned this into a number and lost its last digits. Format the column as text."
            )
            raise BadValue(problem, code="id.number")
        return identity.parse_id_number(text_of(cell), today=today)

    return parse


def whole(least: int = 0, most: int = 10**9) -> Parser:
    """A whole number from ``least`` to ``most``."""

    def parse(cell: Any) -> int:
        written = text_of(cell)
        if not written.isdecimal() or not least <= int(written) <= most:
            words = (
                _("Write a whole number from %(least)d to %(most)d.")
                if most < 10**9
                else _("Write a whole number of %(least)d or more.")
            )
            raise BadValue(words % {"least": least, "most": most}, code="number.form")
        return int(written)

    return parse


def yuan(cell: Any) -> int:
    """Yuan, with at most two decimals, as fen."""
    try:
        fen = Decimal(text_of(cell).replace(",", "").removesuffix("元")) * 100
    except InvalidOperation:
        raise BadValue(_("Not an amount: write yuan, for example 25.50."), code="money.form") from None
    if fen != fen.to_integral_value() or not 0 <= fen < 10**11:
        raise BadValue(_("Write yuan with at most two decimals, not negative."), code="money.form")
    return int(fen)


_MOBILE = re.compile(r"1[3-9][0-9]{9}")


def phone(area_code: str = "") -> Parser:
    """A telephone number; gives back the zero that a number cell loses."""

    def parse(cell: Any) -> str:
        if type(cell) is str and _MOBILE.fullmatch(cell):
            return cell
        written = text_of(cell)
        if isinstance(cell, int | float) and re.fullmatch(r"[2-9]\d{8,10}|10\d{7,8}", written):
            written = "0" + written
        first = re.split(r"[,;，；、]|\s{2,}", written)[0]
        return identity.parse_phone(first, area_code=area_code)

    return parse


def choice(values: Mapping[str, str], *, none: tuple[str, ...] = ()) -> Parser:
    """One of the words in ``values`` (word → value), or of ``none`` (→ ""). An unknown word names the nearest."""
    table = {_word(k): v for k, v in values.items()} | dict.fromkeys(map(_word, none), "")

    def parse(cell: Any) -> str:
        written = text_of(cell)
        if (found := table.get(_word(written))) is not None:
            return found
        near = get_close_matches(_word(written), table, n=1, cutoff=0.5)
        known = near[0] if near else ", ".join(list(values)[:6])
        raise BadValue(_("Unknown word. Did you mean “%(word)s”?") % {"word": known}, code="choice.unknown")

    return parse


def _word(written: str) -> str:
    return re.sub(r"\s", "", identity.half_width(written)).lower()


SEX = choice(
    dict.fromkeys(("男", "男性", "1", "m", "male"), "1") | dict.fromkeys(("女", "女性", "2", "f", "female"), "2")
)
YES_NO = choice(
    dict.fromkeys(("是", "有", "yes", "y", "1", "√", "✓"), "yes") | dict.fromkeys(("否", "无", "no", "n", "0", "×"), "")
)
