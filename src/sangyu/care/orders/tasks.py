"""The clock of orders: one sweep a minute over the whole country."""

from procrastinate.contrib.django import app

from sangyu.kernel.actor import Actor

from . import services


@app.periodic(cron="* * * * *")
@app.task(name="orders.sweep", queue="clock", queueing_lock="orders.sweep")
def sweep(timestamp: int) -> None:
    """Act on passed deadlines."""
    services.sweep(actor=Actor.job("clock"))
