"""Background work of emergencies. The clock of the cases is the consumer's ticker (ADR 0024); the sweep here is its stand-in."""

from django.utils import timezone
from procrastinate.contrib.django import app

from sangyu.kernel.actor import Actor

from . import services


@app.task(name="emergencies.deliver")
def deliver(*, notice_id: int) -> None:
    """Send one notice."""
    services.deliver(actor=Actor.job("notices"), notice_id=notice_id, now=timezone.now())


@app.periodic(cron="* * * * *")
@app.task(name="emergencies.sweep", queue="clock", queueing_lock="emergencies.sweep")
def sweep(timestamp: int) -> None:
    """What no ticker has executed: late, but done."""
    services.tick(actor=Actor.job("clock"), now=timezone.now())
