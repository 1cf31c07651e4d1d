"""Data kept for a statute only are not shown, not handed out and not changed (PIPL 47, X-01, ADR 0018)."""

import io
import json
from dataclasses import replace
from datetime import date

import pytest
from django.urls import reverse
from python_calamine import CalamineWorkbook

from sangyu.kernel.errors import Refused
from sangyu.kernel.scoping import scope
from sangyu.registry.people import selectors
from sangyu.registry.people import services as people
from sangyu.registry.people.models import Person
from sangyu.registry.privacy import services
from sangyu.registry.privacy.models import Restriction
from sangyu.ui.models import Export
from support.pages import client_for

pytestmark = pytest.mark.django_db
TODAY = date(2026, 10, 14)


@pytest.fixture
def files(regions, staff):
    """A restricted elder and one beside."""
    actor = staff("a")
    made = [
        people.register(
            actor=actor, name=name, region_id=regions["a_one"].pk, source="test", sex="2", birth_date=date(1942, 3, 8),
            phone=phone, address="清华社区 12 号楼", today=TODAY,
        ) for name, phone in (("王桂兰", "13804170001"), ("赵秀英", "13804170002"))
    ]  # fmt: skip
    row = services.enter_paper(actor=actor, person_id=made[0].pk, kind="deletion", asked_name="王桂兰")
    services.take(actor=actor, request_id=row.pk)
    made[0].deletion = services.erase(actor=actor, request_id=row.pk)
    return made


@pytest.fixture
def clerk(staff):
    """Everything but deciding about restricted files."""
    actor = staff("a")
    return replace(actor, permissions=actor.permissions - {"people.restricted", "privacy.erase"})


def test_edits_are_refused_and_the_one_who_decides_may(files, clerk, staff):
    gone, beside = files
    day = {"valid_from": TODAY, "source": "x"}
    for act in (
        lambda: people.update_basic(actor=clerk, person_id=gone.pk, changes={"address": "别处"}),
        lambda: people.record_fact(actor=clerk, person_id=gone.pk, kind="living", value="alone", **day),
        lambda: people.add_contact(actor=clerk, person_id=gone.pk, name="李", relation="2"),
        lambda: people.reveal(actor=clerk, person_id=gone.pk, field="phone", purpose="x"),
        lambda: people.merge(actor=clerk, kept_id=beside.pk, gone_id=gone.pk, reason="x"),
    ):
        with pytest.raises(Refused) as e:
            act()
        assert e.value.code == "people.restricted"
    stated = [(gone.pk, "alone", "x"), (beside.pk, "alone", "x")]
    assert people.state_facts(actor=clerk, kind="living", stated=stated, valid_from=TODAY) == {beside.pk}
    assert people.confirm_checks(actor=clerk, person_ids=[gone.pk, beside.pk], on=TODAY, today=TODAY) == 1
    assert Person.objects.get(pk=gone.pk).address == "清华社区 12 号楼"
    people.update_basic(actor=staff("a"), person_id=gone.pk, changes={"address": "别处"})
    assert Person.objects.get(pk=gone.pk).address == "别处"


def test_cards_and_pages_name_the_person_and_nothing_else(files, clerk, staff, client):
    gone = files[0]
    card = selectors.person_card(clerk, gone.pk)
    assert (card.name, card.restricted, card.address, card.birth_date, card.facts) == ("王桂兰", True, "", None, {})
    with scope(clerk):
        assert list(selectors.elders(clerk, TODAY).values_list("name", flat=True)) == ["赵秀英"]
    page = client_for(clerk).get("/people/?cols=name,phone,address,tags").content.decode()
    assert (page.count("王桂兰") > 0, page.count("清华社区 12 号楼"), "受限" in page) == (True, 1, True)
    assert client_for(clerk).get(reverse("people:detail", args=[gone.pk])).status_code == 409
    assert client_for(clerk).get(reverse("casefile:page", args=[gone.pk])).status_code == 409
    assert "受限" in client_for(staff("a")).get(reverse("casefile:page", args=[gone.pk])).content.decode()


def test_exports_leave_the_person_out_and_say_so(files, clerk):
    answer = client_for(clerk).get("/people/?export=xlsx")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(b"".join(answer))).get_sheet_by_index(0).to_python()
    assert [row[0] for row in rows[3:]] == ["赵秀英"]
    assert "1 行未导出" in rows[1][0]
    made = Export.objects.get()
    assert (made.rows, made.left_out) == (1, 1)


def test_the_api_gives_a_name_and_takes_no_change(files, staff):
    from sangyu.surfaces.api.people import PersonOut

    out = json.loads(PersonOut.model_validate(selectors.person_card(staff("a"), files[0].pk)).model_dump_json())
    assert {k: v for k, v in out.items() if v} == {
        "id": files[0].pk, "name": "王桂兰", "sex": "2", "region_id": files[0].region_id, "region_name": out["region_name"],
        "restricted": True,
    }  # fmt: skip


def test_the_restriction_is_lifted_with_a_reason(files, staff, clerk):
    row = files[0].deletion
    services.lift(actor=staff("a"), request_id=row.pk, reason="本人要求恢复服务")
    assert (Restriction.objects.count(), Person.objects.get(pk=files[0].pk).restricted_at) == (0, None)
    people.update_basic(actor=clerk, person_id=files[0].pk, changes={"address": "别处"})
    with pytest.raises(Refused) as e:
        services.lift(actor=staff("a"), request_id=row.pk, reason="再来")
    assert e.value.code == "privacy.not_restricted"
