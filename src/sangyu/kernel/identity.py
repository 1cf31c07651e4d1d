"""Chinese identity numbers and telephone numbers: reading, checking, masking (standards §4 and §6.4)."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from operator import mul

from django.utils.translation import gettext as _

from .errors import BadValue

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"
#: Province digits of GB/T 2260 that citizen numbers start with.
PROVINCES = frozenset(
    f"{area}{digit}"
    for area, digits in zip("1234567", ("12345", "123", "1234567", "123456", "01234", "12345", "1"), strict=True)
    for digit in digits
)
HMT_PROVINCES = frozenset({"81", "82", "83"})
OLDEST = 130
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−－ー", "-"))


class IdKind(StrEnum):
    """What document an identity number is from."""

    CITIZEN = "citizen"
    HMT = "hmt"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class IdNumber:
    """A checked identity number. ``sex`` is GB/T 2261.1 '1' or '2' (None where the number does not say)."""

    number: str
    kind: IdKind
    birth_date: date | None
    sex: str | None
    upgraded: bool = False


def half_width(text: str) -> str:
    """``text`` with full-width digits, letters and signs made half-width, dashes unified, outer blanks removed."""
    return unicodedata.normalize("NFKC", text).translate(_DASHES).strip()


def check_character(first17: str) -> str:
    """The 18th character of a number by ISO 7064 MOD 11-2 (GB 11643)."""
    return CHECKS[sum(map(mul, map(int, first17), WEIGHTS)) % 11]


_WHOLE = re.compile(r"[0-9]{17}[0-9X]")
_OLD_FOREIGN = re.compile(r"[A-Z]{3}\d{12}")


def parse_id_number(text: str, *, today: date) -> IdNumber:
    """Read an identity number as people write it: 18 digits, the old 15, residence permits of Hong Kong, Macao and
    Taiwan residents (81/82/83), foreigners' permanent residence cards (9…, and the old form ABC + 12 digits).

    A 15-digit number becomes 18 digits. Raises BadValue, saying what to correct.
    """
    number = text if _WHOLE.fullmatch(text) else re.sub(r"[\s-]", "", half_width(text)).upper()
    if _OLD_FOREIGN.fullmatch(number):
        return _old_foreign(number, today)
    upgraded = bool(re.fullmatch(r"\d{15}", number))
    if upgraded:
        body = number[:6] + "19" + number[6:]
        number = body + check_character(body)
    if not _WHOLE.fullmatch(number):
        raise BadValue(
            _("An ID number has 18 characters (17 digits, then a digit or X) or 15; this has %(n)d. Look at the card.")
            % {"n": len(number)},
            code="id.length",
        )
    kind = _kind(number)
    expected = check_character(number[:17])
    if number[17] != expected:
        raise BadValue(
            _("The check character of the ID number does not fit: one character is wrong. Compare it with the card."),
            code="id.check",
        )
    birth = _birth_date(number[6:14], today)
    return IdNumber(number, kind, birth, "1" if int(number[16]) % 2 else "2", upgraded)


def _kind(number: str) -> IdKind:
    if number[0] == "9":
        return IdKind.FOREIGN
    if number[:2] in HMT_PROVINCES:
        return IdKind.HMT
    if number[:2] in PROVINCES:
        return IdKind.CITIZEN
    raise BadValue(
        _("No province has the code %(code)s: check the first digits of the ID number.") % {"code": number[:2]},
        code="id.province",
    )


def _birth_date(digits: str, today: date) -> date:
    try:
        birth = date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        raise BadValue(
            _("Characters 7 to 14 of the ID number are not a date (%(digits)s). Compare it with the card.")
            % {"digits": digits},
            code="id.date",
        ) from None
    if birth > today:
        raise BadValue(
            _("The birth date in the ID number lies in the future (%(day)s).") % {"day": birth}, code="id.future"
        )
    if age_on(birth, today) > OLDEST:
        raise BadValue(
            _("The birth date in the ID number gives an age above %(age)d.") % {"age": OLDEST}, code="id.age"
        )
    return birth


def _old_foreign(number: str, today: date) -> IdNumber:
    """Nationality, four digits of the issuing place, birth date YYMMDD, two more; the century that is not ahead of us."""
    yy, rest = int(number[7:9]), number[9:13]
    century = 2000 if 2000 + yy <= today.year else 1900
    return IdNumber(number, IdKind.FOREIGN, _birth_date(f"{century + yy}{rest}", today), None)


def age_on(birth: date, day: date) -> int:
    """Completed years on ``day``. Who is born on 29 February completes a year on 1 March of common years."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def born_by(age: int, day: date) -> date:
    """Latest birth date of who is ``age`` on ``day``: ``birth_date <= born_by(60, today)``."""
    try:
        return day.replace(year=day.year - age)
    except ValueError:  # 29 February, and no such day then
        return date(day.year - age, 2, 28)


# ---------------------------------------------------------------- telephone
def parse_phone(text: str, *, area_code: str = "") -> str:
    """A mainland telephone number in one form: ``13812345678`` or ``0417-2812345``.

    ``area_code`` completes a local number. Raises BadValue.
    """
    raw = half_width(text)
    digits = re.sub(r"[\s()\-.·/]", "", raw)
    digits = re.sub(r"^(\+|00)86", "", digits)
    if re.fullmatch(r"86(1[3-9]\d{9})", digits):
        digits = digits[2:]
    if re.fullmatch(r"1[3-9]\d{9}", digits):
        return digits
    if area_code and re.fullmatch(r"[2-9]\d{6,7}", digits):
        digits = area_code + digits
    if match := re.fullmatch(r"(010|02\d|0[3-9]\d{2})([2-9]\d{6,7})", digits):
        return f"{match[1]}-{match[2]}"
    if re.fullmatch(r"[2-9]\d{6,7}", digits):
        raise BadValue(_("A landline number needs its area code, for example 0417-2812345."), code="phone.area")
    raise BadValue(
        _("Not a telephone number: 11 digits of a mobile, or area code and number such as 0417-2812345."),
        code="phone.form",
    )


def phone_digits(phone: str) -> str:
    """The digits alone, for dialling."""
    return phone.replace("-", "")


# ---------------------------------------------------------------- masks (standards §6.4)
def mask_name(name: str) -> str:
    """张德福 → 张*."""
    return name[:1] + "*" if name else ""


def mask_id_number(number: str) -> str:
    """110105********002X; shorter numbers keep two characters at each end."""
    if not number:
        return ""
    if len(number) == 18:
        return f"{number[:6]}********{number[14:]}"
    return number[:2] + "*" * max(len(number) - 4, 4) + number[-2:]


def mask_phone(phone: str) -> str:
    """138****0000, 0417-28****5."""
    if not phone:
        return ""
    if "-" in phone:
        area, local = phone.split("-", 1)
        return f"{area}-{local[:2]}{'*' * (len(local) - 3)}{local[-1:]}"
    return f"{phone[:3]}****{phone[-4:]}"
