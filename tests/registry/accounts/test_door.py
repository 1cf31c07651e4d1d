"""Sign-in, lock-out, second factor, own password: standards §6.4 (GB/T 22239 level 3), X-07."""

import itertools
import threading
from datetime import datetime, timedelta

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from sangyu.kernel.errors import Refused
from sangyu.registry.accounts import phone_codes, sign_in, totp
from sangyu.registry.accounts.models import Account, AccountSession, OneTimeCode, SignIn, SignInThrottle, TextMessage
from sangyu.registry.accounts.selectors import mobile_index
from sangyu.registry.accounts.throttle import Gate, Locked

from .conftest import PASSWORD

pytestmark = pytest.mark.django_db
SIGN_IN = "/accounts/sign-in/"


def attempt(client, username="zhoumin", password=PASSWORD, **more):
    return client.post(SIGN_IN, {"username": username, "password": password, **more})


def outcomes() -> list[str]:
    return list(SignIn.objects.order_by("id").values_list("outcome", flat=True))


@pytest.fixture
def account(make_account):
    return make_account(
        "zhoumin", ("street", "a_street"), mobile="13800001111", mobile_index=mobile_index("13800001111")
    )


@pytest.mark.parametrize("name", ["zhoumin", " ZhouMin ", "13800001111", "138 0000 1111"])
def test_sign_in_by_name_or_mobile(client, account, name):
    response = attempt(client, name, next="/accounts/me/")
    assert (response.status_code, response["Location"]) == (302, "/accounts/me/")
    assert client.get("/accounts/me/").status_code == 200
    assert outcomes() == ["signed_in"]
    session = AccountSession.objects.get()
    assert (session.account_id, session.grant_id, session.source) == (account.pk, account.grants.get().pk, "127.0.0.1")


def test_next_never_leads_to_another_site(client, account):
    assert attempt(client, next="https://elsewhere.test/")["Location"] == "/"
    assert attempt(client, next="//elsewhere.test/")["Location"] == "/"


def test_a_wrong_name_and_a_wrong_password_look_the_same(client, account, django_assert_num_queries):
    wrong = attempt(client, "zhoumin", "wrong")
    nobody = attempt(client, "nobody", "wrong")
    assert (wrong.status_code, nobody.status_code) == (422, 422)
    strip = lambda r, n: r.content.decode().replace(n, "").split("csrfmiddlewaretoken")[0]  # noqa: E731
    assert strip(wrong, "zhoumin") == strip(nobody, "nobody")
    assert list(SignIn.objects.order_by("id").values_list("outcome", "account_id")) == [
        ("wrong", account.pk),
        ("wrong", None),
    ]


@pytest.mark.parametrize("name", ["zhoumin", "nobody"])
def test_the_fifth_failure_locks_with_the_time_left(client, account, name):
    statuses = [attempt(client, name, "wrong").status_code for _i in range(6)]
    assert statuses == [422] * 4 + [429] * 2
    page = attempt(client, name, PASSWORD)
    assert page.status_code == 429
    assert "15" in page.content.decode()
    assert outcomes() == ["wrong"] * 5 + ["locked"] * 2


def test_the_lock_ends_by_itself_and_a_success_clears_the_count(client, account):
    for _i in range(5):
        attempt(client, password="wrong")
    SignInThrottle.objects.update(locked_until=timezone.now() - timedelta(seconds=1))
    assert attempt(client).status_code == 302
    assert not SignInThrottle.objects.filter(kind="account").exists()


def test_a_source_is_locked_over_many_names(client, account, settings):
    settings.SANGYU_SIGN_IN = {**settings.SANGYU_SIGN_IN, "source_failures": 3}
    assert [attempt(client, f"guess{i}", "x").status_code for i in range(4)] == [422, 422, 429, 429]
    assert attempt(client).status_code == 429
    assert attempt(client, REMOTE_ADDR="10.0.0.9").status_code == 429  # a form field is no address
    other = client.post(SIGN_IN, {"username": "zhoumin", "password": PASSWORD}, REMOTE_ADDR="10.0.0.9")
    assert other.status_code == 302


@pytest.mark.django_db(transaction=True)
def test_the_lock_is_exact_with_many_processes_at_once(settings):
    """Of twelve attempts at the same time exactly five are looked at."""
    gate, now, looked_at = Gate("account", "somebody"), timezone.now(), []

    def one():
        try:
            gate.take(now)
        except Locked:
            pass
        else:
            looked_at.append(1)
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(looked_at) == 5


