"""What stands ready: opening hours of those who go, notice channels, the roster, drills, periodic tests, telephone calls."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel.audit import History
from sangyu.kernel.crypto import EncryptedTextField, whole
from sangyu.kernel.identity import mask_phone, phone_digits
from sangyu.kernel.scoping import PlaceRow, Scope, ScopedQuerySet, Via
from sangyu.kernel.workflow import stamp_constraints

from ..enums import CallState, ChannelKind, DrillState, Kind, Level

CALL_PURPOSE, CHANNEL_PURPOSE, DUTY_PURPOSE = (
    "emergencies.call.number",
    "emergencies.channel.url",
    "emergencies.duty.phone",
)


class Station(PlaceRow):
    """A facility that may be asked to go, with its own hours; without this row its kind's usual hours count."""

    facility = models.OneToOneField(
        "facilities.Facility", on_delete=models.PROTECT, related_name="+", verbose_name=_("Facility")
    )
    takes_alarms = models.BooleanField(_("May be asked to go"), default=True)
    telephone = models.CharField(_("Emergency telephone"), max_length=30, blank=True)
    account = models.ForeignKey(
        "accounts.Account", null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("Account that is alerted"),
    )  # fmt: skip
    note = models.CharField(_("Remark"), max_length=200, blank=True)

    about = ""
    history = History()

    class Meta:
        verbose_name = _("station for emergencies")

    def __str__(self) -> str:
        return str(self.facility_id)


class OpenHours(models.Model):
    """One stretch of a weekday in which a station is staffed; ``closes`` up to ``opens``: until the next day."""

    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="hours")
    weekday = models.PositiveSmallIntegerField(_("Weekday"))
    opens = models.TimeField(_("Opens"))
    closes = models.TimeField(_("Closes"))

    scope = Scope(staff=Via("station_id", "emergencies.Station"))
    history = History()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("opening hours")
        ordering = ["weekday", "opens"]
        constraints = [
            models.UniqueConstraint(fields=["station", "weekday", "opens"], name="open_hours_once"),
            models.CheckConstraint(name="open_hours_weekday", condition=Q(weekday__range=(1, 7))),
        ]

    def __str__(self) -> str:
        return f"{self.weekday} {self.opens:%H:%M}–{self.closes:%H:%M}"


class Channel(PlaceRow):
    """A way to send notices for a region. ``url``: an Apprise address in which ``{to}`` stands for the telephone number."""

    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("Area"))
    name = models.CharField(pgettext_lazy("thing", "Name"), max_length=40)
    kind = models.CharField(pgettext_lazy("channel", "Kind"), max_length=8, choices=ChannelKind.choices)
    url = EncryptedTextField(_("Address of the service"), purpose=CHANNEL_PURPOSE)
    rank = models.PositiveSmallIntegerField(_("Order"), default=1)
    active = models.BooleanField(_("In use"), default=True)

    about = ""
    history = History(hidden=("url",))

    class Meta:
        verbose_name = _("notice channel")
        ordering = ["rank", "id"]

    def __str__(self) -> str:
        return self.name


class Moments(Func):
    function = "tstzrange"
    output_field = DateTimeRangeField()


