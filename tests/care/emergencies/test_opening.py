"""Alarms become cases, and exactly one operator has a case (R-094)."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from sangyu.care.emergencies import selectors, services
from sangyu.care.emergencies.models import Alarm, Incident, Step, Trail
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.models import Event
from sangyu.kernel.scoping import scope
from support.emergencies import JOB, NOW, alarm, operator
from support.world import make_person, make_regions

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def desk(shared_rows):
    """County A with one elder and two operators, county B with one."""
    tree = make_regions()
    person = make_person(tree["a_one"], living="alone")
    return {
        "tree": tree,
        "person": person,
        "first": operator(tree["a"], "王丽"),
        "second": operator(tree["a"], "赵敏"),
        "other": operator(tree["b"], "钱进"),
    }


def take(*raised, now=NOW):
    return services.alarms(raised, actor=JOB, now=now)


def test_an_alarm_opens_a_case_with_its_clocks(desk):
    person = desk["person"]
    (pk,) = take(alarm(person, at=NOW - timedelta(seconds=4), lag=3, text="按键"))
    case = Incident.objects.get(pk=pk)
    assert (case.state, case.level, case.kind, case.person_name) == ("open", 1, "sos", "王桂兰")
    assert case.number.startswith("JJ20261014-210802-")
    assert case.address == person.address
    assert (case.latitude, case.placed_at) == (person.latitude, None)  # no place came: the home
    assert (case.received_at - case.alarm_at).total_seconds() == 3
    steps = dict(Step.objects.filter(incident=case).values_list("code", "due_at"))
    assert steps["1.desk"] == NOW + timedelta(seconds=30)
    assert steps["1.nearest"] == NOW + timedelta(seconds=60)
    assert steps["1.emergency"] == NOW + timedelta(minutes=5)
    (event,) = Event.objects.filter(name="emergencies.opened")
    assert event.path == case.path
    assert event.payload == {"incident": pk, "number": case.number, "level": 1, "state": "open"}


def test_repeats_fold_and_related_alarms_join(desk):
    person = desk["person"]
    (pk,) = take(alarm(person))
    assert take(alarm(person, "fall", latitude=40.7, longitude=122.2, placed_at=NOW, accuracy=15.0)) == [pk]
    assert take(alarm(person, "vital_limit", 2)) == [pk]
    case = Incident.objects.get()
    assert (case.repeats, case.latitude, case.accuracy) == (3, 40.7, 15.0)
    assert [t.what for t in Trail.objects.filter(incident=case)] == ["opened", "repeated", "repeated"]


def test_the_same_alarm_again_changes_nothing(desk):
    first = alarm(desk["person"])
    (pk,) = take(first, first)
    assert take(first) == [pk]
    assert Incident.objects.get().repeats == 1
    assert Alarm.objects.count() == 1


def test_a_graver_alarm_of_the_family_brings_its_own_clocks(desk):
    person = desk["person"]
    (pk,) = take(alarm(person, "unknown", 2))
    assert take(alarm(person, "sos", 1), now=NOW + timedelta(minutes=1)) == [pk]
    case = Incident.objects.get()
    assert (case.level, case.kind) == (1, "sos")
    assert Step.objects.get(incident=case, code="1.desk").due_at == NOW + timedelta(seconds=90)


def test_a_health_value_first_and_a_call_for_help_later_are_two_cases_of_one_person(desk):
    person = desk["person"]
    (value,) = take(alarm(person, "vital_limit", 2))
    (help_,) = take(alarm(person))
    assert value != help_
    assert [i.pk for i in selectors.card(desk["first"], help_).others] == [value]


def test_a_drill_never_joins_a_case(desk):
    person = desk["person"]
    (real,) = take(alarm(person))
    (drill,) = take(alarm(person, drill=True))
    assert real != drill
    assert Incident.objects.get(pk=drill).number.startswith("YL")


def test_technical_and_informative_alarms_open_nothing(desk):
    assert take(alarm(desk["person"], "low_battery", 3), alarm(desk["person"], "test", 4)) == []


def test_a_place_without_a_person_and_a_device_that_nobody_has(desk):
    path = desk["tree"]["a_one"].path
    from sangyu.registry.facilities.models import Facility

    house = Facility.objects.create(
        name="康乐养老院", kind="institution", region=desk["tree"]["a_one"], path=path, opened_on="2020-01-01",
        urban_rural="urban", latitude=40.66, longitude=122.23,
    )  # fmt: skip
    (one,) = take(alarm(path=path, facility_id=house.pk, room="301", bed="2"))
    (two,) = take(alarm(path=path, facility_id=house.pk, room="302", bed="1"))
    assert one != two
    assert take(alarm(path=path, facility_id=house.pk, room="301", bed="2")) == [one]
    assert Incident.objects.get(pk=one).address == "康乐养老院 301 2"
    assert Step.objects.get(incident_id=one, code="1.duty").due_at == NOW


def test_by_hand(desk):
    actor, person = desk["first"], desk["person"]
    pk = services.raise_by_hand(actor=actor, source="call", person_id=person.pk, kind="fall", text="邻居来电", now=NOW)
    assert services.raise_by_hand(actor=actor, source="walk_in", person_id=person.pk, now=NOW) == pk
    nobody = [
        services.raise_by_hand(actor=actor, source="call", address="学府路 3 号门口", text="路人来电", now=NOW)
        for _n in range(2)
    ]
    assert len({pk, *nobody}) == 3  # nobody knows whether the two strangers are one
    with pytest.raises(Invalid):
        services.raise_by_hand(actor=actor, source="call", now=NOW)
    with pytest.raises(NotVisible):
        services.raise_by_hand(actor=desk["other"], source="call", person_id=person.pk, now=NOW)


def test_one_wins_and_the_other_hears_who(desk):
    (pk,) = take(alarm(desk["person"]))
    first, second = desk["first"], desk["second"]
    case = services.claim(actor=first, incident_id=pk, now=NOW + timedelta(seconds=8))
    assert (case.state, case.claimed_by_id, case.answered_by) == ("claimed", first.account_id, "王丽")
    services.claim(actor=first, incident_id=pk, now=NOW + timedelta(seconds=9))  # a second click
    assert Incident.objects.get().claimed_at == NOW + timedelta(seconds=8)
    with pytest.raises(Refused, match="王丽") as refusal:
        services.claim(actor=second, incident_id=pk, now=NOW + timedelta(seconds=9))
    assert refusal.value.code == "emergencies.taken"
    assert "09:00:08" in str(refusal.value)
    with pytest.raises(NotVisible):
        services.claim(actor=desk["other"], incident_id=pk, now=NOW)
    assert Event.objects.filter(name="emergencies.claimed").count() == 1


def test_given_back_it_waits_again_and_keeps_its_first_answer(desk):
    (pk,) = take(alarm(desk["person"]))
    services.claim(actor=desk["first"], incident_id=pk, now=NOW)
    with pytest.raises(Refused):
        services.verify(actor=desk["second"], incident_id=pk, now=NOW)
    services.verify(actor=desk["first"], incident_id=pk, now=NOW)
    services.release(actor=desk["first"], incident_id=pk, now=NOW)
    case = services.claim(actor=desk["second"], incident_id=pk, now=NOW + timedelta(seconds=50))
    assert (case.state, case.answered_by, case.answered_at) == ("claimed", "王丽", NOW)


def test_the_queue_shows_nobodys_first_then_the_gravest(desk):
    tree = desk["tree"]
    taken, urgent, grave = (make_person(tree["a_one"], name) for name in ("甲", "乙", "丙"))
    (a,) = take(alarm(taken))
    (b,) = take(alarm(urgent, "vital_limit", 2), now=NOW + timedelta(seconds=1))
    (c,) = take(alarm(grave), now=NOW + timedelta(seconds=2))
    services.claim(actor=desk["first"], incident_id=a, now=NOW)
    assert [r.id for r in selectors.queue(desk["second"])] == [c, b, a]
    assert selectors.queue(desk["other"]) == []
    row = selectors.queue(desk["first"])[2]
    assert row.mine
    assert row.claimed_name == "王丽"
    assert row.area


def test_the_database_is_the_last_line(desk):
    (pk,) = take(alarm(desk["person"]))
    case = Incident.objects.get(pk=pk)
    case.pk, case.number = None, "JJ-2"
    with pytest.raises(IntegrityError), transaction.atomic():
        case.save(force_insert=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        Incident.objects.filter(pk=pk).update(state="closed", closed_at=NOW)
    with scope(desk["other"]):
        assert not Incident.objects.exists()
        assert not Trail.objects.exists()
