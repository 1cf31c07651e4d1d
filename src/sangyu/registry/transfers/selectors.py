"""Questions about transfers. All run in the actor's scope."""

from datetime import datetime

from django.db.models import QuerySet

from sangyu.kernel.actor import Actor
from sangyu.kernel.scoping import PATH_END

from .enums import State
from .models import Transfer


def get_transfer(actor: Actor, pk: int) -> Transfer | None:
    """The request, when the actor's area is one of its sides."""
    return Transfer.objects.visible_to(actor).select_related("region", "held_region").filter(pk=pk).first()


def transfers_visible(actor: Actor) -> QuerySet[Transfer]:
    """All requests of which the actor's area is one side."""
    return Transfer.objects.visible_to(actor)


def to_answer(actor: Actor) -> QuerySet[Transfer]:
    """Requests for files that the actor's area holds."""
    rows = Transfer.objects.visible_to(actor).filter(state=State.REQUESTED)
    return rows.filter(held_path__gte=actor.path, held_path__lt=actor.path + PATH_END)


def waiting(actor: Actor) -> QuerySet:
    """Transfers to answer from the actor's area; counted for the badge."""
    return to_answer(actor)


def holds(actor: Actor, row: Transfer) -> bool:
    """Whether the actor's area holds the file."""
    return row.held_path.startswith(actor.path)


def asks(actor: Actor, row: Transfer) -> bool:
    """Whether the actor's area asked."""
    return row.path.startswith(actor.path)


def is_overdue(row: Transfer, now: datetime) -> bool:
    return row.state == State.REQUESTED and row.answer_by < now
