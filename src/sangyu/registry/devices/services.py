"""What people do with devices (R-089, R-092, R-186). Acts of the stock, repairs, fees and settings are in files of their own."""

from collections.abc import Mapping
from datetime import date, datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.services import service
from sangyu.registry.facilities import selectors as facilities
from sangyu.registry.people import selectors as people
from sangyu.registry.people import services as people_services
from sangyu.registry.privacy import selectors as privacy

from . import selectors, store
from .charging import charge_month, record_paid
from .commanding import cancel_command, command, command_done, next_command, sweep_commands
from .enums import Action, Answer, EndReason, Kind, State
from .hearing import heard
from .listening import listen_in
from .models import Binding, Device
from .products import product as product_of
from .repairing import repair_ended, send_to_repair
from .setting import configure, copy_settings
from .stock import allot, change, give_up, receive, renew_secret, restock, retire, reveal, reveal_secret
from .workflow import DEVICE_FLOW

__all__ = [
    "allot", "bind_place", "cancel_command", "change", "charge_month", "command", "command_done", "configure",
    "exchange", "heard", "issue", "listen_in", "next_command", "pay_back", "receive", "record_paid", "renew_secret",
    "repair_ended", "report_found", "report_lost", "restock", "retire", "reveal", "reveal_secret", "send_to_repair",
    "sweep_commands", "take_back",
]  # fmt: skip


@service("devices.issue")
def issue(
    *,
    actor: Actor,
    device_id: int,
    person_id: int,
    answers: Mapping[str, str] | None = None,
    witness: str = "",
    deposit: int | None = 0,
    note: str = "",
    now: datetime | None = None,
) -> Binding:
    """Issue a device of the stock to an elder; it is seen from the elder's region from now on.

    A device that tells places or measures needs an answer for each consent that does not hold yet: ``answers`` maps the
    purpose (location, health_data) to paper, oral (with ``witness``) or refused. Who refuses gets the device all the same;
    what it tells is then not used (R-027, R-090). Raises NotVisible, Invalid (answer missing), Refused: "people.dead",
    "people.restricted", "devices.one_each", "workflow.edge". Then nothing has changed.
    """
    now = now or timezone.now()
    store.check_amounts(deposit=deposit)
    person = people.locked_person(person_id)
    device = store.locked(actor, device_id)
    DEVICE_FLOW.require(device, Action.ISSUE)
    _may_have(person, device)
    _record_answers(actor, person, device, dict(answers or {}), witness, timezone.localdate(now))
    binding = Binding(
        device=device, person=person, path=person.path, issued_at=now, issued_by=actor.name[:100], deposit=deposit or 0,
        note=note.strip(),
    )  # fmt: skip
    return _bind(actor, device, binding, now)


def _may_have(person, device: Device) -> None:
    """Raises Refused unless the person lives, is not restricted, and has no other device of a kind that goes alone."""
    people.refuse_use(person)
    if person.died_on is not None:
        raise Refused(_("The person has died."), code="people.dead")
    kind = Kind(device.kind)
    if kind.one_each:
        other = Binding.objects.filter(person=person, returned_at__isnull=True, device__kind=kind).first()
        if other is not None:
            raise Refused(
                _("%(name)s has a device of this kind already (%(number)s). Exchange it, or take it back first.")
                % {"name": person.name, "number": other.device.identity},
                code="devices.one_each",
            )


def _record_answers(actor: Actor, person, device: Device, answers: dict, witness: str, today: date) -> None:
    held = selectors.consents_of([person.pk]).get(person.pk, frozenset())
    missing: dict[str, list[str]] = {}
    for purpose in store.purposes_of(product_of(device.product)):
        if purpose in held:
            continue
        answer = answers.get(purpose)
        if answer not in Answer.values:
            missing[str(purpose)] = [_("Ask the elder, and choose what the answer was.")]
        elif answer != Answer.REFUSED:
            text = privacy.consent_text(purpose, today)
            people_services.give_consent(
                actor=actor, person_id=person.pk, purpose=purpose, version=text.version if text else "", given_on=today,
                proof=answer, witness=witness, extent=f"{device.get_kind_display()} {device.identity}", today=today,
            )  # fmt: skip
    if missing:
        raise Invalid(missing)


