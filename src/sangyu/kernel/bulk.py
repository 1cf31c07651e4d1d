"""Many rows in a few statements (design rule 9): COPY into a passing table, then one INSERT … SELECT.

COPY cannot write into a table with row-level security; the INSERT can, and so policies, constraints and history hold.
"""

from collections.abc import Sequence

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
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE TEMP TABLE "{passing}" AS SELECT {columns} FROM "{table}" WITH NO DATA')
        with cursor.copy(f'COPY "{passing}" ({columns}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row([f.get_db_prep_save(f.pre_save(row, True), connection) for f in fields])
        cursor.execute(f'INSERT INTO "{table}" ({columns}) SELECT {columns} FROM "{passing}"')
        cursor.execute(f'DROP TABLE "{passing}"')
    return len(rows)
