"""Tasks of the kernel. A task is thin: keyword-only ids in, one service call."""

from procrastinate.contrib.django import app

from . import events


@app.task(name="kernel.handle_event", queue="events", retry=5)
def handle_event(*, handler: str, event_id: int) -> None:
    """Run one handler for one outbox event."""
    events.handle(handler, event_id)
