"""Scope is in the database: who sees which rows (docs/adr/0002-scope.md, design rule 1).

A model says once, per audience, which rows are seen::

    class Visit(PlaceRow):
        scope = Scope(staff=Within(), provider=Subject("provider_id"), worker=Subject("worker_id"),
                      family=Shared("person_id", "person"))

From that one declaration come the row-level security policy (installed after ``migrate``) and ``visible_to(actor)``,
the same rule as a QuerySet method. ``scope(actor)`` opens the transaction in which the database role and the limits hold.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, models, transaction
from django.db.models import Q
from psycopg.pq import Escaping, TransactionStatus

from . import quick
from .actor import ROOT_PATH, Actor, Audience
from .errors import ScopeError

PATH_STEP = 3
#: Sorts after every character used in a path, in the "C" collation.
PATH_END = "~"


# ---------------------------------------------------------------- rules
class Rule(ABC):
    """Which rows one audience sees: as SQL for the policy, and as ``Q`` for ``visible_to``."""

    @abstractmethod
    def sql(self, table: str) -> str:
        """The condition of the row-level policy."""

    @abstractmethod
    def q(self, actor: Actor) -> Q:
        """The same for a queryset."""


@dataclass(frozen=True)
class Within(Rule):
    """Rows of the actor's region and below (place rows): a range on ``column``, which must be indexed."""

    column: str = "path"

    def sql(self, table: str) -> str:
        return f'"{self.column}" >= sangyu.scope_path() AND "{self.column}" < sangyu.scope_path_end()'

    def q(self, actor: Actor) -> Q:
        return Q(**{f"{self.column}__gte": actor.path, f"{self.column}__lt": actor.path + PATH_END})


@dataclass(frozen=True)
class Published(Rule):
    """Rows of the actor's region, of those above it (published to it) and of those below (supervised by it).

    For registers of thousands of rows, not for people or visits: the second half cannot use the index.
    """

    column: str = "path"

    def sql(self, table: str) -> str:
        # sub-selects are evaluated once a query, bare functions once a row: measured 8 times faster for 3,000 workers
        lineage_sql, path_sql = "(SELECT sangyu.scope_lineage())::text[]", "(SELECT sangyu.scope_path())"
        return f'("{self.column}" = ANY ({lineage_sql}) OR starts_with("{self.column}", {path_sql}))'

    def q(self, actor: Actor) -> Q:
        return Q(**{f"{self.column}__in": lineage(actor.path)}) | Q(**{f"{self.column}__startswith": actor.path})


@dataclass(frozen=True)
class Subject(Rule):
    """Rows whose ``column`` is the actor's own subject (its organisation, worker or account).

    Subject ids are numbered per audience: a column that holds subjects of several needs ``audience``, the column that says
    which.
    """

    column: str
    audience: str = ""

    def sql(self, table: str) -> str:
        own = f'"{self.column}" = sangyu.scope_subject()'
        return f'{own} AND "{self.audience}" = sangyu.scope_audience()' if self.audience else own

    def q(self, actor: Actor) -> Q:
        own = Q(**{self.column: actor.subject_id})
        return own & Q(**{self.audience: actor.audience.value}) if self.audience else own


@dataclass(frozen=True)
class Shared(Rule):
    """Rows shared with the actor's subject one by one through ``kernel.Share`` (a case, a consented elder)."""

    column: str
    kind: str

    def sql(self, table: str) -> str:
        return f"\"{self.column}\" = ANY (ARRAY(SELECT sangyu.shared_ids('{self.kind}')))"

    def q(self, actor: Actor) -> Q:
        from .models import Share

        return Q(**{f"{self.column}__in": Share.objects.live_for(actor, self.kind).values("object_id")})


