"""Devices that say nothing (devices.md §6, issue 5 §6.6): missed once, told once, never because we were away."""

from datetime import timedelta

import pytest

from sangyu.care.signals import tasks
from sangyu.care.signals.models import Alarm, Intake, Last, Watching
from sangyu.registry.devices.models import Device
from support.signalling import NOW, due, entry, take, worn
from support.world import make_person, make_regions

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def rows(shared_rows):
    regions = make_regions()
    people = [make_person(regions["a_one"], f"老人{n}", **({"living": "alone"} if n == 0 else {})) for n in range(14)]
    return {"regions": regions, "devices": [worn(regions["a"], p).pk for p in people]}


@pytest.fixture
def listening(db):
    """The intake has listened for hours."""
    return lambda at: Intake.objects.update_or_create(
        code="listening", defaults={"since": at - timedelta(hours=5), "alive_at": at, "looked_at": None}
    )


def minutes(n):
    return NOW + timedelta(minutes=n)


def test_three_missed_reports_are_one_alarm_that_ends_with_the_next(rows, listening):
    """R-089: the watch reports every ten minutes."""
    one = rows["devices"][1]
    take([entry(one, NOW, readings={"battery": 77})])
    listening(minutes(29))
    assert due(minutes(29)) == []
    tasks.tell_register(0)
    assert (Device.objects.get(pk=one).battery, Device.objects.get(pk=one).last_seen_at) == (
        77,
        NOW + timedelta(seconds=1),
    )
    listening(minutes(31))
    (told,) = due(minutes(31))
    assert (told.rule, told.kind, told.level, told.device_id, told.at) == (
        "silent",
        "device_silent",
        3,
        one,
        minutes(30) + timedelta(seconds=1),
    )
    listening(minutes(33))
    assert due(minutes(33)) == []
    take([entry(one, minutes(34), readings={"battery": 76})])
    assert (Alarm.objects.get().state, Last.objects.get().silent) == ("cleared", False)
    assert not Watching.objects.exists()


def test_who_lives_alone_is_missed_more_at_night(rows, listening):
    night = NOW.replace(hour=23)
    take([entry(rows["devices"][0], night)])
    take([entry(rows["devices"][1], night)])
    listening(night + timedelta(minutes=40))
    assert {t.device_id: t.level for t in due(night + timedelta(minutes=40))} == {
        rows["devices"][0]: 2,
        rows["devices"][1]: 3,
    }


def test_after_a_restart_nobody_is_missed_at_once(rows):
    """§6.6: what was not heard while nobody listened is not silence; three intervals from then on it is."""
    take([entry(d, NOW) for d in rows["devices"]])
    later = minutes(600)
    assert due(later) == []  # the first turn ever
    assert due(later + timedelta(seconds=30)) == []
    Intake.objects.update(alive_at=later - timedelta(minutes=5))  # it was down for five minutes
    assert due(later + timedelta(minutes=1)) == []
    assert Intake.objects.get().since == later + timedelta(minutes=1)
    Intake.objects.update(alive_at=later + timedelta(minutes=32), looked_at=None)
    assert len(due(later + timedelta(minutes=32))) == len(rows["devices"])


def test_a_network_that_falls_silent_is_one_case(rows, listening):
    """Storm guard: at least ten and three tenths of it within five minutes; it ends when its last device is back."""
    take([entry(d, minutes(n / 10), network="移动基站 7") for n, d in enumerate(rows["devices"])])
    listening(minutes(40))
    (storm,) = due(minutes(40))
    assert (storm.device_id, storm.level, storm.text) == (None, 3, "移动基站 7")
    row = Alarm.objects.get()
    assert (row.count, row.devices) == (14, rows["devices"])
    take([entry(d, minutes(41), network="移动基站 7") for d in rows["devices"][:13]])
    assert Alarm.objects.get().state == "open"
    take([entry(rows["devices"][13], minutes(42), network="移动基站 7")])
    assert Alarm.objects.get().state == "cleared"
