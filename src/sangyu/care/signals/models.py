"""What devices said, where they are now, what it adds up to (docs/rooms/signals.md, docs/adr/0024).

``Reading`` and ``Seen`` are partitioned by day (Asia/Shanghai); PostgreSQL's own partitions, made by ``sangyu.signals_partitions``.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel.audit import History
from sangyu.kernel.dated import DatedRow, not_empty
from sangyu.kernel.scoping import Everyone, Nobody, Open, PathField, PlaceRow, Scope, ScopedQuerySet, Shared, Within

from .enums import AlarmState

#: Readings with a column of their own. Others lie in ``more``.
COLUMNS = (
    "heart_rate", "systolic", "diastolic", "spo2", "body_temperature", "glucose", "weight", "respiration", "steps", "in_bed",
    "body_movement", "battery", "signal_quality",
)  # fmt: skip


class Seen(models.Model):
    """A message that was taken: its id, by day and by the minutes at which it is filed, so that the index grows at one end."""

    day = models.DateField()
    slot = models.SmallIntegerField()
    id = models.UUIDField(primary_key=True)

    scope = Open("digests of messages, nothing of their content", write="scope")

    def __str__(self) -> str:
        return str(self.id)


class Reading(models.Model):
    """What a device measured at one moment: values, place, alarms of the frame. ``path`` and ``person`` are the wearer's at that moment.

    No foreign keys in the database: they would cost more than the row. Nothing of this kind is ever corrected; days go as a whole.
    """

    day = models.DateField()
    at = models.DateTimeField(_("When"))
    received_at = models.DateTimeField(_("Received at"))
    device = models.ForeignKey(
        "devices.Device", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    person = models.ForeignKey(
        "people.Person", null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    path = PathField()
    late = models.BooleanField(default=False)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    accuracy = models.FloatField(null=True)
    heart_rate = models.FloatField(null=True)
    systolic = models.FloatField(null=True)
    diastolic = models.FloatField(null=True)
    spo2 = models.FloatField(null=True)
    body_temperature = models.FloatField(null=True)
    glucose = models.FloatField(null=True)
    weight = models.FloatField(null=True)
    respiration = models.FloatField(null=True)
    steps = models.FloatField(null=True)
    in_bed = models.FloatField(null=True)
    body_movement = models.FloatField(null=True)
    battery = models.FloatField(null=True)
    signal_quality = models.FloatField(null=True)
    more = models.JSONField(null=True)
    alarms = models.CharField(max_length=200, null=True)

    scope = Scope(staff=Within(), family=Shared("person_id", "person"))
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("reading")

    def __str__(self) -> str:
        return f"{self.device_id} {self.at}"


class Last(PlaceRow):
    """Where one device stands: one row a device, written with every batch that it appears in."""

    device = models.OneToOneField("devices.Device", on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey("people.Person", null=True, on_delete=models.PROTECT, related_name="+")
    product = models.CharField(max_length=60, db_collation="C")
    network = models.CharField(max_length=60, blank=True)
    seen_at = models.DateTimeField(_("Last heard"))
    placed_at = models.DateTimeField(null=True)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    accuracy = models.FloatField(null=True)
    battery = models.SmallIntegerField(_("Battery"), null=True)
    battery_at = models.DateTimeField(null=True)
    states = models.JSONField(null=True)
    silent = models.BooleanField(default=False)

    follows = "person"
    scope = Scope(staff=Within(), family=Shared("person_id", "person"))

    class Meta:
        verbose_name = _("last state of a device")

    def __str__(self) -> str:
        return str(self.device_id)


class Alarm(PlaceRow):
    """One alert of one device under one rule, from when it was raised by the device's clock until it is over."""

    device = models.ForeignKey(
        "devices.Device", null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("Device")
    )
    person = models.ForeignKey(
        "people.Person", null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("Elder")
    )
    facility = models.ForeignKey(
        "facilities.Facility", null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("Facility")
    )
    room = models.CharField(pgettext_lazy("facility", "Room"), max_length=20, blank=True)
    bed = models.CharField(_("Bed"), max_length=20, blank=True)
    product = models.CharField(max_length=60, blank=True, db_collation="C")
    rule = models.CharField(_("Rule"), max_length=60, db_collation="C")
    kind = models.CharField(_("Alarm"), max_length=20)
    level = models.PositiveSmallIntegerField(_("Level"))
    text = models.CharField(_("What it says"), max_length=200, blank=True)
    state = models.CharField(
        pgettext_lazy("alarm", "State"), max_length=12, choices=AlarmState.choices, default=AlarmState.OPEN
    )
    raised_at = models.DateTimeField(_("Since"))
    last_at = models.DateTimeField(_("Last"))
    count = models.PositiveIntegerField(_("Times"), default=1)
    received_at = models.DateTimeField(_("Received at"))
    late = models.BooleanField(_("Arrived late"), default=False)
    drill = models.BooleanField(_("Drill"), default=False)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    accuracy = models.FloatField(null=True)
    placed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(_("Over since"), null=True)
    through = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(_("Dealt with at"), null=True)
    acknowledged_by = models.CharField(_("Dealt with by"), max_length=100, blank=True)
    network = models.CharField(_("Network"), max_length=60, blank=True)
    devices = ArrayField(models.BigIntegerField(), default=list)

    follows = "person"
    scope = Scope(staff=Within(), family=Shared("person_id", "person"))
    history = History(hidden=("last_at", "count", "latitude", "longitude", "accuracy", "placed_at"))

    class Meta:
        verbose_name = _("alarm")
        ordering = ["-raised_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["device", "rule"], name="alarm_open_once", condition=Q(state=AlarmState.OPEN.value)
            ),
            models.UniqueConstraint(
                fields=["network"], name="alarm_storm_once", condition=Q(state=AlarmState.OPEN.value) & ~Q(network="")
            ),
            models.CheckConstraint(name="alarm_level", condition=Q(level__range=(1, 4))),
            models.CheckConstraint(name="alarm_state", condition=Q(state__in=AlarmState.values)),
            models.CheckConstraint(
                name="alarm_ends_with_state",
                condition=Q(state=AlarmState.OPEN.value, ended_at__isnull=True)
                | (~Q(state=AlarmState.OPEN.value) & Q(ended_at__isnull=False)),
            ),
            models.CheckConstraint(name="alarm_of_something", condition=Q(device__isnull=False) | ~Q(network="")),
        ]
        indexes = [
            models.Index(fields=["device", "rule", "-raised_at"], name="alarm_device_rule"),
            models.Index(fields=["person", "-raised_at"], name="alarm_person"),
            models.Index(fields=["path", "level"], name="alarm_open", condition=Q(state=AlarmState.OPEN.value)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.raised_at}"

    @property
    def tone(self) -> str:
        return AlarmState(self.state).tone


class Watching(models.Model):
    """A device and a rule about which something is going on: the machine's state as JSON, and when the clock alone changes it.

    Devices about which nothing is going on have no row; the machine is made anew from their readings when something begins.
    """

    device = models.ForeignKey("devices.Device", on_delete=models.PROTECT, related_name="+")
    rule = models.CharField(max_length=60, db_collation="C")
    state = models.JSONField()
    last_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)

    scope = Scope(staff=Nobody(), job=Everyone("the consumer alone reads and writes them"))
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("watched rule")
        constraints = [models.UniqueConstraint(fields=["device", "rule"], name="watching_once")]
        indexes = [models.Index(fields=["due_at"], name="watching_due", condition=Q(due_at__isnull=False))]

    def __str__(self) -> str:
        return f"{self.device_id} {self.rule}"


