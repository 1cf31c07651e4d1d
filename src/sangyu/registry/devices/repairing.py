"""Repairs (R-089). Imported through ``services``."""

from datetime import date, datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, Refused
from sangyu.kernel.services import service

from . import store
from .enums import Action, Outcome
from .models import Device, Repair
from .workflow import DEVICE_FLOW


@service("devices.repair")
def send_to_repair(
    *, actor: Actor, device_id: int, vendor: str, fault: str, on: date | None = None, now: datetime | None = None
) -> Repair:
    """The device goes to a workshop. Whoever had it still has it: it comes back to them unless the binding is ended.

    Raises Invalid, NotVisible, Refused("workflow.edge").
    """
    now = now or timezone.now()
    today = timezone.localdate(now)
    on = on or today
    errors = {}
    if not vendor.strip():
        errors["vendor"] = [_("Please fill in.")]
    if not fault.strip():
        errors["fault"] = [_("Please fill in.")]
    if on > today:
        errors["on"] = [_("The day lies in the future.")]
    if errors:
        raise Invalid(errors)
    device = store.locked(actor, device_id)
    DEVICE_FLOW.apply(
        actor=actor,
        queryset=Device.objects.all(),
        pk=device.pk,
        row=device,
        action=Action.REPAIR,
        now=now,
        reason=fault,
    )
    return Repair.objects.create(
        device=device, sent_on=on, vendor=vendor.strip(), fault=fault.strip(), keeper_id=actor.account_id
    )


@service("devices.repair")
def repair_ended(
    *, actor: Actor, device_id: int, outcome: str, on: date | None = None, cost: int | None = None, note: str = "",
    now: datetime | None = None,
) -> Device:  # fmt: skip
    """The device is back: with its wearer, else in stock. ``cost`` in fen. One not worth repairing is retired afterwards.

    Raises Invalid, NotVisible, Refused("devices.no_repair", "workflow.edge").
    """
    now = now or timezone.now()
    on = on or timezone.localdate(now)
    store.check_amounts(cost=cost)
    device = store.locked(actor, device_id)
    repair = Repair.objects.select_for_update().filter(device=device, back_on__isnull=True).first()
    if repair is None:
        raise Refused(_("This device is not in repair."), code="devices.no_repair")
    if outcome not in Outcome.values:
        raise Invalid({"outcome": [_("Choose one of the options.")]})
    if not repair.sent_on <= on <= timezone.localdate(now):
        raise Invalid({"on": [_("The day lies in the future or before it was sent.")]})
    repair.back_on, repair.outcome, repair.cost, repair.note = on, outcome, cost, note.strip()
    repair.save(update_fields=["back_on", "outcome", "cost", "note"])
    return DEVICE_FLOW.apply(
        actor=actor, queryset=Device.objects.all(), pk=device.pk, row=device, now=now, reason=note.strip(),
        action=Action.GIVE_BACK if device.held else Action.REPAIRED, data={"repair": repair.pk, "outcome": str(outcome)},
    )  # fmt: skip
