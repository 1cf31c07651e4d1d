"""Which exchanges may report calls, and their secrets: made, shown, renewed without a gap, stopped (devices.md §7)."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel import signing
from sangyu.kernel.actor import Actor
from sangyu.kernel.audit import log_read
from sangyu.kernel.crypto import derived_secret
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.scoping import as_system
from sangyu.kernel.services import service

from ..models import Exchange
from ..models.exchange import NAME

PERMISSION, PURPOSE = "emergencies.exchanges", "emergencies.exchange.secret"
#: Seconds that a signed event may be old: an exchange that could not reach us signs anew.
OLDEST = 300
#: How long the secret before still holds: a working day to change the exchange over.
CHANGE_OVER = timedelta(days=1)


@service(PERMISSION)
def add_exchange(*, actor: Actor, name: str, now: datetime | None = None) -> Exchange:
    """Let an exchange sign its events under ``name``; from now on every event must be signed.

    Raises Invalid, Refused("emergencies.exchange_known").
    """
    name = name.strip()
    if not re.fullmatch(NAME, name):
        raise Invalid({"name": [_("Small letters, digits and “-” only, 2 to 40 of them.")]})
    if name in _all():
        raise Refused(_("There is an exchange of this name already."), code="emergencies.exchange_known")
    return Exchange.objects.create(name=name, path=actor.path, renewed_at=now or timezone.now())


@service(PERMISSION)
def renew_exchange(*, actor: Actor, exchange_id: int, now: datetime | None = None) -> Exchange:
    """A new secret, also for one that was stopped. Of one in use the secret before holds for a day more. Raises NotVisible."""
    found, now = _locked(actor, exchange_id), now or timezone.now()
    found.old_until = None if found.stopped_at else now + CHANGE_OVER
    found.version, found.renewed_at, found.stopped_at = found.version + 1, now, None
    found.save(update_fields=["version", "renewed_at", "old_until", "stopped_at"])
    return found


@service(PERMISSION)
def stop_exchange(*, actor: Actor, exchange_id: int, now: datetime | None = None) -> Exchange:
    """Its secrets hold no more, at once. Raises NotVisible, Refused("emergencies.exchange_stopped")."""
    found = _locked(actor, exchange_id)
    if found.stopped_at is not None:
        raise Refused(_("It is stopped already."), code="emergencies.exchange_stopped")
    found.stopped_at, found.old_until = now or timezone.now(), None
    found.save(update_fields=["stopped_at", "old_until"])
    return found


@service(PERMISSION)
def reveal_exchange(*, actor: Actor, exchange_id: int, purpose: str) -> str:
    """The secret that is typed into the exchange; the look is logged. Raises NotVisible, Refused("emergencies.exchange_stopped")."""
    found = _locked(actor, exchange_id)
    if found.stopped_at is not None:
        raise Refused(_("It is stopped already."), code="emergencies.exchange_stopped")
    log_read(actor=actor, what="exchange secret", objects=[found], purpose=purpose[:200])
    return _secret(found.name, found.version)


def exchange_signature(headers: Mapping[str, str], body: bytes, now: datetime | None = None) -> bytes | None:
    """The signature of a request from an exchange; None where none was ever entered. Call inside a scope. Raises signing.Unsigned."""
    name, now = headers.get("x-sangyu-key", ""), now or timezone.now()
    known = _all()
    if not known:
        return None
    for version in _versions(known.get(name), now):
        try:
            return signing.verify({name: _secret(name, version)}, headers, body, oldest=OLDEST).signature
        except signing.Unsigned as error:
            if error.what == "time":  # it was signed with this secret: no other one fits
                raise
    raise signing.Unsigned("signature")


def _secret(name: str, version: int) -> str:
    return derived_secret(f"{name}/{version}", PURPOSE)


def _versions(found: Exchange | None, now: datetime) -> list[int]:
    """Versions of the secret that hold."""
    if found is None or found.stopped_at is not None:
        return []
    before = [found.version - 1] if found.old_until is not None and now < found.old_until else []
    return [found.version, *before]


def _all() -> dict[str, Exchange]:
    """Every exchange of the house by its name; there are few."""
    with as_system("an exchange may have been entered for an area above; its name is unique in the house"):
        return {e.name: e for e in Exchange.objects.all()}


def _locked(actor: Actor, pk: int) -> Exchange:
    found = Exchange.objects.visible_to(actor).select_for_update().filter(pk=pk).first()
    if found is None:
        raise NotVisible
    return found
