"""Every list can be shown, printed and exported by somebody whose role holds its permissions (ux.md §3.4)."""

from dataclasses import replace

import pytest
from django.test import override_settings
from django.urls import get_resolver

from sangyu.kernel.permissions import every_permission
from sangyu.registry.accounts import roles
from sangyu.ui import keeping
from sangyu.ui.pages import ListPage
from support.counties import two_counties
from support.pages import client_for
from support.people import in_role

pytestmark = pytest.mark.django_db


def lists(patterns=None, prefix: str = "/"):
    """(address, page) of every list whose address needs no argument."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from lists(pattern.url_patterns, route)
        else:
            page = getattr(pattern.callback, "view_class", None)
            if isinstance(page, type) and issubclass(page, ListPage) and "<" not in route:
                yield route, page


@override_settings(SANGYU_KEEP_SECONDS=600)  # the numbers of the frame, counted once a role and not for each page
def test_every_list_is_shown_printed_and_exported(regions, staff):
    keeping._kept.clear()
    two_counties(regions, every_permission(), only=("a",))
    wrong, asked = {}, 0
    for url, page in sorted(lists(), key=lambda found: found[0]):
        holders = [
            actor
            for name in roles.all_roles()
            if (actor := in_role(replace(staff("a"), account_id=7), name)).may(page.permission or "")
            or not page.permission
        ]
        answers = {}
        for actor in holders:
            client = client_for(actor)
            kinds = ["?view=all", "?print=1"] + (["?export=xlsx"] if page.exportable else [])
            codes = [client.get(url + query).status_code for query in kinds]
            answers[actor.role] = codes
            if all(code in (200, 302) for code in codes):
                break
        asked += 1
        if not any(all(c in (200, 302) for c in codes) for codes in answers.values()):
            wrong[url] = answers
    assert wrong == {}
    assert asked > 25
