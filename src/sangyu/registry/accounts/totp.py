"""The second factor: six digits every 30 seconds (RFC 6238, SHA-1, as authenticator apps expect) and ten recovery
codes."""

import base64
import hashlib
import os
import secrets
from datetime import datetime

import segno
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.errors import Refused

from .models import Account, SecondFactor
from .passwords import ALPHABET

STEP = 30
#: Steps before and after now that are accepted, for clocks that differ.
DRIFT = 1
RECOVERY_CODES = 10


def _totp(secret: str) -> TOTP:
    return TOTP(base64.b32decode(secret), 6, SHA1(), STEP)


def code_at(secret: str, moment: datetime) -> str:
    """The code that an authenticator with ``secret`` (base 32) shows at ``moment``."""
    return _totp(secret).generate(moment.timestamp()).decode()


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def begin(account: Account) -> SecondFactor:
    """The factor to confirm: a fresh secret, or the one begun before. Raises Refused when one is already confirmed."""
    factor, _made = SecondFactor.objects.get_or_create(
        account=account, defaults={"secret": base64.b32encode(os.urandom(20)).decode()}
    )
    if factor.confirmed_at:
        raise Refused(_("The second factor is already set up."), code="totp.exists")
    return factor


def qr_data_uri(account: Account, factor: SecondFactor) -> str:
    """The set-up code as an SVG data URI (allowed by img-src data:)."""
    uri = _totp(factor.secret).get_provisioning_uri(account.username, "Sangyu")
    return segno.make(uri, error="m").svg_data_uri(scale=5, border=2)


def confirm(account: Account, code: str, now: datetime | None = None) -> list[str]:
    """Confirm the begun factor with a first code; returns the recovery codes, shown once. Raises
    Refused("totp.wrong")."""
    now = now or timezone.now()
    with transaction.atomic():
        factor = SecondFactor.objects.select_for_update().filter(account=account, confirmed_at=None).first()
        step = _step_of(factor.secret, code, now) if factor else None
        if step is None:
            raise Refused(_("This code is not right. Wait for the next one and try again."), code="totp.wrong")
        codes = ["".join(secrets.choice(ALPHABET) for _i in range(10)) for _j in range(RECOVERY_CODES)]
        factor.confirmed_at, factor.last_step, factor.recovery = now, step, [_digest(c) for c in codes]
        factor.save(update_fields=["confirmed_at", "last_step", "recovery"])
        remember(account)
    return [f"{c[:5]}-{c[5:]}" for c in codes]


def check(account: Account, code: str, now: datetime | None = None) -> bool:
    """Whether ``code`` is right and unused: an authenticator's code once per step, or a recovery code once."""
    now = now or timezone.now()
    code = code.replace(" ", "").replace("-", "")
    with transaction.atomic():
        factor = SecondFactor.objects.select_for_update().filter(account=account, confirmed_at__isnull=False).first()
        if factor is None:
            return False
        step = _step_of(factor.secret, code, now)
        if step is not None and step > factor.last_step:
            factor.last_step = step
            factor.save(update_fields=["last_step"])
            return True
        digest = _digest(code)
        if digest in factor.recovery:
            factor.recovery = [d for d in factor.recovery if d != digest]
            factor.save(update_fields=["recovery"])
            return True
    return False


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """The time step whose code is ``code``, within the drift; None when there is none."""
    present = int(now.timestamp() // STEP)
    totp = _totp(secret)
    for step in range(present - DRIFT, present + DRIFT + 1):
        if secrets.compare_digest(totp.generate(step * STEP), code.strip().encode()):
            return step
    return None


def remove(account: Account) -> None:
    """Take the second factor off ``account``."""
    SecondFactor.objects.filter(account=account).delete()
    remember(account)


def remember(account: Account) -> None:
    """Note on the account whether it has a second factor or a passkey, for the administrators' lists."""
    account.has_factor = (
        SecondFactor.objects.filter(account=account, confirmed_at__isnull=False).exists()
        or account.passkeys.filter(stopped_at=None).exists()
    )
    Account.objects.filter(pk=account.pk).update(has_factor=account.has_factor)