class Duty(PlaceRow):
    """Who is reachable for a region, or inside a facility, from moment to moment (R-086). ``rank`` 1 is called first."""

    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("Area"))
    facility = models.ForeignKey(
        "facilities.Facility", null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("Facility"),
    )  # fmt: skip
    account = models.ForeignKey(
        "accounts.Account", on_delete=models.PROTECT, related_name="+", verbose_name=_("Person on duty")
    )
    account_name = models.CharField(_("Person on duty"), max_length=50)
    contact = EncryptedTextField(_("Reachable at"), purpose=DUTY_PURPOSE)
    rank = models.PositiveSmallIntegerField(pgettext_lazy("duty", "Order"), default=1)
    starts_at = models.DateTimeField(pgettext_lazy("duty", "From"))
    ends_at = models.DateTimeField(pgettext_lazy("duty", "Until"))
    note = models.CharField(_("Hand-over notes"), max_length=500, blank=True)
    handed_over_at = models.DateTimeField(_("Handed over at"), null=True, blank=True)

    about = ""
    history = History()

    class Meta:
        verbose_name = _("night duty")
        ordering = ["starts_at", "rank"]
        constraints = [
            models.CheckConstraint(name="duty_period", condition=Q(ends_at__gt=F("starts_at"))),
            models.CheckConstraint(name="duty_rank", condition=Q(rank__range=(1, 3))),
            ExclusionConstraint(
                name="duty_one_a_region",
                expressions=[
                    ("region", RangeOperators.EQUAL),
                    ("rank", RangeOperators.EQUAL),
                    (Moments("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
                condition=Q(facility__isnull=True),
            ),
            ExclusionConstraint(
                name="duty_one_a_facility",
                expressions=[
                    ("facility", RangeOperators.EQUAL),
                    ("rank", RangeOperators.EQUAL),
                    (Moments("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
                condition=Q(facility__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["starts_at"], name="duty_starts")]

    def __str__(self) -> str:
        return f"{self.account_name} {self.starts_at:%Y-%m-%d}"

    @property
    def contact_masked(self) -> str:
        return mask_phone(self.contact) if self.contact else ""


class Drill(PlaceRow):
    """A drill: planned, run as a case of its own that everybody recognises as a drill, closed with what was learnt (R-094)."""

    title = models.CharField(_("Title"), max_length=60)
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("Area"))
    planned_at = models.DateTimeField(_("Planned for"))
    place = models.CharField(_("Where"), max_length=200)
    kind = models.CharField(pgettext_lazy("incident", "Alarm"), max_length=20, choices=Kind.choices, default=Kind.SOS)
    level = models.PositiveSmallIntegerField(_("Level"), choices=Level.choices[:2], default=Level.LIFE)
    aim = models.CharField(_("What it is to show"), max_length=300, blank=True)
    state = models.CharField(
        pgettext_lazy("drill", "State"), max_length=8, choices=DrillState.choices, default=DrillState.PLANNED
    )
    incident = models.ForeignKey(
        "emergencies.Incident",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=pgettext_lazy("emergencies", "Case"),
    )
    started_at = models.DateTimeField(_("Began at"), null=True)
    ended_at = models.DateTimeField(pgettext_lazy("call", "Ended at"), null=True)
    findings = models.CharField(_("What was learnt"), max_length=1000, blank=True)
    planned_by = models.CharField(_("Planned by"), max_length=100)

    about = ""
    history = History()

    class Meta:
        verbose_name = _("drill")
        ordering = ["-planned_at", "-id"]
        constraints = [
            models.CheckConstraint(name="drill_has_case", condition=Q(state="planned") ^ Q(incident__isnull=False)),
            *stamp_constraints(
                "drill",
                {"started_at": [DrillState.RUNNING, DrillState.DONE], "ended_at": [DrillState.DONE]},
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def tone(self) -> str:
        return DrillState(self.state).tone


class PeriodicTest(PlaceRow):
    """A test alarm of a device that came through: the road from the button to the screen works (devices.md §6)."""

    device = models.ForeignKey("devices.Device", on_delete=models.PROTECT, related_name="+", verbose_name=_("Device"))
    at = models.DateTimeField(_("Tested at"))
    received_at = models.DateTimeField(_("Received at"))
    stored_at = models.DateTimeField(_("On the screen at"))

    about = ""

    class Meta:
        verbose_name = _("test alarm")
        ordering = ["-received_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["device", "at"], name="periodic_test_once")]

    def __str__(self) -> str:
        return f"{self.device_id} {self.at:%Y-%m-%d}"


class Call(PlaceRow):
    """A telephone call as the exchange reports it, or as an operator writes it down. A missed one is called back."""

    adapter = models.CharField(max_length=20)
    call_id = models.CharField(max_length=80, db_collation="C")
    number = EncryptedTextField(
        _("Telephone"), purpose=CALL_PURPOSE, indexes={"number_index": whole(CALL_PURPOSE, phone_digits)}
    )
    number_index = models.BinaryField(max_length=16, null=True, editable=False)
    person = models.ForeignKey(
        "people.Person", null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("Elder")
    )
    incident = models.ForeignKey(
        "emergencies.Incident",
        null=True,
        on_delete=models.PROTECT,
        related_name="calls",
        verbose_name=pgettext_lazy("emergencies", "Case"),
    )
    state = models.CharField(pgettext_lazy("call", "State"), max_length=10, choices=CallState.choices)
    offered_at = models.DateTimeField(_("Called at"))
    answered_at = models.DateTimeField(_("Answered at"), null=True)
    ended_at = models.DateTimeField(pgettext_lazy("call", "Ended at"), null=True)
    agent = models.CharField(pgettext_lazy("call", "Answered by"), max_length=100, blank=True)
    call_back_by = models.DateTimeField(_("Call back by"), null=True)
    reminded_at = models.DateTimeField(null=True)
    called_back_at = models.DateTimeField(_("Called back at"), null=True)
    called_back_by = models.CharField(_("Called back by"), max_length=100, blank=True)
    result = models.CharField(_("Result"), max_length=300, blank=True)

    history = History(hidden=("number", "number_index", "reminded_at"))

    class Meta:
        verbose_name = _("telephone call")
        ordering = ["-offered_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["adapter", "call_id"], name="emergency_call_once"),
            models.CheckConstraint(
                name="emergency_call_back",
                condition=Q(state="missed", call_back_by__isnull=False) | ~Q(state="missed"),
            ),
            models.CheckConstraint(
                name="emergency_called_back",
                condition=Q(called_back_at__isnull=True, called_back_by="") | Q(called_back_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["call_back_by"],
                name="emergency_call_due",
                condition=Q(call_back_by__isnull=False, called_back_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return self.call_id

    @property
    def number_masked(self) -> str:
        return mask_phone(self.number) if self.number else ""


class CallEvent(models.Model):
    """An event of the exchange that was taken in: the same again changes nothing."""

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="events")
    event_id = models.CharField(max_length=80, db_collation="C")
    what = models.CharField(max_length=20)
    at = models.DateTimeField()
    #: Of the request that brought it, when the exchange signs: the same request again is refused.
    signature = models.BinaryField(null=True, unique=True, editable=False)

    scope = Scope(staff=Via("call_id", "emergencies.Call"), write="insert")
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("event of a call")
        constraints = [models.UniqueConstraint(fields=["call", "event_id"], name="emergency_call_event_once")]

    def __str__(self) -> str:
        return self.what
