"""Voucher programmes, issues and vouchers (docs/rooms/vouchers.md). How much a voucher holds is in the ledger only."""

from datetime import date, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.audit import History
from sangyu.kernel.dated import DatedQuerySet, DatedRow, not_empty
from sangyu.kernel.scoping import PathField, PlaceRow, Published, Scope, ScopedQuerySet, Shared, Via, Within
from sangyu.kernel.workflow import TransitionLog
from sangyu.registry.catalogue.enums import Category

from .enums import State, Unspent, Validity


class Programme(DatedRow):
    """The rules of one kind of voucher, published by a region: what a voucher is worth, for what, where, how long
    (R-069).

    Amounts in fen. Empty lists of categories, items or organisations mean no limit of that kind.
    """

    name = models.CharField(max_length=60)
    document_number = models.CharField(max_length=60, blank=True)
    face_amount = models.BigIntegerField()
    per_order_cap = models.BigIntegerField(null=True, blank=True)
    validity = models.CharField(max_length=10, choices=Validity.choices, default=Validity.MONTH)
    validity_days = models.PositiveSmallIntegerField(null=True, blank=True)
    unspent = models.CharField(max_length=10, choices=Unspent.choices, default=Unspent.LAPSE)
    roll_over_months = models.PositiveSmallIntegerField(default=0)
    categories = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    items = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    organisations = ArrayField(models.BigIntegerField(), default=list, blank=True)
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+")
    path = PathField(db_index=True)

    scope = Scope(staff=Published(), provider=Published(), worker=Published(), family=Published())
    history = History()
    objects = DatedQuerySet.as_manager()

    class Meta:
        verbose_name = _("voucher programme")
        ordering = ["name", "id"]
        constraints = [
            not_empty("voucher_programme"),
            models.CheckConstraint(name="voucher_programme_face", condition=Q(face_amount__gt=0)),
            models.CheckConstraint(
                name="voucher_programme_cap", condition=Q(per_order_cap__isnull=True) | Q(per_order_cap__gt=0)
            ),
            models.CheckConstraint(
                name="voucher_programme_days",
                condition=(Q(validity=Validity.DAYS) & Q(validity_days__gt=0))
                | (~Q(validity=Validity.DAYS) & Q(validity_days__isnull=True)),
            ),
            models.CheckConstraint(
                name="voucher_programme_roll_over",
                condition=Q(unspent=Unspent.ROLL_OVER, roll_over_months__gt=0)
                | Q(unspent=Unspent.LAPSE, roll_over_months=0),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def category_words(self) -> list[str]:
        """Names of the categories it pays for."""
        return [str(Category(c).label) for c in self.categories]


class Issue(PlaceRow):
    """One act of issuing: many persons, one programme, one period."""

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="issues")
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+")
    period = models.DateField()
    count = models.PositiveIntegerField()
    total = models.BigIntegerField()
    is_paper = models.BooleanField(default=False)
    issued_at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=100)

    history = History()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.programme_id} {self.period:%Y-%m}"


class Voucher(PlaceRow):
    """One voucher of one person: one ledger account (unit ``voucher_fen``). Usable in ``[valid_from, valid_to)``.

    ``serial`` is the number printed on paper, None for an electronic voucher.
    """

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="vouchers")
    issue = models.ForeignKey(Issue, on_delete=models.PROTECT, related_name="vouchers")
    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="+")
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+")
    period = models.DateField()
    amount = models.BigIntegerField()
    valid_from = models.DateField()
    valid_to = models.DateField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)
    serial = models.CharField(max_length=13, null=True, blank=True, db_collation="C")
    replaces = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="replaced_by")
    account = models.ForeignKey("ledger.Account", null=True, on_delete=models.PROTECT, related_name="+")
    rolled_over = models.BooleanField(default=False)
    #: What of ``amount`` turned out not to be due: taken back as far as it was not used.
    withdrawn = models.BigIntegerField(default=0)

    scope = Scope(staff=Within(), family=Shared("person_id", "vouchers"))
    history = History()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("voucher")
        ordering = ["valid_to", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["programme", "person", "period"],
                name="voucher_once_per_period",
                condition=~Q(state__in=[State.REPLACED, State.CANCELLED]),
            ),
            models.UniqueConstraint(fields=["serial"], name="voucher_serial_once", condition=Q(serial__isnull=False)),
            models.CheckConstraint(name="voucher_amount_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(name="voucher_withdrawn", condition=Q(withdrawn__gte=0, withdrawn__lte=F("amount"))),
            models.CheckConstraint(name="voucher_not_empty", condition=Q(valid_to__gt=F("valid_from"))),
        ]
        indexes = [
            models.Index(fields=["person", "state"], name="voucher_person"),
            models.Index(fields=["valid_to"], name="voucher_due", condition=Q(state__in=["active", "lost"])),
        ]

    def __str__(self) -> str:
        return self.serial or f"{self.programme} {self.period:%Y-%m}"

    @property
    def last_day(self) -> date:
        """The last day of use, as printed."""
        return self.valid_to - timedelta(days=1)

    @property
    def available(self) -> int:
        """What may still be held or spent, in fen."""
        return self.account.available

    @property
    def held(self) -> int:
        """What orders hold, in fen."""
        return self.account.reserved_out


class VoucherLog(TransitionLog):
    """Trail of one voucher."""

    voucher = models.ForeignKey(Voucher, on_delete=models.CASCADE, related_name="trail")

    scope = Scope(staff=Via("voucher_id", "vouchers.Voucher"), family=Via("voucher_id", "vouchers.Voucher"))
    objects = ScopedQuerySet.as_manager()
