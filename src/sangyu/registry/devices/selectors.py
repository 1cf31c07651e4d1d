"""Questions about devices that other rooms, the gateway and the screens ask. All run in the open scope."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import NotVisible
from sangyu.registry.facilities import selectors as facilities
from sangyu.registry.people import selectors as people

from .bearing import Bearer, Stretch, bearers
from .enums import Action, CommandState, State
from .models import Binding, Command, Device, Fee, Setting
from .products import Product, product, products

__all__ = [
    "Bearer", "Identified", "Known", "Product", "Stretch", "Wearer", "bearers", "bindings_of", "by_identity", "can_listen", "commands_of",
    "commands_visible", "commands_waiting", "consents_of", "devices_visible", "get_device",
    "of_person", "out_with", "product", "products", "snapshot", "stock_of", "wearers",
]  # fmt: skip

#: Heard no more for so many supervision intervals: silent (devices.md §6).
MISSED = 3


@dataclass(frozen=True, slots=True)
class Identified:
    """Who a device is that signs in."""

    id: int
    product: str
    state: str
    path: str


@dataclass(frozen=True, slots=True)
class Wearer:
    """Whose signals those of a device are. ``consents`` are the purposes that hold: without one its data are not used."""

    device_id: int
    path: str
    person_id: int | None = None
    facility_id: int | None = None
    room: str = ""
    bed: str = ""
    since: datetime | None = None
    consents: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Known:
    """What the gateway keeps in memory of one device."""

    id: int
    protocol: str
    identity: str
    product: str
    state: str
    path: str
    person_id: int | None
    facility_id: int | None
    interval: int | None = None
    quiet_from: time | None = None
    quiet_to: time | None = None
    commands: tuple[str, ...] | None = None
    local_clock: bool = False
    sos_contacts: tuple[int, ...] = field(default=())
    credential: int = 1


# ---------------------------------------------------------------- for the gateway
def by_identity(protocol: str, identity: str) -> Identified | None:
    """The device that signs in: one probe of a unique index. None for an unknown or retired one."""
    rows = Device.objects.filter(protocol=protocol, identity=identity).exclude(state=State.RETIRED)
    found = rows.values_list("pk", "product", "state", "path").first()
    return Identified(*found) if found else None


def snapshot(*, changed: Iterable[int] | None = None) -> Iterator[Known]:
    """Every device that may speak, with its settings, by id; ``changed`` limits it to those ids. Two queries, streamed."""
    rows = Device.objects.exclude(state=State.RETIRED).order_by("pk")
    settings = Setting.objects.all()
    if changed is not None:
        ids = list(changed)
        rows, settings = rows.filter(pk__in=ids), settings.filter(device_id__in=ids)
    names = ("interval", "quiet_from", "quiet_to", "commands", "local_clock", "sos_contacts")
    held = {pk: rest for pk, *rest in settings.values_list("device_id", *names)}
    columns = ("pk", "protocol", "identity", "product", "state", "path", "person_id", "facility_id", "credential")
    for *row, credential in rows.values_list(*columns).iterator(chunk_size=2000):
        more = held.get(row[0])
        if more is None:
            yield Known(*row, credential=credential)
        else:
            interval, quiet_from, quiet_to, commands, local, numbers = more
            yield Known(
                *row,
                interval,
                quiet_from,
                quiet_to,
                None if commands is None else tuple(commands),
                local,
                tuple(numbers),
                credential,
            )


def wearers(device_ids: Iterable[int], *, at: datetime | None = None) -> dict[int, Wearer]:
    """Device → whose signals they are at ``at`` (default now), with the consents that hold today.

    A device at a bed belongs to who lives in that bed on the day. Devices that nobody has are left out.
    """
    when = at or timezone.now()
    rows = Binding.objects.filter(device_id__in=list(device_ids), issued_at__lte=when)
    rows = rows.filter(Q(returned_at__isnull=True) | Q(returned_at__gt=when))
    found = list(
        rows.values_list("device_id", "path", "person_id", "facility_id", "room", "bed", "issued_at").order_by(
            "device_id"
        )
    )
    houses = {row[3] for row in found if row[3] and row[5]}
    beds = facilities.residents(houses, timezone.localdate(when)) if houses else {}
    whose = {row[0]: row[2] or beds.get((row[3], row[5])) for row in found}
    held = consents_of({p for p in whose.values() if p})
    return {
        device: Wearer(device, path, whose[device], house, room, bed, since, held.get(whose[device], frozenset()))
        for device, path, _person, house, room, bed, since in found
    }


def commands_waiting() -> set[int]:
    """Devices for which a command waits."""
    return set(Command.objects.filter(state=CommandState.QUEUED).values_list("device_id", flat=True).distinct())


def consents_of(person_ids: Iterable[int]) -> dict[int, frozenset[str]]:
    """Person → purposes among position and health to which consent holds."""
    return people.consents_held(person_ids, ("location", "health_data"))


# ---------------------------------------------------------------- for screens
def devices_visible(actor: Actor) -> QuerySet[Device]:
    """Devices that the actor sees."""
    return Device.objects.visible_to(actor)


def get_device(actor: Actor, pk: int) -> Device:
    """One device. Raises NotVisible."""
    found = devices_visible(actor).select_related("region", "person", "facility", "owner").filter(pk=pk).first()
    if found is None:
        raise NotVisible
    return found


def bindings_of(actor: Actor, device_id: int) -> QuerySet[Binding]:
    """Who had the device, latest first, as far as the actor sees them."""
    rows = Binding.objects.visible_to(actor).filter(device_id=device_id)
    return rows.select_related("person", "facility").order_by("-issued_at", "-id")


def of_person(actor: Actor, person_id: int) -> QuerySet[Binding]:
    """Devices that the person has (open first) and had, as the actor sees them."""
    rows = Binding.objects.visible_to(actor).filter(person_id=person_id).select_related("device")
    return rows.order_by("returned_at", "-issued_at", "-id")


def out_with(person_ids: Iterable[int]) -> dict[int, int]:
    """Person → devices that the person has now."""
    found: dict[int, int] = {}
    for pk in Device.objects.filter(person_id__in=list(person_ids)).values_list("person_id", flat=True):
        found[pk] = found.get(pk, 0) + 1
    return found


def stock_of(actor: Actor, *, kind: str = "", text: str = "", most: int = 50) -> list[Device]:
    """Devices that may be issued, for a choice: of ``kind``, number or label beginning with ``text``."""
    rows = devices_visible(actor).filter(state=State.STOCK).select_related("region")
    if kind:
        rows = rows.filter(kind=kind)
    if text:
        rows = rows.filter(Q(identity__startswith=text) | Q(serial__startswith=text))
    return list(rows.order_by("identity", "id")[:most])


def fees_visible(actor: Actor) -> QuerySet[Fee]:
    """Fees that the actor sees."""
    return Fee.objects.visible_to(actor)


def unsettled(actor: Actor) -> QuerySet[Binding]:
    """Ended bindings whose deposit was not paid back."""
    rows = Binding.objects.visible_to(actor).filter(
        returned_at__isnull=False, deposit__gt=0, deposit_back_on__isnull=True
    )
    return rows.select_related("device", "person").order_by("returned_at", "id")


def needing(rows: QuerySet[Device], what: str, now: datetime) -> QuerySet[Device]:
    """``rows`` that need a look: silent, battery, dead (the wearer died, the device is still out), warranty.

    Silent is an issued device of which nothing was heard for three supervision intervals of its product, of a new one since it was issued.
    """
    if what == "silent":
        issued = Binding.objects.filter(device=OuterRef("pk"), returned_at__isnull=True).values("issued_at")[:1]
        late = Q(pk__in=[])
        for p in products().values():
            late |= Q(product=p.code, heard__lt=now - MISSED * timedelta(minutes=p.supervision_minutes))
        heard = Coalesce("last_seen_at", Subquery(issued))
        return rows.filter(state=State.ISSUED).annotate(heard=heard).filter(late)
    if what == "battery":
        low = Q(pk__in=[])
        for p in products().values():
            low |= Q(product=p.code, battery__lte=p.battery_low)
        return rows.filter(low, state=State.ISSUED)
    if what == "dead":
        return rows.filter(person__died_on__isnull=False)
    return rows.filter(warranty_until__lt=timezone.localdate(now)).exclude(state=State.RETIRED)


def sos_numbers(device: Device) -> list:
    """Contacts whom the device calls, in order; those that were removed meanwhile are left out."""
    found = getattr(device, "setting", None)
    if found is None or not found.sos_contacts or device.person_id is None:
        return []
    by_id = {c.pk: c for c in people.contacts(device.person)}
    return [by_id[pk] for pk in found.sos_contacts if pk in by_id]


def commands_visible(actor: Actor, device_id: int) -> QuerySet[Command]:
    """Commands to the device, latest first."""
    return Command.objects.visible_to(actor).filter(device_id=device_id).order_by("-given_at", "-id")


def commands_of(device: Device) -> tuple[str, ...]:
    """Commands that its product knows and its settings allow, in the order of the product."""
    known, found = product(device.product), getattr(device, "setting", None)
    names = tuple(known.commands) if known else ()
    return names if found is None or found.commands is None else tuple(n for n in names if n in found.commands)


def can_listen(device: Device | None) -> bool:
    """Whether somebody wears the device and its product and settings know silent listening in, as hardly one does."""
    known = product(device.product) if device is not None and device.person_id else None
    return known is not None and "listen_in" in known.commands and "listen_in" in commands_of(device)


def action_label(action: str) -> str:
    return str(Action(action).label)


_COMMANDS = {
    "locate_now": _("Locate now"), "report_interval": _("Reporting interval"), "sos_numbers": _("SOS numbers"),
    "call": _("Calls out"), "ring": _("Ring"), "show_message": _("Message"), "play_voice": _("Voice message"),
    "reminder": _("Reminder"), "measure_heart_rate": _("Measure heart rate"), "set_time_zone": _("Time zone"),
    "restart": _("Restart"), "listen_in": _("Silent listening-in"),
}  # fmt: skip


def command_label(command: str) -> str:
    """A command of a product in words; one without words by its name."""
    return str(_COMMANDS.get(command, command))


def in_use(actor: Actor) -> QuerySet[Device]:
    """Issued devices that the actor sees."""
    return devices_visible(actor).filter(state=State.ISSUED).select_related("person", "facility")
