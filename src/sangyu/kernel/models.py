"""Tables of the kernel: sharing, history, reads, outbox, operations, files, numbering, calendar."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .actor import Actor
from .audit import History
from .scoping import Open, PathField, PlaceRow, Scope, ScopedQuerySet, Subject, Within

#: Rows of one actor: staff by region; the others by subject, whose ids are numbered per audience.
OWN_SUBJECT = Scope(
    staff=Within(),
    provider=Subject("subject_id", "audience"),
    worker=Subject("subject_id", "audience"),
    family=Subject("subject_id", "audience"),
)


class ShareQuerySet(ScopedQuerySet):
    def live_for(self, actor: Actor, kind: str) -> "ShareQuerySet":
        """Shares of ``kind`` that hold now for the actor's subject."""
        now = timezone.now()
        return self.filter(
            Q(until__isnull=True) | Q(until__gt=now),
            audience=actor.audience.value,
            subject_id=actor.subject_id,
            kind=kind,
            since__lte=now,
        )


class Share(models.Model):
    """One object shown to one subject outside the region rule: a case with its worker, an elder with a consented
    relative.
    """

    audience = models.CharField(max_length=10)
    subject_id = models.BigIntegerField()
    kind = models.CharField(max_length=30)
    object_id = models.BigIntegerField()
    path = PathField(db_index=True)
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200)

    scope = OWN_SUBJECT
    objects = ShareQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["audience", "subject_id", "kind", "object_id"], name="share_once"),
        ]

    def __str__(self) -> str:
        return f"{self.audience} {self.subject_id} ← {self.kind} {self.object_id}"


class Change(models.Model):
    """History: one changed row. ``fields`` maps field → [old, new]; empty for an insert. Written by trigger only."""

    at = models.DateTimeField()
    txid = models.BigIntegerField()
    table_name = models.CharField(max_length=63)
    row_id = models.BigIntegerField()
    op = models.CharField(max_length=1)
    fields = models.JSONField()
    path = PathField()
    account_id = models.BigIntegerField(null=True)
    actor = models.CharField(max_length=100)
    role = models.CharField(max_length=30, blank=True, db_default="")
    reason = models.CharField(max_length=500, blank=True)
    source = models.CharField(max_length=100, blank=True)

    scope = Scope(staff=Within())
    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["table_name", "row_id", "id"], name="change_row")]

    def __str__(self) -> str:
        return f"{self.op} {self.table_name} {self.row_id}"


class DataRead(PlaceRow):
    """A purposeful look at personal data: who, what, why (standards §6.4)."""

    at = models.DateTimeField(default=timezone.now)
    table_name = models.CharField(max_length=63)
    row_id = models.BigIntegerField()
    what = models.CharField(max_length=60)
    purpose = models.CharField(max_length=200)
    account_id = models.BigIntegerField(null=True)
    actor = models.CharField(max_length=100)

    class Meta:
        indexes = [models.Index(fields=["table_name", "row_id", "id"], name="dataread_row")]

    def __str__(self) -> str:
        return f"{self.actor} read {self.what}"


class Event(PlaceRow):
    """Outbox: what happened, with ids only. Written in the transaction of the act; relayed to NATS after it."""

    name = models.CharField(max_length=60)
    payload = models.JSONField()
    at = models.DateTimeField(default=timezone.now)
    account_id = models.BigIntegerField(null=True)
    actor = models.CharField(max_length=100)
    relayed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["id"], name="event_unrelayed", condition=Q(relayed_at__isnull=True))]

    def __str__(self) -> str:
        return f"{self.name} {self.id}"


class Sequence(models.Model):
    """Running number per name, day and region code; taken under a row lock by ``numbering.next_number``."""

    name = models.CharField(max_length=40, unique=True)
    value = models.BigIntegerField(default=0)

    scope = Open("counters without personal data", write="scope")

    def __str__(self) -> str:
        return self.name


class CalendarDay(models.Model):
    """A day on which the working calendar differs from the shipped one, set by an administrator."""

    day = models.DateField(unique=True)
    is_working = models.BooleanField()
    name = models.CharField(max_length=60, blank=True)

    scope = Open("public holidays", write="scope")
    history = History()

    def __str__(self) -> str:
        return f"{self.day}"


class Operation(PlaceRow):
    """Long-running work as a row people can watch: progress, result, errors, cancel (design rule 10)."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    kind = models.CharField(max_length=60)
    title = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    account_id = models.BigIntegerField(null=True)
    subject_id = models.BigIntegerField(null=True)
    audience = models.CharField(max_length=10)
    actor = models.CharField(max_length=100)
    role = models.CharField(max_length=30, blank=True)
    grant_id = models.BigIntegerField(null=True)
    region_name = models.CharField(max_length=60, blank=True)
    permissions = models.JSONField(default=list)
    job_id = models.BigIntegerField(null=True)
    params = models.JSONField(default=dict)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True)
    result = models.JSONField(null=True)
    error = models.TextField(blank=True)
    cancel_requested_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    scope = OWN_SUBJECT

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="operation_finished_at_fits_state",
                condition=Q(state__in=["waiting", "running"], finished_at__isnull=True)
                | Q(state__in=["done", "failed", "cancelled"], finished_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class StoredFile(PlaceRow):
    """One uploaded or produced file; the bytes lie in Django storage under ``name``. ``owner`` names the row it
    belongs to.

    Who sees the owner sees the file, unless it is ``private``: then only the account that saved it.
    """

    owner_table = models.CharField(max_length=63)
    owner_id = models.BigIntegerField(null=True)
    name = models.CharField(max_length=200, unique=True)
    title = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    private = models.BooleanField(default=False)
    account_id = models.BigIntegerField(null=True)
    audience = models.CharField(max_length=10)
    subject_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    delete_after = models.DateTimeField(null=True)

    scope = OWN_SUBJECT

    class Meta:
        indexes = [
            models.Index(fields=["owner_table", "owner_id"], name="file_owner"),
            models.Index(fields=["delete_after"], name="file_expiring", condition=Q(delete_after__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.title
