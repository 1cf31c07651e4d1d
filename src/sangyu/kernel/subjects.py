"""What is held about one person, found from the models themselves (PIPL 45; docs/adr/0018-privacy-requests.md).

A model belongs to a person by the shortest way of foreign keys to its kind. A way that no key shows is said on the model
(``about = "person_id"``, an ORM path); ``about = ""`` says that its rows are about nobody of the kind. A guard test finds
models with personal data and no way.
"""

from collections import deque
from collections.abc import Iterator
from functools import cache

from django.apps import apps
from django.db import models

from .database_objects import sangyu_models
from .scoping import ScopedQuerySet

#: Longer chains lead through registers to half the database.
FARTHEST = 3


@cache
def ways(kind: str) -> dict[str, tuple[str, ...]]:
    """Model label → ORM paths that lead to a row of ``kind`` ("people.Person")."""
    root = apps.get_model(kind)
    own = [f.name for f in root._meta.concrete_fields if f.is_relation and f.related_model is root]
    found: dict[str, tuple[str, ...]] = {root._meta.label: ("pk", *own)}  # also what was merged into it
    for model in sangyu_models():
        said = getattr(model, "about", None)
        if said is not None and model is not root:
            found[model._meta.label] = (said,) if said else ()
    queue = deque([(root, 0)])
    while queue:
        owner, depth = queue.popleft()
        if depth == FARTHEST or (owner is not root and not found[owner._meta.label]):
            continue
        for model in sangyu_models():
            if model._meta.label in found:
                continue
            keys = [f.name for f in model._meta.concrete_fields if f.is_relation and f.related_model is owner]
            if keys:
                beyond = () if owner is root else found[owner._meta.label]
                found[model._meta.label] = tuple(f"{k}__{b}" for k in keys for b in beyond) or tuple(keys)
                queue.append((model, depth + 1))
    return {label: paths for label, paths in found.items() if paths}


@cache
def _kinds_that_may_be_restricted() -> list[tuple[type[models.Model], str]]:
    """Models whose rows can be kept for a statute only (``restricted_by`` names the field that says since when)."""
    return [(m, m.restricted_by) for m in sangyu_models() if getattr(m, "restricted_by", "")]


def about_restricted(model: type[models.Model]) -> models.Q | None:
    """Rows of ``model`` about somebody whose data are kept for a statute only (PIPL 47): no list hands them out.

    None when the open scope sees nobody of the kind, which is the rule: one small query on a partial index.
    """
    condition = None
    for root, field in _kinds_that_may_be_restricted():
        paths = ways(root._meta.label).get(model._meta.label, ())
        ids = (
            list(root._default_manager.filter(**{f"{field}__isnull": False}).values_list("pk", flat=True))
            if paths
            else []
        )
        for path in paths if ids else ():
            one = models.Q(**{f"{path}__in": ids})
            condition = one if condition is None else condition | one
    return condition


def rows_about(kind: str, pk: int) -> Iterator[tuple[type[models.Model], ScopedQuerySet]]:
    """Each model with rows about row ``pk`` of ``kind``, and these rows in order. In a scope that sees them."""
    for label, paths in ways(kind).items():
        model = apps.get_model(label)
        condition = models.Q()
        for path in paths:
            condition |= models.Q(**{path: pk})
        rows = model._default_manager.filter(condition).order_by("pk").distinct()
        if rows.exists():
            yield model, rows
