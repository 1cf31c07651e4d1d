"""What people keep about lists: saved views."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.scoping import Open, PathField, ScopedQuerySet, lineage


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
