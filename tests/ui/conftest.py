"""A client that acts as a given actor, on the pages of ``ui_test_pages``."""

import dataclasses

import pytest
from django.test import Client

from support.clients import past_sign_in

ALL = frozenset({"t.view", "t.edit", "t.secret", "ui.share_view"})


@pytest.fixture(autouse=True)
def test_pages(settings):
    settings.ROOT_URLCONF = "ui_test_pages"


@pytest.fixture
def acting(staff, monkeypatch):
    """``acting("a", permissions=…)`` → a client whose requests carry that staff actor, past the sign-in middleware."""
    from sangyu.registry.accounts.models import Account

    act = past_sign_in(monkeypatch)

    def make(key="city", permissions=ALL, **kwargs):
        account, _made = Account.objects.get_or_create(username=f"u-{key}", defaults={"name": "周敏"})
        actor = dataclasses.replace(staff(key, permissions=permissions), account_id=account.pk, name="周敏")

        act(account, actor)
        client = Client(raise_request_exception=False, **kwargs)
        client.actor = actor
        return client

    return make
