"""Cells as people write them → values. A parser gets a cell that is not empty and raises BadValue with the remedy."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
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
        found = re.sub(r"\s+", " ", text_of(cell))
        if len(found) > most:
            raise BadValue(_("At most %(n)d characters.") % {"n": most}, code="text.long")
        return found

    return parse


def name(cell: Any) -> str:
    return clean_name(text_of(cell))


def day(cell: Any) -> date:
    """A date: a date cell, an Excel serial, 1941.3.5, 1941年3月5日, 1941/3/5, 19410305."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, int | float) and not isinstance(cell, bool) and _SERIALS[0] <= cell <= _SERIALS[1]:
        if 1850 <= cell <= 2100:
            raise BadValue(_("Only a year: write the whole date, for example 1941-03-05."), code="date.form")
        return _EPOCH + timedelta(days=int(cell))
    written = identity.half_width(text_of(cell))
    match = re.fullmatch(r"(\d{4})\s*[-./年]\s*(\d{1,2})\s*[-./月]\s*(\d{1,2})\s*日?(?:[ T]00:00(:00)?)?", written)
    match = match or re.fullmatch(r"(\d{4})(\d{2})(\d{2})", written)
    if not match:
        raise BadValue(_("Not a date: write for example 1941-03-05."), code="date.form")
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        raise BadValue(_("There is no such day. Compare it with the card."), code="date.none") from None


def id_number(today: date) -> Parser:
    """An identity number; refuses one that the spreadsheet turned into a rounded number."""

    def parse(cell: Any) -> identity.IdNumber:
        if (isinstance(cell, int | float) and abs(cell) >= 1e15) or re.fullmatch(r"[\d.]+[eE]\+?\d+", text_of(cell)):
            problem = _(
                "The spreadsheet turned this into a number and lost its last digits. Format the column as text."
            )
            raise BadValue(problem, code="id.number")
        return identity.parse_id_number(text_of(cell), today=today)

    return parse


def phone(area_code: str = "") -> Parser:
    """A telephone number; gives back the zero that a number cell loses."""

    def parse(cell: Any) -> str:
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
