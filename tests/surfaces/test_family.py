"""The elder edition: ask for a service, see who comes, confirm; nothing of other families (R-078, R-084, ux §6E)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from sangyu.care.emergencies import services as emergencies
from sangyu.care.emergencies.models import Incident
from sangyu.care.orders import services
from sangyu.care.orders.codes import home_code
from sangyu.care.orders.models import Order
from sangyu.care.vouchers import selectors as voucher_selectors
from sangyu.care.vouchers import services as vouchers
from sangyu.kernel.audit import log_read
from sangyu.kernel.models import DataRead, Share
from sangyu.kernel.scoping import scope
from sangyu.registry.accounts import roles
from sangyu.registry.lifeevents import services as lifeevents
from sangyu.registry.lifeevents.models import Notice
from sangyu.registry.people import services as people
from sangyu.registry.people.enums import Part
from sangyu.registry.people.models import Consent, Contact
from sangyu.registry.people.sharing import share_file
from support.emergencies import operator
from support.pages import client_for
from support.people import in_role
from support.world import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(monkeypatch, world):
    """The pages' clock stands at the world's morning; ``clock.now`` moves it."""

    class Clock:
        now = world.now

    monkeypatch.setattr("django.utils.timezone.now", lambda: Clock.now)
    return Clock


def consent(world, person) -> None:
    """Share the elder with account 77, since before the test's clock."""
    with scope(world.desk):
        share_file(77, person, Part.values, "consent")
    Share.objects.update(since=datetime(2020, 1, 1, tzinfo=UTC))


@pytest.fixture
def family(world):
    """The daughter, with whom the elder's file is shared, in her real role."""
    consent(world, world.person)
    return in_role(world.family, "family")


@pytest.fixture
def stranger(world):
    return replace(in_role(world.family, "family"), account_id=78, subject_id=78)


@pytest.fixture
def voucher(world, staff):
    """30 yuan for cleaning."""
    bureau = staff("a")
    programme = vouchers.publish_programme(
        actor=bureau,
        region_id=world.region.pk,
        path=world.region.path,
        name="居家养老服务券",
        face_amount=3000,
        valid_from=date(2026, 1, 1),
        categories=["cleaning"],
    )
    return vouchers.issue(
        actor=bureau,
        programme_id=programme.pk,
        person_ids=[world.person.pk],
        day=world.now.date(),
        region_id=world.region.pk,
        path=world.region.path,
        paper=False,
    )


def test_one_question_a_page_then_the_price_then_the_number(world, family):
    client = client_for(family)
    assert client.get("/")["Location"] == reverse("family:home")
    home = client.get(reverse("family:home"))
    assert home["Location"] == reverse("family:elder", args=[world.person.pk])
    page = client.get(home["Location"]).content.decode()
    for text in ("王桂兰", "九月初五", 'href="tel:12349"'):
        assert text in page
    url = reverse("family:want", args=[world.person.pk])
    day = (timezone.localtime(world.now) + timedelta(days=1)).date()
    assert "助洁" in client.get(url).content.decode()
    assert "item=cleaning" in client.get(url, {"kind": "cleaning"}).content.decode()
    assert f"day={day}" in client.get(url, {"item": "cleaning"}).content.decode()
    assert "hour=15" in client.get(url, {"item": "cleaning", "day": day}).content.decode()
    page = client.get(url, {"item": "cleaning", "day": day, "hour": 15}).content.decode()
    assert "45.00" in page  # 60 yuan less the concession of a quarter
    form = {"item": "cleaning", "day": str(day), "hour": "15", "key": str(uuid4()), "sex": "2", "wishes": "轻声"}
    answer = client.post(url, form)
    assert answer.status_code == 303
    order = Order.objects.get()
    assert (order.state, order.channel, order.requested_by) == ("requested", "web", "李建华")
    assert (order.worker_sex, order.wishes, order.item_name) == ("2", "轻声", "助洁")
    assert timezone.localtime(order.planned_start).hour == 15
    assert order.number in client.get(answer["Location"]).content.decode()
    assert client.post(url, form)["Location"] == answer["Location"]  # pressed twice
    assert Order.objects.count() == 1
    desk = client_for(world.desk)
    assert order.number in desk.get(reverse("orders:list") + "?state=requested").content.decode()
    assert services.receive(actor=world.desk, order_id=order.pk).self_pay == 4500


