"""The run itself: computed lines in by COPY, compared with the last run and with what was released, in one statement.

What is compared comes as one frame with the columns ``FRESH``: a row per subject, policy and month, of the run's month and of
the earlier months that are computed again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import connection

from sangyu.engines.columnar import pl
from sangyu.kernel.scoping import as_system

from .models import Run

#: Columns of the computed lines and their types in the database.
FRESH = {
    "subject_kind": "text", "subject_id": "bigint", "path": "text", "policy": "text", "version_id": "bigint", "month": "date",
    "period": "text", "form": "text", "fund": "text", "amount": "bigint", "quantity": "int", "days": "int", "row": "int",
    "base": "bigint", "stacked": "text", "winner": "text", "facts": "jsonb",
}  # fmt: skip
_TYPES = {"text": "String", "bigint": "Int64", "int": "Int32", "date": "Date", "jsonb": "String"}
_DEFAULTS = {
    "subject_kind": "person", "period": "month", "form": "cash", "fund": "fiscal", "quantity": 1, "days": 0, "row": 0,
    "stacked": "", "winner": "", "facts": "{}",
}  # fmt: skip


@dataclass
class Outcome:
    """What was written: digests, and counts by kind of change."""

    lines_digest: str
    counts: dict[str, int] = field(default_factory=dict)
    line_count: int = 0
    subject_count: int = 0
    total: int = 0


def schema() -> dict[str, pl.DataType]:
    """The types of ``FRESH`` in Polars."""
    return {name: getattr(pl, _TYPES[kind]) for name, kind in FRESH.items()}


def frame(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Computed lines given as rows; what is left out has its ordinary value. For tests and single corrections."""
    whole = [{**_DEFAULTS, "base": r["amount"], **r} for r in rows]
    for r in whole:
        if not isinstance(r["facts"], str):
            r["facts"] = json.dumps(r["facts"], ensure_ascii=False, sort_keys=True)
    return pl.DataFrame(whole, schema=schema())


def write(
    run: Run, fresh: pl.DataFrame, *, moved: pl.DataFrame, past: Sequence[date] = (), versions: Sequence[dict] = ()
) -> Outcome:
    """Write the lines of ``run`` (state computing, without lines) out of ``fresh``. Call inside the actor's scope.

    ``past`` are the months computed again: those for which this region has a released run. ``versions`` as on the run:
    policies that pay each month stop when a subject no longer has a line. ``moved`` as ``policies.selectors.moved`` answers it.
    Answers what was written.
    """
    data = (
        fresh.select(list(FRESH))
        .sort("subject_kind", "subject_id", "policy", "month")
        .write_csv(include_header=False, null_value="", quote_style="necessary")
        .encode()
    )
    with as_system("lines of other regions for the same subjects are compared too"), connection.cursor() as cursor:
        _copy(cursor, data)
        _places(cursor, moved)
        elsewhere = _paid_elsewhere(cursor, run)
        _paid(cursor, run, list(past), [v["code"] for v in versions if v.get("period") == "once"])
        _insert(cursor, run, [v["code"] for v in versions])
        _say_moved(cursor, run)
        cursor.execute("DROP TABLE benefits_fresh, benefits_paid, benefits_merged, benefits_moved")
        found = _sums(cursor, run)
    found.lines_digest = hashlib.sha256(data).hexdigest()
    if elsewhere:
        found.counts["elsewhere"] = elsewhere
    return found


