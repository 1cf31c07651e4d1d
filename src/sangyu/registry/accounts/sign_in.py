"""Signing in, step by step; each step is one function that the pages call. Runs before any scope is open.

password or identity provider → (code or passkey, when one is set up) → ``enter`` → (new password, second factor, role:
asked by the middleware); a passkey alone → ``enter``. Every way ends in ``enter``.
"""

from datetime import datetime, timedelta

from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.errors import Invalid, NotVisible, Refused

from . import roles, totp
from .enums import AccountKind, Method, Outcome
from .models import Account, AccountSession, Grant, PasswordUsed, SignIn
from .selectors import account_usable, by_name_or_mobile, live_grants, usable
from .sessions import GRANT_KEY, METHOD_KEY, ORIGIN_KEY
from .throttle import Gate, Locked

PENDING_KEY = "pending_account"
#: Two addresses within this time are two places at once (X-07: nobody shares an account).
AT_ONCE = timedelta(minutes=10)
BACKEND = "django.contrib.auth.backends.ModelBackend"


def source_of(request: HttpRequest) -> str:
    """The caller's address; the last hop of X-Forwarded-For when the request comes through our own front door."""
    direct = request.META.get("REMOTE_ADDR") or ""
    forwarded = request.headers.get("X-Forwarded-For", "")
    if forwarded and direct in ("", "127.0.0.1", "::1"):
        return forwarded.rsplit(",", 1)[-1].strip()[:45]
    return direct[:45]


def note(
    request: HttpRequest,
    outcome: Outcome,
    account: Account | None = None,
    grant_id: int | None = None,
    *,
    method: str = "",
    agent: str = "",
) -> None:
    """Write one row of the sign-in log."""
    SignIn.objects.create(
        account=account,
        grant_id=grant_id,
        path=account.path if account else "000",
        outcome=outcome,
        source=source_of(request),
        agent=(agent or request.headers.get("User-Agent", ""))[:200],
        method=method,
    )


def check_password(request: HttpRequest, name: str, password: str, now: datetime | None = None) -> Account:
    """First step. Raises Locked or Refused("sign_in.wrong"): the same words and the same work whether the account
    exists."""
    now = now or timezone.now()
    gates = [Gate("source", source_of(request)), Gate("account", name.strip().lower())]
    account = by_name_or_mobile(name)
    try:
        for gate in gates:
            gate.take(now)
    except Locked:
        note(request, Outcome.LOCKED, account)
        raise
    known = account is not None and account.kind == AccountKind.PERSON and account.has_usable_password()
    right = account.check_password(password) if known else bool(make_password(password)) and False
    if right and account_usable(account, timezone.localdate(now)):
        for gate in gates:
            gate.succeeded()
        return account
    note(request, Outcome.DISABLED if right else Outcome.WRONG, account)
    untils = [until for gate in gates if (until := gate.failed(now))]
    if untils:
        raise Locked(max(untils), now)
    raise Refused(_("The account or the password is wrong."), code="sign_in.wrong")


def check_code(request: HttpRequest, account: Account, code: str, now: datetime | None = None) -> None:
    """Second step: a code of the authenticator or a recovery code. Raises Locked or Refused("sign_in.code")."""
    now = now or timezone.now()
    gate = Gate("code", str(account.pk))
    try:
        gate.take(now)
    except Locked:
        note(request, Outcome.LOCKED, account)
        raise
    if totp.check(account, code, now):
        gate.succeeded()
        return
    note(request, Outcome.WRONG_CODE, account)
    if until := gate.failed(now):
        raise Locked(until, now)
    raise Refused(_("This code is not right. Wait for the next one and try again."), code="sign_in.code")


def enter(request: HttpRequest, account: Account, method: Method = Method.PASSWORD) -> None:
    """Open the session: a new key, by what it was opened, the grant when there is only one, a row in the log."""
    login(request, account, backend=BACKEND)
    request.session[METHOD_KEY] = str(method)
    request.session[ORIGIN_KEY] = [
        source_of(request),
        request.headers.get("User-Agent", "")[:200],
        timezone.now().isoformat(),
    ]
    request.session.pop(PENDING_KEY, None)
    grants = live_grants(account)
    chosen = grants[0] if len(grants) == 1 else None
    if chosen:
        _take(request, chosen)
    note(request, Outcome.SIGNED_IN, account, chosen.pk if chosen else None, method=method)
    flag_two_places(request, account)


