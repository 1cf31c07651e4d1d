"""Messages become readings, last states and alarms, each once (R-089 … R-091, ADR 0024)."""

from datetime import timedelta

import pytest

from sangyu.care.signals import services
from sangyu.care.signals.models import Alarm, Last, Poison, Reading, Watching
from sangyu.kernel.scoping import scope
from support.signalling import JOB, NOW, due, entry, take, worn
from support.world import make_person, make_regions

pytestmark = pytest.mark.django_db
HOME = (40.661, 122.231, 10.0)


@pytest.fixture(scope="module")
def rows(shared_rows):
    regions = make_regions()
    person = make_person(regions["a_one"])
    return {"regions": regions, "person": person, "watch": worn(regions["a"], person)}


@pytest.fixture
def watch(rows):
    return rows["watch"].pk


def minutes(n: float):
    return NOW + timedelta(minutes=n)


def test_a_message_is_stored_once_however_often_it_comes(watch, rows):
    given = entry(watch, NOW, readings={"heart_rate": 72, "steps": 900, "battery": 80, "signal": 60}, place=HOME, pk=1)
    assert take([given, given]) == []
    assert take([given]) == []
    row = Reading.objects.get()
    assert (row.heart_rate, row.steps, row.battery, row.more) == (72, 900, 80, {"signal": 60})
    assert (row.at, row.device_id, row.person_id, row.path) == (NOW, watch, rows["person"].pk, rows["person"].path)
    assert (row.latitude, row.longitude, row.accuracy, row.late, row.alarms) == (*HOME, False, None)
    last = Last.objects.get()
    assert (last.seen_at, last.placed_at, last.latitude, last.battery) == (NOW + timedelta(seconds=1), NOW, HOME[0], 80)
    assert not Watching.objects.exists()  # nothing is going on: nothing is kept


def test_what_a_device_resends_with_a_broken_clock_is_known_on_the_next_day(watch):
    """Without a usable time the message lies under its arrival; the id is looked for on the days before."""
    late = {"device_time": None, "doubt": "unset", "readings": {"heart_rate": 70}, "pk": "1970"}
    take([entry(watch, NOW, received=NOW, **late)])
    take([entry(watch, NOW, received=NOW + timedelta(days=2), **late)])
    assert Reading.objects.count() == 1


def test_last_place_and_battery_go_by_the_devices_time(watch):
    take([entry(watch, minutes(5), readings={"battery": 70}, place=(40.7, 122.3))])
    take([entry(watch, minutes(1), readings={"battery": 75}, place=HOME, received=minutes(6), late=True)])
    last = Last.objects.get()
    assert (last.latitude, last.battery, last.seen_at) == (40.7, 70, minutes(6))


def test_readings_belong_to_who_wore_it_then(watch, rows):
    """The watch changes hands; what was measured before and arrives after is the first wearer's (R-089)."""
    from sangyu.registry.devices.models import Binding

    second = make_person(rows["regions"]["b_one"], "李秀英")
    Binding.objects.filter(device_id=watch).update(returned_at=minutes(0), end_reason="returned", returned_by="x")
    Binding.objects.create(device_id=watch, person=second, path=second.path, issued_at=minutes(0), issued_by="x")
    take(
        [
            entry(watch, minutes(-5), readings={"battery": 50}, received=minutes(9)),
            entry(watch, minutes(5), readings={"battery": 49}),
        ]
    )
    assert list(Reading.objects.order_by("at").values_list("person_id", "path")) == [
        (rows["person"].pk, rows["person"].path), (second.pk, second.path),
    ]  # fmt: skip
    assert Last.objects.get().person_id == second.pk


def test_without_consent_nothing_about_place_and_health_is_kept(rows):
    """R-027, R-090: the button works all the same, and a call for help is found where it is made."""
    shy = make_person(rows["regions"]["a_two"], "赵敏")
    device = worn(rows["regions"]["a"], shy, consents=()).pk
    assert take([entry(device, NOW, readings={"heart_rate": 20, "battery": 60}, place=HOME)]) == []
    row = Reading.objects.get()
    assert (row.heart_rate, row.latitude, row.battery) == (None, None, 60)
    assert Last.objects.get().latitude is None
    (raised,) = take([entry(device, minutes(1), alarms=[("sos", 1)], place=HOME)])
    assert (raised.kind, raised.latitude, raised.person_id) == ("sos", HOME[0], shy.pk)
    assert Last.objects.get().latitude is None


def test_ten_bad_values_are_one_alert(watch):
    """R-091: out of range twice in ten minutes raises one alert, not ten; it ends ten minutes after it was good again."""
    assert take([entry(watch, minutes(0), readings={"heart_rate": 150})]) == []
    (raised,) = take([entry(watch, minutes(1), readings={"heart_rate": 151})])
    assert (raised.rule, raised.kind, raised.level, raised.at, raised.repeat) == (
        "heart_rate",
        "vital_limit",
        2,
        minutes(1),
        False,
    )
    for n in range(2, 10):
        assert take([entry(watch, minutes(n), readings={"heart_rate": 150 + n})]) == []
    assert (Alarm.objects.get().count, Alarm.objects.get().state) == (10, "open")
    take([entry(watch, minutes(12), readings={"heart_rate": 80})])
    assert Alarm.objects.get().state == "open"
    assert due(minutes(22)) == []
    alarm = Alarm.objects.get()
    assert (alarm.state, alarm.ended_at) == ("cleared", minutes(22))
    assert not Watching.objects.exists()


