"""How values look on screen and in files: money, days, moments, empty. One place for templates, tables and exports."""

from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.db.models import Model
from django.templatetags.static import static
from django.urls import get_script_prefix, get_urlconf, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _

DASH = "—"


def or_dash(value) -> str:
    """``value`` as text, or — when there is none. 0 and False are values."""
    return DASH if value is None or value == "" or value == [] else str(value)


def money(fen: int | None, *, unit: bool = True) -> str:
    """Fen → "30.00 元" (thousands separated); — for None. Raises TypeError for floats: money is integer fen."""
    if fen is None or fen == "":
        return DASH
    if isinstance(fen, float):
        raise TypeError("money is integer fen")
    sign = "−" if int(fen) < 0 else ""
    whole, cents = divmod(abs(int(fen)), 100)
    text = f"{sign}{whole:,}.{cents:02d}"
    return _("%(amount)s yuan") % {"amount": text} if unit else text


def yuan(fen: int | None) -> Decimal | None:
    """Fen → yuan as Decimal, for spreadsheets."""
    return None if fen is None else Decimal(int(fen)) / 100


def day(value: date | datetime | None) -> str:
    """YYYY-MM-DD in local time; — for None."""
    if value is None or value == "":
        return DASH
    if isinstance(value, datetime):
        value = timezone.localtime(value) if timezone.is_aware(value) else value
    return f"{value:%Y-%m-%d}"


def moment(value: datetime | None) -> str:
    """YYYY-MM-DD HH:mm in local time; — for None."""
    if value is None or value == "":
        return DASH
    if not isinstance(value, datetime):
        return day(value)
    value = timezone.localtime(value) if timezone.is_aware(value) else value
    return f"{value:%Y-%m-%d %H:%M}"


def clock(value) -> str:
    """HH:mm in local time; — for None."""
    if value is None or value == "":
        return DASH
    if isinstance(value, datetime) and timezone.is_aware(value):
        value = timezone.localtime(value)
    return f"{value:%H:%M}"


def number(value: int | None) -> str:
    """Thousands separated; — for None."""
    return DASH if value is None or value == "" else f"{value:,}"


def masked(value: str | None, head: int, tail: int) -> str:
    """Keep ``head`` first and ``tail`` last characters, stars between; — for none; all stars when too short."""
    if not value:
        return DASH
    text = str(value)
    if len(text) <= head + tail:
        return "*" * len(text)
    return text[:head] + "*" * (len(text) - head - tail) + (text[-tail:] if tail else "")


def mask_id(value: str | None) -> str:
    """Citizen number: first six and last four digits."""
    return masked(value, 6, 4)


def mask_phone(value: str | None) -> str:
    """Phone number: first three and last four digits."""
    return masked(value, 3, 4)


def mask_name(value: str | None) -> str:
    """Surname only: 王**. For public notices."""
    return masked(value, 1, 0)


def plain(value) -> str:
    """Any value as the text of a table cell or file."""
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return day(value)
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, Model):
        return str(value)
    if isinstance(value, (list, tuple, set)):
        return "、".join(str(v) for v in value) or DASH
    return or_dash(value)


def tag(text, tone: str = "mute", *, status: bool = False):
    """A tag, or with ``status`` a shape + word; ``tone``: ok info warn bad mute acc line solid. — for empty text."""
    return DASH if text is None or text == "" else _tag(str(text), tone, status)


@lru_cache(maxsize=2000, typed=True)  # typed: text that is safe already is another text
def _tag(text: str, tone: str, status: bool):
    kind = "st st" if status else "tag tag"
    return format_html('<span class="{}--{}">{}</span>', kind, tone, text)


def level(value: int | None, text: str):
    """Ability level 0–4: bars, one filled per step lost, and the word."""
    return DASH if value is None else _level(value, str(text))


@lru_cache(maxsize=100, typed=True)
def _level(value: int, text: str):
    return format_html('<span class="lv{}">{}</span>', f" lv-{value}" if value else "", text)


@lru_cache(maxsize=1000)
def icon(name: str, extra: str = ""):
    """One icon of the sprite; decorative, so say the word beside it."""
    return format_html(
        '<svg class="i {}" aria-hidden="true" focusable="false"><use href="{}#i-{}"/></svg>',
        extra,
        static("ui/icons.svg"),
        name,
    )


def address(name: str, pk: Any) -> str:
    """``reverse(name, args=[pk])`` for the many links of a table."""
    return (
        _address(name, get_urlconf(), get_script_prefix()).replace(_MARK, str(pk), 1)
        if type(pk) is int
        else reverse(name, args=[pk])
    )


@lru_cache(maxsize=1000)
def _address(name: str, urlconf: str | None, prefix: str) -> str:
    return reverse(name, args=[int(_MARK)])


#: A number that stands in no address.
_MARK = "90817263544536"
