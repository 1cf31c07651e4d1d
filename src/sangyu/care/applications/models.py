"""Applications with their papers and trail; objections. What stands beside a person is in standing_models (docs/rooms/applications.md)."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel.audit import History
from sangyu.kernel.scoping import PlaceRow, Scope, ScopedQuerySet, Shared, Subject, Via, Within
from sangyu.kernel.workflow import TransitionLog, stamp_constraints

from .body_models import ForSubject, of_body, one_subject
from .enums import OPEN, TO_ANSWER, Channel, ObjectionState, State

#: Staff by region; the elder and relatives whom a consent shows what was paid (R-027); of a body its provider.
BODY_SCOPE = Scope(staff=Within(), family=Shared("person_id", "vouchers"), provider=Subject("organisation_id"))


class Application(PlaceRow, ForSubject):
    """A person or a body asks for what a policy gives on application. ``steps`` and ``asked`` are those of the policy's text that day.

    ``approved_from`` is the first day of the entitlement; the engine reads it as ``applied_on``.
    """

    number = models.CharField(_("Number"), max_length=30, unique=True)
    person = models.ForeignKey(
        "people.Person", null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("Elder")
    )
    policy_code = models.CharField(_("Policy code"), max_length=60)
    policy_name = models.CharField(_("Policy"), max_length=100)
    version = models.ForeignKey(
        "policies.PolicyVersion", null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("Version")
    )
    channel = models.CharField(_("Handed in by"), max_length=10, choices=Channel.choices)
    applicant = models.CharField(_("Applicant"), max_length=100)
    applicant_id = models.BigIntegerField(null=True)
    applied_on = models.DateField(_("Applied on"))
    text = models.CharField(_("What was said"), max_length=500, blank=True)
    asked = models.JSONField(_("Evidence asked for"), default=list)
    steps = models.JSONField(_("Steps"), default=list)
    done = models.PositiveSmallIntegerField(_("Steps done"), default=0)
    state = models.CharField(_("State"), max_length=10, choices=State.choices, default=State.SUBMITTED)
    answer = models.CharField(_("Answer"), max_length=500, blank=True)
    approved_from = models.DateField(_("Holds from"), null=True, blank=True)
    #: What a panel or office decided where the policy leaves the amount to it, in fen; read as ``decided_amount``.
    decided_amount = models.BigIntegerField(_("Decided amount"), null=True, blank=True)
    decided_document = models.CharField(
        _("Document of the decision"), max_length=100, blank=True, db_default="", default=""
    )
    submitted_at = models.DateTimeField(_("Handed in at"), default=timezone.now)
    decided_at = models.DateTimeField(_("Decided at"), null=True)
    due_on = models.DateField(_("Answer by"))

    follows = "person"
    scope = BODY_SCOPE
    history = History()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("applications", "application")
        constraints = [
            one_subject("application"),
            of_body("application_one_open_body", "policy_code", condition=Q(state__in=OPEN)),
            models.CheckConstraint(
                name="application_decided",
                condition=Q(decided_amount__isnull=True, decided_document="")
                | (Q(decided_amount__gte=0) & ~Q(decided_document="")),
            ),
            models.UniqueConstraint(
                fields=["person", "policy_code"], name="application_one_open", condition=Q(state__in=OPEN)
            ),
            models.CheckConstraint(
                name="application_approved_from",
                condition=Q(state=State.APPROVED, approved_from__isnull=False)
                | (~Q(state=State.APPROVED) & Q(approved_from__isnull=True)),
            ),
            *stamp_constraints("application", {"decided_at": [State.APPROVED, State.REFUSED, State.WITHDRAWN]}),
        ]
        indexes = [
            models.Index(fields=["person", "policy_code"], name="application_person"),
            # few among the many of persons
            models.Index(
                fields=["body_kind", "body_id", "policy_code"],
                name="application_body",
                condition=Q(body_id__isnull=False),
            ),
            models.Index(fields=["-submitted_at", "-id"], name="application_recent"),
            models.Index(fields=["due_on"], name="application_due", condition=Q(state__in=OPEN)),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def next_step(self) -> str:
        """The step that waits, "" when none does."""
        return self.steps[self.done] if self.state in OPEN and self.done < len(self.steps) else ""


class ApplicationLog(TransitionLog):
    """Trail of an application; ``data`` names the step taken."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="trail")

    seen = Via("application_id", "applications.Application")
    scope = Scope(staff=seen, family=seen, provider=seen)
    objects = ScopedQuerySet.as_manager()


