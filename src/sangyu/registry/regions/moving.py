"""Moving what hangs on a region: every column of the project that holds a path or a region, in one statement each."""

from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.utils.translation import gettext as _

from sangyu.kernel.errors import Refused
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


def move_region_ids(old: list[int], new: int) -> dict[str, int]:
    """Let foreign keys to ``old`` regions point to ``new``. Returns moved rows per table; raises Refused as above."""
    return _each("SELECT sangyu.move_region_ids(%s, %s, %s, %s)", region_columns(), [old, new])


def _each(sql: str, columns: list[tuple[str, str]], arguments: list) -> dict[str, int]:
    moved: dict[str, int] = {}
    with as_system("a change of regions moves rows of every room"), connection.cursor() as cursor:
        for table, column in columns:
            try:
                with transaction.atomic():
                    cursor.execute(sql, [table, column, *arguments])
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
