"""What can be ordered: items and packages, published by a region, changed only by new dated versions (R-184)."""

from django.db import models
from django.db.models import Q

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

    code = models.CharField(max_length=40)
    name = models.CharField(max_length=60)
    pinyin = models.CharField(max_length=100, blank=True, db_collation="C", editable=False)
    initials = models.CharField(max_length=50, blank=True, db_collation="C", editable=False)
    category = models.CharField(max_length=20, choices=Category.choices)
    unit = models.CharField(max_length=10, choices=Unit.choices)
    duration_minutes = models.PositiveSmallIntegerField()
    skill = models.CharField(max_length=20, choices=Skill.choices, default=Skill.NONE)
    licence = models.CharField(max_length=20, choices=LicenceKind.choices, default=LicenceKind.NONE)
    crew_size = models.PositiveSmallIntegerField(default=1)
    risk_check_replaces_crew = models.BooleanField(default=False)
    is_basic = models.BooleanField(default=False)
    is_voluntary = models.BooleanField(default=False)
    is_confidential = models.BooleanField(default=False)
    at_home = models.BooleanField(default=True)
    sex_may_be_chosen = models.BooleanField(default=True)
    is_withdrawn = models.BooleanField(default=False)
    description = models.CharField(max_length=500, blank=True)
    source = models.CharField(max_length=100, blank=True)
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+")
    path = PathField(db_index=True)

    scope = Scope(staff=Published(), provider=PUBLIC, worker=PUBLIC, family=PUBLIC)
    history = History()
    objects = DatedQuerySet.as_manager()

    class Meta:
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

    code = models.CharField(max_length=40)
    name = models.CharField(max_length=60)
    audience = models.CharField(max_length=20, choices=Audience.choices, default=Audience.EVERYONE)
    description = models.CharField(max_length=500, blank=True)
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+")
    path = PathField(db_index=True)

    scope = Scope(staff=Published(), provider=PUBLIC, worker=PUBLIC, family=PUBLIC)
    history = History()
    objects = DatedQuerySet.as_manager()

    class Meta:
        ordering = ["code", "valid_from"]
        constraints = [not_empty("package"), no_overlap("package", "path", "code")]

    def __str__(self) -> str:
        return self.name


class PackageItem(models.Model):
    """One line of a package. The item is named by code: the version is the one that holds on the day of the visit."""

    package = models.ForeignKey(Package, on_delete=models.CASCADE, related_name="lines")
    item_code = models.CharField(max_length=40)
    times_per_month = models.PositiveSmallIntegerField()
    note = models.CharField(max_length=200, blank=True)
    path = PathField(db_index=True)

    scope = Scope(staff=Published(), provider=PUBLIC, worker=PUBLIC, family=PUBLIC)
    history = History()
    objects = DatedQuerySet.as_manager()

    class Meta:
        ordering = ["package", "item_code"]
        constraints = [
            models.UniqueConstraint(fields=["package", "item_code"], name="packageitem_once"),
            models.CheckConstraint(
                name="packageitem_some", condition=Q(times_per_month__gt=0, times_per_month__lte=124)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_code} × {self.times_per_month}"
