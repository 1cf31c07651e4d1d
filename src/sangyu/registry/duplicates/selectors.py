"""Questions about pairs. All run in the actor's scope."""

from django.db.models import QuerySet

from sangyu.kernel.actor import Actor

from .enums import State
from .models import Candidate, Pass


def pairs() -> QuerySet[Candidate]:
    """Pairs of files that both still stand for themselves, or were merged through the queue."""
    return Candidate.objects.exclude(state__in=[State.OPEN, State.LATER], first__merged_into__isnull=False).exclude(
        state__in=[State.OPEN, State.LATER], second__merged_into__isnull=False
    )


def waiting(actor: Actor) -> int:
    """Pairs to review in the actor's area; for the badge."""
    return pairs().visible_to(actor).filter(state=State.OPEN).count()


def of_pair(first_id: int, second_id: int) -> Candidate | None:
    """The pair of these two files, in either order. Call inside a scope."""
    low, high = sorted((first_id, second_id))
    return Candidate.objects.filter(first_id=low, second_id=high).first()


def of_person(actor: Actor, person_id: int) -> list[Candidate]:
    """Open pairs in which the person stands, most likely first."""
    rows = pairs().visible_to(actor).filter(state=State.OPEN).select_related("first", "second")
    return list((rows.filter(first_id=person_id) | rows.filter(second_id=person_id)).order_by("-score")[:5])


def last_pass(actor: Actor) -> Pass | None:
    """The newest search of exactly the actor's area."""
    return Pass.objects.filter(path=actor.path).order_by("-until").first()
