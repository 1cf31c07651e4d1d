"""The steps of an import. Each is one service call: permission of the import, scope and transaction of the actor.

What takes long (reading, checking, writing a large file) is an operation; its work is in ``work``.
"""

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel import files, operations
from sangyu.kernel.actor import Actor
from sangyu.kernel.audit import log_read
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.scoping import scope
from sangyu.kernel.workbooks import XLSX

from . import work
from .definition import IMPORTS, Import
from .held import settle
from .models import ImportBatch
from .reading import read_table
from .work import KEEP_DAYS, SHOWN_PROBLEMS, definition_of, rejected_name
from .workbooks import rejected_workbook, template_workbook

__all__ = [
    "ImportState", "RowProblem", "cancel", "commit", "discard", "match", "progress", "rejected", "settle", "sources", "state", "template",
    "upload",
]  # fmt: skip

State = ImportBatch.State
#: Files up to this size are read, and tables up to so many rows checked, while the page waits.
SMALL_FILE = 400_000
SMALL_TABLE = 2_000


@dataclass
class RowProblem:
    """One problem as the page shows it. ``held``: the row is kept for a decision, not turned away."""

    row: int
    name: str
    column: str
    value: str
    message: str
    held: bool = False
    field: str = ""
    code: str = ""


@dataclass
class ImportState:
    """Where an import stands: upload (it failed to be read), read, match, check, preview, running or done."""

    id: int
    step: str
    file_name: str
    source: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    headers: list[str] = field(default_factory=list)
    samples: list[list[str]] = field(default_factory=list)
    matching: dict[str, int | None] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)  # rows, new, changed, unchanged, held, rejected
    problems: list[RowProblem] = field(default_factory=list)
    operation_id: int | None = None
    result: str = ""

    @property
    def importable(self) -> int:
        """Rows that a commit would write or keep for a decision."""
        return sum(self.counts.get(k, 0) for k in ("new", "changed", "held"))


@contextmanager
def _step(actor: Actor, kind: str):
    cls = IMPORTS[kind]
    if not actor.may(cls.permission):
        raise Forbidden(cls.permission)
    with scope(actor), transaction.atomic():
        yield cls


def _batch(actor: Actor, kind: str, pk: int, *, lock: bool = False) -> ImportBatch:
    rows = ImportBatch.objects.filter(pk=pk, kind=kind, account_id=actor.account_id)
    batch = rows.select_related("operation").first()
    if batch is None:
        raise NotVisible
    if lock and not _working(batch):  # the work of an operation holds the lock for as long as it takes
        batch = rows.select_for_update().get()
    return batch


def upload(
    *,
    actor: Actor,
    kind: str,
    file: Any,
    source: str = "",
    settings: dict[str, str] | None = None,
    today: date | None = None,
    at_once: bool = False,
) -> int:
    """Keep the workbook, find its table, propose a matching; returns the import. ``file`` has ``name`` and ``read``.

    ``source`` names where such files come from: its columns are matched as they were last time. ``settings`` are the values
    of the import's options. A large file is read in the background unless ``at_once``. Raises Invalid.
    """
    with _step(actor, kind) as cls:
        data = file.read()
        stored = files.save(
            actor, title=file.name, content_type=_type(file.name), data=data, private=True, keep_days=KEEP_DAYS
        )
        batch = ImportBatch(
            kind=kind,
            state=State.READ,
            path=actor.path,
            file=stored,
            file_name=file.name[:200],
            source=source.strip()[:60],
            settings=cls.read_settings(settings or {}),
            account_id=actor.account_id,
            audience=actor.audience.value,
            subject_id=actor.subject_id,
            actor=actor.name,
        )
        if at_once or len(data) <= SMALL_FILE:
            definition = definition_of(actor, batch, today)
            work.take_table(actor, batch, definition, read_table(data, file.name, definition.known_headings()))
        else:
            batch.save()
            _start(actor, batch, "importing.read", _("Read %(file)s") % {"file": batch.file_name})
        return batch.pk


def _start(actor: Actor, batch: ImportBatch, kind: str, title: str) -> None:
    batch.operation = operations.start(actor, kind, title=title, params={"batch_id": batch.pk})
    batch.save(update_fields=["operation", "state", "matching"])


def _type(name: str) -> str:
    known = {"csv": "text/csv", "txt": "text/csv", "xls": "application/vnd.ms-excel"}
    return known.get(name.lower().rpartition(".")[2], XLSX)


def match(
    *,
    actor: Actor,
    kind: str,
    import_id: int,
    matching: dict[str, int | None],
    today: date | None = None,
    at_once: bool = False,
) -> ImportState:
    """Fix field → column, read and check every row; writes no record, only what is wrong with the file.

    A large table is checked in the background unless ``at_once``. Raises Invalid (a required field without a column, one
    column twice), Refused when it is being written already or not read yet.
    """
    with _step(actor, kind):
        batch = _batch(actor, kind, import_id, lock=True)
        if batch.state == State.DONE or _working(batch) or batch.table_id is None:
            raise Refused(_("This import is at work or has been written already."), code="import.done")
        definition = definition_of(actor, batch, today)
        batch.matching = _checked(definition, matching, len(batch.headers))
        if at_once or batch.rows <= SMALL_TABLE:
            work.check(work.Silent(), actor, batch, today)
        else:
            batch.state = State.CHECK
            _start(actor, batch, "importing.check", _("Check %(file)s") % {"file": batch.file_name})
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


