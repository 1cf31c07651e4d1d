"""A month's run, its lines, reviews and public notice."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.audit import History
from sangyu.kernel.scoping import PathField, PlaceRow, Published, Scope, ScopedQuerySet, Shared, Via, Within
from sangyu.kernel.workflow import TransitionLog, stamp_constraints

from ..enums import FROZEN, RELEASED, Change, Form, Level, LineKind, LineState, RunState, SubjectKind

_COMPUTED = [s for s in RunState if s not in (RunState.COMPUTING, RunState.CANCELLED)]


class Run(PlaceRow):
    """The entitlements of one region for one month, with the differences of earlier months as known at ``known_at``.

    ``versions`` are the policy versions it was computed from ({id, code, name, digest, document}); ``input_digest`` covers
    them and every fact read, ``lines_digest`` what came out: the same input gives the same lines, byte for byte.
    """

    number = models.CharField(max_length=40, unique=True)
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+")
    month = models.DateField()
    back_months = models.PositiveSmallIntegerField(default=3)
    known_at = models.DateTimeField()
    previous = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=RunState.choices, default=RunState.COMPUTING)
    operation = models.ForeignKey("kernel.Operation", null=True, on_delete=models.SET_NULL, related_name="+")
    versions = models.JSONField(default=list)
    input_digest = models.CharField(max_length=64, blank=True)
    lines_digest = models.CharField(max_length=64, blank=True)
    notice_days = models.PositiveSmallIntegerField(default=0)
    line_count = models.PositiveIntegerField(default=0)
    subject_count = models.PositiveIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    withheld = models.BigIntegerField(default=0)
    counts = models.JSONField(default=dict)
    prepared_by = models.CharField(max_length=100, blank=True)
    prepared_by_account = models.BigIntegerField(null=True)
    approved_by = models.CharField(max_length=100, blank=True)
    approved_by_account = models.BigIntegerField(null=True)
    released_by = models.CharField(max_length=100, blank=True)
    released_by_account = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    computed_at = models.DateTimeField(null=True)
    approved_at = models.DateTimeField(null=True)
    released_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)
    reconciled_at = models.DateTimeField(null=True)

    #: A street reviews its part of the county's run: it sees the run, and of the lines its own.
    scope = Scope(staff=Published())
    history = History()

    class Meta:
        verbose_name = _("benefit run")
        ordering = ["-month", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["region", "month"], name="benefit_run_once", condition=~Q(state=RunState.CANCELLED)
            ),
            models.CheckConstraint(name="benefit_run_first_of_month", condition=Q(month__day=1)),
            *stamp_constraints(
                "benefit_run",
                {
                    "approved_at": FROZEN,
                    "released_at": RELEASED,
                    "paid_at": [RunState.PAID, RunState.RECONCILED],
                    "reconciled_at": [RunState.RECONCILED],
                },
            ),
            models.CheckConstraint(
                name="benefit_run_computed_at_fits_state",
                condition=Q(state=RunState.CANCELLED)
                | Q(state=RunState.COMPUTING, computed_at__isnull=True)
                | Q(state__in=_COMPUTED, computed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="benefit_run_four_eyes",
                condition=(
                    (Q(approved_by="") | ~Q(approved_by=F("prepared_by")) | Q(approved_by_account__isnull=False))
                    & (Q(released_by="") | ~Q(released_by=F("approved_by")) | Q(released_by_account__isnull=False))
                    & (Q(approved_by_account__isnull=True) | Q(prepared_by_account__isnull=True)
                       | ~Q(approved_by_account=F("prepared_by_account")))
                    & (Q(released_by_account__isnull=True) | Q(approved_by_account__isnull=True)
                       | ~Q(released_by_account=F("approved_by_account")))
                    & (Q(released_by_account__isnull=True) | Q(prepared_by_account__isnull=True)
                       | ~Q(released_by_account=F("prepared_by_account")))
                ),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.number


class Line(models.Model):
    """One subject, policy version and month for which it is due. ``amount`` is negative for an over-payment.

    ``computed`` is what the engine says for the month, ``before`` what was released for it earlier; of the run's own month
    ``previous`` is the amount of the last run. ``facts`` are the values that were read (vocabulary name → value), ``reason``
    what differs from the last run (name → [then, now]). Written by the run alone; no history beside its trail.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="lines", db_index=False)
    path = PathField()
    subject_kind = models.CharField(max_length=12, choices=SubjectKind.choices)
    subject_id = models.BigIntegerField()
    person_id = models.BigIntegerField(null=True)
    policy = models.CharField(max_length=60)
    version_id = models.BigIntegerField()
    month = models.DateField()
    kind = models.CharField(max_length=12, choices=LineKind.choices)
    form = models.CharField(max_length=10, choices=Form.choices)
    fund = models.CharField(max_length=40)
    amount = models.BigIntegerField()
    computed = models.BigIntegerField()
    before = models.BigIntegerField(default=0)
    previous = models.BigIntegerField(null=True)
    quantity = models.IntegerField(default=1)
    days = models.IntegerField(default=0)
    row = models.IntegerField(default=0)
    base = models.BigIntegerField(default=0)
    stacked = models.CharField(max_length=10, blank=True)
    winner = models.CharField(max_length=60, blank=True)
    change = models.CharField(max_length=10, choices=Change.choices)
    facts = models.JSONField(default=dict)
    reason = models.JSONField(null=True)
    state = models.CharField(max_length=10, choices=LineState.choices, default=LineState.OPEN)
    withheld_for = models.CharField(max_length=300, blank=True)

    about = "person_id"
    scope = Scope(staff=Within(), family=Shared("person_id", "vouchers"))
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("benefit line")
        ordering = ["subject_id", "policy", "month"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject_kind", "subject_id", "policy", "month"],
                name="benefit_line_once",
                condition=Q(kind=LineKind.ENTITLEMENT, amount__gt=0),
            ),
            models.UniqueConstraint(
                fields=["run", "subject_kind", "subject_id", "policy", "month"],
                name="benefit_line_late_once",
                condition=~Q(kind=LineKind.ENTITLEMENT),
            ),
            models.CheckConstraint(
                name="benefit_line_amount_fits_kind",
                condition=Q(kind=LineKind.ENTITLEMENT, amount__gte=0)
                | Q(kind=LineKind.ARREARS, amount__gt=0)
                | Q(kind=LineKind.RECOVERY, amount__lt=0),
            ),
            models.CheckConstraint(
                name="benefit_line_withheld_for",
                condition=(Q(state=LineState.WITHHELD) & ~Q(withheld_for="")) | ~Q(state=LineState.WITHHELD),
            ),
        ]
        indexes = [models.Index(fields=["run", "path"], name="benefit_line_run")]

    def __str__(self) -> str:
        return f"{self.policy} {self.month:%Y-%m} {self.subject_kind} {self.subject_id}"


