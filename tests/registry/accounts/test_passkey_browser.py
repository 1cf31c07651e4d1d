"""Passkeys in a real browser with a virtual authenticator: add, sign in without a name, remove; at a phone's width too."""

import os

import pytest

from sangyu.registry.accounts.models import Passkey, SignIn

from .conftest import PASSWORD

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=[(1366, 768), (390, 844)], ids=["desktop", "phone"])
def page(request, chromium):
    context = chromium.new_context(viewport={"width": request.param[0], "height": request.param[1]}, locale="zh-CN")
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.said = []
    page.on("console", lambda m: page.said.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: page.said.append(str(e)))
    page.wide = lambda: page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    yield page
    context.close()


@pytest.fixture
def authenticator(page):
    """A device with a fingerprint reader; the finger is always the right one."""
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    made = cdp.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )["authenticatorId"]
    return lambda command, **values: cdp.send(f"WebAuthn.{command}", {"authenticatorId": made, **values})


def test_from_password_to_passkey_and_back(live_server, page, authenticator, make_account):
    make_account("zhoumin", ("street", "a_street"), name="周敏")
    page.goto(live_server.url + "/accounts/sign-in/?next=/accounts/me/passkeys/")
    page.fill("[name=username]", "zhoumin")
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]:has-text('登录')")
    page.wait_for_url("**/accounts/me/passkeys/")
    page.fill("#passkey-label", "社区电脑")
    page.click("text=添加通行密钥")
    page.wait_for_selector("input[value='社区电脑']")
    assert len(authenticator("getCredentials")["credentials"]) == 1
    assert page.wide() <= 0
    # the same device once more: the browser knows it has one
    page.click("text=添加通行密钥")
    page.wait_for_selector("#passkey-say:not([hidden])")
    assert "已有" in page.inner_text("#passkey-say")
    assert Passkey.objects.count() == 1

    page.goto(live_server.url + "/accounts/me/")
    page.click("main >> text=退出登录")
    page.wait_for_url("**/accounts/sign-in/")
    assert page.wide() <= 0
    page.click("text=用通行密钥登录")
    page.wait_for_url(lambda url: "/accounts/sign-in/" not in url)
    assert SignIn.objects.filter(outcome="signed_in", method="passkey").count() == 1
    page.goto(live_server.url + "/accounts/me/passkeys/")
    if folder := os.environ.get("SANGYU_SHOTS"):
        page.screenshot(path=f"{folder}/passkeys-{page.viewport_size['width']}.png", full_page=True)
    page.click("form[action$='/remove/'] button")
    page.wait_for_selector("text=还没有通行密钥")
    assert Passkey.objects.count() == 0
    assert [s for s in page.said if "/live/events" not in s and "404" not in s] == []


def test_a_wrong_finger_says_so_and_the_password_still_works(live_server, page, authenticator, make_account):
    make_account("zhoumin", ("street", "a_street"))
    page.goto(live_server.url + "/accounts/sign-in/")
    page.click("text=用通行密钥登录")
    page.wait_for_selector("#passkey-say:not([hidden])")
    assert "没有选择" in page.inner_text("#passkey-say")
    page.fill("[name=username]", "zhoumin")
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]:has-text('登录')")
    page.wait_for_url(lambda url: "/accounts/sign-in/" not in url)
