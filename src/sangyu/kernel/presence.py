"""Which tables hold a row about one person: one statement instead of a query a table, where most hold none."""

from functools import lru_cache

from django.apps import apps
from django.db import connection


def present(labels: tuple[str, ...], column: str, value: int) -> frozenset[str]:
    """Those of the models ("dossier.Paper") with a row that has ``value`` in ``column`` and that the open scope sees."""
    if not labels:
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute(_statement(labels, column), [value] * len(labels))
        return frozenset(label for label, there in zip(labels, cursor.fetchone(), strict=True) if there)


@lru_cache(maxsize=64)
def _statement(labels: tuple[str, ...], column: str) -> str:
    quote = connection.ops.quote_name
    parts = (
        f"EXISTS (SELECT FROM {quote(model._meta.db_table)} WHERE {quote(model._meta.get_field(column).column)} = %s)"
        for model in map(apps.get_model, labels)
    )
    return f"SELECT {', '.join(parts)}"
