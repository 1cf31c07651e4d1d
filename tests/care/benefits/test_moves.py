"""A month is the business of the region to which a person belonged on its first day, whenever the move becomes known."""

import dataclasses
from collections import Counter
from datetime import date

import pytest

from care.benefits.conftest import NOVEMBER, OCTOBER, at
from care.policies.conftest import approved, author, chief, document, fresh_facts  # noqa: F401  fixtures
from sangyu.care.benefits import payees, selectors, services
from sangyu.care.benefits.models import Line, Payment, Review
from sangyu.kernel.scoping import scope
from sangyu.registry.people import services as persons
from sangyu.registry.people.models import Person, PersonFact
from support.policies import ADVANCED_AGE
from support.world import make_person

pytestmark = pytest.mark.django_db
DECEMBER = date(2026, 12, 1)


def of_county(code, amount, name):
    """A policy of one county alone."""
    text = ADVANCED_AGE.replace("advanced-age", name).replace('"2108"', f'"{code}"')
    return text.replace("100元", f"{amount}元")


@pytest.fixture
def counties(county, regions, staff, approved):  # noqa: F811
    """Each county pays an allowance of its own, the city one to all; ``run(letter, month)`` computes, ``done`` also releases."""
    for text in (
        of_county(regions["a"].code[:6], 200, "of-a"), of_county(regions["b"].code[:6], 300, "of-b"),
        ADVANCED_AGE.replace("stacking: {group: 津贴, rule: highest}\n", ""),
    ):  # fmt: skip
        approved(text.replace("stacking: {group: 津贴, rule: highest}\n", ""))
    services.open_fund(
        actor=dataclasses.replace(staff("city"), account_id=90), region_id=regions["city"].pk, code="city_budget",
        name="市级财政", valid_from=date(2020, 1, 1),
    )  # fmt: skip
    resident = make_person(regions["b_two"], "赵玉珍", birth=date(1931, 3, 3))
    for person in [*county.people, resident]:
        PersonFact.objects.create(
            subject=person, path=person.path, kind="region", value=str(person.region_id), valid_from=date(2020, 1, 1),
            source="登记", recorded_at=at(1),
        )  # fmt: skip

    def officer(letter, n):
        return dataclasses.replace(staff(letter), name=f"{letter}{n}", account_id=ord(letter) * 10 + n)

    def run(letter, month, day=None):
        made = services.begin(actor=officer(letter, 1), region_id=regions[letter].pk, month=month, now=day)
        return services.compute(actor=officer(letter, 1), run_id=made.pk, now=day)

    def done(letter, month, day=None):
        made = run(letter, month, day)
        for level in ("street", "county"):
            with scope(officer(letter, 1)):
                ids = list(Review.objects.filter(run=made, level=level).values_list("pk", flat=True))
            act = services.review_street if level == "street" else services.review_county
            for pk in ids:
                act(actor=officer(letter, 1), review_id=pk)
        made = services.approve(actor=officer(letter, 2), run_id=made.pk)
        return services.release(actor=officer(letter, 3), run_id=made.pk)

    county.run, county.done, county.officer = run, done, officer
    return county


def move(staff, person, region, on, now=None):
    return persons.move(
        actor=staff("city"), person_id=person.pk, region_id=region.pk, moved_on=on, source="迁出", now=now,
        today=date(2026, 12, 31),
    )  # fmt: skip


def amounts(run, person):
    return {(x.policy, x.month): (x.kind, x.amount) for x in run.lines.filter(subject_id=person.pk).exclude(amount=0)}


def test_a_move_in_the_middle_of_a_month_leaves_that_month_with_the_region_left(counties, regions, staff):
    """R-068: the county left pays the month of the move, the other one begins with the next; both say why."""
    one = counties.people[0]
    counties.done("a", OCTOBER)
    counties.done("b", OCTOBER)
    move(staff, one, regions["b_one"], date(2026, 11, 15))
    a, b = counties.done("a", NOVEMBER), counties.done("b", NOVEMBER)
    assert amounts(a, one) == {
        ("advanced-age", NOVEMBER): ("entitlement", 10000), ("of-a", NOVEMBER): ("entitlement", 20000),
    }  # fmt: skip
    assert amounts(b, one) == {}
    with scope(counties.officer("a", 1)):
        assert {x.path for x in Line.objects.filter(run=a, subject_id=one.pk)} == {regions["a_one"].path}
    a, b = counties.run("a", DECEMBER), counties.run("b", DECEMBER)
    assert amounts(a, one) == {}
    assert amounts(b, one) == {
        ("advanced-age", DECEMBER): ("entitlement", 10000), ("of-b", DECEMBER): ("entitlement", 30000),
    }  # fmt: skip
    stopped = a.lines.get(subject_id=one.pk, policy="of-a")
    began = b.lines.get(subject_id=one.pk, policy="of-b")
    names = [regions["a_one"].full_name, regions["b_one"].full_name]
    assert (stopped.change, stopped.reason, began.change, began.reason) == (
        "stopped", {"region": names}, "new", {"region": names},
    )  # fmt: skip
    assert f"由{names[0]}迁到{names[1]}" in selectors.explain(counties.officer("a", 1), stopped).sentence


