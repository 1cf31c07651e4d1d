"""Real transactions: two tickers, one killed in the middle, two operators at once, alarms in any order (ADR 0024)."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from sangyu.care.emergencies import services
from sangyu.care.emergencies.enums import LIVE, family_of
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


KINDS = {"sos": 1, "fall": 1, "unknown": 2, "vital_limit": 2, "left_bed": 2, "geofence_exit": 2, "smoke": 1}
ACTS = st.one_of(
    st.tuples(st.just("alarm"), st.sampled_from(sorted(KINDS)), st.integers(0, 2), st.integers(0, 4)),
    st.tuples(st.just("again"), st.integers(0, 30), st.integers(1, 3), st.just(0)),
    st.tuples(st.just("claim"), st.integers(0, 1), st.integers(0, 5), st.just(0)),
    st.tuples(st.just("close"), st.integers(0, 1), st.integers(0, 5), st.just(0)),
    st.tuples(st.just("reset"), st.just(0), st.just(0), st.just(0)),
    st.tuples(st.just("tick"), st.just(0), st.just(0), st.just(0)),
)


@pytest.mark.django_db
@settings(max_examples=15)
@given(acts=st.lists(ACTS, max_size=12))
def test_one_open_case_a_person_and_family_whatever_happens(acts, property_world):
    """Two operators, repeats, late and doubled alarms, in any order: nothing is lost, nothing is two cases."""
    from django.db import transaction

    people, operators = property_world
    with transaction.atomic():
        told, sent, now = [], set(), NOW
        for what, a, b, c in acts:
            now += timedelta(seconds=20)
            if what == "alarm":
                told.append(alarm(people[b], a, KINDS[a], at=now - timedelta(minutes=30 * c), late=c > 0))
                ids = services.alarms([told[-1]], actor=JOB, now=now)
                sent.add((told[-1].alarm_id, told[-1].at))
                assert [i.state in LIVE for i in Incident.objects.filter(pk__in=ids)] == [True]
            elif what == "again" and told:
                services.alarms([told[a % len(told)]] * b, actor=JOB, now=now)
            elif what in ("claim", "close"):
                live = list(Incident.objects.live().order_by("pk"))
                if live:
                    _act(what, operators[a], live[b % len(live)], now)
            elif what == "tick":
                services.tick(actor=JOB, now=now)
            keys = [(i.person_id, i.family, i.drill) for i in Incident.objects.live()]
            assert len(set(keys)) == len(keys)
        from sangyu.care.emergencies.models import Alarm

        assert set(Alarm.objects.values_list("alarm_id", "at")) == sent
        for case in Incident.objects.all():
            assert case.repeats == case.alarms.count()
            families = {family_of(x.kind) for x in case.alarms.all()}
            assert case.family in families
            assert case.closed_at is None or case.claimed_by_id
        transaction.set_rollback(True)


def _act(what, who, case, now):
    try:
        services.claim(actor=who, incident_id=case.pk, now=now)
        if what == "close":
            services.close(actor=who, incident_id=case.pk, outcome="helped", cause="illness", now=now)
    except Refused:
        assert Incident.objects.get(pk=case.pk).claimed_by_id != who.account_id


@pytest.fixture(scope="module")
def property_world(shared_rows):
    tree = make_regions()
    people = [make_person(tree["a_one"], name) for name in ("甲", "乙", "丙")]
    return people, [operator(tree["a"], name) for name in ("王丽", "赵敏")]
