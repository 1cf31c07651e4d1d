"""Who may call a view: sign-in and an open scope unless the view says otherwise."""

from collections.abc import Callable
from enum import StrEnum

from django.conf import settings


class Access(StrEnum):
    PUBLIC = "public"
    ACCOUNT = "account"
    SCOPE = "scope"


def public(view: Callable) -> Callable:
    """Mark ``view`` (function or class): anybody may call it; no scope is open, only Open tables can be read."""
    view.access = Access.PUBLIC
    view.login_required = False  # Django's own mark, for libraries that look at it
    return view


def account_only(view: Callable) -> Callable:
    """Mark ``view``: a signed-in account is enough, no grant is needed and no scope is open (own password, own
    sessions)."""
    view.access = Access.ACCOUNT
    return view


def access_of(view: Callable) -> Access:
    """The access of a resolved view. Library views are named in ``SANGYU_PUBLIC_VIEWS`` as module.name."""
    marked = getattr(view, "access", None) or getattr(getattr(view, "view_class", None), "access", None)
    if marked is not None:
        return Access(marked)
    if getattr(view, "login_required", True) is False:
        return Access.PUBLIC
    name = f"{getattr(view, '__module__', '')}.{getattr(view, '__qualname__', '')}"
    return Access.PUBLIC if name in settings.SANGYU_PUBLIC_VIEWS else Access.SCOPE
