"""Background work through procrastinate, enqueued in the caller's transaction (docs/adr/0007-events.md).

A job is a row in the transaction of the act that needs it: both happen or neither. It runs at least once; so tasks are
idempotent. ``sweep`` takes back what a dead worker left, tells what waits too long and ends what is old.
"""

import json
import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from .actor import Actor
from .models import Event
from .scoping import scope

log = logging.getLogger(__name__)

#: A worker that has not reported for this long is dead; it reports every 10 s. Seconds.
DEAD_AFTER = 30
#: A job that was running when its worker died this many times is given up: it may be what kills the worker.
MOST_DEATHS = 5
#: A job that is due and waits longer than this is reported. Seconds.
LATE_AFTER = 300
KEEP_DONE = timedelta(days=7)
KEEP_FAILED = timedelta(days=90)
KEEP_EVENTS = timedelta(days=90)

#: Four more attempts for handlers, after 4 s, 16 s, 64 s and 256 s.
PATIENT = RetryStrategy(max_attempts=4, exponential_wait=4)


def defer(
    task: str,
    *,
    queue: str = "default",
    at: datetime | None = None,
    once: str | None = None,
    lock: str | None = None,
    priority: int = 0,
    **kwargs: Any,
) -> int | None:
    """Enqueue the task registered under ``task``, as part of the caller's transaction. Returns the job's id.

    ``at`` makes it a timer: the job runs then, not before. ``once`` names what is wanted: while a job of that name
    waits, no second is made and None is returned. Jobs with the same ``lock`` run one after another.
    """
    job = app.configure_task(task, queue=queue, schedule_at=at, queueing_lock=once, lock=lock, priority=priority)
    if once is None:
        return job.defer(**kwargs)
    try:
        with transaction.atomic():
            return job.defer(**kwargs)
    except AlreadyEnqueued:
        return None


def defer_handler(handler: str, event_id: int) -> None:
    """Enqueue one event handler."""
    defer("kernel.handle_event", queue="events", handler=handler, event_id=event_id)


def cancel(job_id: int | None) -> bool:
    """Take a waiting job (a timer) back, as part of the caller's transaction. False when it has begun or never was."""
    if job_id is None:
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT procrastinate_cancel_job_v1(%s, false, false)", [job_id])
        return cursor.fetchone()[0] is not None


def run_due(*, limit: int = 10_000, now: datetime | None = None, queues: list[str] | None = None) -> int:
    """Run the due jobs, and those they enqueue, one by one on this connection, each in a transaction of its own. For
    tests.

    A task's error marks its job failed and is raised. Returns how many ran. (``run_worker(wait=False)`` is the real
    thing.)
    """
    now = now or timezone.now()
    for ran in range(limit):
        job_id = None
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute(_TAKE, [now, queues, queues])
                    row = cursor.fetchone()
                if row is None:
                    return ran
                job_id, name, args = row
                app.tasks[name].func(**json.loads(args))
                _finish(job_id, "succeeded")
        except Exception:
            if job_id is not None:  # by way of "doing", so that its trail says failed and not cancelled
                with connection.cursor() as cursor:
                    cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s", [job_id])
                _finish(job_id, "failed")
            raise
    return limit


_TAKE = """
UPDATE procrastinate_jobs SET status = 'doing'
 WHERE id = (SELECT id FROM procrastinate_jobs
              WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= %s)
                AND (%s::text[] IS NULL OR queue_name = ANY (%s))
              ORDER BY priority DESC, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, task_name, args
"""


