"""The desk: from a call to an offer without leaving the page (R-079, R-081, R-087)."""

import pytest
from django.urls import reverse
from django.utils.timezone import localtime, timedelta

from sangyu.care.orders.models import Offer, Order
from support.pages import client_for

pytestmark = pytest.mark.django_db


def tomorrow():
    return (localtime() + timedelta(days=1)).replace(hour=15, minute=0, second=0, microsecond=0)


def need(**changes):
    values = {
        "item_code": "cleaning",
        "planned_start": f"{tomorrow():%Y-%m-%dT%H:%M}",
        "quantity": "1",
        "channel": "hotline",
        "requested_by": "女儿",
        "worker_sex": "",
        "wishes": "",
    }
    return {**values, **changes}


def test_search_register_and_send_on_one_page(world):
    client = client_for(world.desk)
    assert client.get(reverse("hotline:desk")).status_code == 200
    assert "王桂兰" in client.get(reverse("hotline:find") + "?q=wgl").content.decode()
    page = client.get(reverse("hotline:desk") + f"?person={world.person.pk}").content.decode()
    assert "清华社区 12 号楼 402 室" in page
    price = client.get(reverse("hotline:price", args=[world.person.pk]), need()).content.decode()
    assert "60.00" in price
    assert "45.00" in price
    answer = client.post(reverse("hotline:caller", args=[world.person.pk]), need())
    order = Order.objects.get()
    assert answer["Location"] == f"/desk/?person={world.person.pk}&order={order.pk}"
    assert "何永强" in client.get(answer["Location"]).content.decode()
    answer = client.post(
        reverse("hotline:send", args=[order.pk]),
        {"organisation_id": world.organisation.pk, "worker_id": world.cleaner.pk},
    )
    assert answer.status_code == 303
    assert Offer.objects.get(order=order).worker_id == world.cleaner.pk
    assert "待接单" in client.get(reverse("hotline:queue")).content.decode()


def test_wrong_input_keeps_the_values_and_says_why(world):
    past = need(planned_start="2020-01-01T09:00", wishes="轻声敲门")
    answer = client_for(world.desk).post(reverse("hotline:caller", args=[world.person.pk]), past)
    assert answer.status_code == 422
    assert "轻声敲门" in answer.content.decode()
    assert Order.objects.count() == 0


def test_another_county_sees_nobody(world, staff):
    client = client_for(staff("b", role="operator"))
    assert "王桂兰" not in client.get(reverse("hotline:find") + "?q=王桂兰").content.decode()
    assert client.get(reverse("hotline:desk") + f"?person={world.person.pk}").status_code == 404
    assert client.post(reverse("hotline:caller", args=[world.person.pk]), need()).status_code == 404
    assert Order.objects.count() == 0
