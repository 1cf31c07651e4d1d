"""Steps that the services of this room share. Called inside an open scope."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import NotVisible, Refused

from .enums import LineState
from .models import StatusLine


def locked_lines(ids: Iterable[int]) -> list[StatusLine]:
    """The lines that the open scope sees, locked, in the order of ids."""
    rows = StatusLine.objects.select_for_update(of=("self",)).select_related("status_list")
    return list(rows.filter(pk__in=list(ids)).order_by("id"))


def line_to_settle(line_id: int) -> StatusLine:
    """An open line, locked. Raises NotVisible, Refused when it is settled."""
    found = locked_lines([line_id])
    if not found:
        raise NotVisible
    if found[0].state != LineState.OPEN:
        raise Refused(_("This line is settled already."), code="statuslists.settled")
    return found[0]


def settle(lines: Sequence[StatusLine], state: str, actor: Actor, reason: str, now: datetime | None) -> None:
    """Mark ``lines`` as settled."""
    StatusLine.objects.filter(pk__in=[line.pk for line in lines]).update(
        state=state, decided_at=now or timezone.now(), decided_by=actor.name, reason=reason[:200]
    )
