"""Long work of the register."""

from datetime import date

from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Refused
from sangyu.kernel.operations import Progress, operation

from . import areas
from .models import Person

CHUNK = 5_000


@operation("people.divide", restart=True)
def divide(op: Progress, actor: Actor, *, ids: list[int], region: int, day: str, reason: str) -> None:
    """Give the persons ``ids`` to ``region`` from ``day`` on; all or none, and as many persons afterwards as before."""
    op.total(len(ids))
    seen = Person.objects.visible_to(actor).filter(pk__in=ids)
    before, moved, refused = seen.count(), 0, 0
    for start in range(0, len(ids), CHUNK):
        done = areas.reassign(
            actor=actor, ids=ids[start : start + CHUNK], region_id=region, day=date.fromisoformat(day), reason=reason
        )
        moved, refused = moved + len(done.previous), refused + len(done.refused)
        op.advance(len(done.previous) + len(done.refused))
    after = seen.count()
    if after != before:
        raise Refused(_("The totals before and after differ: nothing was changed."), code="people.totals")
    op.result(moved=moved, refused=refused, before=before, after=after)
