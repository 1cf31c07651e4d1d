"""Sign-in of elders and families: mobile number, then a six-digit code by short message (ux.md §6E)."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Audience
from sangyu.kernel.errors import Invalid, Refused
from sangyu.kernel.identity import BadValue, parse_phone

from . import sms
from .enums import Outcome
from .models import Account, OneTimeCode
from .selectors import account_usable, by_mobile, live_grants
from .sign_in import note, source_of
from .throttle import Gate, Locked

MINUTES = 10


def _digest(account: Account, code: str) -> str:
    return hashlib.sha256(f"{account.pk}:{code}".encode()).hexdigest()


def _account(number: str) -> Account | None:
    """The family or worker account of ``number``: staff and providers never sign in by short message alone."""
    account = by_mobile(number)
    if account is None or not account_usable(account):
        return None
    grants = live_grants(account)
    return account if grants and all(g.audience in (Audience.FAMILY, Audience.WORKER) for g in grants) else None


def request_code(request: HttpRequest, number: str, now: datetime | None = None) -> str:
    """Send a code when the number has a family account; the answer is the same when not. Returns the number in one
    form.

    Raises Invalid for what is no mobile number and Locked after too many requests from one source or for one number.
    """
    now = now or timezone.now()
    try:
        number = parse_phone(number)
    except BadValue as e:
        raise Invalid({"mobile": [str(e)]}) from e
    for gate in (Gate("source", source_of(request)), Gate("sms", number)):
        gate.take(now)
    account = _account(number)
    if account is not None:
        code = f"{secrets.randbelow(1_000_000):06d}"
        OneTimeCode.objects.filter(account=account, used_at=None).update(used_at=now)
        OneTimeCode.objects.create(
            account=account, digest=_digest(account, code), expires_at=now + timedelta(minutes=MINUTES)
        )
        text = _("Your code for Sangyu is %(code)s. It is valid for %(minutes)d minutes. Tell it to nobody.") % {
            "code": code,
            "minutes": MINUTES,
        }
        sms.send(number=number, template="sign_in_code", text=text, path=account.path)
    return number


def check_code(request: HttpRequest, number: str, code: str, now: datetime | None = None) -> Account:
    """The account of ``number`` when ``code`` is its live code; the code is used up. Raises Locked or
    Refused("sign_in.code")."""
    now = now or timezone.now()
    gate = Gate("phone", number)
    account = _account(number)
    try:
        gate.take(now)
    except Locked:
        note(request, Outcome.LOCKED, account)
        raise
    if account is not None:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE accounts_onetimecode SET used_at = %s "
                "WHERE account_id = %s AND digest = %s AND used_at IS NULL AND expires_at > %s",
                [now, account.pk, _digest(account, code.strip()), now],
            )
            right = cursor.rowcount == 1
        if right:
            gate.succeeded()
            Gate("sms", number).succeeded()
            return account
    note(request, Outcome.WRONG_CODE, account)
    if until := gate.failed(now):
        raise Locked(until, now)
    raise Refused(
        _("This code is not right or no longer valid. Ask for a new one, or call 12349."), code="sign_in.code"
    )
