"""Long work as a row people can watch (design rule 10)."""

import os
import signal

import pytest
from django.db import connection, transaction

from sangyu.kernel import files, jobs, operations
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import NotVisible, Refused
from sangyu.kernel.models import Event, Operation, Sequence
from sangyu.kernel.operations import State
from sangyu.kernel.scoping import current_actor, scope
from support.probe import told
from support.processes import eventually, process

pytestmark = pytest.mark.usefixtures("clean_jobs")
WORKER = "import support.probe; from sangyu.kernel.jobs import run_worker; run_worker(concurrency=2, grace=5)"
STARTER = Actor(
    audience=Audience.STAFF,
    path="000001",
    name="wang",
    account_id=7,
    role="finance",
    grant_id=4,
    region_name="站前区",
    permissions=frozenset({"people.import", "people.view"}),
)
COLLEAGUE = Actor(audience=Audience.STAFF, path="000001", name="li", account_id=8)
FOREIGN = Actor(audience=Audience.STAFF, path="000002", name="zhao", account_id=9)


def fresh(row: Operation) -> Operation:
    with scope(COLLEAGUE):
        return Operation.objects.get(pk=row.pk)


def run_job(row: Operation) -> None:
    """As the worker does: outside any transaction."""
    operations.run(row.pk)


def test_start_lives_and_dies_with_its_transaction():
    with pytest.raises(RuntimeError), scope(STARTER):
        operations.start(STARTER, "probe.count", title="Count", params={"steps": 1})
        raise RuntimeError
    with scope(Actor.job("test")):
        assert Operation.objects.count() == 0
    assert jobs.run_due() == 0
    with pytest.raises(KeyError, match="no @operation"):
        operations.start(STARTER, "probe.unknown", title="x")


def test_it_runs_as_its_starter_with_the_permissions_of_then(monkeypatch):
    seen = []

    def look(op, actor):
        seen.append((actor, current_actor()))
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user, sangyu.scope_path()")
            seen.append(cursor.fetchone())

    monkeypatch.setitem(operations.KINDS, "probe.look", operations.Kind("probe.look", look, False, True))
    run_job(operations.start(STARTER, "probe.look", title="Look"))
    assert seen == [(STARTER, STARTER), ("sangyu_staff", "000001")]


def test_done_with_result_event_and_what_each_may_see():
    row = operations.start(STARTER, "probe.count", title="Count", params={"steps": 3})
    assert (row.state, row.job_id is not None) == (State.WAITING, True)
    run_job(row)
    shown = operations.as_dict(fresh(row), STARTER)
    expected = {"state": "done", "ended": True, "done": 3, "total": 3, "percent": 100, "may_cancel": False, "error": ""}
    assert {key: shown[key] for key in expected} == expected
    assert shown["result"] == {"counted": 3}
    assert operations.as_dict(fresh(row), COLLEAGUE)["result"] == {}
    assert Sequence.objects.count() == 3
    with scope(Actor.job("test")):
        events = [(e.name, e.path, e.payload["state"]) for e in Event.objects.all()]
    assert events == [("operations.ended", "000001", "done")]
    with scope(FOREIGN):
        assert Operation.objects.count() == 0
    run_job(row)  # a second delivery of the job changes nothing
    assert Sequence.objects.count() == 3


def test_others_see_progress_while_the_one_transaction_is_open(monkeypatch):
    monkeypatch.setattr(operations.Progress, "EVERY", 0)
    watched = []

    def work(op, actor):
        op.total(2)
        for n in range(2):
            Sequence.objects.create(name=f"step {n}")
            op.advance()
            other = connection.copy()
            with other.cursor() as cursor:
                cursor.execute(
                    "SELECT done, total, state, (SELECT count(*) FROM kernel_sequence) FROM kernel_operation"
                )
                watched.append(cursor.fetchone())
            other.close()

    monkeypatch.setitem(operations.KINDS, "probe.watch", operations.Kind("probe.watch", work, False, True))
    run_job(operations.start(STARTER, "probe.watch", title="Watch"))
    assert watched == [(1, 2, "running", 0), (2, 2, "running", 0)]
    assert Sequence.objects.count() == 2


