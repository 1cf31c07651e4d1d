"""A run out of the database: policies in force, facts as known, differences with their reasons (issue 4 §3)."""

import dataclasses
from datetime import date

import polars as pl
import pytest

from care.benefits.conftest import DECEMBER, NOVEMBER, OCTOBER, at
from care.policies.conftest import approved, author, chief, document, fresh_facts  # noqa: F401  fixtures
from sangyu.care.applications.models import Application, Objection
from sangyu.care.benefits import selectors, services
from sangyu.care.benefits.enums import Change, LineKind
from sangyu.care.policies.selectors import Store, read_text
from sangyu.engines.policy import Period, readings
from sangyu.kernel.scoping import scope
from sangyu.registry.people.models import Person, PersonFact
from support.policies import ADVANCED_AGE, HOME_CARE

pytestmark = pytest.mark.django_db


@pytest.fixture
def city(county, regions, approved):  # noqa: F811
    """Both policies approved; the first elder is on minimum living and partly dependent; a fund for them."""
    for text in (HOME_CARE, ADVANCED_AGE):
        approved(text)
    services.open_fund(
        actor=county.pays, region_id=regions["a"].pk, code="city_budget", name="市级财政", valid_from=date(2020, 1, 1)
    )
    one = county.people[0]
    for kind, value in (("income_category", "minimum_living"), ("care_level", "2")):
        PersonFact.objects.create(
            subject=one,
            path=one.path,
            kind=kind,
            value=value,
            valid_from=date(2026, 1, 1),
            source="登记",
            recorded_at=at(1),
        )
    county.people[4].birth_date = date(1946, 11, 20)  # eighty in November
    county.people[4].save()
    return county


def computed(county, month, *, now=None, back_months=3):
    run = services.begin(
        actor=county.prepares, region_id=county.region.pk, month=month, back_months=back_months, now=now
    )
    return services.compute(actor=county.prepares, run_id=run.pk, now=now)


def finish(county, run):
    run = services.approve(actor=county.approves, run_id=county.reviewed(run).pk)
    return services.release(actor=county.releases, run_id=run.pk)


def test_a_month_is_computed_out_of_the_facts_and_explains_itself(city):
    one = city.people[0]
    run = computed(city, OCTOBER)
    assert [(x.subject_id, x.policy, x.amount, x.form) for x in run.lines.all()] == [
        (one.pk, "advanced-age", 10000, "cash"), (one.pk, "home-care", 40000, "voucher"),
        *((p.pk, "advanced-age", 10000, "cash") for p in city.people[1:4]),
    ]  # fmt: skip
    assert (len(run.input_digest), {v["code"] for v in run.versions}) == (64, {"home-care", "advanced-age"})
    line = run.lines.get(policy="home-care")
    told = selectors.explain(city.prepares, line)
    assert line.facts["income_category"] == "minimum_living"
    assert [s.value for s in told.steps] == [True, True, True, False, True]
    assert told.sentence.startswith("2026-10 居家养老服务补贴：400.00 元；")
    assert "部分" in told.sentence or "半" in told.sentence
    sources = {f.name: f.rows for f in told.facts}
    with scope(city.prepares):
        fact = PersonFact.objects.get(subject=one, kind="income_category")
    assert sources["income_category"] == [("people_personfact", fact.pk)]
    assert (told.document[:10], told.clause) == ("居家养老服务补贴办法", "第五条")


def test_what_is_given_on_application_is_paid_to_who_has_an_approved_one(county, regions, approved):  # noqa: F811
    """R-029: whom the policy fits, and who never asked or was refused, gets nothing; nothing before the approved day."""
    approved(ADVANCED_AGE.replace("application: automatic", "application: required"))
    services.open_fund(
        actor=county.pays, region_id=regions["a"].pk, code="city_budget", name="市级财政", valid_from=date(2020, 1, 1)
    )
    asked, refused, later, _never = county.people[:4]
    for n, (person, state, holds_from) in enumerate(
        [(asked, "approved", date(2026, 10, 9)), (refused, "refused", None), (later, "approved", date(2026, 11, 1))]
    ):
        Application.objects.create(
            number=f"SQ{n}", person=person, path=person.path, policy_code="advanced-age", policy_name="高龄津贴",
            channel="community", applicant="本人", applied_on=date(2026, 9, 20), due_on=date(2026, 10, 20), steps=["county"],
            done=1, state=state, approved_from=holds_from, decided_at=at(1),
        )  # fmt: skip
    run = computed(county, OCTOBER)
    assert [(x.subject_id, x.amount, x.facts["applied_on"]) for x in run.lines.all()] == [
        (asked.pk, 10000, "2026-10-09")
    ]


