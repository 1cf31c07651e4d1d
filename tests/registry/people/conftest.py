"""A handful of registered persons in two counties."""

from datetime import date

import pytest

from sangyu.kernel.identity import check_character
from sangyu.registry.people import services


@pytest.fixture
def today():
    return date(2026, 11, 21)


@pytest.fixture
def id_number():
    """Factory of valid citizen numbers; sequence 991 is a man, 992 a woman."""

    def make(birth="19450612", sequence="992", area="210802"):
        first = f"{area}{birth}{sequence}"
        return first + check_character(first)

    return make


@pytest.fixture
def enter(regions, staff, today):
    """Factory: register a person in a region of the small tree as the city's bureau."""

    def make(name="张桂兰", region="a_one", **more):
        values = {"source": "test", "today": today, "sex": "2", "birth_date": date(1945, 6, 12)} | more
        return services.register(actor=staff("city"), name=name, region_id=regions[region].pk, **values)

    return make
