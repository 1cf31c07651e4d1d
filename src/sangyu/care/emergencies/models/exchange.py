"""Telephone exchanges that report calls, and the secrets with which they sign (devices.md §7, docs/rooms/desk.md)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel.audit import History
from sangyu.kernel.scoping import PlaceRow

#: How an exchange is named, as a pattern of the whole.
NAME = r"[a-z0-9][a-z0-9-]{1,39}"


class Exchange(PlaceRow):
    """One exchange by the name in its X-Sangyu-Key. The secret is derived from name and ``version`` and stored nowhere.

    ``path``: the area of who entered it; its system administrators keep it. ``old_until``: until when the version before still holds, while the exchange changes over. ``stopped_at``: neither does any more.
    """

    name = models.CharField(pgettext_lazy("thing", "Name"), max_length=40, unique=True, db_collation="C")
    version = models.PositiveSmallIntegerField(_("Version of the secret"), default=1, editable=False)
    renewed_at = models.DateTimeField(_("Secret since"))
    old_until = models.DateTimeField(_("The one before holds until"), null=True, blank=True)
    stopped_at = models.DateTimeField(pgettext_lazy("exchange", "Stopped at"), null=True, blank=True)

    about = ""
    history = History()

    class Meta:
        verbose_name = _("telephone exchange")
        constraints = [
            models.CheckConstraint(name="exchange_name", condition=Q(name__regex=f"^{NAME}$")),
            models.CheckConstraint(name="exchange_version", condition=Q(version__gte=1)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def secret_masked(self) -> str:
        """Beside it the list offers to show it; "" for one that is stopped."""
        return "" if self.stopped_at else "••••••"
