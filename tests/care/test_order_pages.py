"""Screens of orders: the list, the order page in every state, acts, agreements, call-backs."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import reverse

from sangyu.care.orders import services
from sangyu.care.orders.models import Order
from sangyu.ui.models import BulkRow, BulkRun
from support.pages import client_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(world):
    return services.request_and_receive(
        actor=world.desk,
        person_id=world.person.pk,
        item_code="bathing",
        planned_start=world.start,
        channel="hotline",
        requested_by="女儿",
        now=world.now,
    )


def test_list_shows_the_order_and_filters_by_state(world, order):
    client = client_for(world.desk)
    assert order.number in client.get(reverse("orders:list")).content.decode()
    assert order.number in client.get(reverse("orders:list") + "?state=open").content.decode()
    assert order.number not in client.get(reverse("orders:list") + "?state=done").content.decode()


def test_order_page_shows_price_and_ranked_people(world, order):
    html = client_for(world.desk).get(reverse("orders:order", args=[order.pk])).content.decode()
    for text in ("120.00", "−30.00", "90.00", "孙丽华", "于晓梅", "何永强"):
        assert text in html


def test_dispatch_from_the_page_and_accept_by_the_provider(world, order):
    answer = client_for(world.desk).post(
        reverse("orders:offer", args=[order.pk]),
        {"organisation_id": world.organisation.pk, "worker_id": world.lead.pk},
    )
    assert (answer.status_code, answer["Location"]) == (303, reverse("orders:order", args=[order.pk]))
    provider = client_for(world.manager)
    page = provider.get(reverse("orders:order", args=[order.pk])).content.decode()
    assert "孙丽华" in page
    answer = provider.post(
        reverse("orders:accept", args=[order.pk]),
        {"worker_id": world.lead.pk, "second_worker_id": world.second.pk, "risk_check": ""},
    )
    assert answer.status_code in (303, 409)


def test_a_foreign_desk_gets_404_and_a_role_without_the_right_403(world, order, staff):
    url = reverse("orders:order", args=[order.pk])
    assert client_for(staff("b", role="dispatcher")).get(url).status_code == 404
    assert client_for(staff("a", role="x", permissions=[])).get(url).status_code == 403
    cancel = reverse("orders:cancel", args=[order.pk])
    assert client_for(staff("b")).post(cancel, {"reason": "x"}).status_code == 404
    assert client_for(staff("a", permissions=["orders.view"])).post(cancel, {"reason": "x"}).status_code == 403
    order.refresh_from_db()
    assert order.state == "received"


def test_cancel_without_a_reason_is_422_and_changes_nothing(world, order):
    answer = client_for(world.desk).post(reverse("orders:cancel", args=[order.pk]), {"reason": ""})
    assert answer.status_code == 422
    assert Order.objects.get(pk=order.pk).state == "received"


@pytest.mark.parametrize(
    "name",
    [
        "list",
        "return_visits",
        "agreements",
        "agreement_new",
        "fee_rules",
        "fee_rules_load",
        "service_rules",
        "service_rule_new",
    ],
)
def test_every_list_opens_empty_and_full(world, name):
    client = client_for(world.desk)
    assert client.get(reverse(f"orders:{name}")).status_code == 200


def test_slip_and_dialogs_open(world, order):
    client = client_for(world.desk)
    for name in ("slip", "reschedule", "cancel"):
        assert client.get(reverse(f"orders:{name}", args=[order.pk])).status_code == 200
    world.now += timedelta(minutes=1)


def test_a_faulty_file_of_rules_is_answered_rule_by_rule_and_changes_nothing(world, staff):
    """R-039: a bureau publishes its own rules; what is wrong is said with file, rule and remedy."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from sangyu.care.orders.models import FeeRule

    client = client_for(staff("city"))
    before = list(FeeRule.objects.order_by("pk").values())
    text = (
        "valid_from: 2026-11-01\nrules:\n  - {rank: 1, tier: gratis, title: x, basis: y, facts: {living: [castle]}}\n"
    )
    answer = client.post(
        reverse("orders:fee_rules_load"),
        {"file": SimpleUploadedFile("new.yaml", text.encode()), "valid_from": "2026-11-01"},
    )
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "new.yaml 第 1 条" in page
    assert "castle" in page
    assert list(FeeRule.objects.order_by("pk").values()) == before
    good = text.replace("gratis", "free").replace("castle", "alone")
    answer = client.post(
        reverse("orders:fee_rules_load"),
        {"file": SimpleUploadedFile("new.yaml", good.encode()), "valid_from": "2026-11-01"},
    )
    assert answer.status_code == 303
    rule = FeeRule.objects.get(valid_from="2026-11-01")
    assert (rule.tier, rule.facts) == ("free", {"living": ["alone"]})
    assert "独居" in client.get(reverse("orders:fee_rule", args=[rule.pk])).content.decode()
    assert FeeRule.objects.filter(valid_to="2026-11-01").count() == len(before)


def test_service_rules_are_published_from_a_day_on(world, staff):
    from sangyu.care.orders.models import ServiceRule
    from sangyu.care.orders.pages.rules import TIMES

    client = client_for(staff("a"))
    values = dict.fromkeys(TIMES, 5) | {"valid_from": "2026-11-01"}
    answer = client.post(reverse("orders:service_rule_new"), values)
    rule = ServiceRule.objects.get()
    assert answer["Location"] == reverse("orders:service_rule", args=[rule.pk])
    assert (rule.path, rule.place_tolerance) == (world.region.path, 5)
    assert client.post(reverse("orders:service_rule_new"), values | {"late_cancel_percent": 700}).status_code == 422


def test_waiting_orders_are_offered_many_at_once_and_taken_back(world, order):
    """Each to the first of its ranking; what was answered meanwhile stays (R-099)."""
    client = client_for(replace(world.desk, account_id=7))
    client.post(reverse("orders:list"), {"bulk": "offer", "ids": [order.pk], "sure": "1", "organisation_id": ""})
    order.refresh_from_db()
    assert (order.state, order.organisation_id) == ("offered", world.organisation.pk)
    run = BulkRun.objects.get()
    client.post(reverse("ui:bulk-undo", args=[run.pk]), {})
    order.refresh_from_db()
    assert (order.state, order.organisation_id) == ("received", None)
    services.cancel(actor=world.desk, order_id=order.pk, reason="家属要求", now=world.now)
    client.post(reverse("orders:list"), {"bulk": "offer", "ids": [order.pk], "sure": "1", "organisation_id": ""})
    assert [r.state for r in BulkRow.objects.filter(run=BulkRun.objects.latest("pk"))] == ["refused"]
