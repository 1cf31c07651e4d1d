"""The road's money to the fen on the real ledger: hold, spend, give back, refund, settle once (R-050, R-052, R-069, X-03)."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.db import connection

from sangyu.care.orders import selectors, services
from sangyu.care.orders.models import Order
from sangyu.care.vouchers import services as vouchers
from sangyu.care.vouchers.models import Voucher
from sangyu.kernel.errors import Refused
from sangyu.kernel.scoping import scope
from support.orders import accepted, done, received
from support.world import make_organisation, make_worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def funded(world, staff, regions):
    """The elder of the world with two vouchers of October: 60.00 and 50.00."""
    city = staff("city")
    for name, amount in (("居家服务券", 6000), ("助浴券", 5000)):
        programme = vouchers.publish_programme(
            actor=city,
            region_id=regions["city"].pk,
            path=regions["city"].path,
            name=name,
            face_amount=amount,
            valid_from=date(2026, 1, 1),
            validity="month",
        )
        vouchers.issue(
            actor=city,
            programme_id=programme.pk,
            person_ids=[world.person.pk],
            day=date(2026, 10, 1),
            region_id=regions["city"].pk,
            path=regions["city"].path,
        )
    return world


def balances(world):
    """(left, of it available) per voucher, in fen."""
    rows = Voucher.objects.filter(person=world.person).select_related("account").order_by("pk")
    return [(v.account.balance, v.available) for v in rows]


def unbalanced():
    with connection.cursor() as cursor:
        from sangyu.kernel.checks import run

        return {name: found for name, found in run(cursor).items() if found}


def test_held_at_receipt_spent_at_confirmation(funded):
    """120.00 − 25 % = 90.00; the voucher first issued pays 60.00 and the other 30.00."""
    order = received(funded)
    assert (order.concession, order.voucher_amount, order.self_pay) == (3000, 9000, 0)
    assert [available for _left, available in balances(funded)] == [0, 2000]
    services.cancel(actor=funded.desk, order_id=order.pk, reason="改天", now=funded.now)
    assert [available for _left, available in balances(funded)] == [6000, 5000]
    order = done(funded)
    services.confirm(actor=funded.desk, order_id=order.pk, rating=5, on_behalf_of="本人", now=funded.start)
    assert balances(funded) == [(0, 0), (2000, 2000)]
    assert unbalanced() == {}


def test_two_orders_never_hold_the_same_fen(funded):
    first = received(funded)
    second = received(funded, start=funded.start + timedelta(days=1))
    assert (first.voucher_amount, second.voucher_amount, second.self_pay) == (9000, 2000, 7000)
    assert [available for _left, available in balances(funded)] == [0, 0]


def test_the_offer_keeps_what_is_held_at_the_same_price(funded):
    order = accepted(funded)
    assert (order.hold_round, order.voucher_amount) == (1, 9000)
    assert [available for _left, available in balances(funded)] == [0, 2000]


def test_the_offer_holds_anew_at_another_providers_price(funded):
    """80.00 − 25 % = 60.00: one voucher is enough, the other is free again."""
    order = received(funded)
    cheaper, _contract = make_organisation(funded.region, "安康", {"bathing": 8000})
    worker = make_worker(cheaper, funded.region, "周敏")
    order = services.offer(
        actor=funded.desk, order_id=order.pk, organisation_id=cheaper.pk, worker_id=worker.pk, now=funded.now
    )
    assert (order.hold_round, order.voucher_amount, order.market_price) == (2, 6000, 8000)
    assert [available for _left, available in balances(funded)] == [0, 5000]
    assert [(h.amount, h.account_id) for h in held_by(funded, order)] == [
        (6000, Voucher.objects.earliest("pk").account_id)
    ]
    assert unbalanced() == {}


def held_by(world, order):
    with scope(world.desk):
        return vouchers.held(actor=world.desk, order_ref=f"{order.number}#{order.hold_round}")


def test_an_upheld_dispute_gives_everything_back(funded):
    order = done(funded)
    services.confirm(actor=funded.desk, order_id=order.pk, rating=1, on_behalf_of="本人", now=funded.start)
    services.dispute(actor=funded.desk, order_id=order.pk, reason="没来", now=funded.start)
    services.resolve(actor=funded.desk, order_id=order.pk, upheld=True, reason="属实", now=funded.start)
    assert [available for _left, available in balances(funded)] == [6000, 5000]
    assert unbalanced() == {}


def test_refund_once_and_never_more_than_was_paid(funded):
    order = done(funded)
    services.confirm(actor=funded.desk, order_id=order.pk, rating=5, on_behalf_of="本人", now=funded.start)
    key = f"refund:{uuid4()}"
    refund = {"actor": funded.desk, "order_id": order.pk, "reason": "少洗一项", "now": funded.start}
    services.refund(voucher_amount=3000, key=key, **refund)
    before = balances(funded)
    with pytest.raises(Refused) as refusal:
        services.refund(voucher_amount=6001, key=f"refund:{uuid4()}", **refund)
    assert refusal.value.code == "orders.refund_too_high"
    assert balances(funded) == before
    assert sum(left for left, _available in before) == 5000
    assert unbalanced() == {}


def test_settleable_lines_equal_the_visits_and_settle_once(funded):
    order = done(funded)
    services.confirm(actor=funded.desk, order_id=order.pk, rating=5, on_behalf_of="本人", now=funded.start)
    services.refund(
        actor=funded.desk, order_id=order.pk, voucher_amount=1000, reason="x", key=f"r:{uuid4()}", now=funded.start
    )
    until = funded.start + timedelta(days=1)
    lines = selectors.settleable(path=funded.region.path, organisation_id=funded.organisation.pk, until=until)
    assert [(line.price, line.voucher) for line in lines] == [(12000, 9000), (-1000, -1000)]
    early = selectors.settleable(path=funded.region.path, organisation_id=funded.organisation.pk, until=funded.start)
    assert early == []
    services.mark_settled(
        actor=funded.desk, order_ids=[order.pk], refund_ids=[lines[1].refund_id], statement_id=1, now=until
    )
    with pytest.raises(Refused):
        services.mark_settled(actor=funded.desk, order_ids=[order.pk], statement_id=2, now=until)
    assert Order.objects.get(pk=order.pk).statement_id == 1
    assert selectors.settleable(path=funded.region.path, organisation_id=funded.organisation.pk, until=until) == []
