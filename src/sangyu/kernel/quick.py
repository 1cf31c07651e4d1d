"""One statement past all cursors, for the few paths where milliseconds count: twenty of them are a press of the button.

The framework's cursor around the driver's takes ten times the processor time that libpq needs with a plan that the server keeps (200 against 20 µs,
measured beside each other), and everything behind it waits. What is asked here is written by hand, in plain SQL.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from weakref import WeakKeyDictionary

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, PGconn, PGresult, TransactionStatus

Value = str | int | float | date | None

#: Connection → statement → its name at the server. Gone with the connection.
_prepared: WeakKeyDictionary[psycopg.Connection, dict[str, bytes]] = WeakKeyDictionary()


def rows(sql: str, values: Sequence[Value] = ()) -> list[tuple]:
    """Rows of one statement in the open transaction; [] when it answers none.

    ``sql`` has a ``%s`` for each value and no other per cent sign. Values travel as text without a type: the statement casts them where the
    server cannot tell; lists as ``array``. Raises what a cursor raises. Outside a transaction, and while statements are watched (tests, query
    logs), it goes through one.
    """
    db = connections[DEFAULT_DB_ALIAS]
    given = [_text(v) for v in values]
    raw = _begun(db)
    if raw is None:
        with db.cursor() as cursor:
            cursor.execute(sql, given)
            return cursor.fetchall() if cursor.description else []
    with db.wrap_database_errors:
        result = checked(raw.pgconn, _sent(raw, sql, [None if v is None else v.encode() for v in given]))
        if result.status == ExecStatus.COMMAND_OK:
            return []
        read = Transformer(raw)
        read.set_pgresult(result)
        return read.load_rows(0, result.ntuples, tuple)


def copy(sql: str, data: bytes) -> None:
    """``COPY … FROM STDIN`` with all of its data, in the open transaction. Raises what a cursor raises."""
    db = connections[DEFAULT_DB_ALIAS]
    raw = _begun(db)
    if raw is None:
        with db.cursor() as cursor, db.wrap_database_errors, cursor.copy(sql) as lines:
            lines.write(data)
        return
    with db.wrap_database_errors:
        libpq = raw.pgconn
        begun = libpq.exec_(sql.encode())
        if begun.status != ExecStatus.COPY_IN:
            checked(libpq, begun)
        libpq.put_copy_data(data)
        libpq.put_copy_end()
        result = libpq.get_result()
        while libpq.get_result() is not None:  # the end of the answers: only then the next statement may go
            pass
        checked(libpq, result)


def _begun(db: BaseDatabaseWrapper) -> psycopg.Connection | None:
    """The driver's connection with the transaction open that ``atomic`` began; None outside one, and while statements are watched."""
    raw = db.connection
    if raw is None or not db.in_atomic_block or db.execute_wrappers or db.queries_logged:
        return None
    db.validate_no_broken_transaction()
    status = raw.pgconn.transaction_status
    if status == TransactionStatus.IDLE and raw.isolation_level is None:
        # the driver begins with the first statement, and so do we
        checked(raw.pgconn, raw.pgconn.exec_(b"BEGIN"))
        return raw
    return raw if status == TransactionStatus.INTRANS else None


def array(values: Iterable[str | int]) -> str:
    """A list for ``%s::bigint[]`` or ``%s::text[]``: one value, whatever its length."""
    return "{" + ",".join([str(v) if type(v) is int else _quoted(v) for v in values]) + "}"


def checked(libpq: PGconn, result: PGresult) -> PGresult:
    """``result``, when it is none of a failure. Raises psycopg's error for it; OperationalError when the connection is gone, which carries no code."""
    if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        return result
    if libpq.status != ConnStatus.OK:
        raise psycopg.OperationalError(
            result.error_message.decode(errors="replace").strip() or "the connection is lost"
        )
    raise error_from_result(result, encoding="utf-8")


def _sent(raw: psycopg.Connection, sql: str, values: list[bytes | None]) -> PGresult:
    """Run it; where the connection lets the server keep plans (``prepare_threshold``), under a name."""
    if raw.prepare_threshold is None:
        return raw.pgconn.exec_params(_numbered(sql), values)
    names = _prepared.setdefault(raw, {})
    name = names.get(sql)
    if name is None:
        made = b"sangyu_%d" % len(names)
        checked(raw.pgconn, raw.pgconn.prepare(made, _numbered(sql)))
        name = names[sql] = made
    return raw.pgconn.exec_prepared(name, values)


@cache
def _numbered(sql: str) -> bytes:
    """``%s, %s`` → ``$1, $2``."""
    first, *rest = sql.split("%s")
    return (first + "".join(f"${n}{part}" for n, part in enumerate(rest, 1))).encode()


def _text(value: Value) -> str | None:
    if value is None or type(value) is str:
        return value
    return value.isoformat() if isinstance(value, date) else str(value)


def _quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
