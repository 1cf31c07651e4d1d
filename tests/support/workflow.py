"""Walks the whole graph of a workflow: every edge works as the table says, every other pair is refused and changes
nothing.
"""

from collections.abc import Callable
from typing import Any

from django.db import connection, models, transaction

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Refused
from sangyu.kernel.models import Event
from sangyu.kernel.scoping import scope
from sangyu.kernel.workflow import Workflow


def walk_graph(
    workflow: Workflow,
    *,
    actor: Actor,
    make: Callable[[str], models.Model],
    actions: type,
    states: type,
    arguments: Callable[[Any, models.Model], dict[str, Any]] | None = None,
) -> tuple[int, int]:
    """Try every (action, state) pair on a fresh row. Returns (edges that worked, pairs that were refused).

    ``make(state)`` returns a saved row in that state with the dates the state needs. ``arguments(action, row)`` gives
    what an allowed action needs besides (changes for the constraints, what its guards ask for). Each pair runs in a
    savepoint that is rolled back. Edges that the table does not have must raise Refused("workflow.edge") and leave
    the row, the trail and the outbox as they were.
    """
    worked = refused = 0
    for state in states:
        for action in actions:
            with transaction.atomic():
                row = make(str(state))
                row.refresh_from_db()
                target = workflow.target(action, str(state))
                before = _picture(workflow, row)
                given = arguments(action, row) if arguments and target is not None else {}
                try:
                    with scope(actor), transaction.atomic():
                        workflow.apply(
                            actor=actor, queryset=type(row)._default_manager.all(), pk=row.pk, action=action, **given
                        )
                except Refused as caught:
                    refusal = caught
                else:
                    refusal = None
                if refusal is not None:
                    assert target is None, f"{action} from {state} is in the table and was refused: {refusal}"
                    assert refusal.code == "workflow.edge", (action, state, refusal.code)
                    assert _picture(workflow, row) == before, f"{action} from {state} was refused and changed something"
                    refused += 1
                else:
                    assert target is not None, f"{action} from {state} is not in the table and worked"
                    _check_applied(workflow, row, action, str(state), str(target), before)
                    worked += 1
                transaction.set_rollback(True)
    assert worked == len({(str(a), str(s)) for a, s, _t in workflow.edges}), (
        "the table names a state or action twice or unknown"
    )
    return worked, refused


def unreachable(workflow: Workflow, start: str) -> set[str]:
    """States of the table that no path from ``start`` reaches."""
    seen, edge = {str(start)}, {str(start)}
    while edge:
        edge = {str(t) for _a, s, t in workflow.edges if str(s) in edge} - seen
        seen |= edge
    return {str(x) for _a, s, t in workflow.edges for x in (s, t)} - seen


def _trail(workflow: Workflow, row: models.Model) -> models.QuerySet:
    return workflow.log()._base_manager.filter(**{workflow.log_fk: row})


def _picture(workflow: Workflow, row: models.Model) -> tuple:
    """Everything a refused action must leave alone: the row, its trail, the outbox, the queue."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs")
        (queued,) = cursor.fetchone()
    columns = type(row)._base_manager.filter(pk=row.pk).values().get()
    return columns, _trail(workflow, row).count(), Event._base_manager.count(), queued


def _check_applied(workflow: Workflow, row: models.Model, action, state: str, target: str, before: tuple) -> None:
    changed = type(row)._base_manager.get(pk=row.pk)
    assert getattr(changed, workflow.state_field) == target, (action, state)
    entry = _trail(workflow, row).order_by("-pk").first()
    assert entry is not None, f"{action} from {state} left no trail"
    assert (entry.action, entry.source, entry.target) == (str(action), state, target)
    stamp = next((name for s, name in workflow.stamps.items() if str(s) == target), None)
    if stamp:
        assert getattr(changed, stamp) is not None, f"entering {target} must fill {stamp}"
    event = Event._base_manager.order_by("-pk").first()
    assert Event._base_manager.count() > before[2], f"{action} from {state} emitted nothing"
    names = set(
        Event._base_manager.order_by("-pk").values_list("name", flat=True)[: Event._base_manager.count() - before[2]]
    )
    assert f"{workflow.name}.{target}" in names, (event, names)
