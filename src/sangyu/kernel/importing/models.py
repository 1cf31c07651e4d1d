"""An import on its way, the problems of its rows, and the column matching that was used before."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from sangyu.kernel.models import OWN_SUBJECT
from sangyu.kernel.scoping import Open, PlaceRow, Scope, ScopedQuerySet, Via


class ImportBatch(PlaceRow):
    """One uploaded workbook. Its rows stay in the file, which is kept for 30 days; the register gets them on commit."""

    class State(models.TextChoices):
        MATCH = "match"
        PREVIEW = "preview"
        RUNNING = "running"
        DONE = "done"

    kind = models.CharField(max_length=40)
    state = models.CharField(max_length=10, choices=State.choices, default=State.MATCH)
    file = models.ForeignKey("kernel.StoredFile", on_delete=models.PROTECT, related_name="+")
    file_name = models.CharField(max_length=200)
    header_row = models.PositiveIntegerField()
    sheet = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField()
    samples = models.JSONField(default=list)
    matching = models.JSONField()
    signature = models.CharField(max_length=64)
    counts = models.JSONField(default=dict)
    operation = models.ForeignKey("kernel.Operation", null=True, on_delete=models.PROTECT, related_name="+")
    rejected_file = models.ForeignKey("kernel.StoredFile", null=True, on_delete=models.PROTECT, related_name="+")
    account_id = models.BigIntegerField(null=True)
    audience = models.CharField(max_length=10)
    subject_id = models.BigIntegerField(null=True)
    actor = models.CharField(max_length=100)
    created_at = models.DateTimeField(default=timezone.now)
    committed_at = models.DateTimeField(null=True)

    scope = OWN_SUBJECT

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="import_committed_fits_state",
                condition=Q(state="done", committed_at__isnull=False)
                | (~Q(state="done") & Q(committed_at__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.file_name}"


class ImportProblem(models.Model):
    """Why one row was not taken: where, what was written (numbers masked), what is wrong and what to do."""

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="problems")
    row = models.PositiveIntegerField()
    name = models.CharField(max_length=60, blank=True)
    field = models.CharField(max_length=40)
    column = models.CharField(max_length=100, blank=True)
    value = models.CharField(max_length=100, blank=True)
    code = models.CharField(max_length=40)
    message = models.CharField(max_length=300)

    scope = Scope(
        staff=Via("batch_id", "importing.ImportBatch"),
        provider=Via("batch_id", "importing.ImportBatch"),
        worker=Via("batch_id", "importing.ImportBatch"),
        family=Via("batch_id", "importing.ImportBatch"),
    )
    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["row", "id"]

    def __str__(self) -> str:
        return f"{self.row}: {self.message}"


class ColumnMatching(models.Model):
    """How the columns of a known heading row were matched last time."""

    kind = models.CharField(max_length=40)
    signature = models.CharField(max_length=64)
    matching = models.JSONField()
    used_at = models.DateTimeField(default=timezone.now)

    scope = Open("column headings without personal data", write="scope")
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "signature"], name="matching_once")]

    def __str__(self) -> str:
        return self.signature[:8]