def _copy(cursor, data: bytes) -> None:
    columns = ", ".join(f'"{name}" {kind}' for name, kind in FRESH.items())
    cursor.execute(f"CREATE TEMP TABLE benefits_fresh ({columns}) ON COMMIT DROP")
    # an empty text and no value are the same in CSV: texts are never NULL here, the other columns never empty
    texts = ", ".join(f'"{name}"' for name, kind in FRESH.items() if kind == "text")
    with cursor.copy(f"COPY benefits_fresh FROM STDIN (FORMAT csv, FORCE_NOT_NULL ({texts}))") as copy:
        for start in range(0, len(data), 1 << 20):
            copy.write(data[start : start + (1 << 20)])
    cursor.execute(
        "CREATE TEMP TABLE benefits_merged ON COMMIT DROP AS "
        "SELECT m.gone_id AS gone, m.kept_id AS kept FROM merging_merge m "
        "WHERE m.kind = 'people.Person' AND m.undone_at IS NULL"
    )
    # what is joined on; statistics of the facts as JSON would cost more than the comparison
    cursor.execute("ANALYZE benefits_fresh (subject_kind, subject_id, policy, month); ANALYZE benefits_merged")


def _places(cursor, moved: pl.DataFrame) -> None:
    """Where those who moved belonged on the first day of a month; everybody else belonged where they do now."""
    cursor.execute("CREATE TEMP TABLE benefits_moved (subject_id bigint, month date, path text) ON COMMIT DROP")
    with cursor.copy("COPY benefits_moved FROM STDIN") as copy:
        for row in moved.select("subject_id", "month", "then").iter_rows():
            copy.write_row(row)
    cursor.execute("CREATE INDEX ON benefits_moved (subject_id); ANALYZE benefits_moved")


def _paid_elsewhere(cursor, run: Run) -> int:
    """What another run pays for the same subject, policy and month comes to nothing here, and the line says so; how many."""
    cursor.execute(
        """
        UPDATE benefits_fresh f SET base = f.amount, amount = 0, stacked = 'elsewhere' FROM benefits_line l
         WHERE f.month = %(month)s AND f.amount > 0 AND l.subject_kind = f.subject_kind AND l.subject_id = f.subject_id
           AND l.policy = f.policy AND l.month = f.month AND l.kind = 'entitlement' AND l.amount > 0 AND l.run_id <> %(run)s
        """,
        {"run": run.pk, "month": run.month},
    )
    return cursor.rowcount


#: Path of the person ``o`` on the first day of a month, and whether it lies in the run's region.
_THEN = "coalesce((SELECT m.path FROM benefits_moved m WHERE m.subject_id = o.id AND m.month = {month}), o.path)"
_HERE = "starts_with(" + _THEN + ", %(path)s)"


def _say_moved(cursor, run: Run) -> None:
    """Lines that began or stopped because the person moved say so: from which region to which."""
    if run.previous is None:
        return
    then, now = _THEN.format(month="%(previous)s"), _THEN.format(month="%(month)s")
    cursor.execute(
        f"""
        UPDATE benefits_line l SET reason = jsonb_build_object('region', jsonb_build_array(a.full_name, b.full_name))
          FROM people_person o, regions_region a, regions_region b
         WHERE l.run_id = %(run)s AND l.subject_kind = 'person' AND l.change IN ('new', 'stopped') AND o.id = l.subject_id
           AND starts_with({then}, %(path)s) <> starts_with({now}, %(path)s) AND a.path = {then} AND b.path = {now}
        """,
        {"run": run.pk, "previous": run.previous.month, "month": run.month, "path": run.path},
    )


