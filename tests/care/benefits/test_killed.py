"""Killed in the middle of computing, releasing or reconciling: a restart completes, nobody is paid twice (issue 4 §5.4).

A process of its own does the step and is killed with SIGKILL while its transaction is open; then the step is done again.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import connection

from care.benefits.conftest import OCTOBER, at
from sangyu.care.benefits import services
from sangyu.care.benefits.enums import RunState
from sangyu.care.benefits.models import FileItem, Line, Payment, PaymentFile, Run
from sangyu.kernel import checks
from sangyu.kernel.ledger.models import Transfer

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[3]

#: The step in another process; ``{stop}`` is the function before whose end it stands still until it is killed.
STEP = """
import sys, time, os
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = {database!r}
django.setup()
from sangyu.care.benefits import computing, services
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.permissions import every_permission
actor = Actor(Audience.STAFF, {path!r}, {name!r}, account_id={account}, permissions=every_permission())
module = __import__({module!r}, fromlist=["x"])
inner = getattr(module, {stop!r})
def stands(*args, **kwargs):
    found = inner(*args, **kwargs)
    print("here", flush=True)
    time.sleep(60)
    return found
setattr(module, {stop!r}, stands)
{call}
"""


def killed(actor, module: str, stop: str, call: str) -> None:
    """Run ``call`` in another process and kill it after ``module.stop`` has done its part."""
    code = STEP.format(
        database=connection.settings_dict["NAME"], path=actor.path, name=actor.name, account=actor.account_id, module=module,
        stop=stop, call=call,
    )  # fmt: skip
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")])}
    child = subprocess.Popen([sys.executable, "-c", code], env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout.readline().strip() == "here"
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    until = time.monotonic() + 20
    while time.monotonic() < until:  # the server notices that its client is gone, and rolls back
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
                "AND state LIKE 'idle in transaction%%'"
            )
            if not cursor.fetchone()[0]:
                return
        time.sleep(0.1)


def clean() -> dict:
    with connection.cursor() as cursor:
        return {name: found for name, found in checks.run(cursor).items() if found}


def counted() -> tuple[int, int, int]:
    return Line.objects.count(), Payment.objects.count(), Transfer.objects.count()


def test_killed_while_computing_releasing_and_reconciling(county):
    """R-068, X-03: each step is whole or not there, and is done once."""
    people = county.people[:3]
    run = services.begin(actor=county.prepares, region_id=county.region.pk, month=OCTOBER, now=at(10))
    rows = [county.line(p, 30000) for p in people]
    for r in rows:
        r["month"] = r["month"].isoformat()
    enter = (
        "from datetime import date\n"
        f"rows = [{{**r, 'month': date.fromisoformat(r['month'])}} for r in {rows!r}]\n"
        f"services.enter(actor=actor, run_id={run.pk}, lines=computing.frame(rows), versions=[])"
    )
    before = counted()
    killed(county.prepares, "sangyu.care.benefits.computing", "write", enter)
    assert (counted(), Run.objects.get().state) == (before, RunState.COMPUTING)
    run = county.computed(OCTOBER, [county.line(p, 30000) for p in people])
    services.approve(actor=county.approves, run_id=county.reviewed(run).pk, now=at(10, 8))

    before = counted()
    release = f"services.release(actor=actor, run_id={run.pk})"
    for stop in ("_move", "_payments"):
        killed(county.releases, "sangyu.care.benefits.services.releasing", stop, release)
        assert (counted(), Run.objects.get().state) == (before, RunState.APPROVED)
    services.release_once(actor=county.releases, run_id=run.pk)
    services.release_once(actor=county.releases, run_id=run.pk)
    assert counted() == (3, 3, before[2] + 3)

    made = services.make_bank_file(actor=county.pays, region_id=county.region.pk)
    services.send(actor=county.pays, file_id=made.pk)
    before = counted()
    answers = {p.pk: (True, "") for p in Payment.objects.all()}
    settle = f"services.settle(actor=actor, file_id={made.pk}, answers={answers!r})"
    killed(county.pays, "sangyu.care.benefits.services.settling", "_book", settle)
    assert (counted(), set(FileItem.objects.values_list("result", flat=True))) == (before, {"pending"})
    for _n in range(2):
        services.settle(actor=county.pays, file_id=made.pk, answers=answers)
    assert counted() == (3, 3, before[2] + 3)
    assert (PaymentFile.objects.get().state, Run.objects.get().state) == ("settled", RunState.RECONCILED)
    assert clean() == {}
