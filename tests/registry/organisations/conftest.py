from datetime import UTC, date, datetime

import pytest
from django.utils import translation

from sangyu.registry.catalogue import services as catalogue
from sangyu.registry.organisations import services
from sangyu.registry.organisations.credit_code import check_character

TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


def credit_code(n: int) -> str:
    body = f"91210800MA0{n:06d}"
    return body + check_character(body)


@pytest.fixture(autouse=True)
def english():
    """Messages are compared in their source language."""
    with translation.override("en"):
        yield


@pytest.fixture
def item(regions, staff):
    """Factory: a published item of the city."""

    def make(code="cleaning", **fields):
        given = {"name": code, "category": "cleaning", "unit": "hour", "duration_minutes": 60, **fields}
        return catalogue.publish_item(
            actor=staff("city"), region=regions["city"], code=code, valid_from=date(2026, 1, 1), today=TODAY, **given
        )

    return make


@pytest.fixture
def organisation(regions, staff):
    """Factory: an enterprise of a region; approved with a business licence unless ``approve=False``."""
    count = iter(range(1, 100))

    def make(key="city", approve=True, **fields):
        n = next(count)
        given = {"name": f"机构{n}", "legal_form": "enterprise", "credit_code": credit_code(n), **fields}
        row = services.register_organisation(actor=staff(key), region=regions[key], **given)
        if not approve:
            return row
        services.add_licence(
            actor=staff(key), organisation_id=row.pk, kind="business", number=f"B{n}", valid_from=date(2020, 1, 1)
        )
        return services.approve(actor=staff(key), organisation_id=row.pk, now=NOW)

    return make


@pytest.fixture
def capable(regions, staff):
    """Factory: let an organisation serve a category in a region, at a market price."""

    def make(row, area="city", category="cleaning", code="cleaning", price=3000):
        actor = staff("city")
        services.add_capability(
            actor=actor, organisation_id=row.pk, category=category, area=regions[area], valid_from=date(2026, 1, 1)
        )
        if price is not None:
            services.set_price(
                actor=actor,
                organisation_id=row.pk,
                item_code=code,
                unit_price=price,
                valid_from=date(2026, 1, 1),
                today=TODAY,
            )
        return row

    return make
