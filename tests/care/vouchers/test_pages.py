"""Screens of vouchers: each page opens, each act acts, the preview writes nothing."""

import re
from dataclasses import replace
from datetime import date

import pytest
from django.urls import reverse
from django.utils.timezone import localdate

from sangyu.care.vouchers import services
from sangyu.care.vouchers.models import Issue, Programme, Voucher
from sangyu.registry.people.models import Person
from sangyu.ui.models import BulkRow, BulkRun
from support.clients import client_as
from support.pages import client_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(staff, monkeypatch, world):
    return client_as(staff("a"), monkeypatch)


@pytest.fixture
def voucher(world, staff):
    terms = {"name": "服务券", "face_amount": 5000, "valid_from": date(2026, 1, 1), "validity": "year"}
    programme = services.publish_programme(actor=staff("a"), region_id=world.region.pk, path=world.region.path, **terms)
    made = services.issue(
        actor=staff("a"), programme_id=programme.pk, person_ids=[world.person.pk], day=localdate(),
        region_id=world.region.pk, path=world.region.path, paper=True,
    )  # fmt: skip
    return Voucher.objects.get(issue=made)


def text(response):
    return response.content.decode()


def test_every_page_opens(client, voucher):
    for name, args in (
        ("list", []),
        ("detail", [voucher.pk]),
        ("programmes", []),
        ("programme", [voucher.programme_id]),
        ("programme-edit", [voucher.programme_id]),
        ("programme-new", []),
        ("issue", []),
        ("loss", [voucher.pk]),
        ("cancel", [voucher.pk]),
    ):
        response = client.get(reverse(f"vouchers:{name}", args=args))
        assert (name, response.status_code) == (name, 200)
    assert "50.00" in text(client.get(reverse("vouchers:detail", args=[voucher.pk])))


def test_a_programme_is_published_and_changed(client, world):
    form = {
        "name": "助洁券", "region": f"{world.region.full_name} {world.region.code}", "face_amount": "30.50",
        "validity": "month", "unspent": "lapse", "categories": ["cleaning"], "valid_from": "2026-01-01",
    }  # fmt: skip
    assert client.post(reverse("vouchers:programme-new"), {**form, "face_amount": "0"}).status_code == 422
    assert client.post(reverse("vouchers:programme-new"), form).status_code == 303
    programme = Programme.objects.get()
    assert (programme.face_amount, programme.path, programme.categories) == (3050, world.region.path, ["cleaning"])
    form |= {"name": "改名券", "last_day": "2026-12-31"}
    assert client.post(reverse("vouchers:programme-edit", args=[programme.pk]), form).status_code == 303
    programme.refresh_from_db()
    assert (programme.name, programme.valid_to) == ("改名券", date(2027, 1, 1))


def test_issue_shows_a_preview_and_then_issues(client, world, voucher):
    Person.objects.filter(pk=world.person.pk).update(name="王桂兰")
    Voucher.objects.update(period=date(2025, 1, 1))
    form = {
        "programme": voucher.programme_id, "region": f"{world.region.full_name} {world.region.code}",
        "day": localdate().isoformat(), "again": "on", "people": "210802194203080027\n",
    }  # fmt: skip
    assert client.post(reverse("vouchers:issue"), {**form, "again": "", "people": ""}).status_code == 422
    preview = client.post(reverse("vouchers:issue"), form)
    assert preview.status_code == 200
    assert "王桂兰" in text(preview)
    assert "210802194203080027" not in text(preview)
    assert Issue.objects.count() == 1
    token = re.search(r'name="token" value="([^"]+)"', text(preview))[1]
    assert client.post(reverse("vouchers:issue-confirm"), {"token": token}).status_code == 303
    assert (Issue.objects.count(), Voucher.objects.count()) == (2, 2)
    assert client.post(reverse("vouchers:issue-confirm"), {"token": "forged"}).status_code == 303
    assert Issue.objects.count() == 2


def test_loss_reissue_and_cancel(client, voucher):
    assert client.post(reverse("vouchers:loss", args=[voucher.pk]), {"reason": ""}).status_code == 422
    client.post(reverse("vouchers:loss", args=[voucher.pk]), {"reason": "遗失"})
    voucher.refresh_from_db()
    assert voucher.state == "lost"
    client.post(reverse("vouchers:found", args=[voucher.pk]))
    client.post(reverse("vouchers:loss", args=[voucher.pk]), {"reason": "又遗失"})
    client.post(reverse("vouchers:reissue", args=[voucher.pk]))
    new = Voucher.objects.get(replaces=voucher)
    client.post(reverse("vouchers:cancel", args=[new.pk]), {"reason": "不再需要"})
    assert set(Voucher.objects.values_list("state", "account__balance")) == {("replaced", 0), ("cancelled", 0)}


def test_a_sibling_county_sees_nothing(voucher, staff, monkeypatch):
    other = client_as(staff("b"), monkeypatch)
    other.raise_request_exception = False
    for name in ("detail", "loss", "cancel", "reissue"):
        assert other.get(reverse(f"vouchers:{name}", args=[voucher.pk])).status_code == 404
    assert voucher.person.name not in text(other.get(reverse("vouchers:list")))


def test_many_vouchers_are_reported_lost_and_found_or_taken_back(staff, voucher):
    """A result per row; taking back moves money and has no undo (R-072)."""
    client, page = client_for(replace(staff("a"), account_id=7)), reverse("vouchers:list")
    client.post(page, {"bulk": "lost", "ids": [voucher.pk], "sure": "1", "reason": "整本遗失"})
    voucher.refresh_from_db()
    assert voucher.state == "lost"
    client.post(reverse("ui:bulk-undo", args=[BulkRun.objects.get().pk]), {})
    voucher.refresh_from_db()
    assert voucher.state == "active"
    client.post(page, {"bulk": "cancel", "ids": [voucher.pk], "sure": "1", "reason": "错发"})
    run = BulkRun.objects.latest("pk")
    assert (Voucher.objects.get().state, Voucher.objects.get().available) == ("cancelled", 0)
    assert client.post(reverse("ui:bulk-undo", args=[run.pk]), {}).status_code == 409
    client.post(page, {"bulk": "cancel", "ids": [voucher.pk], "sure": "1", "reason": "再来"})
    assert [r.state for r in BulkRow.objects.filter(run=BulkRun.objects.latest("pk"))] == ["refused"]
