"""Every night the days of readings: those to come are made, those past are thinned and removed."""

from procrastinate.contrib.django import app

from sangyu.kernel.actor import Actor
from sangyu.kernel.scoping import scope

from . import services


@app.periodic(cron="41 2 * * *")
@app.task(name="signals.keep_days", queueing_lock="signals.keep_days")
def keep_days(timestamp: int) -> None:
    """Make partitions ahead, thin and drop old ones."""
    actor = Actor.job("signals.keep_days")
    with scope(actor, source="retention"):
        services.keep_days(actor=actor)
