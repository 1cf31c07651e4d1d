"""A client that acts as a given actor, on the pages of ``ui_test_pages``."""

import dataclasses

import pytest
from django.db import transaction
from django.test import Client

from sangyu.kernel.scoping import scope

ALL = frozenset({"t.view", "t.edit", "t.secret", "ui.share_view"})


@pytest.fixture(autouse=True)
def test_pages(settings):
    settings.ROOT_URLCONF = "ui_test_pages"


@pytest.fixture
def acting(staff, monkeypatch):
    """``acting("a", permissions=…)`` → a client whose requests carry that staff actor, past the sign-in middleware."""
    from sangyu.registry.accounts.middleware import ActorMiddleware
    from sangyu.registry.accounts.models import Account

    def make(key="city", permissions=ALL, **kwargs):
        account, _made = Account.objects.get_or_create(username=f"u-{key}", defaults={"name": "周敏"})
        actor = dataclasses.replace(staff(key, permissions=permissions), account_id=account.pk, name="周敏")

        def call(self, request):
            request.account, request.user, request.actor, request.token, request.grant = (
                account,
                account,
                actor,
                None,
                None,
            )
            with scope(actor, source="page"):
                response = self.get_response(request)
                if response.status_code >= 400:
                    transaction.set_rollback(True)
            return response

        monkeypatch.setattr(ActorMiddleware, "__call__", call)
        client = Client(raise_request_exception=False, **kwargs)
        client.actor = actor
        return client

    return make
