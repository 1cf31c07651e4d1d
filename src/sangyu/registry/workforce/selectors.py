"""Who may be sent, when, and why not. All answers are for the rows that the open scope sees."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Length, StrIndex
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.blocks import Block
from sangyu.kernel.dated import valid_on
from sangyu.kernel.errors import NotVisible
from sangyu.registry.catalogue.enums import Skill
from sangyu.registry.catalogue.selectors import as_item

from .enums import ClearanceKind, State
from .models import Acknowledgement, Certificate, Clearance, Duty, Leave, Shift, Worker


@dataclass(frozen=True, slots=True)
class Candidate:
    """One worker asked for one visit; may be sent when nothing blocks. Load, distance and continuity are added by dispatch."""

    worker_id: int
    name: str
    sex: str
    organisation_id: int
    latitude: float | None
    longitude: float | None
    rating: Decimal | None
    languages: tuple[str, ...]
    post: str
    skills: str
    blocks: tuple[Block, ...]

    @property
    def able(self) -> bool:
        return not self.blocks


def candidates(
    organisation_ids: Iterable[int], item, start: datetime, end: datetime, *, worker_ids: Iterable[int] | None = None
) -> list[Candidate]:
    """Every worker of the organisations (or of ``worker_ids`` among them) who has not left, with what keeps each from
    ``item`` in ``[start, end)``; one query.

    Able ones first, then by name.
    """
    item = as_item(item)
    rows = Worker.objects.filter(organisation_id__in=list(organisation_ids)).exclude(state=State.LEFT)
    if worker_ids is not None:
        rows = rows.filter(pk__in=list(worker_ids))
    found = [_candidate(w, item, start) for w in _with_gates(rows, item, start, end)]
    return sorted(found, key=lambda c: (not c.able, c.name, c.worker_id))


def blocks(worker: Worker | int, item, start: datetime, end: datetime) -> list[Block]:
    """What keeps one worker from giving ``item`` in ``[start, end)``: the guard of every assignment (R-152, R-157)."""
    pk = worker if isinstance(worker, int) else worker.pk
    item = as_item(item)
    row = _with_gates(Worker.objects.filter(pk=pk), item, start, end).first()
    if row is None:
        return [Block("unknown", _("The worker is not visible here"))]
    return list(_candidate(row, item, start).blocks)


def _with_gates(workers: QuerySet, item, start: datetime, end: datetime) -> QuerySet:
    """Annotate each worker with the facts that gate a visit, as subqueries of one statement."""
    local_start, local_end = timezone.localtime(start), timezone.localtime(end)
    day = local_start.date()
    own = {"worker": OuterRef("pk")}
    shifts = Shift.objects.on(day).filter(**own)
    covering = shifts.filter(weekday=day.isoweekday(), starts__lte=local_start.time(), ends__gte=local_end.time())
    if local_end.date() != day:  # a shift ends on its own day
        covering = shifts.none()
    certificates = Certificate.objects.filter(**own, skill=item.skill)
    return workers.annotate(
        cleared=ArraySubquery(Clearance.objects.on(day).filter(**own).values("kind")),
        ever_cleared=ArraySubquery(Clearance.objects.filter(**own).values("kind")),
        skills=ArraySubquery(Certificate.objects.on(day).filter(**own).values("skill")),
        ever_certified=Exists(certificates),
        away=Exists(Leave.objects.filter(**own, starts__lt=end, ends__gt=start)),
        has_shifts=Exists(shifts),
        on_shift=Exists(covering),
        unread=Exists(_unread_duties(day, OuterRef("pk"), OuterRef("post"), OuterRef("path"))),
    )


def _unread_duties(day: date, worker, post, path) -> QuerySet:
    """Duties in force for a post at or above a path that the worker has not acknowledged."""
    reader = OuterRef(worker) if isinstance(worker, OuterRef) else worker  # one level further in
    read = Acknowledgement.objects.filter(worker=reader, duty=OuterRef("pk"))
    return Duty.objects.on(day).filter(post=post).alias(at=StrIndex(path, F("path"))).filter(at=1).exclude(Exists(read))


def _candidate(w: Worker, item, start: datetime) -> Candidate:
    found: list[Block] = []
    if w.state != State.ACTIVE:
        message = _("The worker is not active: %(state)s") % {"state": w.get_state_display()}
        found.append(Block(str(w.state), message))
    for kind in ClearanceKind:
        if kind not in w.cleared:
            lapsed = kind in w.ever_cleared
            text = _("%(what)s has lapsed") if lapsed else _("%(what)s is missing")
            found.append(Block(kind.value, text % {"what": kind.label}))
    if item.skill != Skill.NONE and item.skill not in w.skills:
        text = _("Certificate “%(skill)s” has expired") if w.ever_certified else _("Certificate “%(skill)s” is missing")
        found.append(Block("certificate", text % {"skill": Skill(item.skill).label}))
    if w.unread:
        found.append(Block("duty", _("The duties of the post are not acknowledged")))
    if w.away:
        found.append(Block("leave", _("On leave at that time")))
    if w.has_shifts and not w.on_shift:
        found.append(Block("shift", _("Outside the weekly working hours")))
    return Candidate(
        worker_id=w.pk,
        name=w.name,
        sex=w.sex,
        organisation_id=w.organisation_id,
        latitude=w.latitude,
        longitude=w.longitude,
        rating=w.rating,
        languages=tuple(w.languages),
        post=w.post,
        skills=", ".join(str(Skill(s).label) for s in sorted(set(w.skills))),
        blocks=tuple(found),
    )


def unread_duties(worker: Worker, day: date) -> list[Duty]:
    """Duties that the worker must acknowledge before it gets access to its visits (R-158)."""
    from django.db.models import Value

    found = _unread_duties(day, worker.pk, worker.post, Value(worker.path))
    return list(found.order_by(Length("path").desc(), "-valid_from"))


def expiring(day: date, within_days: int) -> dict[str, list]:
    """Certificates and clearances of engaged workers that end within ``within_days`` days after ``day``, soonest first."""
    engaged = Q(worker__state__in=[State.ACTIVE, State.SUSPENDED])
    return {
        "certificates": list(Certificate.objects.ending(day, within_days).filter(engaged).select_related("worker")),
        "clearances": list(Clearance.objects.ending(day, within_days).filter(engaged).select_related("worker")),
    }


def certified_rate(path: str, day: date) -> tuple[int, int]:
    """(workers active under ``path`` with a certificate that holds on ``day``, all active workers there): R-151's 87 %."""
    active = Worker.objects.filter(state=State.ACTIVE, path__startswith=path)
    holds = Exists(Certificate.objects.filter(valid_on(day), worker=OuterRef("pk")))
    return active.filter(holds).count(), active.count()


