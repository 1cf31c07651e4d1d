"""Vouchers on paper: three to a sheet with amount in words and code; who may print; the look is logged (R-069)."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from sangyu.care.vouchers import documents
from sangyu.care.vouchers import services as vouchers
from sangyu.care.vouchers.models import Issue, Voucher
from sangyu.kernel import printing
from sangyu.kernel.models import DataRead
from support.pages import client_for
from support.world import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def issued(world, staff, regions):
    """Five paper vouchers of 120.50 yuan in county A."""
    people = [world.person, *(make_person(regions["a_one"], f"老人{n}") for n in range(4))]
    where = {"region_id": world.region.pk, "path": world.region.path}
    terms = vouchers.publish_programme(
        actor=staff("a"),
        name="服务券",
        face_amount=12050,
        valid_from=date(2026, 1, 1),
        categories=["cleaning"],
        **where,
    )
    return vouchers.issue(
        actor=staff("a"), programme_id=terms.pk, person_ids=[p.pk for p in people], day=date(2026, 10, 1), paper=True,
        **where,
    )  # fmt: skip


@pytest.fixture
def printed(monkeypatch):
    """What the template is given, sheet by sheet; the PDF is made all the same."""
    found = []
    real = printing.pdf

    def pdf(template, data):
        found.append(data)
        return real(template, data)

    monkeypatch.setattr(printing, "pdf", pdf)
    return found


def test_an_issue_is_printed_with_amount_in_words_and_code(issued, staff, printed):
    answer = client_for(staff("a")).get(f"/vouchers/issues/{issued.pk}/sheets/")
    assert (answer.status_code, answer["Content-Type"], answer.content[:5]) == (200, "application/pdf", b"%PDF-")
    shown = printed[0]["vouchers"]
    assert [(v["amount"], v["in_words"]) for v in shown] == [("120.50", "壹佰贰拾元伍角整")] * 5
    assert {v["code"] for v in shown} == set(Voucher.objects.values_list("serial", flat=True))
    assert all(v["qr"].startswith("<svg") for v in shown)
    assert (shown[0]["first"], shown[0]["last"]) == ("2026-10-01", "2026-10-31")
    assert DataRead.objects.filter(what="vouchers.sheet").count() == 5


def test_one_voucher_and_parts(issued, staff, monkeypatch, printed):
    client = client_for(staff("a"))
    one = Voucher.objects.first()
    assert client.get(f"/vouchers/{one.pk}/sheet/").status_code == 200
    monkeypatch.setattr(documents, "PART", 4)
    assert client.get(f"/vouchers/issues/{issued.pk}/sheets/?part=2").status_code == 200
    assert [len(data["vouchers"]) for data in printed] == [1, 1]
    for part in ("3", "0", "x"):
        assert client.get(f"/vouchers/issues/{issued.pk}/sheets/?part={part}").status_code == 404


def test_another_county_and_a_missing_permission(issued, staff):
    one = Voucher.objects.first()
    for url in (f"/vouchers/{one.pk}/sheet/", f"/vouchers/issues/{issued.pk}/sheets/"):
        assert client_for(staff("b")).get(url).status_code == 404
        assert client_for(staff("a", permissions=["vouchers.view"])).get(url).status_code == 403
    assert DataRead.objects.count() == 0
    assert Issue.objects.get().issued_at < timezone.now() + timedelta(days=1)
