"""Questions about statements, answered for the rows that the open scope sees."""

from django.db.models import QuerySet

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import NotVisible

from .enums import SHOWN_TO_PROVIDER, State
from .models import Statement, StatementLine


def statements_visible(actor: Actor) -> QuerySet[Statement]:
    """Statements in scope, newest first; a provider sees its own once they are frozen."""
    rows = Statement.objects.visible_to(actor).select_related("organisation", "region")
    return rows.filter(state__in=SHOWN_TO_PROVIDER) if actor.audience is Audience.PROVIDER else rows


def get_statement(actor: Actor, pk: int) -> Statement:
    """One statement; raises NotVisible."""
    found = statements_visible(actor).filter(pk=pk).first()
    if found is None:
        raise NotVisible
    return found


def lines(statement: Statement) -> QuerySet[StatementLine]:
    """Lines by day; adjustments last among those of a day."""
    return statement.lines.order_by("day", "id")


def waiting(actor: Actor) -> QuerySet[Statement]:
    """Statements that wait for the actor's side; counted for the badge."""
    rows = statements_visible(actor)
    if actor.audience is Audience.PROVIDER:
        return rows.filter(state=State.FROZEN)
    return rows.filter(state__in=[State.OBJECTED, State.CONFIRMED, State.APPROVED])
