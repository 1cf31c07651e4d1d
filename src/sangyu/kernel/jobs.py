"""Background work through procrastinate, enqueued in the caller's transaction (docs/adr/0007-events.md)."""

from typing import Any

from procrastinate.contrib.django import app


def defer_handler(handler: str, event_id: int) -> None:
    """Enqueue one event handler."""
    app.configure_task("kernel.handle_event", queue="events").defer(handler=handler, event_id=event_id)


def defer(task: str, *, queue: str = "default", **kwargs: Any) -> None:
    """Enqueue the task registered under ``task``; part of the caller's transaction."""
    app.configure_task(task, queue=queue).defer(**kwargs)
