"""Serial numbers on paper vouchers: day of issue (6 digits), running number (6), check digit by ISO 7064 mod 11,10."""

import re
from datetime import date

from sangyu.kernel.numbering import next_numbers


def check_digit(digits: str) -> str:
    """ISO/IEC 7064 MOD 11,10: finds every single wrong digit and nearly all swaps of neighbours.

    >>> check_digit("260301000001")
    '0'
    """
    rest = 10
    for d in digits:
        rest = (rest + int(d)) % 10 or 10
        rest = rest * 2 % 11
    return str((11 - rest) % 10)


def is_serial(text: str) -> bool:
    """Whether ``text`` is 13 digits whose last one fits."""
    return bool(re.fullmatch(r"[0-9]{13}", text)) and check_digit(text[:12]) == text[12]


def next_serials(day: date, count: int) -> list[str]:
    """``count`` new serials for papers issued on ``day``."""
    running = (int(n.rsplit("-", 1)[1]) for n in next_numbers("voucher-paper-", day, count=count)) if count else ()
    stems = [f"{day:%y%m%d}{n:06d}" for n in running]
    return [stem + check_digit(stem) for stem in stems]
