"""The bulk door of the demo city: rows straight into the tables by COPY, as the owner of the tables.

For synthetic people only: it goes around services and row-level security. Real rosters come in through the people
room's import.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection, models

from .encoding import encode

ACTOR = "演示城市"
SOURCE = "demo"


def copy_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Append ``rows`` to the table of ``model``. Encrypted fields come as ciphertext; defaults are the database's."""
    copy_text(model, columns, encode(rows))


def copy_text(model: type[models.Model], columns: Sequence[str], text: bytes) -> None:
    """The same for rows that are encoded already."""
    names = ", ".join(f'"{c}"' for c in columns)
    with connection.cursor() as cursor, cursor.copy(f'COPY "{model._meta.db_table}" ({names}) FROM STDIN') as copy:
        copy.write(text)


def reserve_ids(model: type[models.Model], count: int) -> int:
    """Take ``count`` ids of ``model``; returns the first."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [table])
        (first,) = cursor.fetchone()
        cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, first + max(count, 1) - 1])
    return first


def say_who() -> None:
    """History rows of this transaction name the demo city as their actor and source."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('sangyu.actor', %s, true), set_config('sangyu.source', %s, true)", [ACTOR, SOURCE]
        )


@contextmanager
def bare_tables(*names: type[models.Model], history: bool) -> Iterator[None]:
    """Take indexes and references off the tables for a large load, and put them back as they were.

    Building an index over half a million rows once costs a tenth of keeping it through every batch. Without ``history``
    no row of it is written: the first state is then the row itself. In one transaction: a failure leaves all as it was.
    """
    tables = [m._meta.db_table for m in names]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
        again = []
        for table in tables:
            cursor.execute(
                "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass "
                "AND contype IN ('f', 'u', 'x') ORDER BY contype DESC",
                [table],
            )
            for name, definition in cursor.fetchall():
                cursor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
                again.append(f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {definition}')
            cursor.execute(
                "SELECT indexrelid::regclass, pg_get_indexdef(indexrelid) FROM pg_index "
                "WHERE indrelid = %s::regclass AND NOT indisprimary",
                [table],
            )
            for name, definition in cursor.fetchall():
                cursor.execute(f"DROP INDEX {name}")
                again.append(definition)
            if not history:
                cursor.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
        yield
        for statement in again:
            cursor.execute(statement)
        for table in tables if not history else ():
            cursor.execute(f'ALTER TABLE "{table}" ENABLE TRIGGER USER')


def analyse(*names: type[models.Model]) -> None:
    """Let the planner know the new sizes."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE " + ", ".join(f'"{m._meta.db_table}"' for m in names))
