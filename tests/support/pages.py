"""A test client that acts as a given actor, past sign-in; everything behind the sign-in runs as in production."""

from django.db import transaction
from django.test import Client

from sangyu.kernel.actor import Actor
from sangyu.kernel.scoping import scope
from sangyu.registry.accounts.middleware import ActorMiddleware

KEY, ACCOUNT = "sangyu.test_actor", "sangyu.test_account"


class ActAs(ActorMiddleware):
    """The real middleware, unless the request carries an actor (settings/test.py)."""

    def __call__(self, request):
        actor = request.META.get(KEY)
        if actor is None:
            return super().__call__(request)
        from sangyu.registry.accounts.models import Account

        account = request.META.get(ACCOUNT)
        if account is None and actor.account_id:
            account = Account.objects.filter(pk=actor.account_id).first()
        request.account = account or Account(username=actor.name, name=actor.name, must_change_password=False)
        request.user, request.actor, request.token, request.grant = request.account, actor, None, None
        with scope(actor, source="page"):
            response = self.get_response(request)
            if response.status_code >= 400:
                transaction.set_rollback(True)
        return response


def client_for(actor: Actor, *, account=None, **kwargs) -> Client:
    """A client whose every request is made by ``actor``; with ``account`` given, it is not read for each request."""
    client = Client(raise_request_exception=False, **kwargs)
    client.defaults[KEY] = actor
    if account is not None:
        client.defaults[ACCOUNT] = account
    return client
