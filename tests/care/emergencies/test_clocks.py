"""Real transactions: two tickers, one killed in the middle, two operators at once (ADR 0024)."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection

from sangyu.care.emergencies import services
from sangyu.care.emergencies.models import Incident, Notice, Party, Step, Trail
from sangyu.care.emergencies.services import ticking
from sangyu.kernel.errors import Refused
from support.emergencies import JOB, NOW, alarm, contact, operator
from support.world import make_person, make_regions


def together(*calls):
    """Run the calls at once, each on a connection of its own; answers what each answered or raised."""

    def run(call):
        try:
            return call()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.mark.django_db(transaction=True)
def test_many_operators_and_tickers_at_once(settings):
    tree = make_regions()
    people = [make_person(tree["a_one"], f"老人{n}") for n in range(6)]
    for person in people:
        contact(person, f"{person.name}之女")
    operators = [operator(tree["a"], f"坐席{n}") for n in range(4)]

    alarms = [alarm(p, k, lag=n) for p in people for n, k in enumerate(("sos", "fall", "sos"))]
    shuffled = [random.Random(seed).sample(alarms, len(alarms)) for seed in range(4)]
    found = together(*(lambda rows=rows: services.alarms(rows, actor=JOB, now=NOW) for rows in shuffled))
    assert all(sorted(ids) == sorted(found[0]) and len(ids) == 6 for ids in found)
    assert Incident.objects.count() == 6
    assert {i.repeats for i in Incident.objects.all()} == {3}

    for pk in found[0]:
        answers = together(*(partial(services.claim, actor=o, incident_id=pk, now=NOW) for o in operators))
        assert sum(isinstance(a, Incident) for a in answers) == 1
        assert sum(isinstance(a, Refused) for a in answers) == 3
    Incident.objects.update(claimed_by=None, claimed_name="", claimed_at=None, state="open")

    # A ticker dies after the effect and before the commit: nothing of it stays, and the step is done once by another.
    real, died = ticking.ACTS["family"], []

    def dies(*given):
        result = real(*given)
        if not died:
            died.append(1)
            raise SystemExit("killed")
        return result

    ticking.ACTS["family"] = dies
    try:
        with pytest.raises(SystemExit):
            services.tick(actor=JOB, now=NOW + timedelta(seconds=61))
        assert (
            Party.objects.filter(kind="family").count()
            == Step.objects.filter(act="family", done_at__isnull=False).count()
        )
        counts = together(*[lambda: services.tick(actor=JOB, now=NOW + timedelta(seconds=61))] * 3)
    finally:
        ticking.ACTS["family"] = real
    assert all(isinstance(c, int) for c in counts)
    services.tick(actor=JOB, now=NOW + timedelta(seconds=61))
    due = Step.objects.filter(due_at__lte=NOW + timedelta(seconds=61))
    assert not due.filter(done_at=None).exists()
    assert Party.objects.filter(kind="family").count() == 6
    assert Notice.objects.filter(role="family").count() == 6
    assert Trail.objects.filter(what="escalated", data__step="1.family").count() == 6
