"""Home of staff: each number is the number of rows behind its link; lines show by permission."""

import re
from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from sangyu.care.emergencies.services import raise_by_hand
from sangyu.care.orders.models import Order, ReturnVisit
from sangyu.kernel.permissions import every_permission
from sangyu.registry.organisations.models import Licence
from sangyu.registry.workforce.models import Certificate
from sangyu.surfaces.bureau.work import waiting_for
from sangyu.ui.context import url_or_blank
from support.pages import client_for
from support.world import make_person

pytestmark = pytest.mark.django_db


def make_order(world, number, state="received", **changes):
    start = changes.pop("planned_start", timezone.now() + timedelta(days=1))
    return Order.objects.create(
        number=f"DD-{number}",
        region=world.region,
        path=world.region.path,
        person=changes.pop("person", world.person),
        person_name=world.person.name,
        item=world.cleaning,
        item_name="助洁",
        planned_start=start,
        planned_end=start + timedelta(hours=2),
        address="清华社区",
        channel="hotline",
        requested_by="女儿",
        state=state,
        **changes,
    )


@pytest.fixture
def busy(world):
    """Something in every list."""
    now = timezone.now()
    ago = now - timedelta(hours=5)
    done = {"worker": world.cleaner, "organisation": world.organisation, "arrived_at": ago, "done_at": ago}
    make_order(world, 1, "requested")
    make_order(world, 2, dispatch_by=now + timedelta(hours=1))
    make_order(world, 3, dispatch_by=now - timedelta(hours=1))
    make_order(world, 4, dispatch_by=now - timedelta(hours=2))
    make_order(world, 5, "offered", organisation=world.organisation)
    make_order(world, 6, "accepted", worker=world.cleaner, organisation=world.organisation, warned_missed_at=now,
               planned_start=ago)  # fmt: skip
    make_order(world, 7, "done", **done, planned_start=now - timedelta(days=2))
    disputed = make_order(world, 8, "disputed", **done, planned_start=now - timedelta(days=3))
    for reason, days in (("dispute", -1), ("sample", 2)):
        ReturnVisit.objects.create(order=disputed, path=disputed.path, reason=reason, due_by=now + timedelta(days=days))
    Licence.objects.create(
        organisation=world.organisation, path=world.organisation.path, kind="food", number="X1",
        valid_from=date(2020, 1, 1), valid_to=timezone.localdate() + timedelta(days=10),
    )  # fmt: skip
    Certificate.objects.filter(worker=world.lead).update(valid_to=timezone.localdate() + timedelta(days=5))
    make_person(world.region, "李秀英")
    return world


def works(page):
    return dict(re.findall(r'data-work="(\w+)".*?home__n[^>]*>([\d,]+)<', page, re.S))


def addresses(page):
    return {key: url for url, key in re.findall(r'<a href="([^"]+)" data-work="(\w+)"', page)}


def test_each_number_is_the_number_of_rows_behind_its_link(busy, staff):
    client = client_for(staff("a"))
    page = client.get(reverse("bureau:home")).content.decode()
    shown, links = works(page), addresses(page)
    assert {k: int(v) for k, v in shown.items()} == {
        "requested": 1, "received": 3, "late": 2, "offered": 1, "missed": 1, "done": 1, "disputed": 1,
        "calls": 2, "calls_late": 1, "files": 2, "expiring": 2, "imports": 0,
        "statements": 0, "objected": 0, "payable": 0,
    }  # fmt: skip
    for key, url in links.items():
        answer = client.get(url.replace("&amp;", "&"))
        assert answer.status_code == 200, (key, url)
        body = re.search(r"<tbody.*?</tbody>", answer.content.decode(), re.S)
        rows = len(re.findall(r"<tr", body.group())) if body else 0
        assert rows == int(shown[key]), key


def test_another_county_has_empty_lists(busy, staff):
    page = client_for(staff("b")).get(reverse("bureau:home")).content.decode()
    shown = works(page)
    assert {k for k, v in shown.items() if v != "0"} == set()
    assert "李秀英" not in page


def test_few_queries_however_much_waits(busy, staff, django_assert_max_num_queries):
    client, actor = client_for(staff("a")), staff("a")
    assert actor.permissions == every_permission()
    with django_assert_max_num_queries(
        26
    ):  # 15 of the page, the rest are badges: the frame's and, as tests keep no number, the home's
        client.get(reverse("bureau:home"))


def test_lines_show_by_permission(busy, staff):
    def shown(*permissions):
        page = client_for(staff("a", permissions=permissions)).get(reverse("bureau:home"))
        assert page.status_code == 200
        return set(works(page.content.decode()))

    assert shown() == set()
    assert shown("orders.view") == {"late", "missed", "disputed"}
    assert shown("orders.view", "orders.return_visit") == {"late", "missed", "disputed", "calls", "calls_late"}
    assert shown("settlement.view") == {"statements", "objected", "payable"}
    assert shown("people.view", "people.edit", "people.import") == {"files", "imports"}
    assert shown("workforce.manage") == {"expiring"}


def test_what_other_rooms_count_has_a_line_for_whoever_sees_it(busy, staff):
    """A press that nobody has taken: one line, although console and register both count it; none without the permission."""
    raise_by_hand(actor=staff("a"), source="call", person_id=busy.person.pk, text="邻居来电", now=timezone.now())
    page = client_for(staff("a")).get(reverse("bureau:home")).content.decode()
    assert (works(page)["desk_desk"], addresses(page)["desk_desk"]) == ("1", reverse("desk:desk"))
    assert "emergencies_list" not in works(page)
    seen = client_for(staff("a", permissions=["emergencies.view"])).get(reverse("bureau:home")).content.decode()
    assert works(seen) == {"emergencies_list": "1"}
    assert works(client_for(staff("a", permissions=[])).get(reverse("bureau:home")).content.decode()) == {}
    assert "emergencies_list" not in works(client_for(staff("b")).get(reverse("bureau:home")).content.decode())


def test_lists_refuse_who_may_not_and_unknown_lists(busy, staff):
    client = client_for(staff("a", permissions=[]))
    assert client.get(reverse("bureau:orders", args=["late"])).status_code == 403
    assert client.get(reverse("bureau:expiring")).status_code == 403
    assert client.get(reverse("bureau:imports")).status_code == 403
    assert client_for(staff("a")).get(reverse("bureau:orders", args=["nothing"])).status_code == 404
    assert client_for(busy.manager).get(reverse("bureau:home")).status_code == 403


def test_the_bell_counts_own_work_once(busy, staff, django_assert_num_queries):
    from sangyu.kernel.scoping import scope

    def bell(*permissions):
        actor = staff("a", permissions=permissions)
        with scope(actor):
            return waiting_for(actor).count()

    assert bell() == 0
    assert bell("orders.dispatch") == 4
    assert bell("orders.resolve") == 1
    assert bell("orders.dispatch", "orders.record_visit") == 4
    with scope(busy.manager):
        assert waiting_for(busy.manager).count() == 0
    assert url_or_blank("bureau:todos").endswith("/todo/")


def test_figures_carry_their_definition(busy, staff):
    page = client_for(staff("a")).get(reverse("bureau:home")).content.decode()
    figures = re.findall(r'<div title="([^"]+)"><p class="stat__k">([^<]+)</p><p class="stat__v">([\d.,]+)<', page)
    assert [(label, value) for _definition, label, value in figures] == [
        ("在册老人", "2"), ("其中 80 岁以上", "1"), ("本月服务", "2"), ("本月用券", "0.00"),
    ]  # fmt: skip
