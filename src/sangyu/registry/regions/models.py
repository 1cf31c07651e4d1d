"""Region tree: a stable id, a fixed-width path from the root, dated names and dated official codes."""

from django.db import models
from django.db.models import F, Q

from sangyu.kernel.audit import History
from sangyu.kernel.scoping import Open, PathField, ScopedQuerySet

from .enums import Level


class Region(models.Model):
    """One area of the tree. The id never changes; the path changes only by merge, split or re-parenting (logged).

    ``code`` and ``name`` are the current ones, kept for display; RegionCode and RegionName hold them with dates.
    """

    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    level = models.PositiveSmallIntegerField(choices=Level.choices)
    path = PathField(unique=True)
    name = models.CharField(max_length=60)
    full_name = models.CharField(max_length=200)
    code = models.CharField(max_length=12, db_index=True)
    pinyin = models.CharField(max_length=60, db_collation="C", blank=True)
    urban = models.BooleanField(null=True)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    successor = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="predecessors")

    scope = Open("public administrative divisions", write="scope")
    history = History()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="region_ends_after_start", condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from"))),
        ]

    def __str__(self) -> str:
        return self.name


class RegionCode(models.Model):
    """An official 12-digit code of a region, by source, with dates. Sources disagree, so a code is never a key."""

    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="codes")
    source = models.CharField(max_length=20)
    code = models.CharField(max_length=12, db_index=True)
    name = models.CharField(max_length=60)
    urban_rural_class = models.CharField(max_length=3, blank=True)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)

    scope = Open("public administrative divisions", write="scope")
    history = History()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "code", "valid_from"], name="region_code_once")]

    def __str__(self) -> str:
        return f"{self.source} {self.code}"
