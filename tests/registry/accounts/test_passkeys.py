"""Passkeys: making, using, copies, lock-out, and what the role asks for (standards §6.4, ADR 0017)."""

import json

import pytest

from sangyu.registry.accounts import roles
from sangyu.registry.accounts.enums import FactorPolicy
from sangyu.registry.accounts.models import Account, AccountSession, Passkey, SignIn, SignInThrottle
from support.authenticator import UP, Authenticator

from .conftest import PASSWORD

pytestmark = pytest.mark.django_db
OPTIONS, ANSWER = "/accounts/passkey/options/", "/accounts/passkey/"
MAKE, MADE = "/accounts/me/passkeys/options/", "/accounts/me/passkeys/new/"


@pytest.fixture(autouse=True)
def at_localhost(settings):
    settings.ALLOWED_HOSTS = ["testserver"]


@pytest.fixture
def account(make_account):
    return make_account("zhoumin", ("street", "a_street"))


def post(client, url, body=None):
    return client.post(url, json.dumps(body or {}), content_type="application/json")


def outcomes() -> list[str]:
    return list(SignIn.objects.order_by("id").values_list("outcome", flat=True))


@pytest.fixture
def key(client, account):
    """A passkey of the account, made in a session that has ended."""
    client.force_login(account)
    made = Authenticator()
    answer = post(client, MADE, {"credential": made.create(post(client, MAKE).json()), "label": "办公室电脑"})
    assert (answer.status_code, answer.json()) == (200, {"next": "/accounts/me/passkeys/"})
    client.post("/accounts/sign-out/")
    SignIn.objects.all().delete()
    return made


def use(client, key, **body):
    return post(client, ANSWER, {"credential": key.get(post(client, OPTIONS).json()), **body})


def test_a_passkey_signs_in_without_a_name_and_counts_as_two_factors(client, key, account, settings):
    settings.SANGYU_SIGN_IN = {**settings.SANGYU_SIGN_IN, "second_factor": True}
    answer = use(client, key, next="/accounts/me/")
    assert (answer.status_code, answer.json()) == (200, {"next": "/accounts/me/"})
    assert client.get("/accounts/me/").status_code == 200
    row = Passkey.objects.get()
    assert (row.sign_count, row.label, row.last_used_at is None) == (1, "办公室电脑", False)
    log = SignIn.objects.get()
    assert (log.outcome, log.method, log.account) == ("signed_in", "passkey", account)
    assert AccountSession.objects.filter(account=account).count() == 1


def test_next_never_leads_to_another_site(client, key):
    assert use(client, key, next="https://elsewhere.test/").json() == {"next": "/"}


def test_options_ask_for_a_discoverable_verified_credential_and_name_known_ones(client, key, account):
    client.force_login(account)
    options = post(client, MAKE).json()["publicKey"]
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert [c["type"] for c in options["excludeCredentials"]] == ["public-key"]
    assert options["user"]["name"] == "zhoumin"
    options = post(client, OPTIONS).json()["publicKey"]
    assert (options["userVerification"], options.get("allowCredentials") or []) == ("required", [])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"origin": "http://elsewhere.test"}, "passkey.wrong"),
        ({"origin": "https://testserver"}, "passkey.wrong"),
        ({"host": "elsewhere.test"}, "passkey.wrong"),
        ({"flags": UP}, "passkey.wrong"),
        ({"number": b"unknown"}, "passkey.wrong"),
        ({"handle": b"another8"}, "passkey.wrong"),
    ],
    ids=lambda v: next(iter(v)) if isinstance(v, dict) else "",
)
def test_a_wrong_answer_signs_nobody_in(client, key, change, code):
    for name, value in change.items():
        setattr(key, name, value)
    answer = use(client, key)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert outcomes() == ["key_wrong"]
    assert Passkey.objects.get().sign_count == 0
    assert client.get("/accounts/me/").status_code == 302


def test_another_keys_signature_is_refused(client, key):
    other = Authenticator(number=key.number, handle=key.handle)
    assert use(client, other).json()["code"] == "passkey.wrong"


@pytest.mark.parametrize(
    "body", [{}, {"credential": 5}, {"credential": {"rawId": "@@"}}, {"credential": {"rawId": "QQ"}}]
)
def test_nonsense_is_refused(client, key, body):
    post(client, OPTIONS)
    assert post(client, ANSWER, body).json()["code"] == "passkey.wrong"
    assert client.post(ANSWER, "no json", content_type="application/json").json()["code"] == "passkey.late"


def test_a_challenge_serves_once_and_not_for_long(client, key, settings):
    options = post(client, OPTIONS).json()
    answer = key.get(options)
    assert post(client, ANSWER, {"credential": answer}).status_code == 200
    client.post("/accounts/sign-out/")
    assert post(client, ANSWER, {"credential": answer}).json()["code"] == "passkey.late"
    options = post(client, OPTIONS).json()
    session = client.session
    session["passkey"] = {**session["passkey"], "at": session["passkey"]["at"] - 301}
    session.save()
    assert post(client, ANSWER, {"credential": key.get(options)}).json()["code"] == "passkey.late"


