"""Order, repetition and batches of the same events never matter: the same alerts by device time (issue 5 §3; design rule 7)."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.conf import settings as django_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from sangyu.engines.alarms import Circle, Watch, acknowledged, alarm, place, read, reading, restored, saved, seen

EXAMPLES = int(os.environ.get("SANGYU_FUZZ_EXAMPLES", "150"))
RULES = read((django_settings.DATA / "alarms" / "default.yaml").read_text(encoding="utf-8"), file="default.yaml")
RULES["geofence"] = replace(RULES["geofence"], fence=Circle(31.2, 121.4, 300))
BASE = datetime(2025, 5, 12, 13, 0, tzinfo=UTC)
NOW = BASE + timedelta(hours=9)
minutes = st.integers(0, 480).map(lambda n: BASE + timedelta(minutes=n))
events = st.one_of(
    st.builds(reading, minutes, st.just("heart_rate"), st.sampled_from([30, 43, 48, 80, 127, 150])),
    st.builds(reading, minutes, st.just("in_bed"), st.sampled_from([0, 1])),
    st.builds(reading, minutes, st.just("body_movement"), st.sampled_from([0, 0, 2])),
    st.builds(reading, minutes, st.just("signal_quality"), st.sampled_from([10, 60])),
    st.builds(reading, minutes, st.just("battery"), st.sampled_from([10, 25, 40])),
    st.builds(alarm, minutes, st.sampled_from(["sos", "fall", "apnea", "low_battery"])),
    st.builds(place, minutes, st.sampled_from([31.2, 31.2029, 31.21]), st.just(121.4), st.sampled_from([0, 40, 2000])),
    st.builds(seen, minutes),
    st.builds(acknowledged, minutes, st.just(NOW)),
)  # fmt: skip


@settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=EXAMPLES <= 150)
@given(data=st.data())
def test_any_order_repetition_and_batches_give_the_same_alerts(data):
    rule = RULES[data.draw(st.sampled_from(sorted(RULES)))]
    given_events = data.draw(st.lists(events, min_size=1, max_size=30))
    straight = Watch(rule)
    straight.apply(sorted(given_events, key=lambda e: e.key), NOW)

    shuffled = data.draw(st.permutations(given_events + data.draw(st.lists(st.sampled_from(given_events), max_size=8))))
    other = Watch(rule)
    while shuffled:
        size = data.draw(st.integers(1, len(shuffled)))
        batch, shuffled = shuffled[:size], shuffled[size:]
        clock = data.draw(st.sampled_from([max(e.at for e in batch), BASE, NOW])) if shuffled else NOW
        changes = other.apply(batch, clock)
        if rule.latch:
            assert changes.withdrawn == ()
    other.apply([], NOW)
    assert other.alerts == straight.alerts
    assert other.due == straight.due


@settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=EXAMPLES <= 150)
@given(data=st.data())
def test_every_change_is_told(data):
    """Raised minus withdrawn is what there is; nothing appears or goes without being said."""
    rule = RULES[data.draw(st.sampled_from(sorted(RULES)))]
    stream = data.draw(st.lists(events, min_size=1, max_size=25))
    watch, count = Watch(rule), 0
    for event in stream:
        changes = watch.apply([event], NOW)
        count += len(changes.raised) - len(changes.withdrawn)
        assert count == len(watch.alerts)


@settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=EXAMPLES <= 150)
@given(st.lists(st.builds(alarm, minutes, st.sampled_from(["sos", "fall"])), min_size=1, max_size=12), st.data())
def test_no_press_after_the_person_s_word_is_lost(presses, data):
    """With acknowledgements at any place: the last press later than every ``through`` is on."""
    words = data.draw(st.lists(st.builds(acknowledged, minutes, st.just(NOW)), max_size=3))
    watch = Watch(RULES["sos"])
    for event in data.draw(st.permutations([*presses, *words])):
        watch.apply([event], NOW)
    through = max((w.at for w in words), default=BASE - timedelta(1))
    open_presses = [p for p in presses if p.name == "sos" and p.at > through]
    assert bool(watch.alerts and watch.alerts[-1].cleared_at is None) == bool(open_presses)


@settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=EXAMPLES <= 150)
@given(data=st.data())
def test_another_consumer_goes_on_where_one_stopped(data):
    """Saved as JSON and restored after every batch, on a short memory too."""
    rule = RULES[data.draw(st.sampled_from(sorted(RULES)))]
    stream = data.draw(st.lists(events, min_size=1, max_size=25))
    horizon = data.draw(st.sampled_from([timedelta(hours=24), timedelta(hours=1)]))
    one, other = Watch(rule, horizon), Watch(rule, horizon)
    for event in stream:
        said = one.apply([event], event.at)
        other = restored(rule, json.loads(json.dumps(saved(other))))
        assert other.apply([event], event.at) == said
        assert (other.alerts, other.due) == (one.alerts, one.due)
