"""The numbers of the frame (badges, what is to do), counted by one statement for all of them."""

from collections.abc import Callable, Mapping

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from sangyu.kernel.actor import Actor

from .keeping import kept

#: Rows to count, or a number that is known without asking or asked by a query of its own.
Countable = QuerySet | int


def counted(actor: Actor, asked: Mapping[str, Callable[[Actor], Countable]]) -> dict[str, int]:
    """How many rows each of ``asked`` finds for ``actor``: one query, some seconds old at most (``keeping``)."""
    return kept(("counted", actor, *asked), lambda: _count({name: ask(actor) for name, ask in asked.items()}))


def _count(found: dict[str, Countable]) -> dict[str, int]:
    numbers = {name: rows for name, rows in found.items() if not isinstance(rows, QuerySet)}
    parts: dict[str, tuple[str, tuple]] = {}
    for name, rows in found.items():
        if name not in numbers:
            try:
                parts[name] = rows.order_by().values("pk").query.sql_with_params()
            except EmptyResultSet:
                numbers[name] = 0
    if parts:
        with connection.cursor() as cursor:
            counts = ", ".join(f"(SELECT count(*) FROM ({sql}) counted)" for sql, _params in parts.values())
            cursor.execute(f"SELECT {counts}", [value for _sql, params in parts.values() for value in params])
            numbers |= zip(parts, cursor.fetchone(), strict=True)
    return numbers
