"""What a provider and its workers do for themselves: the own record, fees to collect, duties on the phone (R-158, R-180)."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from sangyu.care.orders import services as orders
from sangyu.care.orders.enums import Channel
from sangyu.registry.workforce.models import Acknowledgement, Duty
from support.pages import client_for
from support.world import make_worker

pytestmark = pytest.mark.django_db


def test_the_providers_navigation_leads_to_its_own_record(world):
    client = client_for(world.manager)
    home = client.get("/provider/").content.decode()
    for address in ("/provider/own/", "/provider/prices/", "/organisations/contracts/", "/workforce/"):
        assert f'href="{address}"' in home, address
    own = f"/organisations/{world.organisation.pk}/"
    assert client.get("/provider/own/")["Location"] == own
    assert client.get("/provider/prices/")["Location"] == f"{own}prices/"
    page = client.get(own)
    assert page.status_code == 200
    assert "康乐" in page.content.decode()
    assert client_for(world.desk).get("/provider/own/").status_code == 403


def test_fees_of_visits_in_vain_are_shown_where_they_are_collected(world):
    now = timezone.now()
    order = orders.request_and_receive(
        actor=world.desk, person_id=world.person.pk, item_code="cleaning", planned_start=now + timedelta(minutes=50),
        channel=Channel.HOTLINE, requested_by="x", now=now - timedelta(minutes=9),
    )  # fmt: skip
    orders.offer(
        actor=world.desk, order_id=order.pk, organisation_id=world.organisation.pk, worker_id=world.cleaner.pk,
        now=now - timedelta(minutes=8),
    )  # fmt: skip
    orders.accept(actor=world.manager, order_id=order.pk, now=now - timedelta(minutes=7))
    client = client_for(world.manager)
    assert "待收费用" not in client.get("/provider/").content.decode()
    orders.cancel(actor=world.desk, order_id=order.pk, reason="住院", now=now)
    page = client.get("/provider/").content.decode()
    assert "待收费用" in page
    assert "9.00 元" in page  # 20 % of 45.00


@pytest.fixture
def duty(world):
    return Duty.objects.create(
        region=world.region, path=world.region.path, post=world.lead.post, title="护理员职责", text="不收财物。",
        valid_from=date(2026, 1, 1),
    )  # fmt: skip


def test_a_worker_reads_and_acknowledges_on_the_phone(world, duty):
    client = client_for(world.worker)
    assert "/worker/duties/" in client.get("/worker/").content.decode()
    page = client.get("/worker/duties/").content.decode()
    assert "不收财物" in page
    assert client.get(f"/worker/duties/{duty.pk}/")["Location"] == "/worker/duties/"
    answer = client.post(f"/worker/duties/{duty.pk}/")
    assert (answer.status_code, answer["Location"]) == (303, "/worker/")
    assert list(Acknowledgement.objects.values_list("worker_id", "duty_id")) == [(world.lead.pk, duty.pk)]
    assert client.post(f"/worker/duties/{duty.pk}/").status_code == 303  # again: nothing happens
    assert Acknowledgement.objects.count() == 1
    assert "/worker/duties/" not in client.get("/worker/").content.decode()
    assert "不收财物" not in client.get("/worker/duties/").content.decode()


def test_duties_of_another_post_or_place_are_not_there(world, duty, regions):
    other = Duty.objects.create(
        region=regions["b"],
        path=regions["b"].path,
        post=world.lead.post,
        title="x",
        text="y",
        valid_from=date(2026, 1, 1),
    )
    client = client_for(world.worker)
    assert client.post(f"/worker/duties/{other.pk}/").status_code == 404
    assert client_for(world.manager).post(f"/worker/duties/{duty.pk}/").status_code == 403
    make_worker(world.organisation, world.region, "别人")
    assert Acknowledgement.objects.count() == 0