class ApplicationPaper(models.Model):
    """One piece of evidence of an application; ``asked`` is the policy's word for it."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="papers")
    asked = models.CharField(_("Evidence"), max_length=100)
    file = models.ForeignKey("kernel.StoredFile", on_delete=models.PROTECT, related_name="+", verbose_name=_("File"))
    added_at = models.DateTimeField(_("Added at"), default=timezone.now)
    actor = models.CharField(_("Added by"), max_length=100)

    seen = Via("application_id", "applications.Application")
    scope = Scope(staff=seen, family=seen, provider=seen)
    history = History()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("evidence of an application")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.asked


class Objection(PlaceRow, ForSubject):
    """Somebody does not agree, for a person or a body: with a refused application, or with what a month gave or did not give (R-029).

    Agreeing with an objection to an application approves it; to a month, the next run of the region computes that month again.
    """

    number = models.CharField(_("Number"), max_length=30, unique=True)
    person = models.ForeignKey(
        "people.Person", null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("Elder")
    )
    application = models.ForeignKey(
        Application, null=True, blank=True, on_delete=models.PROTECT, related_name="objections",
        verbose_name=pgettext_lazy("applications", "Application"),
    )  # fmt: skip
    policy_code = models.CharField(_("Policy code"), max_length=60)
    policy_name = models.CharField(_("Policy"), max_length=100)
    month = models.DateField(_("Month"), null=True, blank=True)
    channel = models.CharField(_("Handed in by"), max_length=10, choices=Channel.choices)
    applicant = models.CharField(_("Who objects"), max_length=100)
    applicant_id = models.BigIntegerField(null=True)
    text = models.CharField(_("Why"), max_length=500)
    state = models.CharField(_("State"), max_length=10, choices=ObjectionState.choices, default=ObjectionState.OPEN)
    answer = models.CharField(_("Answer"), max_length=500, blank=True)
    answered_path = models.CharField(max_length=24, blank=True, editable=False, db_collation="C")
    answered_id = models.BigIntegerField(null=True)
    answered_by = models.CharField(_("Answered by"), max_length=100, blank=True)
    appeal = models.CharField(_("Appeal"), max_length=500, blank=True)
    appeal_answer = models.CharField(_("Answer to the appeal"), max_length=500, blank=True)
    made_at = models.DateTimeField(_("Made at"), default=timezone.now)
    due_on = models.DateField(_("Answer by"))
    closed_at = models.DateTimeField(_("Closed at"), null=True)

    follows = "person"
    scope = BODY_SCOPE
    history = History(hidden=("answered_path",))
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("applications", "objection")
        constraints = [
            models.UniqueConstraint(
                fields=["person", "policy_code", "application", "month"], name="objection_one_open",
                condition=Q(state__in=TO_ANSWER, person__isnull=False), nulls_distinct=False,
            ),
            one_subject("objection"),
            models.UniqueConstraint(
                fields=["body_kind", "body_id", "policy_code", "application", "month"], name="objection_one_open_body",
                condition=Q(state__in=TO_ANSWER, body_id__isnull=False), nulls_distinct=False,
            ),
            *stamp_constraints(
                "objection",
                {"closed_at": [ObjectionState.UPHELD, ObjectionState.FINAL, ObjectionState.WITHDRAWN]},
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["person", "policy_code"], name="objection_person")]

    def __str__(self) -> str:
        return self.number


class ObjectionLog(TransitionLog):
    """Trail of an objection."""

    objection = models.ForeignKey(Objection, on_delete=models.PROTECT, related_name="trail")

    seen = Via("objection_id", "applications.Objection")
    scope = Scope(staff=seen, family=seen, provider=seen)
    objects = ScopedQuerySet.as_manager()


from .panel_models import PanelDecision  # noqa: E402
from .standing_models import Delivery, Hold, PayeeAccount  # noqa: E402

__all__ = [
    "Application",
    "ApplicationLog",
    "ApplicationPaper",
    "Delivery",
    "Hold",
    "Objection",
    "ObjectionLog",
    "PanelDecision",
    "PayeeAccount",
]
