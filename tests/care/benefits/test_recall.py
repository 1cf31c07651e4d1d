"""Months over-paid in vouchers: the unused rest goes back by itself, what was used is claimed (X-03, R-042, R-050)."""

from datetime import date

import pytest

from care.benefits.conftest import DECEMBER, NOVEMBER, OCTOBER, at
from care.benefits.test_money import books, clean
from sangyu.care.benefits import selectors, services
from sangyu.care.benefits.models import Payment, Recall, Recovery
from sangyu.care.vouchers import services as vouchers
from sangyu.care.vouchers.models import Voucher
from sangyu.kernel.ledger import services as ledger
from sangyu.kernel.ledger.models import Account
from sangyu.kernel.scoping import scope

pytestmark = pytest.mark.django_db


@pytest.fixture
def issued(county):
    """``issued(60000, used=20000)``: October's voucher of the first elder, of which something was used."""
    programme = vouchers.publish_programme(
        actor=county.pays, region_id=county.region.pk, path=county.region.path, name="居家服务券", face_amount=20000,
        valid_from=date(2026, 1, 1), categories=["cleaning"],
    )  # fmt: skip

    def make(amount, used=0):
        one = county.people[0]
        county.released(OCTOBER, [county.line(one, amount, form="voucher")])
        services.issue_vouchers(
            actor=county.pays,
            region_id=county.region.pk,
            policy="age-allowance",
            programme_id=programme.pk,
            now=at(10, 10),
        )
        voucher = Voucher.objects.get(person=one)
        if used:
            spend(county, voucher, used)
        return voucher

    return make


def spend(county, voucher, fen):
    """A visit is paid with the voucher: voucher → passed through → the provider's."""
    with scope(county.pays):
        spent = Account.objects.get(owner_kind="voucher_programme", purpose="issued")
        made = ledger.open_account(
            actor=county.pays, owner_kind="voucher_programme", owner_id=voucher.programme_id, unit="voucher_fen",
            purpose="spent", path=spent.path, floor=None,
        )  # fmt: skip
        earned = ledger.open_account(
            actor=county.pays,
            owner_kind="organisation",
            owner_id=1,
            unit="voucher_fen",
            purpose="earned",
            path=spent.path,
        )
        for debit, credit, key in ((voucher.account_id, made, "s"), (made, earned, "e")):
            ledger.transfer(
                actor=county.pays, debit=debit, credit=credit, amount=fen, key=f"{key}{fen}", kind="voucher.spend"
            )


def late(county, computed, month=NOVEMBER):
    """The run of ``month`` finds that October was worth ``computed``."""
    one, two = county.people[:2]
    rows = [county.line(two, 10000, month=month, form="voucher")]
    if computed:
        rows.append(county.line(one, computed, form="voucher"))
    return county.released(month, rows, past=[OCTOBER])


@pytest.mark.parametrize(
    ("computed", "used", "back", "claimed", "state", "left"),
    [
        (0, 0, 60000, 0, "cancelled", 0),
        (0, 20000, 40000, 20000, "cancelled", 0),
        (0, 60000, 0, 60000, "cancelled", 0),
        (40000, 0, 20000, 0, "active", 40000),
        (40000, 30000, 20000, 0, "active", 10000),
        (40000, 50000, 10000, 10000, "active", 0),
        (40000, 60000, 0, 20000, "active", 0),
    ],
)  # fmt: skip
def test_the_unused_rest_goes_back_and_what_was_used_is_claimed(
    county, issued, computed, used, back, claimed, state, left
):
    voucher = issued(60000, used)
    run = late(county, computed)
    voucher.refresh_from_db()
    over = 60000 - computed
    assert (voucher.state, voucher.available, voucher.withdrawn) == (state, left, over)
    line = run.lines.get(kind="recovery")
    assert line.amount == -over
    found = Recall.objects.get(line=line)
    assert (found.unissued, found.back, found.ended, found.used) == (0, back, 0, claimed)
    assert list(Recovery.objects.values_list("amount", flat=True)) == ([claimed] if claimed else [])
    assert books()["available"] == -60000 - 10000 + back
    assert books().get("benefit_owed", 0) == -claimed
    with scope(county.pays):
        (year,) = selectors.fund_years(county.pays, county.fund)
    assert year.elder_care == 70000 - back
    trail = voucher.trail.order_by("-id").first()
    assert run.number in trail.reason
    told = selectors.explain(county.prepares, line).sentence
    assert ("未用的已收回" in told, "已使用，予以追回" in told) == (bool(back), bool(claimed))
    assert clean() == {}


def test_what_was_not_issued_yet_stays_with_the_fund(county):
    one = county.people[0]
    october = county.released(OCTOBER, [county.line(one, 60000, form="voucher")])
    run = late(county, 20000)
    payment = Payment.objects.get(run=october)
    assert (payment.amount, payment.offset, payment.state) == (20000, 40000, "due")
    found = Recall.objects.get(line__run=run)
    assert (found.unissued, found.back, found.used, Recovery.objects.count()) == (40000, 0, 0, 0)
    assert books() == {"available": -30000, "voucher": 30000}
    assert clean() == {}


def test_a_voucher_that_ended_unused_costs_the_person_nothing(county, issued):
    """After a death its vouchers are cancelled at once: the fund gets its money back, nobody is asked for it."""
    voucher = issued(60000, 10000)
    vouchers.cancel(actor=county.pays, voucher_id=voucher.pk, reason="去世", today=date(2026, 10, 20))
    run = late(county, 0)
    found = Recall.objects.get(line__run=run)
    assert (found.back, found.ended, found.used) == (0, 50000, 10000)
    assert Recovery.objects.get().amount == 10000
    assert "已失效，未使用" in selectors.explain(county.prepares, run.lines.get(kind="recovery")).sentence
    assert clean() == {}


def test_a_month_corrected_twice_is_taken_back_once(county, issued):
    voucher = issued(60000, 50000)
    late(county, 40000)
    late(county, 10000, month=DECEMBER)
    voucher.refresh_from_db()
    assert (voucher.available, voucher.withdrawn) == (0, 50000)
    assert sorted(Recovery.objects.values_list("amount", flat=True)) == [10000, 30000]
    assert clean() == {}
