"""Results of MZ/T 039-2013 come in beside the present ones; open visits of who leaves go on (R-031, X-07)."""

from datetime import date

import pytest

from sangyu.care.assessments import handover, selectors
from sangyu.care.assessments.models import Assessor, PastResult
from sangyu.kernel.actor import Actor
from sangyu.kernel.handover import Holder
from sangyu.kernel.identity import check_character
from sangyu.kernel.importing import exchange
from sangyu.kernel.scoping import scope
from sangyu.registry.people import selectors as people
from sangyu.registry.people import services as persons
from support.assessing import drive

pytestmark = pytest.mark.django_db


def number(n: int) -> str:
    body = f"21080219410305{n:03d}"
    return body + check_character(body)


def test_earlier_results_stand_beside_and_decide_nothing(crew, regions):
    made = persons.register(
        actor=crew.chief, name="张桂兰", region_id=regions["a_one"].pk, source="登记", sex="2",
        birth_date=date(1941, 3, 5), id_number=number(2),
    )  # fmt: skip
    row = {
        "name": "张桂兰",
        "id_number": number(2),
        "assessed_on": "2021-05-06",
        "A": 60,
        "M": 0,
        "P": 0,
        "S": 2,
        "level": "轻度失能",
    }
    bad = [
        {**row, "assessed_on": "2020-01-01", "A": 63},
        {**row, "id_number": number(4)},
        {**row, "name": "张桂花", "assessed_on": "2019-01-01"},
        {**row, "assessed_on": "2018-01-01", "M": 9},
    ]
    exchange.hand_over(actor=crew.chief, kind="assessments.history", key="h-1", rows=[row, *bad])
    past = PastResult.objects.get()
    assert (past.person_id, past.level, past.computed, past.parts["A"]) == (made.pk, 1, 2, 60)
    assert "care_level" not in people.facts_on(made.pk, date(2021, 5, 6))
    exchange.hand_over(actor=crew.chief, kind="assessments.history", key="h-2", rows=[row])
    assert PastResult.objects.count() == 1
    with scope(crew.chief):
        assert list(selectors.past_of_person(crew.chief, made.pk)) == [past]


def test_visits_of_who_leaves_go_to_an_assessor_of_the_same_body(crew, person, regions):
    row = drive(crew, person, "assigned")
    holder, successor = Holder(crew.one.account_id, "甲"), Holder(crew.reviewer.account_id, "复核")
    with scope(Actor.job("test")):
        (work,) = handover.open_of(holder)
        assert (work.row_id, person.name in work.words) == (row.pk, False)
        handover.move(holder, successor, [row.pk])  # no assessor: stays
        assert handover.open_of(holder) == [work]
        new = Assessor.objects.create(
            path=regions["a"].path,
            name="新",
            background="care",
            account_id=crew.reviewer.account_id,
            valid_from=date(2026, 1, 1),
        )
        handover.move(holder, successor, [row.pk])
        assert handover.open_of(holder) == []
    row.refresh_from_db()
    assert (row.lead_id, row.second_id) == (new.pk, crew.second.pk)
