"""Completeness explained and recomputed set-based; tags that end; the difficulty database (R-015, R-017, R-023 … R-025)."""

import io
import random
from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from python_calamine import load_workbook

from sangyu.kernel.models import Event
from sangyu.kernel.scoping import scope
from sangyu.registry.people import counts, selectors, services, values
from sangyu.registry.people.completeness import ITEMS, missing, recompute
from sangyu.registry.people.models import Household, Person, PersonFact
from sangyu.registry.people.pages_lists import ending, month_of
from support.pages import client_for
from support.world import make_person

pytestmark = pytest.mark.django_db


def test_the_score_is_explained_item_by_item(enter, staff):
    person = enter(phone="13904170001", address="东街 1 号")
    with scope(staff("a")):
        lacks = missing(person)
    assert person.completeness == 100 - sum(i.weight for i in lacks)
    assert [i.key for i in lacks] == [
        "id_number", "contact", "living", "income_category", "care_level", "place", "household", "needs",
    ]  # fmt: skip
    assert sum(i.weight for i in ITEMS) == 100


def test_the_statement_and_the_python_twin_agree(enter, staff, regions, id_number):
    """The score of imports and the set-based one are equal for any file."""
    rng = random.Random("complete")
    home = Household.objects.create(region=regions["a_one"], path=regions["a_one"].path, address="x")
    wanted = {}
    for n in range(40):
        person = enter(
            name="老人" + "甲乙丙丁戊己庚辛壬癸"[n % 10],
            address=rng.choice(["", "东街"]),
            phone=rng.choice(["", "13904170001"]),
            needs=rng.choice(["", "助餐"]),
            latitude=(place := rng.choice([None, 40.1])),
            longitude=place and 122.2,
            household_id=rng.choice([None, home.pk]),
            id_number=rng.choice(["", id_number(birth="19450612", sequence=f"{900 + 2 * n:03}"[:3])]) if n < 40 else "",
        )
        kinds = {k for k in ("living", "income_category", "care_level") if rng.random() < 0.5}
        for kind in kinds:
            value = {"living": "alone", "income_category": "ordinary", "care_level": "1"}[kind]
            services.record_fact(
                actor=staff("a"), person_id=person.pk, kind=kind, value=value, valid_from=date(2026, 1, 1), source="x"
            )
        contacts = rng.choice([0, 1])
        if contacts:
            services.add_contact(actor=staff("a"), person_id=person.pk, name="李强", relation="2")
        person.refresh_from_db()
        columns = {
            f: getattr(person, f) for f in ("id_number", "phone", "address", "latitude", "household_id", "needs")
        }
        wanted[person.pk] = values.completeness(columns, kinds, contacts)
    assert dict(Person.objects.values_list("pk", "completeness")) == wanted
    Person.objects.update(completeness=77)
    assert recompute(Person.objects.all()) == sum(score != 77 for score in wanted.values())
    assert dict(Person.objects.values_list("pk", "completeness")) == wanted
    assert recompute(Person.objects.all()) == 0


def test_living_alone_is_an_event_for_the_plan_of_visits(enter, staff):
    """R-024."""
    person = enter()
    state = {"actor": staff("a"), "person_id": person.pk, "kind": "living", "source": "走访"}
    services.record_fact(**state, value="with_family", valid_from=date(2026, 1, 1))
    assert not Event.objects.filter(name="people.lives_alone").exists()
    services.record_fact(**state, value="alone", valid_from=date(2026, 6, 1))
    assert [e.payload for e in Event.objects.filter(name="people.lives_alone")] == [
        {"id": person.pk, "on": "2026-06-01"}
    ]


# ---------------------------------------------------------------- tags that end
def fact(staff, person, kind, value, since, until=None, **more):
    return services.record_fact(
        actor=staff("a"), person_id=person.pk, kind=kind, value=value, valid_from=since, valid_to=until, source="民政",
        **more,
    )  # fmt: skip


def test_a_tag_ends_with_its_fact_and_next_months_list_is_without_the_person(enter, staff):
    """R-017: the person is dropped, and the list of ended tags says why."""
    first, after = month_of(timezone.localdate())
    by_day, ended, renewed, later = (enter(name=n) for n in ("甲到期", "乙终止", "丙续期", "丁以后"))
    fact(staff, by_day, "three_no", "yes", date(2026, 1, 1), after)
    row = fact(staff, ended, "income_category", "minimum_living", date(2026, 1, 1))
    services.end_fact(actor=staff("a"), fact_id=row.pk, ends_on=first + timedelta(days=1), reason="收入超标")
    fact(staff, renewed, "living", "alone", date(2026, 1, 1), after)
    fact(staff, renewed, "living", "alone", after)
    fact(staff, later, "three_no", "yes", date(2026, 1, 1), after + timedelta(days=40))
    with scope(staff("a")):
        assert [(f.subject.name, f.value, f.why) for f in ending(timezone.localdate()).order_by("valid_to", "id")] == [
            ("乙终止", "minimum_living", "收入超标"),
            ("甲到期", "yes", ""),
        ]
        listed = {p.name for p in selectors.search(staff("a"), "", {"tag": "three_no"}, day=first)}
        next_month = {p.name for p in selectors.search(staff("a"), "", {"tag": "three_no"}, day=after)}
    assert (listed, next_month) == ({"甲到期", "丁以后"}, {"丁以后"})
    page = client_for(staff("a")).get(reverse("people:ending")).content.decode()
    assert ("乙终止" in page, "收入超标" in page, "期限届满" in page, "丙续期" in page) == (True, True, True, False)
    page = client_for(staff("a")).get(reverse("people:ending") + "?tag=three_no").content.decode()
    assert ("乙终止" in page, "甲到期" in page) == (False, True)
    assert client_for(staff("a", permissions=[])).get(reverse("people:ending")).status_code == 403


