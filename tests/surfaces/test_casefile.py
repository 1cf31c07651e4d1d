"""The elder page and the search: what each sees, what it costs, what a death changes (R-014, R-016, R-018, R-085)."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from sangyu.care.orders import services as orders
from sangyu.care.orders.models import Order
from sangyu.care.orders.selectors import orders_visible
from sangyu.care.orders.services import home_code
from sangyu.care.vouchers import services as vouchers
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.models import DataRead
from sangyu.kernel.scoping import scope
from sangyu.registry.people import services as people
from sangyu.registry.people.models import Contact
from support.pages import client_for

pytestmark = pytest.mark.django_db
TABS = ["page", "basic", "family", "services", "vouchers", "files", "history"]


def ordered(world, *, item="cleaning", days=3, **changes):
    with scope(world.desk):
        return orders.request_and_receive(
            actor=world.desk,
            person_id=world.person.pk,
            item_code=item,
            planned_start=world.now + timedelta(days=days, hours=6),
            channel="hotline",
            requested_by="女儿",
            now=world.now,
            **changes,
        )


def get(actor, name, *args, query="", **kwargs):
    return client_for(actor).get(reverse(f"casefile:{name}", args=args) + query, **kwargs)


def text(answer):
    return answer.content.decode()


def test_every_tab_has_its_own_address_and_loads_alone(world):
    ordered(world)
    client = client_for(world.desk)
    for tab in TABS:
        address = reverse(f"casefile:{tab}", args=[world.person.pk])
        whole = client.get(address)
        assert whole.status_code == 200, tab
        assert 'aria-current="page"' in text(whole)
        alone = client.get(address, headers={"HX-Request": "true", "HX-Target": "tab"})
        assert alone.status_code == 200, tab
        assert text(alone).startswith('<section id="tab"')


def funded(world, staff):
    """A voucher of 400 yuan for this month."""
    bureau = staff("a")
    programme = vouchers.publish_programme(
        actor=bureau, region_id=world.region.pk, path=world.region.path, name="居家养老服务券", face_amount=40000,
        valid_from=date(2026, 1, 1), validity="month",
    )  # fmt: skip
    vouchers.issue(
        actor=bureau, programme_id=programme.pk, person_ids=[world.person.pk], day=timezone.localdate(),
        region_id=world.region.pk, path=world.region.path,
    )  # fmt: skip


def test_the_overview_gathers_the_rooms_in_few_queries(world, staff, django_assert_max_num_queries):
    funded(world, staff)
    Contact.objects.create(
        person=world.person, path=world.person.path, name="李建国", relation="2", priority=1, is_guardian=True
    )
    for day in range(2, 12):
        ordered(world, days=day)
    client = client_for(world.desk)
    with django_assert_max_num_queries(25):
        page = text(client.get(reverse("casefile:page", args=[world.person.pk])))
    assert "李建国" in page
    assert page.count("提出需求") >= 10
    for word in ("独居", "助洁", "家庭与联系人", "下次服务", "服务券发放", "400.00"):
        assert word in page, word


def test_out_of_scope_is_404_and_without_the_permission_403(world, staff):
    assert get(staff("b"), "page", world.person.pk).status_code == 404
    assert get(staff("a", permissions=["orders.view"]), "page", world.person.pk).status_code == 403
    assert get(staff("a", permissions=["people.view"]), "services", world.person.pk).status_code == 403
    assert get(world.desk, "page", 999_999).status_code == 404


def test_provider_and_relative_see_only_what_is_shared_and_no_changes(world, staff):
    assert get(world.manager, "page", world.person.pk).status_code == 404
    from django.db import connection

    with connection.cursor() as cursor:
        for audience, subject in (("provider", world.organisation.pk), ("family", 77)):
            cursor.execute(
                "SELECT sangyu.share(%s, %s, 'person', %s, %s, NULL, 'test')",
                [audience, subject, world.person.pk, world.person.path],
            )
    ordered(world)
    plain = Actor(Audience.PROVIDER, world.manager.path, "康乐经理", subject_id=world.organisation.pk,
                  role="provider_manager", permissions=frozenset({"orders.view"}))  # fmt: skip
    page = get(plain, "page", world.person.pk)
    assert page.status_code == 200
    assert "DD" not in text(page)
    assert "data-work" not in text(page)
    assert reverse("casefile:history", args=[world.person.pk]) not in text(page)
    for tab in ("history", "vouchers", "files", "basic"):
        assert get(plain, tab, world.person.pk).status_code == 404, tab
    assert len(list(Order.objects.filter(organisation=world.organisation))) == 0
    assert text(get(plain, "services", world.person.pk)).count("<tbody>") == 0
    relative = get(world.family, "services", world.person.pk)
    assert relative.status_code == 200
    assert "助洁" in text(relative)
    assert get(world.family, "vouchers", world.person.pk).status_code == 200
    assert get(world.family, "history", world.person.pk).status_code == 404


def test_changes_show_old_and_new_with_who_and_why(world):
    with scope(world.desk):
        people.update_basic(
            actor=world.desk,
            person_id=world.person.pk,
            changes={"address": "胜利社区 3 号楼 101 室"},
            reason="入户走访",
        )
        people.record_fact(
            actor=world.desk, person_id=world.person.pk, kind="care_level", value="3", valid_from=date(2026, 10, 1),
            source="复评",
        )  # fmt: skip
    page = text(get(world.desk, "history", world.person.pk))
    assert "清华社区 12 号楼 402 室" in page
    assert "胜利社区 3 号楼 101 室" in page
    assert "入户走访" in page
    assert world.desk.name in page
    shown = text(get(world.desk, "page", world.person.pk, query="?show=change"))
    assert "胜利社区 3 号楼 101 室" in shown
    assert "中度" in shown
    assert "重度" in shown


def test_the_filter_of_the_timeline(world):
    ordered(world)
    timeline = get(world.desk, "timeline", world.person.pk, query="?show=money", headers={"HX-Request": "true"})
    assert "提出需求" not in text(timeline)
    timeline = get(world.desk, "timeline", world.person.pk, query="?show=service", headers={"HX-Request": "true"})
    assert "提出需求" in text(timeline)
    assert get(world.desk, "timeline", world.person.pk, query="?show=service").status_code == 303


def test_after_a_death_the_page_is_still_and_lists_what_ended(world):
    ordered(world)
    with scope(world.desk):
        people.record_death(actor=world.desk, person_id=world.person.pk, died_on=date(2026, 10, 13), source="死亡证明")
    page = text(get(world.desk, "page", world.person.pk))
    assert "case--gone" in page
    assert reverse("hotline:desk") + f"?person={world.person.pk}" not in page
    assert "服务订单已停止" in page
    assert "1 单仍未结束" in page
    assert reverse("people:edit", args=[world.person.pk]) not in page
    with scope(Actor.job("test")):
        orders.cancel_for_person(actor=Actor.job("test"), person_id=world.person.pk, from_day=None, reason="去世")
    assert "1 单仍未结束" not in text(get(world.desk, "page", world.person.pk))


def test_printing_is_logged_and_masked(world):
    answer = get(world.desk, "print", world.person.pk)
    assert answer.status_code == 200
    assert "data-print" in text(answer)
    with scope(world.desk):
        assert [r.what for r in DataRead.objects.filter(row_id=world.person.pk)] == ["casefile"]


def test_the_code_of_the_home_is_an_image_of_the_signed_id(world, staff):
    answer = get(world.desk, "code_image", world.person.pk)
    assert answer["Content-Type"] == "image/svg+xml"
    assert answer.content.startswith(b"<?xml")
    assert home_code(world.person.pk).startswith(f"{world.person.pk}:")
    assert get(world.desk, "code", world.person.pk).status_code == 200
    assert get(staff("a", permissions=["people.view"]), "code", world.person.pk).status_code == 403
    assert get(staff("b"), "code_image", world.person.pk).status_code == 404


def test_search_finds_people_first_then_orders_by_number(world, staff):
    order = ordered(world)
    found = text(get(world.desk, "search", query="?q=wgl"))
    assert reverse("casefile:page", args=[world.person.pk]) in found
    assert "<h1>" in found
    few = get(world.desk, "search", query="?q=王桂", headers={"HX-Request": "true"})
    assert "<h1" not in text(few)
    assert "王桂兰" in text(few)
    by_number = text(get(world.desk, "search", query=f"?q={order.number}"))
    assert reverse("orders:order", args=[order.pk]) in by_number
    other = staff("b")
    assert "清华社区 12" not in text(get(other, "search", query="?q=wgl"))
    assert reverse("orders:order", args=[order.pk]) not in text(get(other, "search", query=f"?q={order.number}"))
    assert get(staff("a", permissions=[]), "search", query="?q=wgl").status_code == 403
    with scope(world.desk):
        assert orders_visible(world.desk).count() == 1


def test_the_list_of_elders_leads_to_the_file(world):
    page = text(client_for(world.desk).get(reverse("people:list")))
    assert f'href="{reverse("casefile:page", args=[world.person.pk])}"' in page
