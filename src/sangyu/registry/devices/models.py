"""Devices, who has them, repairs, fees and settings (docs/rooms/devices.md, docs/adr/0023)."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Func, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel.audit import History
from sangyu.kernel.crypto import EncryptedTextField, whole
from sangyu.kernel.identity import mask_phone, phone_digits
from sangyu.kernel.scoping import PlaceRow, Scope, ScopedQuerySet, Shared, Subject, Via, Within
from sangyu.kernel.workflow import TransitionLog

from . import credentials
from .enums import CommandState, EndReason, FeeKind, Kind, Outcome, Payer, State

ICCID_PURPOSE, SIM_PURPOSE = "devices.device.iccid", "devices.device.sim_phone"
#: The person wears or keeps it, or it stands in a facility: in these states a device may have one of the two.
HELD = (State.ISSUED, State.REPAIR, State.LOST)


class Device(PlaceRow):
    """One device. ``path`` is the region of its wearer or facility while it is bound, else that of the stock (``region``).

    ``person`` and ``facility`` repeat the open binding, so that a list, the scope and the gateway need no join.
    ``last_seen_at`` and ``battery`` are filled by the room that receives signals.
    """

    product = models.CharField(_("Product"), max_length=60, db_collation="C")
    kind = models.CharField(pgettext_lazy("device", "Kind"), max_length=20, choices=Kind.choices)
    protocol = models.CharField(_("Protocol"), max_length=20, db_collation="C")
    identity = models.CharField(_("Device number"), max_length=64, db_collation="C")
    serial = models.CharField(_("Label"), max_length=40, blank=True, db_collation="C")
    iccid = EncryptedTextField(
        _("SIM card number"), purpose=ICCID_PURPOSE, indexes={"iccid_index": whole(ICCID_PURPOSE)}
    )
    iccid_index = models.BinaryField(max_length=16, null=True, editable=False)
    sim_phone = EncryptedTextField(
        _("SIM telephone number"), purpose=SIM_PURPOSE, indexes={"sim_index": whole(SIM_PURPOSE, phone_digits)}
    )
    sim_index = models.BinaryField(max_length=16, null=True, editable=False)
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("Stock of"))
    owner = models.ForeignKey(
        "organisations.Organisation", null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("Owner"),
    )  # fmt: skip
    person = models.ForeignKey(
        "people.Person", null=True, blank=True, on_delete=models.PROTECT, related_name="+", editable=False,
        verbose_name=_("Elder"),
    )  # fmt: skip
    facility = models.ForeignKey(
        "facilities.Facility", null=True, blank=True, on_delete=models.PROTECT, related_name="+", editable=False,
        verbose_name=_("Facility"),
    )  # fmt: skip
    state = models.CharField(
        pgettext_lazy("device", "State"), max_length=10, choices=State.choices, default=State.STOCK
    )
    service_fee = models.PositiveIntegerField(_("Service fee a month"), default=0)
    sim_fee = models.PositiveIntegerField(_("SIM fee a month"), default=0)
    payer = models.CharField(_("Who pays"), max_length=10, choices=Payer.choices, default=Payer.GOVERNMENT)
    warranty_until = models.DateField(_("Warranty until"), null=True, blank=True)
    received_on = models.DateField(_("Received on"))
    note = models.CharField(_("Note"), max_length=200, blank=True)
    #: Version of the password or key with which it proves itself; raised, the old one is worth nothing.
    credential = models.PositiveSmallIntegerField(_("Version of the password"), default=1, editable=False)
    last_seen_at = models.DateTimeField(_("Last heard"), null=True, editable=False)
    battery = models.PositiveSmallIntegerField(_("Battery"), null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    follows = "person"
    scope = Scope(staff=Within(), provider=Subject("owner_id"), family=Shared("person_id", "person"))
    history = History(hidden=("last_seen_at", "battery", "iccid_index", "sim_index"))

    class Meta:
        verbose_name = _("device")
        ordering = ["identity", "id"]
        constraints = [
            models.UniqueConstraint(fields=["protocol", "identity"], name="device_identity_once"),
            models.UniqueConstraint(
                fields=["iccid_index"], name="device_sim_once", condition=Q(iccid_index__isnull=False)
            ),
            models.CheckConstraint(name="device_kind", condition=Q(kind__in=Kind.values)),
            models.CheckConstraint(name="device_payer", condition=Q(payer__in=Payer.values)),
            models.CheckConstraint(
                name="device_one_holder", condition=Q(person__isnull=True) | Q(facility__isnull=True)
            ),
            models.CheckConstraint(
                name="device_holder_fits_state",
                condition=Q(state=State.ISSUED.value, person__isnull=False)
                | Q(state=State.ISSUED.value, facility__isnull=False)
                | Q(state__in=[State.REPAIR.value, State.LOST.value])
                | Q(
                    state__in=[State.STOCK.value, State.RETURNED.value, State.RETIRED.value],
                    person__isnull=True,
                    facility__isnull=True,
                ),
            ),
            models.CheckConstraint(name="device_battery", condition=Q(battery__isnull=True) | Q(battery__lte=100)),
            models.CheckConstraint(
                name="device_sim_whole",
                condition=Q(iccid__isnull=True, iccid_index__isnull=True)
                | Q(iccid__isnull=False, iccid_index__isnull=False),
            ),
            models.CheckConstraint(
                name="device_sim_phone_whole",
                condition=Q(sim_phone__isnull=True, sim_index__isnull=True)
                | Q(sim_phone__isnull=False, sim_index__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["identity", "id"], name="device_identity"),
            models.Index(fields=["serial"], name="device_serial", condition=~Q(serial="")),
            models.Index(fields=["state", "path"], name="device_state_path"),
            models.Index(fields=["last_seen_at"], name="device_silent", condition=Q(state=State.ISSUED.value)),
        ]

    def __str__(self) -> str:
        return self.identity

    @property
    def tone(self) -> str:
        return State(self.state).tone

    @property
    def held(self) -> bool:
        """Whether a person or a facility has it."""
        return self.person_id is not None or self.facility_id is not None

    @property
    def sim_masked(self) -> str:
        return mask_phone(self.sim_phone) if self.sim_phone else ""

    @property
    def secret_masked(self) -> str:
        return "••••••••" if credentials.has_secret(self.protocol) else ""

    @property
    def iccid_masked(self) -> str:
        return f"{self.iccid[:6]}…{self.iccid[-4:]}" if self.iccid else ""


class Binding(PlaceRow):
    """A device is with an elder, or in a place of a facility, in ``[issued_at, returned_at)`` (R-089, R-186).

    Moments, not days: a watch that comes back in the morning may go to somebody else in the afternoon, and its signals
    must not. ``path`` is the elder's (the file brings it along) or the facility's.
    """

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="bindings", verbose_name=_("Device"))
    person = models.ForeignKey(
        "people.Person", null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("Elder")
    )
    facility = models.ForeignKey(
        "facilities.Facility", null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("Facility"),
    )  # fmt: skip
    room = models.CharField(pgettext_lazy("facility", "Room"), max_length=20, blank=True)
    bed = models.CharField(_("Bed"), max_length=20, blank=True)
    issued_at = models.DateTimeField(_("Issued at"))
    issued_by = models.CharField(pgettext_lazy("device", "Issued by"), max_length=100)
    returned_at = models.DateTimeField(_("Returned at"), null=True, blank=True)
    returned_by = models.CharField(_("Taken back by"), max_length=100, blank=True)
    end_reason = models.CharField(
        pgettext_lazy("device", "Why it ended"), max_length=10, choices=EndReason.choices, blank=True
    )
    deposit = models.PositiveIntegerField(_("Deposit"), default=0)
    deposit_back_on = models.DateField(_("Deposit paid back on"), null=True, blank=True)
    source = models.CharField(_("Source"), max_length=100, blank=True)
    note = models.CharField(_("Note"), max_length=300, blank=True)

    follows = "person"
    scope = Scope(staff=Within(), family=Shared("person_id", "person"))
    history = History()

    class Meta:
        verbose_name = _("binding of a device")
        ordering = ["-issued_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="binding_one_holder",
                condition=Q(person__isnull=False, facility__isnull=True, room="", bed="")
                | Q(person__isnull=True, facility__isnull=False),
            ),
            models.CheckConstraint(
                name="binding_not_empty", condition=Q(returned_at__isnull=True) | Q(returned_at__gt=F("issued_at"))
            ),
            models.CheckConstraint(
                name="binding_end_reason",
                condition=Q(returned_at__isnull=True, end_reason="", returned_by="")
                | Q(returned_at__isnull=False, end_reason__in=EndReason.values),
            ),
            models.CheckConstraint(
                name="binding_deposit_back", condition=Q(deposit_back_on__isnull=True) | Q(deposit__gt=0)
            ),
            ExclusionConstraint(
                name="binding_no_overlap",
                expressions=[
                    ("device", RangeOperators.EQUAL),
                    (
                        Func("issued_at", "returned_at", function="TSTZRANGE", output_field=DateTimeRangeField()),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]
        indexes = [
            models.Index(fields=["person", "-issued_at"], name="binding_person"),
            models.Index(fields=["facility"], name="binding_place", condition=Q(returned_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.device_id} {self.issued_at:%Y-%m-%d}"

    @property
    def place(self) -> str:
        """Room and bed in words; "" for a person."""
        return " ".join(p for p in (self.room, self.bed) if p)


class Repair(models.Model):
    """One stay in a workshop. The binding of a device that is out of its wearer's hands meanwhile goes on."""

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="repairs", verbose_name=_("Device"))
    sent_on = models.DateField(_("Sent on"))
    vendor = models.CharField(_("Workshop"), max_length=100)
    fault = models.CharField(_("Fault"), max_length=300)
    keeper = models.ForeignKey(
        "accounts.Account", null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("Who asks after it"),
    )  # fmt: skip
    back_on = models.DateField(_("Back on"), null=True, blank=True)
    outcome = models.CharField(_("Outcome"), max_length=10, choices=Outcome.choices, blank=True)
    cost = models.PositiveIntegerField(_("Cost"), null=True, blank=True)
    note = models.CharField(_("Note"), max_length=300, blank=True)

    about = ""
    scope = Scope(staff=Via("device_id", "devices.Device"), provider=Via("device_id", "devices.Device"))
    history = History()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("repair of a device")
        ordering = ["-sent_on", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["device"], name="repair_open_once", condition=Q(back_on__isnull=True)),
            models.CheckConstraint(
                name="repair_back_after_sent", condition=Q(back_on__isnull=True) | Q(back_on__gte=F("sent_on"))
            ),
            models.CheckConstraint(
                name="repair_outcome",
                condition=Q(back_on__isnull=True, outcome="") | Q(back_on__isnull=False, outcome__in=Outcome.values),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.vendor} {self.sent_on}"


