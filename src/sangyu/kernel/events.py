"""Events in the caller's transaction: an outbox row, and one job per handler (design rule 5,
docs/adr/0007-events.md).
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from .actor import ROOT_PATH, Actor
from .scoping import as_system, current_actor

Handler = Callable[..., None]
_handlers: dict[str, list[Handler]] = defaultdict(list)


def on(name: str) -> Callable[[Handler], Handler]:
    """Register ``handler(actor, path, **payload)`` for events called ``name`` ("orders.confirmed").

    Handlers run as jobs in the scope of the event's region, at least once: they must be idempotent.
    """

    def register(handler: Handler) -> Handler:
        _handlers[name].append(handler)
        return handler

    return register


def emit(name: str, *, path: str = ROOT_PATH, **payload: Any):
    """Write the outbox row and the handlers' jobs in the caller's transaction. ``payload`` holds ids and codes, no
    personal data.

    Staff of the region hear of it by ``path``; ``to`` in the payload names who else does, as "audience:subject"
    ("worker:7") or "account:5". Handlers do not get ``to``.
    """
    return emit_many(name, [(path, payload)])[0]


def emit_many(name: str, happened: Sequence[tuple[str, dict[str, Any]]]) -> list:
    """``emit`` for each (path, payload), in one statement."""
    from . import live
    from .bulk import insert_together
    from .jobs import defer_handler
    from .models import Event

    actor = current_actor()
    who = {"actor": actor.name if actor else "system", "account_id": actor.account_id if actor else None}
    events = [Event(name=name, path=path, payload=payload, **who) for path, payload in happened]
    with as_system("the outbox is written for every audience"):
        insert_together(events)
        for event in events:
            for handler in _handlers.get(name, ()):
                defer_handler(handler_name(handler), event.pk)
    live.announce(events)
    return events


def handler_name(handler: Handler) -> str:
    return f"{handler.__module__}.{handler.__qualname__}"


def handle(name: str, event_id: int) -> None:
    """Run one handler for one event; called by the job."""
    from .models import Event
    from .scoping import scope

    with scope(Actor.job(f"event {event_id}")):
        event = Event.objects.get(pk=event_id)
    handler = next((h for h in _handlers[event.name] if handler_name(h) == name), None)
    if handler is None:
        raise LookupError(
            f"event {event_id} ({event.name}) was for {name}, which is not registered: renamed, or its app is off?"
        )
    actor = Actor.job(name, event.path)
    payload = {key: value for key, value in event.payload.items() if key != "to"}
    with scope(actor, source=f"event {event_id}"):
        handler(actor, event.path, **payload)