def names(worker_ids: Iterable[int]) -> dict[int, str]:
    """Names of the workers that the scope sees."""
    return dict(Worker.objects.filter(pk__in=list(worker_ids)).values_list("id", "name"))


def workers_visible(actor: Actor) -> QuerySet[Worker]:
    """All workers in the actor's scope."""
    return Worker.objects.visible_to(actor)


def get_worker(actor: Actor, pk: int) -> Worker:
    """One worker; raises NotVisible."""
    found = workers_visible(actor).filter(pk=pk).first()
    if found is None:
        raise NotVisible
    return found


def on_duty(rows: QuerySet[Worker], now: datetime) -> QuerySet[Worker]:
    """Active ones of ``rows`` whose weekly hours cover ``now`` and who are not away. Without weekly hours nobody knows:
    not on duty (an alarm is sent only to people who are at work)."""
    local = timezone.localtime(now)
    own = {"worker": OuterRef("pk")}
    shifts = Shift.objects.on(local.date()).filter(
        **own, weekday=local.isoweekday(), starts__lte=local.time(), ends__gt=local.time()
    )
    away = Leave.objects.filter(**own, starts__lte=now, ends__gt=now)
    return rows.filter(Exists(shifts), ~Exists(away), state=State.ACTIVE)


def engaged() -> QuerySet[Worker]:
    """Active workers of the open scope."""
    return Worker.objects.filter(state=State.ACTIVE)
