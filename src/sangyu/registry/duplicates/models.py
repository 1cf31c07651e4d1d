"""Pairs of files to compare, and the passes that found them (docs/rooms/duplicates.md)."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.audit import History
from sangyu.kernel.scoping import PlaceRow

from .enums import PassKind, State


class Candidate(PlaceRow):
    """Two files that may be one person's. ``path`` is the lowest region that sees both.

    ``prints`` are fingerprints of what was compared, of both files, when somebody decided: the pair comes back to the queue
    only when one of them is no longer so.
    """

    first = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="+")
    second = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="+")
    score = models.FloatField(_("Score"))
    levels = ArrayField(models.CharField(max_length=30))
    rules = models.PositiveIntegerField()
    state = models.CharField(_("State"), max_length=10, choices=State.choices, default=State.OPEN)
    found_at = models.DateTimeField(_("Found"), default=timezone.now)
    decided_at = models.DateTimeField(_("Decided at"), null=True)
    decided_by = models.CharField(_("Decided by"), max_length=100, blank=True)
    reason = models.CharField(_("Reason"), max_length=300, blank=True)
    prints = ArrayField(models.CharField(max_length=32), default=list)
    merge_id = models.BigIntegerField(null=True)

    history = History(hidden=("score", "levels"))

    class Meta:
        verbose_name = _("possible duplicate")
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="candidate_once"),
            models.CheckConstraint(name="candidate_in_order", condition=Q(first__lt=F("second"))),
            models.CheckConstraint(
                name="candidate_decided_is_dated",
                condition=Q(state="open", decided_at__isnull=True) | (~Q(state="open") & Q(decided_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(fields=["path", "-score"], name="candidate_queue", condition=Q(state="open")),
            models.Index(fields=["second"], name="candidate_second"),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} ↔ {self.second_id}"


class Pass(PlaceRow):
    """One search through the files of a region. ``until`` is the time up to which changes were seen."""

    kind = models.CharField(max_length=6, choices=PassKind.choices)
    rules = models.PositiveIntegerField()
    until = models.DateTimeField()
    compared = models.BigIntegerField()
    found = models.IntegerField()
    new = models.IntegerField()
    ended_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["path", "-until"], name="duplicate_pass_newest")]

    def __str__(self) -> str:
        return f"{self.kind} {self.until:%Y-%m-%d %H:%M}"
