"""Whatever comes in whatever order, there is one open case a person and family (ADR 0024)."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sangyu.care.emergencies import services
from sangyu.care.emergencies.enums import LIVE, family_of
from sangyu.care.emergencies.models import Incident
from sangyu.kernel.errors import Refused
from support.emergencies import JOB, NOW, alarm, operator
from support.world import make_person, make_regions

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