class Fee(PlaceRow):
    """What one device costs in one month, and whether it was paid. ``path`` and ``person`` are those of the month.

    A register for the accounts department: money moves there, not here (ADR 0023).
    """

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="fees", verbose_name=_("Device"))
    person = models.ForeignKey(
        "people.Person", null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("Elder")
    )
    month = models.DateField(_("Month"))
    kind = models.CharField(pgettext_lazy("device fee", "Kind"), max_length=10, choices=FeeKind.choices)
    amount = models.PositiveIntegerField(_("Amount"))
    payer = models.CharField(_("Who pays"), max_length=10, choices=Payer.choices)
    paid_on = models.DateField(_("Paid on"), null=True, blank=True)
    reference = models.CharField(_("Voucher or invoice number"), max_length=60, blank=True)

    scope = Scope(staff=Within(), provider=Via("device_id", "devices.Device"))
    history = History()

    class Meta:
        verbose_name = _("fee of a device")
        ordering = ["-month", "device", "kind"]
        constraints = [
            models.UniqueConstraint(fields=["device", "month", "kind"], name="device_fee_once"),
            models.CheckConstraint(name="device_fee_month", condition=Q(month__day=1)),
            models.CheckConstraint(name="device_fee_amount", condition=Q(amount__gt=0)),
            models.CheckConstraint(name="device_fee_payer", condition=Q(payer__in=Payer.values)),
            models.CheckConstraint(name="device_fee_kind", condition=Q(kind__in=FeeKind.values)),
        ]
        indexes = [models.Index(fields=["-month", "id"], name="device_fee_newest")]

    def __str__(self) -> str:
        return f"{self.device_id} {self.month:%Y-%m} {self.get_kind_display()}"


