"""Every address with an object, asked by every role of county A for county B's objects: 404 (issue 2 §4.4).

And for A's own: somebody gets in, so that the guard can fail. A role that lacks the permission gets 403 either way.
"""

import json
import re
from collections.abc import Iterator

import pytest
from django.test import override_settings
from django.urls import URLPattern, get_resolver, path, resolve

from sangyu.kernel.actor import Audience
from sangyu.kernel.permissions import every_permission
from sangyu.registry.accounts import roles
from sangyu.ui import keeping
from support.api import EXAMPLES, bearer, example, fill, load, nothing_kept, operations
from support.counties import County, clock, two_counties
from support.pages import client_for
from support.world import make_regions

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

#: Beginning of an address → the name in County.ids of what its number means; the longest beginning counts.
OBJECTS = {
    "ui/operations/": "operation",
    "ui/files/": "file",
    "accounts/": "account",
    "accounts/grants/": "grant",
    "accounts/tokens/": "token",
    "accounts/handovers/": "handover",
    "privacy/requests/": "data_request",
    "privacy/incidents/": "incident",
    "people/": "person",
    "people/contacts/": "contact",
    "people/status/": "fact",
    "people/consents/": "consent",
    "people/notes/": "guarded_note",
    "people/health/": "health_note",
    "lifeevents/": "life_event",
    "lifeevents/items/": "life_item",
    "lifeevents/notices/": "notice",
    "lifeevents/of/": "person",
    "dossier/papers/": "paper",
    "dossier/of/": "person",
    "people/held/": "held",
    "statuslists/": "status_list",
    "statuslists/lines/": "status_line",
    "catalogue/": "own_item",
    "catalogue/packages/": "package",
    "organisations/": "organisation",
    "organisations/licences/": "licence",
    "organisations/capability/": "capability",
    "organisations/contracts/": "contract",
    "organisations/prices/": "price",
    "workforce/": "worker",
    "workforce/of/": "organisation",
    "workforce/certificates/": "certificate",
    "workforce/clearances/": "clearance",
    "workforce/duties/": "duty",
    "vouchers/": "voucher",
    "vouchers/programmes/": "programme",
    "vouchers/issues/": "voucher_issue",
    "orders/": "order_done",
    "orders/return-visits/": "return_visit",
    "orders/agreements/": "agreement_signed",
    "orders/fee-rules/": "fee_rule",
    "orders/service-rules/": "service_rule",
    "benefits/": "benefit_run",
    "benefits/lines/": "benefit_line",
    "benefits/reviews/": "benefit_review",
    "benefits/files/": "payment_file",
    "benefits/payments/": "payment",
    "benefits/recoveries/": "recovery",
    "benefits/funds/": "fund",
    "settlement/": "statement_frozen",
    "documents/": "document",
    "documents/lines/": "document_line",
    "policies/": "policy",
    "policies/trials/": "policy_trial",
    "facilities/": "facility",
    "facilities/people/": "person",
    "facilities/stays/": "stay",
    "devices/": "device_issued",
    "devices/people/": "person",
    "devices/fees/": "device_fee",
    "devices/deposits/": "binding_ended",
    "devices/commands/": "device_command",
    "applications/": "application",
    "applications/people/": "person",
    "applications/objections/": "objection",
    "applications/holds/": "hold",
    "applications/accounts/": "payee",
    "assessments/": "assessment",
    "assessments/of/": "person",
    "assessments/assessors/": "assessor",
    "assessments/commissions/": "commission",
    "assessments/draws/": "draw",
    "screening/": "campaign",
    "emergencies/": "emergency",
    "emergencies/people/": "person",
    "emergencies/asked/": "emergency_taken",
    "emergencies/roster/": "night",
    "emergencies/stations/": "alarm_station",
    "emergencies/channels/": "alarm_channel",
    "emergencies/drills/": "drill",
    "emergencies/calls/": "call",
    "screening/visits/": "screening_task",
    "console/": "emergency_taken",
    "console/watch/": "emergency_taken",
    "signals/person/": "person",
    "signals/device/": "device_issued",
    "signals/limits/": "limit",
    "signals/fences/": "fence",
    "casefile/": "person",
    "casefile/merges/": "merge",
    "casefile/transfers/": "transfer",
    "duplicates/": "candidate",
    "transfers/": "transfer",
    "desk/people/": "person",
    "desk/orders/": "order_received",
    "worker/visits/": "order_past",
    "worker/duties/": "duty_of_carer",
    "elder/": "order_done",
    "elder/<int:elder>/emergency/": "emergency_taken",
}
#: A page that needs its object in a certain state.
IN_STATE = {
    "accounts:revoke_own_token": "own_token",
    "family:data_withdraw": "own_data_request",
    "applications:appeal": "rejected_objection",
    "applications:refusal-object": "refused_application",
    "family:appeal": "rejected_objection",
    "desk:claim": "emergency",
    "devices:issue": "device",
    "devices:place": "device_mattress",
    "devices:reveal-secret": "device_mattress",
    "devices:renew-secret": "device_mattress",
    "devices:restock": "device_returned",
    "devices:repair-end": "device_repair",
    "devices:found": "device_lost",
    "orders:receive": "order_requested",
    "orders:offer": "order_received",
    "orders:withdraw": "order_offered",
    "orders:reschedule": "order_received",
    "orders:cancel": "order_received",
    "orders:accept": "order_offered",
    "orders:decline": "order_offered",
    "orders:hand_back": "order_accepted",
    "orders:substitute": "order_accepted",
    "orders:paper": "order_past",
    "orders:resolve": "order_disputed",
    "orders:refund": "order_confirmed",
    "orders:agreement_sign": "agreement_draft",
    "assessments:report": "assessment_decided",
    "assessments:setting": "assessment_decided",
    "benefits:review_county": "benefit_review_county",
    "settlement:freeze": "statement_draft",
    "settlement:discard": "statement_draft",
    "settlement:answer": "statement_objected",
    "settlement:approve": "statement_confirmed",
    "settlement:pay": "statement_approved",
}
#: Further arguments of an address.
WORDS = {"policy": "home-help", "step": "depart", "act": "confirm", "kind": "copy"}
#: Addresses that are not asked, each with the reason.
EXCEPTIONS = {
    "ui:calendar_remove": "the working calendar is the same for everybody; its days belong to no region",
    "casefile:after_death": "there is none for the living; the other county's dead are asked for in tests/surfaces/test_casefile.py",
    "ui:bulk": "an act of the caller's own, found by account (tests/ui/test_list_page.py)",
    "ui:bulk-undo": "an act of the caller's own, found by account (tests/ui/test_list_page.py)",
    "dossier:card": "the code of a card is a secret; whom it leads to is tested in tests/registry/dossier",
    "accounts:passkey_rename": "a passkey of the caller's own, found by account (tests/registry/accounts/test_passkeys.py)",
    "accounts:passkey_remove": "a passkey of the caller's own, found by account (tests/registry/accounts/test_passkeys.py)",
    "accounts:oidc_begin": "the word names an identity provider, before anybody is signed in",
    "accounts:oidc_back": "the word names an identity provider, before anybody is signed in",
    "accounts:link": "the word names an identity provider; the link is the caller's own",
    "accounts:unlink": "the word names an identity provider; the link is the caller's own",
    "accounts:end_session": "the key is one of the caller's own sessions, found by account",
    "family:end_access": "ends a consent that the elder's own account gave (tests/surfaces/test_family.py)",
    "family:notice_read": "a notice of the caller's own subject, found by it (tests/surfaces/test_family.py)",
    "emergencies:exchange-renew": "with an exchange entered every call must be signed; whose it is: tests/care/emergencies/test_screens.py",
    "emergencies:exchange-stop": "with an exchange entered every call must be signed; whose it is: tests/care/emergencies/test_screens.py",
    "emergencies:exchange-secret": "with an exchange entered every call must be signed; whose it is: tests/care/emergencies/test_screens.py",
    "screening:sheet": "the word names a published question sheet, the same for everybody",
    "assessments:scale": "the word names a published scale, the same for everybody",
    "benefits:notice": "the code is that of a public notice, for everybody (tests/care/benefits/test_pages.py)",
    "assessments:public_notice": "read by anybody while it lasts, names masked",
    "bureau:orders": "the word names a view of the list, not an object",
    "api:api_v1:catalogue.item": "the code is looked up in the caller's own area; there is no foreign one to name",
    "api:api_v1:documents.get": "documents of government are public; staff's view is tested in tests/registry/documents",
    "api:api_v1:policies.get": "approved policies are public, drafts are not; tested in tests/care/policies",
    "api:api_v1:policies.by_code": "the code is looked up in the caller's own area; there is no foreign one to name",
    "api:api_v1:regions.get": "the tree of administrative divisions is public",
}

