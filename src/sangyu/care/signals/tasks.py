"""Every night the days of readings: those to come are made, those past are thinned and removed. Every minute the register hears of its devices."""

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


@app.periodic(cron="* * * * *")
@app.task(name="signals.tell_register", queueing_lock="signals.tell_register")
def tell_register(timestamp: int) -> None:
    """Last heard and battery go to the register, some devices a transaction: nobody who alarms waits for many."""
    actor = Actor.job("signals.tell_register")
    while True:
        with scope(actor, source="signals"):
            if not services.tell_register(actor=actor):
                return
