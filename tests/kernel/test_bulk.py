"""Many rows in a few statements (design rule 9)."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sangyu.kernel import bulk
from sangyu.kernel.models import Change
from sangyu.kernel.scoping import scope
from sangyu.registry.people.models import Household

pytestmark = pytest.mark.django_db


def test_instances_and_tuples_are_written_alike(regions, staff):
    region = regions["a_one"]
    with scope(staff("a")):
        ids = bulk.reserve_ids(Household, 1)
        home = Household(pk=ids[0], region=region, path=region.path, address="清华路1号")
        assert bulk.insert(Household, [home]) == 1
        assert bulk.insert_rows(Household, ("address",), [("清华路2号",)], region_id=region.pk, path=region.path) == 1
        assert bulk.insert(Household, []) == bulk.insert_rows(Household, ("address",), [], path="", region_id=0) == 0
        first, second = Household.objects.order_by("address").values()
        assert first | {"id": 0, "address": ""} == second | {"id": 0, "address": ""}
        assert Change.objects.filter(table_name="people_household", op="I").count() == 2


def test_plans_made_for_a_small_table_are_thrown_away_before_many_rows(regions, staff, monkeypatch):
    """A foreign key checked by a scan a row: a hundred thousand facts took hours."""
    region = regions["a_one"]
    monkeypatch.setattr(bulk, "MANY", 2)
    for count in (2, 3):
        with scope(staff("a")), CaptureQueriesContext(connection) as queries:
            bulk.insert_rows(
                Household, ("address",), [(str(n),) for n in range(count)], region_id=region.pk, path=region.path
            )
        assert ("DISCARD PLANS" in [q["sql"] for q in queries]) is (count == 3)
