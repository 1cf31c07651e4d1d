"""The steps of an import. Each is one service call: permission of the import, scope and transaction of the actor."""

import io
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel import files, operations
from sangyu.kernel.actor import Actor
from sangyu.kernel.audit import log_read
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.scoping import scope

from .definition import IMPORTS, Import, Row
from .models import ColumnMatching, ImportBatch, ImportProblem
from .parsers import text_of
from .reading import Table, read_table
from .workbooks import rejected_workbook, template_workbook

State = ImportBatch.State
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: Problems kept for the screen; the rejected file has all of them.
SHOWN_PROBLEMS = 1000
KEEP_DAYS = 30


@dataclass
class RowProblem:
    """One problem as the page shows it."""

    row: int
    name: str
    column: str
    value: str
    message: str


@dataclass
class ImportState:
    """Where an import stands: match, preview, running or done."""

    id: int
    step: str
    file_name: str
    headers: list[str] = field(default_factory=list)
    samples: list[list[str]] = field(default_factory=list)
    matching: dict[str, int | None] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)  # rows, new, changed, rejected
    problems: list[RowProblem] = field(default_factory=list)
    operation_id: int | None = None
    result: str = ""


@contextmanager
def _step(actor: Actor, kind: str, today: date | None = None):
    cls = IMPORTS[kind]
    if not actor.may(cls.permission):
        raise Forbidden(cls.permission)
    with scope(actor), transaction.atomic():
        yield cls(actor, today or timezone.localdate())


def _batch(actor: Actor, kind: str, pk: int, *, lock: bool = False) -> ImportBatch:
    rows = ImportBatch.objects.select_for_update() if lock else ImportBatch.objects
    batch = rows.filter(pk=pk, kind=kind, account_id=actor.account_id).first()
    if batch is None:
        raise NotVisible
    return batch


def upload(*, actor: Actor, kind: str, file: Any, today: date | None = None) -> int:
    """Keep the workbook, find its table, propose a matching; returns the import. ``file`` has ``name`` and ``read``.

    A heading row that was matched before in this region is matched the same way. Raises Invalid.
    """
    with _step(actor, kind, today) as definition:
        data = file.read()
        table = read_table(data, file.name, definition.known_headings())
        stored = files.save(
            actor, title=file.name, content_type=_type(file.name), data=data, private=True, keep_days=KEEP_DAYS
        )
        signature = definition.signature(table.headers)
        known = ColumnMatching.objects.filter(kind=kind, signature=signature).first()
        return ImportBatch.objects.create(
            kind=kind,
            path=actor.path,
            file=stored,
            file_name=file.name[:200],
            header_row=table.header_row,
            sheet=table.sheet,
            headers=table.headers,
            samples=[[_sample(c) for c in cells] for _n, cells in table.rows[:3]],
            matching=known.matching if known else definition.propose(table.headers),
            signature=signature,
            account_id=actor.account_id,
            audience=actor.audience.value,
            subject_id=actor.subject_id,
            actor=actor.name,
        ).pk


def _type(name: str) -> str:
    known = {"csv": "text/csv", "txt": "text/csv", "xls": "application/vnd.ms-excel"}
    return known.get(name.lower().rpartition(".")[2], XLSX)


def _sample(cell: Any) -> str:
    """The beginning and end of long cells: a sample must not show a whole ID number."""
    written = text_of(cell)
    return written if len(written) <= 8 else f"{written[:4]}…{written[-2:]}"


def _table(actor: Actor, batch: ImportBatch, definition: Import) -> Table:
    return read_table(files.read(actor, batch.file_id), batch.file_name, definition.known_headings())


def match(
    *, actor: Actor, kind: str, import_id: int, matching: dict[str, int | None], today: date | None = None
) -> ImportState:
    """Fix field → column, read and check every row; writes no record, only what is wrong with the file.

    Raises Invalid (a required field without a column, one column twice), Refused when it is being written already.
    """
    with _step(actor, kind, today) as definition:
        batch = _batch(actor, kind, import_id, lock=True)
        if _running(batch) or batch.state == State.DONE:
            raise Refused(_("This import has been written already."), code="import.done")
        batch.matching = _checked(definition, matching, len(batch.headers))
        rows = definition.read(_table(actor, batch, definition), batch.matching)
        batch.counts = _counts(rows)
        batch.state = State.PREVIEW
        batch.operation = None
        batch.save(update_fields=["matching", "counts", "state", "operation"])
        _keep_problems(definition, batch, rows)
        ColumnMatching.objects.update_or_create(
            kind=kind,
            signature=batch.signature,
            defaults={"matching": batch.matching, "used_at": timezone.now()},
        )
        return _state(batch)


def _checked(definition: Import, matching: dict[str, int | None], width: int) -> dict[str, int | None]:
    errors: dict[str, list[str]] = {}
    chosen: dict[int, str] = {}
    for f in definition.fields:
        at = matching.get(f.key)
        if at is None:
            if f.required:
                errors[f"column_{f.key}"] = [_("Choose the column for “%(label)s”.") % {"label": f.label}]
        elif not 0 <= at < width:
            errors[f"column_{f.key}"] = [_("There is no such column.")]
        elif at in chosen:
            errors[f"column_{f.key}"] = [_("This column is already used for “%(label)s”.") % {"label": chosen[at]}]
        else:
            chosen[at] = str(f.label)
    if errors:
        raise Invalid(errors, code="import.matching")
    return {f.key: matching.get(f.key) for f in definition.fields}


