"""A test client that acts as a given actor, past the sign-in middleware."""

import dataclasses

from django.db import transaction
from django.test import Client

from sangyu.kernel.scoping import scope


def past_sign_in(monkeypatch):
    """Sign-in is passed by: ``act(account, actor)`` says whom all requests are made by from then on."""
    from sangyu.registry.accounts.middleware import ActorMiddleware

    now = {}

    def call(self, request):
        request.account = request.user = now["account"]
        request.actor, request.token, request.grant = now["actor"], None, None
        with scope(now["actor"], source="page"):
            response = self.get_response(request)
            if response.status_code >= 400:
                transaction.set_rollback(True)
        return response

    monkeypatch.setattr(ActorMiddleware, "__call__", call)
    return lambda account, actor: now.update(account=account, actor=actor)


def client_as(actor, monkeypatch, **kwargs) -> Client:
    """Requests of this client carry ``actor``; one actor at a time in a test."""
    from sangyu.registry.accounts.models import Account

    account, _made = Account.objects.get_or_create(
        username=f"u{abs(hash(actor)) % 10**8}", defaults={"name": actor.name}
    )
    acting = dataclasses.replace(actor, account_id=account.pk)
    past_sign_in(monkeypatch)(account, acting)
    client = Client(raise_request_exception=True, **kwargs)
    client.actor = acting
    return client