@dataclass(frozen=True)
class Via(Rule):
    """Child rows seen when their parent row is seen. ``column`` holds the key of ``model`` ("app.Model")."""

    column: str
    model: str

    def sql(self, table: str) -> str:
        from django.apps import apps

        parent = apps.get_model(self.model)._meta
        return (
            f'EXISTS (SELECT 1 FROM "{parent.db_table}" scope_parent '
            f'WHERE scope_parent."{parent.pk.column}" = "{table}"."{self.column}")'
        )

    def q(self, actor: Actor) -> Q:
        from django.apps import apps

        return Q(**{f"{self.column}__in": apps.get_model(self.model)._default_manager.visible_to(actor).values("pk")})


@dataclass(frozen=True)
class Everyone(Rule):
    """All rows: only for registers without personal data, with the reason said in ``why``."""

    why: str

    def sql(self, table: str) -> str:
        return "true"

    def q(self, actor: Actor) -> Q:
        return Q()


@dataclass(frozen=True)
class Nobody(Rule):
    """No row. The default for audiences that a model does not mention."""

    def sql(self, table: str) -> str:
        return "false"

    def q(self, actor: Actor) -> Q:
        return Q(pk__in=[])


@dataclass(frozen=True)
class Scope:
    """A model's rule per audience. Jobs default to staff's rule, the others to Nobody.

    ``write=False``: the rows are read by these rules and written only by the room's own definer functions.
    ``write="insert"``: rows are added and never changed or removed (logs).
    ``app`` is the reason why the bare connection, before any scope is open, reads and writes all rows (sign-in only).
    """

    staff: Rule
    provider: Rule = Nobody()
    worker: Rule = Nobody()
    family: Rule = Nobody()
    job: Rule | None = None
    write: bool | str = True
    app: str = ""

    def rule(self, audience: Audience) -> Rule:
        if audience is Audience.JOB:
            return self.job or self.staff
        return getattr(self, audience.value)


@dataclass(frozen=True)
class Open:
    """A table without row-level security, readable in every scope and by the sign-in connection; ``why`` is required.

    ``write`` names who may also insert, update and delete: "scope" (any audience), "app" (also outside a scope), "" (no one
    but the owner: loaded by commands).
    """

    why: str
    write: str = "scope"


def lineage(path: str) -> list[str]:
    """``path`` and all paths above it, root first: "000001002" → ["000", "000001", "000001002"]."""
    return [path[:end] for end in range(PATH_STEP, len(path) + 1, PATH_STEP)]


# ---------------------------------------------------------------- QuerySet and fields
class ScopedQuerySet(models.QuerySet):
    """QuerySet of a model with ``scope``; the default manager of every scoped model."""

    def visible_to(self, actor: Actor) -> "ScopedQuerySet":
        """Rows that ``actor`` sees; the same rule as the database policy."""
        declared = self.model.scope
        return self if isinstance(declared, Open) else self.filter(declared.rule(actor.audience).q(actor))


class PathField(models.CharField):
    """Path of the responsible region at the time: three characters a level, "C" collation, indexed for ranges."""

    def __init__(self, *args, **kwargs) -> None:
        kwargs.setdefault("max_length", 24)
        kwargs["db_collation"] = "C"
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("db_collation", None)
        return name, path, args, kwargs


class PlaceRow(models.Model):
    """Base of rows that belong to a region and are seen from it and above."""

    path = PathField(db_index=True)
    scope = Scope(staff=Within())
    objects = ScopedQuerySet.as_manager()
    #: Foreign key to the row that this one goes with to another region ("person"); "" = it stays where it was made.
    follows: ClassVar[str] = ""

    class Meta:
        abstract = True


def take_along(row: models.Model) -> None:
    """Give the rows that follow ``row`` (see ``PlaceRow.follows``), and its files, its new path. Call under ``as_system``."""
    from django.apps import apps

    for model in apps.get_models():
        field = getattr(model, "follows", "")
        if field and model._meta.get_field(field).related_model is type(row):
            model._default_manager.filter(**{field: row}).exclude(path=row.path).update(path=row.path)
    files = apps.get_model("kernel", "StoredFile")
    files.objects.filter(owner_table=row._meta.db_table, owner_id=row.pk).update(path=row.path)


