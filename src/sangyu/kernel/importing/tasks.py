"""The operations of an import: each locks its batch, so two of one import never run at once."""

from sangyu.kernel.actor import Actor
from sangyu.kernel.operations import Progress, operation

from . import work
from .models import ImportBatch

State = ImportBatch.State


def _locked(batch_id: int) -> ImportBatch:
    return ImportBatch.objects.select_for_update().get(pk=batch_id)


@operation("importing.read", restart=True)
def read(op: Progress, actor: Actor, *, batch_id: int) -> None:
    """Read one workbook into its table."""
    batch = _locked(batch_id)
    if batch.state == State.READ:
        work.read(op, actor, batch)


@operation("importing.check", restart=True)
def check(op: Progress, actor: Actor, *, batch_id: int) -> None:
    """Check all rows of one import."""
    batch = _locked(batch_id)
    if batch.state == State.CHECK:
        work.check(op, actor, batch)


@operation("importing.commit", restart=True)
def commit(op: Progress, actor: Actor, *, batch_id: int) -> None:
    """Write all accepted rows of one import in one transaction."""
    work.write(op, actor, _locked(batch_id))


@operation("importing.exchange", restart=True)
def exchange(op: Progress, actor: Actor, *, batch_id: int) -> None:
    """Check and write the rows that another system handed over."""
    work.write(op, actor, _locked(batch_id))
