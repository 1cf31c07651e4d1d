"""Long work of runs: computing and releasing in the background, each one transaction, repeatable after a crash."""

from sangyu.kernel.actor import Actor
from sangyu.kernel.operations import Progress, operation

from . import services


@operation("benefits.compute", restart=True)
def compute(op: Progress, actor: Actor, *, run_id: int) -> None:
    """Compute the run; a second start finds it computed, or begins anew."""
    run = services.compute(actor=actor, run_id=run_id, op=op)
    op.result(lines=run.line_count, subjects=run.subject_count, total=run.total, **run.counts)


@operation("benefits.release", restart=True)
def release(op: Progress, actor: Actor, *, run_id: int) -> None:
    """Release the run; when it is released already there is nothing to do."""
    op.total(1)
    run = services.release_once(actor=actor, run_id=run_id)
    op.advance(1)
    op.result(total=run.total)