class Setting(models.Model):
    """What the gateway reads of one device: whom it calls, how often it reports, when it is quiet, what it may be told.

    ``sos_contacts`` are ids of the wearer's contacts, in order of calling: a contact's new number is the device's.
    None and empty values mean what the product's profile says.
    """

    device = models.OneToOneField(Device, on_delete=models.CASCADE, related_name="setting", verbose_name=_("Device"))
    sos_contacts = ArrayField(models.BigIntegerField(), default=list, blank=True, verbose_name=_("SOS numbers"))
    interval = models.PositiveIntegerField(
        _("Reports every … seconds"), null=True, blank=True,
        validators=[MinValueValidator(60), MaxValueValidator(65535)],
    )  # fmt: skip
    quiet_from = models.TimeField(_("Quiet from"), null=True, blank=True)
    quiet_to = models.TimeField(_("Quiet until"), null=True, blank=True)
    commands = ArrayField(
        models.CharField(max_length=30), default=None, null=True, blank=True, verbose_name=_("Commands allowed")
    )
    local_clock = models.BooleanField(_("The device writes local time"), default=False)

    about = ""
    scope = Scope(staff=Via("device_id", "devices.Device"))
    history = History()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("settings of a device")
        constraints = [
            models.CheckConstraint(name="device_three_numbers", condition=Q(sos_contacts__len__lte=3)),
            models.CheckConstraint(
                name="device_interval", condition=Q(interval__isnull=True) | Q(interval__range=(60, 65535))
            ),
            models.CheckConstraint(
                name="device_quiet_whole",
                condition=Q(quiet_from__isnull=True, quiet_to__isnull=True)
                | Q(quiet_from__isnull=False, quiet_to__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(self.device_id)


class DeviceLog(TransitionLog):
    """The trail of a device through its states."""

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="log")

    about = ""
    scope = Scope(staff=Via("device_id", "devices.Device"), provider=Via("device_id", "devices.Device"), write="insert")
    objects = ScopedQuerySet.as_manager()

    class Meta(TransitionLog.Meta):
        verbose_name = _("trail of a device")


class Command(PlaceRow):
    """One command to a device: waits until the device is heard, is sent, and ends with its confirmation, its time or its last try.

    ``path`` is the device's when it was given. ``arguments`` are the values as JSON, sealed: a telephone number, a text.
    """

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="commands", verbose_name=_("Device"))
    name = models.CharField(_("Command"), max_length=30, db_collation="C")
    arguments = EncryptedTextField(_("Values"), purpose="devices.command.arguments")
    reason = models.CharField(_("Reason"), max_length=300, blank=True)
    #: On what listening in rests: the consent, and the role in which it was asked for.
    consent = models.ForeignKey("people.Consent", null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(_("Role"), max_length=30, blank=True, editable=False, db_collation="C")
    state = models.CharField(
        pgettext_lazy("command", "State"), max_length=10, choices=CommandState.choices, default=CommandState.QUEUED
    )
    given_by = models.CharField(pgettext_lazy("command", "Given by"), max_length=100)
    account_id = models.BigIntegerField(null=True, editable=False)
    given_at = models.DateTimeField(_("Given at"))
    expires_at = models.DateTimeField(_("Waits until"))
    sent_at = models.DateTimeField(_("Sent at"), null=True)
    tries = models.PositiveSmallIntegerField(_("Tries"), default=0)
    ended_at = models.DateTimeField(_("Ended at"), null=True)
    note = models.CharField(_("Note"), max_length=200, blank=True)

    #: Whose it is, though the consent leads to a person as well; who was listened in to is in the log of looks.
    about = "device__person"
    scope = Scope(staff=Within())
    history = History(hidden=("sent_at", "tries"))

    class Meta:
        verbose_name = _("command to a device")
        ordering = ["-given_at", "-id"]
        constraints = [
            models.CheckConstraint(name="command_state", condition=Q(state__in=CommandState.values)),
            models.CheckConstraint(
                name="command_listen_in_authorised",
                condition=~Q(name="listen_in") | (Q(consent__isnull=False) & ~Q(role="") & ~Q(reason="")),
            ),
            models.CheckConstraint(name="command_waits", condition=Q(expires_at__gt=F("given_at"))),
            models.CheckConstraint(
                name="command_ended",
                condition=Q(state__in=[CommandState.QUEUED.value, CommandState.SENT.value], ended_at__isnull=True)
                | Q(
                    state__in=[s.value for s in CommandState if s not in (CommandState.QUEUED, CommandState.SENT)],
                    ended_at__isnull=False,
                ),
            ),
            models.UniqueConstraint(
                fields=["device"], name="command_one_in_flight", condition=Q(state=CommandState.SENT.value)
            ),
        ]
        indexes = [
            models.Index(
                fields=["device", "id"], name="command_open",
                condition=Q(state__in=[CommandState.QUEUED.value, CommandState.SENT.value]),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.name} {self.given_at:%Y-%m-%d %H:%M}"

    @property
    def tone(self) -> str:
        return CommandState(self.state).tone
