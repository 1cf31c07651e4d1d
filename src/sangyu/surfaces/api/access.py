"""Who calls: a bearer token or the session of a browser, both found by the sign-in middleware; the permission asked for."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja.errors import AuthorizationError
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Forbidden


class _Caller(AuthBase):
    def __init__(self, permission: str) -> None:
        super().__init__()
        self.permission = permission

    def allowed(self, actor: Actor) -> Actor:
        """``actor`` when it holds the operation's permission; raises Forbidden."""
        if not actor.may(self.permission):
            raise Forbidden(self.permission)
        return actor


class Token(_Caller):
    """``Authorization: Bearer sgy_…``: acts as one grant with the permissions given to the token."""

    openapi_type: str = "http"
    openapi_scheme: str = "bearer"

    def __call__(self, request: HttpRequest) -> Any:
        return self.allowed(request.actor) if request.token is not None else None


class Session(_Caller):
    """The cookie of a signed-in browser. Unsafe methods need the CSRF token in ``X-CSRFToken``."""

    openapi_type: str = "apiKey"
    openapi_in: str = "cookie"
    openapi_name: str = "sessionid"

    def __call__(self, request: HttpRequest) -> Any:
        if request.actor is None or request.token is not None:
            return None
        if check_csrf(request) is not None:
            raise AuthorizationError(403, _("The CSRF token is missing or wrong."))
        return self.allowed(request.actor)


def callers(permission: str) -> list[AuthBase]:
    """Either way of calling, with ``permission``."""
    return [Token(permission), Session(permission)]
