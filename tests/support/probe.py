"""Jobs, handlers and operations that tests run, here and in worker processes they start and kill.

Each run appends a line to the file in ``SANGYU_PROBE``; effects are counters, which every audience may write.
"""

import os
import time
from pathlib import Path

from procrastinate.contrib.django import app

from sangyu.kernel.events import on
from sangyu.kernel.models import Sequence
from sangyu.kernel.operations import operation


def tell(line: str) -> None:
    with Path(os.environ["SANGYU_PROBE"]).open("a") as out:
        out.write(line + "\n")


def told() -> list[str]:
    path = Path(os.environ["SANGYU_PROBE"])
    return path.read_text().split("\n")[:-1] if path.exists() else []


@app.task(name="probe.note")
def note(*, text: str) -> None:
    tell(text)


@app.task(name="probe.fail")
def fail() -> None:
    tell("fail")
    raise RuntimeError("on purpose")


@app.task(name="probe.die")
def die() -> None:
    tell("die")
    os.kill(os.getpid(), 9)


@on("probe.happened")
def handler(actor, path, *, id, seconds=0.0):
    """Idempotent: the effect is a row with a unique name. Slow on its first run only."""
    first = f"began {id}" not in told()
    tell(f"began {id}")
    Sequence.objects.get_or_create(name=f"effect {id}")
    if first:
        time.sleep(seconds)
    tell(f"ended {id}")


@operation("probe.count")
def count(op, actor, *, steps, seconds=0.0):
    """Counts in one transaction; its effect is a counter."""
    tell(f"count as {actor.name}")
    op.total(steps)
    for n in range(steps):
        Sequence.objects.create(name=f"step {n}")
        time.sleep(seconds)
        op.advance()
    op.result(counted=steps)


@operation("probe.again", restart=True)
def again(op, actor, *, steps, seconds=0.0):
    """Slow on its first run only."""
    first = "again" not in told()
    tell("again")
    count(op, actor, steps=steps, seconds=seconds if first else 0)


@operation("probe.broken")
def broken(op, actor):
    Sequence.objects.create(name="never")
    raise RuntimeError("on purpose")
