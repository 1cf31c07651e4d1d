"""All sealed values brought to the present key and cipher (``SANGYU_KEYS``, ``SANGYU_CIPHER``), with their blind indexes.

A ciphertext names its key and cipher, so a row that is done is seen to be done: the work commits batch by batch and goes
on after a stop where it was. The columns of one row change in one statement, so its indexes always fit its ciphertext.
Until the work has ended, rows of both kinds stand side by side: searches by number ask for both (``crypto.blind_indexes``);
imports and uniqueness know the present kind only, so run it with the door closed (docs/guides/production.md). History keeps old values as they were sealed then.
"""

from collections.abc import Iterator

from django.db import connection, models, transaction

from . import operations
from .actor import Actor
from .crypto import EncryptedTextField, current_head, decrypt, encrypt
from .database_objects import sangyu_models
from .scoping import scope

BATCH = 2000
#: ``sangyu.history`` keeps no row of a change made under this source: the values themselves stay the same.
SOURCE = "reseal"


def sealed_columns(model: type[models.Model]) -> list[EncryptedTextField]:
    """The encrypted columns of ``model``."""
    return [f for f in model._meta.concrete_fields if isinstance(f, EncryptedTextField)]


def sealed_models() -> list[type[models.Model]]:
    """Every model with an encrypted column."""
    return [m for m in sangyu_models() if sealed_columns(m)]


def _stale(fields: list[EncryptedTextField]) -> tuple[str, list]:
    head = current_head()
    tests = " OR ".join(f'substring("{f.column}" FROM 1 FOR %s) <> %s' for f in fields)
    return f"({tests})", [value for _f in fields for value in (len(head), head)]


def stale(model: type[models.Model]) -> int:
    """How many rows of ``model`` hold a value of another key or cipher. In a job's scope."""
    test, values = _stale(sealed_columns(model))
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*) FROM "{model._meta.db_table}" WHERE {test}', values)
        return cursor.fetchone()[0]


def reseal_model(model: type[models.Model], *, batch: int = BATCH) -> Iterator[int]:
    """Bring the rows of ``model`` over, yielding after each committed batch how many were done.

    Raises CannotDecrypt for a value whose key is missing; what was committed stays.
    """
    last = 0
    while True:
        with scope(Actor.job("kernel.reseal")), transaction.atomic():
            done, last = _batch(model, last, batch)
        if not done:
            return
        yield done


def _batch(model: type[models.Model], after: int, size: int) -> tuple[int, int]:
    """Lock, compute and write the next ``size`` stale rows behind ``after`` in three statements."""
    meta, fields = model._meta, sealed_columns(model)
    sealed = ", ".join(f'"{f.column}"' for f in fields)
    test, values = _stale(fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT "{meta.pk.column}", {sealed} FROM "{meta.db_table}" WHERE "{meta.pk.column}" > %s AND {test}'
            f' ORDER BY "{meta.pk.column}" LIMIT %s FOR NO KEY UPDATE',
            [after, *values, size],
        )
        rows = cursor.fetchall()
        if not rows:
            return 0, after
        columns: dict[str, list] = {meta.pk.column: [pk for pk, *_rest in rows]}
        for at, f in enumerate(fields, 1):
            texts = ["" if row[at] is None else decrypt(row[at], f.purpose) for row in rows]
            columns[f.column] = [encrypt(t, f.purpose) if t else None for t in texts]
            columns |= {name: [index_of(t) for t in texts] for name, index_of in f.indexes.items()}
        names = list(columns)
        changes = ", ".join(f'"{n}" = fresh."{n}"' for n in names[1:])
        kinds = ", ".join(["%s::bigint[]", *["%s::bytea[]"] * (len(names) - 1)])
        listed = ", ".join(f'"{n}"' for n in names)
        cursor.execute("SELECT current_setting('sangyu.source', true), set_config('sangyu.source', %s, true)", [SOURCE])
        before = cursor.fetchone()[0]
        cursor.execute(
            f'UPDATE "{meta.db_table}" kept SET {changes} FROM unnest({kinds}) AS fresh ({listed})'
            f' WHERE kept."{meta.pk.column}" = fresh."{meta.pk.column}"',
            list(columns.values()),
        )
        cursor.execute("SELECT set_config('sangyu.source', %s, true)", [before or ""])
    return len(rows), columns[meta.pk.column][-1]


@operations.operation("kernel.reseal", restart=True, atomic=False)
def reseal(op: operations.Progress, actor: Actor) -> None:
    """All models, one after another; a worker that dies leaves what it committed, and the next one goes on from there."""
    with scope(Actor.job("kernel.reseal")):
        waiting = {model: stale(model) for model in sealed_models()}
    op.total(sum(waiting.values()))
    for model, count in waiting.items():
        if count:
            done = 0
            for some in reseal_model(model):
                done += some
                op.advance(some)
            op.result(**{model._meta.db_table: done})
    op.check_cancelled()


def start(actor: Actor) -> operations.Operation:
    """Start the work as an operation people can watch. The caller has checked that ``actor`` may."""
    return operations.start(actor, "kernel.reseal", title="Personal data sealed anew")
