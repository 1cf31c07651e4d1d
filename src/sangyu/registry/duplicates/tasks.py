"""Searching as work that people can watch, and every night."""

from procrastinate.contrib.django import app

from sangyu.kernel.actor import Actor
from sangyu.kernel.operations import Progress, operation

from . import services
from .finding import steps


@operation("duplicates.search", restart=True)
def search(op: Progress, actor: Actor, *, whole: bool) -> None:
    """One search through the actor's area."""
    op.total(steps())

    def told(what: str) -> None:
        op.advance()
        op.check_cancelled()

    done = services.search(actor=actor, whole=whole, told=told)
    op.result(compared=done.compared, found=done.found, new=done.new)


@app.periodic(cron="40 4 * * *")
@app.task(name="duplicates.search_changed", queueing_lock="duplicates.search_changed")
def search_changed(timestamp: int) -> None:
    """Every night: new and changed files against all."""
    services.search(actor=Actor.job("duplicates.search_changed"), whole=False)
