"""How orders end otherwise than planned: cancelled, nobody home, substituted, disputed, on paper, by the clock (R-078 … R-085)."""

from datetime import date, time, timedelta

import pytest

from sangyu.care.orders import services
from sangyu.care.orders.codes import home_code
from sangyu.care.orders.enums import State
from sangyu.care.orders.models import Order, ReturnVisit
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Refused
from sangyu.kernel.scoping import scope
from support.orders import accepted, done, received, untouched
from support.world import make_organisation, make_worker

pytestmark = pytest.mark.django_db


def test_cancel_in_time_is_free_and_late_costs_the_fee(world):
    order = accepted(world)
    early = services.cancel(actor=world.desk, order_id=order.pk, reason="住院", now=world.start - timedelta(hours=5))
    assert (early.state, early.fee, early.market_price) == (State.CANCELLED, 0, 0)
    late = accepted(world)
    late = services.cancel(actor=world.desk, order_id=late.pk, reason="忘了", now=world.start - timedelta(hours=1))
    assert (late.fee, late.market_price, late.self_pay) == (1800, 1800, 1800)
    with pytest.raises(Refused) as refusal:
        services.cancel(actor=world.desk, order_id=late.pk, reason="again")
    assert refusal.value.code == "workflow.edge"


def test_nobody_at_home(world):
    order = accepted(world)
    services.depart(actor=world.worker, order_id=order.pk, now=world.start - timedelta(minutes=10))
    with pytest.raises(Refused) as refusal:
        services.report_no_show(
            actor=world.worker, order_id=order.pk, reason="敲门无人", now=world.start - timedelta(minutes=1)
        )
    assert refusal.value.code == "orders.too_early"
    order = services.report_no_show(
        actor=world.worker, order_id=order.pk, reason="敲门无人", now=world.start + timedelta(minutes=15)
    )
    assert (order.state, order.fee) == (State.NO_SHOW, 2700)


def test_a_substitute_goes_and_the_first_worker_loses_sight(world):
    order = accepted(world)
    third = make_worker(world.organisation, world.region, "宋玉芬")
    order = services.substitute(
        actor=world.manager,
        order_id=order.pk,
        worker_id=third.pk,
        second_worker_id=world.second.pk,
        reason="孙丽华请假",
        now=world.now,
    )
    assert (order.worker_id, order.state) == (third.pk, State.ACCEPTED)
    with scope(world.worker):
        assert not Order.objects.filter(pk=order.pk).exists()
    foreign, _contract = make_organisation(world.region, "普济", {"bathing": 10000})
    outsider = make_worker(foreign, world.region, "外人")
    with pytest.raises(Refused) as refusal:
        services.substitute(actor=world.manager, order_id=order.pk, worker_id=outsider.pk, reason="x", now=world.now)
    assert refusal.value.code == "orders.foreign_worker"


def test_another_providers_contract_reprices_at_the_offer(world):
    order = received(world)
    dear, _contract = make_organisation(world.region, "尊享", {"bathing": 20000})
    worker = make_worker(dear, world.region, "高护")
    order = services.offer(
        actor=world.desk, order_id=order.pk, organisation_id=dear.pk, worker_id=worker.pk, now=world.now
    )
    assert (order.market_price, order.concession, order.self_pay) == (20000, 5000, 15000)


def test_dispute_and_resolution(world):
    order = done(world)
    order = services.dispute(actor=world.desk, order_id=order.pk, reason="没洗头", now=world.start)
    with pytest.raises(Refused):
        services.cancel(actor=world.desk, order_id=order.pk, reason="x")
    order = services.resolve(actor=world.desk, order_id=order.pk, upheld=False, reason="照片可见", now=world.start)
    assert (order.state, order.confirmed_by) == (State.CONFIRMED, world.desk.name)
    order = services.dispute(actor=world.desk, order_id=order.pk, reason="仍不满意", now=world.start)
    order = services.resolve(actor=world.desk, order_id=order.pk, upheld=True, reason="家属有录像", now=world.start)
    assert order.state == State.CANCELLED


def test_paper_visit(world):
    """R-087: the station enters what happened; same rules apply."""
    order = accepted(world)
    order = services.record_paper_visit(
        actor=world.desk,
        order_id=order.pk,
        arrived_at=world.start,
        finished_at=world.start + timedelta(hours=1),
        paper_number="Z-17",
        items=["洗浴"],
        now=world.start + timedelta(days=1),
    )
    assert (order.state, order.minutes) == (State.DONE, 60)
    assert "Z-17" in order.flagged
    assert ReturnVisit.objects.filter(order=order, reason="no_proof").count() == 1


