"""HTTP API: every operation answers by its schema, does what it should for the right role, and falls over for nobody."""

import json

import pytest
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sangyu.kernel.permissions import all_permissions, every_permission
from support.api import EXAMPLES, answer, bearer, example, load, operations
from support.counties import clock, two_counties
from support.world import make_regions

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture(scope="module")
def built(shared_rows):
    return two_counties(make_regions(), every_permission(), only=("a",))


@pytest.fixture
def counties(built, db):
    with clock():
        yield built


@pytest.fixture(scope="module")
def api(built):
    """Operations by operationId."""
    with clock():
        return operations(load(built["a"].tokens["bureau"]))


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


# ---------------------------------------------------------------- what anybody might send
ID_NAMES = {
    "person_id": "person", "organisation_id": "organisation", "worker_id": "worker", "second_worker_id": "substitute",
    "preferred_worker_id": "worker", "region_id": "community", "fact_id": "fact", "voucher_id": "voucher",
    "return_visit_id": "return_visit",
}  # fmt: skip


def near(county, name: str, value):
    """``value``, or the id of a row that is there: random numbers alone would only ever find nothing."""
    start = name.removesuffix("id") if name.endswith("_id") else "-"
    known = [i for k, i in county.ids.items() if k == ID_NAMES.get(name) or k.startswith(start)]
    return st.sampled_from(known) | st.just(value) if known else st.just(value)


@st.composite
def cases(draw, fitting, county):
    """Input that fits the schema, with real ids and codes in places."""
    case = draw(fitting)
    for part in (case.path_parameters, case.query, case.body if isinstance(case.body, dict) else None):
        for name in part or ():
            part[name] = "cleaning" if name in ("item_code", "code") else draw(near(county, name, part[name]))
    return case


