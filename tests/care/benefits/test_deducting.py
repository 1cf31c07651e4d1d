"""A recovery deducted from later payments: ground, ceiling, books, and undone when the bank rejects (X-03)."""

from datetime import date

import pytest
from django.urls import reverse

from care.benefits.conftest import DECEMBER, NOVEMBER, OCTOBER, at
from care.benefits.test_money import books, clean
from sangyu.care.benefits import selectors, services
from sangyu.care.benefits.models import Deduction, Payment, Recovery
from sangyu.care.policies import services as policies
from sangyu.kernel.errors import Invalid, Refused
from sangyu.registry.documents import services as documents
from support.pages import client_for
from support.policies import ADVANCED_AGE

pytestmark = pytest.mark.django_db
GIVEN = {"share": 30, "basis": "consent", "evidence": "同意书2026-11-12", "since": DECEMBER, "now": at(11, 12)}


@pytest.fixture
def case(county):
    """October was over-paid by 200 yuan: two instalments of 100, due in December and January; the fund allows half."""
    one = county.people[0]
    county.released(OCTOBER, [county.line(one, 30000)])
    county.released(NOVEMBER, [county.line(one, 10000), county.line(one, 10000, month=NOVEMBER)], past=[OCTOBER])
    found = Recovery.objects.get()
    services.agree(
        actor=county.pays,
        recovery_id=found.pk,
        instalments=2,
        first_due=date(2026, 12, 10),
        payer=one.name,
        now=at(11, 12),
    )
    services.set_deductible(actor=county.pays, fund_id=county.fund.pk, share=50, document="营民发〔2026〕9号")
    return found


def december(county, amount=10000, month=DECEMBER):
    one = county.people[0]
    county.released(month, [county.line(one, amount, month=month)])
    return Payment.objects.get(line__month=month, subject_id=one.pk)


@pytest.mark.parametrize(
    ("amount", "share", "most", "kept"),
    [
        (10000, 30, 50, 3000),  # the share of the case
        (10000, 50, 20, 2000),  # the fund's share, lowered since
        (40000, 50, 50, 10000),  # no more than the instalment that is due
        (101, 30, 50, 30),  # whole fen, down
    ],
)
def test_a_month_keeps_back_no_more_than_its_shares_and_what_is_due(county, case, amount, share, most, kept):
    services.deduct(actor=county.pays, recovery_id=case.pk, **{**GIVEN, "share": share})
    services.set_deductible(actor=county.pays, fund_id=county.fund.pk, share=most, document="x")
    before = books()
    payment = december(county, amount)
    case.refresh_from_db()
    assert (payment.amount, payment.deducted, case.repaid, case.left) == (amount - kept, kept, kept, 20000 - kept)
    assert list(case.instalments.values_list("amount", "repaid")) == [(10000, kept), (10000, 0)]
    now = books()
    assert (now["benefit_due"] - before["benefit_due"], now["benefit_owed"] - before["benefit_owed"]) == (
        amount - kept,
        kept,
    )
    assert now["receivable"] - before["receivable"] == -kept
    told = selectors.explain(county.prepares, payment.line).sentence
    assert f"扣回多发款 {case.number}" in told
    assert "同意书2026-11-12" in told
    assert clean() == {}


@pytest.mark.parametrize(("ceiling", "kept"), [(20, [2000, 8000]), (0, [0, 10000]), (100, [10000, 0])])
def test_a_policy_may_set_a_lower_ceiling_for_what_it_pays(county, case, ceiling, kept):
    """The rest comes from what other policies of the fund pay, within the shares of case and fund."""
    documents.add(
        actor=county.prepares, number="营民发〔2026〕3号", title="居家养老服务补贴办法", issuer="站前区民政局", level="county",
        kind="measures", issued_on=date(2026, 1, 1), valid_from=date(2026, 1, 1), valid_to=None,
    )  # fmt: skip
    text = ADVANCED_AGE.replace('"2108"', f'"{county.region.code}"') + f"扣回上限: {ceiling}\n"
    made = policies.draft(actor=county.prepares, text=text)
    version = policies.approve(actor=county.approves, version_id=made.pk)
    services.deduct(actor=county.pays, recovery_id=case.pk, **{**GIVEN, "share": 50})
    one = county.people[0]
    county.released(
        DECEMBER,
        [
            county.line(one, 10000, "advanced-age", month=DECEMBER, version_id=version.pk),
            county.line(one, 10000, "home-care", month=DECEMBER, version_id=version.pk + 1),  # of none that says one
        ],
    )
    rows = Payment.objects.filter(line__month=DECEMBER, subject_id=one.pk).order_by("policy")
    assert list(rows.values_list("policy", "deducted")) == [("advanced-age", kept[0]), ("home-care", kept[1])]
    assert clean() == {}


