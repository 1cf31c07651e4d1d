"""Long work as a row people can watch: progress, result, errors, cancel (design rule 10).

A room declares a kind and starts it from a service::

    @operation("people.import", restart=True)
    def import_roster(op: Progress, actor: Actor, *, file_id: int) -> None:
        op.total(count)
        for batch in batches:
            ...
            op.advance(len(batch))
        op.result(accepted=1200, rejected=3, file=rejected_rows)

    operations.start(actor, "people.import", title=_("Roster import"), params={"file_id": 7})

The work runs as a job, as the actor that started it with the permissions held at that moment (kept in the row): it
can see and do exactly what its starter could, no more, even when the grant ends in between. Progress is written over
a second connection, so others see it while the work's one transaction is open; the result is written inside that
transaction, so a crash before the commit leaves neither and a crash after it leaves both.
"""

import logging
import time
from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from django.db import connection, connections, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from .actor import ROOT_PATH, Actor, Audience
from .errors import NotVisible, Refused, SangyuError
from .events import emit
from .models import Operation, StoredFile
from .scoping import as_system, current_actor, scope

log = logging.getLogger(__name__)
State = Operation.State


class Cancelled(Exception):
    """Raised inside the work when someone asked to cancel; everything it wrote is rolled back."""


@dataclass(frozen=True)
class Kind:
    """A declared kind. ``restart``: after a worker's crash run again from the start; otherwise it is marked failed.

    ``atomic``: the whole work is one transaction in the actor's scope. Without it the function calls services that
    commit.
    """

    name: str
    run: Callable[..., None]
    restart: bool
    atomic: bool


KINDS: dict[str, Kind] = {}


