"""Screens of the register, the elder's tab, the family's list (R-089)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import reverse

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.models import DataRead
from sangyu.kernel.scoping import scope
from sangyu.registry.devices import forms, selectors, services
from sangyu.registry.devices.models import Binding, Device, Fee, Setting
from sangyu.registry.people.models import Consent, Contact
from support.equipping import NOW
from support.pages import client_for
from support.people import in_role

pytestmark = pytest.mark.django_db


def test_the_list_and_its_views(bureau, issued, receive, django_assert_max_num_queries):
    receive()
    client = client_for(bureau)
    with django_assert_max_num_queries(14):
        page = client.get("/devices/")
    assert (page.status_code, issued.identity in page.text, "王桂兰" in page.text) == (200, True, True)
    for query, there in (
        ("state=stock", False), ("attention=silent", True), ("attention=battery", False), ("attention=dead", False),
        ("attention=warranty", False), ("q=王桂", True), (f"q={issued.identity[:10]}", True), ("kind=cane", False),
    ):  # fmt: skip
        page = client.get(f"/devices/?{query}")
        assert (page.status_code, "王桂兰" in page.text) == (200, there), query
    Device.objects.filter(pk=issued.pk).update(last_seen_at=NOW, battery=9)
    assert "王桂兰" in client.get("/devices/?attention=battery").text


def test_a_new_device_is_not_silent_before_it_could_have_spoken(bureau, issued):
    """R-089: three supervision intervals count from its issue until it was heard."""
    three = 3 * timedelta(minutes=selectors.product(issued.product).supervision_minutes)
    with scope(bureau):
        rows = selectors.devices_visible(bureau)
        found = [selectors.needing(rows, "silent", NOW + three + timedelta(seconds=s)).count() for s in (0, 1)]
        Device.objects.filter(pk=issued.pk).update(last_seen_at=NOW + three)
        found.append(selectors.needing(rows, "silent", NOW + three + timedelta(seconds=1)).count())
    assert found == [0, 1, 0]


def test_an_exchange_asks_what_only_the_new_device_may_tell(bureau, issued):
    """R-090: a watch told place and health already; what told neither may be replaced by what tells both."""
    questions = {"location", "health_data", "witness"}
    assert not questions & forms.ExchangeForm(actor=bureau, device=issued).fields.keys()
    issued.product = "button-zigbee"
    Consent.objects.all().delete()
    assert questions <= forms.ExchangeForm(actor=bureau, device=issued).fields.keys()
    issued.person_id = None  # in a room of a facility there is nobody to ask
    assert not questions & forms.ExchangeForm(actor=bureau, device=issued).fields.keys()


def test_one_device_with_its_tabs_and_acts(bureau, issued, elder, receive):
    """Each act is one form; after it the page shows the new state."""
    client, new = client_for(bureau), receive()
    address = f"/devices/{issued.pk}/"
    for tab in ("", "repairs/", "fees/", "trail/", "history/"):
        assert client.get(address + tab).status_code == 200, tab
    assert "13900001234" not in client.get(address).text
    assert client.post(f"{address}reveal-sim/").text == "13900001234"
    with scope(bureau):
        assert DataRead.objects.get().what == "sim_phone"
    for act in ("edit", "exchange", "take-back", "lost", "repair", "settings"):
        assert client.get(f"{address}{act}/").status_code == 200, act
    son = Contact.objects.create(person=elder, path=elder.path, name="王强", relation="2", phone="13800000001",
                                 phone_index=b"x" * 16, phone_tail=b"y" * 8)  # fmt: skip
    answer = client.post(f"{address}settings/", {"first": son.pk, "interval": "600", "commands": ["locate_now"]})
    assert answer.status_code == 303, answer.text
    assert (Setting.objects.get().sos_contacts, Setting.objects.get().commands) == ([son.pk], ["locate_now"])
    assert "王强" in client.get(address).text
    assert client.post(f"{address}exchange/", {"new_device_id": new.identity, "reason": "defect"}).status_code == 303
    assert Device.objects.get(pk=new.pk).person_id == elder.pk
    assert client.post(f"{address}restock/", {}).status_code in (204, 303)
    assert Device.objects.get(pk=issued.pk).state == "stock"
    refused = client.post(f"{address}issue/", {"person_id": elder.name})
    assert (refused.status_code, Binding.objects.count()) == (409, 2)
    for address in ("receive/", "import/", "import-bindings/", "fees/", "fees/charge/", "deposits/"):
        assert client.get(f"/devices/{address}").status_code == 200, address


def test_issue_from_the_file_asks_for_what_is_not_known(bureau, watch, elder):
    client = client_for(bureau)
    page = client.get(f"/devices/people/{elder.pk}/issue/")
    assert (page.status_code, "location" in page.text, "health_data" in page.text) == (200, True, True)
    given = {"device_id": watch.identity, "deposit": "100"}
    assert client.post(f"/devices/people/{elder.pk}/issue/", given).status_code == 422
    answer = client.post(
        f"/devices/people/{elder.pk}/issue/",
        given | {"location": "oral", "health_data": "refused", "witness": "王主任"},
    )
    assert (answer.status_code, answer["Location"]) == (303, reverse("casefile:devices", args=[elder.pk]))
    tab = client.get(reverse("casefile:devices", args=[elder.pk]))
    assert (tab.status_code, watch.identity in tab.text, "已同意使用位置信息" in tab.text) == (200, True, True)
    assert "发放设备" in client.get(reverse("casefile:page", args=[elder.pk])).text


def test_the_community_issues_and_does_not_retire(staff, issued):
    client = client_for(in_role(staff("a_one"), "community"))
    page = client.get(f"/devices/{issued.pk}/")
    assert ("take-back" in page.text, "retire" in page.text) == (True, False)
    assert client.post(f"/devices/{issued.pk}/retire/", {"reason": "x"}).status_code == 403
    assert client_for(in_role(staff("a_two"), "community")).get(f"/devices/{issued.pk}/").status_code == 404


def test_fees_and_bulk(bureau, clerk, receive, elder):
    watch = receive(service_fee=1_000)
    services.issue(
        actor=bureau,
        device_id=watch.pk,
        person_id=elder.pk,
        answers={"location": "refused", "health_data": "refused"},
        now=NOW,
    )
    client = client_for(bureau)
    assert client.post("/devices/fees/charge/", {"month": "2026-11-20"}).status_code == 303
    fee = Fee.objects.get()
    assert "10.00" in client.get("/devices/fees/?paid=no").text
    assert client.post(f"/devices/fees/{fee.pk}/paid/", {"paid_on": "2026-11-21", "reference": "7"}).status_code in (
        204,
        303,
    )
    assert "10.00" not in client.get("/devices/fees/?paid=no").text


def test_a_relative_reads_and_an_owner_does_not_see_who(bureau, issued, elder, regions):
    """R-027: the family's list is read only; the owner of a device sees it without its wearer."""
    from sangyu.kernel.models import Share
    from sangyu.registry.organisations.models import Organisation

    relative = in_role(Actor(Audience.FAMILY, elder.path, "女儿", subject_id=7, account_id=7), "family")
    assert client_for(relative).get(reverse("family:devices", args=[elder.pk])).status_code == 404
    Share.objects.create(
        audience="family", subject_id=7, kind="person", object_id=elder.pk, path=elder.path, reason="x", since=NOW
    )
    page = client_for(relative).get(reverse("family:devices", args=[elder.pk]))
    assert (page.status_code, issued.identity in page.text) == (200, True)
    assert client_for(relative).get(f"/devices/{issued.pk}/").status_code in (200, 403)
    owner = Organisation.objects.create(
        name="康腕科技", legal_form="company", region=regions["a"], path=regions["a"].path
    )
    Device.objects.filter(pk=issued.pk).update(owner=owner)
    vendor = in_role(
        replace(bureau, audience=Audience.PROVIDER, subject_id=owner.pk, role="provider_manager"), "provider_manager"
    )
    page = client_for(vendor).get("/devices/")
    assert (page.status_code, issued.identity in page.text, elder.name in page.text) == (200, True, False)
    assert client_for(vendor).get(f"/devices/{issued.pk}/").status_code == 200
