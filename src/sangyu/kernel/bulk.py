"""Many rows in a few statements (design rule 9): COPY into a passing table, then one INSERT … SELECT.

COPY cannot write into a table with row-level security; the INSERT can, and so policies, constraints and history hold.
"""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from django.db import connection, models


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
    table, passing = model._meta.db_table, f"bulk_{model._meta.db_table}"
    columns = ", ".join(f'"{f.column}"' for f in fields)
    readers = [_reader(f) for f in fields]
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE TEMP TABLE "{passing}" AS SELECT {columns} FROM "{table}" WITH NO DATA')
        with cursor.copy(f'COPY "{passing}" ({columns}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row([read(row) for read in readers])
        cursor.execute(f'INSERT INTO "{table}" ({columns}) SELECT {columns} FROM "{passing}"')
        cursor.execute(f'DROP TABLE "{passing}"')
    return len(rows)


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


def _reader(field: models.Field) -> Callable[[models.Model], Any]:
    """How to get the value of ``field`` for the driver; the short way for plain fields, which are nearly all."""
    if isinstance(field, _PLAIN) and not getattr(field, "auto_now", False):
        return attrgetter(field.attname)
    return lambda row: field.get_db_prep_save(field.pre_save(row, True), connection)
