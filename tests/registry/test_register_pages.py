"""Screens of catalogue, organisations and workforce: every page answers with rows on it, and the acts work."""

from datetime import date, timedelta

import pytest
from django.conf import settings
from django.urls import get_resolver, reverse
from django.utils import timezone

from sangyu.kernel.scoping import scope
from sangyu.registry.accounts.models import Account, Grant
from sangyu.registry.catalogue import services as catalogue
from sangyu.registry.catalogue.models import Package, ServiceItem
from sangyu.registry.organisations import services as organisations
from sangyu.registry.organisations.models import Capability, Contract, Licence, Organisation, Price
from sangyu.registry.workforce import services as workforce
from sangyu.registry.workforce.models import Certificate, Clearance, Duty, Worker

pytestmark = pytest.mark.django_db
CODE = "91350100M000100Y43"


@pytest.fixture
def signed_in(regions, client):
    """Factory: the client signed in with one role in one region."""

    def make(role="bureau", key="city", audience="staff", subject_id=None):
        account = Account.objects.create_user(
            f"u-{role}-{key}", "Mulberry-2026", name="周敏", must_change_password=False
        )
        Grant.objects.create(
            account=account,
            role=role,
            audience=audience,
            region=regions[key],
            path=regions[key].path,
            subject_id=subject_id,
            valid_from=date(2020, 1, 1),
        )
        client.force_login(account)
        return client

    return make


@pytest.fixture
def filled(regions, staff):
    """One of everything in the city; returns the ids by kind."""
    actor, city, today = staff("city"), regions["city"], timezone.localdate()
    text = (settings.DATA / "catalogue" / "s1.yaml").read_text(encoding="utf-8")
    catalogue.load_catalogue(actor=actor, region=city, text=text, filename="s1.yaml", today=today)
    row = organisations.register_organisation(
        actor=actor, region=city, name="康养服务公司", legal_form="enterprise", credit_code=CODE
    )
    given = {"actor": actor, "organisation_id": row.pk}
    organisations.add_licence(**given, kind="business", number="B1", valid_from=date(2020, 1, 1))
    organisations.approve(**given)
    organisations.add_capability(**given, category="cleaning", area=city, valid_from=date(2020, 1, 1))
    organisations.add_contact(**given, name="王某", phone="13800000001")
    organisations.set_mode(**given, mode="delegated", valid_from=date(2020, 1, 1))
    organisations.set_price(**given, item_code="cleaning", unit_price=3000, valid_from=today, today=today)
    contract = organisations.draft_contract(
        **given, region=city, number="HT-1", title="购买服务", valid_from=today, valid_to=today + timedelta(days=365)
    )
    organisations.set_price(
        actor=actor, contract_id=contract.pk, item_code="cleaning", unit_price=2000, valid_from=today, today=today
    )
    made = workforce.hire(**given, name="刘敏", sex="2", phone="13800001111", today=today)
    for kind in ("entry_training", "health_check", "background_check"):
        workforce.add_clearance(actor=actor, worker_id=made.pk, kind=kind, valid_from=date(2020, 1, 1))
    workforce.add_certificate(actor=actor, worker_id=made.pk, skill="care", number="C1", valid_from=date(2020, 1, 1))
    workforce.admit(actor=actor, worker_id=made.pk)
    workforce.publish_duty(
        actor=actor, region=city, post="nurse", title="护士职责", text="守时", valid_from=date(2020, 1, 1)
    )
    with scope(actor):
        return {
            "catalogue": ServiceItem.objects.get(code="cleaning").pk,
            "catalogue:package": Package.objects.first().pk,
            "organisations": row.pk,
            "organisations:licence-end": Licence.objects.get().pk,
            "organisations:licence-paper": Licence.objects.get().pk,
            "organisations:capability-end": Capability.objects.get().pk,
            "organisations:price-end": Price.objects.get(contract=None).pk,
            "organisations:contract": contract.pk,
            "workforce": made.pk,
            "workforce:of": row.pk,
            "workforce:new": row.pk,
            "workforce:certificate-end": Certificate.objects.get().pk,
            "workforce:certificate-paper": Certificate.objects.get().pk,
            "workforce:clearance-end": Clearance.objects.first().pk,
            "workforce:clearance-paper": Clearance.objects.first().pk,
            "workforce:duty": Duty.objects.get().pk,
        }


def addresses(namespace):
    """(url name, takes a key) of a room."""
    resolver = get_resolver().namespace_dict[namespace][1]
    return sorted((p.name, "<" in str(p.pattern)) for p in resolver.url_patterns)


def key_of(filled, name):
    if name in filled:
        return filled[name]
    if name.startswith("organisations:contract") and name != "organisations:contract-new":
        return filled["organisations:contract"]
    if name.startswith("catalogue:package"):
        return filled["catalogue:package"]
    if name.startswith("workforce:duty"):
        return filled["workforce:duty"]
    return filled[name.split(":")[0]]


@pytest.mark.parametrize("room", ["catalogue", "organisations", "workforce"])
def test_every_page_of_the_room_answers(signed_in, filled, room):
    client = signed_in()
    for name, takes_key in addresses(room):
        url = reverse(f"{room}:{name}", args=[key_of(filled, f"{room}:{name}")] if takes_key else [])
        response = client.get(url, follow=True)
        assert response.status_code == 200, (url, response.status_code)
        assert b"style=" not in response.content, url


