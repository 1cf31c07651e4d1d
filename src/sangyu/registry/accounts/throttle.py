"""Lock-out: exact across processes because an attempt is counted in one statement before the password is looked at.

At most ``limit`` attempts are checked in a window, whoever makes them and in how many processes at once. Names that
are no
account count the same way, so a lock tells nothing about whether an account exists.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.utils.translation import ngettext

from sangyu.kernel.errors import Refused

_COUNT = """
INSERT INTO accounts_signinthrottle AS t (kind, key, failures, window_started) VALUES (%(kind)s, %(key)s, 1, %(now)s)
ON CONFLICT (kind, key) DO UPDATE SET
  failures = CASE WHEN t.locked_until > %(now)s THEN t.failures
                  WHEN t.locked_until IS NOT NULL OR t.window_started <= %(oldest)s THEN 1
                  ELSE t.failures + 1 END,
  window_started = CASE WHEN t.locked_until > %(now)s THEN t.window_started
                        WHEN t.locked_until IS NOT NULL OR t.window_started <= %(oldest)s THEN %(now)s
                        ELSE t.window_started END,
  locked_until = CASE WHEN t.locked_until > %(now)s THEN t.locked_until
                      WHEN t.locked_until IS NOT NULL OR t.window_started <= %(oldest)s THEN NULL
                      WHEN t.failures >= %(limit)s THEN %(until)s END
RETURNING failures, locked_until
"""


class Locked(Refused):
    """Too many attempts. ``until`` is when the next one is looked at."""

    def __init__(self, until: datetime, now: datetime) -> None:
        minutes = max(1, -(-int((until - now).total_seconds()) // 60))
        super().__init__(
            ngettext(
                "Too many attempts. Try again in %(minutes)d minute, or ask the security administrator to unlock the account.",
                "Too many attempts. Try again in %(minutes)d minutes, or ask the security administrator to unlock the account.",
                minutes,
            )
            % {"minutes": minutes},
            code="sign_in.locked",
        )
        self.until = until


@dataclass(frozen=True)
class Gate:
    """One counter: ``kind`` "account", "source" or "code"; ``key`` is hashed before it is stored."""

    kind: str
    key: str

    @property
    def digest(self) -> str:
        return hmac.new(settings.SECRET_KEY.encode(), f"{self.kind}:{self.key}".encode(), hashlib.sha256).hexdigest()

    @property
    def limit(self) -> int:
        return settings.SANGYU_SIGN_IN["source_failures" if self.kind == "source" else "failures"]

    def take(self, now: datetime) -> None:
        """Count one attempt. Raises Locked when the limit of this window is used up or a lock runs."""
        rules = settings.SANGYU_SIGN_IN
        values = {
            "kind": self.kind,
            "key": self.digest,
            "now": now,
            "limit": self.limit,
            "oldest": now - timedelta(minutes=rules["window_minutes"]),
            "until": now + timedelta(minutes=rules["lock_minutes"]),
        }
        with connection.cursor() as cursor:
            cursor.execute(_COUNT, values)
            _failures, until = cursor.fetchone()
        if until is not None:
            raise Locked(until, now)

    def failed(self, now: datetime) -> datetime | None:
        """The counted attempt failed. The last one of the window locks at once; returns until when, else None."""
        until = now + timedelta(minutes=settings.SANGYU_SIGN_IN["lock_minutes"])
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE accounts_signinthrottle SET locked_until = coalesce(locked_until, %s) "
                "WHERE kind = %s AND key = %s AND failures >= %s RETURNING locked_until",
                [until, self.kind, self.digest, self.limit],
            )
            row = cursor.fetchone()
        return row[0] if row else None

    def succeeded(self) -> None:
        """The counted attempt was right: an account starts afresh, a source gets only this attempt back."""
        with connection.cursor() as cursor:
            if self.kind == "source":
                cursor.execute(
                    "UPDATE accounts_signinthrottle SET failures = greatest(failures - 1, 0) WHERE kind = %s AND key = %s",
                    [self.kind, self.digest],
                )
            else:
                cursor.execute(
                    "DELETE FROM accounts_signinthrottle WHERE kind = %s AND key = %s", [self.kind, self.digest]
                )

    def locked_until(self, now: datetime) -> datetime | None:
        """Until when the gate is shut; None when open."""
        from .models import SignInThrottle

        row = SignInThrottle.objects.filter(kind=self.kind, key=self.digest, locked_until__gt=now).first()
        return row.locked_until if row else None
