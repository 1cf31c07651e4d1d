"""Tasks of the accounts room."""

from procrastinate.contrib.django import app

from . import leaving


@app.periodic(cron="7 0 * * *")
@app.task(name="accounts.end_left", queueing_lock="accounts.end_left")
def end_left(timestamp: int) -> None:
    """Every night: end sessions and tokens of those whose leave date has come."""
    leaving.end_left()
