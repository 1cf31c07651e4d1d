"""What an import's operations do: read the workbook, check every row, write the good ones. Also run at once for small files.

``op`` is the operation's progress, or anything with its methods (``Silent``, the command line's).
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel import bulk, files
from sangyu.kernel.actor import Actor
from sangyu.kernel.crypto import encrypt
from sangyu.kernel.workbooks import XLSX

from .definition import IMPORTS, Fate, Import, Row
from .models import ColumnMatching, HeldRow, ImportBatch, ImportProblem
from .parsers import text_of
from .reading import Table, as_json, pack, read_table, unpack
from .workbooks import rejected_workbook

State = ImportBatch.State
#: Problems kept for the screen; the rejected file has all of them.
SHOWN_PROBLEMS = 1000
KEEP_DAYS = 30


class Silent:
    """A progress that nobody watches."""

    values: dict[str, Any]

    def __init__(self) -> None:
        self.values = {}

    def total(self, n: int | None) -> None: ...

    def advance(self, n: int = 1) -> None: ...

    def check_cancelled(self) -> None: ...

    def result(self, **values: Any) -> None:
        self.values.update(values)


def definition_of(actor: Actor, batch: ImportBatch, today: date | None = None) -> Import:
    """The import's definition for this batch, actor and day."""
    return IMPORTS[batch.kind](actor, today or timezone.localdate(), batch.settings)


def is_rejected(row: Row) -> bool:
    return bool(row.problems) and row.fate != Fate.HELD


# ---------------------------------------------------------------- read
def read(op, actor: Actor, batch: ImportBatch) -> None:
    """Read the workbook and propose the matching of its columns."""
    op.total(None)
    definition = definition_of(actor, batch)
    data = files.read(actor, batch.file_id)
    take_table(actor, batch, definition, read_table(data, batch.file_name, definition.known_headings()))
    op.result(rows=batch.rows)


def take_table(actor: Actor, batch: ImportBatch, definition: Import, table: Table) -> None:
    """Keep ``table`` with the import and propose a matching: the source's last one, else by headings."""
    _keep_table(actor, batch, table)
    batch.header_row, batch.sheet, batch.headers, batch.rows = (
        table.header_row,
        table.sheet,
        table.headers,
        len(table.rows),
    )
    batch.samples = [[_sample(c) for c in cells] for _n, cells in table.rows[:3]]
    batch.signature = definition.signature(table.headers)
    known = ColumnMatching.objects.filter(
        Q(source=batch.source) | Q(source=""), kind=batch.kind, signature=batch.signature
    )
    remembered = known.order_by("-source").first()
    batch.matching = remembered.matching if remembered else definition.propose(table.headers)
    batch.state = State.MATCH
    batch.save()


def _keep_table(actor: Actor, batch: ImportBatch, table: Table) -> None:
    """Keep ``table`` with the import."""
    batch.table = files.save(
        actor,
        title=f"{batch.file_name}.table",
        content_type="application/gzip",
        data=pack(table),
        private=True,
        keep_days=KEEP_DAYS,
    )


def _sample(cell: Any) -> str:
    """The beginning and end of long cells: a sample must not show a whole ID number."""
    written = "" if cell is None else text_of(cell)
    return written if len(written) <= 8 else f"{written[:4]}…{written[-2:]}"


def table_of(actor: Actor, batch: ImportBatch) -> Table:
    """The table that was read from the workbook."""
    return unpack(files.read(actor, batch.table_id))


# ---------------------------------------------------------------- check
def check(op, actor: Actor, batch: ImportBatch, today: date | None = None) -> None:
    """Read and check every row; keep the counts and what is wrong, and how the columns were matched.

    The values read are kept for the commit, which checks them again against the register as it is then.
    """
    op.total(batch.rows)
    definition = definition_of(actor, batch, today)
    table, before = replace(table_of(actor, batch), parsed=None), batch.table_id
    rows = definition.parse(table, batch.matching, op.advance)
    if definition.keeps_values:
        _keep_table(actor, batch, replace(table, parsed=definition.values_of(table, rows)))
    definition.judge(rows)
    batch.counts, batch.state, batch.operation = counts_of(rows), State.PREVIEW, None
    batch.save(update_fields=["matching", "counts", "state", "operation", "table"])
    if batch.table_id != before:
        files.remove(actor, before)
    keep_problems(definition, batch, rows)
    for source in {batch.source, ""}:
        ColumnMatching.objects.update_or_create(
            kind=batch.kind,
            source=source,
            signature=batch.signature,
            defaults={"matching": batch.matching, "used_at": timezone.now()},
        )
    op.result(**batch.counts)