def _paid(cursor, run: Run, past: list[date], once: list[str]) -> None:
    """What was released for the earlier months: of subjects of this region, and of those computed here, wherever it was.

    Lines that are withheld stay out on both sides until somebody resumes them. What is given ``once`` is settled in the run's own
    month against all that was paid before; its earlier months are not computed again, so they are not compared either (R-060).
    """
    cursor.execute(
        """
        CREATE TEMP TABLE benefits_paid ON COMMIT DROP AS
        SELECT l.subject_kind, coalesce(m.kept, l.subject_id) AS subject_id, l.policy, l.month,
               coalesce(sum(l.amount) FILTER (WHERE l.state = 'released'), 0) AS amount,
               bool_or(l.state = 'withheld') AS withheld, max(l.path) AS path, max(l.version_id) AS version_id,
               max(l.form) AS form, max(l.fund) AS fund, (array_agg(l.facts ORDER BY l.id DESC))[1] AS facts
          FROM benefits_line l
          LEFT JOIN benefits_merged m ON l.subject_kind = 'person' AND m.gone = l.subject_id
         WHERE l.month = ANY (%(past)s::date[]) AND l.run_id <> %(run)s AND l.state IN ('released', 'withheld')
           AND l.policy <> ALL (%(once)s::text[])
           AND ((l.path >= %(path)s AND l.path < %(path)s || '~')
                OR EXISTS (SELECT 1 FROM benefits_fresh f WHERE f.subject_kind = l.subject_kind
                            AND f.subject_id = coalesce(m.kept, l.subject_id) AND f.month = l.month AND f.policy = l.policy))
         GROUP BY 1, 2, 3, 4
        """,
        {"past": past, "run": run.pk, "path": run.path, "once": once},
    )
    # A month is judged by the region to which the person belonged then. What this region paid out of its own policy to somebody
    # who did not belong here is an over-payment; what a policy of both regions paid, the other region compares (ADR 21).
    cursor.execute(
        "DELETE FROM benefits_paid p USING people_person o WHERE p.subject_kind = 'person' AND o.id = p.subject_id "
        f"AND NOT ({_HERE.format(month='p.month')}) AND NOT EXISTS ("
        " SELECT 1 FROM benefits_fresh f WHERE f.subject_kind = 'person' AND f.subject_id = p.subject_id AND f.month = p.month)"
        " AND NOT EXISTS (SELECT 1 FROM policies_policyversion v WHERE v.id = p.version_id"
        f" AND NOT starts_with({_THEN.format(month='p.month')}, v.path))",
        {"path": run.path},
    )
    cursor.execute("ANALYZE benefits_paid")


