"""Every address needs sign-in, except those that are public for a reason (issue 2 §1)."""

import re
from collections.abc import Iterator

import pytest
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import URLPattern, get_resolver, path, resolve

from sangyu.registry.accounts.access import Access, access_of, public

pytestmark = pytest.mark.django_db

#: Route → why anybody may call it.
PUBLIC = {
    "healthz": "the supervisor and the front door ask whether the process answers",
    "i18n/setlang/": "the language is chosen before signing in",
    "accounts/sign-in/": "the door itself",
    "accounts/phone/": "the door itself: signing in by a code sent to a mobile, throttled",
    "accounts/code/": "the door itself: the code or the second factor",
    "accounts/passkey/options/": "the door itself: a challenge",
    "accounts/passkey/": "the door itself: the signed challenge, throttled",
    "accounts/oidc/<slug:provider>/": "the door itself: to the identity provider",
    "accounts/oidc/<slug:provider>/back/": "the door itself: back from the identity provider, state and nonce checked",
    "accounts/sign-out/": "signing out twice is not an error",
    "benefits/notices/": "public notices of subsidies, while they last",
    "benefits/notices/<slug:code>/": "a public notice of subsidies: masked names, while it lasts (R-039)",
    "dossier/card/<str:token>/": "whoever scans a lost elder's card reads whom to call, and nothing else",
    "assessments/notices/": "public notices of assessment results, while they last",
    "assessments/notices/<slug:code>/": "a public notice of results: masked names, while it lasts (R-029)",
    "assessments/sw.js": "the service worker's script: static, and fetched without the page",
    "worker/sw.js": "the service worker's script: static, and fetched without the page",
}


def routes(patterns=None, prefix: str = "") -> Iterator[str]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLPattern):
            yield prefix + str(pattern.pattern)
        else:
            yield from routes(pattern.url_patterns, prefix + str(pattern.pattern))


def address(route: str) -> str:
    """An address that matches ``route``: 1 for numbers and words alike."""
    return "/" + re.sub(r"<[^>]+>", "1", re.sub(r"\^|\$|\.\*|\\Z", "", route))


def refused(response) -> bool:
    """Whether an anonymous caller was turned away: to the door, or with 401 or 403."""
    if response.status_code in (401, 403):
        return True
    return response.status_code == 302 and "/accounts/sign-in" in response.headers["Location"]


def open_routes() -> list[str]:
    """Routes that are marked public, or that answer somebody who has not signed in, asked by GET and by POST."""
    client, found = Client(raise_request_exception=False), set()
    for route in routes():
        where = address(route)
        marked = access_of(resolve(where).func) is Access.PUBLIC
        if marked or not (refused(client.get(where)) and refused(client.post(where))):
            found.add(route)
    return sorted(found)


def test_every_address_needs_sign_in_or_a_reason():
    assert open_routes() == sorted(PUBLIC), "an address is open without a reason, or an exception is stale"
    assert all(len(why) > 10 for why in PUBLIC.values())


@public
def forgotten(request):
    return HttpResponse("everything")


urlpatterns = [path("leak/", forgotten), path("accounts/sign-in/", forgotten, name="sign_in")]


@override_settings(ROOT_URLCONF=__name__, LOGIN_URL="/accounts/sign-in/")
def test_the_guard_sees_an_open_address():
    assert open_routes() == ["accounts/sign-in/", "leak/"]