def test_a_word_of_its_own_is_read_for_the_policies_that_ask_and_its_first_day_counts(county):
    """R-029: merged files may bring two approved applications; a policy that pays by itself has no column for it."""
    person = county.people[0]
    for n, day in enumerate((date(2026, 10, 1), date(2026, 10, 9), date(2026, 9, 5))):
        Application.objects.create(
            number=f"SQ{n}", person=person, path=person.path, policy_code="advanced-age", policy_name="高龄津贴",
            channel="community", applicant="本人", applied_on=date(2026, 9, 1), due_on=date(2026, 10, 20), steps=["county"],
            done=1, state="approved", approved_from=day, decided_at=at(1),
        )  # fmt: skip
    asks = read_text(ADVANCED_AGE.replace("application: automatic", "application: required"))
    (reading,) = readings([asks], Period.month(2026, 10))
    with scope(county.prepares):
        store = Store(county.prepares.path, policies=[asks, read_text(HOME_CARE)])
        frame = store.frame(reading).filter(pl.col("subject_id") == person.pk)
    assert [c for c in frame.columns if c.startswith("applied_on")] == ["applied_on@advanced-age"]
    assert frame["applied_on@advanced-age"].to_list() == [date(2026, 9, 5)]


def test_twice_from_the_same_facts_is_the_same(city):
    run = computed(city, OCTOBER)
    first = run.input_digest, run.lines_digest, list(run.lines.values_list("subject_id", "amount", "facts", "change"))
    services.again(actor=city.prepares, run_id=run.pk, now=run.known_at)
    run = services.compute(actor=city.prepares, run_id=run.pk)
    assert (
        run.input_digest,
        run.lines_digest,
        list(run.lines.values_list("subject_id", "amount", "facts", "change")),
    ) == first
    assert services.compute(actor=city.prepares, run_id=run.pk) == run


def test_a_death_and_a_level_known_late_change_the_earlier_month(city):
    """X-03: what was released stays; the difference comes with the next run, with its reason."""
    one, two, _three, _four, five = city.people
    october = finish(city, computed(city, OCTOBER))
    before = list(october.lines.order_by("id").values())
    two.died_on = date(2026, 9, 20)
    Person.objects.filter(pk=two.pk).update(died_on=two.died_on)
    level = PersonFact.objects.get(subject=one, kind="care_level")
    PersonFact.objects.filter(pk=level.pk).update(superseded_at=at(11, 1))
    PersonFact.objects.create(
        subject=one,
        path=one.path,
        kind="care_level",
        value="4",
        valid_from=date(2026, 1, 1),
        source="复评",
        recorded_at=at(11, 1),
    )
    run = computed(city, NOVEMBER)
    late = {(x.subject_id, x.policy): (x.kind, x.amount, x.month) for x in run.lines.filter(change="late")}
    assert late == {
        (two.pk, "advanced-age"): (LineKind.RECOVERY, -10000, OCTOBER), (one.pk, "home-care"): (LineKind.ARREARS, 20000, OCTOBER),
    }  # fmt: skip
    now = {(x.subject_id, x.policy): (x.change, x.amount) for x in run.lines.exclude(change="late")}
    assert now[two.pk, "advanced-age"] == (Change.STOPPED, 0)
    assert now[one.pk, "home-care"] == (Change.CHANGED, 60000)
    assert now[five.pk, "advanced-age"] == (Change.NEW, 10000)
    began = selectors.explain(city.prepares, run.lines.get(subject_id=five.pk, month=NOVEMBER))
    assert "2026-10" in began.sentence
    assert "年满80周岁" in began.sentence
    stopped = run.lines.get(subject_id=two.pk, change=Change.STOPPED)
    assert stopped.reason["alive"] == [True, False]
    assert selectors.explain(city.prepares, stopped).failed.sentence
    assert run.lines.get(subject_id=one.pk, policy="home-care", month=NOVEMBER).reason == {
        "payment_level": ["part", "full"]
    }
    assert list(october.lines.order_by("id").values()) == before


