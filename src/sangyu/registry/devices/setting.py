"""What the gateway reads of one device (R-089, R-094). Imported through ``services``."""

from datetime import time
from typing import Any

from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, Refused
from sangyu.kernel.events import emit
from sangyu.kernel.services import service
from sangyu.registry.people import selectors as people

from . import events, store
from .models import Device, Setting
from .products import product as product_of

COLUMNS = ("sos_contacts", "interval", "quiet_from", "quiet_to", "commands", "local_clock")
MOST_NUMBERS = 3


@service("devices.settings")
def configure(
    *,
    actor: Actor,
    device_id: int,
    sos_contacts: list[int] | None = None,
    interval: int | None = None,
    quiet_from: time | None = None,
    quiet_to: time | None = None,
    commands: list[str] | None = None,
    local_clock: bool = False,
) -> Setting:
    """Set what the gateway reads. ``sos_contacts``: up to three contacts of the wearer, in order of calling.

    ``interval`` in seconds (60 … 65535), None = as the product says; ``commands`` None = all that the product knows.
    Raises Invalid, NotVisible, Refused("devices.nobody") for numbers of a device that no person has.
    """
    device = store.locked(actor, device_id)
    numbers = list(dict.fromkeys(sos_contacts or []))
    errors: dict[str, list[str]] = {}
    if numbers:
        _check_numbers(device, numbers, errors)
    if interval is not None and not 60 <= interval <= 65_535:
        errors["interval"] = [_("From 60 to 65535 seconds.")]
    if (quiet_from is None) != (quiet_to is None):
        errors["quiet_to"] = [_("Give both hours, or neither.")]
    known = product_of(device.product)
    if commands is not None and (unknown := set(commands) - set(known.commands if known else ())):
        errors["commands"] = [_("The product has no such command: %(names)s.") % {"names": ", ".join(sorted(unknown))}]
    if errors:
        raise Invalid(errors)
    made, _new = Setting.objects.update_or_create(
        device=device,
        defaults={
            "sos_contacts": numbers, "interval": interval, "quiet_from": quiet_from, "quiet_to": quiet_to,
            "commands": commands, "local_clock": local_clock,
        },
    )  # fmt: skip
    emit(events.SETTINGS, path=device.path, id=device.pk)
    return made


def _check_numbers(device: Device, numbers: list[int], errors: dict[str, list[str]]) -> None:
    if device.person_id is None:
        raise Refused(_("Nobody has this device: there is nobody to call."), code="devices.nobody")
    callable_ = {c.pk for c in people.contacts(device.person) if c.phone}
    if len(numbers) > MOST_NUMBERS:
        errors["sos_contacts"] = [_("Three numbers at most.")]
    elif set(numbers) - callable_:
        errors["sos_contacts"] = [_("Choose contacts of the elder that have a telephone number.")]


def copy_settings(device: Device, *, same_product: bool) -> dict[str, Any]:
    """The settings of ``device`` as arguments of ``configure``; {} when it has none. Commands and clock are the product's."""
    found = Setting.objects.filter(device=device).first()
    names = COLUMNS if same_product else COLUMNS[:4]
    return {name: getattr(found, name) for name in names} if found else {}