def test_a_month_before_the_move_is_computed_again_where_the_person_belonged(counties, regions, staff):
    """X-03: what becomes known after the move changes the month in the county of that time, paid to the file's account of today."""
    one, two = counties.people[:2]
    counties.done("a", OCTOBER)
    counties.done("b", OCTOBER)
    move(staff, one, regions["b_one"], date(2026, 11, 15))
    move(staff, two, regions["b_one"], date(2026, 11, 15))
    Person.objects.filter(pk=one.pk).update(died_on=date(2026, 9, 20))
    b, a = counties.done("b", NOVEMBER), counties.done("a", NOVEMBER)
    assert (amounts(b, one), amounts(b, two)) == ({}, {})
    assert amounts(a, one) == {("advanced-age", OCTOBER): ("recovery", -10000), ("of-a", OCTOBER): ("recovery", -20000)}
    assert amounts(a, two) == {
        ("advanced-age", NOVEMBER): ("entitlement", 10000), ("of-a", NOVEMBER): ("entitlement", 20000),
    }  # fmt: skip
    with scope(counties.officer("a", 4)):
        waiting = list(Payment.objects.filter(subject_id=two.pk, run=a))
        assert {p.holder for p in payees.of(waiting, need_account=True).values()} == {two.name}
        assert len(waiting) == 2


def test_a_move_known_late_turns_the_months_after_it_over(counties, regions, staff):
    """Own policies change hands with the month after the move; what a policy of both counties paid stays paid."""
    one = counties.people[0]
    for month in (OCTOBER, NOVEMBER):
        counties.done("a", month)
        counties.done("b", month)
    move(staff, one, regions["b_one"], date(2026, 10, 10))
    a, b = counties.run("a", DECEMBER), counties.run("b", DECEMBER)
    assert amounts(a, one) == {("of-a", NOVEMBER): ("recovery", -20000)}
    assert amounts(b, one) == {
        ("of-b", NOVEMBER): ("arrears", 30000), ("of-b", DECEMBER): ("entitlement", 30000),
        ("advanced-age", DECEMBER): ("entitlement", 10000),
    }  # fmt: skip


def test_a_run_as_known_before_the_move_counts_as_then(counties, regions, staff):
    """A run keeps its moment: a move recorded after it changes nothing of it."""
    one = counties.people[0]
    run = services.begin(
        actor=counties.officer("a", 1), region_id=regions["a"].pk, month=NOVEMBER, now=at(11, 12)
    )  # fmt: skip
    move(staff, one, regions["b_one"], date(2026, 10, 10), now=at(11, 20))
    run = services.compute(actor=counties.officer("a", 1), run_id=run.pk, now=at(11, 12))
    assert amounts(run, one) == {
        ("advanced-age", NOVEMBER): ("entitlement", 10000), ("of-a", NOVEMBER): ("entitlement", 20000),
    }  # fmt: skip


_MOVES = (date(2026, 9, 30), OCTOBER, date(2026, 10, 2), date(2026, 10, 31), NOVEMBER, date(2026, 11, 2))


def test_each_month_is_paid_by_one_county_in_the_end(counties, regions, staff):
    """Whenever a move falls and becomes known: after all runs each month's sum is that of the county of its first day."""
    months = (OCTOBER, NOVEMBER, DECEMBER)
    moving = {
        make_person(regions["a_one"], f"王{on:%m%d}{known}", birth=date(1931, 3, 3)): (on, known)
        for on in _MOVES for known in (10, 11, 12) if on.month <= known
    }  # fmt: skip
    for person in moving:
        PersonFact.objects.create(
            subject=person, path=person.path, kind="region", value=str(person.region_id), valid_from=date(2020, 1, 1),
            source="登记", recorded_at=at(1),
        )  # fmt: skip
    runs = []
    for month in months:
        for person, (on, known) in moving.items():
            if month.month == known:
                move(staff, person, regions["b_one"], on)
        runs += [counties.done(letter, month) for letter in "ab"]
    assert {run.state for run in runs} == {"released"}
    for person, (on, known) in moving.items():
        sums: Counter = Counter()
        for run in runs:
            sums.update({key: amount for key, (_kind, amount) in amounts(run, person).items()})
        first = {m: "of-a" if m < on or (m == on.replace(day=1) and on.day > 1) else "of-b" for m in months}
        expected = {(p, m): 20000 if p == "of-a" else 30000 for m, p in first.items()}
        expected |= {("advanced-age", m): 10000 for m in months}
        assert {k: v for k, v in sums.items() if v} == expected, (on, known)
