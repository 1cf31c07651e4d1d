"""Acts on many rows of a list: a row for each result, in the background above a limit, and taken back where an act says how."""

import dataclasses
import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from importlib import import_module
from typing import Any

from django import forms
from django.db import connection, transaction
from django.http import QueryDict
from django.test import RequestFactory
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel import operations
from sangyu.kernel.actor import Actor
from sangyu.kernel.crypto import EncryptedTextField
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused, SangyuError
from sangyu.kernel.scoping import scope
from sangyu.ui.models import BulkRow, BulkRun

#: More rows than this run in the background.
DIRECT_ROWS = 200
CHUNK = 1_000
#: How long an act can be taken back.
UNDO_WITHIN = timedelta(hours=24)
State = BulkRow.State


class BulkForm(forms.Form):
    """What an act asks before it runs; gets the actor to narrow its choices."""

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor


@dataclasses.dataclass
class Outcome:
    """What a set-based act did: who was refused and why, and what it keeps of the others to take them back."""

    refused: dict[int, str] = dataclasses.field(default_factory=dict)
    kept: dict[int, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Bulk:
    """An act on selected rows, with a result per row.

    ``each(actor=, row=, **values)`` calls one service for one row and answers what its undo needs (JSON, or None); or
    ``many(actor=, ids=, **values)`` acts on up to 1,000 rows in a few statements and answers an ``Outcome`` (or None).
    ``undo(actor=, row=, kept=)``, or ``undo_many(actor=, kept={id: …})`` answering {id: why not}, is the inverse service:
    with it the act can be taken back for 24 hours. ``form`` (a ``BulkForm``) asks for ``values`` first. ``confirm`` names
    what happens, with ``{count}``.
    """

    key: str
    label: str
    permission: str
    each: Callable[..., Any] | None = None
    many: Callable[..., Outcome | None] | None = None
    undo: Callable[..., Any] | None = None
    undo_many: Callable[..., dict[int, str] | None] | None = None
    form: type[BulkForm] | None = None
    icon: str = ""
    confirm: str = ""

    @property
    def asks(self) -> bool:
        """Whether a form comes first, which is the confirmation then."""
        return self.form is not None

    @property
    def can_undo(self) -> bool:
        return self.undo is not None or self.undo_many is not None

    def values(self, params: dict[str, list[str]], actor: Actor) -> dict:
        """What was asked in the form, checked again. Raises Invalid."""
        if self.form is None:
            return {}
        data = QueryDict(mutable=True)
        for key, found in params.items():
            data.setlist(key, found)
        form = self.form(data, actor=actor)
        if not form.is_valid():
            raise Invalid({name: [str(m) for m in found] for name, found in form.errors.items()})
        return form.cleaned_data


#: Acts that a room offers on the list of a room that it may import, by ``page_key``.
_OFFERED: dict[str, list[Bulk]] = {}


def offer(page_key: str, act: Bulk) -> None:
    """Show ``act`` on the list ``page_key`` ("sangyu.registry.people.PersonList"); called once, when the room is ready."""
    _OFFERED.setdefault(page_key, []).append(act)


def acts_of(page: Any) -> list[Bulk]:
    """What may be done to many rows of the list: its own acts, then those that other rooms offer."""
    return [*page.bulk, *_OFFERED.get(page.page_key, [])]


# ---------------------------------------------------------------- lists by name
def reference(page: Any) -> dict:
    """What is kept of a list page so that the background can make it again."""
    cls = type(page)
    return {"page": f"{cls.__module__}:{cls.__qualname__}", "kwargs": {k: str(v) for k, v in page.kwargs.items()}}


def page_again(page: str, actor: Actor, *, query: str = "", kwargs: dict | None = None) -> Any:
    """The list page ``page`` ("module:Class") as ``actor`` saw it under ``query``. Raises Forbidden."""
    from .listing import ListPage

    module, name = page.split(":")
    cls = getattr(import_module(module), name)
    if not (isinstance(cls, type) and issubclass(cls, ListPage)):
        raise TypeError(f"{page} is no list page")
    view, request = cls(), RequestFactory().get("/")
    request.GET, request.actor = QueryDict(query), actor
    view.setup(request, **(kwargs or {}))
    view.actor = actor
    view.check(request)
    return view


def act_of(run: BulkRun, page: Any) -> Bulk:
    """The declared act of ``run``. Raises Forbidden, NotVisible."""
    found = next((a for a in acts_of(page) if a.key == run.act), None)
    if found is None:
        raise NotVisible
    if not page.actor.may(found.permission):
        raise Forbidden(found.permission)
    return found


# ---------------------------------------------------------------- starting
def start(page: Any, act: Bulk, rows: Any, params: dict[str, list[str]]) -> BulkRun:
    """Write down ``rows`` as the selection and act on them: at once up to ``DIRECT_ROWS``, else in the background.

    Raises Invalid when nothing is selected or the form is not complete.
    """
    from sangyu.ui import views

    act.values(params, page.actor)
    run = _new_run(page.actor, act.key, str(act.label), page.get_title(), reference(page), params)
    run.query = views.clean_query(page.params)[:2000]
    sql, values = rows.order_by().values("pk").query.sql_with_params()
    run.count = _take_down(run, f"SELECT DISTINCT s.id AS row_id, NULL::jsonb AS kept FROM ({sql}) s(id)", values)
    return _go(run, page)


def undo(actor: Actor, run_id: int) -> BulkRun:
    """Take back what run ``run_id`` did, row by row; returns the new run. Raises NotVisible, Refused."""
    found = BulkRun.objects.select_for_update().filter(pk=run_id, account_id=actor.account_id).first()
    if found is None:
        raise NotVisible
    page = page_again(found.page, actor, kwargs=found.kwargs)
    act = act_of(found, page)
    if not may_undo(found, act):
        raise Refused(_("This cannot be taken back any more."), code="bulk.no_undo")
    label = _("Undo: %(act)s") % {"act": found.label}
    kept = {"page": found.page, "kwargs": found.kwargs}
    run = _new_run(actor, act.key, label, found.title, kept, found.params, undoes=found)
    done = "SELECT row_id, kept FROM ui_bulkrow WHERE run_id = %s AND state = 'done'"
    run.count = _take_down(run, done, [found.pk])
    return _go(run, page)


def may_undo(run: BulkRun, act: Bulk) -> bool:
    """Whether ``run`` can still be taken back."""
    return (
        act.can_undo
        and run.undoes_id is None
        and run.finished_at is not None
        and timezone.now() - run.at < UNDO_WITHIN
        and not BulkRun.objects.filter(undoes=run).exists()
    )


def _new_run(actor: Actor, act: str, label: str, title: str, kept: dict, params: dict, undoes=None) -> BulkRun:
    return BulkRun.objects.create(
        path=actor.path, audience=actor.audience.value, subject_id=actor.subject_id, account_id=actor.account_id,
        actor=actor.name, role=actor.role, act=act, label=label[:100], title=title[:100], params=params, undoes=undoes,
        **kept,
    )  # fmt: skip


def _take_down(run: BulkRun, sql: str, values: Sequence) -> int:
    """Write the selection as rows of the run, in one statement; ``sql`` answers row_id and kept."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO ui_bulkrow (run_id, path, row_id, name, message, kept) "
            f"SELECT %s, %s, s.row_id, '', '', s.kept FROM ({sql}) s",
            [run.pk, run.path, *values],
        )
        return cursor.rowcount


def _go(run: BulkRun, page: Any) -> BulkRun:
    if run.count == 0:
        raise Invalid({"": [_("Select at least one row.")]})
    if run.count > DIRECT_ROWS:
        work = operations.start(
            page.actor, "ui.bulk", title=f"{run.title}: {run.label}", params={"run": run.pk, "count": run.count}
        )
        run.operation_id = work.pk
        run.save(update_fields=["count", "query", "operation_id"])
    else:
        run.save(update_fields=["count", "query"])
        execute(run, page)
    return run


# ---------------------------------------------------------------- running
def execute(run: BulkRun, page: Any, *, advance: Callable[[int], None] = lambda n: None) -> None:
    """Act on the waiting rows of ``run``, a chunk a transaction; a second call goes on where the first was stopped."""
    act, actor = act_of(run, page), page.actor
    values = act.values(run.params, actor)
    while True:
        with scope(actor, source=f"bulk {run.pk}"), transaction.atomic():
            waiting = BulkRow.objects.filter(run=run, state=State.WAITING).order_by("id")
            chunk = list(waiting.select_for_update()[:CHUNK])
            if not chunk:
                run.finished_at = timezone.now()
                run.save(update_fields=["finished_at"])
                return
            _one_chunk(run, act, page, chunk, values)
        advance(len(chunk))


def _one_chunk(run: BulkRun, act: Bulk, page: Any, chunk: list[BulkRow], values: dict) -> None:
    back, actor = run.undoes_id is not None, page.actor
    set_based = act.undo_many is not None if back else act.many is not None
    rows = page.get_queryset() if back else page.scoped()
    rows = rows.visible_to(actor) if hasattr(rows, "visible_to") else rows
    found = {r.pk: r for r in (_light(rows) if set_based else rows).filter(pk__in=[c.row_id for c in chunk])}
    for row in chunk:
        row.state, row.kept = State.DONE, row.kept if back else None
        if row.row_id not in found:
            row.state, row.message = State.REFUSED, _("No longer in this list.")
        else:
            row.name = str(found[row.row_id])[:200]
    ready = [c for c in chunk if c.state == State.DONE]
    if set_based:
        outcome = _many(act, actor, ready, values, back=back)
        for row in ready:
            if why := outcome.refused.get(row.row_id):
                row.state, row.message = State.REFUSED, str(why)[:500]
            elif not back:
                row.kept = outcome.kept.get(row.row_id)
    else:
        for row in ready:
            _each(act, actor, row, found[row.row_id], values, back=back)
    _write_down(chunk)


def _light(rows: Any) -> Any:
    """Without the columns that cost a decryption each: a set-based act reads what it needs itself."""
    return rows.defer(*[f.name for f in rows.model._meta.concrete_fields if isinstance(f, EncryptedTextField)])


def _each(act: Bulk, actor: Actor, row: BulkRow, found: Any, values: dict, *, back: bool) -> None:
    try:
        with transaction.atomic():
            if back:
                act.undo(actor=actor, row=found, kept=row.kept)
            else:
                row.kept = _json(act.each(actor=actor, row=found, **values))
    except SangyuError as error:
        row.state, row.message = State.REFUSED, str(error.message or error)[:500]


def _many(act: Bulk, actor: Actor, ready: list[BulkRow], values: dict, *, back: bool) -> Outcome:
    if not ready:
        return Outcome()
    try:
        with transaction.atomic():
            if back:
                return Outcome(refused=act.undo_many(actor=actor, kept={r.row_id: r.kept for r in ready}) or {})
            return act.many(actor=actor, ids=[r.row_id for r in ready], **values) or Outcome()
    except SangyuError as error:
        return Outcome(refused={r.row_id: str(error.message or error) for r in ready})


def _json(value: Any) -> Any:
    """``value`` when it can be kept as JSON; a service's model instance is not kept."""
    return value if isinstance(value, (dict, list, str, int, float, bool)) else None


def _write_down(chunk: list[BulkRow]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ui_bulkrow b SET state = n.state, message = n.message, name = n.name, kept = n.kept "
            "FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::jsonb[]) n(id, state, message, name, kept) "
            "WHERE b.id = n.id",
            [
                [r.pk for r in chunk],
                [str(r.state) for r in chunk],
                [str(r.message) for r in chunk],
                [r.name for r in chunk],
                [None if r.kept is None else json.dumps(r.kept) for r in chunk],
            ],
        )
