"""History of every change by statement trigger, and the log of reads of personal data (docs/adr/0006-history.md).

A model asks for history with ``history = History()``; fields in ``hidden`` (derived or very chatty) are left out.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection, models

from .actor import Actor


@dataclass(frozen=True)
class History:
    """Marks a model whose inserts, updates and deletes are kept in ``kernel_change`` with actor, reason and source."""

    hidden: tuple[str, ...] = ("updated_at",)


@contextmanager
def source_of_each_row(same: str = "") -> Iterator[None]:
    """Inside an open scope: history rows written here take the ``source`` of the changed row itself (bulk imports).

    ``same`` is the source of all of them instead, for tables without such a column.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('sangyu.source', true)")
        (before,) = cursor.fetchone()
        cursor.execute("SELECT set_config('sangyu.source', %s, true)", [same[:100] or "@row"])
        yield
        cursor.execute("SELECT set_config('sangyu.source', %s, true)", [before or ""])


def log_read(*, actor: Actor, what: str, objects: list[models.Model], purpose: str) -> None:
    """Record that ``actor`` looked at personal data on purpose (a reveal, an export, a position). ``what`` is a field or file."""
    from .models import DataRead
    from .scoping import as_system, scope

    rows = [
        DataRead(
            table_name=o._meta.db_table,
            row_id=o.pk,
            path=getattr(o, "path", actor.path),
            what=what,
            purpose=purpose,
            account_id=actor.account_id,
            actor=actor.name,
        )
        for o in objects
    ]
    with scope(actor), as_system("the log of reads is written for every audience"):
        DataRead.objects.bulk_create(rows)


def changes_of(instance: models.Model, *also: models.Model):
    """History rows of ``instance`` (and of ``also``), newest first."""
    from .models import Change

    condition = models.Q()
    for o in (instance, *also):
        condition |= models.Q(table_name=o._meta.db_table, row_id=o.pk)
    return Change.objects.filter(condition).order_by("-id")
