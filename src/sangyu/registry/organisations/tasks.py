"""Tasks of the organisations room."""

from procrastinate.contrib.django import app

from sangyu.kernel.actor import Actor

from . import services


@app.periodic(cron="11 0 * * *")
@app.task(name="organisations.end_due_contracts", queueing_lock="organisations.end_due_contracts")
def end_due_contracts(timestamp: int) -> None:
    """Every night: contracts whose term is over end, and orders hear of it."""
    services.end_due_contracts(actor=Actor.job("organisations.end_due_contracts"))
