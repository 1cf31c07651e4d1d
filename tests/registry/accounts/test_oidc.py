"""Sign-in through a real OpenID provider in a process of its own: ADR 0017, R-011 (the city's 统一身份认证)."""

import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.exceptions import ImproperlyConfigured

from sangyu.kernel.errors import Refused
from sangyu.registry.accounts import oidc
from sangyu.registry.accounts.models import Account, IdentityLink, SignIn
from support import oidc_provider
from support.oidc_provider import CLIENT, PERSON, SECRET, WORD

from .conftest import PASSWORD

pytestmark = pytest.mark.django_db
BEGIN = "/accounts/oidc/city/"


class Provider:
    """The process; ``rotate`` starts it again with another key, ``stop`` ends it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.process = folder, None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.rotate()

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}/o"

    def rotate(self) -> None:
        self.stop()
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        (self.folder / "key.pem").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        self.process = subprocess.Popen(
            [sys.executable, oidc_provider.__file__, str(self.folder), str(self.port)],
            stdout=subprocess.PIPE,
            stderr=(self.folder / "errors.txt").open("ab"),
        )
        said = self.process.stdout.readline()
        assert said == b"ready\n", (self.folder / "errors.txt").read_text()[-2000:]

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(10)
            self.process.stdout.close()
            self.process = None


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    made = Provider(tmp_path_factory.mktemp("provider"))
    yield made
    made.stop()


@pytest.fixture
def configure(provider, settings, tmp_path):
    def write(**more):
        entry = {
            "label": {"en": "City identity", "zh-hans": "市统一身份认证"},
            "issuer": provider.issuer,
            "client_id": CLIENT,
            "client_secret": SECRET,
            "scope": "openid profile",
            **more,
        }
        file = tmp_path / "oidc.yaml"
        file.write_text(yaml.safe_dump({"city": entry}, allow_unicode=True))
        settings.SANGYU_OIDC = ""
        settings.SANGYU_OIDC = str(file)

    write()
    return write


@pytest.fixture
def account(make_account):
    return make_account("liuyang", ("street", "a_street"), name="刘洋")


def go(client, address=BEGIN) -> str:
    """Follow from our page through the provider's sign-in; the address it sends the browser back to."""
    begun = client.get(address)
    assert begun.status_code == 302, begun.content.decode()[:500]
    with requests.Session() as browser:
        answer = browser.get(begun["Location"], timeout=10)
        if "/login/" in answer.url:
            form = {"username": PERSON, "password": WORD}
            answer = browser.post(answer.url, data=form, timeout=10, allow_redirects=False)
            answer = browser.get(requests.compat.urljoin(begun["Location"], answer.headers["Location"]), timeout=10,
                                 allow_redirects=False)  # fmt: skip
        assert answer.status_code == 302, answer.text[:500]
    back = answer.headers["Location"]
    assert back.startswith("http://testserver/accounts/oidc/city/back/?"), back
    return back.removeprefix("http://testserver")


def outcomes() -> list[str]:
    return list(SignIn.objects.order_by("id").values_list("outcome", flat=True))