def test_a_month_is_computed_again_once_an_objection_to_it_is_agreed_with(city):
    """R-029: also by a run that looks at no earlier month; the run after it leaves the month alone."""
    one = city.people[0]
    finish(city, computed(city, OCTOBER, now=at(11, 5)))
    level = {"subject": one, "path": one.path, "kind": "care_level", "valid_from": date(2026, 1, 1)}
    PersonFact.objects.filter(subject=one, kind="care_level").update(superseded_at=at(11, 6))
    PersonFact.objects.create(**level, value="4", source="复评", recorded_at=at(11, 6))
    run = computed(city, NOVEMBER, now=at(11, 7), back_months=0)
    assert not run.lines.filter(change="late").exists()
    Objection.objects.create(
        number="YY1", person=one, path=one.path, policy_code="home-care", policy_name="居家养老服务补贴", month=OCTOBER,
        channel="community", applicant="女儿", text="等级不对", due_on=date(2026, 11, 20), state="upheld", closed_at=at(11, 10),
    )  # fmt: skip
    services.again(actor=city.prepares, run_id=run.pk, now=at(11, 12))
    run = services.compute(actor=city.prepares, run_id=run.pk)
    late = run.lines.get(change="late")
    assert (late.subject_id, late.kind, late.amount, late.month) == (one.pk, LineKind.ARREARS, 20000, OCTOBER)
    after = computed(city, DECEMBER, now=at(11, 20), back_months=0)
    assert not after.lines.filter(change="late").exists()


def test_a_hold_keeps_a_month_back_until_it_is_lifted(city):
    """O-5: a held person's line stays with nothing to pay."""
    from sangyu.care.applications.models import Hold

    one = city.people[1]
    hold = Hold.objects.create(
        person=one, path=one.path, kind="check", reason="核查", valid_from=date(2026, 10, 1), actor="街道"
    )
    october = computed(city, OCTOBER)
    line = october.lines.get(subject_id=one.pk)
    assert (line.amount, line.base, line.stacked) == (0, 10000, "held")
    finish(city, october)
    hold.delete()
    run = computed(city, NOVEMBER)
    assert run.lines.get(subject_id=one.pk, month=OCTOBER).amount == 10000


def test_the_version_of_the_month_is_the_one_that_pays(city, approved):  # noqa: F811
    """R-038, R-058: a new amount from November changes nothing before."""
    october = finish(city, computed(city, OCTOBER))
    approved(ADVANCED_AGE.replace("2026-02-01", "2026-11-01").replace("100元", "150元"))
    run = computed(city, NOVEMBER)
    assert {x.amount for x in run.lines.filter(policy="advanced-age", month=NOVEMBER)} == {15000}
    assert not run.lines.filter(month=OCTOBER).exists()
    assert october.lines.filter(policy="advanced-age", amount=10000).count() == 4


def test_officers_of_other_counties_see_nothing_of_it(city, staff):
    run = computed(city, OCTOBER)
    stranger = dataclasses.replace(staff("b"), account_id=9)
    with scope(stranger):
        assert not selectors.runs(stranger).filter(pk=run.pk).exists()
        assert not selectors.lines(stranger).exists()


def test_another_form_says_on_what_ground(city):
    """R-049: the review sees that the form was changed, and why."""
    from sangyu.care.applications.models import Delivery

    one = city.people[0]
    Delivery.objects.create(
        person=one, path=one.path, policy_code="home-care", policy_name="x", form="cash", source="街道申请2026-09",
        valid_from=date(2026, 10, 1),
    )  # fmt: skip
    line = computed(city, OCTOBER).lines.get(policy="home-care")
    assert line.form == "cash"
    assert "（街道申请2026-09）" in selectors.explain(city.prepares, line).sentence
