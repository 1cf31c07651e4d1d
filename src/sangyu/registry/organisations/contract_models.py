"""Purchase contracts and dated prices (R-067). Money in fen."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

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

    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.PROTECT, related_name="contracts", verbose_name=_("Organisation")
    )
    number = models.CharField(max_length=60, verbose_name=_("Number"))
    title = models.CharField(max_length=100, verbose_name=_("Title"))
    procurement = models.CharField(max_length=100, blank=True, verbose_name=_("Procurement"))
    state = models.CharField(
        max_length=10, choices=ContractState.choices, default=ContractState.DRAFT, verbose_name=_("State")
    )
    signed_at = models.DateTimeField(null=True, editable=False, verbose_name=_("Signed at"))
    ended_at = models.DateTimeField(null=True, editable=False, verbose_name=_("Ended at"))
    settlement = models.CharField(
        max_length=15, choices=Settlement.choices, default=Settlement.MONTHLY, verbose_name=_("Settlement")
    )
    settlement_day = models.PositiveSmallIntegerField(default=5, verbose_name=_("Settlement day"))
    budget_fen = models.BigIntegerField(null=True, blank=True, verbose_name=_("Budget"))
    month_budget_fen = models.BigIntegerField(null=True, blank=True, verbose_name=_("Monthly budget"))
    cancel_free_hours = models.PositiveSmallIntegerField(
        default=4, verbose_name=_("Free cancelling until (hours before)")
    )
    cancel_fee_percent = models.PositiveSmallIntegerField(default=0, verbose_name=_("Cancelling fee (percent)"))
    terms = models.CharField(max_length=1000, blank=True, verbose_name=_("Terms"))
    file = models.ForeignKey(
        "kernel.StoredFile", null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("File")
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False, verbose_name=_("Created at"))
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("Region"))
    path = PathField(db_index=True)

    # purchase contracts are public; a family that orders is priced by them
    scope = Scope(staff=Published(), provider=Subject("organisation_id"), family=Published())
    history = History()
    objects = DatedQuerySet.as_manager()

    class Meta:
        verbose_name = _("Contract")
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

    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="trail", verbose_name=_("Contract"))

    scope = Scope(
        staff=Via("contract_id", "organisations.Contract"), provider=Via("contract_id", "organisations.Contract")
    )
    objects = ScopedQuerySet.as_manager()


class Price(DatedRow):
    """What one unit of an item costs on a day: under a contract, or (``contract`` empty) the organisation's own market price.

    The item is named by code: its versions change, its price line stays. ``month_quota`` bounds the units a contract buys per
    calendar month, ``quota`` those of the whole term.
    """

    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.PROTECT, related_name="prices", verbose_name=_("Organisation")
    )
    contract = models.ForeignKey(
        Contract, null=True, blank=True, on_delete=models.PROTECT, related_name="prices", verbose_name=_("Contract")
    )
    item_code = models.CharField(max_length=40, verbose_name=_("Service"))
    unit_price = models.BigIntegerField(_("Unit price"))
    month_quota = models.PositiveIntegerField(null=True, blank=True, verbose_name=_("Month quota"))
    quota = models.PositiveIntegerField(null=True, blank=True, verbose_name=_("Quota"))
    path = PathField(db_index=True)

    # a family sees what things cost before it orders
    scope = Scope(staff=Published(), provider=Subject("organisation_id"), family=Published())
    history = History()
    objects = DatedQuerySet.as_manager()

    class Meta:
        verbose_name = _("Price")
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
