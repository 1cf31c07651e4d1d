"""The public notice of results (R-029), and the elder's own page with the door to object (R-029, R-030, R-037)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from sangyu.care.assessments.models import Assessment
from sangyu.registry.people.models import Person
from sangyu.registry.people.sharing import share_file
from support.assessing import NOW, drive
from support.counties import clock
from support.pages import client_for
from support.people import in_role

pytestmark = pytest.mark.django_db


def test_everybody_reads_masked_results_of_a_county_while_they_hang(crew, person):
    drive(crew, person, "published")
    url = reverse("assessments:public_notice", args=["210802"])
    with clock(NOW + timedelta(days=1)):
        assert 'href="/assessments/notices/210802/"' in Client().get(reverse("assessments:notices")).text
        shown = Client().get(url).text
        assert (person.name in shown, shown.count("王*"), "中度失能" in shown, "12349" in shown) == (
            False,
            1,
            True,
            True,
        )
        assert person.address not in shown
        assert client_for(crew.chief).get(url).status_code == 200
        assert Client().get(reverse("assessments:public_notice", args=["210803"])).status_code == 404
        assert Client().get(url + "?place=000001002").text.count("王*") == 0
        Person.objects.filter(pk=person.pk).update(restricted_at=NOW)
        assert Client().get(url).status_code == 404
    Person.objects.filter(pk=person.pk).update(restricted_at=None)
    with clock(NOW + timedelta(days=9)):
        assert Client().get(url).status_code == 404


@pytest.fixture
def relative(world, crew):
    share_file(77, world.person, ["health"], "consent")
    return in_role(replace(world.family, path=world.person.path), "family")


def test_the_elder_reads_the_result_in_plain_words_and_objects(crew, world, relative):
    row = drive(crew, world.person, "decided")
    client, url = client_for(relative), reverse("family:assessed", args=[world.person.pk])
    shown = client.get(url).text
    assert ("每天有些事，有人帮忙会更好" in shown, "健康管理" in shown, "我有异议" in shown) == (True, True, True)
    assert client.post(url, {"assessment": row.pk, "text": " "}).status_code == 422
    assert client.post(url, {"assessment": "0", "text": "不对"}).status_code == 404
    assert Assessment.objects.count() == 1
    assert client.post(url, {"assessment": row.pk, "text": "那天发烧"}).status_code == 303
    row.refresh_from_db()
    again = Assessment.objects.exclude(pk=row.pk).get()
    assert (row.state, row.objection, row.objected_by) == ("objected", "那天发烧", relative.name)
    assert (again.state, again.reason, again.previous_id) == ("applied", "objection", row.pk)
    after = client.get(url).text
    assert ("会请别的评估员重新评估" in after, 'name="assessment"' in after) == (True, False)


def test_without_consent_to_health_there_is_no_page(crew, world, relative):
    drive(crew, world.person, "decided")
    share_file(78, world.person, ["vouchers"], "consent")
    other = replace(relative, account_id=78, subject_id=78)
    assert client_for(other).get(reverse("family:assessed", args=[world.person.pk])).status_code == 404
    assert reverse("family:assessed", args=[world.person.pk]) not in client_for(other).get(
        reverse("family:subsidies", args=[world.person.pk])
    ).text  # fmt: skip


def test_who_may_get_lost_needs_protection(crew, person):
    from sangyu.care.assessments.models import Need
    from sangyu.registry.people.models import PersonFact

    drive(crew, person, "decided", findings={"wandering": "1"})
    fact = PersonFact.objects.get(subject=person, kind="wandering", superseded_at=None)
    assert (fact.value, fact.valid_from, fact.note) == ("yes", (NOW + timedelta(days=8)).date(), "GB/T 42195-2022")
    assert list(Need.objects.order_by("rank").values_list("kind", "rank")) == [
        ("health", 1),
        ("cleaning", 2),
        ("safety", 3),
    ]
    later = NOW + timedelta(days=400)
    drive(crew, person, "decided", now=later)
    held = PersonFact.objects.get(subject=person, kind="wandering", superseded_at=None, valid_to=None)
    assert (held.value, list(Need.objects.filter(ended_on=None).order_by("rank").values_list("kind", flat=True))) == (
        "no", ["health", "cleaning"],
    )  # fmt: skip
