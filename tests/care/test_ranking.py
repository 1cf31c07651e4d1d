"""Ranked proposal with reasons (R-081)."""

from datetime import UTC, datetime, timedelta

from sangyu.care.dispatch.ranking import Booking, Need, Option, Weights, rank
from sangyu.care.dispatch.services import weights

START = datetime(2026, 10, 17, 7, 0, tzinfo=UTC)  # 15:00 in Shanghai
NEED = Need(1, "bathing", START, START + timedelta(hours=1), 40.66, 122.23)


def option(worker_id, *, sex="2", price=12000, latitude=40.66, longitude=122.23, rating=4.8, blocks=()):
    return Option(
        worker_id, f"w{worker_id}", sex, 9, "康乐", 5, price, "助浴证", latitude, longitude, rating, tuple(blocks)
    )


def test_continuity_and_distance_lift_a_worker_and_blocked_ones_come_last():
    far = option(1, latitude=40.70)
    known = option(2, latitude=40.665)
    blocked = option(3, blocks=[("certificate", "无助浴证")])
    ranked = rank(NEED, [blocked, far, known], visits_before={2: 22})
    assert [p.option.worker_id for p in ranked] == [2, 1, 3]
    assert ranked[0].distance == 556
    assert (ranked[0].score, ranked[1].score, ranked[2].score) == (88, 51, 0)
    assert ranked[2].blocked
    assert ranked[2].codes == {"certificate"}
    assert ranked[2].reasons[0].text == "无助浴证"


def test_a_clash_and_the_wrong_sex_block():
    taken = Booking(1, START + timedelta(minutes=30), START + timedelta(minutes=90), "送药")
    ends_before = Booking(2, START - timedelta(hours=1), START, "助洁")
    need = Need(1, "bathing", START, START + timedelta(hours=1), None, None, worker_sex="2")
    ranked = rank(need, [option(1), option(2), option(4, sex="1")], bookings=[taken, ends_before])
    assert {p.option.worker_id: p.codes for p in ranked} == {1: {"taken"}, 2: set(), 4: {"sex"}}
    assert ranked[0].minutes_that_day == 60


def test_distance_is_measured_from_the_visit_before():
    before = Booking(1, START - timedelta(hours=2), START - timedelta(hours=1), "助洁", 40.66, 122.23)
    (proposal,) = rank(NEED, [option(1, latitude=41.0)], bookings=[before])
    assert proposal.distance == 0


def test_an_equal_score_is_ordered_the_same_way_every_time():
    options = [option(n) for n in (5, 3, 4)]
    assert [p.option.worker_id for p in rank(NEED, options)] == [3, 4, 5]


def test_no_place_is_neither_praised_nor_blamed():
    (proposal,) = rank(NEED, [option(1, latitude=None, longitude=None)])
    assert proposal.distance is None
    assert proposal.score == 15 + 0 + 15 + 0 + round(10 * 3.8 / 4 + 10) - 0


def test_the_shipped_weights_add_up():
    assert weights() == Weights()
