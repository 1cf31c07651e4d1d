"""Jobs in the caller's transaction, the worker, the sweeper (design rules 5 and 7; style anchors: background tasks)."""

import os
import signal
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from sangyu.kernel import jobs
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.events import emit
from sangyu.kernel.models import Event, Sequence
from sangyu.kernel.scoping import scope
from sangyu.kernel.worker import run_worker
from support.probe import told
from support.processes import eventually, process

pytestmark = pytest.mark.usefixtures("clean_jobs")
WORKER = "import support.probe; from sangyu.kernel.jobs import run_worker; run_worker(concurrency=2, grace=5)"


def actor(audience: Audience) -> Actor:
    return Actor(audience=audience, path="000", name=f"{audience}", subject_id=3, account_id=3)


def queue() -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_name, status::text, attempts FROM procrastinate_jobs ORDER BY id")
        return cursor.fetchall()


def as_application():
    """From here on this session is the application's own account, without any right of the test's superuser."""
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION AUTHORIZATION sangyu_app")


@pytest.fixture
def application():
    as_application()
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET SESSION AUTHORIZATION")


@pytest.mark.parametrize("audience", list(Audience))
def test_a_job_of_any_audience_lives_and_dies_with_its_transaction(audience, application):
    with pytest.raises(RuntimeError), scope(actor(audience)):
        jobs.defer("probe.note", text="never")
        emit("probe.happened", id=1)
        raise RuntimeError
    assert queue() == []
    with scope(actor(audience)):
        jobs.defer("probe.note", text="once")
        timer = jobs.defer("probe.note", text="cancelled", at=timezone.now() + timedelta(days=1))
        assert jobs.cancel(timer)
        emit("probe.happened", id=1)
    assert [row[:2] for row in queue()] == [
        ("probe.note", "todo"),
        ("probe.note", "cancelled"),
        ("kernel.handle_event", "todo"),
    ]
    assert jobs.run_due() == 2
    assert told() == ["once", "began 1", "ended 1"]
    with scope(Actor.job("test")):
        assert [(e.name, e.actor) for e in Event.objects.all()] == [("probe.happened", str(audience))]


def test_a_timer_runs_when_it_is_time_and_can_be_taken_back():
    now = timezone.now()
    later = jobs.defer("probe.note", text="later", at=now + timedelta(hours=2))
    assert jobs.run_due(now=now + timedelta(hours=1)) == 0
    with pytest.raises(RuntimeError), transaction.atomic():
        assert jobs.cancel(later)
        raise RuntimeError
    assert jobs.run_due(now=now + timedelta(hours=3)) == 1
    assert told() == ["later"]
    assert not jobs.cancel(later)
    assert not jobs.cancel(None)


def test_once_makes_one_waiting_job_and_keeps_the_transaction_alive():
    with scope(actor(Audience.STAFF)):
        assert jobs.defer("probe.note", once="x", text="first") is not None
        assert jobs.defer("probe.note", once="x", text="second") is None
        Sequence.objects.create(name="after")
    assert jobs.run_due() == 1
    assert told() == ["first"]
    assert jobs.defer("probe.note", once="x", text="third") is not None


def test_run_due_raises_and_marks_what_failed():
    jobs.defer("probe.fail")
    with pytest.raises(RuntimeError, match="on purpose"):
        jobs.run_due()
    assert [row[:2] for row in queue()] == [("probe.fail", "failed")]
    assert jobs.retry_failed("probe.other") == 0
    assert jobs.retry_failed("probe.fail") == 1
    assert queue()[0][1] == "todo"


def test_an_event_for_a_handler_that_is_gone_says_so():
    with scope(Actor.job("test")):
        event = emit("probe.happened", id=2)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET args = jsonb_set(args, '{handler}', '\"gone.away\"')")
    with pytest.raises(LookupError, match=f"event {event.pk} .probe.happened. was for gone.away"):
        jobs.run_due()


def stalled(attempts=0, heartbeat="now() - interval '1 minute'", **columns):
    """A job in "doing" of a worker with the given last sign of life; None = a worker that was pruned."""
    job = jobs.defer("probe.note", text="x", **columns)
    with connection.cursor() as cursor:
        worker = None
        if heartbeat:
            cursor.execute(f"INSERT INTO procrastinate_workers (last_heartbeat) VALUES ({heartbeat}) RETURNING id")
            (worker,) = cursor.fetchone()
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s, attempts = %s WHERE id = %s",
            [worker, attempts, job],
        )
    return job