def counts_of(rows: list[Row]) -> dict[str, int]:
    """How many rows there are, and what becomes of them; the parts sum up to the whole."""
    found = {"rows": len(rows), Fate.NEW: 0, Fate.CHANGED: 0, Fate.UNCHANGED: 0, Fate.HELD: 0, "rejected": 0}
    for row in rows:
        found["rejected" if is_rejected(row) else row.fate] += 1
    return found


def keep_problems(definition: Import, batch: ImportBatch, rows: Iterable[Row]) -> None:
    """What the page shows of rows that are turned away or held; numbers masked."""
    ImportProblem.objects.filter(batch=batch).delete()
    fields = {f.key: f for f in definition.fields}
    found = []
    for row in rows:
        for key, message, code in row.problems:
            f, at = fields.get(key), batch.matching.get(key)
            written = (
                text_of(row.cells[at]) if at is not None and at < len(row.cells) and row.cells[at] is not None else ""
            )
            found.append(
                ImportProblem(
                    batch=batch,
                    row=row.number,
                    name=definition.row_name(row)[:60],
                    held=row.fate == Fate.HELD,
                    field=key,
                    column=(batch.headers[at] if at is not None else str(f.label) if f else "")[:100],
                    value=(f.mask(written) if f and f.mask and written else written)[:100],
                    code=code,
                    message=message[:300],
                )
            )
        if len(found) >= SHOWN_PROBLEMS:
            break
    ImportProblem.objects.bulk_create(found[:SHOWN_PROBLEMS])


# ---------------------------------------------------------------- write
def write(op, actor: Actor, batch: ImportBatch, today: date | None = None) -> None:
    """Check again (the register may have changed), write what is good, keep what is not.

    One transaction: a worker that dies leaves nothing, and the operation starts from the beginning.
    """
    if batch.state == State.DONE:
        return
    definition = definition_of(actor, batch, today)
    op.total(2 * batch.rows)
    rows = definition.read(table_of(actor, batch), batch.matching, op.advance)
    good = [r for r in rows if not r.problems and r.fate in (Fate.NEW, Fate.CHANGED)]
    bad, held = [r for r in rows if is_rejected(r)], [r for r in rows if r.fate == Fate.HELD]
    written = definition.commit(good, batch, op.advance) if good else {}
    batch.counts = {**written, **counts_of(rows)}
    batch.state, batch.committed_at = State.DONE, timezone.now()
    if bad:
        content = rejected_workbook(definition, batch.headers, bad)
        batch.rejected_file = files.save(
            actor, title=rejected_name(batch), content_type=XLSX, data=content, private=True, keep_days=KEEP_DAYS
        )
        op.result(file=batch.rejected_file)
    batch.save(update_fields=["counts", "state", "committed_at", "rejected_file"])
    keep_problems(definition, batch, [*bad, *held])
    _keep_held(definition, batch, held)
    op.result(**batch.counts)


def _keep_held(definition: Import, batch: ImportBatch, rows: list[Row]) -> None:
    keys = [(key, at) for key, at in batch.matching.items() if at is not None]
    bulk.insert_rows(
        HeldRow,
        ("row", "path", "name", "code", "message", "cells", "candidates", "source"),
        [
            (
                row.number,
                definition.row_path(row),
                definition.row_name(row)[:60],
                row.problems[0][2],
                row.problems[0][1][:300],
                encrypt(as_json({k: row.cells[at] for k, at in keys if at < len(row.cells)}), "importing.held.cells"),
                bulk.json_text(row.candidates),
                batch.source_of(row.number),
            )
            for row in rows
        ],
        batch_id=batch.pk,
        kind=batch.kind,
    )


def rejected_name(batch: ImportBatch) -> str:
    return _("%(name)s rejected rows.xlsx") % {"name": batch.file_name.rpartition(".")[0] or batch.file_name}
