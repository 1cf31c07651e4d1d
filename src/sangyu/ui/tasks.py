"""Long work of the pages: exports of many rows, acts on many rows."""

import tempfile

from django.db import transaction
from django.utils import timezone, translation

from sangyu.kernel import files
from sangyu.kernel.actor import Actor
from sangyu.kernel.audit import log_read
from sangyu.kernel.operations import Cancelled, Progress, operation
from sangyu.kernel.scoping import scope
from sangyu.kernel.workbooks import XLSX

from .models import BulkRow, BulkRun, Export
from .pages import bulk
from .pages.export import file_name, ordered, purpose_of, without_restricted, write_workbook

CHUNK = 1_000
#: Days an export stays for download.
KEEP_DAYS = 7


@operation("ui.export", restart=True)
def export(
    op: Progress, actor: Actor, *, page: str, query: str, language: str, export: int, ids: list[int], kwargs: dict
) -> None:
    """Write the rows of list ``page`` under ``query`` to a file for whoever asked, and log the reads.

    ``ids`` narrows to the ticked rows; ``export`` is the row of the log.
    """
    with translation.override(language), tempfile.TemporaryFile() as target:
        view = bulk.page_again(page, actor, query=query, kwargs=kwargs)
        rows = view.prepared(view.scoped().filter(pk__in=ids)) if ids else view.rows()
        rows, left_out = without_restricted(view, rows)
        op.total(rows.order_by().count())
        made = Export.objects.get(pk=export)
        purpose = purpose_of(view, made)

        def passing():
            chunk = []
            for row in ordered(view, rows).iterator(chunk_size=CHUNK):
                chunk.append(row)
                yield row
                if len(chunk) == CHUNK:
                    note(chunk)
                    chunk = []
            note(chunk)

        def note(chunk: list) -> None:
            if view.personal and chunk:
                log_read(actor=actor, what=view.personal, objects=chunk, purpose=purpose)
            op.advance(len(chunk))

        made.rows = write_workbook(view, passing(), target, number=made.number, left_out=left_out)
        target.seek(0)
        saved = files.save(
            actor, title=file_name(view), content_type=XLSX, stream=target, private=True, keep_days=KEEP_DAYS
        )
        made.file_id, made.left_out = saved.pk, left_out
        made.save(update_fields=["rows", "left_out", "file_id"])
        op.result(file=saved, rows=made.rows)


@operation("ui.bulk", restart=True, atomic=False)
def run_bulk(op: Progress, actor: Actor, *, run: int, count: int) -> None:
    """Act on the selected rows, a chunk a transaction: what is done stays done when it is cancelled."""
    op.total(count)
    with scope(actor):
        found = BulkRun.objects.get(pk=run)
        page = bulk.page_again(found.page, actor, kwargs=found.kwargs)
    try:
        bulk.execute(found, page, advance=op.advance)
    except Cancelled:
        with scope(actor), transaction.atomic():
            BulkRun.objects.filter(pk=run).update(finished_at=timezone.now())
        raise
    with scope(actor):
        rows = BulkRow.objects.filter(run=run)
        op.result(run=run, refused=rows.filter(state=BulkRow.State.REFUSED).count())
