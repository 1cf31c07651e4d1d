"""Purchase contracts and dated prices (R-067). Money in fen."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from sangyu.kernel.audit import History
from sangyu.kernel.dated import DatedQuerySet, DatedRow, no_overlap, not_empty
from sangyu.kernel.scoping import PathField, Published, Scope, ScopedQuerySet, Subject, Via
from sangyu.kernel.workflow import TransitionLog, stamp_constraints

from .enums import ContractState, Settlement


class Contract(DatedRow):
    """A region buys services from an organisation for a term. Its price list limits what can be billed to public money.

    ``cancel_fee_percent`` of the price is due when an order is cancelled less than ``cancel_free_hours`` before its start.
    ``budget_fen`` and ``month_budget_fen`` bound what may be billed in all and per calendar month; None = no bound.
    """

    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="contracts")
    number = models.CharField(max_length=60)
    title = models.CharField(max_length=100)
    procurement = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=10, choices=ContractState.choices, default=ContractState.DRAFT)
    signed_at = models.DateTimeField(null=True, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    settlement = models.CharField(max_length=15, choices=Settlement.choices, default=Settlement.MONTHLY)
    settlement_day = models.PositiveSmallIntegerField(default=5)
    budget_fen = models.BigIntegerField(null=True, blank=True)
    month_budget_fen = models.BigIntegerField(null=True, blank=True)
    cancel_free_hours = models.PositiveSmallIntegerField(default=4)
    cancel_fee_percent = models.PositiveSmallIntegerField(default=0)
    terms = models.CharField(max_length=1000, blank=True)
    file = models.ForeignKey("kernel.StoredFile", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+")
    path = PathField(db_index=True)

    # purchase contracts are public; a family that orders is priced by them
    scope = Scope(staff=Published(), provider=Subject("organisation_id"), family=Published())
    history = History()
    objects = DatedQuerySet.as_manager()

    class Meta:
        ordering = ["-valid_from", "number"]
        constraints = [
            not_empty("contract"),
            models.UniqueConstraint(fields=["path", "number"], name="contract_number_once"),
            models.CheckConstraint(name="contract_has_end", condition=Q(valid_to__isnull=False)),
            models.CheckConstraint(name="contract_fee_percent", condition=Q(cancel_fee_percent__lte=100)),
            models.CheckConstraint(
                name="contract_settlement_day", condition=Q(settlement_day__gte=1, settlement_day__lte=28)
            ),
            models.CheckConstraint(name="contract_budget", condition=Q(budget_fen__isnull=True) | Q(budget_fen__gte=0)),
            models.CheckConstraint(
                name="contract_month_budget", condition=Q(month_budget_fen__isnull=True) | Q(month_budget_fen__gte=0)
            ),
            *stamp_constraints(
                "contract",
                {"signed_at": [ContractState.ACTIVE, ContractState.ENDED], "ended_at": [ContractState.ENDED]},
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"


class ContractLog(TransitionLog):
    """Trail of a contract."""

    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="trail")

    scope = Scope(
        staff=Via("contract_id", "organisations.Contract"), provider=Via("contract_id", "organisations.Contract")
    )
    objects = ScopedQuerySet.as_manager()


class Price(DatedRow):
    """What one unit of an item costs on a day: under a contract, or (``contract`` empty) the organisation's own market price.

    The item is named by code: its versions change, its price line stays. ``month_quota`` bounds the units a contract buys per
    calendar month, ``quota`` those of the whole term.
    """

    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="prices")
    contract = models.ForeignKey(Contract, null=True, blank=True, on_delete=models.PROTECT, related_name="prices")
    item_code = models.CharField(max_length=40)
    unit_price = models.BigIntegerField()
    month_quota = models.PositiveIntegerField(null=True, blank=True)
    quota = models.PositiveIntegerField(null=True, blank=True)
    path = PathField(db_index=True)

    # a family sees what things cost before it orders
    scope = Scope(staff=Published(), provider=Subject("organisation_id"), family=Published())
    history = History()
    objects = DatedQuerySet.as_manager()

    class Meta:
        ordering = ["item_code", "-valid_from"]
        indexes = [models.Index(fields=["item_code", "organisation"], name="price_item")]
        constraints = [
            not_empty("price"),
            no_overlap("price_contract", "contract", "item_code", condition=Q(contract__isnull=False)),
            no_overlap("price_market", "organisation", "item_code", condition=Q(contract__isnull=True)),
            models.CheckConstraint(name="price_not_negative", condition=Q(unit_price__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.item_code} {self.unit_price / 100:.2f}"
