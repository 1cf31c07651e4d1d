"""The operation that writes an import."""

from sangyu.kernel.actor import Actor
from sangyu.kernel.operations import Progress, operation

from . import services


@operation("importing.commit", restart=True)
def commit(op: Progress, actor: Actor, *, batch_id: int) -> None:
    """Write all accepted rows of one import in one transaction."""
    services.write(op, actor, batch_id=batch_id)
