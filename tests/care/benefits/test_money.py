"""Money of runs: release, payment files, what the bank answers, late knowledge, recoveries (X-03, R-062, R-064)."""

from datetime import date

import pytest
from django.db import connection

from care.benefits.conftest import DECEMBER, NOVEMBER, OCTOBER, at, make_account
from sangyu.care.applications.models import PayeeAccount
from sangyu.care.benefits import layouts, services
from sangyu.care.benefits.enums import LineKind, LineState, PaymentState, RecoveryState, RunState
from sangyu.care.benefits.models import FileItem, Line, Payment, PaymentFile, Recovery
from sangyu.care.vouchers import services as vouchers
from sangyu.care.vouchers.models import Voucher
from sangyu.kernel import checks
from sangyu.kernel.errors import Invalid, Refused
from sangyu.kernel.ledger.models import Account, Transfer

pytestmark = pytest.mark.django_db


def books() -> dict[str, int]:
    """Balance by purpose."""
    found: dict[str, int] = {}
    for purpose, balance in Account.objects.values_list("purpose", "balance"):
        found[purpose] = found.get(purpose, 0) + balance
    return {k: v for k, v in found.items() if v}


def clean() -> dict:
    with connection.cursor() as cursor:
        return {name: found for name, found in checks.run(cursor).items() if found}


def test_a_release_moves_each_line_once(county):
    one, two, three, *_rest = county.people
    run = county.released(OCTOBER, [county.line(one, 30000), county.line(two, 20000), county.line(three, 0)])
    assert books() == {"available": -50000, "benefit_due": 50000}
    assert list(Payment.objects.order_by("amount").values_list("amount", "state")) == [(20000, "due"), (30000, "due")]
    assert set(run.lines.values_list("state", flat=True)) == {LineState.RELEASED}
    with pytest.raises(Refused):
        services.release(actor=county.releases, run_id=run.pk)
    assert Transfer.objects.count() == 2
    assert clean() == {}


def test_the_bank_pays_and_rejects_and_a_later_file_takes_what_was_corrected(county):
    """A rejected bank line goes back to whom it is due and into a later file once its account is corrected."""
    one, two, *_rest = county.people
    run = county.released(OCTOBER, [county.line(one, 30000), county.line(two, 20000)])
    made = services.make_bank_file(actor=county.pays, region_id=county.region.pk, now=at(10, 10))
    assert (made.item_count, made.total, run.payments.filter(state="in_file").count()) == (2, 50000, 2)
    with pytest.raises(Refused) as refused:
        services.make_bank_file(actor=county.pays, region_id=county.region.pk)
    assert refused.value.code == "benefits.nothing_due"
    with pytest.raises(Refused) as refused:
        services.settle(actor=county.pays, file_id=made.pk, answers={})
    assert refused.value.code == "benefits.not_sent"
    services.send(actor=county.pays, file_id=made.pk, now=at(10, 10))
    assert books() == {"available": -50000, "in_bank": 50000}
    good, bad = Payment.objects.get(subject_id=one.pk), Payment.objects.get(subject_id=two.pk)
    answers = {good.pk: (True, ""), bad.pk: (False, "账号户名不符")}
    assert services.settle(actor=county.pays, file_id=made.pk, answers=answers, now=at(10, 12)) == {
        "accepted": 1, "rejected": 1, "same": 0,
    }  # fmt: skip
    assert services.settle(actor=county.pays, file_id=made.pk, answers=answers)["same"] == 2
    with pytest.raises(Refused) as refused:
        services.settle(actor=county.pays, file_id=made.pk, answers={good.pk: (False, "x")})
    assert refused.value.code == "benefits.answered"
    assert books() == {"available": -50000, "paid": 30000, "benefit_due": 20000}
    run.refresh_from_db()
    bad.refresh_from_db()
    assert (run.state, bad.state, bad.refusal) == (RunState.PAID, PaymentState.REJECTED, "账号户名不符")
    with pytest.raises(Refused) as refused:
        services.retry(actor=county.pays, payment_id=bad.pk)
    assert refused.value.code == "benefits.same_account"
    PayeeAccount.objects.filter(person=two).update(state="ended", ended_at=at(10, 13))
    make_account(two, "6222999900000001")
    services.retry(actor=county.pays, payment_id=bad.pk, now=at(10, 13))
    later = services.make_bank_file(actor=county.pays, region_id=county.region.pk, layout="rural_bank", now=at(10, 13))
    services.send(actor=county.pays, file_id=later.pk, now=at(10, 13))
    services.settle(actor=county.pays, file_id=later.pk, answers={bad.pk: (True, "")}, now=at(10, 14))
    run.refresh_from_db()
    assert (run.state, books()) == (RunState.RECONCILED, {"available": -50000, "paid": 50000})
    assert list(FileItem.objects.order_by("id").values_list("result", flat=True)) == [
        "accepted",
        "rejected",
        "accepted",
    ]
    assert clean() == {}


