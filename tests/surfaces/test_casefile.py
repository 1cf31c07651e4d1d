"""The elder page and the search: what each sees, what it costs, what a death changes (R-014 … R-018, R-027, R-028, R-085)."""

import html
import re
from dataclasses import replace
from datetime import date, timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from sangyu.care.orders import services as orders
from sangyu.care.orders.models import Order
from sangyu.care.orders.selectors import orders_visible
from sangyu.care.orders.services import home_code
from sangyu.care.vouchers import services as vouchers
from sangyu.care.vouchers.models import Voucher
from sangyu.kernel import jobs
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Forbidden, Invalid
from sangyu.kernel.ledger.models import Account as Ledger
from sangyu.kernel.models import DataRead
from sangyu.kernel.scoping import scope
from sangyu.registry.accounts.models import Account
from sangyu.registry.dossier import services as dossier
from sangyu.registry.lifeevents import services as lifeevents
from sangyu.registry.people import services as people
from sangyu.registry.people.models import Consent, Contact, Person
from sangyu.surfaces.casefile.file import File
from sangyu.surfaces.casefile.timeline import Cursor, timeline
from support.pages import client_for

pytestmark = pytest.mark.django_db
TABS = ["page", "basic", "family", "services", "vouchers", "files", "events", "history"]


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


def share(world, audience, subject, kind):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sangyu.share(%s, %s, %s, %s, %s, NULL, 'test')",
            [audience, subject, kind, world.person.pk, world.person.path],
        )


def test_provider_and_relative_see_only_what_is_shared_and_no_changes(world, staff):
    assert get(world.manager, "page", world.person.pk).status_code == 404
    share(world, "provider", world.organisation.pk, "person")
    for kind in ("person", "visits", "vouchers"):
        share(world, "family", 77, kind)
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


def test_after_a_death_the_page_is_still_and_shows_the_check_list(world):
    ordered(world)
    lifeevents.record(
        actor=world.desk, person_id=world.person.pk, kind="death", on=date(2026, 10, 13), source="死亡证明",
        reported_by="family",
    )  # fmt: skip
    page = text(get(world.desk, "page", world.person.pk))
    assert "case--gone" in page
    assert reverse("hotline:desk") + f"?person={world.person.pk}" not in page
    assert reverse("people:edit", args=[world.person.pk]) not in page
    assert (
        page.count("st--bad") == 6
    )  # orders, agreements, vouchers, overuse wait for their jobs; subsidies for a person
    jobs.run_due()
    page = text(get(world.desk, "page", world.person.pk))
    assert "已取消 1 项" in page
    assert page.count("st--bad") == 1
    life = text(get(world.desk, "events", world.person.pk))
    assert ("死亡证明" in life, "停发或重新核定补贴" in life) == (True, True)
    used = text(get(world.desk, "after_death", world.person.pk))
    assert "去世后未使用服务" in used


def test_used_after_death_is_for_staff_and_the_dead(world, staff):
    assert get(world.desk, "after_death", world.person.pk).status_code == 404
    people.record_death(actor=world.desk, person_id=world.person.pk, died_on=date(2026, 10, 13), source="死亡证明")
    assert get(world.desk, "after_death", world.person.pk).status_code == 200
    assert get(staff("b"), "after_death", world.person.pk).status_code == 404


# ---------------------------------------------------------------- the timeline
def walk(world, show="", most=7):
    """All entries by "earlier", page by page."""
    seen, before = [], None
    with scope(world.desk):
        while True:
            file = File(world.desk, world.person.pk)
            entries, before = timeline(file, show, before, most)
            seen += entries
            if before is None:
                return seen
            before = Cursor.read(str(before))


def test_earlier_goes_through_everything_once_and_in_order(world, staff):
    """Keyset paging over all rooms: nothing skipped, nothing twice, whatever the page size."""
    funded(world, staff)
    for day in range(2, 9):
        ordered(world, days=day)
    for n in range(12):
        people.update_basic(actor=world.desk, person_id=world.person.pk, changes={"needs": f"第 {n} 次"}, reason="走访")
    dossier.check_files(actor=world.desk, person_ids=[world.person.pk], on=timezone.localdate(), way="visit")
    lifeevents.record(
        actor=world.desk,
        person_id=world.person.pk,
        kind="hospital",
        on=date(2026, 10, 13),
        source="家属",
        place="中心医院",
    )
    whole = walk(world, most=500)
    keys = [e.key for e in whole]
    assert keys == sorted(keys, reverse=True)
    assert len(set(keys)) == len(keys)
    for most in (1, 3, 7, 50):
        assert [e.key for e in walk(world, most=most)] == keys, most
    shown = {e.show for e in whole}
    assert shown == {"service", "money", "change", "life", "paper"}
    for show in shown:
        assert [e.key for e in walk(world, show, 4)] == [e.key for e in whole if e.show == show], show


def test_what_is_written_meanwhile_moves_no_page(world):
    for n in range(6):
        people.update_basic(actor=world.desk, person_id=world.person.pk, changes={"needs": f"第 {n} 次"})
    with scope(world.desk):
        first, before = timeline(File(world.desk, world.person.pk), "", None, 4)
    people.update_basic(actor=world.desk, person_id=world.person.pk, changes={"needs": "新的"})
    with scope(world.desk):
        second, _end = timeline(File(world.desk, world.person.pk), "", before, 50)
    assert not {e.key for e in first} & {e.key for e in second}


