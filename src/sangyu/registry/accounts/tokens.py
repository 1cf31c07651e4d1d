"""API tokens: ``sgy_<prefix>_<secret>``. 256 random bits need no slow hash; SHA-256 is what is kept."""

import hashlib
import secrets
from datetime import date, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid

from . import roles
from .models import ApiToken, Grant
from .selectors import actor_for, usable

LONGEST_DAYS = 366


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def identify(raw: str) -> tuple[ApiToken, Actor] | None:
    """The live token ``raw`` and its actor (one query; a second one a minute notes the use), or None."""
    parts = raw.strip().split("_", 2)
    if len(parts) != 3 or parts[0] != "sgy":
        return None
    found = ApiToken.objects.select_related("account", "grant__region").filter(prefix=parts[1], revoked_at=None).first()
    today = timezone.localdate()
    if found is None or not secrets.compare_digest(found.digest, digest(parts[2])):
        return None
    if found.expires_on <= today or not usable(found.account, found.grant, today):
        return None
    now = timezone.now()
    if found.last_used_at is None or now - found.last_used_at > timedelta(minutes=1):
        ApiToken.objects.filter(pk=found.pk).update(last_used_at=now)
    return found, actor_for(found.account, found.grant, frozenset(found.permissions))


def issue(
    *, grant: Grant, name: str, permissions: list[str], expires_on: date, created_by: str
) -> tuple[ApiToken, str]:
    """Make a token; returns it and the text to hand over, shown once. Raises Invalid for scopes the grant does not
    hold."""
    errors = {}
    held = roles.role(grant.role).permissions
    if foreign := sorted(set(permissions) - held):
        errors["permissions"] = [_("The role does not hold: %(names)s") % {"names": ", ".join(foreign)}]
    elif not permissions:
        errors["permissions"] = [_("Choose at least one permission.")]
    today = timezone.localdate()
    if not today < expires_on <= today + timedelta(days=LONGEST_DAYS):
        errors["expires_on"] = [_("The last day must be after today and within one year.")]
    if not name.strip():
        errors["name"] = [_("Say what uses the token.")]
    if errors:
        raise Invalid(errors)
    prefix, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        account_id=grant.account_id,
        grant=grant,
        path=grant.path,
        name=name.strip(),
        prefix=prefix,
        digest=digest(secret),
        permissions=sorted(set(permissions)),
        created_by=created_by,
        expires_on=expires_on,
    )
    return token, f"sgy_{prefix}_{secret}"
