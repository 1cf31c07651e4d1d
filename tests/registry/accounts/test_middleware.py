"""The scope around every view: design rule 1, R-002, R-011."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from sangyu.kernel.errors import ScopeError
from sangyu.kernel.models import Operation
from sangyu.registry.accounts import tokens
from sangyu.registry.accounts.models import AccountSession, Grant, SignIn

from . import pages_for_tests

pytestmark = [pytest.mark.django_db, pytest.mark.urls(pages_for_tests.__name__)]


@pytest.fixture
def rows(regions):
    for key in ("a_one", "b_one"):
        Operation.objects.create(kind="test", title=key, path=regions[key].path, audience="staff", actor="x")


@pytest.fixture
def signed_in(client, make_account):
    account = make_account("zhoumin", ("street", "a_street"))
    client.force_login(account)
    return account


def test_anonymous_goes_to_sign_in_and_back(client, db):
    response = client.get("/titles/?q=1")
    assert (response.status_code, response["Location"]) == (302, "/accounts/sign-in/?next=%2Ftitles%2F%3Fq%3D1")


def test_anonymous_htmx_is_sent_by_header_and_the_api_gets_401(client, db):
    response = client.get("/titles/", headers={"HX-Request": "true", "HX-Current-URL": "/elders/"})
    assert (response.status_code, response["HX-Redirect"]) == (401, "/accounts/sign-in/?next=%2Felders%2F")
    response = client.get("/api/titles/")
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")


def test_unknown_address_is_404_and_public_needs_nobody(client, db):
    assert client.get("/nowhere/").status_code == 404
    assert client.get("/anybody/").json() == {"actor": None, "scope": False}


def test_a_view_sees_the_rows_of_the_grant(client, rows, signed_in):
    assert client.get("/titles/").json() == {"titles": ["a_one"], "actor": "Zhoumin"}


def test_three_queries_find_the_actor_and_open_the_scope(client, rows, signed_in, django_assert_num_queries):
    client.get("/titles/")
    # session, grant, savepoint + settings + leave (in a test the transaction is nested), the view's own query
    with django_assert_num_queries(7):
        client.get("/titles/")


@pytest.mark.parametrize(
    ("query", "kept"), [("", 1), ("status=302", 1), ("status=409", 0), ("status=422", 0), ("status=500", 0)]
)
def test_error_answers_keep_nothing(client, signed_in, query, kept):
    client.get(f"/write/?{query}")
    assert Operation.objects.count() == kept


def test_a_broken_view_keeps_nothing(client, signed_in):
    client.raise_request_exception = False
    assert client.get("/write/?raise=1").status_code == 500
    assert Operation.objects.count() == 0


def test_streaming_outside_the_scope_raises(client, rows, signed_in):
    response = client.get("/stream/")
    with pytest.raises(ScopeError, match="after its scope has ended"):
        b"".join(response.streaming_content)
    assert b"".join(client.get("/stream/?own=1").streaming_content) == b"first 1"
    assert b"".join(client.get("/file/").streaming_content) == b"bytes"


def test_several_grants_ask_for_one_and_the_choice_can_change(client, rows, make_account):
    account = make_account("zhoumin", ("street", "a_street"), ("operator", "city"))
    street, operator = account.grants.order_by("id")
    client.force_login(account)
    assert client.get("/titles/")["Location"] == "/accounts/role/?next=%2Ftitles%2F"
    assert client.get("/account/").json() == {"account": "Zhoumin", "scope": False}
    assert client.post("/accounts/role/", {"grant": street.pk, "next": "/titles/"})["Location"] == "/titles/"
    assert client.get("/titles/").json()["titles"] == ["a_one"]
    client.post("/accounts/role/", {"grant": operator.pk})
    assert client.get("/titles/").json()["titles"] == ["a_one", "b_one"]
    assert list(SignIn.objects.values_list("outcome", "grant_id")) == [
        ("switched", street.pk),
        ("switched", operator.pk),
    ]


def test_somebody_elses_grant_cannot_be_chosen(client, make_account):
    other = make_account("other", ("operator", "city")).grants.get()
    account = make_account("zhoumin", ("street", "a_street"), ("community", "a_one"))
    client.force_login(account)
    assert client.post("/accounts/role/", {"grant": other.pk}).status_code == 404
    assert client.get("/titles/").status_code == 302


@pytest.mark.parametrize(
    "change", [{"valid_to": date(2021, 1, 1)}, {"valid_from": date(2999, 1, 1)}, {"role": "abolished"}]
)
def test_a_grant_that_does_not_hold_today_opens_nothing(client, signed_in, change):
    assert client.get("/titles/").status_code == 200
    Grant.objects.update(**change)
    assert client.get("/titles/")["Location"].startswith("/accounts/role/")


def test_a_disabled_account_is_out_at_once(client, signed_in):
    assert client.get("/titles/").status_code == 200
    signed_in.is_active = False
    signed_in.save()
    assert client.get("/titles/")["Location"].startswith("/accounts/sign-in/")


def test_the_leave_date_closes_access(client, signed_in):
    """X-07."""
    signed_in.ends_on = timezone.localdate()
    signed_in.save()
    assert client.get("/titles/")["Location"].startswith("/accounts/sign-in/")


def test_idle_time_out_of_the_role(client, signed_in):
    client.get("/titles/")
    AccountSession.objects.update(last_seen=timezone.now() - timedelta(minutes=61))
    assert client.get("/titles/")["Location"].startswith("/accounts/sign-in/")
    assert SignIn.objects.get().outcome == "timed_out"
    page = client.get("/accounts/sign-in/")
    assert "60" in page.content.decode()


def test_a_password_to_change_comes_first(client, signed_in):
    signed_in.must_change_password = True
    signed_in.save()
    assert client.get("/titles/")["Location"].startswith("/accounts/password/")


def test_roles_that_need_a_second_factor_set_it_up_first(client, make_account, settings):
    settings.SANGYU_SIGN_IN = {**settings.SANGYU_SIGN_IN, "second_factor": True}
    client.force_login(make_account("boss", ("bureau", "city")))
    assert client.get("/titles/")["Location"].startswith("/accounts/second-factor/")


def test_token_acts_as_its_grant_without_cookie_or_csrf(client, rows, make_account):
    account = make_account("system", ("operator", "a"))
    from sangyu.registry.accounts import roles

    held = sorted(roles.role("operator").permissions)
    token, raw = tokens.issue(
        grant=account.grants.get(),
        name="exchange",
        permissions=held[:1],
        expires_on=timezone.localdate() + timedelta(days=9),
        created_by="x",
    )
    strict = type(client)(enforce_csrf_checks=True)
    headers = {"Authorization": f"Bearer {raw}"}
    assert strict.get("/api/titles/", headers=headers).json()["titles"] == ["a_one"]
    assert strict.post("/write/", headers=headers).status_code == 200
    token.refresh_from_db()
    assert token.last_used_at is not None
    for change in ({"revoked_at": timezone.now()}, {"expires_on": timezone.localdate()}, {"digest": "x"}):
        before = {k: getattr(token, k) for k in change}
        type(token).objects.filter(pk=token.pk).update(**change)
        assert strict.get("/api/titles/", headers=headers).status_code == 401
        type(token).objects.filter(pk=token.pk).update(**before)
    assert strict.get("/api/titles/", headers=headers).status_code == 200
    assert strict.get("/api/titles/", headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_language_of_the_account(client, signed_in):
    signed_in.language = "en"
    signed_in.save()
    assert b"Change password" in client.get("/accounts/password/").content
