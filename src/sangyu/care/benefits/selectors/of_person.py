"""What runs gave one person: lines of a month, payments, over-payments. For the elder's page and the own view (X-06)."""

from datetime import date

from django.db.models import QuerySet

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.scoping import lineage

from ..enums import LineKind, LineState, RunState, SubjectKind
from ..models import Line, Payment, Recovery, Run


def lines_of_person(actor: Actor, person, month: date) -> list[Line]:
    """Lines of the month's run about ``person``; the elder and relatives see them once they are released."""
    month = month.replace(day=1)
    of = Line.objects.visible_to(actor).filter(
        subject_kind=SubjectKind.PERSON, subject_id=person.pk, month=month, kind=LineKind.ENTITLEMENT
    )
    if actor.audience is Audience.FAMILY:
        return list(of.filter(amount__gt=0, state=LineState.RELEASED))
    runs = Run.objects.filter(month=month, path__in=lineage(person.path)).exclude(state=RunState.CANCELLED)
    return list(of.filter(run_id__in=list(runs.values_list("pk", flat=True)), path=person.path))


def payments_of_person(actor: Actor, person_id: int) -> QuerySet[Payment]:
    """Payments for the person, the latest first, each with its line."""
    rows = Payment.objects.visible_to(actor).filter(subject_kind=SubjectKind.PERSON, subject_id=person_id)
    return rows.select_related("line").order_by("-line__month", "policy", "-id")


def recoveries_of_person(actor: Actor, person_id: int) -> QuerySet[Recovery]:
    """Over-payments of the person, the latest first."""
    rows = Recovery.objects.visible_to(actor).filter(subject_kind=SubjectKind.PERSON, subject_id=person_id)
    return rows.order_by("-id")
