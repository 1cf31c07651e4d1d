"""How long readings are kept: raw for days, then an hour of a kind in one row (devices.md §5). Imported through ``services``."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import yaml
from django.conf import settings
from django.db import connection
from django.utils import timezone

from sangyu.kernel.actor import Actor

from .models import COLUMNS, Poison, Summary

#: Days that are ready before they begin.
AHEAD = 3
#: Said by the machine, not about a person's health: no hours are kept of them.
_NOT_KEPT = frozenset({"signal_quality", "in_bed"})


@dataclass(frozen=True)
class Keeping:
    """Days; ``ids`` is how long a message that comes again is known."""

    readings: int = 31
    ids: int = 9
    hours: int = 400
    poison: int = 90


@cache
def keeping() -> Keeping:
    """The shipped rule (``data/signals/keeping.yaml``); the law of the place decides, not this program."""
    file = settings.DATA / "signals" / "keeping.yaml"
    given = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}
    made = Keeping(**{name: int(value) for name, value in (given.get("days") or {}).items()})
    if made.readings < 3 or made.ids < 9:
        raise ValueError(f"{file.name}: readings at least 3 days, ids at least 9")
    return made


def keep_days(*, actor: Actor, today: date | None = None) -> dict[str, int]:
    """Make the days to come; thin and remove those that are past. Repeatable. Returns how many of each."""
    today = today or timezone.localdate()
    rule, done = keeping(), {"made": 0, "thinned": 0, "removed": 0}
    with connection.cursor() as cursor:
        cursor.execute("SELECT sangyu.signals_partitions(%s, %s)", [today, today + timedelta(days=AHEAD)])
        done["made"] = cursor.fetchone()[0]
        cursor.execute(
            "SELECT d FROM sangyu.signals_days('reading') d WHERE d < %s", [today - timedelta(days=rule.readings)]
        )
        for (day,) in cursor.fetchall():
            done["thinned"] += thin(day)
            cursor.execute("SELECT sangyu.signals_drop('reading', %s, %s)", [day, rule.readings])
            done["removed"] += cursor.fetchone()[0]
        cursor.execute("SELECT d FROM sangyu.signals_days('seen') d WHERE d < %s", [today - timedelta(days=rule.ids)])
        for (day,) in cursor.fetchall():
            cursor.execute("SELECT sangyu.signals_drop('seen', %s, %s)", [day, rule.ids])
            done["removed"] += cursor.fetchone()[0]
    Summary.objects.filter(day__lt=today - timedelta(days=rule.hours)).delete()
    Poison.objects.filter(kept_at__lt=timezone.now() - timedelta(days=rule.poison)).delete()
    with connection.cursor() as cursor:  # nothing has been going on for days, and no alarm waits for a person
        cursor.execute(
            "DELETE FROM signals_watching w WHERE last_at < now() - interval '3 days' AND due_at IS NULL AND NOT EXISTS "
            "(SELECT 1 FROM signals_alarm a WHERE a.device_id = w.device_id AND a.rule = w.rule AND a.state = 'open')"
        )
    return done


def thin(day: date) -> int:
    """An hour of a device and kind becomes one row; of steps the greatest counts, as watches count up. One statement; repeatable."""
    kinds = ", ".join(f"('{c}', r.{c})" for c in COLUMNS if c not in _NOT_KEPT)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO signals_summary (device_id, person_id, path, day, hour, kind, count, low, mean, high) "
            "SELECT r.device_id, (array_agg(r.person_id))[1], max(r.path), r.day, extract(hour FROM r.at AT TIME ZONE 'Asia/Shanghai'), v.kind, "
            "count(*), min(v.value), avg(v.value), max(v.value) FROM signals_reading r "
            f"CROSS JOIN LATERAL (VALUES {kinds}) v (kind, value) WHERE r.day = %s AND v.value IS NOT NULL "
            "GROUP BY r.device_id, r.day, 5, v.kind, r.person_id ON CONFLICT DO NOTHING",
            [day],
        )
        return cursor.rowcount
