"""The stock: receive, correct, allot, put back, retire (R-089). Imported through ``services``."""

from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.audit import log_read
from sangyu.kernel.crypto import blind_index
from sangyu.kernel.errors import BadValue, Invalid, NotVisible, Refused
from sangyu.kernel.events import emit
from sangyu.kernel.identity import parse_phone, phone_digits
from sangyu.kernel.services import service
from sangyu.registry.regions import selectors as regions

from . import credentials, events, store
from .enums import Action, EndReason, Payer, State
from .models import ICCID_PURPOSE, SIM_PURPOSE, Device
from .products import product as product_of
from .workflow import DEVICE_FLOW

FIELDS = (
    "serial", "iccid", "sim_phone", "owner_id", "service_fee", "sim_fee", "payer", "warranty_until", "received_on", "note",
)  # fmt: skip


@service("devices.stock")
def receive(
    *, actor: Actor, product: str, identity: str, region_id: int | None = None, now: datetime | None = None, **more: Any
) -> Device:
    """A new device comes into the stock of ``region_id`` (in the actor's area; default the actor's own).

    ``more`` are FIELDS. Raises Invalid, NotVisible, Refused("devices.identity", "devices.sim") when the number or card is
    registered already, here or in another area.
    """
    now = now or timezone.now()
    known = product_of(product)
    if known is None:
        raise Invalid({"product": [_("Choose one of the options.")]})
    region = regions.region(region_id, current=True) if region_id else regions.at_path(actor.path)
    if region is None or not region.path.startswith(actor.path):
        raise NotVisible
    made = Device(
        product=known.code, kind=known.kind, protocol=known.protocol, region=region, path=region.path, state=State.STOCK,
        identity=store.read_identity(known.protocol, identity), received_on=timezone.localdate(now),
    )  # fmt: skip
    fill(made, more)
    return _kept(lambda: DEVICE_FLOW.begin(actor=actor, row=made, action=Action.RECEIVE, now=now))


@service("devices.stock")
def change(*, actor: Actor, device_id: int, **changes: Any) -> Device:
    """Correct the register entry (FIELDS); the history keeps what stood there. Raises Invalid, NotVisible, Refused."""
    made = store.locked(actor, device_id)
    named = fill(made, changes)
    _kept(lambda: made.save(update_fields=named))
    return made


def fill(made: Device, given: dict[str, Any]) -> list[str]:
    """Set and check FIELDS, with the blind indexes beside sealed ones; answers the columns set. Raises Invalid."""
    errors: dict[str, list[str]] = {}
    named: list[str] = []
    for name, value in given.items():
        if name not in FIELDS:
            raise TypeError(f"a device has no {name}")
        value = value.strip() if isinstance(value, str) else value
        if name == "received_on" and value is None:
            continue
        try:
            if name == "iccid":
                value = store.read_iccid(value or "")
                made.iccid_index = blind_index(value, ICCID_PURPOSE)
                named.append("iccid_index")
            elif name == "sim_phone":
                value = read_sim_phone(value or "")
                made.sim_index = blind_index(phone_digits(value), SIM_PURPOSE) if value else None
                named.append("sim_index")
        except Invalid as error:
            errors |= error.errors
        setattr(made, name, 0 if value is None and name.endswith("_fee") else value)
        named.append(name)
    try:
        store.check_amounts(service_fee=made.service_fee, sim_fee=made.sim_fee)
    except Invalid as error:
        errors |= error.errors
    if made.payer not in Payer.values:
        errors["payer"] = [_("Choose one of the options.")]
    if made.warranty_until and made.warranty_until < made.received_on:
        errors["warranty_until"] = [_("The warranty ends before the device came.")]
    if errors:
        raise Invalid(errors)
    return named


def read_sim_phone(written: str) -> str:
    """A telephone number, or a card number of the Internet of things (13 digits). Raises Invalid."""
    digits = written.replace(" ", "").replace("-", "")
    if not digits or (digits.isdigit() and len(digits) == 13 and digits.startswith("1")):
        return digits
    try:
        return parse_phone(written)
    except BadValue as error:
        raise Invalid({"sim_phone": [error.message]}) from None


def _kept(write) -> Any:
    try:
        with transaction.atomic():
            return write()
    except IntegrityError as error:
        if "device_identity_once" in str(error):
            raise Refused(
                _("A device with this number is registered already, here or in another area."), code="devices.identity"
            ) from None
        if "device_sim_once" in str(error):
            raise Refused(_("This SIM card is in another device."), code="devices.sim") from None
        raise


