"""What a tried rule means for its fund's budget: spent, still to come this year, left or exceeded (R-062, issue 4 §2)."""

from dataclasses import replace
from datetime import date
from io import BytesIO

import pytest
from django.utils import timezone
from python_calamine import CalamineWorkbook

from care.benefits.conftest import DECEMBER, OCTOBER
from sangyu.care.benefits import budgets, selectors, services
from sangyu.care.benefits.models import FundBudget
from sangyu.care.policies import budgets as tried
from sangyu.care.policies import services as policies
from sangyu.care.policies import trials, whatif
from sangyu.care.policies.funds import months_left
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible
from sangyu.kernel.models import Change
from sangyu.kernel.scoping import scope
from sangyu.registry.documents import services as documents
from support.pages import client_for

pytestmark = pytest.mark.django_db

TEXT = """\
code: {code}
name: {name}
region: "{region}"
document: {{number: 站民发〔2026〕1号, title: 补贴办法, clause: 第一条}}
valid_from: 2026-01-01
subject: person
period: month
who: [{who}, 在世]
amount: {amount}元
form: cash
fund: county_budget
application: automatic
"""


@pytest.fixture
def rule(county, settings, tmp_path):
    """Five get 100 yuan a month, one of them 400 of another rule; October is released, the year's budget is 3,000 yuan."""
    settings.MEDIA_ROOT = tmp_path
    whatif.forget()
    documents.add(
        actor=county.prepares, number="站民发〔2026〕1号", title="补贴办法", issuer="站前区民政局", level="county", kind="measures",
        issued_on=date(2026, 1, 1), valid_from=date(2026, 1, 1), valid_to=None,
    )  # fmt: skip

    def approved(code, name, who, amount):
        text = TEXT.format(code=code, name=name, who=who, amount=amount, region=county.region.code)
        made = policies.draft(actor=county.prepares, text=text)
        return policies.approve(actor=county.approves, version_id=made.pk)

    county.fund = services.open_fund(
        actor=county.pays,
        region_id=county.region.pk,
        code="county_budget",
        name="县级财政",
        valid_from=date(2020, 1, 1),
    )
    approved("home-care", "居家养老服务补贴", "年龄 >= 96", 400)
    version = approved("age-allowance", "高龄津贴", "年龄 >= 60", 100)
    lines = [county.line(p, 10000) for p in county.people] + [county.line(county.people[0], 40000, "home-care")]
    county.released(OCTOBER, [{**x, "fund": "county_budget"} for x in lines])
    services.set_budget(
        actor=county.pays, fund_id=county.fund.pk, year=2026, amount=300000, document_number="站财〔2026〕9号"
    )
    return version


def asked(county, version, amount, actor=None, month=DECEMBER, fund="county_budget"):
    text = version.text.replace("amount: 100元", f"amount: {amount}元").replace("fund: county_budget", f"fund: {fund}")
    actor = actor or county.prepares
    return trials.ask(actor=actor, version_id=version.pk, text=text, against_id=version.pk, month=month)


def test_left_and_exceeded(county, rule):
    """November is paid as today, December as tried; the other rule as it was paid last; to the fen, on screen and in the file."""
    trial = asked(county, rule, 150)
    (fund,) = trial.figures["funds"]
    with scope(county.prepares):
        rows = [(r.before, r.after) for r in tried.told(fund)]
    assert rows == [(300000, 300000), (90000, 90000), (100000, 125000), (80000, 80000), (30000, 5000)]
    assert (fund["times"], fund["before_year"], fund["after_year"]) == (1, 600000, 900000)
    client = client_for(county.prepares)
    page = f"/policies/{rule.pk}/try/?trial="
    said = client.get(f"{page}{trial.pk}").content.decode()
    assert "站财〔2026〕9号" in said
    assert "超出" not in said
    trial = asked(county, rule, 220)
    said = client.get(f"{page}{trial.pk}").content.decode()
    assert "超出 0.03 万元" in said
    (fund,) = trial.figures["funds"]
    assert tried.told(fund)[-1].after == -30000
    with scope(county.prepares):
        book = CalamineWorkbook.from_filelike(BytesIO(trials.workbook(county.prepares, trial)))
    cells = book.get_sheet_by_name("资金来源").to_python()
    assert cells[0][0] == "县级财政"
    assert cells[5][1:] == [300, -300, -600]


