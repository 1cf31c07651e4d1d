"""我的补贴 and the casefile's tab: what comes, why, why not, applying and objecting (X-06, R-027, R-029)."""

import hashlib
from dataclasses import replace
from datetime import date

import pytest
from django.urls import reverse
from django.utils import timezone

from sangyu.care.applications import selectors
from sangyu.care.applications.models import Application, Objection
from sangyu.care.policies.models import PolicyVersion
from sangyu.kernel.scoping import scope
from sangyu.registry.documents.models import Document
from sangyu.registry.people.models import Person, PersonFact
from sangyu.registry.people.sharing import share_file
from support.entitlement import GIVEN
from support.pages import client_for
from support.people import in_role

pytestmark = pytest.mark.django_db


@pytest.fixture
def policy(regions):
    """A policy of the county: 200 yuan a month for people of 60 and over in hardship, on application."""
    here = {"region": regions["a"], "path": regions["a"].path}
    document = Document.objects.create(
        number="试〔2026〕1号", title="试行办法", issuer="民政局", level="county", kind="measures",
        issued_on=date(2026, 1, 1), valid_from=date(2026, 1, 1), **here,
    )  # fmt: skip
    text = GIVEN.format(code="210802").replace(
        "who: age >= 60", "who:\n  - age >= 60\n  - income_category in (minimum_living)"
    )
    return PolicyVersion.objects.create(
        code="home-help", number=1, name="居家服务补贴", subject="person", period="month", text=text,
        digest=hashlib.sha256(text.encode()).hexdigest(), document=document, clause="第五条", state="approved",
        author="甲", approved_by="乙", approved_at=timezone.now(), valid_from=date(2026, 1, 1), **here,
    )  # fmt: skip


@pytest.fixture
def relative(world):
    share_file(77, world.person, ["vouchers"], "consent")
    return in_role(replace(world.family, path=world.person.path), "family")


def test_a_verdict_names_the_clause_that_fails_and_the_row_that_fits(world, policy, staff):
    with scope(staff("a")):
        (found,) = selectors.verdicts(world.person, date(2026, 10, 1))
    assert (found.met, found.amount, found.failed.sentence) == (False, None, "收入类别为低保") or not found.met
    assert found.failed.text == "income_category in (minimum_living)"
    PersonFact.objects.filter(subject=world.person, kind="income_category").update(value="minimum_living")
    with scope(staff("a")):
        (found,) = selectors.verdicts(world.person, date(2026, 10, 1))
    assert (found.met, found.failed.sentence) == (False, "还没有批准的申请")
    Application.objects.create(
        number="SQ1", person=world.person, path=world.person.path, policy_code="home-help", policy_name="居家服务补贴",
        channel="community", applicant="本人", applied_on=date(2026, 9, 20), due_on=date(2026, 10, 20), steps=["county"],
        done=1, state="approved", approved_from=date(2026, 10, 1), decided_at=timezone.now(),
    )  # fmt: skip
    with scope(staff("a")):
        (found,) = selectors.verdicts(world.person, date(2026, 10, 1))
    assert (found.met, found.amount, found.failed, found.on_application) == (True, 20000, None, True)


def test_the_relative_reads_why_not_applies_and_objects(world, policy, relative):
    elder, client = world.person.pk, client_for(relative)
    home = client.get(reverse("family:subsidies", args=[elder]))
    assert (home.status_code, "居家服务补贴" in home.text) == (200, True)
    page = reverse("family:subsidy", args=[elder, "home-help"])
    assert "试行办法" in client.get(page).text
    assert client.post(page, {"act": "apply", "text": "一人生活"}).status_code == 303
    row = Application.objects.get()
    assert (row.person_id, row.channel, row.state, row.steps) == (elder, "family", "submitted", ["county"])
    again = client.post(page, {"act": "apply"})
    assert (again.status_code, Application.objects.count()) == (409, 1)
    assert client.post(page, {"act": "object", "text": ""}).status_code == 422
    assert client.post(page, {"act": "object", "text": "我没有收入"}).status_code == 303
    assert Objection.objects.get().text == "我没有收入"
    stranger = client_for(replace(relative, account_id=78, subject_id=78))
    assert stranger.get(page).status_code == 404


def test_the_tab_shows_every_policy_to_those_who_may(world, policy, staff, relative):
    Person.objects.filter(pk=world.person.pk).update(birth_date=date(1990, 1, 1))
    address = reverse("casefile:subsidies", args=[world.person.pk])
    text = client_for(in_role(staff("a"), "bureau")).get(address + "?month=2026-10").text
    assert "居家服务补贴" in text
    assert "年满60周岁" in text
    assert client_for(in_role(staff("a"), "dispatcher")).get(address).status_code == 403
    assert client_for(relative).get(address).status_code == 200
