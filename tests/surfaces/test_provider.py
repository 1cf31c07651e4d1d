"""The provider's desk: offers answered, the day, late visits, papers; nothing of other providers (R-081)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import reverse

from sangyu.care.orders import services
from sangyu.care.orders.models import Order
from sangyu.registry.workforce.models import Certificate
from support.pages import client_for
from support.people import in_role
from support.world import make_organisation

pytestmark = pytest.mark.django_db
HOME = "provider:home"


@pytest.fixture(autouse=True)
def clock(monkeypatch, world):
    """The pages' clock stands at the world's morning; ``clock.now`` moves it."""

    class Clock:
        now = world.now

    monkeypatch.setattr("django.utils.timezone.now", lambda: Clock.now)
    return Clock


@pytest.fixture
def manager(world):
    return in_role(world.manager, "provider_manager")


@pytest.fixture
def order(world):
    """A cleaning visit this afternoon, offered to the provider, who names the worker."""
    order = services.request_and_receive(
        actor=world.desk,
        person_id=world.person.pk,
        item_code="cleaning",
        planned_start=world.now + timedelta(hours=5),
        channel="hotline",
        requested_by="女儿",
    )
    return services.offer(actor=world.desk, order_id=order.pk, organisation_id=world.organisation.pk)


def test_an_offer_is_accepted_with_the_choice_of_a_worker(world, manager, order):
    client = client_for(manager)
    assert client.get("/")["Location"] == reverse(HOME)
    page = client.get(reverse(HOME)).content.decode()
    accept = reverse("orders:accept", args=[order.pk])
    for text in ("王桂兰", "助洁", "60.00", accept, reverse("orders:decline", args=[order.pk])):
        assert text in page
    assert "何永强" in client.get(accept).content.decode()
    assert client.post(accept, {"worker_id": world.cleaner.pk}).status_code == 303
    assert Order.objects.get(pk=order.pk).state == "accepted"
    page = client.get(reverse(HOME)).content.decode()
    assert accept not in page
    assert "何永强" in page
    assert reverse("orders:substitute", args=[order.pk]) in page


def test_a_declined_offer_leaves_the_desk(world, manager, order):
    client = client_for(manager)
    decline = reverse("orders:decline", args=[order.pk])
    assert client.post(decline, {"reason": ""}).status_code == 422
    assert Order.objects.get(pk=order.pk).state == "offered"
    assert client.post(decline, {"reason": "人手不足"}).status_code == 303
    assert Order.objects.get(pk=order.pk).state == "received"
    assert "王桂兰" not in client.get(reverse(HOME)).content.decode()
    assert client.get(reverse("orders:order", args=[order.pk])).status_code == 404


def test_late_visits_and_expiring_papers_stand_out(world, manager, order, clock):
    services.accept(actor=manager, order_id=order.pk, worker_id=world.cleaner.pk)
    client = client_for(manager)
    assert 'id="late"' not in client.get(reverse(HOME)).content.decode()
    clock.now += timedelta(hours=5, minutes=16)
    Certificate.objects.filter(worker=world.lead).update(valid_to=(world.now + timedelta(days=10)).date())
    page = client.get(reverse(HOME)).content.decode()
    assert 'id="late"' in page
    assert reverse("workforce:detail", args=[world.lead.pk]) in page


def test_other_providers_and_audiences_see_nothing(world, manager, order):
    other, _contract = make_organisation(world.region, "安康", {"cleaning": 7000})
    client = client_for(replace(manager, subject_id=other.pk, name="安康经理"))
    page = client.get(reverse(HOME))
    assert (page.status_code, "王桂兰" in page.content.decode()) == (200, False)
    assert client.post(reverse("orders:accept", args=[order.pk]), {"worker_id": world.lead.pk}).status_code == 404
    assert client_for(world.desk).get(reverse(HOME)).status_code == 403
    assert Order.objects.get(pk=order.pk).state == "offered"