def test_a_disabled_account_learns_nothing(client, account):
    Account.objects.update(is_active=False)
    assert attempt(client).status_code == 422
    assert outcomes() == ["disabled"]


def test_a_system_account_never_signs_in_with_a_password(client, make_account):
    make_account("exchange", ("operator", "city"), kind="system")
    assert attempt(client, "exchange").status_code == 422


def test_the_first_password_must_be_changed_by_the_rules(client, account):
    Account.objects.update(must_change_password=True)
    assert attempt(client)["Location"] == "/"
    assert client.get("/regions/")["Location"] == "/accounts/password/?next=%2Fregions%2F"
    for new in ("short1A-", "alllowercaseletters", PASSWORD, "zhoumin-Zhoumin1", "Password123"):
        response = client.post("/accounts/password/", {"old": PASSWORD, "new": new, "again": new})
        assert response.status_code == 422, new
    good = "Walnut-tree-77"
    assert client.post("/accounts/password/", {"old": PASSWORD, "new": good, "again": good + "x"}).status_code == 422
    assert client.post("/accounts/password/", {"old": "wrong", "new": good, "again": good}).status_code == 422
    account.refresh_from_db()
    assert account.check_password(PASSWORD)
    assert client.post("/accounts/password/", {"old": PASSWORD, "new": good, "again": good}).status_code == 302
    account.refresh_from_db()
    assert (account.check_password(good), account.must_change_password) == (True, False)


def test_the_last_five_passwords_are_not_taken_again(client, account):
    client.force_login(account)
    words = [PASSWORD] + [f"Walnut-tree-{i}{i}" for i in range(6)]
    for old, new in itertools.pairwise(words):
        assert client.post("/accounts/password/", {"old": old, "new": new, "again": new}).status_code == 302
    for used in words[2:]:
        assert client.post("/accounts/password/", {"old": words[-1], "new": used, "again": used}).status_code == 422
    assert client.post("/accounts/password/", {"old": words[-1], "new": words[1], "again": words[1]}).status_code == 302


def test_a_changed_password_ends_other_sessions(client, account):
    client.force_login(account)
    other = type(client)()
    other.force_login(account)
    client.post("/accounts/password/", {"old": PASSWORD, "new": "Walnut-tree-77", "again": "Walnut-tree-77"})
    assert client.get("/accounts/me/").status_code == 200
    assert other.get("/accounts/me/").status_code == 302


def test_own_sessions_are_listed_and_can_be_ended(client, account):
    attempt(client)
    other = type(client)()
    other.post(SIGN_IN, {"username": "zhoumin", "password": PASSWORD}, headers={"User-Agent": "Old phone"})
    page = client.get("/accounts/me/").content.decode()
    assert "Old phone" in page
    key = other.session.session_key
    assert client.post(f"/accounts/me/sessions/{key[:8]}/end/").status_code == 302
    assert other.get("/accounts/me/").status_code == 302
    assert client.get("/accounts/me/").status_code == 200
    assert client.post("/accounts/me/sessions/abcdefgh/end/").status_code == 404


def test_sign_out(client, account):
    attempt(client)
    assert client.get("/accounts/sign-out/").status_code == 405
    assert client.post("/accounts/sign-out/").status_code == 302
    assert client.get("/accounts/me/").status_code == 302
    assert outcomes() == ["signed_in", "signed_out"]
    assert AccountSession.objects.filter(account__isnull=False).count() == 0


# ---------------------------------------------------------------- second factor
def enrol(client, account) -> tuple[str, list[str]]:
    client.force_login(account)
    page = client.get("/accounts/second-factor/")
    assert b"data:image/svg+xml" in page.content
    account.refresh_from_db()
    secret = account.second_factor.secret
    response = client.post(
        "/accounts/second-factor/", {"code": totp.code_at(secret, timezone.now() - timedelta(seconds=30))}
    )
    codes = response.context["codes"]
    assert (response.status_code, len(set(codes))) == (200, 10)
    client.post("/accounts/sign-out/")
    return secret, codes


