"""Emergencies: the case, its trail, its clocks, who was asked, who was told (docs/rooms/emergencies.md, ADR 0024)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel.audit import History
from sangyu.kernel.crypto import EncryptedTextField
from sangyu.kernel.geo import point_constraint
from sangyu.kernel.scoping import PlaceRow, Scope, ScopedQuerySet, Shared, Subject, Via, Within
from sangyu.kernel.workflow import stamp_constraints

from ..enums import (
    ENDED,
    LIVE,
    Answer,
    Cause,
    ChannelKind,
    Did,
    Family,
    Kind,
    Level,
    NoticeState,
    Outcome,
    PartyKind,
    Source,
    State,
    Verified,
)

NOTICE_PURPOSE = "emergencies.notice.to"
_OPEN = Q(state__in=[str(s) for s in LIVE])


class IncidentQuerySet(ScopedQuerySet):
    def live(self) -> "IncidentQuerySet":
        """Cases in which somebody still has to do something."""
        return self.filter(state__in=LIVE)


class Incident(PlaceRow):
    """One case. Name and address as they were when it opened: who is asked to go sees the case without the file.

    ``alarm_at`` is the device's time, ``received_at`` ours; the report counts from both. ``person`` may be nobody: a button
    in a corridor, or a device that nobody has. One open case a person (or place, or device) and family of alarm.
    """

    number = models.CharField(_("Number"), max_length=40, unique=True, db_collation="C")
    level = models.PositiveSmallIntegerField(_("Level"), choices=Level.choices)
    kind = models.CharField(pgettext_lazy("incident", "Alarm"), max_length=20, choices=Kind.choices)
    family = models.CharField(_("Family of alarm"), max_length=10, choices=Family.choices)
    source = models.CharField(_("Came by"), max_length=10, choices=Source.choices, default=Source.DEVICE)
    state = models.CharField(
        pgettext_lazy("incident", "State"), max_length=12, choices=State.choices, default=State.OPEN
    )
    person = models.ForeignKey(
        "people.Person", null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("Elder")
    )
    person_name = models.CharField(_("Name"), max_length=50, blank=True, db_collation="C")
    facility = models.ForeignKey(
        "facilities.Facility", null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("Facility")
    )
    room = models.CharField(pgettext_lazy("facility", "Room"), max_length=20, blank=True)
    bed = models.CharField(_("Bed"), max_length=20, blank=True)
    device = models.ForeignKey(
        "devices.Device", null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("Device")
    )
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("Area"))
    address = models.CharField(_("Address"), max_length=200, blank=True)
    latitude = models.FloatField(_("Latitude"), null=True)
    longitude = models.FloatField(_("Longitude"), null=True)
    accuracy = models.FloatField(_("Accuracy (m)"), null=True)
    placed_at = models.DateTimeField(_("Place measured at"), null=True)
    text = models.CharField(pgettext_lazy("call", "What was said"), max_length=300, blank=True)
    drill = models.BooleanField(_("Drill"), default=False)
    repeats = models.PositiveIntegerField(_("Alarms"), default=1)
    alarm_at = models.DateTimeField(_("Alarm at"))
    received_at = models.DateTimeField(_("Received at"))
    last_alarm_at = models.DateTimeField(_("Last alarm at"))
    opened_at = models.DateTimeField(_("Opened at"))
    claimed_by = models.ForeignKey(
        "accounts.Account", null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("In the hands of")
    )
    claimed_name = models.CharField(_("In the hands of"), max_length=100, blank=True)
    claimed_at = models.DateTimeField(_("Taken at"), null=True)
    answered_at = models.DateTimeField(_("First answered at"), null=True)
    answered_by = models.CharField(_("First answered by"), max_length=100, blank=True)
    verified = models.CharField(
        pgettext_lazy("incident", "Call back"), max_length=12, choices=Verified.choices, blank=True
    )
    verified_at = models.DateTimeField(_("Called back at"), null=True)
    dispatched_at = models.DateTimeField(_("Help sent at"), null=True)
    under_way_at = models.DateTimeField(_("On the way since"), null=True)
    arrived_at = models.DateTimeField(_("Help arrived at"), null=True)
    emergency_at = models.DateTimeField(_("Emergency number at"), null=True)
    emergency_due_at = models.DateTimeField(_("Emergency number due since"), null=True)
    reset_at = models.DateTimeField(_("Device reset at"), null=True)
    closed_at = models.DateTimeField(pgettext_lazy("incident", "Closed at"), null=True)
    closed_by = models.CharField(pgettext_lazy("incident", "Closed by"), max_length=100, blank=True)
    outcome = models.CharField(_("Outcome"), max_length=12, choices=Outcome.choices, blank=True)
    cause = models.CharField(_("Cause"), max_length=12, choices=Cause.choices, blank=True)
    words = models.CharField(_("How it ended"), max_length=500, blank=True)
    follow_up = models.CharField(_("Follow-up order"), max_length=40, blank=True)
    reviewed_at = models.DateTimeField(pgettext_lazy("incident", "Reviewed at"), null=True)
    reviewed_by = models.CharField(pgettext_lazy("incident", "Reviewed by"), max_length=100, blank=True)
    review = models.CharField(pgettext_lazy("incident", "Review"), max_length=500, blank=True)

    scope = Scope(
        staff=Within(),
        provider=Shared("id", "incident"),
        worker=Shared("id", "incident"),
        family=Shared("person_id", "person"),
    )
    history = History(hidden=("repeats", "last_alarm_at"))
    objects = IncidentQuerySet.as_manager()

    class Meta:
        verbose_name = _("emergency")
        ordering = ["-opened_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "family", "drill"],
                name="incident_one_open_a_person",
                condition=_OPEN & Q(person__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["facility", "room", "bed", "family", "drill"],
                name="incident_one_open_a_place",
                condition=_OPEN & Q(person__isnull=True, facility__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["device", "family", "drill"],
                name="incident_one_open_a_device",
                condition=_OPEN & Q(person__isnull=True, facility__isnull=True, device__isnull=False),
            ),
            models.CheckConstraint(name="incident_level", condition=Q(level__range=(1, 4))),
            models.CheckConstraint(name="incident_state", condition=Q(state__in=State.values)),
            models.CheckConstraint(
                name="incident_claim_whole",
                condition=Q(claimed_by__isnull=True, claimed_at__isnull=True)
                | Q(claimed_by__isnull=False, claimed_at__isnull=False, answered_at__isnull=False),
            ),
            models.CheckConstraint(
                name="incident_taken_by_somebody",
                condition=~Q(state__in=["claimed", "verifying"]) | Q(claimed_by__isnull=False),
            ),
            models.CheckConstraint(
                name="incident_ended_with_outcome",
                condition=Q(state__in=[str(s) for s in LIVE], outcome="", cause="")
                | (Q(state__in=[str(s) for s in ENDED]) & ~Q(outcome="") & ~Q(cause="")),
            ),
            models.CheckConstraint(name="incident_drill_is_no_case", condition=Q(drill=True) | ~Q(outcome="drill")),
            models.CheckConstraint(
                name="incident_arrived_is_dated", condition=~Q(state="arrived") | Q(arrived_at__isnull=False)
            ),
            point_constraint("incident"),
            *stamp_constraints("incident", {"closed_at": ENDED, "reviewed_at": [State.REVIEWED]}),
        ]
        indexes = [
            models.Index(fields=["path", "-opened_at"], name="incident_path_newest"),
            models.Index(fields=["level", "opened_at"], name="incident_live", condition=_OPEN),
            models.Index(fields=["person", "-opened_at"], name="incident_person"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def state_tone(self) -> str:
        return State(self.state).tone

    @property
    def where(self) -> str:
        """Area and address; what both say stands once."""
        area = self.region.full_name
        for n in range(len(area) - 1):
            if self.address.startswith(area[n:]):
                return area[:n] + self.address
        return f"{area} {self.address}".strip()

    @property
    def live(self) -> bool:
        return self.state in LIVE


_SEEN = Scope(staff=Via("incident_id", "emergencies.Incident"))


class Alarm(models.Model):
    """One alarm that belongs to a case: the first, or one that joined it. The same alarm at the same moment counts once."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="alarms")
    alarm_id = models.BigIntegerField(null=True)
    device = models.ForeignKey("devices.Device", null=True, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    level = models.PositiveSmallIntegerField(choices=Level.choices)
    rule = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField()
    received_at = models.DateTimeField()
    joined_at = models.DateTimeField()
    late = models.BooleanField(default=False)
    text = models.CharField(max_length=300, blank=True)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    accuracy = models.FloatField(null=True)
    placed_at = models.DateTimeField(null=True)

    scope = Scope(staff=Via("incident_id", "emergencies.Incident"), write="insert")
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("alarm of an emergency")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["alarm_id", "at"], name="emergency_alarm_once"),
            point_constraint("emergency_alarm"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%H:%M:%S}"