def test_lists_show_their_rows_and_export(signed_in, filled):
    client = signed_in()
    for url, word in (
        (reverse("catalogue:list") + "?q=zhujie", "助洁"),
        (reverse("catalogue:list") + "?category=bathing", "上门助浴"),
        (reverse("organisations:list") + "?capabilities__category=cleaning", "康养服务公司"),
        (reverse("organisations:detail-licences", args=[filled["organisations"]]), "B1"),
        (reverse("organisations:detail-prices", args=[filled["organisations"]]), "30.00"),
        (reverse("organisations:contracts"), "HT-1"),
        (reverse("organisations:contract-prices", args=[filled["organisations:contract"]]), "20.00"),
        (reverse("workforce:list"), "138****1111"),
        (reverse("workforce:of", args=[filled["organisations"]]), "刘敏"),
        (reverse("workforce:detail-certificates", args=[filled["workforce"]]), "C1"),
    ):
        assert word in client.get(url).content.decode(), url
    response = client.get(reverse("workforce:list") + "?export=xlsx")
    assert (response.status_code, response.content[:2] if not response.streaming else b"PK") == (200, b"PK")


def test_may_be_sent_explains(signed_in, filled):
    client = signed_in()
    url = reverse("workforce:detail-check", args=[filled["workforce"]])
    at = f"{timezone.localdate() + timedelta(days=1)}T10:00"
    yes = client.get(url, {"item": "personal-care", "at": at}).content.decode()
    assert "note--ok" in yes
    no = client.get(url, {"item": "counselling", "at": at}).content.decode()
    assert "note--bad" in no


def test_forms_save_through_services(signed_in, filled, regions):
    client, today = signed_in(), timezone.localdate()
    answer = client.post(
        reverse("organisations:new"),
        {"name": "李秀兰", "legal_form": "individual", "region": regions["a"].full_name},
    )
    assert answer.status_code == 303
    assert Organisation.objects.get(name="李秀兰").path == regions["a"].path
    answer = client.post(
        reverse("organisations:new"),
        {"name": "坏", "legal_form": "enterprise", "credit_code": CODE[:-1] + "4", "region": regions["a"].full_name},
    )
    assert answer.status_code == 422
    answer = client.post(
        reverse("organisations:licence-new", args=[filled["organisations"]]),
        {"kind": "food", "number": "F1", "valid_from": "2026-01-01", "last_day": "2026-12-31"},
    )
    assert answer.status_code == 303
    assert Licence.objects.get(number="F1").valid_to == date(2027, 1, 1)
    signing = reverse("organisations:contract-sign", args=[filled["organisations:contract"]])
    assert client.post(signing).status_code == 303
    assert Contract.objects.get().state == "active"
    assert client.post(signing).status_code == 409
    answer = client.post(
        reverse("catalogue:edit", args=[filled["catalogue"]]),
        {
            "valid_from": today + timedelta(days=30),
            "name": "助洁",
            "category": "cleaning",
            "unit": "hour",
            "duration_minutes": 90,
            "skill": "none",
            "licence": "none",
            "crew_size": 1,
        },
    )
    assert answer.status_code == 303
    assert ServiceItem.objects.filter(code="cleaning").count() == 2
    answer = client.post(
        reverse("workforce:hours", args=[filled["workforce"]]),
        {"valid_from": today, "weekdays": ["1", "2"], "starts": "08:00", "ends": "17:00"},
    )
    assert answer.status_code == 303
    assert Worker.objects.get().shifts.count() == 2
    answer = client.post(
        reverse("workforce:edit", args=[filled["workforce"]]),
        {"name": "刘敏", "post": "nurse", "sex": "2", "languages": "普通话，辽南话"},
    )
    assert answer.status_code == 303
    assert Worker.objects.get().languages == ["普通话", "辽南话"]
    answer = client.post(reverse("workforce:reveal-phone", args=[filled["workforce"]]))
    assert answer.content.decode() == ""


def test_another_countys_rows_are_not_found_and_missing_permission_is_said(signed_in, filled, staff, regions):
    row = organisations.register_organisation(
        actor=staff("b"), region=regions["b"], name="西市队", legal_form="volunteer_team"
    )
    client = signed_in(key="a")
    assert client.get(reverse("organisations:detail", args=[row.pk])).status_code == 404
    assert client.get(reverse("organisations:detail", args=[filled["organisations"]])).status_code == 200
    client = signed_in(role="community", key="a_one")
    assert client.get(reverse("organisations:detail", args=[filled["organisations"]])).status_code == 200
    assert client.get(reverse("organisations:new")).status_code == 403


def test_a_provider_sees_its_own_record_only(signed_in, filled, staff, regions):
    other = organisations.register_organisation(
        actor=staff("city"), region=regions["city"], name="别家", legal_form="volunteer_team"
    )
    client = signed_in(role="provider_manager", audience="provider", subject_id=filled["organisations"])
    assert client.get(reverse("organisations:detail-contracts", args=[filled["organisations"]])).status_code == 200
    assert client.get(reverse("organisations:detail", args=[other.pk])).status_code == 404
    assert "刘敏" in client.get(reverse("workforce:list")).content.decode()