def test_a_person_without_an_account_waits(county):
    one, two, *_rest = county.people
    county.released(OCTOBER, [county.line(one, 30000), county.line(two, 20000)])
    PayeeAccount.objects.filter(person=two).delete()
    made = services.make_bank_file(actor=county.pays, region_id=county.region.pk)
    assert list(made.items.values_list("payment__subject_id", "payee")) == [(one.pk, "王桂兰")]
    assert Payment.objects.get(subject_id=two.pk).state == PaymentState.DUE
    services.discard(actor=county.pays, file_id=made.pk, reason="格式不对")
    assert set(Payment.objects.values_list("state", flat=True)) == {"due"}
    again = services.make_bank_file(actor=county.pays, region_id=county.region.pk)
    assert (again.item_count, again.total, again.number != made.number) == (1, 30000, True)


def test_files_say_what_they_hold_in_the_layout_of_the_bank(county):
    one = county.people[0]
    county.released(OCTOBER, [county.line(one, 30050)])
    payment = Payment.objects.get()
    items = [
        layouts.Item(
            1, payment.reference, 30050, "王桂兰", "6222000000000000", "农商行", "王桂兰", "", "2026-10", "age"
        )
    ]
    ending, kind, data = layouts.render(layouts.layouts()["rural_bank"], items, "x")
    assert (ending, kind) == ("csv", "text/csv")
    assert (
        data.decode("gb18030")
        == f"账号|户名|金额|币种|附言\r\n6222000000000000|王桂兰|300.50|CNY|{payment.reference}\r\n"
    )


def test_late_knowledge_comes_as_arrears_and_over_payment(county):
    """O-5, X-03: a death known late, a level corrected late; released runs stay, the difference is a case with instalments."""
    dead, better, moved, *_rest = county.people
    line = county.line
    october = county.released(OCTOBER, [line(dead, 30000), line(better, 20000), line(moved, 20000)])
    county.released(NOVEMBER, [line(p, a, month=NOVEMBER) for p, a in ((dead, 30000), (better, 20000), (moved, 20000))])
    before = list(october.lines.order_by("id").values())
    rows = [
        line(better, 40000, month=DECEMBER),
        *(line(better, 40000, month=m) for m in (OCTOBER, NOVEMBER)),
        line(moved, 80000, "home-care", month=NOVEMBER),
        *(line(moved, 20000, month=OCTOBER) for _ in range(1)),
    ]
    run = county.released(DECEMBER, rows, past=(NOVEMBER, OCTOBER))
    late = {(x.subject_id, x.policy, x.month): (x.kind, x.amount) for x in run.lines.filter(change="late")}
    assert late == {
        (dead.pk, "age-allowance", OCTOBER): (LineKind.RECOVERY, -30000),
        (dead.pk, "age-allowance", NOVEMBER): (LineKind.RECOVERY, -30000),
        (better.pk, "age-allowance", OCTOBER): (LineKind.ARREARS, 20000),
        (better.pk, "age-allowance", NOVEMBER): (LineKind.ARREARS, 20000),
        (moved.pk, "age-allowance", NOVEMBER): (LineKind.RECOVERY, -20000),
        (moved.pk, "home-care", NOVEMBER): (LineKind.ARREARS, 80000),
    }
    assert list(october.lines.order_by("id").values()) == before
    paid = {(p.subject_id, p.policy, p.amount, p.offset) for p in run.payments.all()}
    assert paid == {
        (better.pk, "age-allowance", 40000, 0), (better.pk, "age-allowance", 20000, 0), (moved.pk, "home-care", 60000, 20000),
    }  # fmt: skip
    case = Recovery.objects.get()
    assert (case.subject_id, case.amount, case.state) == (dead.pk, 60000, RecoveryState.OPEN)
    assert books()["benefit_owed"] == -60000
    assert clean() == {}
    january = county.computed(date(2027, 1, 1).replace(year=2026, month=12), []) if False else None
    assert january is None