def test_recurring_visits_need_a_signed_agreement_and_are_made_once(world):
    """R-083."""
    draft = services.draft_agreement(
        actor=world.desk,
        person_id=world.person.pk,
        organisation_id=world.organisation.pk,
        items=["bathing"],
        valid_from=date(2026, 10, 1),
        valid_to=date(2027, 2, 28),
        risk_notice="起身要慢",
        today=date(2026, 10, 14),
    )
    plan = {
        "actor": world.desk,
        "agreement_id": draft.pk,
        "item_code": "bathing",
        "weekdays": [0, 3],
        "at": time(15),
        "first": date(2026, 10, 15),
        "last": date(2026, 10, 31),
        "now": world.now,
    }
    with pytest.raises(Refused) as refusal:
        services.plan_recurring(**plan)
    assert refusal.value.code == "orders.no_agreement"
    services.sign_agreement(actor=world.desk, agreement_id=draft.pk, signed_by="王桂兰", signed_on=date(2026, 10, 14))
    first = services.plan_recurring(**plan)
    again = services.plan_recurring(**plan)
    assert [o.pk for o in first] == [o.pk for o in again]
    assert [o.planned_start.astimezone().date().day for o in first] == [15, 19, 22, 26, 29]
    with pytest.raises(Refused):
        services.plan_recurring(**{**plan, "item_code": "cleaning"})


def test_the_clock_warns_lapses_and_confirms(world):
    clock = Actor.job("clock")
    waiting = received(world)
    late = world.now + timedelta(minutes=31)
    assert services.sweep(actor=clock, now=late) == {
        "late_dispatch": 1,
        "late_accept": 0,
        "lapsed": 0,
        "missed": 0,
        "confirmed": 0,
    }
    assert services.sweep(actor=clock, now=late)["late_dispatch"] == 0
    services.offer(
        actor=world.desk, order_id=waiting.pk, organisation_id=world.organisation.pk, worker_id=world.lead.pk, now=late
    )
    assert services.sweep(actor=clock, now=late + timedelta(minutes=8))["late_accept"] == 1
    assert services.sweep(actor=clock, now=late + timedelta(minutes=16))["lapsed"] == 1
    assert Order.objects.get(pk=waiting.pk).state == State.RECEIVED
    services.cancel(actor=world.desk, order_id=waiting.pk, reason="x", now=late)
    order = accepted(world)
    assert services.sweep(actor=clock, now=world.start + timedelta(minutes=14))["missed"] == 0
    assert services.sweep(actor=clock, now=world.start + timedelta(minutes=15))["missed"] == 1
    services.arrive(
        actor=world.worker, order_id=order.pk, code=home_code(world.person.pk), now=world.start + timedelta(minutes=20)
    )
    services.finish(actor=world.worker, order_id=order.pk, now=world.start + timedelta(minutes=80))
    assert services.sweep(actor=clock, now=world.start + timedelta(days=2))["confirmed"] == 0
    assert services.sweep(actor=clock, now=world.start + timedelta(days=4))["confirmed"] == 1
    assert Order.objects.get(pk=order.pk).state == State.CONFIRMED


def test_death_ends_waiting_orders_and_a_contract_end_returns_them(world):
    job = Actor.job("event")
    order = accepted(world)
    released = services.release_from_organisation(
        actor=job,
        organisation_id=world.organisation.pk,
        contract_id=world.contract.pk,
        from_day=date(2026, 10, 16),
        reason="合同到期",
        now=world.now,
    )
    order.refresh_from_db()
    assert (released, order.state, order.worker_id) == (1, State.RECEIVED, None)
    ended = services.cancel_for_person(
        actor=job, person_id=world.person.pk, from_day=None, reason="去世", now=world.now
    )
    order.refresh_from_db()
    assert (ended, order.state, order.fee) == (1, State.CANCELLED, 0)
    assert (
        services.cancel_for_person(actor=job, person_id=world.person.pk, from_day=None, reason="去世", now=world.now)
        == 0
    )


def test_a_contract_buys_no_more_than_its_quota(world):
    """R-067: the contract's price list limits what can be billed."""
    from sangyu.registry.organisations.models import Price

    Price.objects.filter(contract=world.contract, item_code="bathing").update(month_quota=1)
    accepted(world)
    other = received(world, start=world.start + timedelta(days=1))
    before = untouched(other)
    offer = {
        "actor": world.desk,
        "organisation_id": world.organisation.pk,
        "worker_id": world.lead.pk,
        "now": world.now,
    }
    with pytest.raises(Refused) as refusal:
        services.offer(order_id=other.pk, **offer)
    assert refusal.value.code == "orders.quota"
    assert untouched(other) == before
    next_month = received(world, start=world.start + timedelta(days=20))
    assert services.offer(order_id=next_month.pk, **offer).state == State.OFFERED


def test_a_worker_who_left_returns_its_visits_to_dispatch(world):
    """X-07."""
    order = accepted(world)
    count = services.release_from_worker(
        actor=Actor.job("event"), worker_id=world.second.pk, from_day=date(2026, 10, 16), reason="离职", now=world.now
    )
    order.refresh_from_db()
    assert (count, order.state, order.organisation_id, order.second_worker_id) == (1, State.RECEIVED, None, None)
