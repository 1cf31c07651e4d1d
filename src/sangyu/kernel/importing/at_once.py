"""A whole import in one transaction, without waiting for the background: the command line's way."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction

from sangyu.kernel.actor import Actor
from sangyu.kernel.files import read as read_file
from sangyu.kernel.scoping import scope

from . import services, work
from .models import ImportBatch


@dataclass
class Result:
    """What came of it: the state after the check or the commit, and the workbook of rejected rows."""

    state: services.ImportState
    rejected: bytes = b""


class _NotKept(Exception):
    """Leaves the transaction of a dry run."""


def run(
    op: Any,
    *,
    actor: Actor,
    kind: str,
    file: Any,
    source: str = "",
    settings: dict[str, str] | None = None,
    dry_run: bool = False,
    today: date | None = None,
) -> Result:
    """Read, check and write ``file``; ``op`` hears of the progress and may raise to stop. Nothing is kept of a dry run.

    Raises Invalid, Forbidden, and Refused when no row can be taken (with the result of the check as ``result``).
    """
    found: Result | None = None
    try:
        with scope(actor, source="command"), transaction.atomic():
            given = {"actor": actor, "kind": kind}
            pk = services.upload(**given, file=file, source=source, settings=settings, today=today, at_once=True)
            batch = ImportBatch.objects.get(pk=pk)
            services.checked_matching(actor, batch, today)
            if dry_run:
                work.check(op, actor, batch, today)
            else:
                work.write(op, actor, batch, today)
            found = Result(services.state(**given, import_id=pk))
            if found.state.counts["rejected"]:
                found.rejected = (
                    read_file(actor, batch.rejected_file_id)
                    if batch.rejected_file_id
                    else services.rejected(**given, import_id=pk)[1]
                )
            if dry_run:
                raise _NotKept
    except _NotKept:
        pass
    assert found is not None
    return found
