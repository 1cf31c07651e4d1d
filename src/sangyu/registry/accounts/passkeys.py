"""Passkeys (WebAuthn): several per account, made by the person, found by the browser without a name.

User verification is asked for and checked, so a passkey is possession and PIN or finger: two factors in one. Challenges lie
in the session and serve once. Runs before any scope is open, as the rest of the door.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from fido2.server import Fido2Server
from fido2.utils import websafe_decode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorData,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from sangyu.kernel.errors import Invalid, NotVisible, Refused

from .enums import AccountKind, Outcome
from .models import Account, Passkey
from .selectors import account_usable
from .sign_in import PENDING_KEY, note, source_of
from .throttle import Gate, Locked
from .totp import remember

STATE_KEY = "passkey"
MOST = 10
MINUTES = 5
REQUIRED = UserVerificationRequirement.REQUIRED


def host_of(request: HttpRequest) -> str:
    """The relying party: ``SANGYU_PASSKEY_HOST``, else the name in the address."""
    host = request.get_host()
    return settings.SANGYU_PASSKEY_HOST or (host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host)


def possible(request: HttpRequest) -> bool:
    """Whether browsers offer passkeys at this address: a name (not a number), over TLS or on localhost."""
    host = host_of(request)
    numeric = host.replace(".", "").isdigit() or host.startswith("[")
    return not numeric and (request.is_secure() or host == "localhost" or host.endswith(".localhost"))


def _server(request: HttpRequest) -> Fido2Server:
    own = request.build_absolute_uri("/").rstrip("/")
    return Fido2Server(
        PublicKeyCredentialRpEntity(id=host_of(request), name="Sangyu"), verify_origin=lambda origin: origin == own
    )


def live(account: Account) -> list[Passkey]:
    """The account's passkeys that work, the oldest first."""
    return list(Passkey.objects.filter(account=account, stopped_at=None).order_by("id"))


def has_any(account: Account) -> bool:
    return Passkey.objects.filter(account=account, stopped_at=None).exists()


# ---------------------------------------------------------------- making
def begin_making(request: HttpRequest, account: Account) -> dict[str, Any]:
    """Options for the browser's ``credentials.create``. Raises Refused."""
    if account.must_change_password:  # else who handed out the first password could leave a passkey of his own
        raise Refused(_("Choose your own password first."), code="passkey.first_password")
    known = live(account)
    if len(known) >= MOST:
        raise Refused(_("There are %(count)d passkeys. Remove one first.") % {"count": MOST}, code="passkey.most")
    options, state = _server(request).register_begin(
        PublicKeyCredentialUserEntity(
            id=account.pk.to_bytes(8, "big"), name=account.username, display_name=account.name
        ),
        credentials=[AttestedCredentialData(bytes(p.credential)) for p in known],
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=REQUIRED,
    )
    _keep(request, state, account)
    return dict(options)


def finish_making(request: HttpRequest, account: Account, answer: Any, label: str) -> Passkey:
    """Keep the new passkey under the person's own word for it. Raises Invalid or Refused("passkey.wrong")."""
    state = _take(request, account)
    if not label.strip():
        raise Invalid({"label": [_("Give it a name, for instance the device it is on.")]})
    try:
        made = _server(request).register_complete(state, answer)
    except (ValueError, TypeError, KeyError) as error:
        raise _wrong() from error
    data = made.credential_data
    with transaction.atomic():
        if Passkey.objects.filter(credential_id=bytes(data.credential_id)).exists():
            raise Refused(_("This passkey is known already."), code="passkey.known")
        row = Passkey.objects.create(
            account=account,
            credential_id=bytes(data.credential_id),
            credential=bytes(data),
            label=label.strip()[:60],
            sign_count=made.counter,
            synced=bool(made.flags & AuthenticatorData.FLAG.BS),
        )
        note(request, Outcome.KEY_ADDED, account)
        remember(account)
    return row


def rename(account: Account, passkey_id: int, label: str) -> None:
    """Another word for one of the own passkeys. Raises Invalid or NotVisible."""
    if not label.strip():
        raise Invalid({"label": [_("Give it a name, for instance the device it is on.")]})
    if not Passkey.objects.filter(account=account, pk=passkey_id).update(label=label.strip()[:60]):
        raise NotVisible