def test_a_wrong_answer_changes_nothing_and_names_12349(world, family):
    client = client_for(family)
    url = reverse("family:want", args=[world.person.pk])
    for form in ({"item": "nothing"}, {"item": "cleaning", "day": "2020-01-01", "hour": "9", "key": str(uuid4())}):
        answer = client.post(url, form)
        assert (answer.status_code, "tel:12349" in answer.content.decode()) == (422, True)
    day = str((timezone.localtime(world.now) + timedelta(days=1)).date())
    assert client.post(url, {"item": "cleaning", "day": day, "hour": "9", "key": "x"}).status_code == 422
    assert client.get(url, {"day": "2026-99-99", "item": "cleaning"}).status_code == 200
    assert Order.objects.count() == 0


@pytest.fixture
def done(world, family, clock):
    """A cleaning visit, asked for by the family and done this afternoon."""
    order = services.request(
        actor=family,
        person_id=world.person.pk,
        item_code="cleaning",
        planned_start=world.now + timedelta(hours=5),
        channel="web",
        requested_by="李建华",
    )
    services.receive(actor=world.desk, order_id=order.pk)
    services.offer(
        actor=world.desk, order_id=order.pk, organisation_id=world.organisation.pk, worker_id=world.cleaner.pk
    )
    worker = in_role(replace(world.worker, subject_id=world.cleaner.pk, name="何永强"), "worker")
    services.accept(actor=worker, order_id=order.pk)
    clock.now += timedelta(hours=5)
    services.arrive(actor=worker, order_id=order.pk, code=home_code(world.person.pk))
    clock.now += timedelta(hours=2)
    return services.finish(actor=worker, order_id=order.pk, items=["擦窗"])


def test_who_came_is_named_and_the_service_is_confirmed_with_stars(world, family, voucher, done):
    client = client_for(family)
    elder = world.person.pk
    assert "何永强" in client.get(reverse("family:elder", args=[elder])).content.decode()
    page = client.get(reverse("family:visit", args=[elder, done.pk])).content.decode()
    for text in ("何永强", "擦窗", "15.00", "30.00", "★★★★★"):
        assert text in page
    assert "30.00" in client.get(reverse("family:vouchers", args=[elder])).content.decode()
    confirm = reverse("family:act", args=[elder, done.pk, "confirm"])
    assert client.post(confirm, {}).status_code == 422
    assert client.post(confirm, {"rating": "9"}).status_code == 422
    assert Order.objects.get(pk=done.pk).state == "done"
    assert client.post(confirm, {"rating": "5", "comment": "很干净"}).status_code == 303
    order = Order.objects.get(pk=done.pk)
    assert (order.state, order.rating, order.comment, order.confirmed_by) == ("confirmed", 5, "很干净", "李建华")
    with scope(family):
        found = voucher_selectors.vouchers_of_person(family, elder).get()
        assert (found.available, found.held) == (0, 0)
    assert "5 / 5" in client.get(reverse("family:visit", args=[elder, done.pk])).content.decode()


def test_objection_and_cancelling(world, family, done, clock):
    client = client_for(family)
    elder = world.person.pk
    wrong = reverse("family:act", args=[elder, done.pk, "object"])
    assert client.post(wrong, {"reason": " "}).status_code == 422
    assert client.post(wrong, {"reason": "没有擦窗"}).status_code == 303
    assert Order.objects.get(pk=done.pk).state == "disputed"
    assert client.post(reverse("family:act", args=[elder, done.pk, "cancel"])).status_code == 409
    second = services.request(
        actor=family,
        person_id=elder,
        item_code="cleaning",
        planned_start=clock.now + timedelta(days=2),
        channel="web",
        requested_by="李建华",
    )
    assert client.post(reverse("family:act", args=[elder, second.pk, "cancel"])).status_code == 303
    assert Order.objects.get(pk=second.pk).state == "cancelled"


def test_another_family_sees_nothing(world, stranger, done):
    client = client_for(stranger)
    elder = world.person.pk
    for name in ("elder", "emergency", "vouchers", "family", "want", "visits"):
        assert client.get(reverse(f"family:{name}", args=[elder])).status_code == 404
    assert client.get(reverse("family:visit", args=[elder, done.pk])).status_code == 404
    assert client.post(reverse("family:act", args=[elder, done.pk, "confirm"]), {"rating": "5"}).status_code == 404
    assert client.post(reverse("family:want", args=[elder]), {}).status_code == 404
    page = client.get(reverse("family:home")).content.decode()
    assert "王桂兰" not in page
    assert "tel:12349" in page
    assert client_for(world.desk).get(reverse("family:elder", args=[elder])).status_code == 403
    assert Order.objects.get(pk=done.pk).state == "done"


