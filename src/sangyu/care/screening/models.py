"""Campaigns, one task per elder, what follows (docs/rooms/screening.md)."""

from functools import cached_property

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.care.assessments.enums import NeedKind
from sangyu.kernel.audit import History
from sangyu.kernel.scoping import Open, PlaceRow, Published, Scope, ScopedQuerySet, Subject, Via, Within
from sangyu.kernel.workflow import TransitionLog, stamp_constraints

from . import sheets
from .enums import CampaignState, FollowUpKind, FollowUpState, Missed, Standing, TaskState


class SheetVersion(models.Model):
    """One version of a question sheet: its text as read from the file, and its hash. Never changed."""

    code = models.CharField(max_length=40)
    name = models.CharField(_("Question sheet"), max_length=60)
    digest = models.CharField(max_length=64)
    text = models.TextField()
    loaded_at = models.DateTimeField(default=timezone.now)

    scope = Open("published question sheets, the same for everybody")
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("question sheet")
        constraints = [models.UniqueConstraint(fields=["code", "digest"], name="sheet_version_once")]

    def __str__(self) -> str:
        return self.name

    @cached_property
    def sheet(self):
        """The sheet as the engine reads it."""
        return sheets.parsed(self.text)


class Campaign(PlaceRow):
    """One campaign over a region: its period, its sheet, who is sought (``conditions``, docs/rooms/screening.md)."""

    number = models.CharField(_("Number"), max_length=40, unique=True)
    title = models.CharField(_("Title"), max_length=60)
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("Area"))
    version = models.ForeignKey(
        SheetVersion, on_delete=models.PROTECT, related_name="+", verbose_name=_("Question sheet")
    )
    starts_on = models.DateField(_("From"))
    ends_on = models.DateField(_("Last day"))
    conditions = models.JSONField(default=dict)
    note = models.CharField(_("Remark"), max_length=300, blank=True)
    state = models.CharField(_("State"), max_length=10, choices=CampaignState.choices, default=CampaignState.DRAFT)
    created_at = models.DateTimeField(_("Created at"), default=timezone.now)
    created_by = models.CharField(_("Created by"), max_length=100)
    account_id = models.BigIntegerField(null=True)
    opened_at = models.DateTimeField(_("Started at"), null=True)
    closed_at = models.DateTimeField(_("Closed at"), null=True)

    about = ""
    scope = Scope(staff=Published(), worker=Published())
    history = History()

    class Meta:
        verbose_name = _("screening campaign")
        constraints = [
            models.CheckConstraint(name="campaign_period", condition=Q(ends_on__gte=F("starts_on"))),
            *stamp_constraints(
                "campaign",
                {
                    "opened_at": [CampaignState.OPEN, CampaignState.CLOSED],
                    "closed_at": [CampaignState.CLOSED, CampaignState.CANCELLED],
                },
            ),
        ]

    def __str__(self) -> str:
        return self.title