def test_the_sweeper_takes_back_what_dead_workers_left_and_gives_up_killers(application):
    stalled()
    stalled(heartbeat=None)
    stalled(heartbeat="now()")  # alive: stays
    stalled(attempts=jobs.MOST_DEATHS)
    stalled(once="twin")
    jobs.defer("probe.note", once="twin", text="waiting twin")
    assert jobs.take_back() == {"retried": 2, "given_up": 2}
    assert [row[1] for row in queue()] == ["todo", "todo", "doing", "failed", "failed", "todo"]
    assert jobs.take_back() == {"retried": 0, "given_up": 0}


def test_health_and_alerts():
    assert jobs.alert(jobs.health()) == []
    stalled(heartbeat="now()")
    jobs.defer("probe.note", text="later", at=timezone.now() + timedelta(days=1))
    jobs.defer("probe.note", text="old")
    with scope(Actor.job("test")):
        Event.objects.create(name="x", path="000", payload={}, actor="x", at=timezone.now() - timedelta(minutes=20))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_events SET at = at - interval '10 minutes' WHERE type = 'deferred'")
    jobs.defer("probe.fail")
    with pytest.raises(RuntimeError):
        jobs.run_due(queues=["default"], limit=2)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'todo' WHERE status = 'succeeded'")
    state = jobs.health()
    assert (state["waiting"], state["running"], state["workers"], state["failed_last_day"]) == (
        1,
        1,
        1,
        {"probe.fail": 1},
    )
    assert 600 <= state["oldest_waiting_seconds"] < 660
    assert [sentence.split(",")[0] for sentence in jobs.alert(state)] == [
        "1 jobs wait",
        "jobs failed in the last day: probe.fail 1",
        "1 events are not relayed",
    ]


def test_old_jobs_and_relayed_events_are_forgotten():
    now = timezone.now()
    for text in ("done", "kept"):
        jobs.defer("probe.note", text=text)
    jobs.run_due()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_events SET at = now() - interval '8 days' WHERE job_id = (SELECT min(id) FROM "
            "procrastinate_jobs)"
        )
    old = now - timedelta(days=100)
    with scope(Actor.job("test")):
        for name, relayed in (("gone", old), ("unrelayed", None), ("young", now)):
            Event.objects.create(name=name, path="000", payload={}, actor="x", at=old, relayed_at=relayed)
    assert jobs.forget_old(now) == 1
    assert len(queue()) == 1
    with scope(Actor.job("test")):
        assert sorted(e.name for e in Event.objects.all()) == ["unrelayed", "young"]


def test_a_worker_runs_what_is_due_and_jobs_that_tasks_enqueue_are_in_their_transaction():
    """The worker's own connection must not take over what tasks enqueue."""
    with scope(Actor.job("test")):
        emit("probe.happened", id=5)
        jobs.defer("probe.note", text="hello")
    connection.close()
    run_worker(wait=False, concurrency=2)
    assert sorted(told()) == ["began 5", "ended 5", "hello"]
    assert [row[1] for row in queue() if row[0] in {"kernel.handle_event", "probe.note"}] == ["succeeded"] * 2
    from procrastinate.contrib.django import app
    from procrastinate.contrib.django.django_connector import DjangoConnector

    assert isinstance(app.connector, DjangoConnector)


def test_kill_9_in_the_middle_of_a_handler_then_its_effect_is_there_exactly_once():
    """Design rule 7, issue 2 §4.5."""
    with scope(Actor.job("test")):
        emit("probe.happened", id=9, seconds=60)
    with process(WORKER, user="sangyu_app") as first:
        eventually(lambda: told() == ["began 9"], 120)
        os.kill(first.pid, signal.SIGKILL)
        first.wait(10)
    assert Sequence.objects.count() == 0
    assert ("kernel.handle_event", "doing", 0) in queue()
    jobs.take_back()
    assert ("kernel.handle_event", "doing", 0) in queue()  # its last heartbeat is young
    jobs.take_back(dead_after=0)
    assert ("kernel.handle_event", "todo", 1) in queue()
    with process(WORKER, user="sangyu_app") as second:
        eventually(lambda: "ended 9" in told(), 120)
        eventually(lambda: ("kernel.handle_event", "succeeded", 2) in queue(), 120)
        second.send_signal(signal.SIGTERM)
        assert second.wait(10) == 0
    assert told() == ["began 9", "began 9", "ended 9"]
    assert [s.name for s in Sequence.objects.all()] == ["effect 9"]


def test_sigterm_lets_the_running_job_end():
    with scope(Actor.job("test")):
        emit("probe.happened", id=4, seconds=2)
    with process(WORKER) as worker:
        eventually(lambda: "began 4" in told(), 120)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(15) == 0
    assert told() == ["began 4", "ended 4"]
    assert queue()[0][1] == "succeeded"
