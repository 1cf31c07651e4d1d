"""The administration pages as each role: 200 or 403 as the role says, 404 for a sibling county (issue §4.4)."""

import re

import pytest
from django.utils import timezone

from sangyu.registry.accounts import roles
from sangyu.registry.accounts.models import Account, ApiToken, Grant

pytestmark = pytest.mark.django_db

ADMINISTRATION = {
    "/accounts/": "accounts.view",
    "/accounts/new/": "accounts.manage",
    "/accounts/tokens/": "accounts.tokens",
    "/accounts/log/": "accounts.log",
    "/accounts/messages/": "accounts.messages",
    "/accounts/me/tokens/new/": "accounts.own_tokens",
    "/regions/": "regions.view",
    "/regions/changes/": "regions.view",
}
STAFF = [name for name, key in (("bureau", 1), ("operator", 1), ("finance", 1), ("inspector", 1), ("dispatcher", 1))]
ADMINS = ["system_administrator", "security_administrator", "audit_administrator"]


@pytest.fixture
def sign_in(client, make_account):
    def enter(role, key="a"):
        account = make_account(f"{role}-{key}".replace("_", "-"), (role, key))
        client.force_login(account)
        return account

    return enter


@pytest.mark.parametrize("role", STAFF + ADMINS)
def test_each_role_opens_what_it_may(client, sign_in, role):
    sign_in(role)
    held = roles.role(role).permissions
    for address, permission in ADMINISTRATION.items():
        assert (address, client.get(address).status_code) == (address, 200 if permission in held else 403)


def test_a_sibling_countys_account_is_404_on_every_page_and_unchanged(client, regions, sign_in, make_account):
    foreign = make_account("foreign", ("street", "b_street"), path=regions["b"].path, region=regions["b"])
    own = make_account("own", ("street", "a_street"), path=regions["a"].path, region=regions["a"])
    for role in ("system_administrator", "security_administrator"):
        sign_in(role)
        held = roles.role(role).permissions
        for part, permission in (
            ("", "accounts.view"),
            ("edit/", "accounts.manage"),
            ("grant/", "accounts.grant"),
            ("disable/", "accounts.manage"),
            ("reset/", "accounts.manage"),
            ("unlock/", "accounts.unlock"),
            ("remove-factor/", "accounts.unlock"),
            ("token/", "accounts.tokens"),
        ):
            allowed = permission in held
            assert (part, client.get(f"/accounts/{own.pk}/{part}").status_code) == (part, 200 if allowed else 403)
            assert (part, client.get(f"/accounts/{foreign.pk}/{part}").status_code) == (part, 404 if allowed else 403)
            if part:
                assert client.post(f"/accounts/{foreign.pk}/{part}", {"reason": "x"}).status_code in (403, 404)
    foreign.refresh_from_db()
    assert (foreign.is_active, foreign.grants.get().valid_to) == (True, None)


def test_create_an_account_and_give_a_role_through_the_pages(client, regions, sign_in):
    sign_in("system_administrator")
    form = {"username": "wang.li", "name": "王丽", "kind": "person", "language": "zh-hans", "region_id": "站前区"}
    assert client.post("/accounts/new/", {**form, "region_id": "西市区"}).status_code == 422
    response = client.post("/accounts/new/", form)
    assert (response.status_code, response.templates[0].name) == (200, "accounts/secret.html")
    account = Account.objects.get(username="wang.li")
    assert account.check_password(response.context["secret"])
    grant = {"role": "street", "region_id": f"{regions['a_street'].full_name} 210802001000", "valid_from": "2026-01-01"}
    assert client.post(f"/accounts/{account.pk}/grant/", grant).status_code == 303
    assert Grant.objects.get(account=account).path == regions["a_street"].path
    page = client.get(f"/accounts/{account.pk}/roles/")
    assert "站前区" in page.content.decode()
    made = Grant.objects.get(account=account)
    assert client.post(f"/accounts/grants/{made.pk}/end/").status_code == 303
    made.refresh_from_db()
    assert made.valid_to == timezone.localdate()


def test_a_token_is_shown_once(client, sign_in):
    sign_in("system_administrator")
    day = timezone.localdate().replace(year=timezone.localdate().year + 1).isoformat()
    response = client.post(
        "/accounts/me/tokens/new/", {"name": "reports", "permissions": ["accounts.view"], "expires_on": day}
    )
    raw = response.context["secret"]
    assert client.get("/accounts/", headers={"Authorization": f"Bearer {raw}"}).status_code == 200
    assert raw.split("_", 2)[2] not in client.get("/accounts/me/").content.decode()
    token = ApiToken.objects.get()
    assert client.post(f"/accounts/me/tokens/{token.pk}/revoke/").status_code == 302
    assert type(client)().get("/accounts/", headers={"Authorization": f"Bearer {raw}"}).status_code == 401


def test_door_pages_have_no_inline_style_or_script(client, regions, sign_in):
    pages = [client.get("/accounts/sign-in/"), client.get("/accounts/phone/")]
    sign_in("bureau")
    pages += [client.get(f"/accounts/{p}/") for p in ("me", "password", "role", "second-factor")]
    for page in pages:
        text = page.content.decode()
        assert page.status_code == 200
        assert re.search(r"<script(?![^>]*\bsrc=)", text) is None
        assert " style=" not in text
        assert " on" + "click" not in text
        assert text.count("<h1") == 1


@pytest.mark.parametrize(("language", "words"), [("en", "Staff sign-in"), ("zh-hans", "工作人员登录")])
def test_the_door_speaks_both_languages(client, db, language, words):
    client.cookies["django_language"] = language
    assert words in client.get("/accounts/sign-in/").content.decode()
