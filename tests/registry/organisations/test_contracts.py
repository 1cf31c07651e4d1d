"""Contracts and dated prices (R-052, R-067)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.models import Event
from sangyu.kernel.scoping import scope
from sangyu.registry.organisations import selectors, services
from sangyu.registry.organisations.models import Contract, Price

from .conftest import NOW, TODAY

pytestmark = pytest.mark.django_db
TERM = {"valid_from": date(2026, 1, 1), "valid_to": date(2027, 1, 1)}


@pytest.fixture
def contract(regions, staff, organisation, item):
    """Factory: a contract of a region with a fresh organisation; signed with one price unless ``sign=False``."""
    item()

    def make(key="city", row=None, price=2000, sign=True, number="HT-1", **fields):
        actor, row = staff(key), row or organisation("city")
        made = services.draft_contract(
            actor=actor,
            region=regions[key],
            organisation_id=row.pk,
            number=number,
            title="居家养老服务",
            **{**TERM, **fields},
        )
        if not sign:
            return made
        services.set_price(
            actor=actor,
            contract_id=made.pk,
            item_code="cleaning",
            unit_price=price,
            valid_from=made.valid_from,
            today=TODAY,
        )
        return services.sign_contract(actor=actor, contract_id=made.pk, now=NOW)

    return make


def quote(made, path, day=TODAY):
    return selectors.price_of(organisation_id=made.organisation_id, item_code="cleaning", path=path, day=day)


def test_a_signed_contract_prices_its_region_within_its_term(regions, staff, contract):
    """R-067: the price list limits what can be billed."""
    made = contract("a")
    with scope(staff("city")):
        found = quote(made, regions["a_one"].path)
        assert (found.contract_price, found.market_price, found.unit_price) == (2000, None, 2000)
        assert (found.contract_id, found.contract_number) == (made.pk, "HT-1")
        assert quote(made, regions["b_one"].path) is None
        assert quote(made, regions["a_one"].path, date(2025, 12, 31)) is None
        assert quote(made, regions["a_one"].path, date(2026, 12, 31)).unit_price == 2000
        assert quote(made, regions["a_one"].path, date(2027, 1, 1)) is None


def test_market_price_stands_beside_the_contract_price(regions, staff, contract):
    """R-052: the bill shows the market price and the concession."""
    made = contract()
    services.set_price(
        actor=staff("city"),
        organisation_id=made.organisation_id,
        item_code="cleaning",
        unit_price=3500,
        valid_from=TODAY,
        today=TODAY,
    )
    with scope(staff("city")):
        found = quote(made, regions["b_one"].path)
        assert (found.market_price, found.contract_price, found.unit_price) == (3500, 2000, 2000)


def test_the_nearest_regions_contract_wins(regions, staff, contract):
    wide = contract()
    near = contract("a", row=wide.organisation, price=1500, number="HT-2")
    with scope(staff("city")):
        assert quote(wide, regions["a_one"].path).contract_id == near.pk
        assert quote(wide, regions["b_one"].path).contract_id == wide.pk


def test_drafts_do_not_price_and_need_a_price_to_be_signed(regions, staff, contract):
    made = contract(sign=False)
    with pytest.raises(Refused) as refusal:
        services.sign_contract(actor=staff("city"), contract_id=made.pk, now=NOW)
    assert refusal.value.code == "contracts.no_price"
    services.set_price(
        actor=staff("city"),
        contract_id=made.pk,
        item_code="cleaning",
        unit_price=1,
        valid_from=date(2026, 1, 1),
        today=TODAY,
    )
    with scope(staff("city")):
        assert quote(made, regions["a_one"].path) is None
    services.change_contract(actor=staff("city"), contract_id=made.pk, title="新名")
    services.sign_contract(actor=staff("city"), contract_id=made.pk, now=NOW)
    with pytest.raises(Refused) as refusal:
        services.change_contract(actor=staff("city"), contract_id=made.pk, title="再改")
    assert refusal.value.code == "contracts.signed"
    assert Contract.objects.get(pk=made.pk).title == "新名"


def test_ending_a_contract_stops_its_prices_and_tells_orders(regions, staff, contract):
    made = contract()
    with pytest.raises(Refused):
        services.end_contract(actor=staff("city"), contract_id=made.pk, reason="", now=NOW)
    services.end_contract(actor=staff("city"), contract_id=made.pk, reason="违约", now=NOW)
    event = Event.objects.get(name="organisations.contract_ended")
    assert event.payload == {
        "id": made.pk,
        "action": "end",
        "organisation_id": made.organisation_id,
        "on": "2026-03-02",
    }
    with scope(staff("city")):
        assert quote(made, regions["a_one"].path) is None
        assert quote(made, regions["a_one"].path, date(2026, 3, 1)).unit_price == 2000


def test_contracts_end_when_their_term_is_over(regions, staff, contract):
    made = contract()
    night = datetime(2026, 12, 31, 16, 11, tzinfo=UTC)  # 00:11 on 1 January in Shanghai
    assert services.end_due_contracts(actor=Actor.job("night"), now=night - timedelta(hours=1)) == 0
    assert services.end_due_contracts(actor=Actor.job("night"), now=night) == 1
    assert services.end_due_contracts(actor=Actor.job("night"), now=night) == 0
    assert Event.objects.get(name="organisations.contract_ended").payload["on"] == "2027-01-01"
    with scope(staff("city")):
        assert quote(made, regions["a_one"].path, date(2026, 12, 31)).unit_price == 2000


def test_an_organisation_that_ends_takes_its_contracts_along(regions, staff, contract):
    made = contract("a")
    services.end(actor=staff("city"), organisation_id=made.organisation_id, reason="注销", now=NOW)
    assert Contract.objects.get(pk=made.pk).state == "ended"


def test_a_price_change_keeps_past_days(regions, staff, contract):
    made, actor = contract(), staff("city")
    with pytest.raises(Refused) as refusal:
        services.set_price(
            actor=actor,
            contract_id=made.pk,
            item_code="cleaning",
            unit_price=1,
            valid_from=date(2026, 3, 1),
            today=TODAY,
        )
    assert refusal.value.code == "prices.past"
    services.set_price(
        actor=actor,
        contract_id=made.pk,
        item_code="cleaning",
        unit_price=2500,
        valid_from=date(2026, 4, 1),
        today=TODAY,
    )
    with scope(actor):
        path = regions["a_one"].path
        assert [quote(made, path, d).unit_price for d in (date(2026, 3, 31), date(2026, 4, 1))] == [2000, 2500]


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"item_code": "gone"}, "item_code"),
        ({"unit_price": -1}, "unit_price"),
        ({"valid_from": date(2027, 1, 1)}, "valid_from"),
        ({"valid_to": date(2027, 1, 2)}, "valid_from"),
        ({"valid_to": date(2026, 3, 2)}, "valid_to"),
    ],
)
def test_wrong_prices_are_named_and_nothing_is_written(staff, contract, change, wrong):
    made = contract()
    given = {"item_code": "cleaning", "unit_price": 1, "valid_from": TODAY, **change}
    with pytest.raises(Invalid) as refusal:
        services.set_price(actor=staff("city"), contract_id=made.pk, today=TODAY, **given)
    assert list(refusal.value.errors) == [wrong]
    assert list(Price.objects.values_list("unit_price", flat=True)) == [2000]


def test_a_provider_sets_its_market_price_but_no_contract_price(regions, staff, contract):
    made, other = contract(), contract(number="HT-2")
    provider = Actor(
        audience=Audience.PROVIDER,
        path=regions["city"].path,
        name="p",
        subject_id=made.organisation_id,
        permissions=frozenset({"organisations.own"}),
    )
    given = {"actor": provider, "item_code": "cleaning", "unit_price": 9, "valid_from": TODAY, "today": TODAY}
    services.set_price(**given, organisation_id=made.organisation_id)
    with pytest.raises(Forbidden):
        services.set_price(**given, contract_id=made.pk)
    with pytest.raises(NotVisible):
        services.set_price(**given, organisation_id=other.organisation_id)
    with scope(provider):
        assert sorted(Price.objects.values_list("unit_price", flat=True)) == [9, 2000]
        assert list(Contract.objects.values_list("id", flat=True)) == [made.pk]


def test_contract_numbers_are_used_once_by_a_region(staff, contract):
    contract()
    with pytest.raises(Refused) as refusal:
        contract()
    assert refusal.value.code == "contracts.number"
    assert Contract.objects.count() == 1


def test_the_database_refuses_two_prices_for_one_day(staff, contract):
    contract()
    row = Price.objects.get()
    row.pk, row.valid_from = None, date(2026, 5, 1)
    with pytest.raises(IntegrityError, match="price_contract_no_overlap"), transaction.atomic():
        row.save(force_insert=True)


DAYS = [TODAY + timedelta(days=n) for n in range(12)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    acts=st.lists(
        st.tuples(st.integers(0, 10), st.one_of(st.none(), st.integers(1, 11)), st.integers(0, 9999)),
        min_size=1,
        max_size=6,
    )
)
def test_any_sequence_of_prices_reads_like_a_calendar(regions, staff, organisation, item, acts):
    """Property: after any acts the price of each day is the one last set for it; intervals never overlap or vanish."""
    with transaction.atomic():
        item()
        row, calendar = organisation(), {}
        for start, length, price in acts:
            end = DAYS[start] + timedelta(days=length) if length else None
            services.set_price(
                actor=staff("city"),
                organisation_id=row.pk,
                item_code="cleaning",
                unit_price=price,
                valid_from=DAYS[start],
                valid_to=end,
                today=TODAY,
            )
            calendar.update({d: price for d in DAYS if d >= DAYS[start] and (end is None or d < end)})
        with scope(staff("city")):
            for d in DAYS:
                found = selectors.price_of(organisation_id=row.pk, item_code="cleaning", path=regions["a"].path, day=d)
                assert (found and found.unit_price) == calendar.get(d)
        transaction.set_rollback(True)