def take_many_along(model: type[models.Model], ids: Sequence[int], path: str) -> None:
    """The same for many rows of ``model`` that now all lie at ``path``; one statement a table."""
    from django.apps import apps

    for follower in apps.get_models():
        field = getattr(follower, "follows", "")
        if field and follower._meta.get_field(field).related_model is model:
            follower._default_manager.filter(**{f"{field}__in": ids}).update(path=path)
    files = apps.get_model("kernel", "StoredFile")
    files.objects.filter(owner_table=model._meta.db_table, owner_id__in=ids).update(path=path)


# ---------------------------------------------------------------- entering a scope
_current: ContextVar[Actor | None] = ContextVar("sangyu_scope", default=None)

_ENTER = (
    "SELECT set_config('sangyu.path', %s, true), set_config('sangyu.subject', %s, true), "
    "set_config('sangyu.account', %s, true), set_config('sangyu.actor', %s, true), "
    "set_config('sangyu.reason', %s, true), set_config('sangyu.source', %s, true), "
    "set_config('sangyu.role', %s, true), "
    "set_config('max_parallel_workers_per_gather', "
    "least(current_setting('max_parallel_workers_per_gather')::int, %s::int)::text, true), "
    "set_config('plan_cache_mode', %s, true), set_config('role', %s, true)"
)
#: A page shows twenty rows, an alarm looks for one: starting parallel workers costs more than the query (20 ms), most of all on a busy machine.
_FEW_ROWS = frozenset({"page", "api", "signals"})
_ALONE, _TOGETHER = "0", "64"
#: Prepared statements of an alarm are planned once: by the server's own estimate a list of ids of unknown length deserves a new plan each
#: time, and making it takes ten times as long as the statement.
_PLANNED_ONCE, _AS_SERVER_LIKES = "force_generic_plan", "auto"


def current_actor() -> Actor | None:
    """The actor of the scope that is open in this thread or task, or None."""
    return _current.get()


@contextmanager
def scope(actor: Actor, *, reason: str = "", source: str = "") -> Iterator[Actor]:
    """Open the transaction in which ``actor`` sees and writes only its rows; join it when already open for the same actor.

    ``source`` (page, api, job, import 12 …) and ``reason`` are stored with each history row written inside.
    Raises ScopeError for an empty path, and for a different actor inside an open scope.
    """
    outer = _current.get()
    if outer is not None:
        if outer != actor:
            raise ScopeError(f"scope of {actor.name} inside the scope of {outer.name}")
        yield actor
        return
    if not actor.path:
        raise ScopeError(f"{actor.name} has an empty path")
    with transaction.atomic():
        _enter(actor, reason, source)
        token = _current.set(actor)
        try:
            yield actor
        finally:
            _current.reset(token)
    if connection.in_atomic_block:  # nested in a test's transaction: SET LOCAL would outlive this scope
        _leave()


def _scope_values(actor: Actor, reason: str, source: str) -> list[str]:
    if not actor.path:
        raise ScopeError(f"{actor.name} has an empty path")
    return [
        actor.path,
        str(actor.subject_id or ""),
        str(actor.account_id or ""),
        actor.name,
        reason,
        source,
        actor.role,
        _ALONE if source in _FEW_ROWS else _TOGETHER,
        _PLANNED_ONCE if source == "signals" else _AS_SERVER_LIKES,
        actor.audience.db_role,
    ]


def _enter(actor: Actor, reason: str, source: str) -> None:
    quick.rows(_ENTER, _scope_values(actor, reason, source))