def test_the_page_goes_on_below_the_last_entry(world):
    for n in range(30):
        people.update_basic(actor=world.desk, person_id=world.person.pk, changes={"needs": f"第 {n} 次"})
    page = text(get(world.desk, "page", world.person.pk))
    more = html.unescape(re.search(r'href="([^"]*before=[^"]*)#timeline"', page)[1])
    assert page.count("<li") > 20
    older = client_for(world.desk).get(more)
    assert older.status_code == 200
    assert "第 1 次" in text(older)
    part = re.search(r"before=(.*)", more)[1]
    alone = get(world.desk, "timeline", world.person.pk, query=f"?before={part}",
                headers={"HX-Request": "true", "HX-Target": "earlier"})  # fmt: skip
    assert text(alone).startswith("<li")
    for damaged in ("x", "2026-01-01~0~1", "2026-01-01T00:00:00+08:00~a~1"):
        assert get(world.desk, "page", world.person.pk, query="?" + urlencode({"before": damaged})).status_code == 422


def test_looks_are_shown_to_those_who_may_see_them_and_never_guarded_notes(world, staff):
    """R-028: the opening of a guarded note stands in no timeline."""
    people.reveal(actor=world.desk, person_id=world.person.pk, field="phone", purpose="核对号码")
    people.write_guarded_note(actor=world.desk, person_id=world.person.pk, topic="property", body="房产纠纷机密")
    people.read_guarded_notes(actor=world.desk, person_id=world.person.pk, purpose="立案机密")
    shown = text(get(world.desk, "page", world.person.pk, query="?show=read"))
    assert "核对号码" in shown
    plain = staff("a", permissions=["people.view"])
    assert "核对号码" not in text(get(plain, "page", world.person.pk, query="?show=read"))
    for tab in TABS:
        page = text(get(world.desk, tab, world.person.pk))
        assert ("房产纠纷机密" in page, "立案机密" in page) == (False, False), tab
    assert "机密" not in shown
    assert "没有找到" in text(get(world.desk, "search", query="?q=机密"))


# ---------------------------------------------------------------- family access by part
def test_a_daughter_sees_only_the_parts_of_the_consent_and_nothing_after_withdrawal(world, staff):
    """R-027: her view follows the consent, part by part, at once."""
    funded(world, staff)
    ordered(world)
    contact = people.add_contact(
        actor=world.desk, person_id=world.person.pk, name="李梅", relation="3", phone="13904170009"
    )
    given = {"actor": world.desk, "person_id": world.person.pk, "contact_id": contact.pk, "version": "2026-1",
             "given_on": date(2026, 10, 1), "today": date(2026, 11, 1)}  # fmt: skip
    for wrong in (
        {"proof": "paper"},
        {"proof": "oral"},
        {"proof": "moon"},
        {"proof": "oral", "witness": "宋佳", "parts": ["moon"]},
    ):
        with pytest.raises(Invalid):
            people.open_family_access(**{"parts": ["visits"], **given, **wrong})
    assert not Consent.objects.exists()
    assert not Account.objects.filter(name="李梅").exists()
    people.open_family_access(**given, parts=["visits"], proof="oral", witness="宋佳")
    account = Account.objects.get(name="李梅")
    daughter = replace(world.family, account_id=account.pk, subject_id=account.pk, name="李梅")
    assert get(daughter, "page", world.person.pk).status_code == 200
    assert "助洁" in text(get(daughter, "services", world.person.pk))
    assert "400.00" not in text(get(daughter, "vouchers", world.person.pk))
    with scope(daughter):
        assert (Order.objects.count(), Voucher.objects.count(), Ledger.objects.count()) == (1, 0, 0)
    people.open_family_access(**given, parts=["vouchers"], proof="oral", witness="宋佳")
    with scope(daughter):
        assert (Order.objects.count(), Voucher.objects.count()) == (0, 1)
    assert "助洁" not in text(get(daughter, "services", world.person.pk))
    live = Consent.objects.get(withdrawn_on__isnull=True)
    people.withdraw_consent(actor=world.desk, consent_id=live.pk, withdrawn_on=date(2026, 10, 20), reason="本人要求",
                            today=date(2026, 11, 1))  # fmt: skip
    for tab in ("page", "services", "vouchers", "family"):
        assert get(daughter, tab, world.person.pk).status_code == 404, tab
    with scope(daughter):
        assert (Order.objects.count(), Voucher.objects.count(), Person.objects.count()) == (0, 0, 0)
    kept = text(get(world.desk, "family", world.person.pk))
    assert ("宋佳" in kept, "服务券及使用" in kept) == (True, True)  # the record remains


def test_a_relative_without_visits_cannot_order(world):
    """Nothing is written for whom the part is missing: the answer is a refusal, no error of ours."""
    share(world, "family", 77, "person")
    with pytest.raises(Forbidden):
        orders.request(
            actor=world.family, person_id=world.person.pk, item_code="cleaning",
            planned_start=world.now + timedelta(days=3), channel="web", requested_by="女儿", now=world.now,
        )  # fmt: skip
    assert not Order.objects.exists()


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
