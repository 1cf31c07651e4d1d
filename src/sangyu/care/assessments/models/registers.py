"""Versions of scales, assessors, bought capacity, drawn samples. Fees in fen."""

from functools import cached_property

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel.audit import History
from sangyu.kernel.scoping import Open, PlaceRow, Published, Scope, ScopedQuerySet, Subject, Within

from .. import instruments
from ..enums import Background


class InstrumentVersion(models.Model):
    """One version of a scale: its text as read from the file, and the hash by which a result names it. Never changed."""

    code = models.CharField(max_length=40)
    name = models.CharField(_("Scale"), max_length=60)
    document = models.CharField(_("Document"), max_length=60)
    digest = models.CharField(max_length=64)
    text = models.TextField()
    loaded_at = models.DateTimeField(default=timezone.now)

    scope = Open("published scales, the same for everybody")
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("scale")
        constraints = [models.UniqueConstraint(fields=["code", "digest"], name="instrument_version_once")]

    def __str__(self) -> str:
        return self.document

    @cached_property
    def instrument(self):
        """The scale as the engine reads it."""
        return instruments.parsed(self.text)

    def level_name(self, level: int | None) -> str:
        return "" if level is None else self.instrument.levels.get(level, str(level))


class Assessor(PlaceRow):
    """Somebody trained to assess: of the own staff, or of an outside body (``body``). Signs in with ``account``."""

    name = models.CharField(_("Name"), max_length=50)
    account = models.ForeignKey("accounts.Account", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    body = models.ForeignKey(
        "organisations.Organisation", null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name=_("Assessment body"),
    )  # fmt: skip
    background = models.CharField(_("Background"), max_length=20, choices=Background.choices)
    certificate = models.CharField(_("Certificate number"), max_length=60, blank=True)
    valid_from = models.DateField(_("Valid from"))
    valid_to = models.DateField(_("Valid to"), null=True, blank=True)

    about = ""
    scope = Scope(staff=Published(), provider=Subject("body_id"))
    history = History()

    class Meta:
        verbose_name = _("assessor")
        constraints = [
            models.CheckConstraint(
                name="assessor_not_empty", condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from"))
            ),
            models.UniqueConstraint(
                fields=["account", "path"], name="assessor_account_once",
                condition=Q(account__isnull=False, valid_to__isnull=True),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name

    @property
    def qualified(self) -> bool:
        return Background(self.background).qualified


class Commission(PlaceRow):
    """Assessments bought from an outside body by contract: so many, at such a fee, with a drawn sample (R-033)."""

    body = models.ForeignKey(
        "organisations.Organisation", on_delete=models.PROTECT, related_name="+", verbose_name=_("Assessment body")
    )
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("Area"))
    number = models.CharField(_("Contract number"), max_length=60)
    valid_from = models.DateField(_("Valid from"))
    valid_to = models.DateField(_("Valid to"))
    quota = models.PositiveIntegerField(pgettext_lazy("assessments", "Quota"))
    fee = models.BigIntegerField(_("Fee for one"))
    sample_percent = models.PositiveSmallIntegerField(_("Sample, percent"), default=5)

    about = ""
    scope = Scope(staff=Published(), provider=Subject("body_id"))
    history = History()

    class Meta:
        verbose_name = _("commission")
        constraints = [
            models.UniqueConstraint(fields=["body", "number", "path"], name="commission_once"),
            models.CheckConstraint(name="commission_not_empty", condition=Q(valid_to__gt=F("valid_from"))),
            models.CheckConstraint(name="commission_fee", condition=Q(fee__gte=0)),
            models.CheckConstraint(name="commission_sample", condition=Q(sample_percent__range=(1, 100))),
        ]

    def __str__(self) -> str:
        return self.number


class SampleDraw(PlaceRow):
    """Results of an outside body that were drawn to be assessed again: same seed, same draw (R-033)."""

    commission = models.ForeignKey(Commission, on_delete=models.PROTECT, related_name="draws")
    since = models.DateField(_("Decided from"))
    until = models.DateField(_("Decided before"))
    percent = models.PositiveSmallIntegerField(_("Percent"))
    seed = models.CharField(_("Seed"), max_length=60)
    population = models.PositiveIntegerField(_("Results in the period"))
    drawn = ArrayField(models.BigIntegerField(), default=list)
    drawn_at = models.DateTimeField(_("Drawn at"), default=timezone.now)
    actor = models.CharField(_("By"), max_length=100)

    about = ""
    scope = Scope(staff=Within())
    history = History()

    class Meta:
        verbose_name = _("drawn sample")
        constraints = [
            models.UniqueConstraint(fields=["commission", "since", "until"], name="sample_once"),
            models.CheckConstraint(name="sample_not_empty", condition=Q(until__gt=F("since"))),
        ]

    def __str__(self) -> str:
        return f"{self.commission_id} {self.since}"
