"""Screens of assessments: the form on the tablet, the queue, the report, the public notice (R-029, R-030, R-033)."""

from uuid import uuid4

import pytest

from sangyu.care.assessments.models import Assessment, Sheet
from support.api import PIXEL
from support.assessing import drive
from support.pages import client_for
from support.scales import answers_for, scale

pytestmark = pytest.mark.django_db


def test_the_form_keeps_versions_and_tells_a_queue_which(crew, person):
    row = drive(crew, person, "assigned")
    client, url = client_for(crew.one), f"/assessments/{row.pk}/form/"
    page = client.get(url).content.decode()
    assert page.count('class="as-item" id="i-B.') == 26
    assert 'name="base" value="0"' in page
    answers = {f"a-{k}": v for k, v in answers_for(scale("gbt-42195-2022"), 60).items()}
    signed = {f"sign-{k}": f"data:image/png;base64,{PIXEL}" for k in ("lead", "second", "informant")}
    given = {
        **answers, **signed, "base": "0", "client_id": str(uuid4()), "informant": "self", "need-1": "health",
        "need-2": "cleaning", "special": ["tube"], "f-fall": "2", "f-dementia": "none",
    }  # fmt: skip
    sent = client.post(url, given, headers={"X-Queue": "1"})
    assert (sent.status_code, sent["X-Version"], sent["X-Conflict"]) == (204, "1", "")
    again = client.post(url, given, headers={"X-Queue": "1"})
    assert (again["X-Version"], Sheet.objects.count()) == ("1", 1)
    other = client.post(url, {**given, "client_id": str(uuid4()), "a-B.1.1": "0"}, headers={"X-Queue": "1"})
    assert (other["X-Version"], other["X-Conflict"]) == ("2", "1")
    assert "版本差异" in client.get(f"/assessments/{row.pk}/choose/").content.decode()
    assert client.post(f"/assessments/{row.pk}/finish/").status_code == 409
    first = Sheet.objects.get(number=1)
    assert (first.needs, first.special, first.findings["fall"]) == (["health", "cleaning"], ["tube"], 2)
    assert client.post(f"/assessments/{row.pk}/choose/", {"sheet": first.pk}).status_code == 303
    assert client.post(f"/assessments/{row.pk}/finish/").status_code == 303
    row.refresh_from_db()
    assert (row.state, row.level, row.sheet_id) == ("visited", 3, first.pk)
    bad = client.post(url, {"a-B.1.1": "77"}, headers={"X-Queue": "1"})
    assert bad.status_code in (409, 422)
    assert bad["X-Message"]


def test_pages_show_what_was_done(crew, person):
    row = drive(crew, person, "published", findings={"dementia_diagnosis": "1"})
    client = client_for(crew.chief)
    detail = client.get(f"/assessments/{row.pk}/").content.decode()
    assert "重度失能" in detail
    assert "46–65 分" in detail
    assert "确诊痴呆" in detail
    notice = client.get("/assessments/notice/").content.decode()
    assert person.name not in notice
    assert "王*" in notice
    for url in (
        "",
        "due/",
        "demand/",
        "mine/",
        "assessors/",
        "commissions/",
        "scales/",
        "scales/mzt-039-2013/",
        "import/",
    ):
        assert client.get(f"/assessments/{url}").status_code == 200, url
    report = client.get(f"/assessments/{row.pk}/report.pdf")
    assert report.status_code == 200
    assert report.content[:5] == b"%PDF-", report.content[:300]
    for tab in ("sheets", "trail", "history"):
        assert client.get(f"/assessments/{row.pk}/{tab}/").status_code == 200
    assert client.post(f"/assessments/{row.pk}/decide/").status_code == 303  # the notice is over
    assert Assessment.objects.get(pk=row.pk).state == "decided"
    assert client.get(f"/casefile/{person.pk}/assessments/").content.decode().count(row.number) == 1


def test_steps_on_screen_from_the_file_to_the_assessors(crew, person):
    client = client_for(crew.chief)
    made = client.post(f"/assessments/of/{person.pk}/apply/", {"instrument": "gbt-42195-2022", "reason": "first"})
    assert made.status_code == 303
    row = Assessment.objects.get()
    assert made["Location"] == f"/assessments/{row.pk}/"
    form = {"lead_id": crew.lead.pk, "second_id": crew.lead.pk}
    assert client.post(f"/assessments/{row.pk}/assign/", form).status_code == 422
    assert client.post(f"/assessments/{row.pk}/assign/", form | {"second_id": crew.second.pk}).status_code == 303
    row.refresh_from_db()
    assert (row.state, row.lead_id) == ("assigned", crew.lead.pk)
    assert person.name in client_for(crew.one).get("/assessments/mine/").content.decode()
