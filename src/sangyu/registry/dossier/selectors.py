"""Questions about papers, checks and who checks next, answered for the rows that the open scope sees."""

from datetime import date, timedelta

from django.db.models import OuterRef, Q, QuerySet, Subquery

from sangyu.kernel.actor import Actor
from sangyu.registry.people import selectors as people

from .models import Assignment, Check, Paper

#: Days after which a file is due for a check again.
EVERY_DAYS = 365


def papers_of(actor: Actor, person_id: int, *, withdrawn: bool = False) -> QuerySet[Paper]:
    """Papers of one file with their stored file, newest first."""
    rows = Paper.objects.visible_to(actor).filter(person_id=person_id).select_related("file").order_by("-id")
    return rows if withdrawn else rows.filter(withdrawn_at__isnull=True)


def checks_of(actor: Actor, person_id: int) -> QuerySet[Check]:
    """Checks of one file, newest first."""
    return Check.objects.visible_to(actor).filter(person_id=person_id).order_by("-on", "-id")


def assignment_of(actor: Actor, person_id: int) -> Assignment | None:
    return Assignment.objects.visible_to(actor).filter(person_id=person_id).select_related("account").first()


def due(actor: Actor, day: date) -> QuerySet:
    """Living elders whose file was never checked or not for a year, with ``assigned_to`` and ``assigned_id`` (R-015)."""
    limit = day - timedelta(days=EVERY_DAYS)
    rows = people.elders(actor, day).filter(Q(checked_on__isnull=True) | Q(checked_on__lte=limit))
    return with_assignment(rows)


def with_assignment(rows: QuerySet) -> QuerySet:
    """``rows`` of persons with the account that checks them next."""
    turn = Assignment.objects.filter(person_id=OuterRef("pk"))
    return rows.annotate(
        assigned_id=Subquery(turn.values("account_id")[:1]), assigned_to=Subquery(turn.values("account__name")[:1])
    )


def due_on(person) -> date:
    """The day from which the file is due: a year after the last check, else the day of registration."""
    return person.checked_on + timedelta(days=EVERY_DAYS) if person.checked_on else person.registered_on