def test_the_question_carries_pkce_state_and_nonce(client, configure):
    asked = parse_qs(urlsplit(client.get(BEGIN)["Location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert {"state", "nonce", "code_challenge"} <= set(asked)
    assert (asked["response_type"], asked["client_id"]) == (["code"], ["sangyu"])


def test_an_unknown_identity_makes_no_account(client, configure, account):
    answer = client.get(go(client))
    assert answer.status_code == 422
    assert "没有关联" in answer.content.decode()
    assert 'name="username"' in answer.content.decode()
    assert (Account.objects.count(), IdentityLink.objects.count(), outcomes()) == (1, 0, ["no_link"])
    assert client.get("/accounts/me/").status_code == 302


def test_link_while_signed_in_then_sign_in_and_out(client, configure, account):
    """The whole way: own account, link, out, in through the provider, out there as well."""
    client.post("/accounts/sign-in/", {"username": "liuyang", "password": PASSWORD})
    asked = client.get(go(client))
    assert (asked.status_code, asked["Location"]) == (302, "/accounts/me/links/city/")
    page = client.get("/accounts/me/links/city/")
    assert "刘洋" in page.content.decode()
    assert IdentityLink.objects.count() == 0
    client.post("/accounts/me/links/city/")
    link = IdentityLink.objects.get()
    assert (link.account, link.provider, link.linked_by) == (account, "city", "刘洋")
    assert client.post("/accounts/me/links/city/").status_code == 404  # asked once, answered once
    client.post("/accounts/sign-out/")

    answer = client.get(go(client, BEGIN + "?next=/accounts/me/"))
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/me/")
    assert client.get("/accounts/me/").status_code == 200
    assert SignIn.objects.filter(outcome="signed_in").latest("id").method == "provider"
    left = client.post("/accounts/sign-out/")
    assert "/o/logout/?id_token_hint=" in left.content.decode()
    assert client.get("/accounts/me/").status_code == 302


def linked(account, subject="1"):
    return oidc.link(account, "city", subject, "test")


def subject_of(client) -> str:
    """The provider's number of the person."""
    back = go(client)
    with pytest.MonkeyPatch.context() as patch:
        found = []
        patch.setattr(oidc, "account_of", lambda request, identity: found.append(identity) or (_ for _ in ()).throw(
            Refused("seen", code="seen")))  # fmt: skip
        client.get(back)
    return found[0].subject


def test_state_and_code_serve_once_and_only_in_their_session(client, configure, account, django_db_blocker):
    linked(account, subject_of(client))
    back = go(client)
    stranger = type(client)()
    assert stranger.get(back).status_code == 422
    assert client.get(back.replace("state=", "state=x")).status_code == 422
    back = go(client)
    assert client.get(back).status_code == 302
    client.post("/accounts/sign-out/")
    assert client.get(back).status_code == 422
    assert client.get("/accounts/me/").status_code == 302


def test_a_refusal_at_the_provider_comes_back_as_words(client, configure):
    client.get(BEGIN)
    answer = client.get("/accounts/oidc/city/back/?error=access_denied&state=x")
    assert (answer.status_code, "市统一身份认证" in answer.content.decode()) == (422, True)


def test_keys_may_rotate(client, configure, account, provider):
    linked(account, subject_of(client))
    assert client.get(go(client)).status_code == 302
    client.post("/accounts/sign-out/")
    provider.rotate()
    assert client.get(go(client)).status_code == 302
    assert client.get("/accounts/me/").status_code == 200


def test_a_provider_that_is_down_leaves_the_local_sign_in(client, provider, configure, account):
    provider.stop()
    try:
        answer = client.get(BEGIN)
        assert answer.status_code == 503
        assert "没有响应" in answer.content.decode()
        assert client.post("/accounts/sign-in/", {"username": "liuyang", "password": PASSWORD}).status_code == 302
        assert client.post("/accounts/sign-out/").status_code == 302
    finally:
        provider.rotate()


def test_another_claim_may_name_the_person_if_it_is_verified(client, configure, account):
    configure(claim="employee_no")
    linked(account, "E-0417")
    assert client.get(go(client)).status_code == 302
    assert client.get("/accounts/me/").status_code == 200
    client.post("/accounts/sign-out/")
    configure(claim="phone_number")
    linked(account, "13800004170")
    assert client.get(go(client)).status_code == 422
    assert client.get("/accounts/me/").status_code == 302


def test_two_factors_count_only_when_the_provider_says_so(client, configure, account):
    from django.utils import timezone

    from sangyu.registry.accounts import totp

    subject = subject_of(client)
    linked(account, subject)
    factor = totp.begin(account)
    totp.confirm(account, totp.code_at(factor.secret, timezone.now()))
    assert client.get(go(client))["Location"] == "/accounts/code/"
    assert client.get("/accounts/me/").status_code == 302
    configure(strong={"amr": ["otp", "mfa"]})
    assert client.get(go(client))["Location"] == "/"
    assert SignIn.objects.latest("id").method == "provider2"


def test_a_disabled_account_stays_out(client, configure, account):
    linked(account, subject_of(client))
    Account.objects.update(is_active=False)
    SignIn.objects.all().delete()
    assert client.get(go(client)).status_code == 422
    assert outcomes() == ["disabled"]


def test_one_identity_one_account(db, make_account, settings):
    one, two = make_account("one"), make_account("two")
    linked(one, "77")
    with pytest.raises(Refused) as e:
        linked(two, "77")
    assert e.value.code == "oidc.taken"
    linked(one, "78")
    assert [(k.account, k.subject) for k in IdentityLink.objects.all()] == [(one, "78")]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"issuer": "http://id.example.org", "client_id": "x", "label": {"en": "X"}}, "https"),
        ({"client_id": "x", "label": {"en": "X"}}, "lacks: issuer"),
        ({"isuer": "https://a", "client_id": "x", "label": {"en": "X"}}, "unknown fields: isuer"),
    ],
)
def test_a_mistake_in_the_file_says_what_and_where(settings, tmp_path, entry, said):
    file = tmp_path / "oidc.yaml"
    file.write_text(yaml.safe_dump({"city": entry}))
    settings.SANGYU_OIDC = str(file)
    with pytest.raises(ImproperlyConfigured, match=f"oidc.yaml.*{said}"):
        oidc.providers()


def test_unknown_providers_do_not_exist(client, db):
    assert client.get("/accounts/oidc/nobody/").status_code == 404
    assert client.get("/accounts/oidc/nobody/back/").status_code == 404