def _finish(job_id: int, status: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT procrastinate_finish_job_v1(%s, %s::procrastinate_job_status, false)", [job_id, status])


# ---------------------------------------------------------------- sweeper
# A worker that died keeps its jobs in "doing". A worker pruned by another leaves them with no worker at all.
_STALLED = """
SELECT j.id, j.attempts >= %s OR EXISTS (
         SELECT 1 FROM procrastinate_jobs t WHERE t.queueing_lock = j.queueing_lock AND t.status = 'todo') AS give_up
  FROM procrastinate_jobs j LEFT JOIN procrastinate_workers w ON w.id = j.worker_id
 WHERE j.status = 'doing' AND (w.id IS NULL OR w.last_heartbeat < now() - make_interval(secs => %s))
 ORDER BY j.id FOR UPDATE OF j SKIP LOCKED
"""


@transaction.atomic
def take_back(dead_after: float = DEAD_AFTER) -> dict[str, int]:
    """Jobs of dead workers wait again at once; one that outlived ``MOST_DEATHS`` workers, or has a twin waiting, fails.

    Returns {"retried", "given_up"}. Several sweepers may run at once.
    """
    with connection.cursor() as cursor:
        cursor.execute(_STALLED, [MOST_DEATHS, dead_after])
        rows = cursor.fetchall()
        retried = [pk for pk, give_up in rows if not give_up]
        given_up = [pk for pk, give_up in rows if give_up]
        cursor.execute(
            "SELECT procrastinate_retry_job_v2(i, now(), NULL, NULL, NULL) FROM unnest(%s::bigint[]) i", [retried]
        )
        cursor.execute(
            "SELECT procrastinate_finish_job_v1(i, 'failed'::procrastinate_job_status, false) FROM "
            "unnest(%s::bigint[]) i",
            [given_up],
        )
    if rows:
        log.warning("jobs of dead workers: %s run again, %s given up %s", len(retried), len(given_up), given_up)
    return {"retried": len(retried), "given_up": len(given_up)}


def forget_old(now: datetime | None = None) -> int:
    """Delete jobs that ended long ago, dead workers, and events that were relayed long ago. Returns the number of
    jobs.
    """
    now = now or timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM procrastinate_jobs j WHERE j.id IN (SELECT e.job_id FROM procrastinate_events e "
            "JOIN procrastinate_jobs d ON d.id = e.job_id WHERE d.status NOT IN ('todo', 'doing') GROUP BY "
            "e.job_id, d.status "
            "HAVING max(e.at) < CASE WHEN d.status = 'failed' THEN %s ELSE %s END LIMIT 20000)",
            [now - KEEP_FAILED, now - KEEP_DONE],
        )
        gone = cursor.rowcount
        cursor.execute("SELECT procrastinate_prune_stalled_workers_v1(3600)")
    with scope(Actor.job("kernel.sweep"), source="retention"):
        Event.objects.filter(relayed_at__lt=now - KEEP_EVENTS).delete()
    return gone


def health() -> dict[str, Any]:
    """What an operator asks: jobs waiting, late, stuck and failed in the last day; workers alive; events not yet
    relayed.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE status = 'todo' AND coalesce(scheduled_at, now()) <= now()), "
            "count(*) FILTER (WHERE status = 'doing'), "
            "(SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => %s)) "
            "FROM procrastinate_jobs WHERE status IN ('todo', 'doing')",
            [DEAD_AFTER],
        )
        waiting, running, workers = cursor.fetchone()
        cursor.execute(
            "SELECT coalesce(extract(epoch FROM max(now() - greatest(j.scheduled_at, e.at))), 0) FROM "
            "procrastinate_jobs j "
            "JOIN procrastinate_events e ON e.job_id = j.id AND e.type = 'deferred' "
            "WHERE j.status = 'todo' AND coalesce(j.scheduled_at, now()) <= now()"
        )
        oldest = float(cursor.fetchone()[0])
        cursor.execute(
            "SELECT j.task_name, count(DISTINCT j.id) FROM procrastinate_jobs j JOIN procrastinate_events e ON "
            "e.job_id = j.id "
            "WHERE j.status = 'failed' AND e.type = 'failed' AND e.at > now() - interval '1 day' GROUP BY 1 ORDER BY 1"
        )
        failed = dict(cursor.fetchall())
    with scope(Actor.job("kernel.health")):
        unrelayed = Event.objects.filter(relayed_at__isnull=True)
        first = unrelayed.order_by("id").first()
        return {
            "waiting": waiting,
            "running": running,
            "workers": workers,
            "oldest_waiting_seconds": round(oldest),
            "failed_last_day": failed,
            "unrelayed_events": unrelayed.count(),
            "oldest_unrelayed_seconds": round((timezone.now() - first.at).total_seconds()) if first else 0,
        }


def retry_failed(task: str | None = None) -> int:
    """Let failed jobs (of one task) wait again, after their cause was mended. Returns how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT procrastinate_retry_job_v2(id, now(), NULL, NULL, NULL) FROM (SELECT id FROM "
            "procrastinate_jobs WHERE "
            "status = 'failed' AND (%s::text IS NULL OR task_name = %s) AND (queueing_lock IS NULL) ORDER BY id "
            "FOR UPDATE) f",
            [task, task],
        )
        return cursor.rowcount


def alert(state: dict[str, Any]) -> list[str]:
    """Sentences about what is wrong in ``health()``; logged as warnings by the sweeper, shown by ``sangyu check``."""
    found = []
    if state["oldest_waiting_seconds"] > LATE_AFTER:
        found.append(
            f"{state['waiting']} jobs wait, the oldest for {state['oldest_waiting_seconds']} s; workers alive: "
            f"{state['workers']}"
        )
    if state["failed_last_day"]:
        found.append(
            "jobs failed in the last day: " + ", ".join(f"{k} {v}" for k, v in state["failed_last_day"].items())
        )
    if state["oldest_unrelayed_seconds"] > LATE_AFTER:
        found.append(
            f"{state['unrelayed_events']} events are not relayed, the oldest for {state['oldest_unrelayed_seconds']} s"
        )
    return found


def run_worker(**options: Any) -> None:
    """Run a worker process; see ``kernel.worker.run_worker``."""
    from .worker import run_worker as run

    run(**options)