def test_second_factor_from_enrolment_to_sign_in(client, account):
    secret, codes = enrol(client, account)
    assert attempt(client, next="/accounts/me/")["Location"] == "/accounts/code/?next=%2Faccounts%2Fme%2F"
    assert client.get("/accounts/me/").status_code == 302
    now = totp.code_at(secret, timezone.now())
    assert client.post("/accounts/code/", {"code": "000000" if now != "000000" else "111111"}).status_code == 422
    assert client.post("/accounts/code/", {"code": now, "next": "/accounts/me/"})["Location"] == "/accounts/me/"
    assert client.get("/accounts/me/").status_code == 200
    client.post("/accounts/sign-out/")
    attempt(client)
    assert client.post("/accounts/code/", {"code": now}).status_code == 422  # each code once
    assert client.post("/accounts/code/", {"code": codes[0]}).status_code == 302
    client.post("/accounts/sign-out/")
    attempt(client)
    assert client.post("/accounts/code/", {"code": codes[0]}).status_code == 422  # each recovery code once
    assert client.post("/accounts/code/", {"code": codes[1]}).status_code == 302


def test_wrong_codes_lock_too(client, account):
    secret, _codes = enrol(client, account)
    attempt(client)
    assert [client.post("/accounts/code/", {"code": "12345x"}).status_code for _i in range(5)] == [422] * 4 + [429]
    assert client.post("/accounts/code/", {"code": totp.code_at(secret, timezone.now())}).status_code == 429


def test_the_secret_is_sealed_at_rest(client, account):
    secret, _codes = enrol(client, account)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM accounts_secondfactor")
        assert secret.encode() not in bytes(cursor.fetchone()[0])


def test_rfc_6238_vectors():
    """RFC 6238 appendix B, SHA-1, last six digits."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for seconds, code in ((59, "287082"), (1111111109, "081804"), (2000000000, "279037")):
        assert totp.code_at(secret, datetime.fromtimestamp(seconds, timezone.get_current_timezone())) == code


# ---------------------------------------------------------------- families
@pytest.fixture
def daughter(make_account):
    number = "13900002222"
    return make_account("m13900002222", ("family", "a", 1), mobile=number, mobile_index=mobile_index(number))


def code_sent() -> str:
    import re

    return re.search(r"\d{6}", TextMessage.objects.latest("id").text)[0]


def test_families_sign_in_with_a_code(client, daughter):
    assert client.post("/accounts/phone/", {"mobile": "139 0000 2222"})["Location"] == "/accounts/phone/?step=code"
    message = TextMessage.objects.get()
    assert (message.to, message.state, message.path) == ("13900002222", "kept", daughter.path)
    assert (
        client.post("/accounts/phone/?step=code", {"code": "000000" if code_sent() != "000000" else "1"}).status_code
        == 422
    )
    assert client.post("/accounts/phone/?step=code", {"code": code_sent()}).status_code == 302
    assert client.get("/accounts/me/").status_code == 200
    assert mail.outbox == []


def test_a_code_works_once_and_not_for_long(client, daughter):
    client.post("/accounts/phone/", {"mobile": "13900002222"})
    OneTimeCode.objects.update(expires_at=timezone.now())
    assert client.post("/accounts/phone/?step=code", {"code": code_sent()}).status_code == 422
    client.get("/accounts/phone/")
    client.post("/accounts/phone/", {"mobile": "13900002222"})
    code = code_sent()
    assert client.post("/accounts/phone/?step=code", {"code": code}).status_code == 302
    request = client.get("/accounts/phone/").wsgi_request
    request.account = None
    with pytest.raises(Refused):
        phone_codes.check_code(request, "13900002222", code)


def test_staff_and_strangers_get_no_code_and_the_same_answer(client, account):
    for number in ("13800001111", "13711112222"):
        assert client.post("/accounts/phone/", {"mobile": number})["Location"] == "/accounts/phone/?step=code"
    assert TextMessage.objects.count() == 0
    assert client.post("/accounts/phone/", {"mobile": "12"}).status_code == 422


def test_elders_see_the_large_theme(client, db):
    assert b'data-ui="elder"' in client.get("/accounts/phone/?as=elder").content
    assert b'data-ui="desk"' in client.get("/accounts/phone/").content


def test_the_address_behind_our_own_front_door(rf):
    request = rf.get("/", REMOTE_ADDR="127.0.0.1", headers={"X-Forwarded-For": "6.6.6.6, 10.1.2.3"})
    assert sign_in.source_of(request) == "10.1.2.3"
    assert sign_in.source_of(rf.get("/", REMOTE_ADDR="10.9.9.9", headers={"X-Forwarded-For": "6.6.6.6"})) == "10.9.9.9"
