"""Devices: the register, issue, return, exchange, loss (R-089)."""

from datetime import date, datetime
from typing import Annotated, Any

from django.utils.translation import gettext_lazy as _
from ninja import Query, Router
from pydantic import Field

from sangyu.registry.devices import selectors as devices
from sangyu.registry.devices import services as acting
from sangyu.registry.devices.enums import Answer, CommandState, EndReason, Kind, Payer, State
from sangyu.registry.people import selectors as people

from .values import Code, Id, In, Paging, Reason, Schema, one_of, operation, upto

router = Router(tags=["devices"])
#: A fee or deposit in fen.
Sum = Annotated[int, Field(ge=0, le=10**8)]
Kinds, States, Payers, Answers, EndReasons = map(one_of, (Kind, State, Payer, Answer, EndReason))
CommandStates = one_of(CommandState)


class DeviceOut(Schema):
    """``person_id`` or ``facility_id`` has it now. ``battery`` in per cent; SIM numbers are masked."""

    id: int
    product: str
    kind: Kinds
    protocol: str
    identity: str
    serial: str
    state: States
    person_id: int | None
    facility_id: int | None
    region_id: int
    owner_id: int | None
    iccid_masked: str
    sim_masked: str
    service_fee: int
    sim_fee: int
    payer: Payers
    received_on: date
    warranty_until: date | None
    last_seen_at: datetime | None
    battery: int | None


class DevicePage(Schema):
    items: list[DeviceOut]
    next: str


class DeviceFilter(Paging):
    state: States | None = None
    kind: Kinds | None = None
    person_id: Id | None = None
    identity: upto(64) | None = None


@operation(router, "GET", "/devices", "devices.list", "devices.view", DevicePage, _("List devices"))
def device_list(request, given: Query[DeviceFilter]) -> Any:
    """``identity`` finds one by the number that it sends."""
    return given.page(devices.devices_visible(request.actor), "pk")


@operation(router, "GET", "/devices/{device_id}", "devices.get", "devices.view", DeviceOut, _("Read one device"))
def device_get(request, device_id: Id) -> Any:
    return devices.get_device(request.actor, device_id)


class ReceiveIn(In):
    """Fees in fen a month."""

    product: Code
    identity: upto(64, 1)
    region_id: Id | None = None
    serial: upto(40) = ""
    iccid: upto(24) = ""
    sim_phone: upto(24) = ""
    service_fee: Sum = 0
    sim_fee: Sum = 0
    payer: Payers = Payer.GOVERNMENT.value
    note: upto(200) = ""


@operation(router, "POST", "/devices", "devices.receive", "devices.stock", DeviceOut, _("Receive a device"))
def receive(request, given: ReceiveIn) -> Any:
    """Into the stock of ``region_id``, by default the caller's own."""
    return acting.receive(actor=request.actor, **given.dict())


class BindingOut(Schema):
    """The device was with the person, or in the place, in ``[issued_at, returned_at)``."""

    id: int
    device_id: int
    person_id: int | None
    facility_id: int | None
    room: str
    bed: str
    issued_at: datetime
    returned_at: datetime | None
    end_reason: str
    deposit: int


@operation(
    router, "GET", "/people/{person_id}/devices", "devices.of_person", "devices.view", list[BindingOut],
    _("Devices of a person"),
)  # fmt: skip
def of_person(request, person_id: Id) -> Any:
    """What the person has now, then what it had."""
    people.get_person(request.actor, person_id)
    return list(devices.of_person(request.actor, person_id)[:200])


class IssueIn(In):
    """The elder's answers are needed for what the device tells and is not consented to yet."""

    person_id: Id
    location: Answers | None = None
    health_data: Answers | None = None
    witness: upto(50) = ""
    deposit: Sum = 0
    note: upto(200) = ""