def test_a_later_run_does_not_find_the_difference_again(county):
    one = county.people[0]
    county.released(OCTOBER, [county.line(one, 20000)])
    county.released(
        NOVEMBER, [county.line(one, 40000, month=NOVEMBER), county.line(one, 40000, month=OCTOBER)], past=(OCTOBER,)
    )
    run = county.computed(
        DECEMBER, [county.line(one, 40000, month=m) for m in (OCTOBER, NOVEMBER, DECEMBER)], past=(NOVEMBER, OCTOBER)
    )
    assert [(x.month, x.kind) for x in run.lines.all()] == [(DECEMBER, LineKind.ENTITLEMENT)]


def test_a_withheld_line_waits_until_it_is_resumed(county):
    one, two, *_rest = county.people
    rows = [county.line(one, 20000), county.line(two, 20000)]
    run = county.reviewed(county.computed(OCTOBER, rows))
    line = run.lines.get(subject_id=two.pk)
    services.withhold(actor=county.prepares, line_id=line.pk, reason="待核")
    services.approve(actor=county.approves, run_id=run.pk, now=at(10, 8))
    services.release(actor=county.releases, run_id=run.pk, now=at(10, 9))
    assert Payment.objects.get().subject_id == one.pk
    november = county.computed(NOVEMBER, [county.line(two, 20000, month=m) for m in (OCTOBER, NOVEMBER)] + rows[:1],
                               past=(OCTOBER,))  # fmt: skip
    assert {(x.subject_id, x.month, x.amount) for x in november.lines.filter(amount__gt=0)} == {
        (two.pk, NOVEMBER, 20000)
    }
    services.resume(actor=county.prepares, line_id=line.pk)
    assert Line.objects.get(pk=line.pk).state == LineState.RESUMED
    services.cancel(actor=county.prepares, run_id=november.pk, reason="重算")
    again = county.computed(NOVEMBER, [county.line(two, 20000, month=m) for m in (OCTOBER, NOVEMBER)] + rows[:1],
                            past=(OCTOBER,))  # fmt: skip
    assert {(x.month, x.kind, x.amount) for x in again.lines.filter(subject_id=two.pk)} == {
        (OCTOBER, LineKind.ARREARS, 20000), (NOVEMBER, LineKind.ENTITLEMENT, 20000),
    }  # fmt: skip


def test_a_recovery_is_repaid_in_instalments_or_written_off(county):
    """X-03: over-payment case with instalments; repeated entries are the same money."""
    one, two, *_rest = county.people
    county.released(OCTOBER, [county.line(one, 30000), county.line(two, 10000)])
    county.released(NOVEMBER, [], past=(OCTOBER,))
    case, other = Recovery.objects.get(subject_id=one.pk), Recovery.objects.get(subject_id=two.pk)
    services.agree(
        actor=county.pays,
        recovery_id=case.pk,
        instalments=4,
        first_due=date(2026, 12, 31),
        payer="女儿",
        now=at(11, 20),
    )
    assert list(case.instalments.values_list("due_on", "amount")) == [
        (date(2026, 12, 28), 7500), (date(2027, 1, 28), 7500), (date(2027, 2, 28), 7500), (date(2027, 3, 28), 7500),
    ]  # fmt: skip
    given = {"actor": county.pays, "recovery_id": case.pk, "received_on": date(2026, 12, 28), "receipt": "SJ-1"}
    for _n in range(2):
        services.repay(**given, amount=10000, key="1")
    case.refresh_from_db()
    assert (case.repaid, list(case.instalments.values_list("repaid", flat=True))) == (10000, [7500, 2500, 0, 0])
    for more, code in (
        ({"amount": 20001, "key": "2"}, "benefits.repaid_too_much"),
        ({"amount": 1, "key": "1"}, "benefits.key_reused"),
    ):
        with pytest.raises(Refused) as refused:
            services.repay(**given, **more)
        assert refused.value.code == code
    case = services.repay(**given, amount=20000, key="2")
    assert case.state == RecoveryState.REPAID
    with pytest.raises(Invalid):
        services.waive(actor=county.pays, recovery_id=other.pk, reason="")
    assert services.waive(actor=county.pays, recovery_id=other.pk, reason="无遗产").left == 0
    assert {k: v for k, v in books().items() if k in ("benefit_owed", "receivable", "waived")} == {}
    assert clean() == {}


