"""Where public money comes from, and what for (R-062, R-064)."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel.audit import History
from sangyu.kernel.dated import DatedQuerySet, DatedRow, no_overlap, not_empty
from sangyu.kernel.scoping import PathField, Published, Scope, ScopedQuerySet

from ..enums import FundKind


class Fund(DatedRow):
    """One source of money of a region; policies name it by ``code``, the nearest region's fund answers.

    ``policies`` are the only policy codes it may pay (empty = any). ``limited``: nothing leaves that has not come in.
    """

    code = models.CharField(_("Code"), max_length=40)
    name = models.CharField(pgettext_lazy("thing", "Name"), max_length=60)
    kind = models.CharField(_("Kind"), max_length=10, choices=FundKind.choices)
    policies = ArrayField(models.CharField(max_length=60), default=list, blank=True, verbose_name=_("Only for"))
    purpose = models.CharField(_("Purpose"), max_length=200, blank=True)
    #: At most this share of what somebody is paid in a month may be kept back for a recovery, in per cent; none = nothing.
    deduct_most = models.PositiveSmallIntegerField(_("Deductible share (%)"), null=True, blank=True)
    deduct_document = models.CharField(_("Document of the share"), max_length=60, blank=True)
    limited = models.BooleanField(_("Only what has come in"), default=False)
    document_number = models.CharField(_("Document number"), max_length=60, blank=True)
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+")
    path = PathField(db_index=True)

    scope = Scope(staff=Published())
    history = History()
    objects = DatedQuerySet.as_manager()

    class Meta:
        verbose_name = _("fund source")
        ordering = ["code", "id"]
        constraints = [
            not_empty("benefit_fund"),
            no_overlap("benefit_fund", "region", "code"),
            models.CheckConstraint(
                name="benefit_fund_deduct_most",
                condition=Q(deduct_most__isnull=True) | Q(deduct_most__gte=1, deduct_most__lte=100),
            ),
            models.CheckConstraint(
                name="benefit_fund_gift_is_limited", condition=~Q(kind=FundKind.DONATION) | Q(limited=True)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class FundBudget(models.Model):
    """What a fund may spend in one calendar year, in fen, and the document that says so. Changed when it is adjusted."""

    fund = models.ForeignKey(Fund, on_delete=models.CASCADE, related_name="budgets")
    year = models.PositiveSmallIntegerField(_("Year"))
    amount = models.BigIntegerField(_("Budget"))
    document_number = models.CharField(_("Document number"), max_length=60)
    path = PathField(db_index=True)

    scope = Scope(staff=Published())
    history = History()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("fund budget")
        ordering = ["-year"]
        constraints = [
            models.UniqueConstraint(fields=["fund", "year"], name="benefit_fund_budget_once"),
            models.CheckConstraint(name="benefit_fund_budget_amount", condition=Q(amount__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.fund} {self.year}"
