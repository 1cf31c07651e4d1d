"""What a database holds, in numbers that two databases share only when they hold the same: the proof of a restore.

Rows are summed by their MD5 in two halves, so the order in which they lie does not count. All is read in the transaction of
the given connection: in one snapshot when that is REPEATABLE READ.
"""

import hashlib
import re
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import sql

#: How values are written as text must not depend on the server's settings.
_SETTINGS = (
    "SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, MDY'; SET LOCAL intervalstyle = 'iso_8601';"
    " SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL row_security = off;"
    " SET LOCAL search_path = public; SET LOCAL jit = off"
)
_TABLES = (
    "SELECT c.relname, greatest(c.reltuples, 0)::bigint FROM pg_class c WHERE c.relkind = 'r'"
    " AND c.relnamespace = 'public'::regnamespace ORDER BY 1"
)
_ROWS = (
    "SELECT count(*), coalesce(sum(('x' || left(h, 16))::bit(64)::bigint::numeric), 0),"
    " coalesce(sum(('x' || right(h, 16))::bit(64)::bigint::numeric), 0)"
    " FROM (SELECT md5(t::text) AS h FROM {} t) x"
)
_OURS = "SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'sangyu')"
_NO_EXTENSION = "NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = {oid} AND d.deptype = 'e')"
#: Kind of object → query of its definitions as text, without owners (they may differ between servers).
_OBJECTS = {
    "columns": (
        "SELECT table_schema || '.' || table_name || '.' || column_name || ' '"
        " || row_number() OVER (PARTITION BY table_schema, table_name ORDER BY ordinal_position) || ' ' || udt_name || ' '"
        " || is_nullable || ' ' || coalesce(column_default, '') || ' ' || coalesce(collation_name, '')"
        " FROM information_schema.columns WHERE table_schema IN ('public', 'sangyu')"
    ),
    "constraints": (
        "SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint"
        f" WHERE connamespace IN ({_OURS})"
    ),
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname IN ('public', 'sangyu')",
    "policies": (
        "SELECT concat_ws(' ', tablename, policyname, permissive, roles, cmd, qual, with_check) FROM pg_policies"
        " WHERE schemaname IN ('public', 'sangyu')"
    ),
    "row-level security": (
        "SELECT relname || ' ' || relrowsecurity || ' ' || relforcerowsecurity FROM pg_class"
        f" WHERE relkind IN ('r', 'p') AND relnamespace IN ({_OURS})"
    ),
    "triggers": (
        "SELECT pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        f" WHERE NOT t.tgisinternal AND c.relnamespace IN ({_OURS})"
    ),
    "functions": (
        f"SELECT pg_get_functiondef(p.oid) FROM pg_proc p WHERE p.pronamespace IN ({_OURS}) AND p.prokind IN ('f', 'p')"
        f" AND {_NO_EXTENSION.format(oid='p.oid')}"
    ),
    "grants": (
        "SELECT grantee || ' ' || table_name || ' ' || privilege_type FROM information_schema.role_table_grants"
        " WHERE table_schema IN ('public', 'sangyu') AND starts_with(grantee, 'sangyu_') AND grantee <> 'sangyu_owner'"
    ),
    "extensions": "SELECT extname FROM pg_extension",
}


def tables(connection: psycopg.Connection) -> dict[str, int]:
    """Tables by name with about how many rows each has."""
    return dict(connection.execute(_TABLES).fetchall())


def take(connection: psycopg.Connection, step: Callable[[str], None] = lambda name: None) -> dict[str, Any]:
    """Rows and checksum of every table, values of sequences, definitions by kind, ledger totals. ``step`` is told each
    table's name when it is done. Call it inside a transaction; the settings end with it.
    """
    connection.execute(_SETTINGS)
    counted = {}
    for name in tables(connection):
        rows, left, right = connection.execute(sql.SQL(_ROWS).format(sql.Identifier(name))).fetchone()
        counted[name] = {"rows": rows, "checksum": hashlib.sha256(f"{rows} {left} {right}".encode()).hexdigest()[:32]}
        step(name)
    return {
        "tables": counted,
        "sequences": _sequences(connection),
        "objects": {kind: _definitions(connection, query) for kind, query in _OBJECTS.items()},
        "ledger": _ledger(connection, counted),
    }


def _sequences(connection: psycopg.Connection) -> dict[str, int | None]:
    rows = connection.execute(
        "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname IN ('public', 'sangyu') ORDER BY 1"
    )
    return dict(rows.fetchall())


def _definitions(connection: psycopg.Connection, query: str) -> dict[str, Any]:
    lines = sorted(_plain(row[0]) for row in connection.execute(query))
    return {"count": len(lines), "checksum": hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]}


def _plain(definition: str) -> str:
    """Without casts and brackets: a condition that was dumped and loaded has them elsewhere and means the same."""
    return re.sub(r"::[a-z ]+(\[\])?|[()\s]", "", definition)


def _ledger(connection: psycopg.Connection, counted: dict[str, Any]) -> dict[str, dict[str, int]]:
    """By unit: what all accounts with a balance above zero hold, and the sum of all balances, which is zero."""
    if "ledger_account" not in counted:
        return {}
    rows = connection.execute(
        "SELECT unit, coalesce(sum(balance) FILTER (WHERE balance > 0), 0)::bigint, coalesce(sum(balance), 0)::bigint"
        " FROM ledger_account GROUP BY 1 ORDER BY 1"
    )
    return {unit: {"held": held, "sum": total} for unit, held, total in rows.fetchall()}


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Sentences on what differs, tables first; empty = the same."""
    found = []
    old, new = before["tables"], after["tables"]
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            found.append(f"table {name} is missing")
        elif name not in old:
            found.append(f"table {name} is new")
        elif old[name]["rows"] != new[name]["rows"]:
            found.append(f"table {name} has {new[name]['rows']:,} rows instead of {old[name]['rows']:,}")
        elif old[name] != new[name]:
            found.append(f"table {name} has the same number of rows but other contents")
    found += [
        f"sequence {name} stands elsewhere"
        for name in sorted(before["sequences"].keys() | after["sequences"].keys())
        if before["sequences"].get(name) != after["sequences"].get(name)
    ]
    found += [
        f"{kind} differ"
        for kind in sorted(before["objects"].keys() | after["objects"].keys())
        if before["objects"].get(kind) != after["objects"].get(kind)
    ]
    if before["ledger"] != after["ledger"]:
        found.append("the ledger's totals differ")
    return found