#: Acts whose GET only leads back to their page: asked by POST with this form ("@name" as in support.api).
POSTED = {
    "family:data_withdraw": {},
    "hotline:send": {"organisation_id": "@organisation", "worker_id": "@worker"},
    "worker:step": {},
    "worker:acknowledge": {},
}
#: Beginning of an address that other audiences than staff may read everywhere, with the reason.
PUBLISHED = {
    "catalogue/": "lists of services and packages are public (R-180); staff work with those of their own region",
    "documents/": "documents of government are public; staff work with those of their own region and above",
    "policies/": "approved policies are public; drafts are seen by nobody further down",
    "workforce/duties/": "duties of posts are published to all providers and workers",
}
#: Operations that answer otherwise than with 404 to an object of the other county in the body: status and reason.
BY_RULE = {
    "settlement.draft": (422, "regions are public: the answer says that one settles for one's own only"),
}


def addresses(patterns=None, prefix: str = "", names: tuple[str, ...] = ()) -> Iterator[tuple[str, str, list[str]]]:
    """(name with namespaces, route, arguments) of every address that takes an argument."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if not isinstance(pattern, URLPattern):
            inner = names + ((pattern.namespace,) if pattern.namespace else ())
            yield from addresses(pattern.url_patterns, route, inner)
        elif arguments := list(pattern.pattern.regex.groupindex):
            yield ":".join([*names, pattern.name or "?"]), route, arguments


def page_addresses() -> dict[str, tuple[str, list[str]]]:
    found = {n: (r, a) for n, r, a in addresses() if not n.startswith("api:") and not n.startswith("regions:")}
    return {n: v for n, v in found.items() if n not in EXCEPTIONS}


def object_of(name: str, route: str) -> str | None:
    """The name in County.ids of what the address is about; None when nobody said."""
    starts = [s for s in OBJECTS if route.startswith(s) or route.startswith(s.rstrip("/") + "/<")]
    return IN_STATE.get(name) or (OBJECTS[max(starts, key=len)] if starts else None)


def address(name: str, route: str, arguments: list[str], county: County) -> str:
    """The address about the object of ``county``."""
    values = {a: WORDS.get(a) for a in arguments}
    values |= {a: county.ids["person"] for a in arguments if a == "elder"}
    values |= {a: county.ids["other_person"] for a in arguments if a == "other"}
    values |= {a: county.ids[object_of(name, route)] for a in arguments if a == "pk"}
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(values[found.group(1)]), route)


def ask(client, url: str, form: dict | None = None, **headers: str) -> int:
    """Status of a GET, or of an empty POST where the address takes no GET; nothing is kept of a POST or of a refusal."""
    response = client.get(url, headers=headers) if form is None else None
    if response is None or response.status_code == 405:
        with nothing_kept():
            response = client.post(url, form or {}, headers=headers)
    for _chunk in response if response.streaming else ():
        pass
    return response.status_code


def unlisted() -> list[str]:
    """Addresses that take an argument and that nobody assigned an object; exceptions that are stale or bare."""
    known = {n for n, _r, _a in addresses()}
    return (
        [n for n, (r, _a) in page_addresses().items() if object_of(n, r) is None]
        + [f"stale: {n}" for n in EXCEPTIONS if n not in known]
        + [f"stale: {n}" for n in IN_STATE if n not in known]
        + [f"stale: {n}" for n in BY_RULE if n not in EXAMPLES]
        + [f"stale: {n}" for n in POSTED if n not in known]
        + [f"stale: {p}" for p in [*OBJECTS, *PUBLISHED] if not any(r.startswith(p) for _n, r, _a in addresses())]
        + [f"no reason: {n}" for n, why in EXCEPTIONS.items() if len(why) < 10]
    )


STAFF = [name for name, role in roles.all_roles().items() if role.audience == Audience.STAFF]


@override_settings(SANGYU_KEEP_SECONDS=600)
def findings(pages: dict[str, tuple[str, list[str]]], a: County, b: County) -> dict[str, list[str]]:
    """What is wrong, by address: B's object found by a role of A, or A's own found by nobody."""
    wrong: dict[str, list[str]] = {}
    clients = {role: client_for(actor, account=a.accounts[role]) for role, actor in a.actors.items()}
    keeping._kept.clear()  # the numbers of the frame, counted once a role and not for each page
    for name, (route, arguments) in pages.items():
        foreign, own = (address(name, route, arguments, county) for county in (b, a))
        needed = getattr(getattr(resolve(own).func, "view_class", None), "permission", "") or ""
        entered, seen, form = False, {}, POSTED.get(name)
        for role, client in clients.items():
            may = not needed or a.actors[role].may(needed)
            # an error is then a fragment: quicker
            status = ask(client, foreign, form and fill(form, b), **{"HX-Request": "true"})
            if may and (not entered or status == 403):
                with nothing_kept():
                    seen[role] = ask(client, own, form and fill(form, a))
                entered = entered or seen[role] < 400 or seen[role] in (409, 422)
            published = status == 200 and role not in STAFF and route.startswith(tuple(PUBLISHED))
            if status != 404 and not published and not (status == 403 and seen.get(role, 403) == 403):
                wrong.setdefault(name, []).append(f"{role} asks for B's: {status}")
        if not entered:
            wrong.setdefault(name, []).append(f"nobody gets A's own: {seen}")
    return wrong


@pytest.fixture(scope="module")
def built(shared_rows):
    return two_counties(make_regions(), every_permission())


@pytest.fixture
def counties(built, db):
    with clock():
        yield built


def test_every_address_with_an_object_is_known():
    assert unlisted() == []


def test_no_page_shows_or_changes_what_belongs_to_the_other_county(counties):
    wrong = findings(page_addresses(), counties["a"], counties["b"])
    assert wrong == {}, json.dumps(wrong, indent=1)


def test_no_operation_shows_or_changes_what_belongs_to_the_other_county(counties):
    """Objects in the address and objects in the body alike; who lacks the permission gets 403 for both."""
    a, b = counties["a"], counties["b"]
    foreign = {
        *(("organisation_id", b.ids[k]) for k in ("organisation", "other_organisation")),
        ("person_id", b.ids["person"]),
    }
    wrong = {}
    for name, operation in operations(load(a.tokens["bureau"])).items():
        paths, query, body = EXAMPLES[name]
        about = [*paths, *(k for k, v in {**query, **(body or {})}.items() if str(v).startswith("@"))]
        if not about or f"api:api_v1:{name}" in EXCEPTIONS:
            continue
        for role, token in a.tokens.items():
            may = a.actors[role].may(operation.definition.raw["x-permission"])
            expected = (BY_RULE.get(name) or (404,))[0] if may else 403
            with nothing_kept():
                response = example(operation, b).call(headers=bearer(token))
            if response.status_code == 200 and may and not paths and body is None:  # a list with a foreign filter
                answered = response.json()
                rows = answered if isinstance(answered, list) else answered["items"]
                if not [r for r in rows if foreign & {(k, r.get(k)) for k, _id in foreign}]:
                    continue
            if response.status_code != expected:
                wrong.setdefault(name, []).append(f"{role}: {response.status_code}")
    assert wrong == {}


def leaky(request, pk):
    """A page that forgets to look."""
    from django.http import HttpResponse

    return HttpResponse(f"order {pk}")


urlpatterns = [path("orders/<int:pk>/leak/", leaky, name="leak")]


@override_settings(ROOT_URLCONF=__name__)
def test_the_guard_sees_a_page_that_forgets_to_look(counties):
    assert page_addresses() == {"leak": ("orders/<int:pk>/leak/", ["pk"])}
    wrong = findings(page_addresses(), counties["a"], counties["b"])
    assert wrong["leak"][0] == f"{next(iter(counties['a'].actors))} asks for B's: 200"
    assert len(wrong["leak"]) == len(counties["a"].actors)
