"""The clock of transfers."""

from django.utils import timezone
from procrastinate.contrib.django import app

from sangyu.kernel.actor import Actor

from . import services


@app.periodic(cron="5 * * * *")
@app.task(name="transfers.tell_overdue", queueing_lock="transfers.tell_overdue")
def tell_overdue(timestamp: int) -> None:
    """Every hour: requests whose answer is late."""
    services.tell_overdue(actor=Actor.job("transfers.tell_overdue"), now=timezone.now())
