"""Payments, the files that carry them to bank, vouchers and insurer, and what came back."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.audit import History
from sangyu.kernel.crypto import EncryptedTextField
from sangyu.kernel.scoping import PlaceRow, Scope, ScopedQuerySet, Shared, Via, Within
from sangyu.kernel.workflow import TransitionLog, stamp_constraints

from ..enums import FileKind, FileState, Form, PaymentState, Result, SubjectKind


class Payment(PlaceRow):
    """What is paid for one released line, once for ever. ``amount`` + ``offset`` + ``deducted`` is the line's amount."""

    line = models.OneToOneField("benefits.Line", on_delete=models.PROTECT, related_name="payment")
    run = models.ForeignKey("benefits.Run", on_delete=models.PROTECT, related_name="payments")
    subject_kind = models.CharField(max_length=12, choices=SubjectKind.choices)
    subject_id = models.BigIntegerField()
    person_id = models.BigIntegerField(null=True)
    policy = models.CharField(max_length=60)
    form = models.CharField(max_length=10, choices=Form.choices)
    fund = models.ForeignKey("benefits.Fund", on_delete=models.PROTECT, related_name="+")
    amount = models.BigIntegerField()
    offset = models.BigIntegerField(default=0)
    deducted = models.BigIntegerField(default=0)
    state = models.CharField(max_length=10, choices=PaymentState.choices, default=PaymentState.DUE)
    attempts = models.PositiveSmallIntegerField(default=0)
    refusal = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    paid_at = models.DateTimeField(null=True)

    about = "person_id"
    scope = Scope(staff=Within(), family=Shared("person_id", "vouchers"))
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="benefit_payment_amount", condition=Q(amount__gte=0, offset__gte=0, deducted__gte=0)
            ),
            models.CheckConstraint(
                name="benefit_payment_offset",
                condition=(Q(state=PaymentState.OFFSET, amount=0) & (Q(offset__gt=0) | Q(deducted__gt=0)))
                | (~Q(state=PaymentState.OFFSET) & Q(amount__gt=0)),
            ),
            *stamp_constraints("benefit_payment", {"paid_at": [PaymentState.PAID]}),
        ]
        indexes = [
            models.Index(fields=["form", "path"], name="benefit_payment_due", condition=Q(state="due")),
            models.Index(fields=["subject_kind", "subject_id"], name="benefit_payment_subject"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        """What stands in the bank's file and comes back."""
        return f"BF{self.pk:010d}"


class PaymentFile(PlaceRow):
    """One file of payments: number, count, total and digest stand when it is made, and never change."""

    number = models.CharField(max_length=40, unique=True)
    kind = models.CharField(max_length=10, choices=FileKind.choices)
    layout = models.CharField(max_length=40, blank=True)
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+")
    item_count = models.PositiveIntegerField()
    total = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    voucher_issue_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=10, choices=FileState.choices, default=FileState.MADE)
    made_by = models.CharField(max_length=100)
    made_by_account = models.BigIntegerField(null=True)
    made_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    history = History()

    class Meta:
        verbose_name = _("payment file")
        ordering = ["-id"]
        constraints = [
            *stamp_constraints("benefit_file", {"settled_at": [FileState.SETTLED]}),
            models.CheckConstraint(
                name="benefit_file_sent_at_fits_state",
                condition=Q(state__in=[FileState.MADE, FileState.DISCARDED], sent_at__isnull=True)
                | Q(state__in=[FileState.SENT, FileState.SETTLED], sent_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.number


class FileItem(models.Model):
    """One payment in one file, with the payee's name and account of that day (ciphertext).

    A payment stands in one file at a time and is accepted once: the database holds it. The bytes of a file are made from its
    items at every asking, so no account number lies about in a file store.
    """

    file = models.ForeignKey(PaymentFile, on_delete=models.CASCADE, related_name="items")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="items")
    number = models.PositiveIntegerField()
    amount = models.BigIntegerField()
    payee = models.CharField(max_length=60, blank=True)
    payee_account = EncryptedTextField(_("Account number"), purpose="benefits.item.account")
    bank = models.CharField(max_length=60, blank=True)
    result = models.CharField(max_length=10, choices=Result.choices, default=Result.PENDING)
    refusal = models.CharField(max_length=200, blank=True)
    settled_at = models.DateTimeField(null=True)

    about = "payment__person_id"
    scope = Scope(staff=Via("file_id", "benefits.PaymentFile"))
    history = History()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["file_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["payment"], name="benefit_item_once", condition=~Q(result=Result.REJECTED)),
            models.UniqueConstraint(fields=["file", "number"], name="benefit_item_number"),
            models.CheckConstraint(
                name="benefit_item_settled",
                condition=Q(result=Result.PENDING, settled_at__isnull=True)
                | (~Q(result=Result.PENDING) & Q(settled_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file_id} {self.number}"


class PaymentLog(TransitionLog):
    """Trail of one payment."""

    payment = models.ForeignKey(Payment, on_delete=models.CASCADE, related_name="trail")

    scope = Scope(staff=Via("payment_id", "benefits.Payment"))
    objects = ScopedQuerySet.as_manager()


class FileLog(TransitionLog):
    """Trail of one payment file."""

    file = models.ForeignKey(PaymentFile, on_delete=models.CASCADE, related_name="trail")

    scope = Scope(staff=Via("file_id", "benefits.PaymentFile"))
    objects = ScopedQuerySet.as_manager()
