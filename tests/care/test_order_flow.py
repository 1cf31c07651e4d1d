"""The Need road in services: request → receive → offer → accept → visit → confirm (R-078 … R-085, R-052, R-075)."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest

from sangyu.care.orders import services
from sangyu.care.orders.codes import home_code
from sangyu.care.orders.enums import Channel, EvidenceKind, State
from sangyu.care.orders.models import Evidence, Offer, Order, OrderLog, ReturnVisit
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.models import Event
from sangyu.kernel.scoping import scope
from support.orders import accepted, done, received, share_with_family, untouched

pytestmark = pytest.mark.django_db


def test_request_is_priced_by_tier_and_numbered_by_day_and_county(world):
    order = received(world)
    assert order.number == "DD20261014-210802-0001"
    assert order.state == State.RECEIVED
    assert order.fee_tier == "low"
    assert (order.market_price, order.concession, order.voucher_amount, order.public_pay, order.self_pay) == (
        12000,
        3000,
        0,
        0,
        9000,
    )
    assert order.dispatch_by == world.now + timedelta(minutes=30)
    assert order.planned_end == world.start + timedelta(minutes=60)
    assert [entry.action for entry in OrderLog.objects.filter(order=order)] == ["request", "receive"]
    assert list(Event.objects.order_by("id").values_list("name", flat=True)) == ["orders.requested", "orders.received"]


def test_the_same_key_gives_the_same_order_and_another_input_is_refused(world):
    """R-012: a repeated hand-over makes no duplicate."""
    first = received(world, key="wx-1")
    again = received(world, key="wx-1")
    assert again.pk == first.pk
    with pytest.raises(Refused) as refusal:
        received(world, key="wx-1", start=world.start + timedelta(days=1))
    assert refusal.value.code == "orders.key_reused"
    assert Order.objects.count() == 1


def test_a_key_is_the_callers_own(world):
    """Two systems that number their requests alike do not meet (R-012)."""
    callers = [replace(world.desk, account_id=n) for n in (5, 6)]
    need = {
        "person_id": world.person.pk,
        "item_code": "bathing",
        "channel": Channel.HOTLINE,
        "requested_by": "x",
        "now": world.now,
        "key": "1",
    }
    starts = [world.start, world.start + timedelta(days=1)]
    pairs = zip(callers, starts, strict=True)
    made = [services.request_and_receive(actor=c, planned_start=s, **need) for c, s in pairs]
    assert made[0].pk != made[1].pk
    assert [
        services.request(actor=c, planned_start=o.planned_start, **need) for c, o in zip(callers, made, strict=True)
    ] == made
    assert Order.objects.count() == 2


def test_wrong_input_is_answered_by_field_and_stores_nothing(world):
    with pytest.raises(Invalid) as refusal:
        services.request(
            actor=world.desk,
            person_id=world.person.pk,
            item_code="nothing",
            planned_start=world.now - timedelta(days=1),
            channel=Channel.HOTLINE,
            requested_by="x",
            quantity=0,
            now=world.now,
        )
    assert set(refusal.value.errors) == {"item_code", "planned_start", "quantity"}
    assert Order.objects.count() == 0


def test_an_elder_of_another_county_does_not_exist(world, staff):
    with pytest.raises(NotVisible):
        services.request(
            actor=staff("b", role="dispatcher"),
            person_id=world.person.pk,
            item_code="bathing",
            planned_start=world.start,
            channel=Channel.HOTLINE,
            requested_by="x",
            now=world.now,
        )
    order = received(world)
    before = untouched(order)
    with pytest.raises(NotVisible):
        services.cancel(actor=staff("b"), order_id=order.pk, reason="x", now=world.now)
    assert untouched(order) == before


def test_ranking_names_the_reasons(world):
    order = received(world)
    ranked = services.proposals(actor=world.desk, order_id=order.pk)
    assert [(p.option.worker_id, p.blocked) for p in ranked] == [
        (world.lead.pk, False),
        (world.second.pk, False),
        (world.cleaner.pk, True),
    ]
    assert ranked[2].codes == {"certificate"}


def test_a_hard_block_is_never_lifted_and_a_soft_one_needs_a_reason_and_the_right(world):
    order = received(world, worker_sex="1")
    before = untouched(order)
    offer = {"order_id": order.pk, "organisation_id": world.organisation.pk, "now": world.now}
    with pytest.raises(Refused) as refusal:
        services.offer(actor=world.desk, worker_id=world.cleaner.pk, override_reason="急", **offer)
    assert refusal.value.code == "orders.blocked"
    with pytest.raises(Refused):
        services.offer(actor=world.desk, worker_id=world.lead.pk, **offer)
    weaker = Actor(Audience.STAFF, world.desk.path, "坐席", permissions=world.desk.permissions - {"orders.override"})
    with pytest.raises(Forbidden):
        services.offer(actor=weaker, worker_id=world.lead.pk, override_reason="家属同意", **offer)
    assert untouched(order) == before
    services.offer(actor=world.desk, worker_id=world.lead.pk, override_reason="家属同意女护理员", **offer)
    assert Offer.objects.get(order=order).override_reason == "家属同意女护理员"


def test_a_provider_sees_an_order_only_from_the_offer_on(world):
    order = received(world)
    with scope(world.manager):
        assert not Order.objects.filter(pk=order.pk).exists()
    services.offer(
        actor=world.desk,
        order_id=order.pk,
        organisation_id=world.organisation.pk,
        worker_id=world.lead.pk,
        now=world.now,
    )
    with scope(world.manager):
        assert Order.objects.filter(pk=order.pk).exists()
    with scope(world.worker):
        assert Order.objects.filter(pk=order.pk).exists()
    services.decline(actor=world.manager, order_id=order.pk, reason="当天人手不足", now=world.now)
    for actor in (world.manager, world.worker):
        with scope(actor):
            assert not Order.objects.filter(pk=order.pk).exists()
    assert Offer.objects.get(order=order).answer == "当天人手不足"
    assert Order.objects.get(pk=order.pk).state == State.RECEIVED


def test_bathing_needs_two_workers_or_a_risk_check(world):
    """R-075."""
    order = received(world)
    services.offer(
        actor=world.desk,
        order_id=order.pk,
        organisation_id=world.organisation.pk,
        worker_id=world.lead.pk,
        now=world.now,
    )
    before = untouched(order)
    with pytest.raises(Refused) as refusal:
        services.accept(actor=world.manager, order_id=order.pk, now=world.now)
    assert refusal.value.code == "orders.second_worker_needed"
    assert untouched(order) == before
    order = services.accept(actor=world.manager, order_id=order.pk, risk_check="血压 128/80，可单人", now=world.now)
    assert (order.state, order.second_worker_id) == (State.ACCEPTED, None)
    assert OrderLog.objects.get(order=order, action="accept").reason == "血压 128/80，可单人"


def test_one_worker_cannot_be_in_two_homes(world):
    first = accepted(world)
    other = received(world, start=world.start + timedelta(minutes=30))
    before = untouched(other)
    with pytest.raises(Refused) as refusal:
        services.offer(
            actor=world.desk,
            order_id=other.pk,
            organisation_id=world.organisation.pk,
            worker_id=world.lead.pk,
            now=world.now,
        )
    assert refusal.value.code == "orders.blocked"
    assert untouched(other) == before
    assert Order.objects.get(pk=first.pk).state == State.ACCEPTED


def test_the_database_refuses_a_double_booking_that_slipped_past_the_ranking(world):
    first = received(world)
    second = received(world, start=world.start + timedelta(minutes=30))
    for order in (first, second):
        services.offer(
            actor=world.desk,
            order_id=order.pk,
            organisation_id=world.organisation.pk,
            worker_id=world.lead.pk,
            second_worker_id=world.second.pk,
            now=world.now,
        )
    services.accept(actor=world.manager, order_id=first.pk, now=world.now)
    with pytest.raises(Refused) as refusal:
        services.accept(actor=world.manager, order_id=second.pk, now=world.now)
    assert refusal.value.code == "orders.taken"
    assert Order.objects.get(pk=second.pk).state == State.OFFERED


def test_an_answer_after_the_time_is_refused(world):
    order = received(world)
    services.offer(
        actor=world.desk,
        order_id=order.pk,
        organisation_id=world.organisation.pk,
        worker_id=world.lead.pk,
        now=world.now,
    )
    with pytest.raises(Refused) as refusal:
        services.accept(actor=world.manager, order_id=order.pk, risk_check="ok", now=world.now + timedelta(minutes=16))
    assert refusal.value.code == "orders.offer_lapsed"


def test_the_whole_road_to_confirmation(world):
    order = done(world)
    assert (order.state, order.minutes, order.flagged) == (State.DONE, 62, "")
    share_with_family(world)
    order = services.confirm(
        actor=world.family, order_id=order.pk, rating=5, comment="很好", now=world.start + timedelta(hours=3)
    )
    assert (order.state, order.rating, order.confirmed_by) == (State.CONFIRMED, 5, "李建华")
    trail = list(OrderLog.objects.filter(order=order).order_by("id").values_list("action", "source", "target"))
    assert trail == [
        ("request", "", "requested"),
        ("receive", "requested", "received"),
        ("offer", "received", "offered"),
        ("accept", "offered", "accepted"),
        ("depart", "accepted", "on_the_way"),
        ("arrive", "on_the_way", "arrived"),
        ("finish", "arrived", "done"),
        ("confirm", "done", "confirmed"),
    ]
    proofs = list(Evidence.objects.filter(order=order).values_list("kind", flat=True))
    assert proofs == [EvidenceKind.DEPARTED, EvidenceKind.PLACE, EvidenceKind.ITEM, EvidenceKind.ITEM]


@pytest.mark.parametrize("rating", [1, 2])
def test_a_low_rating_forces_a_call_back(world, rating):
    """R-084."""
    order = done(world)
    share_with_family(world)
    services.confirm(actor=world.family, order_id=order.pk, rating=rating, now=world.start + timedelta(hours=1))
    call = ReturnVisit.objects.get(order=order, reason="low_rating")
    assert call.state == "due"
    assert call.due_by.astimezone().date() >= date(2026, 10, 20)
    call = services.record_return_visit(
        actor=world.desk,
        return_visit_id=call.pk,
        reached=True,
        satisfied=4,
        result="已道歉并换人",
        now=world.start + timedelta(days=2),
    )
    assert (call.state, call.satisfied) == ("done", 4)
    with pytest.raises(Refused):
        services.record_return_visit(actor=world.desk, return_visit_id=call.pk, reached=False, result="x")


def test_arrival_far_away_asks_for_a_reason_and_is_flagged(world):
    order = accepted(world)
    before = untouched(order)
    with pytest.raises(Invalid) as refusal:
        services.arrive(
            actor=world.worker, order_id=order.pk, latitude=40.70, longitude=122.231, accuracy=10, now=world.start
        )
    assert list(refusal.value.errors) == ["reason"]
    assert untouched(order) == before
    order = services.arrive(
        actor=world.worker,
        order_id=order.pk,
        latitude=40.70,
        longitude=122.231,
        accuracy=10,
        reason="老人在女儿家",
        now=world.start,
    )
    assert order.state == State.ARRIVED
    assert "老人在女儿家" in order.flagged
    assert ReturnVisit.objects.get(order=order).reason == "no_proof"
    proof = Evidence.objects.get(order=order)
    assert (proof.kind, round(proof.distance)) == (EvidenceKind.NO_PROOF, 4337)


def test_the_code_of_the_home_proves_arrival_and_a_foreign_one_does_not(world):
    order = accepted(world)
    for wrong in (home_code(world.person.pk + 1), "17:forged"):
        with pytest.raises(Refused) as refusal:
            services.arrive(actor=world.worker, order_id=order.pk, code=wrong, now=world.start)
        assert refusal.value.code == "orders.wrong_home"
    order = services.arrive(actor=world.worker, order_id=order.pk, code=home_code(world.person.pk), now=world.start)
    assert (order.state, order.flagged) == (State.ARRIVED, "")


def test_a_repeated_step_of_an_offline_phone_changes_nothing(world):
    """X-05."""
    order = accepted(world)
    step = uuid4()
    services.depart(actor=world.worker, order_id=order.pk, client_id=step, now=world.start)
    before = untouched(order)
    again = services.depart(actor=world.worker, order_id=order.pk, client_id=step, now=world.start + timedelta(hours=1))
    assert again.state == State.ON_THE_WAY
    assert untouched(order) == before


def test_another_worker_cannot_see_or_do_the_visit(world):
    order = accepted(world)
    stranger = Actor(
        Audience.WORKER, world.region.path, "何永强", subject_id=world.cleaner.pk, permissions=world.worker.permissions
    )
    with pytest.raises(NotVisible):
        services.depart(actor=stranger, order_id=order.pk, now=world.start)


def test_provider_and_worker_never_confirm_their_own_visit(world):
    order = done(world)
    before = untouched(order)
    for actor in (world.manager, world.worker):
        with pytest.raises(Forbidden):
            services.confirm(actor=actor, order_id=order.pk, rating=5)
        with pytest.raises(Forbidden):
            services.dispute(actor=actor, order_id=order.pk, reason="x")
    assert untouched(order) == before


def test_staff_confirm_only_for_somebody_they_name(world):
    order = done(world)
    with pytest.raises(Invalid):
        services.confirm(actor=world.desk, order_id=order.pk, rating=4)
    order = services.confirm(
        actor=world.desk, order_id=order.pk, rating=4, on_behalf_of="老人本人来电", now=world.start
    )
    assert order.confirmed_by == "老人本人来电"
