"""What people keep about lists: saved views, acts on many rows with a result for each, exports."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.scoping import Open, PathField, PlaceRow, Scope, ScopedQuerySet, Subject, Via, Within, lineage


class SavedViewQuerySet(ScopedQuerySet):
    def offered_to(self, actor: Actor, page: str) -> "SavedViewQuerySet":
        """The actor's own views of ``page``, then those shared with its role by its region or one above."""
        own = Q(account_id=actor.account_id, role="") if actor.account_id else Q(pk__in=[])
        shared = Q(role=actor.role, path__in=lineage(actor.path)) if actor.role else Q(pk__in=[])
        return self.filter(own | shared, page=page).order_by("-role", "name", "pk")


class SavedView(models.Model):
    """Filters, order and columns of a list under a name: private (``role`` empty) or for one role in a region and below."""

    account_id = models.BigIntegerField(null=True)
    page = models.CharField(_("page"), max_length=100)
    name = models.CharField(_("name"), max_length=30)
    query = models.CharField(max_length=1000, blank=True)
    role = models.CharField(max_length=30, blank=True)
    path = PathField()
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    scope = Open("list settings; free search text is never stored in them", write="scope")
    objects = SavedViewQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="saved_view_own_name", fields=["account_id", "page", "name"], condition=Q(role="")
            ),
            models.UniqueConstraint(
                name="saved_view_role_name", fields=["role", "path", "page", "name"], condition=~Q(role="")
            ),
            models.UniqueConstraint(
                name="saved_view_own_default", fields=["account_id", "page"], condition=Q(is_default=True, role="")
            ),
        ]

    def __str__(self) -> str:
        return self.name


#: Staff by region; the others their own, whose ids are numbered per audience.
_OF_WHO_ACTED = Scope(
    staff=Within(),
    provider=Subject("subject_id", "audience"),
    worker=Subject("subject_id", "audience"),
    family=Subject("subject_id", "audience"),
)


class ActOfActor(PlaceRow):
    """Who did it, from where and when."""

    page = models.CharField(max_length=200)
    title = models.CharField(_("list"), max_length=100)
    audience = models.CharField(max_length=10)
    subject_id = models.BigIntegerField(null=True)
    account_id = models.BigIntegerField(null=True)
    actor = models.CharField(_("who"), max_length=100)
    role = models.CharField(_("role"), max_length=30, blank=True)
    at = models.DateTimeField(_("when"), default=timezone.now)

    scope = _OF_WHO_ACTED

    class Meta:
        abstract = True


class BulkRun(ActOfActor):
    """One act on many rows of a list: ``page`` ("module:Class") and ``act`` name it, ``params`` are what was asked.

    ``undoes`` is the run that this one takes back. ``operation_id`` is set when it runs in the background.
    """

    act = models.CharField(max_length=40)
    label = models.CharField(_("act"), max_length=100)
    params = models.JSONField(default=dict)
    kwargs = models.JSONField(default=dict)
    query = models.CharField(max_length=2000, blank=True)
    count = models.PositiveIntegerField(_("rows"), default=0)
    finished_at = models.DateTimeField(null=True)
    undoes = models.OneToOneField("self", null=True, on_delete=models.CASCADE, related_name="undone_by")
    operation_id = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("act on many rows")
        indexes = [models.Index(fields=["account_id", "-id"], name="bulk_run_own")]

    def __str__(self) -> str:
        return self.label


class BulkRow(PlaceRow):
    """One row of a run: waiting, done, or refused with the reason. ``kept`` is what the act needs to take it back."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DONE = "done", _("Done")
        REFUSED = "refused", _("Refused")

    run = models.ForeignKey(BulkRun, on_delete=models.CASCADE, related_name="rows")
    row_id = models.BigIntegerField()
    name = models.CharField(_("Row"), max_length=200, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING, db_default=State.WAITING)
    message = models.CharField(_("Why not"), max_length=500, blank=True)
    kept = models.JSONField(null=True)

    scope = Scope(staff=Within(), provider=Via("run_id", "ui.BulkRun"), worker=Via("run_id", "ui.BulkRun"))

    class Meta:
        verbose_name = _("row of an act")
        constraints = [models.UniqueConstraint(fields=["run", "row_id"], name="bulk_row_once")]
        indexes = [models.Index(fields=["run", "state", "id"], name="bulk_row_state")]

    def __str__(self) -> str:
        return self.name or str(self.row_id)


class Export(ActOfActor):
    """One file with the rows of a list: its ``number`` stands on every page of it. Read by the audit administrator."""

    number = models.CharField(_("number"), max_length=40, unique=True)
    query = models.CharField(_("conditions"), max_length=2000, blank=True)
    columns = models.CharField(_("columns"), max_length=1000)
    rows = models.PositiveIntegerField(_("rows"), default=0)
    left_out = models.PositiveIntegerField(_("left out"), default=0)
    personal = models.CharField(max_length=60, blank=True)
    file_id = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("export")
        indexes = [models.Index(fields=["path", "-at"], name="export_recent")]

    def __str__(self) -> str:
        return self.number
