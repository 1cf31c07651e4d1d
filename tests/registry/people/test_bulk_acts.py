"""Acts on many elders: a status with its evidence, whose turn the check is; a result per row, and taken back (R-015, R-019)."""

from dataclasses import replace
from datetime import date

import pytest

from sangyu.registry.accounts.models import Account, Grant
from sangyu.registry.dossier.models import Assignment
from sangyu.registry.people import services
from sangyu.registry.people.models import Person
from sangyu.ui.models import BulkRow, BulkRun
from support.pages import client_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def three(clerk, regions):
    """Two living elders and a dead one; the first is empty-nest since 2020."""
    made = [
        services.register(
            actor=clerk, name=name, region_id=regions["a_one"].pk, source="登记", sex="2", birth_date=date(1941, 3, n),
        ) for n, name in enumerate(("张桂兰", "李素芬", "王秀珍"), start=1)
    ]  # fmt: skip
    services.record_fact(
        actor=clerk, person_id=made[0].pk, kind="living", value="empty_nest", valid_from=date(2020, 1, 1), source="登记"
    )
    services.record_death(actor=clerk, person_id=made[2].pk, died_on=date(2026, 1, 1), source="证明")
    return made


def living(person: Person) -> list[tuple]:
    rows = person.facts.filter(kind="living").known_on(None).order_by("valid_from")
    return [(f.value, f.valid_from, f.source) for f in rows]


def results(run: BulkRun) -> dict[str, str]:
    return dict(BulkRow.objects.filter(run=run).values_list("name", "state"))


def test_a_status_is_given_to_many_and_taken_back(clerk, three):
    client, before = client_for(clerk), living(three[0])
    given = {"bulk": "tag", "ids": [p.pk for p in three], "sure": "1", "status": "living=alone",
             "valid_from": "2026-10-01", "source": "走访记录 7 号"}  # fmt: skip
    asked = client.post("/people/", given | {"sure": ""})
    assert (asked.status_code, BulkRun.objects.count(), "走访记录" in asked.content.decode()) == (200, 0, False)
    assert client.post("/people/", given | {"valid_from": "2999-01-01"}).status_code == 422
    client.post("/people/", given)
    run = BulkRun.objects.get()
    assert results(run) == {"张桂兰": "done", "李素芬": "done", "王秀珍": "refused"}
    assert living(three[0])[-1] == living(three[1])[-1] == ("alone", date(2026, 10, 1), "走访记录 7 号")
    services.record_fact(
        actor=clerk,
        person_id=three[1].pk,
        kind="living",
        value="with_family",
        valid_from=date(2026, 10, 5),
        source="女儿搬来",
    )
    newer = living(three[1])
    client.post(f"/ui/acts/{run.pk}/undo/", {})
    assert results(BulkRun.objects.get(undoes=run)) == {"张桂兰": "done", "李素芬": "refused"}
    assert (living(three[0]), living(three[1])) == (before, newer)


def test_the_check_of_many_is_assigned_from_the_list_and_taken_back(clerk, three, regions):
    other = Account.objects.create_user("next", "Mulberry-2026", name="接班", path=clerk.path, region=regions["a"])
    for pk in (other.pk, clerk.account_id):
        Grant.objects.create(account_id=pk, role="street", audience="staff", region=regions["a"], path=clerk.path,
                             valid_from=date(2020, 1, 1))  # fmt: skip
    Assignment.objects.create(person=three[0], path=three[0].path, account_id=clerk.account_id, actor="x")
    client = client_for(clerk)
    given = {"bulk": "assign_check", "ids": [p.pk for p in three], "sure": "1", "account_id": other.pk}
    client.post("/people/", given)
    run = BulkRun.objects.get()
    assert results(run) == {"张桂兰": "done", "李素芬": "done", "王秀珍": "refused"}
    turns = {a.person_id: a.account_id for a in Assignment.objects.all()}
    assert turns == {three[0].pk: other.pk, three[1].pk: other.pk}
    client.post(f"/ui/acts/{run.pk}/undo/", {})
    assert {a.person_id: a.account_id for a in Assignment.objects.all()} == {three[0].pk: clerk.account_id}
    nobody = replace(clerk, permissions=clerk.permissions - {"dossier.assign"})
    assert client_for(nobody).post("/people/", given).status_code == 403
    assert BulkRun.objects.count() == 2
