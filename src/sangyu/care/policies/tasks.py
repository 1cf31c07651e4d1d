"""Long work of the policies room."""

from sangyu.kernel.actor import Actor
from sangyu.kernel.operations import Progress, operation

from . import trials
from .models import Trial


@operation("policies.trial", restart=True)
def trial(op: Progress, actor: Actor, *, trial_id: int, seed: int = 0) -> None:
    """Work one what-if out; the facts stay in this process for the next one."""
    op.total(3)
    row = Trial.objects.select_related("version__region", "against").get(pk=trial_id)
    trials.work(actor, row, seed=seed, advance=op.advance)
    op.result(trial=trial_id)
