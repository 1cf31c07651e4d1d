"""The rules of data/alarms one by one: raise, hold, clear with margin and dwell, clocks of night and silence, storms (R-091, R-090; devices.md §5, §6)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings

from sangyu.engines.alarms import (
    Alert,
    Circle,
    Silence,
    Watch,
    acknowledged,
    alarm,
    place,
    read,
    reading,
    seen,
    storms,
)
from sangyu.engines.yamlfile import FileErrors

RULES = read((settings.DATA / "alarms" / "default.yaml").read_text(encoding="utf-8"), file="default.yaml")
START = datetime(2025, 5, 12, 8, 0, tzinfo=UTC)  # 16:00 in Shanghai
NIGHT = datetime(2025, 5, 12, 15, 0, tzinfo=UTC)  # 23:00 in Shanghai


def at(minutes: float, base: datetime = START) -> datetime:
    return base + timedelta(minutes=minutes)


def rates(*pairs: tuple[float, float], name: str = "heart_rate", base: datetime = START):
    return [reading(at(minute, base), name, value) for minute, value in pairs]


def spans(watch: Watch, base: datetime = START) -> list[tuple[float, float | None, int]]:
    """(raised, cleared, count) in minutes."""

    def minutes(moment):
        return None if moment is None else (moment - base).total_seconds() / 60

    return [(minutes(a.raised_at), minutes(a.cleared_at), a.count) for a in watch.alerts]


def test_out_of_range_twice_in_ten_minutes_raises_one_alert_not_ten():
    watch = Watch(RULES["heart_rate"])
    changes = [watch.apply(rates((n, 140)), at(n)) for n in range(10)]
    assert [len(c.raised) for c in changes] == [0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    assert spans(watch) == [(1, None, 10)]


@pytest.mark.parametrize(
    ("pairs", "wanted"),
    [
        ([(0, 140)], []),
        ([(0, 140), (11, 140)], []),
        ([(0, 140), (10, 40)], [(10, None, 2)]),  # above and below are both out
        ([(0, 140), (5, 80), (9, 140)], [(9, None, 2)]),
        ([(0, 130), (1, 45)], []),  # the limits themselves are in
        ([(0, 140), (1, 140), (2, 127), (30, 128)], [(1, None, 2)]),  # inside the margin: neither
        ([(0, 140), (1, 140), (2, 125), (5, 140), (6, 120)], [(1, 16, 3)]),  # ten minutes good, by the clock
        ([(0, 140), (1, 140), (2, 125), (13, 140)], [(1, 12, 2)]),  # over; one bad one after it is not two
    ],
)
def test_heart_rate(pairs, wanted):
    watch = Watch(RULES["heart_rate"])
    watch.apply(rates(*pairs), at(60))
    assert spans(watch) == wanted


def test_heart_rate_of_a_mattress_counts_only_in_bed_with_a_good_signal():
    watch = Watch(RULES["heart_rate_in_bed"])
    bad = rates((0, 150), (1, 150), (2, 150))
    watch.apply(bad, at(3))
    assert spans(watch) == []  # nobody knows whether somebody lies there
    context = [reading(at(-1), "in_bed", 1), reading(at(-1), "signal_quality", 64)]
    assert [len(getattr(watch.apply(context, at(3)), k)) for k in ("raised", "withdrawn")] == [1, 0]
    assert spans(watch) == [(1, None, 3)]
    changes = watch.apply([reading(at(0.5), "signal_quality", 20)], at(3))  # late, and it was a bad signal
    assert (len(changes.withdrawn), spans(watch)) == (1, [])


def test_low_battery_clears_only_above_the_margin():
    watch = Watch(RULES["low_battery"])
    watch.apply(rates((0, 21), (1, 19), (2, 22), (3, 18), (4, 30), (5, 25), name="battery"), at(6))
    assert spans(watch) == [(1, 4, 2)]


# ---------------------------------------------------------------- latched
def test_sos_latches_until_a_person_says_so():
    watch = Watch(RULES["sos"])
    watch.apply([alarm(at(0), "sos"), alarm(at(5), "sos")], at(6000))
    assert (spans(watch), watch.due) == ([(0, None, 2)], None)
    changes = watch.apply([acknowledged(at(5), at(7))], at(6001))
    assert (len(changes.cleared), spans(watch)) == (1, [(0, 7, 2)])
    assert not watch.apply([alarm(at(5), "sos")], at(6002))  # sent again
    assert len(watch.apply([alarm(at(6), "sos")], at(6003)).raised) == 1  # pressed before the word, seen by nobody


def test_a_late_press_that_the_person_was_shown_folds_in():
    watch = Watch(RULES["fall"])
    watch.apply([alarm(at(5), "fall"), acknowledged(at(5), at(7))], at(8))
    changes = watch.apply([alarm(at(2), "fall")], at(9))
    assert (len(changes.raised), len(changes.changed), spans(watch)) == (0, 1, [(2, 7, 2)])


def test_an_alarm_frame_without_latch_is_held():
    watch = Watch(RULES["apnea"])
    watch.apply([alarm(at(0), "apnea"), alarm(at(20), "apnea"), alarm(at(60), "apnea")], at(70))
    assert (spans(watch), watch.due) == ([(0, 50, 2), (60, None, 1)], at(90))


# ---------------------------------------------------------------- clocks
@pytest.mark.parametrize(
    ("events", "now", "wanted"),
    [
        ([(0, 1), (10, 0)], 39, []),
        ([(0, 1), (10, 0)], 40, [(40, None, 1)]),
        ([(0, 1), (10, 0), (39, 1)], 400, []),
        ([(0, 1), (10, 0), (50, 1)], 400, [(40, 50, 1)]),
        ([(0, 1), (10, 0), (20, 0), (30, 0)], 40, [(40, None, 1)]),
        ([(0, 1), (400, 0)], 1000, []),  # 05:40: half an hour later it is day
        ([(-70, 0)], 300, []),  # not in bed at 22:00 yet
    ],
)
def test_left_bed_at_night(events, now, wanted):
    watch = Watch(RULES["left_bed"])
    watch.apply(rates(*events, name="in_bed", base=NIGHT), at(now, NIGHT))
    assert spans(watch, NIGHT) == wanted


def test_left_bed_says_when_to_look_again():
    watch = Watch(RULES["left_bed"])
    watch.apply(rates((0, 1), (10, 0), name="in_bed", base=NIGHT), at(10, NIGHT))
    assert watch.due == at(40, NIGHT)
    assert [a.raised_at for a in watch.apply([], at(45, NIGHT)).raised] == [at(40, NIGHT)]


def test_no_movement_in_bed_ends_by_moving_or_getting_up():
    still = rates(*((n, 0) for n in range(0, 130, 10)), name="body_movement")
    for end in (reading(at(125), "in_bed", 0), reading(at(125), "body_movement", 3)):
        watch = Watch(RULES["no_movement"])
        watch.apply([reading(at(-5), "in_bed", 1), *still, end], at(300))
        assert spans(watch) == [(120, 125, 2)]
    watch = Watch(RULES["no_movement"])
    watch.apply([reading(at(-5), "in_bed", 1), *still[:5], reading(at(45), "in_bed", 0)], at(300))
    assert spans(watch) == []


def test_a_silent_device():
    watch = Watch(RULES["silent"])
    watch.apply([seen(at(0)), seen(at(10))], at(10))
    assert watch.due == at(40)
    watch.apply([], at(41))
    watch.apply([seen(at(60)), seen(at(80))], at(120))
    assert spans(watch) == [(40, 60, 1), (110, None, 1)]


# ---------------------------------------------------------------- places
def test_geofence_with_margin_accuracy_and_dwell():
    fence = Circle(31.230416, 121.473701, 300)
    rule = replace(RULES["geofence"], fence=fence)
    north = 1 / 111_195  # degrees of a metre

    def near(minute, metres, accuracy=0):
        return place(at(minute), 31.230416 + metres * north, 121.473701, accuracy)

    watch = Watch(rule)
    watch.apply([near(0, 340), near(1, 340), near(2, 500, 400), near(3, 500, 400)], at(4))
    assert spans(watch) == []  # inside the margin; not exact enough
    watch.apply([near(5, 360), near(6, 400), near(7, 310), near(8, 200), near(9, 100)], at(20))
    assert spans(watch) == [(6, 10, 2)]
    assert fence.beyond(31.230416, 121.473701) == pytest.approx(-300)
    assert Circle(31.230416, 121.473701, 300, inside=False).beyond(31.230416, 121.473701) == pytest.approx(300)


def test_many_silent_devices_of_one_gateway_are_one_case():
    burst = [Silence(at(n / 10), f"d{n}", "gw1") for n in range(12)]
    single = [
        Silence(at(0), "x", "gw2"),
        Silence(at(90), "d0", "gw1"),
        *(Silence(at(0), f"y{n}", "") for n in range(20)),
    ]
    found, alone = storms([*reversed(burst), *single, *burst], {"gw1": 30, "gw2": 5})
    assert [(s.group, s.at, len(s.devices)) for s in found] == [("gw1", at(0), 12)]
    assert alone == sorted(single)
    assert storms(burst, {"gw1": 100})[0] == []  # twelve of a hundred are no storm


# ---------------------------------------------------------------- memory, files
def test_memory_is_bounded_and_what_is_settled_stays():
    watch = Watch(RULES["heart_rate"], horizon=timedelta(hours=1))
    watch.apply(rates((0, 140), (1, 140)), at(2))
    for n in range(2, 3000):
        watch.apply(rates((n, 140)), at(n))
    assert watch.kept < 80
    assert spans(watch) == [(1, None, 3000)]
    assert not watch.apply(rates((5, 80)), at(3000))  # older than what is kept: history only
    assert watch.alerts == (Alert(at(1), at(2999), 3000),)


WRONG = """\
rules:
  - {code: a, name: x, alarm: sos, level: 3, alarms: [sos], latch: true}
  - {code: b, name: x, alarm: flight, readings: [heart_rate]}
  - {code: c, name: x, alarm: apnea, alarms: [apnea, snoring]}
  - {code: d, name: x, alarm: left_bed, readings: [in_bed], silent: true, low: 1, lasting: long, hours: noon}
  - {code: e, name: x, alarm: vital_limit, readings: [spo2], low: 90, high: 91, margin: 2, times: 0, context: [x]}
  - {code: f, name: x, alarm: device_silent, silent: true}
"""


def test_mistakes_are_told_with_line_and_remedy():
    with pytest.raises(FileErrors) as found:
        read(WRONG, file="x.yaml")
    assert sorted({p.line for p in found.value.problems}) == [2, 3, 4, 5, 6, 7]
    assert all(p.remedy and p.file == "x.yaml" for p in found.value.problems)
