"""What was merged, and every row as it was before and after (docs/adr/0013-duplicates-and-merge.md)."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from ..audit import History
from ..scoping import PlaceRow, Scope, ScopedQuerySet, Via


class Merge(PlaceRow):
    """Row ``gone_id`` of a kind ("people.Person") went into ``kept_id``. ``left`` are rows that stayed with the gone one."""

    kind = models.CharField(max_length=60)
    kept_id = models.BigIntegerField()
    gone_id = models.BigIntegerField()
    at = models.DateTimeField(default=timezone.now)
    account_id = models.BigIntegerField(null=True)
    actor = models.CharField(max_length=100)
    reason = models.CharField(max_length=500, blank=True)
    choices = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    left = models.JSONField(default=list)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=100, blank=True)
    undone_reason = models.CharField(max_length=500, blank=True)
    not_restored = models.JSONField(default=list)

    history = History()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "gone_id"], name="merge_once", condition=Q(undone_at__isnull=True)),
            models.CheckConstraint(name="merge_of_two", condition=~Q(kept_id=F("gone_id"))),
        ]
        indexes = [models.Index(fields=["kind", "kept_id"], name="merge_kept")]

    def __str__(self) -> str:
        return f"{self.kind} {self.gone_id} → {self.kept_id}"


class MergedRow(models.Model):
    """One row that a merge wrote: ``op`` U (changed) or I (made), with the whole row before and after as JSON.

    Encrypted columns are ciphertext here as in the table. Written by ``sangyu.merge_*`` only.
    """

    merge = models.ForeignKey(Merge, on_delete=models.PROTECT, related_name="rows")
    table_name = models.CharField(max_length=63)
    row_id = models.BigIntegerField()
    op = models.CharField(max_length=1)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    scope = Scope(staff=Via("merge_id", "merging.Merge"), write=False)
    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.op} {self.table_name} {self.row_id}"
