"""An area is divided: another community becomes responsible for those who live at some addresses (R-001)."""

import dataclasses
from datetime import date

import pytest

from sangyu.kernel.errors import Forbidden, Invalid, NotVisible
from sangyu.kernel.models import Change, Event, Operation
from sangyu.kernel.scoping import scope
from sangyu.registry.people import areas, services
from sangyu.registry.people.models import Contact, Person, PersonFact
from support.pages import client_for

pytestmark = pytest.mark.django_db
DAY, TODAY = date(2026, 7, 1), date(2026, 10, 15)
MAY = frozenset({"people.view", "people.register", "people.reassign", "people.edit", "people.life_events"})


@pytest.fixture
def elders(regions, staff):
    """Five elders of a_one: three at 渤海大街, two at 平安路."""
    actor = staff("city", permissions=MAY)
    return [
        services.register(
            actor=actor, region_id=regions["a_one"].pk, name="王桂兰", sex="2", birth_date=date(1940, 5, 1 + n),
            address=f"{'渤海大街' if n < 3 else '平安路'}{n}号", source="测试", today=date(2026, 1, 5),
        )
        for n in range(5)
    ]  # fmt: skip


def region_facts(person) -> list[tuple]:
    rows = PersonFact.objects.filter(subject=person, kind="region", superseded_at=None).order_by("valid_from")
    return list(rows.values_list("value", "valid_from", "valid_to"))


def test_by_addresses_then_the_change_and_back(elders, regions, staff):
    """Totals before and after agree; past days keep their region; home and household stay."""
    actor, one, two = staff("city", permissions=MAY), regions["a_one"], regions["a_two"]
    with scope(actor):
        Contact.objects.create(person=elders[0], path=one.path, name="王强", relation="20")
        found = areas.by_addresses(actor, one.pk, ["渤海大街", "没有这条路"])
    assert {part: len(ids) for part, ids in found.items()} == {"渤海大街": 3, "没有这条路": 0, "": 2}
    before = Person.objects.filter(path__startswith=regions["a"].path).count()
    done = areas.reassign(actor=actor, ids=found["渤海大街"], region_id=two.pk, day=DAY, reason="区划调整", today=TODAY)
    assert done.previous == dict.fromkeys(found["渤海大街"], one.pk)
    assert done.refused == {}
    assert Person.objects.filter(path__startswith=regions["a"].path).count() == before
    assert [Person.objects.filter(region=r).count() for r in (one, two)] == [2, 3]
    elders[0].refresh_from_db()
    assert (elders[0].path, elders[0].address) == (two.path, "渤海大街0号")
    assert Contact.objects.get().path == two.path
    start = region_facts(elders[4])[0][1]
    assert region_facts(elders[0]) == [(str(one.pk), start, DAY), (str(two.pk), DAY, None)]
    assert Event.objects.get(name="people.reassigned").payload["count"] == 3
    assert Change.objects.filter(table_name="people_person", op="U", reason="区划调整").count() == 3
    again = areas.reassign(actor=actor, ids=[elders[0].pk], region_id=two.pk, day=DAY, reason="x", today=TODAY)
    assert list(again.refused) == [elders[0].pk]
    areas.reassign(actor=actor, ids=found["渤海大街"], region_id=one.pk, day=DAY, reason="撤销", today=TODAY)
    assert region_facts(elders[0]) == [(str(one.pk), start, DAY), (str(one.pk), DAY, None)]
    assert Person.objects.filter(region=one).count() == 5


def test_who_may_not_and_a_day_to_come_change_nothing(elders, regions, staff):
    ids, two = [e.pk for e in elders], regions["a_two"]
    before = list(Person.objects.order_by("pk").values_list("pk", "path", "region_id"))
    with pytest.raises(Forbidden):
        areas.reassign(actor=staff("city", permissions={"people.view"}), ids=ids, region_id=two.pk, day=DAY, reason="x")
    with pytest.raises(Invalid):
        areas.reassign(
            actor=staff("city", permissions=MAY),
            ids=ids,
            region_id=two.pk,
            day=date(2027, 1, 1),
            reason="x",
            today=TODAY,
        )
    with pytest.raises(NotVisible):
        areas.reassign(actor=staff("b", permissions=MAY), ids=ids, region_id=two.pk, day=DAY, reason="x", today=TODAY)
    foreign = areas.reassign(
        actor=staff("b", permissions=MAY), ids=ids, region_id=regions["b_one"].pk, day=DAY, reason="x", today=TODAY
    )
    assert foreign.previous == {}
    assert list(Person.objects.order_by("pk").values_list("pk", "path", "region_id")) == before


def test_the_page_shows_the_counts_first_and_then_works_in_the_background(elders, regions, staff):
    from sangyu.kernel import operations

    actor = staff("city", permissions=MAY)
    client = client_for(actor)
    given = {
        "source": regions["a_one"].code, "region_id": regions["a_two"].code, "addresses": "渤海大街\n平安路3号",
        "day": "2026-07-01", "reason": "区划调整",
    }  # fmt: skip
    assert client.get("/people/divide/").status_code == 200
    asked = client.post("/people/divide/", given)
    assert asked.status_code == 200
    assert "合计" in asked.text
    assert not Operation.objects.filter(kind="people.divide").exists()
    response = client.post("/people/divide/", given | {"sure": "1"})
    assert response.status_code == 303
    work = Operation.objects.get(kind="people.divide")
    operations.run(work.pk)
    work.refresh_from_db()
    assert (work.state, work.result) == ("done", {"moved": 4, "refused": 0, "before": 4, "after": 4})
    assert Person.objects.filter(region=regions["a_two"]).count() == 4


def test_from_the_list_with_undo_on_the_result(elders, regions, staff):

    from sangyu.registry.accounts.models import Account
    from sangyu.ui.models import BulkRun

    account = Account.objects.create_user("li", None, name="Li")
    client = client_for(dataclasses.replace(staff("city", permissions=MAY), account_id=account.pk))
    given = {
        "bulk": "area", "ids": [e.pk for e in elders[:2]], "sure": "1", "region_id": regions["a_two"].code,
        "day": "2026-07-01", "reason": "区划调整",
    }  # fmt: skip
    assert client.post("/people/", {k: v for k, v in given.items() if k in ("bulk", "ids")}).status_code == 200
    assert client.post("/people/", given).status_code == 303
    assert Person.objects.filter(region=regions["a_two"]).count() == 2
    run = BulkRun.objects.get()
    assert client.post(f"/ui/acts/{run.pk}/undo/").status_code == 303
    assert Person.objects.filter(region=regions["a_two"]).count() == 0
    assert (
        client.post("/people/", {"bulk": "check", "ids": [elders[0].pk], "sure": "1", "on": "2026-09-01"}).status_code
        == 303
    )
    elders[0].refresh_from_db()
    assert elders[0].checked_on == date(2026, 9, 1)
    client.post(f"/ui/acts/{BulkRun.objects.latest('pk').pk}/undo/")
    elders[0].refresh_from_db()
    assert elders[0].checked_on is None
