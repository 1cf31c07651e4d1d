"""Requests that another program signs: HMAC-SHA256 over time, a dot and the body, with a secret that both sides keep (R-096).

Headers: ``X-Sangyu-Key`` (whose secret), ``X-Sangyu-Time`` (seconds since 1970), ``X-Sangyu-Signature`` (hex).
"""

import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from .errors import SangyuError

#: Characters that a secret has at least; a shorter one is none.
LEAST = 16
#: Seconds by which the other clock may be ahead.
AHEAD = 300


class Unsigned(SangyuError):
    """Not signed as agreed. ``what``: "signature" (missing or wrong; which is not said) or "time"."""

    status = 401

    def __init__(self, what: str) -> None:
        words = {
            "signature": _("The request is not signed, or not with this key."),
            "time": _("The request was signed too long ago, or by a clock that is wrong: sign it anew."),
        }
        super().__init__(words[what], code=f"signed.{what}")
        self.what = what


@dataclass(frozen=True, slots=True)
class Signed:
    """A request whose signature is right. ``stamp``: seconds since 1970."""

    key: str
    stamp: int
    signature: bytes


def keys(text: str) -> dict[str, str]:
    """Names and their secrets from ``name=secret,…``."""
    pairs = (word.strip().partition("=") for word in text.split(",") if word.strip())
    return {name: secret for name, _equals, secret in pairs if name and len(secret) >= LEAST}


def signature(secret: str, stamp: str, body: bytes) -> str:
    """What the header X-Sangyu-Signature holds."""
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def verify(secrets: Mapping[str, str], headers: Mapping[str, str], body: bytes, *, oldest: int) -> Signed:
    """The signature of a request no older than ``oldest`` seconds; ``headers`` by lower-case name. Raises Unsigned."""
    key, stamp = headers.get("x-sangyu-key", ""), headers.get("x-sangyu-time", "")
    given, secret = headers.get("x-sangyu-signature", "").lower(), secrets.get(key, "")
    right = signature(secret, stamp, body) if secret else ""
    if not right or not hmac.compare_digest(right.encode(), given.encode("utf-8", "replace")):
        raise Unsigned("signature")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 11):
        raise Unsigned("time")
    if not -AHEAD <= time.time() - int(stamp) <= oldest:
        raise Unsigned("time")
    return Signed(key, int(stamp), bytes.fromhex(given))
