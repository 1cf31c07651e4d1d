"""Fixtures of the Need road; the rows are made in ``support.world``."""

from datetime import date
from types import SimpleNamespace

import pytest

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.permissions import every_permission
from support.world import World, make_fee_rules, make_item, make_organisation, make_person, make_worker


@pytest.fixture
def world(regions, staff) -> World:
    """County A with everything one visit needs; the elder is low-fee: 25 % concession."""
    county, community = regions["a"], regions["a_one"]
    make_fee_rules(regions["city"])
    bathing = make_item(regions["city"], "bathing", "助浴", skill="care", crew=2, risk=True)
    cleaning = make_item(regions["city"], "cleaning", "助洁", minutes=120, category="cleaning")
    organisation, contract = make_organisation(county, "康乐", {"bathing": 12000, "cleaning": 6000})
    person = make_person(
        community, birth=date(1958, 3, 8), living="alone", care_level="2", income_category="near_minimum"
    )
    lead = make_worker(organisation, county, "孙丽华")
    second = make_worker(organisation, county, "于晓梅", latitude=40.68)
    cleaner = make_worker(organisation, county, "何永强", skills=(), sex="1")
    base = SimpleNamespace(path=county.path, permissions=every_permission())
    return World(
        region=county,
        person=person,
        organisation=organisation,
        contract=contract,
        bathing=bathing,
        cleaning=cleaning,
        lead=lead,
        second=second,
        cleaner=cleaner,
        desk=staff("a", role="dispatcher"),
        manager=Actor(
            Audience.PROVIDER,
            base.path,
            "康乐经理",
            subject_id=organisation.pk,
            role="provider_manager",
            permissions=base.permissions,
        ),
        worker=Actor(
            Audience.WORKER, base.path, "孙丽华", subject_id=lead.pk, role="worker", permissions=base.permissions
        ),
        family=Actor(
            Audience.FAMILY,
            base.path,
            "李建华",
            account_id=77,
            subject_id=77,
            role="family",
            permissions=base.permissions,
        ),
    )
