"""Requests about personal data, incidents, impact assessments, restrictions (docs/rooms/privacy.md)."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.audit import History
from sangyu.kernel.crypto import EncryptedTextField
from sangyu.kernel.scoping import PlaceRow, Scope, ScopedQuerySet, Subject, Via, Within
from sangyu.kernel.workflow import TransitionLog

from .enums import Channel, Kind, Risk, State


class Request(PlaceRow):
    """What a person asks about their data, until it is answered (PIPL 44–47, 50)."""

    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="+", verbose_name=_("Elder"))
    kind = models.CharField(_("Asks to"), max_length=12, choices=Kind.choices)
    state = models.CharField(_("State"), max_length=12, choices=State.choices, default=State.RECEIVED)
    channel = models.CharField(_("Channel"), max_length=8, choices=Channel.choices)
    asked_name = models.CharField(_("Asked by"), max_length=50)
    asked_id = models.BigIntegerField(null=True)
    details = models.CharField(_("In their words"), max_length=500, blank=True)
    field = models.CharField(_("What is wrong"), max_length=30, blank=True)
    shown = EncryptedTextField(_("What stands there"), purpose="privacy.request.shown")
    wanted = EncryptedTextField(_("What it should be"), purpose="privacy.request.wanted")
    evidence = models.ForeignKey(
        "kernel.StoredFile",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("Evidence"),
    )
    received_at = models.DateTimeField(_("Received on"), default=timezone.now)
    due_on = models.DateField(_("Answer by"))
    assigned = models.ForeignKey(
        "accounts.Account", null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("In the hands of")
    )
    answered_at = models.DateTimeField(_("Answered on"), null=True)
    answer = models.CharField(_("Answer"), max_length=500, blank=True)
    paper = models.ForeignKey("kernel.StoredFile", null=True, on_delete=models.PROTECT, related_name="+")
    data = models.ForeignKey("kernel.StoredFile", null=True, on_delete=models.PROTECT, related_name="+")

    follows = "person"
    scope = Scope(staff=Within(), family=Subject("asked_id"))
    history = History()

    class Meta:
        verbose_name = _("request about personal data")
        constraints = [
            models.UniqueConstraint(
                fields=["person", "kind", "field"],
                name="privacy_request_open_once",
                condition=Q(state__in=["received", "in_work"]),
            ),
            models.CheckConstraint(
                name="privacy_request_answered",
                condition=Q(state__in=["received", "in_work"], answered_at__isnull=True)
                | (~Q(state__in=["received", "in_work"]) & Q(answered_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="privacy_correction_says_what",
                condition=~Q(kind="correction") | (~Q(field="") & Q(wanted__isnull=False)),
            ),
        ]
        indexes = [models.Index(fields=["path", "state", "due_on"], name="privacy_request_due")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"


class RequestLog(TransitionLog):
    request = models.ForeignKey(Request, on_delete=models.PROTECT, related_name="trail")

    scope = Scope(staff=Via("request_id", "privacy.Request"), family=Via("request_id", "privacy.Request"))
    objects = ScopedQuerySet.as_manager()


class Restriction(PlaceRow):
    """A person whose data are kept for a statute only (PIPL 47): no new use, no hand-out, no export."""

    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="+", verbose_name=_("Elder"))
    request = models.ForeignKey(Request, on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField(default=timezone.now)
    cleared = models.JSONField(default=list)

    follows = "person"
    scope = Scope(staff=Within())
    history = History()

    class Meta:
        verbose_name = _("restriction")
        constraints = [models.UniqueConstraint(fields=["person"], name="privacy_restricted_once")]

    def __str__(self) -> str:
        return f"{self.person_id}"


class Incident(PlaceRow):
    """A leak, change or loss of personal data and what was done (PIPL 57)."""

    about = ""
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("Area"))
    title = models.CharField(_("What happened"), max_length=200)
    happened_on = models.DateField(_("Happened on"))
    found_on = models.DateField(_("Found on"))
    data_kinds = models.CharField(_("Which data"), max_length=200)
    affected = models.PositiveIntegerField(_("People affected"))
    cause = models.CharField(_("Cause"), max_length=500)
    harm = models.CharField(_("Possible harm"), max_length=500, blank=True)
    measures = models.CharField(_("Measures"), max_length=1000, blank=True)
    told_authority_on = models.DateField(_("Authority told on"), null=True, blank=True)
    told_people_on = models.DateField(_("People told on"), null=True, blank=True)
    closed_on = models.DateField(_("Closed on"), null=True, blank=True)
    recorded_by = models.CharField(max_length=100, editable=False)

    scope = Scope(staff=Within())
    history = History()

    class Meta:
        verbose_name = _("data incident")
        constraints = [
            models.CheckConstraint(name="incident_found_after", condition=Q(found_on__gte=F("happened_on"))),
            models.CheckConstraint(
                name="incident_closed_when_told",
                condition=Q(closed_on__isnull=True) | Q(told_authority_on__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Assessment(PlaceRow):
    """An impact assessment of a use of personal data; kept three years (PIPL 55, 56)."""

    about = ""
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("Area"))
    feature = models.CharField(_("Use that was assessed"), max_length=200)
    lawful = models.CharField(_("Purpose and ground"), max_length=500)
    risk = models.CharField(_("Risk"), max_length=8, choices=Risk.choices)
    measures = models.CharField(_("Measures"), max_length=1000)
    done_on = models.DateField(_("Assessed on"))
    by_whom = models.CharField(_("Assessed by"), max_length=100)
    keep_until = models.DateField(_("Keep until"), editable=False)

    scope = Scope(staff=Within())
    history = History()

    class Meta:
        verbose_name = _("impact assessment")
        constraints = [
            models.CheckConstraint(name="assessment_kept", condition=Q(keep_until__gt=F("done_on"))),
        ]

    def __str__(self) -> str:
        return self.feature