# ---------------------------------------------------------------- the difficulty database
def test_the_parts_make_up_the_whole_on_the_page_and_in_the_export(regions, staff):
    """R-023: disabled + partly disabled = total; R-025: urban and rural."""
    today = timezone.localdate()
    regions["a_two"].urban = False
    regions["a_two"].save()
    regions["a_one"].urban = True
    regions["a_one"].save()
    plan = [
        ("a_one", "3"),
        ("a_one", "4"),
        ("a_two", "1"),
        ("a_two", "2"),
        ("a_two", "2"),
        ("a_one", "0"),
        ("a_one", None),
    ]
    for n, (key, level) in enumerate(plan):
        facts = {"difficult": "yes"} | ({"care_level": level} if level else {})
        make_person(regions[key], f"老人{n}", **facts)
    make_person(regions["a_one"], "不困难", care_level="4")
    dead = make_person(regions["a_one"], "已故", difficult="yes", care_level="4")
    Person.objects.filter(pk=dead.pk).update(died_on=today)
    make_person(regions["b_one"], "外区", difficult="yes", care_level="3")
    actor = staff("a")
    with scope(actor):
        found = counts.difficult(actor, today)
    whole = found.whole
    assert (whole.disabled, whole.partly, whole.total, whole.unassessed) == (2, 3, 5, 2)
    assert (whole.urban, whole.rural, whole.unknown) == (2, 3, 0)
    assert [(line.path, line.total) for line in found.lines] == [(regions["a_street"].path, 5)]
    with scope(staff("city")):
        assert [(x.name, x.disabled, x.partly) for x in counts.difficult(staff("city"), today).lines] == [
            ("站前区", 2, 3),
            ("西市区", 1, 0),
        ]
    page = client_for(actor).get(reverse("people:difficult"))
    assert page.status_code == 200
    text = page.content.decode()
    assert 'data-count="total">5<' in text.replace(" ", "") or 'data-count="total">5' in text
    for ability, n in (("disabled", 2), ("partly", 3), ("any", 5)):
        with scope(actor):
            given = {"tag": "difficult", "ability": ability, "alive": True, "path": actor.path}
            assert selectors.search(actor, "", given).count() == n
    file = client_for(actor).get(reverse("people:difficult") + "?export=1")
    rows = load_workbook(io.BytesIO(file.content)).get_sheet_by_index(0).to_python()
    assert rows[-1][1:4] == [2, 3, 5]
    assert all(r[1] + r[2] == r[3] for r in rows[1:])
    assert (
        client_for(staff("a", permissions=["people.view"])).get(reverse("people:difficult") + "?export=1").status_code
        == 403
    )


def test_changing_the_phone_twice_shows_both_with_actor_and_source(enter, staff):
    """R-016."""
    person = enter(phone="13904170001")
    for phone, who in (("13904170002", "desk"), ("13904170003", "community")):
        services.update_basic(
            actor=staff("a", role=who), person_id=person.pk, changes={"phone": phone}, reason=f"电话核实 {who}"
        )
    with scope(staff("a")):
        rows = selectors.history_of(staff("a"), person)
    assert [(r["fields"]["phone"], r["actor"], r["role"], r["reason"]) for r in rows if r["op"] == "U"] == [
        (("139****0002", "139****0003"), "community a", "community", "电话核实 community"),
        (("139****0001", "139****0002"), "desk a", "desk", "电话核实 desk"),
    ]
    page = client_for(staff("a")).get(reverse("casefile:history", args=[person.pk])).content.decode()
    assert page.count("139****0002") == 2
    assert "电话核实 community" in page


def test_who_the_person_is_changes_only_with_a_reason(enter, staff):
    from sangyu.kernel.errors import Invalid

    person = enter()
    with pytest.raises(Invalid) as refused:
        services.update_basic(actor=staff("a"), person_id=person.pk, changes={"name": "张桂蘭"})
    assert list(refused.value.errors) == ["reason"]
    assert Person.objects.get().name == "张桂兰"
    services.update_basic(actor=staff("a"), person_id=person.pk, changes={"name": "张桂蘭"}, reason="与户口簿一致")
    assert Person.objects.get().name == "张桂蘭"
    assert PersonFact.objects.filter(kind="region").count() == 1