class Trail(models.Model):
    """One line of what happened in a case; never changed."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="trail")
    at = models.DateTimeField()
    what = models.CharField(max_length=20, choices=Did.choices)
    actor = models.CharField(max_length=100)
    account_id = models.BigIntegerField(null=True)
    words = models.CharField(max_length=500, blank=True)
    data = models.JSONField(default=dict)

    scope = Scope(staff=Via("incident_id", "emergencies.Incident"), write="insert")
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("line of the trail")
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.what} {self.at:%H:%M:%S}"


class Step(models.Model):
    """One clock of a case: what is to be done when, unless it has become needless. Written when the case opens or somebody
    is asked; executed once, in one transaction with its effect.
    """

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="steps")
    code = models.CharField(max_length=60)
    act = models.CharField(max_length=20)
    unless = models.CharField(max_length=20, blank=True)
    rank = models.PositiveSmallIntegerField(default=0)
    words = models.CharField(max_length=200, blank=True)
    params = models.JSONField(default=dict)
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    result = models.CharField(max_length=200, blank=True)

    scope = _SEEN
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("step of the escalation")
        ordering = ["due_at", "rank", "id"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "code"], name="emergency_step_once"),
            models.CheckConstraint(
                name="emergency_step_done",
                condition=Q(done_at__isnull=True, result="") | (Q(done_at__isnull=False) & ~Q(result="")),
            ),
        ]
        indexes = [models.Index(fields=["due_at"], name="emergency_step_due", condition=Q(done_at__isnull=True))]

    def __str__(self) -> str:
        return self.code


class Party(models.Model):
    """Who was asked to go, or passed over, with distance and reason (R-093). ``organisation`` and ``worker`` open the answer
    page to their people; a relative answers by account or by telephone.
    """

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="parties")
    kind = models.CharField(pgettext_lazy("party", "Kind"), max_length=10, choices=PartyKind.choices)
    subject_id = models.BigIntegerField(null=True)
    organisation = models.ForeignKey(
        "organisations.Organisation", null=True, on_delete=models.PROTECT, related_name="+"
    )
    worker = models.ForeignKey("workforce.Worker", null=True, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey("accounts.Account", null=True, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=100)
    distance_m = models.PositiveIntegerField(null=True)
    reason = models.CharField(max_length=300, blank=True)
    offered_at = models.DateTimeField()
    answer_by = models.DateTimeField(null=True)
    answer = models.CharField(max_length=10, choices=Answer.choices, blank=True, default="")
    answered_at = models.DateTimeField(null=True)
    answer_words = models.CharField(max_length=300, blank=True)
    under_way_at = models.DateTimeField(null=True)
    arrived_at = models.DateTimeField(null=True)

    scope = Scope(
        staff=Via("incident_id", "emergencies.Incident"),
        provider=Subject("organisation_id"),
        worker=Subject("worker_id"),
        family=Via("incident_id", "emergencies.Incident"),
    )
    history = History()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("asked to go")
        ordering = ["offered_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "kind", "subject_id"], name="emergency_party_once"),
            models.CheckConstraint(
                name="emergency_party_answered",
                condition=Q(answer="", answered_at__isnull=True) | (~Q(answer="") & Q(answered_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="emergency_party_goes",
                condition=Q(answer__in=["accepted", "withdrawn"])
                | Q(under_way_at__isnull=True, arrived_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def tone(self) -> str:
        return Answer(self.answer).tone


class Notice(models.Model):
    """One message to one recipient through one channel, with what became of it. Sealed address; the words hold no health
    data, because a message may be read by anybody who holds the telephone.
    """

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="notices")
    party = models.ForeignKey(Party, null=True, on_delete=models.PROTECT, related_name="notices")
    account = models.ForeignKey("accounts.Account", null=True, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=12, choices=PartyKind.choices)
    name = models.CharField(max_length=100)
    to = EncryptedTextField(purpose=NOTICE_PURPOSE)
    channel = models.CharField(max_length=8, choices=ChannelKind.choices)
    via = models.ForeignKey("emergencies.Channel", null=True, on_delete=models.PROTECT, related_name="+")
    why = models.CharField(max_length=60)
    words = models.CharField(max_length=300)
    state = models.CharField(max_length=8, choices=NoticeState.choices, default=NoticeState.WAITING)
    created_at = models.DateTimeField()
    next_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    taken_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=200, blank=True)

    scope = _SEEN
    history = History(hidden=("to", "tries", "taken_at", "next_at"))
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(
                name="emergency_notice_sent",
                condition=Q(state="sent", sent_at__isnull=False) | (~Q(state="sent") & Q(sent_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="emergency_notice_next",
                condition=Q(state__in=["waiting", "sending"], next_at__isnull=False)
                | Q(state__in=["sent", "failed"], next_at__isnull=True),
            ),
        ]
        indexes = [models.Index(fields=["next_at"], name="emergency_notice_due", condition=Q(next_at__isnull=False))]

    def __str__(self) -> str:
        return f"{self.name} {self.channel}"

    @property
    def tone(self) -> str:
        return NoticeState(self.state).tone
