"""What a panel decided on an application whose policy leaves the amount to one (R-057, R-058)."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.scoping import Scope, ScopedQuerySet, Via


class PanelDecision(models.Model):
    """One decision of a panel: day, members with their votes, amount in fen, minutes. A correction is a further row; the last
    one counts and stands on the application as ``decided_amount``.

    ``members``: {name, position, vote}, the first one leads. Rows are added and never changed.
    """

    application = models.ForeignKey("applications.Application", on_delete=models.PROTECT, related_name="decisions")
    held_on = models.DateField(_("Held on"))
    amount = models.BigIntegerField(_("Decided amount"))
    document = models.CharField(_("Document of the decision"), max_length=100)
    file = models.ForeignKey(
        "kernel.StoredFile", null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("File")
    )
    members = models.JSONField(_("Members of the panel"))
    made_at = models.DateTimeField(_("Recorded at"), default=timezone.now)
    actor = models.CharField(_("Recorded by"), max_length=100)

    scope = Scope(staff=Via("application_id", "applications.Application"), write="insert")
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("panel decision")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="panel_decision_whole", condition=Q(amount__gte=0) & ~Q(document="") & ~Q(members=[])
            )
        ]

    def __str__(self) -> str:
        return self.document
