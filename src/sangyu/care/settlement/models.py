"""Statements between a purchasing region and a provider (docs/rooms/settlement.md). Amounts in fen."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.audit import History
from sangyu.kernel.scoping import PlaceRow, Scope, ScopedQuerySet, Subject, Via, Within
from sangyu.kernel.workflow import TransitionLog

from .enums import LineKind, State


class Statement(PlaceRow):
    """What one provider has earned in one purchasing region in one month: its lines, frozen.

    ``path`` is the purchasing region's. A visit belongs to the period in which it was confirmed before ``cut_off``.
    ``payable`` = vouchers + public pay; concession and self pay are shown and not paid here.
    """

    number = models.CharField(max_length=40, unique=True)
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+")
    period = models.DateField()
    cut_off = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    line_count = models.PositiveIntegerField(default=0)
    price = models.BigIntegerField(default=0)
    concession = models.BigIntegerField(default=0)
    voucher = models.BigIntegerField(default=0)
    public_pay = models.BigIntegerField(default=0)
    self_pay = models.BigIntegerField(default=0)
    objection = models.CharField(max_length=500, blank=True)
    frozen_by = models.CharField(max_length=100, blank=True)
    frozen_by_account = models.BigIntegerField(null=True)
    approved_by = models.CharField(max_length=100, blank=True)
    approved_by_account = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    frozen_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    approved_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)

    scope = Scope(staff=Within(), provider=Subject("organisation_id"))
    history = History()

    class Meta:
        verbose_name = _("statement")
        ordering = ["-period", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "region", "period"],
                name="statement_once_per_period",
                condition=~Q(state=State.DISCARDED),
            ),
            models.CheckConstraint(
                name="statement_adds_up",
                condition=Q(price=F("concession") + F("voucher") + F("public_pay") + F("self_pay")),
            ),
            models.CheckConstraint(
                name="statement_dates_fit_state",
                condition=Q(state__in=["draft", "discarded"], frozen_at__isnull=True)
                | Q(state__in=["frozen", "objected"], frozen_at__isnull=False, confirmed_at__isnull=True)
                | Q(state="confirmed", confirmed_at__isnull=False, approved_at__isnull=True)
                | Q(state="approved", confirmed_at__isnull=False, approved_at__isnull=False, paid_at__isnull=True)
                | Q(state="paid", confirmed_at__isnull=False, approved_at__isnull=False, paid_at__isnull=False),
            ),
            models.CheckConstraint(
                name="statement_four_eyes",
                condition=Q(approved_by_account__isnull=True)
                | Q(frozen_by_account__isnull=True)
                | ~Q(approved_by_account=F("frozen_by_account")),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def payable(self) -> int:
        """What the purchasing region owes the provider, in fen."""
        return self.voucher + self.public_pay


class StatementLine(models.Model):
    """One visit, refund (negative) or adjustment as it was when the statement was made. Never changed once frozen."""

    statement = models.ForeignKey(Statement, on_delete=models.CASCADE, related_name="lines")
    kind = models.CharField(max_length=10, choices=LineKind.choices)
    order = models.ForeignKey("orders.Order", null=True, on_delete=models.PROTECT, related_name="+")
    refund_id = models.BigIntegerField(null=True)
    number = models.CharField(max_length=40, blank=True)
    day = models.DateField()
    person_id = models.BigIntegerField(null=True)
    person_masked = models.CharField(max_length=50, blank=True)
    item_code = models.CharField(max_length=40, blank=True)
    item_name = models.CharField(max_length=60, blank=True)
    minutes = models.PositiveIntegerField(null=True)
    price = models.BigIntegerField()
    concession = models.BigIntegerField(default=0)
    voucher = models.BigIntegerField(default=0)
    public_pay = models.BigIntegerField(default=0)
    self_pay = models.BigIntegerField(default=0)
    confirmed_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=300, blank=True)

    via = Via("statement_id", "settlement.Statement")
    scope = Scope(staff=via, provider=via)
    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["day", "id"]
        constraints = [
            models.UniqueConstraint(fields=["order"], name="visit_settled_once", condition=Q(kind=LineKind.VISIT)),
            models.UniqueConstraint(
                fields=["refund_id"], name="refund_settled_once", condition=Q(refund_id__isnull=False)
            ),
            models.CheckConstraint(
                name="line_adds_up",
                condition=Q(price=F("concession") + F("voucher") + F("public_pay") + F("self_pay")),
            ),
            models.CheckConstraint(
                name="line_kind",
                condition=Q(kind=LineKind.VISIT, order__isnull=False, refund_id__isnull=True)
                | Q(kind=LineKind.REFUND, order__isnull=False, refund_id__isnull=False)
                | (Q(kind=LineKind.ADJUSTMENT, order__isnull=True, refund_id__isnull=True) & ~Q(note="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.statement_id} {self.number or self.kind}"


class StatementLog(TransitionLog):
    """Trail of one statement."""

    statement = models.ForeignKey(Statement, on_delete=models.CASCADE, related_name="trail")

    via = Via("statement_id", "settlement.Statement")
    scope = Scope(staff=via, provider=via)
    objects = ScopedQuerySet.as_manager()