class CampaignLog(TransitionLog):
    """Trail of a campaign."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="trail")

    scope = Scope(staff=Via("campaign_id", "screening.Campaign"))
    objects = ScopedQuerySet.as_manager()


class Task(PlaceRow):
    """One elder of one campaign: who goes there, what was answered, what it means. Name and address as they were then:
    a worker sees the task without seeing the file.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="tasks", verbose_name=_("Campaign"))
    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="+", verbose_name=_("Elder"))
    person_name = models.CharField(_("Name"), max_length=50, db_collation="C")
    address = models.CharField(_("Address"), max_length=200, blank=True)
    #: Who of the staff goes there, or which worker; nobody yet: the community as an office.
    account = models.ForeignKey(
        "accounts.Account", null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("In the hands of")
    )
    worker = models.ForeignKey(
        "workforce.Worker", null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("Worker")
    )
    state = models.CharField(_("State"), max_length=10, choices=TaskState.choices, default=TaskState.WAITING)
    answers = models.JSONField(pgettext_lazy("screening", "Answers"), default=dict)
    facts = models.JSONField(_("Status"), default=dict)
    needs = ArrayField(
        models.CharField(max_length=20, choices=NeedKind.choices), default=list, blank=True, verbose_name=_("Needs")
    )
    follow_up = ArrayField(
        models.CharField(max_length=12, choices=FollowUpKind.choices),
        default=list,
        blank=True,
        verbose_name=_("Follow-up"),
    )
    standing = models.CharField(_("Special difficulty"), max_length=10, choices=Standing.choices, blank=True)
    visited_on = models.DateField(_("Visited on"), null=True)
    missed = models.CharField(_("Why not met"), max_length=10, choices=Missed.choices, blank=True)
    #: Why it was not met or given back.
    note = models.CharField(_("Remark"), max_length=300, blank=True)
    filled_at = models.DateTimeField(_("Handed in at"), null=True)
    filled_by = models.CharField(_("Filled in by"), max_length=100, blank=True)
    filled_account = models.BigIntegerField(null=True)
    confirmed_at = models.DateTimeField(_("Confirmed at"), null=True)
    confirmed_by = models.CharField(_("Confirmed by"), max_length=100, blank=True)
    confirmed_account = models.BigIntegerField(null=True)

    follows = "person"
    scope = Scope(staff=Within(), worker=Subject("worker_id"))
    history = History()

    class Meta:
        verbose_name = _("screening task")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "person"], name="screening_task_once"),
            models.CheckConstraint(
                name="screening_task_filled",
                condition=Q(
                    state__in=[TaskState.FILLED, TaskState.CONFIRMED], filled_at__isnull=False, visited_on__isnull=False
                )
                | (~Q(state__in=[TaskState.FILLED, TaskState.CONFIRMED]) & Q(filled_at__isnull=True, standing="")),
            ),
            models.CheckConstraint(
                name="screening_task_standing",
                condition=~Q(state__in=[TaskState.FILLED, TaskState.CONFIRMED]) | ~Q(standing=""),
            ),
            models.CheckConstraint(name="screening_task_missed", condition=Q(state=TaskState.MISSED) ^ Q(missed="")),
            *stamp_constraints("screening_task", {"confirmed_at": [TaskState.CONFIRMED]}),
            models.CheckConstraint(
                name="screening_task_one_holder", condition=Q(account__isnull=True) | Q(worker__isnull=True)
            ),
            models.CheckConstraint(
                name="screening_task_four_eyes",
                condition=Q(confirmed_account__isnull=True)
                | Q(filled_account__isnull=True)
                | ~Q(confirmed_account=F("filled_account")),
            ),
        ]
        indexes = [
            models.Index(fields=["campaign", "state", "path"], name="screening_task_progress"),
            models.Index(fields=["path", "id"], name="screening_task_waiting", condition=Q(state="waiting")),
        ]

    def __str__(self) -> str:
        return self.person_name

    @property
    def tone(self) -> str:
        return TaskState(self.state).tone


class TaskLog(TransitionLog):
    """Trail of a task. That it was drawn when the campaign started stands in the campaign's trail."""

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="trail")

    scope = Scope(staff=Via("task_id", "screening.Task"), worker=Via("task_id", "screening.Task"))
    objects = ScopedQuerySet.as_manager()


class FollowUp(PlaceRow):
    """What a confirmed sheet asks for: an assessment, regular visits, a service."""

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="follow_ups")
    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="+", verbose_name=_("Elder"))
    kind = models.CharField(pgettext_lazy("screening", "What"), max_length=12, choices=FollowUpKind.choices)
    state = models.CharField(_("State"), max_length=10, choices=FollowUpState.choices, default=FollowUpState.OPEN)
    opened_on = models.DateField(_("Found on"))
    assessment = models.ForeignKey(
        "assessments.Assessment", null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("Assessment")
    )
    note = models.CharField(_("Remark"), max_length=300, blank=True)
    done_at = models.DateTimeField(_("Done at"), null=True)
    done_by = models.CharField(_("Done by"), max_length=100, blank=True)

    follows = "person"
    scope = Scope(staff=Within())
    history = History()

    class Meta:
        verbose_name = _("follow-up")
        constraints = [
            models.UniqueConstraint(fields=["task", "kind"], name="follow_up_once"),
            *stamp_constraints("follow_up", {"done_at": [FollowUpState.DONE, FollowUpState.DROPPED]}),
        ]
        indexes = [models.Index(fields=["path", "kind"], name="follow_up_open", condition=Q(state="open"))]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.task_id}"
