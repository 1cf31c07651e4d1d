"""Carrying a merge out, and taking it back row by row (docs/adr/0013-duplicates-and-merge.md)."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import connection
from django.utils.translation import gettext as _

from ..actor import Actor
from ..errors import Refused
from ..models import Change
from ..scoping import as_system
from .models import Merge, MergedRow
from .rules import Case, Plan, Row, Rule, rules_of


def plan(kind: str, case: Case) -> Plan:
    """What the rooms' rules would write; nothing is written. Call inside a scope."""
    made = Plan()
    with as_system("rows of both sides may lie in the regions of their time"):
        for rule in rules_of(kind):
            rule.plan(case, made)
    return made


def merge(
    *, actor: Actor, kind: str, case: Case, own: list[tuple[int, Row]], reason: str, choices: dict[str, Any]
) -> Merge:
    """Write the plan of ``case``, after the two rows themselves: ``own`` are (id, columns), the gone one first.

    Call inside a scope that sees both, with both locked. Database errors leave nothing written.
    """
    made = plan(kind, case)
    with as_system("a merge moves rows of every room"):
        record = Merge.objects.create(
            kind=kind, kept_id=case.kept, gone_id=case.gone, path=case.path, at=case.now, account_id=actor.account_id,
            actor=actor.name, reason=reason, choices=choices, counts=made.moved, left=made.left,
        )  # fmt: skip
        for row_id, columns in own:
            _update(record, kind, {row_id: columns})
        for label, patches in made.patches.items():
            _update(record, label, patches)
        for label, rows in made.new.items():
            _insert(record, label, rows)
    return record


def _table(label: str) -> str:
    return apps.get_model(label)._meta.db_table


def _update(record: Merge, label: str, patches: dict[int, Row]) -> None:
    ids = sorted(patches)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sangyu.merge_update(%s, %s, %s, %s::jsonb[])",
            [record.pk, _table(label), ids, [json.dumps(patches[i]) for i in ids]],
        )


def _insert(record: Merge, label: str, rows: list[Row]) -> None:
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT sangyu.merge_insert(%s, %s, %s::jsonb[])",
                [record.pk, _table(label), [json.dumps(r) for r in rows]],
            )


# ---------------------------------------------------------------- undo
@dataclass(frozen=True)
class Obstacle:
    """A value that stays as it is now: which row and column, who changed it and when; ``why``: changed, deleted, taken."""

    table: str
    row: int
    columns: tuple[str, ...]
    why: str
    by: str = ""
    at: str = ""
    constraint: str = ""


@dataclass
class Undoing:
    """What an undo would write (newest first), and what stands in its way."""

    steps: list[tuple[str, int, Row | None, tuple[str, ...]]]
    obstacles: list[Obstacle]


def prepare_undo(record: Merge) -> Undoing:
    """Compare every row the merge wrote with the row now. Call inside a scope; nothing is written."""
    with as_system("rows of both sides may lie in the regions of their time"):
        rows = list(MergedRow.objects.filter(merge=record).order_by("-id"))
        now = _present(rows)
        rules = _by_table(record.kind)
        done = Undoing([], [])
        for row in rows:
            _prepare(row, now.get((row.table_name, row.row_id)), rules.get(row.table_name, []), record, done)
    return done


def _prepare(row: MergedRow, present: Row | None, rules: list[Rule], record: Merge, done: Undoing) -> None:
    key, loose = (row.table_name, row.row_id), {c for r in rules for c in r.loose}
    if present is None:
        done.obstacles.append(_obstacle(record, row, (), "deleted"))
    elif row.op == "I":
        changed = tuple(sorted(c for c in row.after if c not in loose and present.get(c) != row.after[c]))
        if changed:
            done.obstacles.append(_obstacle(record, row, changed, "changed"))
        else:
            done.steps.append((*key, None, ()))
    else:
        for group in _groups(row, rules):
            changed = tuple(c for c in group if c not in loose and present.get(c) != row.after[c])
            if changed:
                done.obstacles.append(_obstacle(record, row, changed, "changed"))
            elif not (set(group) <= loose and any(present.get(c) != row.after[c] for c in group)):
                done.steps.append((*key, {c: row.before[c] for c in group}, group))


def _groups(row: MergedRow, rules: list[Rule]) -> list[tuple[str, ...]]:
    """The columns that the merge changed, as far as they must go back together; those that stand alone first."""
    changed = {c for c in row.before if row.before[c] != row.after[c]}
    found = []
    for together in dict.fromkeys(g for r in rules for g in r.together):
        part = tuple(c for c in together if c in changed)
        if part:
            found.append(part)
            changed -= set(part)
    return [(c,) for c in sorted(changed)] + found


def _present(rows: list[MergedRow]) -> dict[tuple[str, int], Row]:
    """The rows as they are now, one query a table."""
    found = {}
    with connection.cursor() as cursor:
        for table in {r.table_name for r in rows}:
            ids = [r.row_id for r in rows if r.table_name == table]
            cursor.execute(f'SELECT id, to_jsonb(t) FROM "{table}" t WHERE id = ANY (%s)', [ids])
            for pk, row in cursor.fetchall():
                found[table, pk] = json.loads(row) if isinstance(row, str) else row
    return found


def _by_table(kind: str) -> dict[str, list[Rule]]:
    found: dict[str, list[Rule]] = {}
    for rule in rules_of(kind):
        found.setdefault(_table(rule.model), []).append(rule)
    return found


def _obstacle(record: Merge, row: MergedRow, columns: tuple[str, ...], why: str, constraint: str = "") -> Obstacle:
    """With who changed it last since the merge, from the history."""
    later = Change.objects.filter(table_name=row.table_name, row_id=row.row_id, at__gt=record.at).order_by("-id")
    if columns:
        later = later.filter(fields__has_any_keys=list(columns))
    last = later.first()
    return Obstacle(
        row.table_name, row.row_id, columns, why, last.actor if last else "", last.at.isoformat() if last else "",
        constraint,
    )  # fmt: skip


def undo(*, actor: Actor, record: Merge, reason: str, partly: bool, now: datetime) -> list[Obstacle]:
    """Put back every row that ``record`` wrote and nobody changed since; answer what stays as it is.

    ``partly=False`` refuses when anything stands in the way. Raises Refused("merging.undone" | "merging.obstacles").
    """
    if record.undone_at is not None:
        raise Refused(_("This merge has been undone already."), code="merging.undone")
    prepared = prepare_undo(record)
    if prepared.obstacles and not partly:
        raise Refused(
            _("%(n)d values were changed since. Say that they may stay as they are, or leave the merge.")
            % {"n": len(prepared.obstacles)},
            code="merging.obstacles",
        )
    obstacles = list(prepared.obstacles)
    with as_system("an undo puts back rows of every room"), connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM sangyu.merge_undo(%s, %s, %s::jsonb[])",
            [
                [table for table, _row, _patch, _group in prepared.steps],
                [row for _table, row, _patch, _group in prepared.steps],
                [None if patch is None else json.dumps(patch) for _table, _row, patch, _group in prepared.steps],
            ],
        )
        for n, constraint in cursor.fetchall():
            table, row_id, _patch, group = prepared.steps[n - 1]
            obstacles.append(Obstacle(table, row_id, group, "taken", constraint=constraint))
        if obstacles and not partly:
            raise Refused(_("A value is taken by another row now."), code="merging.obstacles")
        record.undone_at, record.undone_by, record.undone_reason = now, actor.name, reason
        record.not_restored = [asdict(o) for o in obstacles]
        record.save(update_fields=["undone_at", "undone_by", "undone_reason", "not_restored"])
    return obstacles
