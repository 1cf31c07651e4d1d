"""Devices in the stock of county a, and who works with them."""

from datetime import date

import pytest

from sangyu.registry.devices import services
from support.equipping import AGREED, NOW
from support.world import make_person


@pytest.fixture
def bureau(staff):
    return staff("a")


@pytest.fixture
def receive(bureau):
    """Factory: a device in stock."""
    numbers = iter(range(8_800_000_001, 8_800_000_999))

    def make(product="watch-3g", **more):
        given = {"identity": str(next(numbers)), "received_on": date(2026, 9, 1)} | more
        return services.receive(actor=more.pop("actor", bureau), product=product, now=NOW, **given)

    return make


@pytest.fixture
def watch(receive):
    return receive(iccid="89860000000000000017", sim_phone="13900001234")


@pytest.fixture
def elder(regions):
    return make_person(regions["a_one"])


@pytest.fixture
def issued(bureau, watch, elder):
    """The watch is with the elder."""
    services.issue(actor=bureau, device_id=watch.pk, person_id=elder.pk, answers=AGREED, deposit=10_000, now=NOW)
    watch.refresh_from_db()
    return watch
