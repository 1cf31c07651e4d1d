"""An assessment, its trail, and the versions of its answers. Fees in fen."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.audit import History
from sangyu.kernel.scoping import PlaceRow, Scope, ScopedQuerySet, Shared, Subject, Via, Within
from sangyu.kernel.workflow import TransitionLog

from ..enums import DueReason, Informant, NeedKind, Reason, State
from .registers import Assessor, Commission, InstrumentVersion

#: States in which the visit is over.
AFTER_VISIT = (
    State.VISITED, State.REVIEWED, State.PUBLISHED, State.DECIDED, State.OBJECTED, State.REASSESSED, State.COMPARED,
)  # fmt: skip
AFTER_REVIEW = AFTER_VISIT[1:]


def of_person(**more) -> Scope:
    """Staff by region; relatives whom the elder let see health; the body that was commissioned."""
    return Scope(staff=Within(), family=Shared("person_id", "health"), **more)


class Assessment(PlaceRow):
    """One assessment of one person, from the application to the decision. The result is in the chosen sheet."""

    number = models.CharField(_("Number"), max_length=40, unique=True)
    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="+", verbose_name=_("Elder"))
    #: As it was at the application: the commissioned body sees the file only while it assesses.
    person_name = models.CharField(_("Name"), max_length=50)
    version = models.ForeignKey(InstrumentVersion, on_delete=models.PROTECT, related_name="+", verbose_name=_("Scale"))
    reason = models.CharField(_("Reason"), max_length=10, choices=Reason.choices)
    state = models.CharField(_("State"), max_length=10, choices=State.choices, default=State.APPLIED)
    note = models.CharField(_("Remark"), max_length=300, blank=True)
    applied_at = models.DateTimeField(_("Applied at"), default=timezone.now)
    applied_by = models.CharField(_("Applied by"), max_length=100)
    account_id = models.BigIntegerField(null=True)
    #: The result that somebody doubted, or that this one is to be compared with.
    previous = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="later", verbose_name=_("Earlier result")
    )
    commission = models.ForeignKey(
        Commission, null=True, blank=True, on_delete=models.PROTECT, related_name="assessments"
    )
    body = models.ForeignKey(
        "organisations.Organisation", null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("Assessment body"),
    )  # fmt: skip
    fee = models.BigIntegerField(_("Fee"), default=0)
    lead = models.ForeignKey(
        Assessor, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("First assessor")
    )
    second = models.ForeignKey(
        Assessor, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("Second assessor")
    )
    planned_on = models.DateField(_("Planned on"), null=True, blank=True)
    assigned_at = models.DateTimeField(_("Assigned at"), null=True)
    visited_at = models.DateTimeField(_("Visited at"), null=True)
    visited_account = models.BigIntegerField(null=True)
    sheet = models.ForeignKey("Sheet", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField(_("Second look at"), null=True)
    reviewed_by = models.CharField(_("Second look by"), max_length=100, blank=True)
    reviewed_account = models.BigIntegerField(null=True)
    published_at = models.DateTimeField(_("Published at"), null=True)
    notice_to = models.DateField(_("Notice until"), null=True)
    decided_at = models.DateTimeField(_("Decided at"), null=True)
    decided_by = models.CharField(_("Decided by"), max_length=100, blank=True)
    effective_on = models.DateField(_("Holds from"), null=True)
    level = models.SmallIntegerField(_("Level"), null=True)
    level_name = models.CharField(_("Level"), max_length=30, blank=True)
    objection = models.CharField(_("Objection"), max_length=500, blank=True)
    objected_by = models.CharField(_("Objection by"), max_length=100, blank=True)
    closed_at = models.DateTimeField(_("Closed at"), null=True)
    #: The one result of this scale that holds for the person now, and when it is to be looked at again.
    current = models.BooleanField(default=False)
    due_on = models.DateField(_("Due on"), null=True)
    due_reason = models.CharField(_("Why due"), max_length=10, choices=DueReason.choices, blank=True)

    follows = "person"
    scope = of_person(provider=Subject("body_id"))
    history = History()

    class Meta:
        verbose_name = _("assessment")
        constraints = [
            models.CheckConstraint(name="assessment_state", condition=Q(state__in=State.values)),
            models.CheckConstraint(
                name="assessment_assigned_fits_state",
                condition=Q(state__in=[State.ASSIGNED, *AFTER_VISIT], assigned_at__isnull=False)
                | (~Q(state__in=[State.ASSIGNED, *AFTER_VISIT]) & Q(assigned_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="assessment_visited_fits_state",
                condition=Q(state__in=AFTER_VISIT, visited_at__isnull=False, sheet__isnull=False)
                | (~Q(state__in=AFTER_VISIT) & Q(visited_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="assessment_reviewed_fits_state",
                condition=Q(state__in=AFTER_REVIEW, reviewed_at__isnull=False)
                | (~Q(state__in=AFTER_REVIEW) & Q(reviewed_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="assessment_decided_whole",
                condition=~Q(state=State.DECIDED) | Q(decided_at__isnull=False, level__isnull=False, effective_on__isnull=False),
            ),
            models.CheckConstraint(
                name="assessment_closed_fits_state",
                condition=Q(state__in=[State.REFUSED, State.WITHDRAWN], closed_at__isnull=False)
                | (~Q(state__in=[State.REFUSED, State.WITHDRAWN]) & Q(closed_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="assessment_two_assessors", condition=Q(second__isnull=True) | ~Q(second=F("lead"))
            ),
            models.CheckConstraint(
                name="assessment_four_eyes",
                condition=Q(reviewed_account__isnull=True) | Q(visited_account__isnull=True) | ~Q(reviewed_account=F("visited_account")),
            ),
            models.UniqueConstraint(
                fields=["person", "version"], name="assessment_one_open",
                condition=Q(state__in=["applied", "assigned", "visited", "reviewed", "published"], previous__isnull=True),
            ),
            models.CheckConstraint(name="assessment_current_is_decided", condition=Q(current=False) | Q(state=State.DECIDED)),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["person", "-id"], name="assessment_person"),
            models.Index(fields=["state", "-id"], name="assessment_state_id"),
            models.Index(fields=["due_on"], name="assessment_due", condition=Q(current=True)),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def tone(self) -> str:
        return State(self.state).tone


class AssessmentLog(TransitionLog):
    """Trail of an assessment."""

    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="trail")

    scope = Scope(staff=Via("assessment_id", "assessments.Assessment"))
    objects = ScopedQuerySet.as_manager()


class Sheet(PlaceRow):
    """One version of the answers as a device sent it. Never changed: a later version is another row, and a person chooses.

    ``base`` is the version that the device began from; another one than the newest there was is a conflict.
    """

    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="sheets")
    number = models.PositiveSmallIntegerField(_("Version"))
    base = models.PositiveSmallIntegerField(default=0)
    client_id = models.UUIDField(null=True)
    conflict = models.BooleanField(_("Conflict"), default=False)
    answers = models.JSONField(_("Answers"), default=dict)
    findings = models.JSONField(_("Findings"), default=dict)
    special = ArrayField(models.CharField(max_length=20), default=list, blank=True, verbose_name=_("Special care"))
    needs = ArrayField(
        models.CharField(max_length=20, choices=NeedKind.choices), default=list, blank=True, verbose_name=_("Needs")
    )
    remark = models.CharField(_("Remark"), max_length=500, blank=True)
    informant = models.CharField(_("Informant"), max_length=10, choices=Informant.choices, blank=True)
    informant_name = models.CharField(_("Name of the informant"), max_length=50, blank=True)
    complete = models.BooleanField(_("Complete"), default=False)
    result = models.JSONField(_("Result"), null=True)
    signed_lead = models.ForeignKey("kernel.StoredFile", null=True, on_delete=models.PROTECT, related_name="+")
    signed_second = models.ForeignKey("kernel.StoredFile", null=True, on_delete=models.PROTECT, related_name="+")
    signed_informant = models.ForeignKey("kernel.StoredFile", null=True, on_delete=models.PROTECT, related_name="+")
    settled_at = models.DateTimeField(_("Chosen at"), null=True)
    settled_by = models.CharField(_("Chosen by"), max_length=100, blank=True)
    entered_at = models.DateTimeField(_("Entered at"))
    received_at = models.DateTimeField(_("Received at"), default=timezone.now)
    account_id = models.BigIntegerField(null=True)
    actor = models.CharField(_("By"), max_length=100)

    scope = Scope(staff=Within(), provider=Via("assessment_id", "assessments.Assessment"))
    history = History(hidden=("client_id",))

    class Meta:
        verbose_name = _("assessment sheet")
        constraints = [
            models.UniqueConstraint(fields=["assessment", "number"], name="sheet_number_once"),
            models.UniqueConstraint(fields=["assessment", "client_id"], name="sheet_client_once"),
            models.CheckConstraint(
                name="sheet_complete_has_result",
                condition=Q(complete=False, result__isnull=True) | Q(complete=True, result__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.assessment_id} v{self.number}"
