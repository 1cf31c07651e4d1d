"""The QR code at an elder's home: a signed person id, so that nobody can print another home's code (R-085)."""

from django.core import signing

_SALT = "orders.home_code"


def home_code(person_id: int) -> str:
    """The text of the QR code for the home of ``person_id``."""
    return signing.Signer(salt=_SALT).sign(str(person_id))


def person_of_home_code(code: str) -> int | None:
    """The person whose home the code belongs to; None for a forged or foreign code."""
    try:
        return int(signing.Signer(salt=_SALT).unsign(code.strip()))
    except (signing.BadSignature, ValueError):
        return None