def test_what_the_bank_rejects_was_not_deducted(county, case):
    """The whole line is due again and owed again; a later file pays it whole."""
    services.deduct(actor=county.pays, recovery_id=case.pk, **{**GIVEN, "share": 50})
    payment = december(county, 10000)
    made = services.make_bank_file(actor=county.pays, region_id=county.region.pk, now=at(12, 10))
    services.send(actor=county.pays, file_id=made.pk, now=at(12, 10))
    answers = {i.payment_id: (i.payment_id != payment.pk, "账号有误") for i in made.items.all()}
    services.settle(actor=county.pays, file_id=made.pk, answers=answers, now=at(12, 12))
    payment.refresh_from_db()
    case.refresh_from_db()
    assert (payment.state, payment.amount, payment.deducted) == ("rejected", 10000, 0)
    assert (case.state, case.repaid) == ("agreed", 0)
    assert list(case.instalments.values_list("repaid", flat=True)) == [0, 0]
    assert Deduction.objects.get().undone_at == at(12, 12)
    assert (books()["benefit_due"], books()["benefit_owed"]) == (10000, -20000)
    assert "银行退回" in selectors.explain(county.prepares, payment.line).sentence
    assert clean() == {}


def test_a_case_repaid_by_the_deduction_opens_again_with_the_rejection(county, case):
    services.deduct(actor=county.pays, recovery_id=case.pk, **{**GIVEN, "share": 50})
    services.repay(
        actor=county.pays,
        recovery_id=case.pk,
        amount=10000,
        received_on=date(2026, 12, 1),
        receipt="1",
        key="1",
        now=at(12, 1),
    )
    services.agree(
        actor=county.pays, recovery_id=case.pk, instalments=1, first_due=date(2026, 12, 10), payer="x", now=at(12, 1)
    )
    payment = december(county, 40000)
    case.refresh_from_db()
    assert (case.state, payment.deducted) == ("repaid", 10000)
    made = services.make_bank_file(actor=county.pays, region_id=county.region.pk, now=at(12, 10))
    services.send(actor=county.pays, file_id=made.pk, now=at(12, 10))
    services.settle(actor=county.pays, file_id=made.pk, answers={payment.pk: (False, "x")}, now=at(12, 12))
    case.refresh_from_db()
    assert (case.state, case.repaid, case.closed_at) == ("agreed", 10000, None)
    assert clean() == {}


def test_nothing_is_deducted_before_its_month_nor_after_it_was_stopped(county, case):
    services.deduct(actor=county.pays, recovery_id=case.pk, **{**GIVEN, "since": date(2027, 1, 1)})
    assert december(county).deducted == 0
    services.stop_deducting(actor=county.pays, recovery_id=case.pk, reason="本人撤回同意", now=at(12, 12))
    case.refresh_from_db()
    assert (case.deduct_share, case.trail.order_by("-id").first().reason) == (None, "本人撤回同意")
    assert not Deduction.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"share": 51}, "share"), ({"share": 0}, "share"), ({"basis": "x"}, "basis"), ({"evidence": " "}, "evidence"),
        ({"since": OCTOBER}, "since"),
    ],
)  # fmt: skip
def test_refusals_change_nothing(county, case, change, field):
    before = Recovery.objects.values().get()
    with pytest.raises(Invalid) as refused:
        services.deduct(actor=county.pays, recovery_id=case.pk, **{**GIVEN, **change})
    assert list(refused.value.errors) == [field]
    assert Recovery.objects.values().get() == before


def test_no_deduction_without_a_share_of_the_fund_or_an_agreement(county, case, staff):
    services.waive(actor=county.pays, recovery_id=case.pk, reason="困难")
    with pytest.raises(Refused) as refused:
        services.deduct(actor=county.pays, recovery_id=case.pk, **GIVEN)
    assert refused.value.code == "workflow.edge"
    services.set_deductible(actor=county.pays, fund_id=county.fund.pk, share=None)
    with pytest.raises(Refused) as refused:
        services.deduct(actor=county.pays, recovery_id=case.pk, **GIVEN)
    assert refused.value.code == "benefits.not_deductible"
    for given in ({"share": 101, "document": "x"}, {"share": 50, "document": ""}):
        with pytest.raises(Invalid):
            services.set_deductible(actor=county.pays, fund_id=county.fund.pk, **given)
    county.fund.refresh_from_db()
    assert county.fund.deduct_most is None
    with pytest.raises(Refused) as refused:
        services.stop_deducting(actor=county.pays, recovery_id=case.pk, reason="x")
    assert refused.value.code == "benefits.deducts_nothing"


def test_the_screens(county, case):
    client = client_for(county.pays)
    page = client.get(reverse("benefits:deduct", args=[case.pk]))
    assert page.status_code == 200
    sent = client.post(
        reverse("benefits:deduct", args=[case.pk]),
        {"share": "30", "basis": "decision", "evidence": "决定3号", "since": "2099-01-01"},
    )
    assert sent.status_code == 303
    shown = client.get(reverse("benefits:recovery", args=[case.pk])).content.decode()
    assert "决定3号" in shown
    assert client.get(reverse("benefits:fund_deductible", args=[county.fund.pk])).status_code == 200