def remove(request: HttpRequest, account: Account, passkey_id: int) -> None:
    """Forget one of the own passkeys. Raises NotVisible."""
    gone, _rows = Passkey.objects.filter(account=account, pk=passkey_id).delete()
    if not gone:
        raise NotVisible
    note(request, Outcome.KEY_REMOVED, account)
    remember(account)


# ---------------------------------------------------------------- using
def begin(request: HttpRequest) -> dict[str, Any]:
    """Options for the browser's ``credentials.get``: whichever passkey of this site the person picks."""
    options, state = _server(request).authenticate_begin(user_verification=REQUIRED)
    _keep(request, state, None)
    return dict(options)


def finish(request: HttpRequest, answer: Any, now: datetime | None = None) -> Account:
    """The account whose passkey signed the challenge. Raises Locked or Refused("passkey.wrong" | "passkey.cloned").

    Failures count against the source. A lock of the password does not shut the passkey: nobody guesses one, and else
    anybody could shut a person out. With a password step pending, it must be the same account.
    """
    now = now or timezone.now()
    state = _take(request, None)
    gate = Gate("source", source_of(request))
    try:
        gate.take(now)
    except Locked:
        note(request, Outcome.LOCKED)
        raise
    with transaction.atomic():
        row = _row(answer)
        account = row.account if row else None
        right = row is not None and _signed(request, state, row, answer)
        pending = request.session.get(PENDING_KEY)
        if right and account_usable(account, timezone.localdate(now)) and pending in (None, account.pk):
            count = AuthenticationResponse.from_dict(answer).response.authenticator_data.counter
            if (count or row.sign_count) and count <= row.sign_count:
                row.stopped_at = now
                row.save(update_fields=["stopped_at"])
                remember(account)
                note(request, Outcome.KEY_CLONED, account)
                cloned = True
            else:
                row.sign_count, row.last_used_at, cloned = count, now, False
                row.save(update_fields=["sign_count", "last_used_at"])
                gate.succeeded()
        else:
            cloned = False
            note(request, Outcome.DISABLED if right and pending is None else Outcome.KEY_WRONG, account)
            right = False
    if cloned:
        raise Refused(
            _("This passkey may have been copied. It is stopped and noted for the security administrator."),
            code="passkey.cloned",
        )
    if not right:
        if until := gate.failed(now):
            raise Locked(until, now)
        raise _wrong()
    return account


def _row(answer: Any) -> Passkey | None:
    try:
        number = websafe_decode(answer["rawId"])
    except (KeyError, TypeError, ValueError):
        return None
    found = Passkey.objects.select_for_update(of=("self",)).select_related("account")
    return found.filter(credential_id=number, stopped_at=None, account__kind=AccountKind.PERSON).first()


def _signed(request: HttpRequest, state: dict, row: Passkey, answer: Mapping[str, Any]) -> bool:
    try:
        _server(request).authenticate_complete(state, [AttestedCredentialData(bytes(row.credential))], answer)
        handle = AuthenticationResponse.from_dict(answer).response.user_handle
    except (ValueError, TypeError, KeyError, AttributeError):
        return False
    return handle is None or handle == row.account_id.to_bytes(8, "big")


def _keep(request: HttpRequest, state: dict, account: Account | None) -> None:
    request.session[STATE_KEY] = {
        "state": {"challenge": state["challenge"], "user_verification": str(state["user_verification"].value)},
        "account": account.pk if account else None,
        "at": timezone.now().timestamp(),
    }


def _take(request: HttpRequest, account: Account | None) -> dict:
    """The kept challenge, once. Raises Refused when there is none, or it is another person's or too old."""
    kept = request.session.pop(STATE_KEY, None)
    mine = kept and kept["account"] == (account.pk if account else None)
    if not mine or timezone.now().timestamp() - kept["at"] > MINUTES * 60:
        raise Refused(_("This took too long. Please begin again."), code="passkey.late")
    return kept["state"]


def _wrong() -> Refused:
    return Refused(_("This passkey was not accepted."), code="passkey.wrong")
