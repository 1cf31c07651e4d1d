"""What is given once is settled in the run's own month; earlier months of it are not claimed back (R-060)."""

import pytest

from sangyu.care.benefits.models import Line

from .conftest import NOVEMBER, OCTOBER

pytestmark = pytest.mark.django_db
ONCE = [{"id": 1, "code": "rating-award", "period": "once"}, {"id": 2, "code": "age-allowance", "period": "month"}]


def test_a_grant_given_once_stays_given(county):
    person = county.people[0]
    given = county.line(person, 20_000_00, policy="rating-award", period="once")
    county.released(OCTOBER, [given, county.line(person, 300_00)], versions=ONCE)
    run = county.computed(
        NOVEMBER,
        [
            county.line(person, 0, policy="rating-award", month=NOVEMBER, period="once", stacked="paid"),
            county.line(person, 300_00, month=NOVEMBER),
            county.line(person, 300_00),
        ],
        past=[OCTOBER],
        versions=ONCE,
    )
    assert list(Line.objects.filter(run=run).exclude(kind="entitlement")) == []