def flag_two_places(request: HttpRequest, account: Account, now: datetime | None = None) -> None:
    """Note when another address uses ``account`` at the same time; each pair of addresses once in twelve hours."""
    now, here = now or timezone.now(), source_of(request)
    others = AccountSession.objects.filter(account=account, expire_date__gt=now, last_seen__gt=now - AT_ONCE)
    own = request.session.session_key or ""
    other = others.exclude(source__in=["", here]).exclude(session_key=own).order_by("-last_seen").first()
    if other is None:
        return
    pair = " + ".join(sorted((here, other.source)))
    known = SignIn.objects.filter(
        account=account, outcome=Outcome.TWO_PLACES, agent=pair, at__gt=now - timedelta(hours=12)
    )
    if not known.exists():
        note(request, Outcome.TWO_PLACES, account, request.session.get(GRANT_KEY), agent=pair)


def _take(request: HttpRequest, grant: Grant) -> None:
    request.session[GRANT_KEY] = grant.pk
    request.session.set_expiry(roles.role(grant.role).session_minutes * 60 + 12 * 3600)


def choose_grant(request: HttpRequest, account: Account, grant_id: int) -> Grant:
    """Act as another of the own grants from now on. Raises NotVisible when it is not one of today's."""
    grant = Grant.objects.select_related("region").filter(pk=grant_id, account=account).first()
    if grant is None or not usable(account, grant):
        raise NotVisible
    request.session.cycle_key()
    _take(request, grant)
    note(request, Outcome.SWITCHED, account, grant.pk)
    return grant


def leave(request: HttpRequest, outcome: Outcome = Outcome.SIGNED_OUT) -> None:
    """Close the session and say why in the log."""
    if request.account is not None:
        note(request, outcome, request.account, request.session.get(GRANT_KEY))
    logout(request)


def change_password(request: HttpRequest, account: Account, old: str, new: str, again: str) -> None:
    """The account's own new password; other sessions end. Raises Locked or Invalid with the rules that are not met."""
    gate, now = Gate("account", account.username), timezone.now()
    gate.take(now)
    if not account.check_password(old):
        if until := gate.failed(now):
            raise Locked(until, now)
        raise Invalid({"old": [_("This is not your present password.")]})
    gate.succeeded()
    if new != again:
        raise Invalid({"again": [_("The two new passwords differ.")]})
    set_password(account, new)
    update_session_auth_hash(request, account)


def set_password(account: Account, new: str, *, must_change: bool = False, validate: bool = True) -> None:
    """Keep the hash of ``new``, remember the old one. Raises Invalid({"new": rules that are not met})."""
    if validate:
        try:
            validate_password(new, account)
        except ValidationError as e:
            raise Invalid({"new": list(e.messages)}) from e
    with transaction.atomic():
        if account.pk and account.password:
            PasswordUsed.objects.create(account=account, password=account.password)
        account.set_password(new)
        account.must_change_password = must_change
        account.password_changed_at = timezone.now()
        account.save(update_fields=["password", "must_change_password", "password_changed_at"])


def end_session(account: Account, short_key: str, request: HttpRequest) -> None:
    """End another of the own sessions. Raises NotVisible when there is none."""
    if len(short_key) != 8:
        raise NotVisible
    ended, _rows = AccountSession.objects.filter(account=account, session_key__startswith=short_key).delete()
    if not ended:
        raise NotVisible
    note(request, Outcome.ENDED, account)


def confirm_second_factor(request: HttpRequest, code: str) -> list[str]:
    """Confirm the own factor; wrong codes count towards the lock. Returns the recovery codes. Raises Locked or
    Refused."""
    gate, now = Gate("code", str(request.account.pk)), timezone.now()
    gate.take(now)
    try:
        codes = totp.confirm(request.account, code, now)
    except Refused:
        if until := gate.failed(now):
            raise Locked(until, now) from None
        raise
    gate.succeeded()
    return codes