DIFFERENCE = """
(SELECT jsonb_object_agg(k, jsonb_build_array({old} -> k, {new} -> k))
   FROM jsonb_object_keys({old} || {new}) k WHERE {old} -> k IS DISTINCT FROM {new} -> k)
"""
_INSERT = """
INSERT INTO benefits_line (run_id, path, subject_kind, subject_id, person_id, policy, version_id, month, kind, form, fund,
  amount, computed, before, previous, quantity, days, "row", base, stacked, winner, change, facts, reason, state, withheld_for)
SELECT %(run)s, x.path, x.subject_kind, x.subject_id, CASE WHEN x.subject_kind = 'person' THEN x.subject_id END, x.policy,
       x.version_id, x.month, x.kind, x.form, x.fund, x.amount, x.computed, x.before, x.previous, x.quantity, x.days, x."row",
       x.base, x.stacked, x.winner, x.change, x.facts, x.reason, 'open', ''
  FROM (
  SELECT coalesce(f.path, l.path) AS path, coalesce(f.subject_kind, l.subject_kind) AS subject_kind,
         coalesce(f.subject_id, l.subject_id) AS subject_id, coalesce(f.policy, l.policy) AS policy,
         coalesce(f.version_id, l.version_id) AS version_id, %(month)s::date AS month,
         CASE WHEN f.amount < 0 THEN 'recovery' ELSE 'entitlement' END AS kind,
         coalesce(f.form, l.form) AS form, coalesce(f.fund, l.fund) AS fund, coalesce(f.amount, 0) AS amount,
         coalesce(f.amount, 0) AS computed, 0::bigint AS before, l.amount AS previous, coalesce(f.quantity, 0) AS quantity,
         coalesce(f.days, 0) AS days, coalesce(f."row", 0) AS "row", coalesce(f.base, 0) AS base,
         coalesce(f.stacked, '') AS stacked, coalesce(f.winner, '') AS winner,
         CASE WHEN f.subject_id IS NULL THEN 'stopped' WHEN f.amount < 0 THEN 'late'
              WHEN f.amount = 0 AND coalesce(l.amount, 0) = 0 THEN 'nothing'
              WHEN f.period <> 'month' THEN 'periodic'
              WHEN l.amount IS NULL THEN 'new' WHEN f.amount = 0 THEN 'stopped'
              WHEN f.amount = l.amount THEN 'same' ELSE 'changed' END AS change,
         coalesce(f.facts, l.facts) AS facts,
         CASE WHEN f.amount <> l.amount AND f.amount > 0 THEN {changed}
              WHEN f.subject_id IS NULL AND NOT l.policy = ANY (%(policies)s::text[]) THEN '{{"policy": ["in_force", "ended"]}}'
         END AS reason
    FROM (SELECT * FROM benefits_fresh WHERE month = %(month)s) f
    FULL JOIN (
      SELECT l.subject_kind, coalesce(m.kept, l.subject_id) AS subject_id, l.policy, max(l.path) AS path,
             max(l.version_id) AS version_id, max(l.form) AS form, max(l.fund) AS fund, sum(l.amount)::bigint AS amount,
             (array_agg(l.facts))[1] AS facts
        FROM benefits_line l LEFT JOIN benefits_merged m ON l.subject_kind = 'person' AND m.gone = l.subject_id
       WHERE l.run_id = %(previous)s AND l.kind = 'entitlement' AND l.amount > 0 AND l.policy = ANY (%(monthly)s::text[])
       GROUP BY 1, 2, 3) l USING (subject_kind, subject_id, policy)
  UNION ALL
  SELECT coalesce(f.path, p.path), coalesce(f.subject_kind, p.subject_kind), coalesce(f.subject_id, p.subject_id),
         coalesce(f.policy, p.policy), coalesce(f.version_id, p.version_id), coalesce(f.month, p.month),
         CASE WHEN coalesce(f.amount, 0) > coalesce(p.amount, 0) THEN 'arrears' ELSE 'recovery' END,
         coalesce(f.form, p.form), coalesce(f.fund, p.fund), coalesce(f.amount, 0) - coalesce(p.amount, 0),
         coalesce(f.amount, 0), coalesce(p.amount, 0), NULL, coalesce(f.quantity, 0), coalesce(f.days, 0),
         coalesce(f."row", 0), coalesce(f.base, 0), coalesce(f.stacked, ''), coalesce(f.winner, ''), 'late',
         coalesce(f.facts, p.facts), CASE WHEN f.subject_id IS NOT NULL AND p.subject_id IS NOT NULL THEN {late} END
    FROM (SELECT * FROM benefits_fresh WHERE month <> %(month)s AND period <> 'once') f
    FULL JOIN benefits_paid p USING (subject_kind, subject_id, policy, month)
   WHERE coalesce(f.amount, 0) <> coalesce(p.amount, 0) AND NOT coalesce(p.withheld, false)
  ) x
 ORDER BY x.subject_kind, x.subject_id, x.policy, x.month
"""


def _insert(cursor, run: Run, policies: list[str]) -> None:
    monthly = [
        v["code"] for v in (run.previous.versions if run.previous else []) if v.get("period", "month") == "month"
    ]
    sql = _INSERT.format(
        changed=DIFFERENCE.format(old="l.facts", new="f.facts"), late=DIFFERENCE.format(old="p.facts", new="f.facts")
    )
    cursor.execute(
        sql,
        {"run": run.pk, "previous": run.previous_id, "month": run.month, "monthly": monthly, "policies": policies},
    )


def _sums(cursor, run: Run) -> Outcome:
    cursor.execute(
        "SELECT change, kind, count(*), sum(amount) FROM benefits_line WHERE run_id = %s GROUP BY 1, 2 ORDER BY 1, 2",
        [run.pk],
    )
    found = Outcome("")
    for change, kind, count, total in cursor.fetchall():
        name = kind if change == "late" else change
        found.counts[name] = found.counts.get(name, 0) + count
        found.line_count += count
        found.total += int(total)
    cursor.execute(
        "SELECT count(*) FROM (SELECT DISTINCT subject_kind, subject_id FROM benefits_line WHERE run_id = %s AND amount <> 0) x",
        [run.pk],
    )
    found.subject_count = cursor.fetchone()[0]
    return found