def operation(name: str, *, restart: bool = False, atomic: bool = True) -> Callable[[Callable], Callable]:
    """Register ``run(op: Progress, actor: Actor, **params)`` as the work of kind ``name`` (in a room's
    ``tasks.py``).
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        KINDS[name] = Kind(name, function, restart, atomic)
        return function

    return register


def start(actor: Actor, kind: str, *, title: str, params: dict[str, Any] | None = None) -> Operation:
    """Write the row and its job in the caller's transaction. ``params`` are JSON values (ids, dates as text), no
    personal data.

    The caller is a service that has checked the permission. Raises KeyError for an unknown kind.
    """
    from .jobs import defer

    if kind not in KINDS:
        raise KeyError(f"no @operation({kind!r}) is registered; is it in a room's tasks.py?")
    with scope(actor), transaction.atomic():
        row = Operation.objects.create(
            path=actor.path,
            kind=kind,
            title=title,
            params=params or {},
            audience=actor.audience.value,
            subject_id=actor.subject_id,
            account_id=actor.account_id,
            actor=actor.name,
            role=actor.role,
            grant_id=actor.grant_id,
            region_name=actor.region_name,
            permissions=sorted(actor.permissions),
        )
        row.job_id = defer("kernel.run_operation", queue="operations", operation_id=row.pk)
        row.save(update_fields=["job_id"])
    return row


def cancel(actor: Actor, pk: int) -> Operation:
    """Ask operation ``pk`` to stop; a waiting one stops at once. Only who started it may. Raises NotVisible,
    Refused.
    """
    from .jobs import cancel as cancel_job

    with scope(actor), transaction.atomic():
        row = Operation.objects.select_for_update().filter(pk=pk).first()
        if row is None:
            raise NotVisible
        if not started_by(row, actor):
            raise Refused(_("Only the person who started this can cancel it."), code="operation.foreign")
        if row.finished_at is not None:
            raise Refused(_("This has already ended."), code="operation.ended")
        row.cancel_requested_at = row.cancel_requested_at or timezone.now()
        if row.state == State.WAITING and cancel_job(row.job_id):
            row.state, row.finished_at = State.CANCELLED, timezone.now()
        row.save(update_fields=["cancel_requested_at", "state", "finished_at"])
    return row


def started_by(row: Operation, actor: Actor) -> bool:
    """Whether ``actor`` started ``row``."""
    if actor.audience is Audience.JOB:
        return True
    return row.account_id is not None and row.account_id == actor.account_id


def as_dict(row: Operation, actor: Actor) -> dict[str, Any]:
    """What the progress fragment shows. The result and its file are for whoever started the work."""
    own = started_by(row, actor)
    result = (row.result or {}) if own else {}
    return {
        "id": row.pk,
        "kind": row.kind,
        "title": row.title,
        "actor": row.actor,
        "state": row.state,
        "state_label": State(row.state).label,
        "ended": row.finished_at is not None,
        "done": row.done,
        "total": row.total,
        "percent": min(100, row.done * 100 // row.total) if row.total else (100 if row.state == State.DONE else None),
        "cancelling": row.cancel_requested_at is not None and row.finished_at is None,
        "may_cancel": own and row.finished_at is None and row.cancel_requested_at is None,
        "result": {k: v for k, v in result.items() if k != "file_id"},
        "file_id": result.get("file_id"),
        "error": row.error,
        "created_at": row.created_at,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
    }


def actor_of(row: Operation) -> Actor:
    """The actor that started ``row``, as it was then."""
    return Actor(
        audience=Audience(row.audience),
        path=row.path,
        name=row.actor,
        account_id=row.account_id,
        subject_id=row.subject_id,
        role=row.role,
        grant_id=row.grant_id,
        region_name=row.region_name,
        permissions=frozenset(row.permissions),
    )


# ---------------------------------------------------------------- running
class Progress:
    """Given to the work: tells others how far it is, and the work whether to go on. Cheap to call per row."""

    #: Seconds between two writes.
    EVERY = 0.3

    def __init__(self, pk: int, *, apart: bool = True) -> None:
        self.pk = pk
        self._done = 0
        self._total: int | None = None
        self._written = 0.0
        self._result: dict[str, Any] = {}
        self._beside = connections["default"].copy() if apart else None

    def close(self) -> None:
        """No more words about the progress: the second connection ends."""
        if self._beside is not None:
            self._beside.close()

    def total(self, n: int | None) -> None:
        """How many steps there are; None = unknown."""
        self._total = n
        self._write()

    def advance(self, n: int = 1) -> None:
        """``n`` more steps are done. Raises Cancelled when that was asked for."""
        self._done += n
        if time.monotonic() - self._written >= self.EVERY:
            self._write()

    def check_cancelled(self) -> None:
        """Raises Cancelled when that was asked for; call it before a long statement."""
        self._write()

    def result(self, *, file: StoredFile | None = None, **values: Any) -> None:
        """What came out: JSON values and at most one file, for whoever started the work."""
        self._result.update(values)
        if file is not None:
            self._result["file_id"] = file.pk

    def _write(self) -> None:
        self._written = time.monotonic()
        with _beside(self._beside) if self._beside is not None else _within() as cursor:
            cursor.execute(
                "UPDATE kernel_operation SET done = %s, total = %s, heartbeat_at = now() WHERE id = %s AND state = "
                "'running' "
                "RETURNING cancel_requested_at",
                [self._done, self._total, self.pk],
            )
            row = cursor.fetchone()
        if row is None or row[0] is not None:
            raise Cancelled


@contextmanager
def _beside(second):
    """A cursor of the connection ``second`` in a transaction of its own, in the job role: seen by others at once."""
    try:
        with second.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(
                "SELECT set_config('sangyu.path', %s, true), set_config('role', %s, true)",
                [ROOT_PATH, Audience.JOB.db_role],
            )
            yield cursor
            cursor.execute("COMMIT")
    except BaseException:
        second.close()  # the next word opens it again
        raise


@contextmanager
def _within():
    """A cursor of the work's own connection: when all runs in one outer transaction (a test), no other could see the
    row.
    """
    with (
        scope(current_actor() or Actor.job("kernel.operations")),
        as_system("progress is shown to others"),
        connection.cursor() as cursor,
    ):
        yield cursor


def run(operation_id: int) -> None:
    """Carry out one operation; called by its job. A second call after a crash restarts or fails it, as the kind
    declares.
    """
    apart = not connection.in_atomic_block
    with scope(Actor.job("kernel.operations")):
        row = Operation.objects.select_for_update().get(pk=operation_id)
        if row.finished_at is not None:
            return
        kind = KINDS.get(row.kind)
        lost = row.state == State.RUNNING and not (kind and kind.restart)
        if kind is not None and not lost and row.cancel_requested_at is None:
            row.state, row.started_at, row.done, row.error = State.RUNNING, timezone.now(), 0, ""
            row.save(update_fields=["state", "started_at", "done", "error"])
    if kind is None:
        log.error("operation %s: no @operation(%r) is registered", row.pk, row.kind)
        _end(row, State.FAILED, _("This kind of work is not known here."))
    elif lost:
        _end(row, State.FAILED, _("The work was interrupted and has been rolled back. Please start it again."))
    elif row.state != State.RUNNING or row.cancel_requested_at is not None:
        _end(row, State.CANCELLED)
    else:
        _work(row, kind, apart)


def _work(row: Operation, kind: Kind, apart: bool) -> None:
    actor, op = actor_of(row), Progress(row.pk, apart=apart)
    try:
        with scope(actor, source=f"{row.kind} {row.pk}") if kind.atomic else nullcontext():
            kind.run(op, actor, **row.params)
            op.check_cancelled()
            _end(row, State.DONE, result=op._result, done=op._done, as_actor=actor)
    except Cancelled:
        _end(row, State.CANCELLED)
    except SangyuError as refusal:
        _end(row, State.FAILED, str(refusal) or refusal.code)
    except Exception:
        _end(
            row, State.FAILED, _("Something went wrong. The cause is in the log under number %(id)s.") % {"id": row.pk}
        )
        log.exception("operation %s (%s) failed", row.pk, row.kind)
    finally:
        op.close()


def _end(
    row: Operation,
    state: State,
    error: str = "",
    *,
    result: dict | None = None,
    done: int | None = None,
    as_actor: Actor | None = None,
) -> None:
    """Write the end and its event: inside the work's transaction when ``as_actor`` works in it, else in one of its
    own.
    """
    with scope(as_actor or Actor.job("kernel.operations")), as_system("the end of an operation is told to others"):
        values = {"state": state, "finished_at": timezone.now(), "error": error, "result": result}
        if done is not None:
            values["done"] = done
        if Operation.objects.filter(pk=row.pk, finished_at__isnull=True).update(**values):
            to = [f"{row.audience}:{row.subject_id}"] if row.subject_id else []
            emit("operations.ended", path=row.path, id=row.pk, state=state.value, account_id=row.account_id, to=to)


def settle_lost() -> int:
    """Fail operations whose job is gone for good (given up, or deleted). Returns how many."""
    gone = (
        "NOT EXISTS (SELECT 1 FROM procrastinate_jobs j "
        "WHERE j.id = kernel_operation.job_id AND j.status IN ('todo', 'doing'))"
    )
    with scope(Actor.job("kernel.operations")):
        open_ones = Operation.objects.filter(finished_at__isnull=True)
        lost = list(open_ones.extra(where=[gone]).order_by("id")[:100])
    for row in lost:
        _end(row, State.FAILED, _("The work was interrupted and has been rolled back. Please start it again."))
    return len(lost)
