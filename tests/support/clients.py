"""A test client that acts as a given actor, past the sign-in middleware."""

import dataclasses

from django.db import transaction
from django.test import Client

from sangyu.kernel.scoping import scope


def client_as(actor, monkeypatch, **kwargs) -> Client:
    """Requests of this client carry ``actor``; one actor at a time in a test."""
    from sangyu.registry.accounts.middleware import ActorMiddleware
    from sangyu.registry.accounts.models import Account

    account, _made = Account.objects.get_or_create(
        username=f"u{abs(hash(actor)) % 10**8}", defaults={"name": actor.name}
    )
    acting = dataclasses.replace(actor, account_id=account.pk)

    def call(self, request):
        request.account = request.user = account
        request.actor, request.token, request.grant = acting, None, None
        with scope(acting, source="page"):
            response = self.get_response(request)
            if response.status_code >= 400:
                transaction.set_rollback(True)
        return response

    monkeypatch.setattr(ActorMiddleware, "__call__", call)
    client = Client(raise_request_exception=True, **kwargs)
    client.actor = acting
    return client
