"""Sign-in works with the rights of the bare connection, and those rights reach nothing else (design rule 1)."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.utils import ProgrammingError
from django.utils import timezone

from sangyu.registry.accounts import roles, tokens, totp
from sangyu.registry.accounts.models import Account, TextMessage
from sangyu.registry.accounts.selectors import mobile_index

from .conftest import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_app(regions):
    """The rest of the test runs as sangyu_app, as in production."""

    def switch():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL SESSION AUTHORIZATION sangyu_app")

    return switch


def current_user() -> tuple:
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_user::text, current_user::text")
        return cursor.fetchone()


def test_the_whole_door_as_the_app_role(client, make_account, as_app):
    account = make_account("boss", ("bureau", "city"), ("operator", "a"), must_change_password=True)
    as_app()
    assert current_user() == ("sangyu_app", "sangyu_app")
    assert client.post("/accounts/sign-in/", {"username": "boss", "password": "wrong"}).status_code == 422
    assert client.post("/accounts/sign-in/", {"username": "boss", "password": PASSWORD}).status_code == 302
    new = "Walnut-tree-77"
    assert client.post("/accounts/password/", {"old": PASSWORD, "new": new, "again": new}).status_code == 302
    client.get("/accounts/second-factor/")
    secret = Account.objects.get(pk=account.pk).second_factor.secret
    code = totp.code_at(secret, timezone.now() - timedelta(seconds=30))
    assert client.post("/accounts/second-factor/", {"code": code}).status_code == 200
    client.post("/accounts/sign-out/")
    client.post("/accounts/sign-in/", {"username": "boss", "password": new})
    assert client.post("/accounts/code/", {"code": totp.code_at(secret, timezone.now())}).status_code == 302
    grant = account.grants.get(role="bureau")
    assert client.post("/accounts/role/", {"grant": grant.pk}).status_code == 302
    assert client.get("/regions/").status_code == 200
    assert client.get("/accounts/me/").status_code == 200
    assert current_user() == ("sangyu_app", "sangyu_app")


def test_phone_codes_and_tokens_as_the_app_role(client, make_account, as_app):
    make_account("m1", ("family", "a", 1), mobile="13900002222", mobile_index=mobile_index("13900002222"))
    system = make_account("exchange", ("operator", "a"))
    held = sorted(roles.role("operator").permissions)
    soon = timezone.localdate() + timedelta(days=9)
    _token, raw = tokens.issue(grant=system.grants.get(), name="x", permissions=held, expires_on=soon, created_by="x")
    as_app()
    assert client.post("/accounts/phone/", {"mobile": "13900002222"}).status_code == 302
    text = TextMessage.objects.get().text
    code = (
        next(word for word in text.replace("，", " ").replace("。", " ").split() if word.strip(".").isdigit()).strip(
            "."
        )
        if " " in text
        else text
    )
    assert len(code) >= 6
    assert type(client)().get("/regions/", headers={"Authorization": f"Bearer {raw}"}).status_code == 200


def test_outside_a_scope_the_app_role_reads_no_scoped_table(as_app):
    as_app()
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT count(*) FROM kernel_operation")


def test_inside_a_scope_secrets_are_out_of_sight(regions, staff, make_account):
    from sangyu.kernel.scoping import scope
    from sangyu.registry.accounts.models import SecondFactor

    account = make_account("boss", ("bureau", "city"), path=regions["a"].path)
    totp.begin(account)
    with scope(staff("city")):
        assert Account.objects.filter(pk=account.pk).exists()
        assert SecondFactor.objects.count() == 0
    with scope(staff("b")):
        assert not Account.objects.filter(pk=account.pk).exists()