def _bind(actor: Actor, device: Device, binding: Binding, now: datetime) -> Binding:
    DEVICE_FLOW.apply(
        actor=actor, queryset=Device.objects.all(), pk=device.pk, row=device, action=Action.ISSUE, now=now,
        changes={"person": binding.person, "facility": binding.facility, "path": binding.path}, data=store.whose(binding),
    )  # fmt: skip
    return store.bound(device, binding)


@service("devices.issue")
def bind_place(
    *, actor: Actor, device_id: int, facility_id: int, room: str = "", bed: str = "", note: str = "",
    now: datetime | None = None,
) -> Binding:  # fmt: skip
    """The device stands in a facility of the actor's area: in a room, at a bed (R-186). Whose signals they are follows from
    who has the bed. A bed has one device of a kind. Raises NotVisible, Invalid, Refused.
    """
    now = now or timezone.now()
    facility = facilities.get_facility(actor, facility_id)
    if not facility.path.startswith(actor.path):
        raise NotVisible
    device = store.locked(actor, device_id)
    DEVICE_FLOW.require(device, Action.ISSUE)
    if not Kind(device.kind).placed:
        raise Refused(_("A device of this kind goes with a person."), code="devices.kind")
    room, bed = room.strip(), bed.strip()
    if device.kind == Kind.MATTRESS and not bed:
        raise Invalid({"bed": [_("Say on which bed it lies.")]})
    if bed:
        rows = Binding.objects.filter(facility_id=facility_id, bed=bed, returned_at__isnull=True)
        if rows.filter(device__kind=device.kind).exists():
            raise Refused(_("This bed has a device of this kind already."), code="devices.bed")
    binding = Binding(
        device=device, facility=facility, path=facility.path, room=room, bed=bed, issued_at=now,
        issued_by=actor.name[:100], note=note.strip(),
    )  # fmt: skip
    return _bind(actor, device, binding, now)


@service("devices.issue")
def take_back(
    *, actor: Actor, device_id: int, reason: str, note: str = "", region_id: int | None = None, deposit_back: bool = False,
    now: datetime | None = None,
) -> Device:  # fmt: skip
    """The device came back from its wearer or place, or a lost one was handed in. It is checked before it goes out again.

    It is kept in ``region_id``, else where it came from, else with the actor's region. ``deposit_back``: the deposit was
    paid back today. Raises Invalid, NotVisible, Refused("workflow.edge").
    """
    if reason not in EndReason.values:
        raise Invalid({"reason": [_("Choose one of the options.")]})
    now = now or timezone.now()
    device = store.locked(actor, device_id)
    DEVICE_FLOW.require(device, Action.RETURN)
    region = store.stock_region(actor, device, region_id)
    binding, changes = store.open_binding(device), {}
    if binding is not None:
        if deposit_back and binding.deposit:
            binding.deposit_back_on = timezone.localdate(now)
            binding.save(update_fields=["deposit_back_on"])
        changes = store.end_binding(actor, device, binding, reason, now, note.strip())
    DEVICE_FLOW.apply(
        actor=actor, queryset=Device.objects.all(), pk=device.pk, row=device, action=Action.RETURN, now=now,
        reason=note.strip(), changes={**changes, "region": region, "path": region.path}, data={"reason": str(reason)},
    )  # fmt: skip
    return device


