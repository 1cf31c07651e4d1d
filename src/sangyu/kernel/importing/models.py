"""An import on its way, the problems of its rows, rows held for a decision, and column matchings used before."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from sangyu.kernel.audit import History
from sangyu.kernel.crypto import EncryptedTextField
from sangyu.kernel.models import OWN_SUBJECT
from sangyu.kernel.scoping import Open, PlaceRow, Scope, ScopedQuerySet, Via, Within


class ImportBatch(PlaceRow):
    """One uploaded workbook. Its rows stay in the file, which is kept for 30 days; the register gets them on commit."""

    class State(models.TextChoices):
        READ = "read"
        MATCH = "match"
        CHECK = "check"
        PREVIEW = "preview"
        RUNNING = "running"
        DONE = "done"

    kind = models.CharField(max_length=40)
    state = models.CharField(max_length=10, choices=State.choices, default=State.MATCH)
    file = models.ForeignKey("kernel.StoredFile", on_delete=models.PROTECT, related_name="+")
    file_name = models.CharField(max_length=200)
    table = models.ForeignKey("kernel.StoredFile", null=True, on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=60, blank=True)
    settings = models.JSONField(default=dict)
    header_row = models.PositiveIntegerField(default=0)
    sheet = models.PositiveSmallIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0)
    headers = models.JSONField(default=list)
    samples = models.JSONField(default=list)
    matching = models.JSONField(default=dict)
    signature = models.CharField(max_length=64, blank=True)
    counts = models.JSONField(default=dict)
    operation = models.ForeignKey("kernel.Operation", null=True, on_delete=models.PROTECT, related_name="+")
    rejected_file = models.ForeignKey("kernel.StoredFile", null=True, on_delete=models.PROTECT, related_name="+")
    account_id = models.BigIntegerField(null=True)
    audience = models.CharField(max_length=10)
    subject_id = models.BigIntegerField(null=True)
    actor = models.CharField(max_length=100)
    #: An exchange by API: the caller's own key, and what it sent under it.
    key = models.CharField(max_length=120, null=True)
    digest = models.CharField(max_length=64, blank=True)
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
            models.UniqueConstraint(fields=["kind", "account_id", "key"], name="import_key_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.file_name}"

    @property
    def origin(self) -> str:
        """Where the rows come from, in words: the named source, else the file."""
        return self.source or self.file_name[:60]

    def source_of(self, number: int) -> str:
        """What records and their history say of one row: 「站前街道花名册」 row 17."""
        return _("%(origin)s, row %(row)d") % {"origin": self.origin, "row": number}


class ImportProblem(models.Model):
    """Why one row was not taken: where, what was written (numbers masked), what is wrong and what to do."""

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="problems")
    row = models.PositiveIntegerField()
    name = models.CharField(max_length=60, blank=True)
    held = models.BooleanField(default=False)
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


class HeldRow(PlaceRow):
    """A row of a committed import that may be somebody registered already: kept until a person decides (R-026).

    ``cells`` is the row as it was, by field, as JSON; ``candidates`` are ids in the importing room, ``record_id`` what came of it.
    """

    class State(models.TextChoices):
        OPEN = "open", _lazy("To decide")
        SAME = "same", _lazy("Same person, updated")
        OTHER = "other", _lazy("Somebody else, registered")
        DROPPED = "dropped", _lazy("Not taken")

    batch = models.ForeignKey(ImportBatch, on_delete=models.PROTECT, related_name="held")
    kind = models.CharField(max_length=40)
    row = models.PositiveIntegerField()
    name = models.CharField(_lazy("Name"), max_length=60, blank=True)
    code = models.CharField(max_length=40)
    message = models.CharField(_lazy("Why it is held"), max_length=300)
    cells = EncryptedTextField(purpose="importing.held.cells")
    candidates = models.JSONField(default=list)
    source = models.CharField(_lazy("Source"), max_length=100)
    state = models.CharField(_lazy("State"), max_length=10, choices=State.choices, default=State.OPEN)
    record_id = models.BigIntegerField(null=True)
    decided_at = models.DateTimeField(_lazy("Decided at"), null=True)
    decided_by = models.CharField(_lazy("Decided by"), max_length=100, blank=True)
    reason = models.CharField(_lazy("Reason"), max_length=200, blank=True)

    scope = Scope(staff=Within())
    history = History(hidden=("cells",))

    class Meta:
        verbose_name = _lazy("held row")
        constraints = [
            models.UniqueConstraint(fields=["batch", "row"], name="held_once"),
            models.CheckConstraint(
                name="held_decided_whole",
                condition=Q(state="open", decided_at__isnull=True) | (~Q(state="open") & Q(decided_at__isnull=False)),
            ),
        ]
        indexes = [models.Index(fields=["kind", "path"], name="held_open", condition=Q(state="open"))]

    def __str__(self) -> str:
        return f"{self.name} ({self.source})"


class ColumnMatching(models.Model):
    """How the columns of a known heading row of a named source ("" = any) were matched last time."""

    kind = models.CharField(max_length=40)
    source = models.CharField(max_length=60, blank=True)
    signature = models.CharField(max_length=64)
    matching = models.JSONField()
    used_at = models.DateTimeField(default=timezone.now)

    scope = Open("column headings without personal data", write="scope")
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "source", "signature"], name="matching_once")]

    def __str__(self) -> str:
        return self.signature[:8]
