"""Whole tables as JSON rows, to compare what was before and after."""

import json

from django.db import connection

from sangyu.kernel.database_objects import sangyu_models

#: Logs grow; everything else must come back exactly.
LOGS = {"kernel_change", "kernel_event", "kernel_dataread", "merging_merge", "merging_mergedrow", "kernel_sequence"}


def dump(*, but: frozenset[tuple[str, str]] = frozenset()) -> dict[str, dict]:
    """Table → {row id: row} of all models' tables but the logs; ``but`` leaves (table, column) out."""
    found = {}
    with connection.cursor() as cursor:
        for model in sangyu_models():
            table = model._meta.db_table
            if table in LOGS:
                continue
            cursor.execute(f'SELECT to_jsonb(t) FROM "{table}" t')
            rows = [json.loads(r) if isinstance(r, str) else r for (r,) in cursor.fetchall()]
            pk = model._meta.pk.column
            found[table] = {r[pk]: {c: v for c, v in r.items() if (table, c) not in but} for r in rows}
    return found


def differences(before: dict, after: dict) -> list[str]:
    """What is not the same, as "table row column: old → new"."""
    found = []
    for table in before:
        for pk in before[table].keys() | after[table].keys():
            old, new = before[table].get(pk), after[table].get(pk)
            if old is None or new is None:
                found.append(f"{table} {pk}: {'gone' if new is None else 'new'}")
            else:
                found += [f"{table} {pk} {c}: {old[c]!r} → {new[c]!r}" for c in old if old[c] != new[c]]
    return sorted(found)
