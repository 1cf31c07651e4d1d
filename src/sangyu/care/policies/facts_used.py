"""Which rows of the database stand behind a line: ids of the dated facts that were read (R-068, X-06)."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime

from django.db import connection

from .naming import closure, known_rows
from .vocabulary import BASES, Column, Fact, source_of


def fact_rows(
    subject: str, pairs: Iterable[tuple[int, str]], day: date, known_at: datetime | None = None, *, policy: str = ""
) -> dict[tuple[int, str], list[tuple[str, int]]]:
    """(subject id, word) → [(table, row id)]: the rows that gave the word its value on ``day``, as known at a moment.

    A word of the subject's own row names that row; a word that is worked out names the rows of what it is made of; an unknown
    one names none. Read in the open scope, one statement a source.
    """
    asked: dict[str, set[int]] = defaultdict(set)
    wanted: dict[tuple[int, str], list[str]] = {}
    for pk, name in pairs:
        made_of = [n for n in closure([name], subject) if not hasattr(source_of(n, subject), "needs")]
        wanted[pk, name] = made_of
        for n in made_of:
            asked[n].add(pk)
    found: dict[tuple[int, str], tuple[str, int]] = {}
    for name, ids in asked.items():
        for pk, place in _rows(subject, name, sorted(ids), day, known_at, policy):
            found[pk, name] = place
    return {key: [found[key[0], n] for n in names if (key[0], n) in found] for key, names in wanted.items()}


def _rows(subject: str, name: str, ids: list[int], day: date, known_at: datetime | None, policy: str):
    source, base = source_of(name, subject), BASES[subject]
    if isinstance(source, Column):
        return [(pk, (base.table, pk)) for pk in ids]
    values = {"ids": ids, "day": day, "known": known_at, "policies": [policy], "path": ""}
    if isinstance(source, Fact):
        table, values["kind"] = base.facts, source.kind
        sql = (
            f'SELECT f.subject_id, f.id AS row_id, f.valid_from, f.valid_to FROM "{base.facts}" f '
            f"WHERE f.kind = %(kind)s AND f.subject_id = ANY(%(ids)s) AND {known_rows(known_at)}"
        )
    else:
        table, sql = source.table, source.sql
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT x.subject_id, x.row_id FROM ({sql}) x WHERE x.subject_id = ANY(%(ids)s) "
            "AND x.valid_from <= %(day)s AND (x.valid_to IS NULL OR x.valid_to > %(day)s) ORDER BY x.row_id DESC",
            values,
        )
        return [(pk, (table, row)) for pk, row in cursor.fetchall()]
