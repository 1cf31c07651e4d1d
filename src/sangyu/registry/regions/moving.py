"""Moving what hangs on a region: every column of the project that holds a path or a region, in one statement each."""

from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.utils.translation import gettext as _

from sangyu.kernel.errors import Refused
from sangyu.kernel.models import Change
from sangyu.kernel.scoping import PathField, as_system

from .models import Region


def _models() -> list[type[models.Model]]:
    return [
        m
        for config in apps.get_app_configs()
        if config.name.startswith("sangyu.")
        for m in config.get_models(include_auto_created=True)
        if m._meta.managed and not m._meta.proxy and config.label != Region._meta.app_label
    ]


def path_columns() -> list[tuple[str, str]]:
    """(table, column) of every path in the project but the tree's own."""
    return [(m._meta.db_table, f.column) for m in _models() for f in m._meta.local_fields if isinstance(f, PathField)]


def region_columns() -> list[tuple[str, str]]:
    """(table, column) of every foreign key to a region outside this room."""
    return [
        (m._meta.db_table, f.column)
        for m in _models()
        for f in m._meta.local_fields
        if isinstance(f, models.ForeignKey) and f.related_model is Region
    ]


def move_paths(pairs: list[tuple[str, str]], *, subtree: bool) -> dict[str, int]:
    """Rewrite paths old → new in all tables; ``subtree`` also those below. Returns moved rows per table.

    Raises Refused("regions.conflict") when a table forbids it, for example two registers with the same number.
    """
    return _each(
        "SELECT sangyu.move_paths(%s, %s, %s, %s, %s)",
        path_columns(),
        [[o for o, _n in pairs], [n for _o, n in pairs], subtree],
    )


def move_rows(old: list[tuple[int, str]], new: tuple[int, str]) -> dict[str, int]:
    """Let rows on the ``old`` regions (id, path) belong to ``new``: path and foreign key in one statement a table.

    Returns moved rows per table; raises Refused as above.
    """
    paths, ids = [p for _id, p in old], [pk for pk, _path in old]
    pairs: dict[str, tuple[list[str], list[str]]] = {}
    for table, column in path_columns():
        pairs.setdefault(table, ([], []))[0].append(column)
    for table, column in region_columns():
        pairs.setdefault(table, ([], []))[1].append(column)
    both = [(t, (p.pop(), i.pop())) for t, (p, i) in pairs.items() if p and i]
    moved = _each(
        "SELECT sangyu.move_rows(%s, %s, %s, %s, %s, %s, %s)",
        [(table, *columns) for table, columns in both],
        [paths, new[1], ids, new[0]],
    )
    only_paths = [(t, c) for t, (columns, _ids) in pairs.items() for c in columns]
    only_ids = [(t, c) for t, (_paths, columns) in pairs.items() for c in columns]
    for sql, columns, arguments in (
        ("SELECT sangyu.move_paths(%s, %s, %s, %s, %s)", only_paths, [paths, [new[1]] * len(paths), False]),
        ("SELECT sangyu.move_region_ids(%s, %s, %s, %s)", only_ids, [ids, new[0]]),
    ):
        for table, count in _each(sql, columns, arguments).items():
            moved[table] = moved.get(table, 0) + count
    return moved


def holdings(paths: list[str]) -> dict[str, int]:
    """Rows at and under ``paths`` in each table that has any, whoever may see them; without the history, which the
    change itself writes."""
    found = {}
    with as_system("the totals of a region are those of every room"), connection.cursor() as cursor:
        for table, column in path_columns():
            if table == Change._meta.db_table:
                continue
            cursor.execute("SELECT sangyu.count_paths(%s, %s, %s)", [table, column, paths])
            (count,) = cursor.fetchone()
            if count:
                found[table] = found.get(table, 0) + count
    return found


def labels() -> dict[str, str]:
    """Words for the tables: the verbose names of their models."""
    return {m._meta.db_table: str(m._meta.verbose_name) for m in _models()}


def _each(sql: str, columns: list[tuple[str, ...]], arguments: list) -> dict[str, int]:
    moved: dict[str, int] = {}
    with as_system("a change of regions moves rows of every room"), connection.cursor() as cursor:
        for table, *names in columns:
            try:
                with transaction.atomic():
                    cursor.execute(sql, [table, *names, *arguments])
                    (count,) = cursor.fetchone()
            except IntegrityError as e:
                constraint = getattr(getattr(e.__cause__, "diag", None), "constraint_name", "") or ""
                raise Refused(
                    _("Rows of “%(table)s” would collide (%(constraint)s). Join them first, then repeat.")
                    % {"table": table, "constraint": constraint},
                    code="regions.conflict",
                ) from e
            if count:
                moved[table] = moved.get(table, 0) + count
    return moved