def checked_matching(actor: Actor, batch: ImportBatch, today: date | None = None) -> None:
    """Take the proposed matching of ``batch``. Raises Invalid when a required field has no column."""
    batch.matching = _checked(definition_of(actor, batch, today), batch.matching, len(batch.headers))


def state(*, actor: Actor, kind: str, import_id: int) -> ImportState:
    """Where the import stands. Raises NotVisible for another account's."""
    with _step(actor, kind):
        return _state(_batch(actor, kind, import_id))


def _working(batch: ImportBatch) -> bool:
    at_work = batch.state in (State.READ, State.CHECK, State.RUNNING)
    return at_work and batch.operation is not None and batch.operation.finished_at is None


#: Where an import stands when the work of a step ended without its result: that step can be started again.
_BEFORE = {State.READ: "upload", State.CHECK: State.MATCH, State.RUNNING: State.PREVIEW}


def _state(batch: ImportBatch) -> ImportState:
    step, result = batch.state, ""
    if step in _BEFORE and not _working(batch):
        step = _BEFORE[batch.state]
        result = (batch.operation and batch.operation.error) or _("Cancelled. Nothing has been written.")
    problems = batch.problems.all()[:SHOWN_PROBLEMS] if step in (State.PREVIEW, State.DONE) else []
    return ImportState(
        id=batch.pk,
        step=str(step),
        file_name=batch.file_name,
        source=batch.source,
        settings=batch.settings,
        headers=batch.headers,
        samples=batch.samples,
        matching=batch.matching,
        counts=batch.counts,
        problems=[RowProblem(p.row, p.name, p.column, p.value, p.message, p.held, p.field, p.code) for p in problems],
        operation_id=batch.operation_id if _working(batch) or step == State.DONE else None,
        result=result,
    )


def commit(*, actor: Actor, kind: str, import_id: int) -> int:
    """Start the operation that writes all accepted rows; returns its id. Raises Refused when there is none."""
    with _step(actor, kind) as cls:
        batch = _batch(actor, kind, import_id, lock=True)
        if batch.state == State.DONE or _working(batch):
            raise Refused(_("This import has been written already."), code="import.done")
        now = _state(batch)
        if now.step == State.PREVIEW and not now.importable and now.counts.get("unchanged"):
            raise Refused(_("Nothing in the file differs from the register."), code="import.unchanged")
        if now.step != State.PREVIEW or not now.importable:
            raise Refused(_("No row can be taken. Correct the file and upload it again."), code="import.empty")
        batch.state = State.RUNNING
        _start(actor, batch, "importing.commit", f"{cls.title}: {batch.file_name}")
        return batch.operation_id


def progress(*, actor: Actor, kind: str, import_id: int) -> dict[str, Any] | None:
    """How far the background work of the present step is (``operations.as_dict``), or None."""
    with _step(actor, kind):
        batch = _batch(actor, kind, import_id)
        return operations.as_dict(batch.operation, actor) if _working(batch) else None


def cancel(*, actor: Actor, kind: str, import_id: int) -> None:
    """Ask the background work to stop; nothing of it is written. Raises Refused when none is under way."""
    with _step(actor, kind):
        batch = _batch(actor, kind, import_id)
        if not _working(batch):
            raise Refused(_("Nothing is under way."), code="import.idle")
        operations.cancel(actor, batch.operation_id)


def discard(*, actor: Actor, kind: str, import_id: int) -> None:
    """Forget an import that was not committed, with its files. Raises Refused while it is at work or when it is done."""
    with _step(actor, kind):
        batch = _batch(actor, kind, import_id, lock=True)
        if batch.state == State.DONE or _working(batch):
            raise Refused(_("This import is at work or has been written already."), code="import.done")
        stored = [pk for pk in (batch.file_id, batch.table_id) if pk]
        batch.delete()
        for pk in stored:
            files.remove(actor, pk)


def rejected(*, actor: Actor, kind: str, import_id: int) -> tuple[str, bytes]:
    """(file name, workbook) of the rows that are not taken, as they were, the reasons in a first column; logged."""
    with _step(actor, kind) as cls:
        batch = _batch(actor, kind, import_id)
        log_read(actor=actor, what="rejected rows", objects=[batch], purpose=str(cls.title))
        if batch.rejected_file_id:
            return rejected_name(batch), files.read(actor, batch.rejected_file_id)
        definition = definition_of(actor, batch)
        rows = definition.read(work.table_of(actor, batch), batch.matching)
        found = [r for r in rows if work.is_rejected(r)]
        return rejected_name(batch), rejected_workbook(definition, batch.headers, found)


def template(*, actor: Actor, kind: str) -> tuple[str, bytes]:
    """(file name, empty workbook) with headings, notes, an example and dropdowns."""
    with _step(actor, kind) as cls:
        definition = cls(actor, timezone.localdate())
        return _("%(title)s template.xlsx") % {"title": cls.title}, template_workbook(definition)


def sources(*, actor: Actor, kind: str, most: int = 50) -> list[str]:
    """Named sources of earlier imports in the actor's area, the latest first."""
    with _step(actor, kind):
        rows = ImportBatch.objects.visible_to(actor).filter(kind=kind).exclude(source="")
        named = rows.values("source").annotate(last=Max("created_at")).order_by("-last")
        return list(named.values_list("source", flat=True)[:most])