def test_several_elders_are_chosen_from_and_orders_stay_with_theirs(world, family, regions, done):
    other = make_person(regions["a_two"], "陈国栋")
    consent(world, other)
    client = client_for(family)
    page = client.get(reverse("family:home")).content.decode()
    assert "王桂兰" in page
    assert "陈国栋" in page
    assert client.get(reverse("family:visit", args=[other.pk, done.pk])).status_code == 404
    for name in ("elder", "emergency", "vouchers", "family", "want", "visits"):
        assert client.get(reverse(f"family:{name}", args=[other.pk])).status_code == 200


def test_the_elder_calls_for_help_from_the_telephone(world, family, stranger, clock):
    """R-094: two presses, one case however often; then what happens now. A look leaves no trace, a relative's is logged once."""
    elder = replace(family, role="elder", permissions=roles.role("elder").permissions)
    client, address = client_for(elder), reverse("family:emergency", args=[world.person.pk])
    assert address in client.get(reverse("family:elder", args=[world.person.pk])).text
    page = client.get(address).text
    assert ("要帮忙，快来人" in page, 'href="tel:120"' in page, "Refresh" in page) == (True, True, False)
    assert not Incident.objects.exists()
    answer = client.post(address)
    case = Incident.objects.get()
    assert (case.source, case.level, case.kind, case.person_id, case.state) == (
        "app",
        1,
        "sos",
        world.person.pk,
        "open",
    )
    called = reverse("family:called", args=[world.person.pk, case.pk])
    assert answer["Location"] == called
    page = client.get(called)
    assert (page["Refresh"], "12349 已收到求助" in page.text, 'href="tel:12349"' in page.text) == ("15", True, True)
    assert (client.post(address)["Location"], Incident.objects.get().repeats) == (called, 2)
    assert "正在叫人帮忙" in client.get(address).text
    assert not DataRead.objects.exists()
    daughter = client_for(family)
    assert [daughter.get(called).status_code for _n in range(2)] == [200, 200]
    assert DataRead.objects.filter(what="emergencies.family").count() == 1
    desk = operator(world.region, "王丽")
    with scope(desk):
        emergencies.claim(actor=desk, incident_id=case.pk, now=clock.now)
    assert "王丽正在处理" in daughter.get(called).text
    for who, url in (
        (stranger, called),
        (stranger, address),
        (family, reverse("family:called", args=[world.person.pk, 10**9])),
    ):
        assert client_for(who).get(url).status_code == 404
    assert client_for(stranger).post(address).status_code == 404
    watcher = replace(family, permissions=family.permissions - {"emergencies.raise"})
    assert "要帮忙" not in client_for(watcher).get(address).text
    assert client_for(watcher).post(address).status_code == 403
    assert Incident.objects.count() == 1


HERE = {"latitude": "41.81", "longitude": "123.43", "accuracy": "12"}


def test_the_elders_own_telephone_tells_its_place_and_no_call_waits_for_it(world, family, stranger):
    """R-094: with the press when the browser knew, else after it; nonsense and a relative's place count for nothing."""
    own = client_for(replace(family, role="elder", permissions=roles.role("elder").permissions))
    relative, address = client_for(family), reverse("family:emergency", args=[world.person.pk])
    assert [("family/place.js" in c.get(address).text, 'name="latitude"' in c.get(address).text) for c in (own, relative)] == [
        (True, True), (False, False),
    ]  # fmt: skip
    home = (world.person.latitude, world.person.longitude)
    for who, told in ((relative, HERE), (own, {"latitude": "nan", "longitude": "", "accuracy": "x"})):
        assert who.post(address, told).status_code == 303
        case = Incident.objects.get()
        assert (case.latitude, case.longitude, case.placed_at) == (*home, None)
    place = reverse("family:tell_place", args=[world.person.pk, case.pk])
    called = reverse("family:called", args=[world.person.pk, case.pk])
    assert [place in c.get(called).text for c in (own, relative)] == [True, False]
    assert [client_for(stranger).post(place, HERE).status_code, relative.post(place, HERE).status_code] == [404, 403]
    assert own.post(place, HERE | {"accuracy": "90000"}).status_code == 204
    case.refresh_from_db()
    assert (case.latitude, case.placed_at) == (home[0], None)
    assert [own.post(place, HERE).status_code, own.post(place, HERE | {"latitude": "41.8101"}).status_code] == [
        204,
        204,
    ]
    case.refresh_from_db()
    assert (case.latitude, case.longitude, case.accuracy) == (41.81, 123.43, 12.0)
    assert case.trail.filter(what="note", data__place="phone").count() == 1
    assert "12349 已看到您的位置" in own.get(called).text
    Incident.objects.filter(pk=case.pk).update(state="closed", closed_at=timezone.now(), outcome="helped", cause="fall")
    assert own.post(place, HERE).status_code == 409
    assert own.post(address, HERE).status_code == 303
    assert "允许报告位置" in Incident.objects.exclude(pk=case.pk).get().text
    assert Incident.objects.exclude(pk=case.pk).values_list("latitude", "longitude", "accuracy").get() == (41.81, 123.43, 12.0)  # fmt: skip


