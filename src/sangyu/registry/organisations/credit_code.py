"""Unified social credit code: GB 32100-2015, 18 characters, check character by weights modulo 31."""

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


def check_character(first17: str) -> str:
    """The 18th character that belongs to ``first17``. Raises ValueError for a character outside the alphabet (I O S V Z)."""
    total = sum(_ALPHABET.index(c) * w for c, w in zip(first17, _WEIGHTS, strict=True))
    return _ALPHABET[-total % 31]


def is_valid(code: str) -> bool:
    """Whether ``code`` (upper case, without spaces) has 18 allowed characters and the right check character."""
    if len(code) != 18 or any(c not in _ALPHABET for c in code):
        return False
    return code[2:8].isdigit() and check_character(code[:17]) == code[17]


def normalised(text: str) -> str:
    """Upper case without spaces and hyphens, as typed from a licence."""
    return "".join(c for c in text.upper() if not c.isspace() and c != "-")
