"""Region tree: a stable id, a fixed-width path from the root, dated names and dated official codes (R-001)."""

from datetime import date

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel.audit import History
from sangyu.kernel.scoping import Open, PathField, ScopedQuerySet

from .enums import ChangeKind, Flag, Level, Source

#: Start of what was there before the first list was loaded.
BEFORE = date(2000, 1, 1)


class Region(models.Model):
    """One area of the tree. The id never changes; the path changes only by merge, split or re-parenting (logged).

    ``code`` and ``name`` are the current ones, kept for display; RegionCode holds the codes with dates, RegionName the
    earlier names. ``urban`` is a residents' committee (True) or a village (False). Points are WGS-84,
    ``approximate`` unless surveyed.
    """

    parent = models.ForeignKey(
        "self", null=True, verbose_name=_("Part of"), on_delete=models.PROTECT, related_name="children"
    )
    level = models.PositiveSmallIntegerField(_("Region level"), choices=Level.choices)
    path = PathField(unique=True)
    name = models.CharField(_("Region name"), max_length=60)
    full_name = models.CharField(_("Full region name"), max_length=200)
    code = models.CharField(_("Division code"), max_length=12, db_index=True)
    pinyin = models.CharField(max_length=60, db_collation="C", blank=True)
    urban = models.BooleanField(null=True)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    approximate = models.BooleanField(default=True)
    flag = models.CharField(_("Remark"), max_length=12, choices=Flag.choices, blank=True, default=Flag.NONE)
    valid_from = models.DateField(pgettext_lazy("region", "Since"))
    valid_to = models.DateField(_("Ended on"), null=True)
    successor = models.ForeignKey(
        "self", null=True, verbose_name=_("Went into"), on_delete=models.PROTECT, related_name="predecessors"
    )

    scope = Open("public administrative divisions", write="scope")
    history = History()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("region")
        constraints = [
            models.CheckConstraint(
                name="region_ends_after_start", condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from"))
            ),
            models.CheckConstraint(
                name="region_successor_of_ended", condition=Q(successor__isnull=True) | Q(valid_to__isnull=False)
            ),
        ]
        indexes = [models.Index(fields=["pinyin"], name="region_pinyin")]

    def __str__(self) -> str:
        return self.name


class RegionCode(models.Model):
    """An official 12-digit code of a region, by source, with dates. Sources disagree, so a code is never a key.

    ``listed_on`` is the date of the list it was read from; ``name`` is the official name there.
    """

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="codes")
    source = models.CharField(_("Source"), max_length=20, choices=Source.choices)
    code = models.CharField(max_length=12, db_index=True)
    name = models.CharField(max_length=60)
    urban_rural_class = models.CharField(max_length=3, blank=True)
    listed_on = models.DateField(null=True)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)

    scope = Open("public administrative divisions", write="scope")
    history = History()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "code", "valid_from"], name="region_code_once")]

    def __str__(self) -> str:
        return f"{self.source} {self.code}"


class RegionName(models.Model):
    """An earlier name of a region: it held in ``[valid_from, valid_to)``."""

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="names")
    name = models.CharField(max_length=60)
    valid_from = models.DateField()
    valid_to = models.DateField()

    scope = Open("public administrative divisions", write="scope")
    history = History()

    class Meta:
        constraints = [
            models.CheckConstraint(name="region_name_not_empty", condition=Q(valid_to__gt=F("valid_from"))),
        ]

    def __str__(self) -> str:
        return self.name


class RegionChange(models.Model):
    """One operation on the tree: what was done to which regions on which day, and how many rows of each table moved."""

    kind = models.CharField(_("Kind"), max_length=10, choices=ChangeKind.choices)
    day = models.DateField()
    before = ArrayField(models.BigIntegerField())
    after = ArrayField(models.BigIntegerField())
    moved = models.JSONField(default=dict)
    #: Rows of each table at and under the regions concerned: the same before and after.
    totals = models.JSONField(default=dict)
    reason = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(default=timezone.now)
    account_id = models.BigIntegerField(null=True)
    actor = models.CharField(max_length=100)

    scope = Open("changes of public administrative divisions", write="scope")

    def __str__(self) -> str:
        return f"{self.kind} {self.day}"