def test_the_size_of_type_is_kept_in_the_browser(world, family):
    client = client_for(family)
    url = reverse("family:elder", args=[world.person.pk])
    assert 'class="phone eh ty-1"' in client.get(url).content.decode()
    answer = client.post(reverse("family:type"), {"size": "3", "next": url})
    assert (answer.status_code, answer["Location"]) == (303, url)
    assert 'class="phone eh ty-3"' in client.get(url).content.decode()
    assert client.post(reverse("family:type"), {"size": "9"}).status_code == 422
    assert client.post(reverse("family:type"), {"size": "0", "next": "https://elsewhere.example/"})["Location"] == (
        reverse("family:home")
    )


# ---------------------------------------------------------------- relatives and news
@pytest.fixture
def elder(world):
    """The elder's own account, linked with the own file."""
    with scope(world.desk):
        people.link_account(actor=world.desk, person_id=world.person.pk, account_id=77)
    Share.objects.update(since=datetime(2020, 1, 1, tzinfo=UTC))
    return in_role(world.family, "elder")


def test_the_elder_lets_a_relative_in_by_part_and_out_again(world, elder, stranger):
    """R-027: consent by part, given by the elder's own account."""
    client, page = client_for(elder), reverse("family:invite", args=[world.person.pk])
    assert "用手机号登录" in client.get(page).content.decode()
    given = {"who": "new", "name": "李建华", "relation": "2", "phone": "13804170055", "parts": ["visits"]}
    assert client.post(page, given | {"phone": "1"}).status_code == 422
    assert client.post(page, {"parts": ["visits"]}).status_code == 422
    assert (Contact.objects.count(), Consent.objects.count()) == (0, 0)
    assert client.post(page, given).status_code == 303
    consent, contact = Consent.objects.get(), Contact.objects.get()
    assert (consent.parts, consent.proof, consent.given_by, consent.version) == (
        ["visits"],
        "account",
        "self",
        "2026-1",
    )
    shares = Share.objects.filter(subject_id=contact.account_id, until__isnull=True)
    assert set(shares.values_list("kind", flat=True)) == {"person", "visits"}
    html = client.get(reverse("family:family", args=[world.person.pk])).content.decode()
    assert "李建华" in html
    end = reverse("family:end_access", args=[world.person.pk, contact.pk])
    assert client.post(end).status_code == 303
    assert not shares.exists()
    assert Consent.objects.get().withdrawn_reason == "本人撤回"
    assert client.post(end).status_code == 404


def test_a_relative_lets_nobody_in(world, family, elder):
    """Neither with the right of an elder and a file that is only shared, nor without the right."""
    page = reverse("family:invite", args=[world.person.pk])
    assert client_for(family).get(page).status_code == 403
    Share.objects.update(reason="consent 1")
    given = {"who": "new", "name": "李建华", "relation": "2", "phone": "13804170055", "parts": ["visits"]}
    assert client_for(elder).post(page, given).status_code == 404
    assert Contact.objects.count() == 0


def test_news_is_shown_until_it_is_read(world, family):
    """X-03: a relative reads in the own pages what happened."""
    lifeevents.record(
        actor=world.desk, person_id=world.person.pk, kind="hospital", on=world.now.date(), source="家属", place="中心医院",
        today=world.now.date(), now=world.now,
    )  # fmt: skip
    client, home = client_for(family), reverse("family:elder", args=[world.person.pk])
    assert "1 条消息" in client.get(home).content.decode()
    notice = Notice.objects.get()
    assert "住院" in client.get(reverse("family:notices", args=[world.person.pk])).content.decode()
    assert client.post(reverse("family:notice_read", args=[world.person.pk, notice.pk])).status_code == 303
    assert Notice.objects.get().read_at is not None
    assert "条消息" not in client.get(home).content.decode()


def test_elder_and_relatives_see_who_looked_and_why(world, family, stranger):
    """R-090: silent listening-in and looks at a position stand among the looks."""
    with scope(world.desk):
        log_read(actor=world.desk, what="listen_in", objects=[world.person], purpose="摔倒后三次不接")
    page = client_for(family).get(f"/elder/{world.person.pk}/data/").content.decode()
    assert "通过设备静默监听" in page
    assert "摔倒后三次不接" in page
    assert world.desk.name in page
    assert client_for(stranger).get(f"/elder/{world.person.pk}/data/").status_code == 404
