"""A world without orders: what vouchers are about and nothing that lies above them."""

from datetime import date
from types import SimpleNamespace

import pytest

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.permissions import every_permission
from support.world import make_item, make_organisation, make_person


@pytest.fixture
def world(regions, staff):
    county = regions["a"]
    organisation, _contract = make_organisation(county, "康乐", {"bathing": 12000, "cleaning": 6000})
    person = make_person(
        regions["a_one"], birth=date(1958, 3, 8), living="alone", care_level="2", income_category="near_minimum"
    )

    def other(audience, name, subject_id):
        return Actor(audience, county.path, name, subject_id=subject_id, permissions=every_permission())

    return SimpleNamespace(
        region=county,
        person=person,
        organisation=organisation,
        bathing=make_item(regions["city"], "bathing", "助浴"),
        cleaning=make_item(regions["city"], "cleaning", "助洁", category="cleaning"),
        desk=staff("a", role="dispatcher"),
        manager=other(Audience.PROVIDER, "康乐经理", organisation.pk),
        family=other(Audience.FAMILY, "李建华", 77),
    )