@operation(
    router, "POST", "/devices/{device_id}/issue", "devices.issue", "devices.issue", BindingOut, _("Issue a device")
)  # fmt: skip
def issue(request, device_id: Id, given: IssueIn) -> Any:
    values = given.dict()
    answers = {name: said for name in ("location", "health_data") if (said := values.pop(name))}
    return acting.issue(actor=request.actor, device_id=device_id, answers=answers, **values)


class BedIn(In):
    facility_id: Id
    room: upto(20) = ""
    bed: upto(20) = ""
    note: upto(200) = ""


@operation(
    router, "POST", "/devices/{device_id}/place", "devices.place", "devices.issue", BindingOut, _("Put a device at a bed")
)  # fmt: skip
def place(request, device_id: Id, given: BedIn) -> Any:
    return acting.bind_place(actor=request.actor, device_id=device_id, **given.dict())


class ReturnIn(In):
    reason: EndReasons
    note: upto(200) = ""


@operation(
    router, "POST", "/devices/{device_id}/return", "devices.take_back", "devices.issue", DeviceOut, _("Take a device back")
)  # fmt: skip
def take_back(request, device_id: Id, given: ReturnIn) -> Any:
    return acting.take_back(actor=request.actor, device_id=device_id, **given.dict())


class ExchangeIn(In):
    new_device_id: Id
    reason: EndReasons = EndReason.EXCHANGED.value
    note: upto(200) = ""


@operation(
    router, "POST", "/devices/{device_id}/exchange", "devices.exchange", "devices.issue", BindingOut, _("Exchange a device")
)  # fmt: skip
def exchange(request, device_id: Id, given: ExchangeIn) -> Any:
    """Deposit and settings go along."""
    return acting.exchange(actor=request.actor, device_id=device_id, **given.dict())


class LostIn(In):
    reason: Reason


@operation(
    router, "POST", "/devices/{device_id}/lost", "devices.lost", "devices.issue", DeviceOut, _("Report a device lost")
)
def lost(request, device_id: Id, given: LostIn) -> Any:
    return acting.report_lost(actor=request.actor, device_id=device_id, reason=given.reason)


class FoundIn(In):
    note: upto(200) = ""


@operation(
    router, "POST", "/devices/{device_id}/found", "devices.found", "devices.issue", DeviceOut, _("Report a device found")
)  # fmt: skip
def found(request, device_id: Id, given: FoundIn) -> Any:
    return acting.report_found(actor=request.actor, device_id=device_id, **given.dict())


class CommandIn(In):
    """``name``: a command of the product; the values as it has them. ``minutes``: how long it may wait for the device."""

    name: Code
    seconds: Annotated[int, Field(ge=0, le=65_535)] | None = None
    number: upto(21) = ""
    text: upto(200) = ""
    at: upto(5) = ""
    reason: upto(300) = ""
    minutes: Annotated[int, Field(ge=1, le=10_080)] | None = None


class CommandOut(Schema):
    id: int
    device_id: int
    name: str
    state: CommandStates
    given_at: datetime
    expires_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None
    tries: int
    note: str


@operation(
    router, "POST", "/devices/{device_id}/commands", "devices.command", "devices.command", CommandOut,
    _("Send a command to a device"),
)  # fmt: skip
def command(request, device_id: Id, given: CommandIn) -> Any:
    """Sent when the device is connected, else when it is heard. Locating an elder who has not agreed needs a reason; the look is logged."""
    values = {k: v for k in ("seconds", "number", "text", "at") if (v := getattr(given, k)) not in (None, "")}
    return acting.command(
        actor=request.actor, device_id=device_id, name=given.name, arguments=values, reason=given.reason,
        minutes=given.minutes,
    )  # fmt: skip


@operation(
    router, "GET", "/devices/{device_id}/commands", "devices.commands", "devices.view", list[CommandOut],
    _("Commands to a device"),
)  # fmt: skip
def commands(request, device_id: Id) -> Any:
    """The latest hundred and what became of them."""
    devices.get_device(request.actor, device_id)
    return list(devices.commands_visible(request.actor, device_id)[:100])
