"""The clock of commands: one sweep a minute over the whole country."""

from procrastinate.contrib.django import app

from sangyu.kernel.actor import Actor

from . import services


@app.periodic(cron="* * * * *")
@app.task(name="devices.sweep_commands", queue="clock", queueing_lock="devices.sweep_commands")
def sweep_commands(timestamp: int) -> None:
    """End commands that waited too long."""
    services.sweep_commands(actor=Actor.job("clock"))
