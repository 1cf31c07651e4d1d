"""Money that was paid and not due: agreed, repaid in instalments, or written off (X-03)."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.audit import History
from sangyu.kernel.scoping import PlaceRow, Scope, ScopedQuerySet, Shared, Via, Within
from sangyu.kernel.workflow import TransitionLog, stamp_constraints

from ..enums import Basis, RecoveryState, SubjectKind


class Recovery(PlaceRow):
    """What one subject owes one fund because a run found earlier months over-paid."""

    number = models.CharField(max_length=40, unique=True)
    run = models.ForeignKey("benefits.Run", on_delete=models.PROTECT, related_name="recoveries")
    subject_kind = models.CharField(max_length=12, choices=SubjectKind.choices)
    subject_id = models.BigIntegerField()
    person_id = models.BigIntegerField(null=True)
    fund = models.ForeignKey("benefits.Fund", on_delete=models.PROTECT, related_name="+")
    amount = models.BigIntegerField()
    repaid = models.BigIntegerField(default=0)
    state = models.CharField(max_length=10, choices=RecoveryState.choices, default=RecoveryState.OPEN)
    payer = models.CharField(max_length=60, blank=True)
    note = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    #: Deducted from later payments of the same fund: share of a month in per cent, ground, its paper, first month.
    deduct_share = models.PositiveSmallIntegerField(null=True)
    deduct_basis = models.CharField(max_length=10, choices=Basis.choices, blank=True)
    deduct_evidence = models.CharField(max_length=100, blank=True)
    deduct_from = models.DateField(null=True)
    agreed_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    about = "person_id"
    scope = Scope(staff=Within(), family=Shared("person_id", "vouchers"))
    history = History()

    class Meta:
        verbose_name = _("recovery")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["run", "subject_kind", "subject_id", "fund"], name="benefit_recovery_once"),
            models.CheckConstraint(
                name="benefit_recovery_repaid", condition=Q(amount__gt=0, repaid__gte=0, repaid__lte=F("amount"))
            ),
            models.CheckConstraint(
                name="benefit_recovery_repaid_fits_state",
                condition=~Q(state=RecoveryState.REPAID) | Q(repaid=F("amount")),
            ),
            models.CheckConstraint(
                name="benefit_recovery_deduct",
                condition=Q(deduct_share__isnull=True, deduct_basis="", deduct_evidence="", deduct_from__isnull=True)
                | (
                    Q(deduct_share__gte=1, deduct_share__lte=100, deduct_from__isnull=False)
                    & ~Q(deduct_basis="")
                    & ~Q(deduct_evidence="")
                ),
            ),
            *stamp_constraints("benefit_recovery", {"closed_at": [RecoveryState.REPAID, RecoveryState.WAIVED]}),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def left(self) -> int:
        """What is still owed, in fen."""
        return self.amount - self.repaid if self.state != RecoveryState.WAIVED else 0


class Instalment(models.Model):
    """One agreed part of a recovery."""

    recovery = models.ForeignKey(Recovery, on_delete=models.CASCADE, related_name="instalments")
    number = models.PositiveSmallIntegerField()
    due_on = models.DateField()
    amount = models.BigIntegerField()
    repaid = models.BigIntegerField(default=0)

    via = Via("recovery_id", "benefits.Recovery")
    scope = Scope(staff=via, family=via)
    history = History()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["recovery", "number"], name="benefit_instalment_number"),
            models.CheckConstraint(
                name="benefit_instalment_repaid", condition=Q(amount__gt=0, repaid__gte=0, repaid__lte=F("amount"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.recovery_id} {self.number}"


class Repayment(models.Model):
    """Money that came back for a recovery. ``key`` makes a repeated entry the same one."""

    recovery = models.ForeignKey(Recovery, on_delete=models.PROTECT, related_name="repayments")
    key = models.CharField(max_length=60)
    amount = models.BigIntegerField()
    received_on = models.DateField()
    receipt = models.CharField(max_length=60)
    actor = models.CharField(max_length=100)
    recorded_at = models.DateTimeField(default=timezone.now)

    via = Via("recovery_id", "benefits.Recovery")
    scope = Scope(staff=via, family=via, write="insert")
    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["recovery", "key"], name="benefit_repayment_once"),
            models.CheckConstraint(name="benefit_repayment_amount", condition=Q(amount__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.recovery_id} {self.amount}"


class RecoveryLog(TransitionLog):
    """Trail of one recovery."""

    recovery = models.ForeignKey(Recovery, on_delete=models.CASCADE, related_name="trail")

    scope = Scope(staff=Via("recovery_id", "benefits.Recovery"))
    objects = ScopedQuerySet.as_manager()


class Recall(models.Model):
    """What became of an over-paid line that was not given in cash, in fen: not issued, taken back, ended unused, used."""

    line = models.OneToOneField("benefits.Line", on_delete=models.PROTECT, related_name="recall")
    unissued = models.BigIntegerField(default=0)
    back = models.BigIntegerField(default=0)
    ended = models.BigIntegerField(default=0)
    used = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    about = "line__person_id"
    via = Via("line_id", "benefits.Line")
    scope = Scope(staff=via, family=via, write="insert")
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="benefit_recall_amounts", condition=Q(unissued__gte=0, back__gte=0, ended__gte=0, used__gte=0)
            )
        ]

    def __str__(self) -> str:
        return f"{self.line_id}"


class Deduction(models.Model):
    """What of one payment was kept back for a recovery, in fen; ``undone_at``: the bank rejected the payment."""

    recovery = models.ForeignKey(Recovery, on_delete=models.PROTECT, related_name="deductions")
    payment = models.ForeignKey("benefits.Payment", on_delete=models.PROTECT, related_name="deductions")
    amount = models.BigIntegerField()
    made_at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True)

    via = Via("recovery_id", "benefits.Recovery")
    scope = Scope(staff=via, family=via)
    history = History()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["recovery", "payment"], name="benefit_deduction_once"),
            models.CheckConstraint(name="benefit_deduction_amount", condition=Q(amount__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.recovery_id} {self.amount}"
