"""What can be ordered: items and packages, published by a region, changed only by new dated versions (R-184)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel.audit import History
from sangyu.kernel.dated import DatedQuerySet, DatedRow, no_overlap, not_empty
from sangyu.kernel.scoping import Everyone, PathField, Published, Scope

from .enums import Audience, Category, LicenceKind, Skill, Unit

PUBLIC = Everyone("a published list of services without personal data; the region is chosen by the selectors")


class ServiceItem(DatedRow):
    """One version of one service of a region's list. ``code`` with ``path`` names the item, the interval names the version.

    A version that has begun is never changed or deleted: ``services.publish_item`` closes it and opens the next. Orders keep
    the version they were priced by.
    """

    code = models.CharField(max_length=40, verbose_name=_("Code"))
    name = models.CharField(max_length=60, verbose_name=pgettext_lazy("thing", "Name"))
    pinyin = models.CharField(max_length=100, blank=True, db_collation="C", editable=False)
    initials = models.CharField(max_length=50, blank=True, db_collation="C", editable=False)
    category = models.CharField(max_length=20, choices=Category.choices, verbose_name=_("Category"))
    unit = models.CharField(max_length=10, choices=Unit.choices, verbose_name=_("Unit"))
    duration_minutes = models.PositiveSmallIntegerField(_("Duration (minutes)"))
    skill = models.CharField(max_length=20, choices=Skill.choices, default=Skill.NONE, verbose_name=_("Skill"))
    licence = models.CharField(
        max_length=20, choices=LicenceKind.choices, default=LicenceKind.NONE, verbose_name=_("Licence needed")
    )
    crew_size = models.PositiveSmallIntegerField(default=1, verbose_name=_("Workers needed"))
    risk_check_replaces_crew = models.BooleanField(
        default=False, verbose_name=_("Risk check instead of a second worker")
    )
    is_basic = models.BooleanField(default=False, verbose_name=_("Basic service"))
    is_voluntary = models.BooleanField(default=False, verbose_name=_("Fit for volunteers"))
    is_confidential = models.BooleanField(default=False, verbose_name=_("Confidential"))
    at_home = models.BooleanField(default=True, verbose_name=pgettext_lazy("catalogue", "At home"))
    sex_may_be_chosen = models.BooleanField(default=True, verbose_name=_("Family may choose the sex"))
    is_withdrawn = models.BooleanField(default=False, verbose_name=_("Withdrawn"))
    description = models.CharField(max_length=500, blank=True, verbose_name=_("Description"))
    source = models.CharField(max_length=100, blank=True, verbose_name=_("Source"))
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("Region"))
    path = PathField(db_index=True)

    scope = Scope(staff=Published(), provider=PUBLIC, worker=PUBLIC, family=PUBLIC)
    history = History()
    objects = DatedQuerySet.as_manager()

    class Meta:
        verbose_name = _("Service")
        ordering = ["category", "code", "valid_from"]
        constraints = [
            not_empty("serviceitem"),
            no_overlap("serviceitem", "path", "code"),
            models.CheckConstraint(
                name="serviceitem_duration", condition=Q(duration_minutes__gt=0, duration_minutes__lte=24 * 60)
            ),
            models.CheckConstraint(name="serviceitem_crew", condition=Q(crew_size__gte=1, crew_size__lte=6)),
            models.CheckConstraint(
                name="serviceitem_risk_check_of_crew", condition=Q(risk_check_replaces_crew=False) | Q(crew_size__gt=1)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Package(DatedRow):
    """One version of a composed service: items with their number per month, fitted to a kind of person (R-076)."""

    code = models.CharField(max_length=40, verbose_name=_("Code"))
    name = models.CharField(max_length=60, verbose_name=pgettext_lazy("thing", "Name"))
    audience = models.CharField(
        max_length=20, choices=Audience.choices, default=Audience.EVERYONE, verbose_name=_("Audience")
    )
    description = models.CharField(max_length=500, blank=True, verbose_name=_("Description"))
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("Region"))
    path = PathField(db_index=True)

    scope = Scope(staff=Published(), provider=PUBLIC, worker=PUBLIC, family=PUBLIC)
    history = History()
    objects = DatedQuerySet.as_manager()

    class Meta:
        verbose_name = _("Package")
        ordering = ["code", "valid_from"]
        constraints = [not_empty("package"), no_overlap("package", "path", "code")]

    def __str__(self) -> str:
        return self.name


class PackageItem(models.Model):
    """One line of a package. The item is named by code: the version is the one that holds on the day of the visit."""

    package = models.ForeignKey(Package, on_delete=models.CASCADE, related_name="lines", verbose_name=_("Package"))
    item_code = models.CharField(max_length=40, verbose_name=_("Service"))
    times_per_month = models.PositiveSmallIntegerField(_("Times per month"))
    note = models.CharField(max_length=200, blank=True, verbose_name=_("Note"))
    path = PathField(db_index=True)

    scope = Scope(staff=Published(), provider=PUBLIC, worker=PUBLIC, family=PUBLIC)
    history = History()
    objects = DatedQuerySet.as_manager()

    class Meta:
        verbose_name = _("Package line")
        ordering = ["package", "item_code"]
        constraints = [
            models.UniqueConstraint(fields=["package", "item_code"], name="packageitem_once"),
            models.CheckConstraint(
                name="packageitem_some", condition=Q(times_per_month__gt=0, times_per_month__lte=124)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_code} × {self.times_per_month}"
