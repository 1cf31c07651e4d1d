"""How many statements one order takes from the request to the confirmation: a bar, so that nobody adds one unseen."""

import re
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sangyu.care.orders import services as orders
from sangyu.care.orders.enums import Channel
from sangyu.care.vouchers import services as vouchers

pytestmark = pytest.mark.django_db

#: Reads and writes of each step, without opening and closing the transaction and its scope.
BARS = {
    "request": 18, "proposals": 9, "offer": 20, "accept": 8, "depart": 5, "arrive": 6, "finish": 6, "confirm": 15,
}  # fmt: skip
HOUSEKEEPING = re.compile(r"SAVEPOINT|RELEASE|ROLLBACK|SELECT set_config")


@contextmanager
def counted(into: dict[str, int], name: str):
    with CaptureQueriesContext(connection) as watched:
        yield
    into[name] = sum(not HOUSEKEEPING.match(q["sql"]) for q in watched)


def test_one_order_from_request_to_confirmation(world, staff, regions):
    """With a voucher, a crew of two and no override; 86 statements where the first version took 133."""
    city = {"region_id": regions["city"].pk, "path": regions["city"].path}
    terms = vouchers.publish_programme(
        actor=staff("city"), name="券", face_amount=20000, valid_from=date(2026, 1, 1), **city
    )
    vouchers.issue(
        actor=staff("city"), programme_id=terms.pk, person_ids=[world.person.pk], day=date(2026, 10, 1), **city
    )
    took: dict[str, int] = {}
    with counted(took, "request"):
        order = orders.request_and_receive(
            actor=world.desk, person_id=world.person.pk, item_code="bathing", planned_start=world.start,
            channel=Channel.HOTLINE, requested_by="x", now=world.now,
        )  # fmt: skip
    pk = order.pk
    with counted(took, "proposals"):
        orders.proposals(actor=world.desk, order_id=pk)
    with counted(took, "offer"):
        orders.offer(
            actor=world.desk, order_id=pk, organisation_id=world.organisation.pk, worker_id=world.lead.pk,
            second_worker_id=world.second.pk, now=world.now,
        )  # fmt: skip
    with counted(took, "accept"):
        orders.accept(actor=world.manager, order_id=pk, now=world.now)
    with counted(took, "depart"):
        orders.depart(actor=world.worker, order_id=pk, now=world.start)
    with counted(took, "arrive"):
        orders.arrive(actor=world.worker, order_id=pk, latitude=40.661, longitude=122.231, now=world.start)
    with counted(took, "finish"):
        orders.finish(actor=world.worker, order_id=pk, items=["助浴"], now=world.start + timedelta(hours=1))
    with counted(took, "confirm"):
        later = world.start + timedelta(hours=2)
        orders.confirm(actor=world.desk, order_id=pk, rating=5, on_behalf_of="本人", now=later)
    over = {name: (n, BARS[name]) for name, n in took.items() if n > BARS[name]}
    assert (over, set(took)) == ({}, set(BARS))
