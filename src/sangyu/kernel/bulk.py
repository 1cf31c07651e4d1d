"""Many rows in a few statements (design rule 9): COPY into a passing table, then one INSERT … SELECT.

COPY cannot write into a table with row-level security; the INSERT can, and so policies, constraints and history hold.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cache
from operator import attrgetter
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models

from . import quick

#: From more rows than this on, cached plans are thrown away first: one made for foreign keys while a table was small reads
#: the whole table for each row.
MANY = 1_000


def reserve_ids(model: type[models.Model], count: int) -> list[int]:
    """``count`` fresh primary keys, so that child rows can be made before their parents are written."""
    if count == 0:
        return []
    sequence = f"pg_get_serial_sequence('\"{model._meta.db_table}\"', '{model._meta.pk.column}')"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT nextval({sequence}::regclass) FROM generate_series(1, %s)", [count])
        return [pk for (pk,) in cursor.fetchall()]


def insert(model: type[models.Model], rows: Sequence[models.Model]) -> int:
    """Write ``rows`` with their primary keys (see ``reserve_ids``) in one INSERT. No signals, no ``save()``.

    Must run inside a scope. Database errors (constraint, policy) leave nothing written.
    """
    if not rows:
        return 0
    fields = [f for f in model._meta.concrete_fields if not f.generated]
    readers = [_reader(f) for f in fields]
    return insert_rows(model, [f.attname for f in fields], ([read(row) for read in readers] for row in rows))


def insert_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]], **same: Any) -> int:
    """Write tuples of ``columns`` (attnames) in one INSERT without making instances; answers how many.

    ``same`` are values that all rows share. What is named neither way gets the field's default; the primary key its next
    value. Encrypted fields are given as ciphertext. Must run inside a scope.
    """
    fields = {f.attname: f for f in model._meta.concrete_fields if not f.generated}
    rest = {name: f for name, f in fields.items() if name not in columns and not f.primary_key}
    shared = {
        f.column: f.get_db_prep_save(same[n] if n in same else f.get_default(), connection) for n, f in rest.items()
    }
    table = model._meta.db_table
    given = ", ".join(f'"{fields[c].column}"' for c in columns)
    with connection.cursor() as cursor, _passing(cursor, table, given, rows) as (passing, count):
        names = ", ".join([given, *(f'"{c}"' for c in shared)])
        picked = ", ".join([given, *["%s"] * len(shared)])
        cursor.execute(f'INSERT INTO "{table}" ({names}) SELECT {picked} FROM {passing}', list(shared.values()))
    return count


def insert_together(*groups: Sequence[models.Model]) -> None:
    """Write a few new rows of several tables in one statement and set their primary keys. No signals, no ``save()``.

    For paths where milliseconds count (``quick``): one round trip, and values go as JSON past the ORM's compiler. No group sees the rows
    of another: what a policy or a check asks for (a parent) is written before. Must run inside a scope; plain fields only.
    """
    given = [rows for rows in groups if rows]
    if not given:
        return
    shapes = [_shape(type(rows[0])) for rows in given]
    parts = ", ".join(f"p{n} AS ({text})" for n, (text, _names) in enumerate(shapes))
    keys = ", ".join(f"(SELECT array_agg(id ORDER BY id) FROM p{n})" for n in range(len(given)))
    values = [
        json.dumps([dict(zip(names, read(row), strict=True)) for row in rows], default=_in_json)
        for rows, (_text, (names, read)) in zip(given, shapes, strict=True)
    ]
    for rows, ids in zip(given, quick.rows(f"WITH {parts} SELECT {keys}", values)[0], strict=True):
        for row, pk in zip(rows, ids, strict=True):
            row.pk, row._state.adding, row._state.db = pk, False, connection.alias


def _in_json(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


@cache
def _shape(model: type[models.Model]) -> tuple[str, tuple[tuple[str, ...], Callable[[models.Model], tuple]]]:
    """How rows of ``model`` are written from JSON, and how one is read: names and values of its columns but the key."""
    fields = [f for f in model._meta.concrete_fields if not f.primary_key and not f.generated]
    if strange := [f.name for f in fields if not isinstance(f, (*_PLAIN, *_AS_JSON))]:
        raise TypeError(f"{model._meta.label}: {', '.join(strange)} cannot be written as JSON")
    names = ", ".join(f'"{f.column}"' for f in fields)
    kinds = ", ".join(f'"{f.column}" {f.db_type(connection)}' for f in fields)
    text = (
        f'INSERT INTO "{model._meta.db_table}" ({names}) SELECT {names} FROM json_to_recordset(%s) AS t ({kinds}) '
        f'RETURNING "{model._meta.pk.column}" AS id'
    )
    return text, (tuple(f.column for f in fields), attrgetter(*(f.attname for f in fields)))


def json_text(value: Any) -> str:
    """``value`` for a JSON column of ``insert_rows``."""
    return json.dumps(value, ensure_ascii=False)


def update_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]], **same: Any) -> int:
    """Set ``columns`` (attnames, the primary key first) of existing rows in one UPDATE; None leaves a value as it is.

    ``same`` are values that all these rows get. Answers how many rows were found. Must run inside a scope.
    """
    fields = {f.attname: f for f in model._meta.concrete_fields}
    table, key = model._meta.db_table, model._meta.pk.column
    given = [fields[c].column for c in columns]
    shared = {fields[n].column: fields[n].get_db_prep_save(v, connection) for n, v in same.items()}
    sets = [f'"{c}" = coalesce(t."{c}", o."{c}")' for c in given[1:]] + [f'"{c}" = %s' for c in shared]
    quoted = ", ".join(f'"{c}"' for c in given)
    with connection.cursor() as cursor, _passing(cursor, table, quoted, rows) as (passing, _count):
        cursor.execute(
            f'UPDATE "{table}" o SET {", ".join(sets)} FROM {passing} t WHERE o."{key}" = t."{key}"',
            list(shared.values()),
        )
        return cursor.rowcount


@contextmanager
def _passing(cursor, table: str, columns: str, rows: Iterable[Sequence[Any]]) -> Iterator[tuple[str, int]]:
    """A temporary table with ``columns`` of ``table`` that holds ``rows``: (its name, how many)."""
    passing, count = f'"bulk_{table}"', 0
    cursor.execute(f'CREATE TEMP TABLE {passing} AS SELECT {columns} FROM "{table}" WITH NO DATA')
    with cursor.copy(f"COPY {passing} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    if count > MANY:
        cursor.execute("DISCARD PLANS")
    yield passing, count
    cursor.execute(f"DROP TABLE {passing}")


#: Fields whose Python value the driver writes as it is.
_PLAIN = (
    models.AutoField,
    models.BooleanField,
    models.CharField,
    models.DateField,
    models.FloatField,
    models.ForeignKey,
    models.IntegerField,
    models.TextField,
)

#: Besides the plain ones, what JSON carries as it is.
_AS_JSON = (ArrayField, models.DateTimeField, models.JSONField)


def _reader(field: models.Field) -> Callable[[models.Model], Any]:
    """How to get the value of ``field`` for the driver; the short way for plain fields, which are nearly all."""
    if isinstance(field, _PLAIN) and not getattr(field, "auto_now", False):
        return attrgetter(field.attname)
    return lambda row: field.get_db_prep_save(field.pre_save(row, True), connection)
