"""Small steps that the services of this room share. Called inside an open scope."""

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.events import emit
from sangyu.kernel.scoping import as_system
from sangyu.registry.people.enums import Purpose
from sangyu.registry.regions import selectors as regions

from . import events
from .enums import CommandState
from .models import Binding, Command, Device, Setting
from .products import Product
from .workflow import DEVICE_FLOW

#: Protocols whose devices are named by digits of the IMEI.
DIGITS = {"watch": (10, 15), "h02": (5, 16), "gt06": (15, 16)}
#: What a product can do that says something about health.
HEALTH = frozenset(
    {"heart_rate", "blood_pressure", "spo2", "temperature", "glucose", "weight", "respiration", "steps", "bed", "sleep"}
)
#: Commands that wait for one device.
MOST_OPEN = 20
#: One million yuan.
MOST = 100_000_000
NAMED = re.compile(r"^[A-Za-z0-9_.:\-]{2,64}$")


def locked(actor: Actor, device_id: int) -> Device:
    """The device as the actor sees it, locked. Raises NotVisible."""
    return DEVICE_FLOW.lock(Device.objects.visible_to(actor), device_id)


def open_binding(device: Device) -> Binding | None:
    """Who or what has it now; the device is locked, so nobody ends it meanwhile."""
    return Binding.objects.filter(device=device, returned_at__isnull=True).first()


def stock_region(actor: Actor, device: Device, region_id: int | None):
    """Where a device that comes back is kept: as said, else where it came from, else with whoever takes it. Raises NotVisible."""
    if region_id is not None:
        found = regions.region(region_id, current=True)
        if actor.audience is Audience.STAFF and not found.path.startswith(actor.path):
            raise NotVisible
        return found
    home = regions.region(device.region_id)
    if actor.audience is Audience.STAFF and not home.path.startswith(actor.path):
        return regions.at_path(actor.path) or home
    return home


def end_binding(actor: Actor, device: Device, binding: Binding, reason: str, now: datetime, note: str = "") -> dict:
    """End ``binding``; answers the changes of the device row, which the caller's transition writes."""
    binding.returned_at, binding.returned_by, binding.end_reason = now, actor.name[:100], reason
    binding.note = (f"{binding.note}；{note}" if binding.note and note else note or binding.note)[:300]
    binding.save(update_fields=["returned_at", "returned_by", "end_reason", "note"])
    Setting.objects.filter(device=device).update(sos_contacts=[])
    emit(events.UNBOUND, path=binding.path, id=device.pk, binding=binding.pk, **whose(binding))
    return {"person": None, "facility": None}


def whose(binding: Binding) -> dict[str, int]:
    """The payload that names who or what a binding is about."""
    return {"person": binding.person_id} if binding.person_id else {"facility": binding.facility_id}


def bound(device: Device, binding: Binding) -> Binding:
    """Write the binding and tell."""
    with as_system("the device may come from the stock of a region above"):
        binding.save(force_insert=True)
    emit(events.BOUND, path=binding.path, id=device.pk, binding=binding.pk, **whose(binding))
    return binding


def purposes_of(product: Product | None) -> list[Purpose]:
    """Consents that a wearer of the product is asked for (R-027, R-090)."""
    if product is None:
        return []
    found = [Purpose.LOCATION] if "position" in product.capabilities else []
    return found + ([Purpose.HEALTH_DATA] if product.capabilities & HEALTH else [])


def check_amounts(**amounts: int | None) -> None:
    """A fee or deposit is no house: at most a million yuan, in fen. Raises Invalid."""
    if wrong := [name for name, fen in amounts.items() if fen is not None and not 0 <= fen <= MOST]:
        raise Invalid({name: [_("The amount is too large.")] for name in wrong})


def read_identity(protocol: str, written: str) -> str:
    """The device number as the device will say it. Raises Invalid."""
    text = written.strip()
    if protocol in DIGITS:
        least, most = DIGITS[protocol]
        text = re.sub(r"[\s\-]", "", text)
        if not (text.isascii() and text.isdigit() and least <= len(text) <= most):
            raise Invalid(
                {
                    "identity": [
                        _("Write the number that the device sends: %(least)s to %(most)s digits.")
                        % {"least": least, "most": most}
                    ]
                }
            )
    elif not NAMED.match(text):
        raise Invalid({"identity": [_("Letters, digits, “-”, “_”, “.” and “:” only, 2 to 64 of them.")]})
    return text


def read_iccid(written: str) -> str:
    """19 or 20 digits, the last may be a letter on some cards. Raises Invalid."""
    text = re.sub(r"[\s\-]", "", written).upper()
    if text and not re.fullmatch(r"89[0-9]{16,17}[0-9A-F]", text):
        raise Invalid({"iccid": [_("A SIM card number begins with 89 and has 19 or 20 characters.")]})
    return text


def queue(
    actor: Actor,
    device: Device,
    name: str,
    values: Mapping[str, Any],
    *,
    reason: str,
    waits: timedelta,
    now: datetime,
    **more: Any,
) -> Command:
    """Write a command down and tell the gateway. ``more``: further columns. Raises Refused("devices.queue")."""
    if Command.objects.filter(device=device, state__in=(CommandState.QUEUED, CommandState.SENT)).count() >= MOST_OPEN:
        raise Refused(_("Too many commands wait for this device."), code="devices.queue")
    made = Command.objects.create(
        device=device, path=device.path, name=name, arguments=json.dumps(values, ensure_ascii=False), reason=reason[:300],
        given_by=actor.name[:100], account_id=actor.account_id, given_at=now, expires_at=now + waits, **more,
    )  # fmt: skip
    emit(events.COMMANDED, path=device.path, id=device.pk, command=made.pk)
    return made