def test_refusals_and_accidents_end_as_failed_and_change_nothing(monkeypatch, caplog):
    broken = operations.start(STARTER, "probe.broken", title="Broken")
    run_job(broken)
    assert (fresh(broken).state, str(broken.pk) in fresh(broken).error) == (State.FAILED, True)
    assert "on purpose" not in fresh(broken).error
    assert "on purpose" in caplog.text

    def refuse(op, actor):
        Sequence.objects.create(name="never")
        raise Refused("The list is empty.")

    monkeypatch.setitem(operations.KINDS, "probe.refuse", operations.Kind("probe.refuse", refuse, False, True))
    row = operations.start(STARTER, "probe.refuse", title="Refuse")
    run_job(row)
    assert (fresh(row).state, fresh(row).error) == (State.FAILED, "The list is empty.")
    assert Sequence.objects.count() == 0


def test_cancel_waiting_and_running_only_by_its_starter(monkeypatch):
    monkeypatch.setattr(operations.Progress, "EVERY", 0)
    row = operations.start(STARTER, "probe.count", title="Count", params={"steps": 2})
    with pytest.raises(NotVisible):
        operations.cancel(FOREIGN, row.pk)
    with pytest.raises(Refused) as refused:
        operations.cancel(COLLEAGUE, row.pk)
    assert refused.value.code == "operation.foreign"
    assert fresh(row).state == State.WAITING
    assert operations.cancel(STARTER, row.pk).state == State.CANCELLED
    assert jobs.run_due() == 0
    with pytest.raises(Refused) as refused:
        operations.cancel(STARTER, row.pk)
    assert refused.value.code == "operation.ended"

    def work(op, actor):
        Sequence.objects.create(name="never")
        with connection.copy().cursor() as cursor:  # somebody else, in between
            cursor.execute("UPDATE kernel_operation SET cancel_requested_at = now() WHERE state = 'running'")
            cursor.connection.close()
        op.advance()

    monkeypatch.setitem(operations.KINDS, "probe.stop", operations.Kind("probe.stop", work, False, True))
    running = operations.start(STARTER, "probe.stop", title="Stop")
    run_job(running)
    assert fresh(running).state == State.CANCELLED
    assert Sequence.objects.count() == 0


def test_a_result_file_is_for_its_starter(monkeypatch):

    def work(op, actor):
        op.result(rows=2, file=files.save(actor, title="out.csv", content_type="text/csv", data=b"a", private=True))

    monkeypatch.setitem(operations.KINDS, "probe.file", operations.Kind("probe.file", work, False, True))
    row = operations.start(STARTER, "probe.file", title="File")
    run_job(row)
    shown = operations.as_dict(fresh(row), STARTER)
    assert shown["result"] == {"rows": 2}
    assert files.read(STARTER, shown["file_id"]) == b"a"
    with pytest.raises(NotVisible):
        files.read(COLLEAGUE, shown["file_id"])
    assert operations.as_dict(fresh(row), COLLEAGUE)["file_id"] is None


def test_killed_worker_fails_or_restarts_as_the_kind_declares():
    """Kill -9 in the middle: nothing of the first run stays; one kind says so, the other runs again (design rule 7)."""
    once = operations.start(STARTER, "probe.count", title="Once", params={"steps": 6000, "seconds": 0.1})
    with process(WORKER, user="sangyu_app") as worker:
        eventually(lambda: fresh(once).done > 2, 120)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait(10)
    assert (fresh(once).state, Sequence.objects.count()) == (State.RUNNING, 0)
    jobs.take_back(dead_after=0)
    run_job(once)
    assert (fresh(once).state, fresh(once).result, Sequence.objects.count()) == (State.FAILED, None, 0)

    again = operations.start(STARTER, "probe.again", title="Again", params={"steps": 5, "seconds": 30})
    with process(WORKER, user="sangyu_app") as worker:
        eventually(lambda: told()[-2:] == ["again", "count as wang"], 120)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait(10)
    jobs.take_back(dead_after=0)
    run_job(again)
    assert (fresh(again).state, fresh(again).result, Sequence.objects.count()) == (State.DONE, {"counted": 5}, 5)


def test_an_operation_whose_job_is_gone_is_settled():
    row = operations.start(STARTER, "probe.count", title="Count", params={"steps": 1})
    assert operations.settle_lost() == 0
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs CASCADE")
    assert operations.settle_lost() == 1
    assert fresh(row).state == State.FAILED


def test_in_one_outer_transaction_it_works_too():
    """Rooms' tests run jobs inside a rolled-back transaction: progress then goes over the same connection."""
    with transaction.atomic():
        row = operations.start(STARTER, "probe.count", title="Count", params={"steps": 2})
        assert jobs.run_due() == 1
        with scope(STARTER):
            assert Operation.objects.get(pk=row.pk).state == State.DONE
        transaction.set_rollback(True)
    assert told() == ["count as wang"]
