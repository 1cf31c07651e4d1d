"""Tasks of the kernel. A task is thin: keyword-only ids in, one service call."""

import logging

from procrastinate.contrib.django import app

from . import events, files, jobs, operations, resealing

log = logging.getLogger(__name__)
#: Importing it registers its operation.
reseal = resealing.reseal


@app.task(name="kernel.handle_event", queue="events", retry=jobs.PATIENT)
def handle_event(*, handler: str, event_id: int) -> None:
    """Run one handler for one outbox event."""
    events.handle(handler, event_id)


@app.task(name="kernel.run_operation", queue="operations")
def run_operation(*, operation_id: int) -> None:
    """Carry out one long-running operation."""
    operations.run(operation_id)


@app.task(name="kernel.remove_bytes", retry=jobs.PATIENT)
def remove_bytes(*, name: str) -> None:
    """Remove the bytes of a file whose row is gone."""
    files.remove_bytes(name)


@app.periodic(cron="* * * * *")
@app.task(name="kernel.sweep", queueing_lock="kernel.sweep")
def sweep(timestamp: int) -> None:
    """Every minute: what dead workers left, and what waits too long."""
    jobs.take_back()
    operations.settle_lost()
    for sentence in jobs.alert(jobs.health()):
        log.warning(sentence)


@app.periodic(cron="17 3 * * *")
@app.task(name="kernel.retain", queueing_lock="kernel.retain")
def retain(timestamp: int) -> None:
    """Every night: end what is past its time."""
    jobs.forget_old()
    files.sweep()