def test_a_copy_is_stopped_and_noted(client, key, account):
    """Two authenticators with one key: the counter of the second does not grow."""
    assert use(client, key).status_code == 200
    client.post("/accounts/sign-out/")
    key.count -= 1
    answer = use(client, key)
    assert (answer.status_code, answer.json()["code"]) == (422, "passkey.cloned")
    assert Passkey.objects.get().stopped_at is not None
    assert outcomes()[-1] == "key_cloned"
    key.count += 5
    assert use(client, key).json()["code"] == "passkey.wrong"
    assert client.get("/accounts/me/").status_code == 302


def test_synced_passkeys_do_not_count(client, key):
    key.step = 0
    for _i in range(2):
        assert use(client, key).status_code == 200
        client.post("/accounts/sign-out/")
    assert Passkey.objects.get().sign_count == 0


def test_failures_lock_the_source_and_not_the_person(client, key, settings):
    settings.SANGYU_SIGN_IN = {**settings.SANGYU_SIGN_IN, "source_failures": 3}
    stranger = Authenticator()
    assert [use(client, stranger).status_code for _i in range(4)] == [422, 422, 429, 429]
    SignInThrottle.objects.all().delete()
    for _i in range(5):
        client.post("/accounts/sign-in/", {"username": "zhoumin", "password": "wrong"}, REMOTE_ADDR="10.9.9.9")
    assert use(client, key).status_code == 200  # a locked password does not shut the passkey


def test_a_disabled_account_stays_out(client, key):
    Account.objects.update(is_active=False)
    assert use(client, key).json()["code"] == "passkey.wrong"
    assert outcomes() == ["disabled"]


def test_after_the_password_the_passkey_is_asked_and_only_the_own_will_do(client, key, account, make_account):
    def password():
        return client.post("/accounts/sign-in/", {"username": "zhoumin", "password": PASSWORD})

    answer = password()
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/code/")
    assert client.get("/accounts/me/").status_code == 302
    other = make_account("other", ("street", "a_street"))
    Passkey.objects.update(account=other)
    key.handle = other.pk.to_bytes(8, "big")
    assert use(client, key).json()["code"] == "passkey.wrong"
    Passkey.objects.update(account=account)
    key.handle = account.pk.to_bytes(8, "big")
    assert use(client, key).status_code == 200
    assert client.get("/accounts/me/").status_code == 200


def test_a_first_password_gives_no_passkey(client, account):
    """Who handed out the password could leave one of his own."""
    Account.objects.update(must_change_password=True)
    client.force_login(account)
    answer = post(client, MAKE)
    assert (answer.status_code, answer.json()["code"]) == (422, "passkey.first_password")


def test_making_needs_a_name_a_session_and_a_free_place(client, account):
    assert post(client, MAKE).status_code == 302
    client.force_login(account)
    made = Authenticator()
    assert post(client, MADE, {"credential": made.create(post(client, MAKE).json())}).status_code == 422
    unverified = Authenticator(flags=UP)
    assert (
        post(client, MADE, {"credential": unverified.create(post(client, MAKE).json()), "label": "x"}).json()["code"]
        == "passkey.wrong"
    )
    assert Passkey.objects.count() == 0
    assert post(client, MADE, {"credential": made.create(post(client, MAKE).json()), "label": "a"}).status_code == 200
    again = post(client, MADE, {"credential": made.create(post(client, MAKE).json()), "label": "b"})
    assert again.json()["code"] == "passkey.known"
    Passkey.objects.bulk_create(
        Passkey(
            account=account, credential_id=bytes([n]), credential=Passkey.objects.get(label="a").credential, label=n
        )
        for n in range(9)
    )
    assert post(client, MAKE).json()["code"] == "passkey.most"
    assert outcomes() == ["key_added"]


def test_rename_and_remove_are_for_the_own_only(client, key, account, make_account):
    row = Passkey.objects.get()
    client.force_login(make_account("other", ("street", "a_street")))
    for act in ("rename", "remove"):
        assert client.post(f"/accounts/me/passkeys/{row.pk}/{act}/", {"label": "x"}).status_code == 404
    client.force_login(account)
    client.post(f"/accounts/me/passkeys/{row.pk}/rename/", {"label": " 家里 "})
    assert Passkey.objects.get().label == "家里"
    client.post(f"/accounts/me/passkeys/{row.pk}/rename/", {"label": " "})
    assert Passkey.objects.get().label == "家里"
    client.post(f"/accounts/me/passkeys/{row.pk}/remove/")
    assert (Passkey.objects.count(), outcomes()) == (0, ["key_removed"])


def test_a_role_may_ask_for_a_passkey_and_nothing_else(client, key, account, settings, monkeypatch):
    settings.SANGYU_SIGN_IN = {**settings.SANGYU_SIGN_IN, "second_factor": True}
    monkeypatch.setitem(
        roles.all_roles(), "street", roles.Role(**{**vars(roles.role("street")), "second_factor": FactorPolicy.PASSKEY})
    )
    client.force_login(account)  # a password's session
    assert client.get("/ui/operations/")["Location"].startswith("/accounts/me/passkeys/?next=")
    page = client.get("/accounts/me/passkeys/?next=/ui/operations/")
    assert b'data-passkey="get"' in page.content
    assert use(client, key, next="/ui/operations/").status_code == 200
    assert client.get("/accounts/me/passkeys/").status_code == 200
    assert not client.get("/ui/operations/").headers.get("Location", "").startswith("/accounts/")
