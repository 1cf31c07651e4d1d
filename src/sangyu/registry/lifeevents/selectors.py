"""Questions about life events, answered for the rows that the open scope sees."""

from django.db.models import Count, Q, QuerySet

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import NotVisible

from .enums import ItemState, Kind
from .models import LifeEvent, Notice


def events_visible(actor: Actor) -> QuerySet[LifeEvent]:
    """All life events in scope with ``open_items``, newest first."""
    still = Count("items", filter=Q(items__state=ItemState.OPEN))
    return LifeEvent.objects.visible_to(actor).annotate(open_items=still).order_by("-id")


def events_of_person(actor: Actor, person_id: int) -> QuerySet[LifeEvent]:
    """Life events of one person, newest first, with ``open_items``."""
    return events_visible(actor).filter(person_id=person_id)


def get_event(actor: Actor, pk: int) -> LifeEvent:
    """The event with person and items. Raises NotVisible."""
    found = events_visible(actor).select_related("person__region", "evidence").prefetch_related("items").filter(pk=pk)
    event = found.first()
    if event is None:
        raise NotVisible
    return event


def death_of(actor: Actor, person_id: int) -> LifeEvent | None:
    """The live death with its items; None when none is recorded."""
    rows = LifeEvent.objects.visible_to(actor).filter(person_id=person_id, kind=Kind.DEATH, withdrawn_at=None)
    return rows.prefetch_related("items").first()


def unfinished(actor: Actor) -> QuerySet[LifeEvent]:
    """Events whose check list has open items, oldest first."""
    return LifeEvent.objects.visible_to(actor).filter(closed_at__isnull=True).order_by("on", "id")


def notices(actor: Actor) -> QuerySet[Notice]:
    """What the actor's own subject was told, newest first."""
    return Notice.objects.visible_to(actor).order_by("-id")
