"""HTTP API: every operation answers by its schema, does what it should for the right role, and falls over for nobody."""

import json

import pytest

from sangyu.kernel.permissions import all_permissions, every_permission
from support.api import EXAMPLES, answer, example, load, operations
from support.counties import clock, two_counties

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture
def counties(regions):
    made = two_counties(regions, every_permission())
    with clock():
        yield made


@pytest.fixture
def api(counties):
    """Operations by operationId."""
    return operations(load(counties["a"].tokens["bureau"]))


def test_every_operation_has_an_example_and_a_permission(api):
    assert sorted(api) == sorted(EXAMPLES)
    assert {o.definition.raw["x-permission"] for o in api.values()} <= all_permissions().keys()


def test_every_operation_succeeds_for_a_role_that_holds_its_permission(api, counties):
    """Issue 2 §4.6: at least one 2xx an operation."""
    failed = {}
    for name, operation in api.items():
        needed, seen = operation.definition.raw["x-permission"], {}
        for role, token in counties["a"].tokens.items():
            if not counties["a"].actors[role].may(needed):
                continue
            response = answer(example(operation, counties["a"]), token)
            seen[role] = (response.status_code, response.json() if response.content else None)
            if response.status_code < 300:
                break
        else:
            failed[name] = seen
    assert failed == {}, json.dumps(failed, ensure_ascii=False, indent=1)
