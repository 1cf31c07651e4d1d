"""``@service``: the one door through which pages, API operations, tasks and messages change anything (design rule 5)."""

import functools
from collections.abc import Callable
from typing import Any

from django.db import transaction

from .actor import Actor
from .errors import Forbidden
from .scoping import current_actor, scope

#: permission → services that need it; the guard tests read it.
REGISTRY: dict[str, list[str]] = {}


def service(permission: str, *, savepoint: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Wrap a keyword-only function with ``actor``: check ``permission``, open or join its scope, run in one transaction.

    Without ``savepoint`` an error inside ends the transaction of the caller, too: two statements less where that is right.
    """

    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        REGISTRY.setdefault(permission, []).append(f"{function.__module__}.{function.__qualname__}")

        @functools.wraps(function)
        def call(*, actor: Actor, **kwargs: Any) -> Any:
            if not actor.may(permission):
                raise Forbidden(permission)
            if current_actor() is None:  # the scope's own transaction is the call's: no savepoint inside it
                with scope(actor):
                    return function(actor=actor, **kwargs)
            with scope(actor), transaction.atomic(savepoint=savepoint):
                return function(actor=actor, **kwargs)

        call.permission = permission
        return call

    return wrap
