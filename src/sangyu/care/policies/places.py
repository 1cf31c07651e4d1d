"""Where persons belonged in past months: the responsible region is a dated fact, so the county of that time answers for a month.

Who belongs to a region on the first day of a month is the region's for the whole month: a move in the middle is paid by the
region left, the month after it by the new one (R-068, X-03).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from django.db import connection

from sangyu.engines.columnar import pl
from sangyu.kernel.scoping import as_system

from .naming import known_rows

_ROWS = """
WITH moved AS (
  SELECT DISTINCT f.subject_id FROM people_personfact f
   WHERE f.kind = 'region' AND (f.valid_to IS NOT NULL OR f.superseded_at IS NOT NULL)
     AND (f.valid_to > %(first)s OR f.superseded_at > %(known)s)
)
SELECT f.subject_id, f.valid_from, r.path, p.path
  FROM moved m
  JOIN people_personfact f USING (subject_id)
  JOIN people_person p ON p.id = f.subject_id
  JOIN regions_region r ON r.id = f.value::bigint
 WHERE f.kind = 'region' AND {known}
 ORDER BY f.subject_id, f.valid_from
"""


def moved(path: str, months: Iterable[date], known_at: datetime) -> pl.DataFrame:
    """subject_id, month, path ``then`` and ``now`` of persons who belonged to another region on the first day of one of
    ``months`` than they do now, as known at ``known_at``, where one of the two lies in ``path``. Call inside a scope.

    A stretch before the first one known is taken as that one: who was registered in the middle of a month belonged there.
    """
    days = sorted(set(months))
    values = {"first": days[0], "known": known_at}
    with as_system("who moved away is counted by the region of that time"), connection.cursor() as cursor:
        cursor.execute(_ROWS.format(known=known_rows(known_at)), values)
        rows = cursor.fetchall()
    stretches: dict[int, list[tuple[date, str, str]]] = {}
    for subject, start, then, now in rows:
        stretches.setdefault(subject, []).append((start, then, now))
    found = []
    for subject, parts in stretches.items():
        for day in days:
            _start, then, now = next((p for p in reversed(parts) if p[0] <= day), parts[0])
            if then != now and (then.startswith(path) or now.startswith(path)):
                found.append((subject, day, then, now))
    schema = {"subject_id": pl.Int64, "month": pl.Date, "then": pl.String, "now": pl.String}
    return pl.DataFrame(found, schema=schema, orient="row")
