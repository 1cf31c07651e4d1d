"""When a worker is there: weekly hours and leave."""

from datetime import date, datetime, time
from itertools import pairwise
from typing import NamedTuple

from django.db.models import Q
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.services import service

from ..enums import LeaveKind, Weekday
from ..models import Leave, Shift
from ._shared import check_word, own_worker


class Hours(NamedTuple):
    """Working hours on one ISO weekday; a day may have several."""

    weekday: int
    starts: time
    ends: time


@service("workforce.manage")
def set_hours(*, actor: Actor, worker_id: int, hours: list[Hours], valid_from: date) -> list[Shift]:
    """The weekly hours from ``valid_from`` on; those before end there. An empty list = free at all times.

    Raises Invalid for hours that end before they start or overlap.
    """
    row = own_worker(actor, worker_id)
    hours = sorted(Hours(*h) for h in hours)
    for h in hours:
        if h.weekday not in Weekday.values or h.ends <= h.starts:
            raise Invalid({"hours": [_("Hours end after they start, on a weekday from 1 to 7.")]})
    for first, second in pairwise(hours):
        if first.weekday == second.weekday and second.starts < first.ends:
            raise Invalid({"hours": [_("Hours of one day overlap.")]})
    own = Shift.objects.filter(worker=row)
    own.filter(valid_from__gte=valid_from).delete()
    own.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=valid_from)).update(valid_to=valid_from)
    return Shift.objects.bulk_create(Shift(worker=row, **h._asdict(), valid_from=valid_from) for h in hours)


@service("workforce.manage")
def record_leave(*, actor: Actor, worker_id: int, kind: str, starts: datetime, ends: datetime, note: str = "") -> Leave:
    """Record time away in ``[starts, ends)`` (R-157). Raises Refused when it overlaps another leave."""
    row = own_worker(actor, worker_id)
    check_word("kind", kind, LeaveKind)
    if ends <= starts:
        raise Invalid({"ends": [_("The end must be after the start.")]})
    if Leave.objects.filter(worker=row, starts__lt=ends, ends__gt=starts).exists():
        raise Refused(_("There is leave at that time already."), code="workforce.leave_overlap")
    return Leave.objects.create(worker=row, kind=kind, starts=starts, ends=ends, note=note)


@service("workforce.manage")
def cancel_leave(*, actor: Actor, leave_id: int, now: datetime) -> None:
    """Take back leave that has not begun; leave under way ends now; past leave stays."""
    row = Leave.objects.filter(pk=leave_id).first()
    if row is None:
        raise NotVisible
    own_worker(actor, row.worker_id)
    if row.ends <= now:
        raise Refused(_("This leave is over."), code="workforce.leave_over")
    if row.starts >= now:
        row.delete()
        return
    row.ends = now
    row.save(update_fields=["ends"])
