"""Pricing of a visit: R-051 … R-055 and R-052's bill. Pure arithmetic, to the fen."""

import pytest
import yaml
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from sangyu.care.orders.pricing import Note, Quote, TierRule, cancellation_fee, first_fitting, quote

LOW = TierRule("low", "低偿优惠", "吉民发〔2009〕104号", None, {}, 25, True, "self")
FREE = TierRule("free", "无偿", "吉民发〔2009〕104号", None, {}, 0, True, "public")


def s1_rules():
    shipped = yaml.safe_load((settings.DATA / "fees" / "s1.yaml").read_text())
    return [
        TierRule(
            r["tier"],
            r["title"],
            r["basis"],
            r.get("min_age"),
            r["facts"],
            r["concession_percent"],
            r["vouchers_allowed"],
            r["rest_paid_by"],
        )
        for r in shipped["rules"]
    ]


def test_the_bill_of_the_mock_up():
    """120.00 less 25 % less a voucher of 60.00 leaves 30.00 to pay (R-052)."""
    terms = quote(
        rule=LOW,
        unit_price=12000,
        quantity=1,
        price_label="p",
        price_why="康乐",
        vouchers=[(7, 26500, "券")],
        voucher_cap=6000,
    )
    assert (terms.market, terms.concession, terms.voucher, terms.public_pay, terms.self_pay) == (
        12000,
        3000,
        6000,
        0,
        3000,
    )
    assert terms.splits == ((7, 6000),)
    assert terms.notes == (
        Note("p", "康乐", 12000),
        Note("低偿优惠", "吉民发〔2009〕104号", -3000),
        Note("券", "", -6000),
    )


def test_several_vouchers_are_spent_in_the_given_order():
    terms = quote(
        rule=LOW,
        unit_price=10000,
        quantity=2,
        price_label="p",
        price_why="",
        vouchers=[(1, 4000, "a"), (2, 0, "b"), (3, 99999, "c")],
    )
    assert terms.splits == ((1, 4000), (3, 11000))
    assert (terms.concession, terms.voucher, terms.self_pay) == (5000, 15000, 0)


def test_free_service_is_paid_by_the_public_where_vouchers_end():
    terms = quote(rule=FREE, unit_price=5000, quantity=1, price_label="p", price_why="", vouchers=[(1, 2000, "a")])
    assert (terms.voucher, terms.public_pay, terms.self_pay) == (2000, 3000, 0)


def test_voluntary_service_costs_nothing():
    rule = TierRule("voluntary", "义工", "", None, {}, 0, False, "self")
    assert quote(rule=rule, unit_price=5000, quantity=3, price_label="p", price_why="").market == 0


def test_a_concession_is_rounded_down():
    assert quote(rule=LOW, unit_price=333, quantity=1, price_label="p", price_why="").concession == 83


@given(
    price=st.integers(0, 10**7),
    quantity=st.integers(1, 50),
    percent=st.integers(0, 100),
    vouchers=st.lists(st.integers(0, 10**6), max_size=5),
    cap=st.none() | st.integers(0, 10**6),
    public=st.booleans(),
)
def test_every_quote_adds_up_and_spends_no_more_than_there_is(price, quantity, percent, vouchers, cap, public):
    rule = TierRule("low", "t", "b", None, {}, percent, True, "public" if public else "self")
    terms = quote(
        rule=rule, unit_price=price, quantity=quantity, price_label="p", price_why="",
        vouchers=[(i, v, "v") for i, v in enumerate(vouchers)], voucher_cap=cap,
    )  # fmt: skip
    assert terms.market == terms.concession + terms.voucher + terms.public_pay + terms.self_pay
    assert terms.voucher == sum(a for _i, a in terms.splits) <= min(sum(vouchers), cap if cap is not None else 10**12)
    assert all(a <= vouchers[i] for i, a in terms.splits)
    assert sum(n.amount for n in terms.notes) == terms.self_pay


def test_a_quote_that_does_not_add_up_cannot_exist():
    with pytest.raises(ValueError, match="add up"):
        Quote("paid", 100, 0, 0, 0, 99)


@pytest.mark.parametrize(
    ("age", "facts", "tier"),
    [
        (66, {"three_no": "yes"}, "free"),
        (66, {"three_no": "yes", "residence": "home"}, "free"),
        (66, {"three_no": "yes", "residence": "institution"}, "paid"),
        (70, {"income_category": "minimum_living"}, "free"),
        (69, {"income_category": "minimum_living"}, "paid"),
        (75, {"income_category": "near_minimum"}, "free"),
        (71, {"special_group": "disabled_soldier"}, "free"),
        (69, {"special_group": "disabled_soldier"}, "paid"),
        (72, {"needy_worker": "yes"}, "free"),
        (65, {"living": "alone", "care_level": "2", "income_category": "near_minimum"}, "low"),
        (65, {"living": "with_family", "care_level": "2", "income_category": "near_minimum"}, "paid"),
        (65, {"living": "alone", "care_level": "0", "income_category": "near_minimum"}, "paid"),
        (85, {}, "paid"),
    ],
)
def test_twelve_people_and_one_more_get_the_tier_of_s1(age, facts, tier):
    """R-051 … R-053 with O-4: the age limit counts for every group after 三无."""
    assert first_fitting(s1_rules(), age=age, facts=facts).tier == tier


@pytest.mark.parametrize(
    ("accepted", "hours", "fee"), [(False, 0.5, 0), (True, 2.0, 0), (True, 1.99, 2400), (True, -1, 2400)]
)
def test_cancellation_fee(accepted, hours, fee):
    assert cancellation_fee(self_price=12000, hours_before=hours, accepted=accepted, free_hours=2, percent=20) == fee