def test_order_and_batches_do_not_matter(watch, rows):
    """The same messages in any order, split anyhow, some twice: the same alarms."""
    from random import Random

    rng = Random(5)
    messages = [(n, 150 if n in (3, 7, 8, 40, 44) else 75) for n in range(60)]
    outcomes = set()
    for turn in range(6):
        device = worn(rows["regions"]["a"], make_person(rows["regions"]["a_one"], f"甲{turn}")).pk
        given = [
            entry(device, minutes(n), readings={"heart_rate": v}, received=minutes(90), pk=(turn, n))
            for n, v in messages
        ]
        if turn:
            rng.shuffle(given)
        while given:
            some, given = given[: (n := rng.randint(1, 15))], given[n:]
            take(some + some[:2], now=minutes(91))
        due(minutes(120))
        outcomes.add(
            tuple(
                Alarm.objects.filter(device_id=device)
                .exclude(state="withdrawn")
                .order_by("raised_at")
                .values_list("rule", "raised_at", "state", "ended_at")
            )
        )
    assert len(outcomes) == 1
    assert [(rule, at) for rule, at, *_ in outcomes.pop()] == [("heart_rate", minutes(7)), ("heart_rate", minutes(44))]


def test_sos_latches_and_a_press_after_the_word_raises_anew(watch, rows):
    """SOS and fall stay until a person says so; what was pressed after that person looked is a new case (devices.md §6)."""
    take([entry(watch, minutes(-3), place=HOME)])
    (first,) = take([entry(watch, NOW, alarms=[("sos", 1), ("low_battery", 3)], pk="a")])[:1]
    assert (first.kind, first.level, first.latitude, first.placed_at) == ("sos", 1, HOME[0], minutes(-3))
    assert take([entry(watch, NOW, alarms=[("sos", 1), ("low_battery", 3)], pk="a")]) == []
    (again,) = take([entry(watch, minutes(1), alarms=[("sos", 1)], place=(40.7, 122.3))])
    assert (again.alarm_id, again.repeat, again.latitude) == (first.alarm_id, True, 40.7)
    with scope(JOB):
        assert services.acknowledge([first.alarm_id], actor=JOB, through=minutes(1), now=minutes(5)) == 1
    alarm = Alarm.objects.get(pk=first.alarm_id)
    assert (alarm.state, alarm.count, alarm.acknowledged_by, alarm.ended_at) == (
        "acknowledged",
        2,
        "signals",
        minutes(5),
    )
    (new,) = take(
        [entry(watch, minutes(4), alarms=[("sos", 1)], received=minutes(6))]
    )  # pressed after what was shown, heard after the word
    assert (new.repeat, new.alarm_id == first.alarm_id) == (False, False)
    assert {a.kind for a in Alarm.objects.filter(state="open")} == {"sos", "low_battery"}


def test_late_readings_are_history_late_frames_are_not(watch):
    """devices.md §0.6."""
    old = [entry(watch, minutes(n), readings={"spo2": 80}, received=minutes(300), late=True) for n in (0, 2)]
    assert take(old) == []
    assert (Alarm.objects.get().late, Alarm.objects.get().rule) == (True, "spo2")
    (raised,) = take([entry(watch, minutes(3), alarms=[("fall", 1)], received=minutes(301), late=True)])
    assert (raised.kind, raised.late) == ("fall", True)


def test_unknown_devices_are_set_aside(watch):
    assert take([entry(99_999_999, NOW, alarms=[("sos", 1)]), entry(watch, NOW, readings={"battery": 9})]) != []
    assert Poison.objects.get().reason == "no such device in the register"
    assert [a.rule for a in Alarm.objects.all()] == ["low_battery"]


def test_left_bed_at_night_is_told_by_the_clock(rows):
    """Thirty minutes out of bed after 22:00; back in bed it is over (R-092)."""
    bed = worn(rows["regions"]["a"], make_person(rows["regions"]["a_two"], "钱伯"), product="mattress-alink").pk
    night = NOW.replace(hour=23)

    def say(m, value):
        return entry(
            bed, night + timedelta(minutes=m), readings={"in_bed": value}, product="mattress-alink", kind="vitals"
        )

    take([say(0, 1)])
    assert take([say(10, 0), say(11, 0)]) == []
    assert due(night + timedelta(minutes=39)) == []
    (raised,) = due(night + timedelta(minutes=41))
    assert (raised.rule, raised.at, raised.level) == ("left_bed", night + timedelta(minutes=40), 2)
    take([say(50, 1)])
    assert Alarm.objects.get().state == "cleared"


def test_limits_of_the_product_and_of_a_region_replace_the_common_ones(rows, settings, tmp_path):
    """Rules per region as data; the product's battery limits."""
    from sangyu.care.signals import rulebooks

    shipped = rulebooks.rules_at("000")
    assert rulebooks.sheet("000", "watch-3g").rules["low_battery"].low == 20
    assert "heart_rate_in_bed" not in rulebooks.sheet("000", "watch-3g").rules
    assert "heart_rate" not in rulebooks.sheet("000", "mattress-alink").rules
    folder = tmp_path / "alarms"
    folder.mkdir()
    (folder / "default.yaml").write_text((settings.DATA / "alarms" / "default.yaml").read_text())
    (folder / "210802000000.yaml").write_text(
        "rules:\n  - {code: spo2, name: 血氧偏低, alarm: vital_limit, readings: [spo2], low: 90, margin: 1, times: 1, clear_after: 5m}\n"
    )
    settings.DATA = tmp_path
    for cached in (rulebooks._files, rulebooks.rules_at, rulebooks.sheet):
        cached.cache_clear()
    try:
        regions = rows["regions"]
        assert rulebooks.rules_at(regions["a_one"].path)["spo2"].low == 90
        assert rulebooks.rules_at(regions["b_one"].path)["spo2"].low == shipped["spo2"].low
    finally:
        for cached in (rulebooks._files, rulebooks.rules_at, rulebooks.sheet):
            cached.cache_clear()