@service("devices.issue")
def exchange(
    *, actor: Actor, device_id: int, new_device_id: int, reason: str = EndReason.EXCHANGED, note: str = "",
    answers: Mapping[str, str] | None = None, witness: str = "", now: datetime | None = None,
) -> Binding:  # fmt: skip
    """The wearer or place gets ``new_device_id`` for the old device, in one act: deposit and settings go along.

    A lost device or one in repair stays where it is and belongs to the stock again; another comes back to be checked. What
    was asked for the old device is not asked again; ``answers`` are for what only the new one tells (see ``issue``).
    Raises NotVisible, Invalid, Refused("devices.nobody", "devices.other_kind", …); then nothing has changed.
    """
    now = now or timezone.now()
    old = store.locked(actor, device_id)
    binding = store.open_binding(old)
    if binding is None:
        raise Refused(_("Nobody has this device."), code="devices.nobody")
    new = store.locked(actor, new_device_id)
    if new.kind != old.kind:
        raise Refused(
            _("The other device is a %(kind)s. Take back and issue instead.") % {"kind": new.get_kind_display()},
            code="devices.other_kind",
        )
    settings = copy_settings(old, same_product=new.product == old.product)
    if old.state in (State.LOST, State.REPAIR):
        give_up(actor, old, EndReason.LOST if old.state == State.LOST else reason, now)
    else:
        take_back(actor=actor, device_id=old.pk, reason=reason, note=note, now=now)
    if binding.person_id is None:
        made = bind_place(
            actor=actor, device_id=new.pk, facility_id=binding.facility_id, room=binding.room, bed=binding.bed, now=now
        )
    else:
        asked = dict.fromkeys(store.purposes_of(product_of(old.product)), Answer.REFUSED)
        made = issue(
            actor=actor, device_id=new.pk, person_id=binding.person_id, answers={**asked, **(answers or {})},
            witness=witness, note=note, now=now,
        )  # fmt: skip
    if binding.deposit:
        Binding.objects.filter(pk=binding.pk).update(deposit=0)
        made.deposit = binding.deposit
        made.save(update_fields=["deposit"])
    if settings:
        configure(actor=actor, device_id=new.pk, **settings)
    return made


@service("devices.issue")
def report_lost(*, actor: Actor, device_id: int, reason: str, now: datetime | None = None) -> Device:
    """Nobody knows where it is. The binding goes on: it may be found at home. Raises Invalid, NotVisible, Refused."""
    if not reason.strip():
        raise Invalid({"reason": [_("Say how it was lost.")]})
    return DEVICE_FLOW.apply(
        actor=actor, queryset=Device.objects.visible_to(actor), pk=device_id, action=Action.LOSE, now=now, reason=reason
    )


@service("devices.issue")
def report_found(*, actor: Actor, device_id: int, note: str = "", now: datetime | None = None) -> Device:
    """A lost device is with its wearer again; one that nobody had comes back to be checked. Raises NotVisible, Refused."""
    device = store.locked(actor, device_id)
    if not device.held:
        DEVICE_FLOW.require(device, Action.RETURN)
        return take_back(actor=actor, device_id=device_id, reason=EndReason.RETURNED, note=note, now=now)
    return DEVICE_FLOW.apply(
        actor=actor, queryset=Device.objects.all(), pk=device.pk, row=device, action=Action.FIND, now=now, reason=note
    )


@service("devices.issue")
def pay_back(*, actor: Actor, binding_id: int, on: date, today: date | None = None) -> Binding:
    """The deposit of an ended binding was paid back. Raises NotVisible, Invalid, Refused("devices.deposit")."""
    found = Binding.objects.select_for_update(of=("self",)).visible_to(actor).filter(pk=binding_id).first()
    if found is None:
        raise NotVisible
    if on > (today or timezone.localdate()):
        raise Invalid({"on": [_("The day lies in the future.")]})
    if not found.deposit or found.deposit_back_on is not None or found.returned_at is None:
        raise Refused(_("There is no deposit to pay back."), code="devices.deposit")
    found.deposit_back_on = on
    found.save(update_fields=["deposit_back_on"])
    return found