def run_alone(actor: Actor, call: str, values: Sequence[int | str | date | None]) -> tuple:
    """``SELECT * FROM {call}(values…)`` in a scope and transaction of its own, sent as one message; answers its one row.

    PostgreSQL runs the statements of one message in one transaction: opened, scoped and committed in a single round trip,
    with libpq called directly, because the way through cursors costs more than the whole work in the server. Values of the
    row are text, int or None. Joins the open scope or transaction when there is one, and goes through a cursor then, as
    when queries are watched (tests, query logs).
    """
    db = connections[DEFAULT_DB_ALIAS]
    if _current.get() is not None or db.in_atomic_block or db.execute_wrappers or db.queries_logged:
        with scope(actor), db.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {call}({', '.join(['%s'] * len(values))})", values)
            return cursor.fetchone()
    db.ensure_connection()
    libpq = db.connection.pgconn
    escape = Escaping(libpq).escape_literal
    written = b", ".join([_literal(v, escape) for v in values])
    with db.wrap_database_errors:
        result = libpq.exec_(b"%b; SELECT * FROM %b(%b)" % (_enter_literal(actor, escape), call.encode(), written))
        quick.checked(libpq, result)
    row = (result.get_value(0, column) for column in range(result.nfields))
    return tuple(None if v is None else int(v) if result.ftype(n) == _BIGINT else v.decode() for n, v in enumerate(row))


_BIGINT = 20
_entering: dict[Actor, bytes] = {}


def _literal(value: int | str | date | None, escape: Callable[[bytes], bytes]) -> bytes:
    if value is None:
        return b"NULL"
    if type(value) is int:
        return b"%d" % value
    return escape((value if isinstance(value, str) else value.isoformat()).encode())


def _enter_literal(actor: Actor, escape: Callable[[bytes], bytes]) -> bytes:
    """``_ENTER`` with the actor's values written in; kept for the few actors of a process."""
    known = _entering.get(actor)
    if known is None:
        values = [escape(v.encode()) for v in _scope_values(actor, "", "")]
        known = _ENTER.encode().replace(b"%s", b"%b") % tuple(values)
        if len(_entering) >= 1000:
            _entering.clear()
        _entering[actor] = known
    return known


def _leave() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_ENTER, ["", "", "", "", "", "", "", _TOGETHER, _AS_SERVER_LIKES, "none"])


def say_why(reason: str) -> None:
    """Attach ``reason`` to the history rows written from here to the end of the open scope."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('sangyu.reason', %s, true)", [reason])


def said_why() -> str:
    """The reason that ``say_why`` set last in the open scope."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('sangyu.reason', true), '')")
        return cursor.fetchone()[0]


_elevated: ContextVar[bool] = ContextVar("sangyu_elevated", default=False)


@contextmanager
def as_system(why: str) -> Iterator[None]:
    """Inside an open scope, write as the job role what the actor's own scope cannot hold; history still names the actor.

    For the few writes that hand a row out of the actor's sight (a provider declines an order, a family posts to the
    ledger). The caller must first have read the row in the actor's scope. ``why`` is for the reader; a guard test lists all uses.
    """
    actor = _current.get()
    if actor is None:
        raise ScopeError(f"as_system({why!r}) outside a scope")
    if _elevated.get() or (actor.audience is Audience.JOB and actor.path == ROOT_PATH):
        yield
        return
    switch = "SELECT set_config('sangyu.path', %s, true), set_config('role', %s, true)"
    with connection.cursor() as cursor:
        cursor.execute(switch, [ROOT_PATH, Audience.JOB.db_role])
    token = _elevated.set(True)
    try:
        yield
    finally:
        _elevated.reset(token)
        # A failed transaction accepts no statement, and its rollback puts the role back by itself.
        failed = connection.needs_rollback or connection.connection.info.transaction_status == TransactionStatus.INERROR
        if connection.in_atomic_block and not failed:
            with connection.cursor() as cursor:
                cursor.execute(switch, [actor.path, actor.audience.db_role])


@contextmanager
def for_everybody() -> Iterator[None]:
    """A public page reads past the visitor's scope, or without one: what it shows is masked."""
    if _current.get() is None:
        with scope(Actor.job("public notice")):
            yield
    else:
        with as_system("what everybody may read is masked"):
            yield