class Limit(DatedRow, PlaceRow):
    """A personal limit: for this person the rule counts from other values, on these days (R-091)."""

    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="+", verbose_name=_("Elder"))
    rule = models.CharField(_("Rule"), max_length=60, db_collation="C")
    low = models.FloatField(_("Not below"), null=True, blank=True)
    high = models.FloatField(_("Not above"), null=True, blank=True)
    minutes = models.PositiveIntegerField(_("For how long (minutes)"), null=True, blank=True)
    off = models.BooleanField(_("Do not watch"), default=False)
    reason = models.CharField(_("Reason"), max_length=200)
    set_by = models.CharField(_("Set by"), max_length=100)
    set_at = models.DateTimeField(default=timezone.now)

    follows = "person"
    scope = Scope(staff=Within(), family=Shared("person_id", "person"))
    history = History()

    class Meta:
        verbose_name = _("personal limit")
        ordering = ["rule", "-valid_from"]
        constraints = [
            not_empty("signal_limit"),
            models.UniqueConstraint(
                fields=["person", "rule"], name="signal_limit_once", condition=Q(valid_to__isnull=True)
            ),
            models.CheckConstraint(
                name="signal_limit_says_something",
                condition=Q(low__isnull=False) | Q(high__isnull=False) | Q(minutes__isnull=False) | Q(off=True),
            ),
            models.CheckConstraint(
                name="signal_limit_order", condition=Q(low__isnull=True) | Q(high__isnull=True) | Q(low__lt=F("high"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.low or ''}–{self.high or ''}"


class Fence(DatedRow, PlaceRow):
    """A circle that the person should stay in, or out of, on these days (R-090). WGS-84, metres."""

    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="+", verbose_name=_("Elder"))
    name = models.CharField(_("Name"), max_length=40)
    latitude = models.FloatField(_("Latitude"))
    longitude = models.FloatField(_("Longitude"))
    radius = models.PositiveIntegerField(_("Radius (metres)"))
    inside = models.BooleanField(_("Stay inside"), default=True)
    reason = models.CharField(_("Reason"), max_length=200)
    set_by = models.CharField(_("Set by"), max_length=100)
    set_at = models.DateTimeField(default=timezone.now)

    follows = "person"
    scope = Scope(staff=Within(), family=Shared("person_id", "person"))
    history = History()

    class Meta:
        verbose_name = _("fence")
        ordering = ["name", "-valid_from"]
        constraints = [
            not_empty("signal_fence"),
            models.CheckConstraint(name="signal_fence_radius", condition=Q(radius__range=(50, 50_000))),
            models.CheckConstraint(
                name="signal_fence_place", condition=Q(latitude__range=(-90, 90), longitude__range=(-180, 180))
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Summary(PlaceRow):
    """An hour of one device's readings of one kind, made before the day of the readings goes: least, mean, greatest."""

    device = models.ForeignKey(
        "devices.Device", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    person = models.ForeignKey(
        "people.Person", null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    day = models.DateField()
    hour = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=20, db_collation="C")
    count = models.PositiveIntegerField()
    low = models.FloatField()
    mean = models.FloatField()
    high = models.FloatField()

    scope = Scope(staff=Within(), family=Shared("person_id", "person"))

    class Meta:
        verbose_name = _("hour of readings")
        constraints = [models.UniqueConstraint(fields=["device", "day", "kind", "hour"], name="summary_once")]
        indexes = [models.Index(fields=["day"], name="summary_day")]

    def __str__(self) -> str:
        return f"{self.device_id} {self.day} {self.hour} {self.kind}"


class Poison(models.Model):
    """A message that could not be taken, with the reason: never round and round, never lost (ADR 0024)."""

    subject = models.CharField(max_length=200)
    sequence = models.BigIntegerField(null=True)
    reason = models.CharField(_("Reason"), max_length=500)
    body = models.BinaryField()
    kept_at = models.DateTimeField(default=timezone.now)

    about = ""
    scope = Scope(staff=Nobody(), job=Everyone("the consumer alone reads and writes them"))
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("message that could not be taken")

    def __str__(self) -> str:
        return self.reason


class Intake(models.Model):
    """Since when signals are being listened to without a gap: silence counts from here on (no false alarms after a restart)."""

    code = models.CharField(max_length=20, primary_key=True)
    since = models.DateTimeField()
    alive_at = models.DateTimeField()
    looked_at = models.DateTimeField(null=True)

    scope = Open("when the programs were running", write="scope")

    def __str__(self) -> str:
        return self.code
