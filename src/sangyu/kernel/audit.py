"""History of every change by statement trigger, and the log of reads of personal data (docs/adr/0006-history.md).

A model asks for history with ``history = History()``; fields in ``hidden`` (derived or very chatty) are left out.
"""

from dataclasses import dataclass

from django.db import models

from .actor import Actor


@dataclass(frozen=True)
class History:
    """Marks a model whose inserts, updates and deletes are kept in ``kernel_change`` with actor, reason and source."""

    hidden: tuple[str, ...] = ("updated_at",)


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