@service("devices.stock")
def allot(*, actor: Actor, device_id: int, region_id: int, now: datetime | None = None) -> Device:
    """The device goes to the stock of another region of the actor's area. Raises NotVisible, Refused."""
    region = regions.region(region_id, current=True)
    if not region.path.startswith(actor.path):
        raise NotVisible
    return DEVICE_FLOW.apply(
        actor=actor, queryset=Device.objects.visible_to(actor), pk=device_id, action=Action.ALLOT, now=now,
        changes={"region": region, "path": region.path}, data={"region": region.pk},
    )  # fmt: skip


@service("devices.stock")
def restock(*, actor: Actor, device_id: int, note: str = "", now: datetime | None = None) -> Device:
    """A device that came back was checked and cleaned: it may be issued again. Raises NotVisible, Refused."""
    return DEVICE_FLOW.apply(
        actor=actor,
        queryset=Device.objects.visible_to(actor),
        pk=device_id,
        action=Action.RESTOCK,
        now=now,
        reason=note,
    )


@service("devices.stock")
def retire(*, actor: Actor, device_id: int, reason: str, now: datetime | None = None) -> Device:
    """The device is used no more; its number stays taken. A lost or broken one that somebody still has loses its binding.

    Raises Invalid (no reason), NotVisible, Refused("workflow.edge") for an issued one: it is taken back first.
    """
    if not reason.strip():
        raise Invalid({"reason": [_("Say why.")]})
    now = now or timezone.now()
    device = store.locked(actor, device_id)
    DEVICE_FLOW.require(device, Action.RETIRE)
    if device.held:
        why = EndReason.LOST if device.state == State.LOST else EndReason.DEFECT
        give_up(actor, device, why, now)
    _end_repair(device, timezone.localdate(now), reason)
    return DEVICE_FLOW.apply(
        actor=actor,
        queryset=Device.objects.all(),
        pk=device.pk,
        row=device,
        action=Action.RETIRE,
        now=now,
        reason=reason,
    )


def give_up(actor: Actor, device: Device, reason: str, now: datetime) -> Device:
    """End the binding of a lost device or one in repair: it stays where it is, and belongs to the stock again."""
    region = store.stock_region(actor, device, None)
    changes = store.end_binding(actor, device, store.open_binding(device), reason, now)
    return DEVICE_FLOW.apply(
        actor=actor, queryset=Device.objects.all(), pk=device.pk, row=device, action=Action.GIVE_UP, now=now,
        changes={**changes, "region": region, "path": region.path}, data={"reason": str(reason)},
    )  # fmt: skip


def _end_repair(device: Device, day: date, reason: str) -> None:
    for repair in device.repairs.filter(back_on__isnull=True):
        repair.back_on, repair.outcome, repair.note = max(day, repair.sent_on), "scrap", reason[:300]
        repair.save(update_fields=["back_on", "outcome", "note"])


@service("devices.reveal")
def reveal(*, actor: Actor, device_id: int, field: str, purpose: str) -> str:
    """The whole ``iccid`` or ``sim_phone``; logged as a read of personal data. Raises NotVisible, Invalid."""
    if field not in ("iccid", "sim_phone") or not purpose:
        raise Invalid({"field": [_("Say which number, and what for.")]})
    found = Device.objects.visible_to(actor).filter(pk=device_id).first()
    if found is None:
        raise NotVisible
    log_read(actor=actor, what=field, objects=[found], purpose=purpose)
    return getattr(found, field)


@service("devices.reveal")
def reveal_secret(*, actor: Actor, device_id: int, purpose: str) -> str:
    """User name and password for MQTT, or the key for SIA DC-09; logged. Raises NotVisible, Refused("devices.no_secret")."""
    found = Device.objects.visible_to(actor).filter(pk=device_id).first()
    if found is None:
        raise NotVisible
    if not credentials.has_secret(found.protocol):
        raise Refused(_("This device has no password and no key."), code="devices.no_secret")
    log_read(actor=actor, what="secret", objects=[found], purpose=purpose)
    return credentials.shown(found.protocol, found.identity, found.credential)


@service("devices.settings")
def renew_secret(*, actor: Actor, device_id: int) -> Device:
    """A new password or key; the old one is refused from now on, an open MQTT connection ends within twelve hours. Raises NotVisible, Refused."""
    device = store.locked(actor, device_id)
    if not credentials.has_secret(device.protocol):
        raise Refused(_("This device has no password and no key."), code="devices.no_secret")
    device.credential += 1
    device.save(update_fields=["credential"])
    emit(events.SETTINGS, path=device.path, id=device.pk)
    return device