def test_what_nobody_may_conclude(county, rule, staff, regions):
    """A street's officer does not see what the fund's others need; who may not see benefits, nothing; a fund that is not there is said."""
    street = replace(staff("a_street"), account_id=77)
    (fund,) = asked(county, rule, 150, actor=street).figures["funds"]
    assert (fund["others_before"], fund["before"], fund["spent"]) == (None, 100000, 90000)
    assert tried.shares(fund) is None
    blind = replace(street, permissions=street.permissions - {"benefits.view"})
    assert asked(county, rule, 150, actor=blind).figures["funds"] == []
    found = asked(county, rule, 150, fund="city_budget").figures["funds"]
    assert found[0] == {"code": "city_budget", "missing": True}
    # today's fund is relieved from the month of the change on: only November is left to it
    assert (found[1]["before"], found[1]["after"]) == (100000, 50000)


def test_without_a_budget_and_in_another_year(county, rule):
    """A fund that is unlimited and has no budget has nothing to compare with; a gift has what came in; next year has twelve months."""
    (fund,) = asked(county, rule, 100, month=date(2027, 3, 1)).figures["funds"]
    assert (fund["budget"], fund["spent"], fund["before"], fund["after"]) == (None, 0, 12 * 50000, 12 * 50000)
    assert not any(r.result for r in tried.told(fund))
    today = timezone.localdate()
    gift = services.open_fund(
        actor=county.pays, region_id=county.region.pk, code="donation", name="捐赠", kind="donation", policies=["home-care"],
        valid_from=date(2020, 1, 1),
    )  # fmt: skip
    services.receive(actor=county.pays, fund_id=gift.pk, amount=70000, received_on=today, key="g1")
    with scope(county.prepares):
        (found,) = budgets.budgets(
            county.prepares, "age-allowance", "donation", county.region.path, today.replace(day=1), timezone.now()
        )
    assert (found.amount, found.planned, found.pays) == (70000, False, False)


def test_share_of_a_lottery_fund(county, rule):
    """R-062: what the rule does to elder care's share of what came in."""
    with scope(county.pays):
        type(county.fund).objects.filter(pk=county.fund.pk).update(kind="lottery")
    services.receive(
        actor=county.pays, fund_id=county.fund.pk, amount=500000, received_on=date(2026, 3, 1), key="lottery"
    )
    (fund,) = asked(county, rule, 150).figures["funds"]
    assert tried.shares(fund) == (54.0, 59.0)


def test_a_budget_is_kept(county, rule, staff):
    """One a year, adjusted in place with its history; only whoever answers for the fund; shown beside what was spent."""
    row = FundBudget.objects.get()
    again = services.set_budget(
        actor=county.pays, fund_id=county.fund.pk, year=2026, amount=280000, document_number="站财〔2026〕20号"
    )
    assert (again.pk, again.amount) == (row.pk, 280000)
    with scope(county.pays):
        assert Change.objects.filter(table_name="benefits_fundbudget", row_id=row.pk).count() == 2
        (year,) = [y for y in selectors.fund_years(county.pays, county.fund) if y.year == 2026]
    assert (year.budget, year.left) == (280000, 190000)
    for given in ({"amount": 0}, {"document_number": " "}, {"year": 2019}):
        with pytest.raises(Invalid) as wrong:
            services.set_budget(
                actor=county.pays, fund_id=county.fund.pk, **{"year": 2026, "amount": 1, "document_number": "x"} | given
            )
        assert list(wrong.value.errors) == list(given)
    with pytest.raises(Forbidden):
        services.set_budget(
            actor=replace(county.pays, permissions=frozenset()), fund_id=county.fund.pk, year=2026, amount=1, document_number="x"
        )  # fmt: skip
    with pytest.raises(NotVisible):
        services.set_budget(actor=staff("b"), fund_id=county.fund.pk, year=2026, amount=1, document_number="x")
    client = client_for(county.pays)
    page = f"/benefits/funds/{county.fund.pk}/"
    assert client.get(f"{page}budget/").status_code == 200
    given = {"year": "2027", "amount": "5000", "document_number": "站财〔2027〕1号"}
    assert client.post(f"{page}budget/", given).status_code == 303
    assert FundBudget.objects.filter(year=2027, amount=500000).exists()
    assert "1,900.00" in client.get(f"{page}years/").content.decode()


def test_months_left():
    """After the last released month; from the month asked for where nothing was released; nothing of a year that is over."""
    of = lambda *given: [m.month for m in months_left(*given)]  # noqa: E731
    assert of(2026, date(2026, 12, 1), date(2026, 10, 1)) == [11, 12]
    assert of(2026, date(2026, 11, 1), None) == [11, 12]
    assert of(2027, date(2027, 6, 1), date(2026, 10, 1)) == list(range(1, 13))
    assert of(2025, date(2025, 6, 1), date(2026, 10, 1)) == []
