"""What whoever helps must know of a person's health, kept apart from the status facts that decide entitlements (R-015, ux.md §6A)."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.audit import History
from sangyu.kernel.crypto import EncryptedTextField
from sangyu.kernel.scoping import PlaceRow, Scope, Within

from .enums import HealthKind

#: Characters of one note: the name of a disease or medicine with its dose, no case history.
MOST = 100


class HealthNote(PlaceRow):
    """A chronic condition, an allergy or a medicine of a person in ``[since, until)``; ``since`` None: nobody knows since when.

    Sensitive (PIPL 28): the words are sealed, staff see them with ``people.health`` and while consent to health data holds.
    """

    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="health_notes")
    kind = models.CharField(_("Kind"), max_length=10, choices=HealthKind.choices)
    words = EncryptedTextField(_("What"), purpose="people.health_note.words", blank=True)
    since = models.DateField(_("Since"), null=True, blank=True)
    until = models.DateField(_("Until"), null=True, blank=True)
    evidence = models.ForeignKey(
        "kernel.StoredFile",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("Evidence"),
    )
    source = models.CharField(_("Source"), max_length=200, blank=True)
    recorded_at = models.DateTimeField(_("Recorded"), default=timezone.now)
    recorded_by = models.CharField(_("Recorded by"), max_length=100)

    follows = "person"
    scope = Scope(staff=Within())
    history = History()

    class Meta:
        verbose_name = _("health note")
        constraints = [
            models.CheckConstraint(name="health_note_kind", condition=Q(kind__in=HealthKind.values)),
            models.CheckConstraint(
                name="health_note_until",
                condition=Q(until__isnull=True) | Q(since__isnull=True) | Q(until__gte=F("since")),
            ),
        ]
        indexes = [models.Index(fields=["person"], name="health_note_open", condition=Q(until__isnull=True))]

    def __str__(self) -> str:
        return str(self.get_kind_display())