def _counts(rows: list[Row]) -> dict[str, int]:
    bad = sum(1 for r in rows if r.problems)
    return {"rows": len(rows), "new": len(rows) - bad, "changed": 0, "rejected": bad}


def _keep_problems(definition: Import, batch: ImportBatch, rows: list[Row]) -> None:
    ImportProblem.objects.filter(batch=batch).delete()
    fields = {f.key: f for f in definition.fields}
    found = []
    for row in rows:
        for key, message, code in row.problems:
            f, at = fields.get(key), batch.matching.get(key)
            written = text_of(row.cells[at]) if at is not None and at < len(row.cells) else ""
            found.append(
                ImportProblem(
                    batch=batch,
                    row=row.number,
                    name=definition.row_name(row)[:60],
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


def state(*, actor: Actor, kind: str, import_id: int) -> ImportState:
    """Where the import stands. Raises NotVisible for another account's."""
    with _step(actor, kind):
        return _state(_batch(actor, kind, import_id))


def _running(batch: ImportBatch) -> bool:
    return batch.state == State.RUNNING and batch.operation is not None and batch.operation.finished_at is None


def _state(batch: ImportBatch) -> ImportState:
    step, result = batch.state, ""
    if batch.state == State.RUNNING and not _running(batch):  # the work ended without a commit: start it again
        step, result = State.PREVIEW, batch.operation.error or _("Cancelled. Nothing has been written.")
    problems = [] if step == State.MATCH else batch.problems.all()[:SHOWN_PROBLEMS]
    return ImportState(
        id=batch.pk,
        step=str(step),
        file_name=batch.file_name,
        headers=batch.headers,
        samples=batch.samples,
        matching=batch.matching,
        counts=batch.counts,
        problems=[RowProblem(p.row, p.name, p.column, p.value, p.message) for p in problems],
        operation_id=batch.operation_id if step in (State.RUNNING, State.DONE) else None,
        result=result,
    )


def commit(*, actor: Actor, kind: str, import_id: int) -> int:
    """Start the operation that writes all accepted rows; returns its id. Raises Refused when there is none."""
    with _step(actor, kind) as definition:
        batch = _batch(actor, kind, import_id, lock=True)
        if batch.state == State.DONE or _running(batch):
            raise Refused(_("This import has been written already."), code="import.done")
        if batch.state == State.MATCH or not batch.counts.get("new"):
            raise Refused(_("No row can be taken. Correct the file and upload it again."), code="import.empty")
        batch.operation = operations.start(actor, "importing.commit", title=f"{definition.title}: {batch.file_name}",
                                           params={"batch_id": batch.pk})  # fmt: skip
        batch.state = State.RUNNING
        batch.save(update_fields=["operation", "state"])
        return batch.operation_id


def write(op: operations.Progress, actor: Actor, *, batch_id: int) -> None:
    """The work of the operation: read the file again, check again, write what is good, keep what is not as a file.

    One transaction: a worker that dies leaves nothing, and the operation starts from the beginning.
    """
    batch = ImportBatch.objects.select_for_update().get(pk=batch_id)
    if batch.state == State.DONE:
        return
    definition = IMPORTS[batch.kind](actor, timezone.localdate())
    op.total(2 * batch.counts["rows"])
    rows = definition.read(_table(actor, batch, definition), batch.matching, op.advance)
    good, bad = [r for r in rows if not r.problems], [r for r in rows if r.problems]
    written = definition.commit(good, batch, op.advance) if good else {"new": 0}
    batch.counts = {**_counts(rows), **written}
    batch.state, batch.committed_at = State.DONE, timezone.now()
    if bad:
        content = rejected_workbook(definition, batch.headers, bad)
        batch.rejected_file = files.save(
            actor, title=rejected_name(batch), content_type=XLSX, data=content, private=True, keep_days=KEEP_DAYS
        )
        op.result(file=batch.rejected_file)
    batch.save(update_fields=["counts", "state", "committed_at", "rejected_file"])
    _keep_problems(definition, batch, bad)
    op.result(**batch.counts)


def rejected_name(batch: ImportBatch) -> str:
    return _("%(name)s rejected rows.xlsx") % {"name": batch.file_name.rpartition(".")[0] or batch.file_name}


def rejected(*, actor: Actor, kind: str, import_id: int) -> tuple[str, io.BytesIO]:
    """(file name, workbook) of the rows that are not taken, as they were, the reasons in a first column; logged."""
    with _step(actor, kind) as definition:
        batch = _batch(actor, kind, import_id)
        log_read(actor=actor, what="rejected rows", objects=[batch], purpose=definition.title)
        if batch.rejected_file_id:
            return rejected_name(batch), io.BytesIO(files.read(actor, batch.rejected_file_id))
        rows = definition.read(_table(actor, batch, definition), batch.matching)
        content = rejected_workbook(definition, batch.headers, [r for r in rows if r.problems])
        return rejected_name(batch), io.BytesIO(content)


def template(*, actor: Actor, kind: str) -> tuple[str, io.BytesIO]:
    """(file name, empty workbook) with headings, notes, an example and dropdowns."""
    with _step(actor, kind) as definition:
        return _("%(title)s template.xlsx") % {"title": definition.title}, io.BytesIO(template_workbook(definition))