class Review(PlaceRow):
    """One level's look at its lines of a run: every street, then the county."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="reviews")
    level = models.CharField(max_length=10, choices=Level.choices)
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+")
    line_count = models.PositiveIntegerField()
    total = models.BigIntegerField()
    note = models.CharField(max_length=300, blank=True)
    done_at = models.DateTimeField(null=True)
    reviewer = models.CharField(max_length=100, blank=True)
    account_id = models.BigIntegerField(null=True)

    history = History()

    class Meta:
        verbose_name = _("review")
        ordering = ["run_id", "-level", "path"]
        constraints = [
            models.UniqueConstraint(fields=["run", "level", "region"], name="benefit_review_once"),
            models.CheckConstraint(
                name="benefit_review_done",
                condition=Q(done_at__isnull=True, reviewer="") | (Q(done_at__isnull=False) & ~Q(reviewer="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run} {self.get_level_display()} {self.region}"


class Notice(PlaceRow):
    """The public notice of a run: names masked, from ``opens_on`` until before ``closes_on``. ``code`` is its address."""

    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="notice")
    code = models.CharField(max_length=32, unique=True)
    opens_on = models.DateField()
    closes_on = models.DateField()
    line_count = models.PositiveIntegerField()
    total = models.BigIntegerField()

    history = History()

    class Meta:
        verbose_name = _("public notice")
        constraints = [
            models.CheckConstraint(name="benefit_notice_not_empty", condition=Q(closes_on__gt=F("opens_on")))
        ]

    def __str__(self) -> str:
        return f"{self.run} {self.opens_on}"


class RunLog(TransitionLog):
    """Trail of one run."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="trail")

    scope = Scope(staff=Via("run_id", "benefits.Run"))
    objects = ScopedQuerySet.as_manager()


class LineLog(TransitionLog):
    """Trail of one line: withheld, resumed. The release of all lines stands in the run's trail."""

    line = models.ForeignKey(Line, on_delete=models.CASCADE, related_name="trail")

    scope = Scope(staff=Via("line_id", "benefits.Line"))
    objects = ScopedQuerySet.as_manager()