def test_vouchers_are_issued_for_what_waits(county, staff):
    """R-042, R-050: a policy paid in vouchers, by class, once."""
    one, two, *_rest = county.people
    rows = [county.line(one, 20000, form="voucher"), county.line(two, 60000, form="voucher")]
    run = county.released(OCTOBER, rows)
    assert books() == {"available": -80000, "voucher": 80000}
    programme = vouchers.publish_programme(
        actor=county.pays, region_id=county.region.pk, path=county.region.path, name="居家服务券", face_amount=20000,
        valid_from=date(2026, 1, 1), categories=["cleaning"],
    )  # fmt: skip
    given = {
        "actor": county.pays,
        "region_id": county.region.pk,
        "policy": "age-allowance",
        "programme_id": programme.pk,
    }
    made = services.issue_vouchers(**given, now=at(10, 10))
    assert dict(Voucher.objects.values_list("person_id", "amount")) == {one.pk: 20000, two.pk: 60000}
    run.refresh_from_db()
    assert (made.kind, made.total, run.state) == ("voucher", 80000, RunState.RECONCILED)
    with pytest.raises(Refused):
        services.issue_vouchers(**given)
    assert Voucher.objects.count() == 2
    assert clean() == {}


def test_the_insurer_gets_a_list_with_its_premium_total(county):
    """R-045: list, premium total, joiners in a later list."""
    rows = [county.line(p, 5000, "accident", form="insurance") for p in county.people[:2]]
    county.released(OCTOBER, rows)
    made = services.make_insurer_file(actor=county.pays, region_id=county.region.pk, policy="accident", now=at(10, 10))
    assert (made.item_count, made.total) == (2, 10000)
    services.send(actor=county.pays, file_id=made.pk, now=at(10, 10))
    assert services.confirm(actor=county.pays, file_id=made.pk, now=at(10, 11))["accepted"] == 2
    assert PaymentFile.objects.get().state == "settled"
    assert clean() == {}


def test_an_earmarked_gift_pays_for_nothing_else(county):
    """R-064: purpose and limit of a donation."""
    gift = services.open_fund(
        actor=county.pays, region_id=county.region.pk, code="gift", name="爱心捐款", kind="donation",
        policies=["home-care"], valid_from=date(2026, 1, 1),
    )  # fmt: skip
    run = county.reviewed(county.computed(OCTOBER, [county.line(county.people[0], 20000, fund="gift")]))
    with pytest.raises(Refused) as refused:
        services.approve(actor=county.approves, run_id=run.pk)
    assert refused.value.code == "benefits.fund_purpose"
    services.cancel(actor=county.prepares, run_id=run.pk, reason="x")
    run = county.reviewed(county.computed(OCTOBER, [county.line(county.people[0], 20000, "home-care", fund="gift")]))
    with pytest.raises(Refused) as refused:
        services.approve(actor=county.approves, run_id=run.pk)
    assert refused.value.code == "benefits.fund_short"
    for _n in range(2):
        services.receive(actor=county.pays, fund_id=gift.pk, amount=20000, received_on=date(2026, 10, 1), key="g1")
    assert services.approve(actor=county.approves, run_id=run.pk).state == RunState.APPROVED
    other = county.computed(NOVEMBER, [county.line(county.people[0], 1, fund="nowhere", month=NOVEMBER)])
    with pytest.raises(Refused) as refused:
        services.approve(actor=county.approves, run_id=county.reviewed(other).pk)
    assert refused.value.code == "benefits.fund_missing"