def bombard(operation, county, able: list[str]) -> None:
    """A few inputs that fit the schema, sent by those who may."""

    @given(cases(operation.as_strategy(), county), st.sampled_from(able))
    @settings(
        max_examples=4, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def ask(case, token):
        answer(case, token)

    ask()


def test_no_input_that_fits_the_schema_breaks_anything(api, counties):
    """Issue 2 §4.6: no 5xx, no answer outside the schema."""
    county, broken = counties["a"], {}
    for name, operation in api.items():
        needed = operation.definition.raw["x-permission"]
        able = [token for role, token in county.tokens.items() if county.actors[role].may(needed)]
        try:
            bombard(operation, county, able)
        except Exception as error:  # all operations are tried before the test fails
            broken[name] = str(error)[:600]
    assert broken == {}, json.dumps(broken, ensure_ascii=False, indent=1)


# ---------------------------------------------------------------- who calls
def order_address(counties) -> str:
    return f"/api/v1/orders/{counties['a'].ids['order_received']}"


def body(response) -> dict:
    return json.loads(response.content)


def test_without_a_token_or_with_a_wrong_one_nobody_gets_in(counties, client):
    for headers in ({}, {"Authorization": "Bearer sgy_nobody_nothing"}):
        response = client.get(order_address(counties), headers=headers)
        assert response.status_code == 401
        assert (body(response)["code"], set(body(response))) == ("unauthorized", {"code", "message", "errors"})


def test_a_token_holds_no_more_than_it_was_given(counties, client):
    from datetime import date

    from sangyu.registry.accounts import tokens
    from sangyu.registry.accounts.models import Grant

    grant = Grant.objects.get(account=counties["a"].accounts["dispatcher"])
    _row, raw = tokens.issue(
        grant=grant, name="大屏", permissions=["orders.view"], expires_on=date(2027, 1, 1), created_by="x"
    )
    headers = bearer(raw)
    assert client.get(order_address(counties), headers=headers).status_code == 200
    response = client.post(
        order_address(counties) + "/cancel", {"reason": "x"}, content_type="application/json", headers=headers
    )
    assert (response.status_code, body(response)["code"]) == (403, "forbidden")
    assert body(client.get(order_address(counties), headers=headers))["state"] == "received"


def test_a_browser_session_needs_the_csrf_token_for_unsafe_methods(counties):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(counties["a"].accounts["dispatcher"])
    assert browser.get(order_address(counties)).status_code == 200
    cancel = {"path": order_address(counties) + "/cancel", "data": {"reason": "x"}, "content_type": "application/json"}
    response = browser.post(**cancel)
    assert (response.status_code, body(response)["code"]) == (403, "forbidden")
    assert body(browser.get(order_address(counties)))["state"] == "received"
    token = "a" * 32
    browser.cookies["csrftoken"] = token
    response = browser.post(**cancel, headers={"X-CSRFToken": token})
    assert (response.status_code, body(response)["state"]) == (200, "cancelled")


# ---------------------------------------------------------------- form of the answers
def test_money_is_fen_times_carry_the_offset_and_numbers_are_masked(counties, client):
    from sangyu.registry.people.models import Person

    person = Person.objects.get(pk=counties["a"].ids["person"])
    headers = bearer(counties["a"].tokens["bureau"])
    order = body(client.get(order_address(counties), headers=headers))
    parts = [order[k] for k in ("concession", "voucher_amount", "public_pay", "self_pay")]
    assert (order["market_price"], sum(parts)) == (6000, 6000)
    assert order["requested_at"] == "2026-11-03T09:55:00+08:00"
    Person.objects.filter(pk=person.pk).update(phone="13904170001", phone_index=b"1" * 16, phone_tail=b"1" * 8)
    card = body(client.get(f"/api/v1/people/{person.pk}", headers=headers))
    assert (card["phone_masked"], "13904170001" in json.dumps(card)) == ("139****0001", False)


def test_errors_name_the_field(counties, client):
    headers = bearer(counties["a"].tokens["dispatcher"])
    wrong = {"planned_start": "2026-11-25T09:00:00", "reason": "", "more": 1}
    response = client.post(
        order_address(counties) + "/reschedule", wrong, content_type="application/json", headers=headers
    )
    assert (response.status_code, body(response)["code"]) == (422, "invalid")
    assert {k.rpartition(".")[2] for k in body(response)["errors"]} == {"planned_start", "reason", "more"}
    response = client.post(order_address(counties) + "/cancel", "{", content_type="application/json", headers=headers)
    assert (response.status_code, body(response)["code"]) == (400, "bad_request")
    response = client.get("/api/v1/nothing", headers=headers)
    assert (response.status_code, body(response)["code"]) == (404, "not_found")


def test_a_repeated_key_answers_with_the_first_order(counties, client):
    """R-012."""
    headers = bearer(counties["a"].tokens["dispatcher"])
    need = {
        "person_id": counties["a"].ids["person"], "item_code": "cleaning", "requested_by": "小程序", "key": "wx-7",
        "planned_start": "2026-11-28T09:00:00+08:00",
    }  # fmt: skip
    first, again = (
        client.post("/api/v1/orders", need, content_type="application/json", headers=headers) for _ in range(2)
    )
    assert (first.status_code, again.status_code, body(first)["id"]) == (201, 201, body(again)["id"])
    other = {**need, "planned_start": "2026-11-29T09:00:00+08:00"}
    response = client.post("/api/v1/orders", other, content_type="application/json", headers=headers)
    assert (response.status_code, body(response)["code"]) == (409, "orders.key_reused")


def test_lists_are_paged_by_key_without_gap_or_repeat(counties, client):
    headers, seen, after = bearer(counties["a"].tokens["bureau"]), [], ""
    while True:
        page = body(client.get(f"/api/v1/orders?size=4&after={after}", headers=headers))
        seen += [o["id"] for o in page["items"]]
        after = page["next"]
        if not after:
            break
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == len(set(seen)) == 11
    damaged = client.get("/api/v1/orders?after=abc", headers=headers)
    assert (damaged.status_code, body(damaged)["code"]) == (422, "invalid")


def test_the_page_of_operations_lists_all_of_them_without_foreign_scripts(counties, client, api):
    client.force_login(counties["a"].accounts["bureau"])
    response = client.get("/api/")
    text = response.content.decode()
    assert [name for name in api if f"<code>{name}</code>" not in text] == []
    assert "//cdn" not in text
    assert "script-src 'self'" in response["Content-Security-Policy"]
