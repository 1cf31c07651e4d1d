"""Who acts, and the scope around the view (design rule 1): ``request.account``, ``request.actor``, one transaction.

Two queries find the actor (session, grant with account and region) and one opens the scope; a token needs one and one.
Error answers (4xx, 5xx) roll everything back.
"""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone, translation
from django.utils.crypto import constant_time_compare
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from sangyu.kernel.errors import ScopeError
from sangyu.kernel.scoping import current_actor, scope

from . import roles, sign_in, tokens
from .access import Access, access_of
from .enums import FactorPolicy, Method, Outcome
from .models import Account, AccountSession
from .selectors import account_usable, actor_for, grant_for_session, has_second_factor, live_grants, usable
from .sessions import GRANT_KEY, METHOD_KEY

API_PREFIX = "/api/"
TOUCH_EVERY = timedelta(minutes=1)


class ActorMiddleware:
    """Last in the list: everything after it runs as the actor."""

    def __init__(self, get_response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.account = request.actor = request.token = request.grant = None
        request.user = AnonymousUser()
        access = _access(request)
        header = request.headers.get("Authorization", "")
        if header[:7].lower() == "bearer ":
            refusal = self._from_token(request, header[7:])
        else:
            refusal = self._from_session(request)
        if request.account is not None:
            request.user = request.account
            if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
                translation.activate(request.account.language)
                request.LANGUAGE_CODE = translation.get_language()
        if access is not Access.PUBLIC:
            refusal = refusal or self._missing(request, access)
            if refusal is not None:
                return refusal
        if access is not Access.SCOPE:
            return self.get_response(request)
        source = "api" if request.token or request.path_info.startswith(API_PREFIX) else "page"
        with scope(request.actor, source=source):
            response = self.get_response(request)
            if response.status_code >= 400:
                transaction.set_rollback(True)
        if response.streaming and not isinstance(response, FileResponse) and not response.is_async:
            response.streaming_content = _outside_scope(response.streaming_content)
        return response

    # ------------------------------------------------------------ who
    def _from_token(self, request: HttpRequest, raw: str) -> HttpResponse | None:
        found = tokens.identify(raw)
        if found is None:
            return _unauthorised(_("The API token is unknown, expired or revoked."))
        request.token, request.actor = found
        request.account, request.grant = request.token.account, request.token.grant
        request._dont_enforce_csrf_checks = True  # no cookie is involved
        return None

    def _from_session(self, request: HttpRequest) -> HttpResponse | None:
        account_id = request.session.get(SESSION_KEY)
        if account_id is None:
            return None
        grant_id = request.session.get(GRANT_KEY)
        grant = grant_for_session(grant_id, int(account_id)) if grant_id else None
        if grant is not None:
            account = grant.account
        else:
            account = Account.objects.select_related("second_factor").filter(pk=account_id).first()
        if account is None or not account_usable(account) or not _same_password(request, account):
            request.session.flush()
            return None
        if grant is None:
            live = live_grants(account)
            grant = live[0] if len(live) == 1 else None
            if grant is not None:
                sign_in._take(request, grant)
        request.account = account
        if grant is not None and usable(account, grant):
            if self._idle_too_long(request, grant.role):
                minutes = roles.role(grant.role).session_minutes
                sign_in.leave(request, Outcome.TIMED_OUT)
                request.account = None
                messages.info(
                    request, _("You were signed out after %(minutes)d minutes without activity.") % {"minutes": minutes}
                )
                return None
            request.grant, request.actor = grant, actor_for(account, grant)
        return None

    def _idle_too_long(self, request: HttpRequest, role: str) -> bool:
        """Whether the session lay idle longer than the role allows; else note that it is used, once a minute."""
        row = request.session.row
        if row is None:
            return False
        now = timezone.now()
        if now - row.last_seen > timedelta(minutes=roles.role(role).session_minutes):
            return True
        if now - row.last_seen > TOUCH_EVERY:
            AccountSession.objects.filter(pk=row.pk).update(last_seen=now)
            sign_in.flag_two_places(request, row.account, now)
        return False

    # ------------------------------------------------------------ what is missing
    def _missing(self, request: HttpRequest, access: Access) -> HttpResponse | None:
        """The answer when somebody or something is still missing for a view of ``access``; None when nothing is."""
        if request.account is None:
            return _go(request, settings.LOGIN_URL)
        if request.token is not None:  # own password, second factor and sessions are for people, not for programs
            return _unauthorised(_("An API token does not open this page.")) if access is Access.ACCOUNT else None
        if access is Access.ACCOUNT:
            return None
        if request.account.must_change_password and _method(request) in (Method.PASSWORD, Method.CODE):
            return _go(request, "accounts:password")
        if request.actor is None:
            return _go(request, "accounts:choose_grant")
        name = factor_missing(request)
        return _go(request, name) if name else None


def factor_missing(request: HttpRequest) -> str:
    """Name of the page where the role's second factor is set up or used; "" when nothing is missing.

    A passkey is two factors by itself; an identity provider may vouch for two.
    """
    if not settings.SANGYU_SIGN_IN["second_factor"]:
        return ""
    policy, method = roles.role(request.actor.role).second_factor, _method(request)
    if policy is FactorPolicy.PASSKEY and method is not Method.PASSKEY:
        return "accounts:passkeys"
    if policy is FactorPolicy.REQUIRED and method not in (Method.PASSKEY, Method.PROVIDER_STRONG):
        account = request.account
        if not has_second_factor(account) and not account.passkeys.filter(stopped_at=None).exists():
            return "accounts:second_factor"
    return ""


def _access(request: HttpRequest) -> Access:
    try:
        return access_of(resolve(request.path_info, getattr(request, "urlconf", None)).func)
    except Resolver404:
        return Access.PUBLIC  # the handler answers 404


def _method(request: HttpRequest) -> Method:
    """By what the session was opened."""
    return Method(request.session.get(METHOD_KEY, Method.PASSWORD))


def _same_password(request: HttpRequest, account: Account) -> bool:
    """A changed password ends the sessions that began with the old one."""
    return constant_time_compare(request.session.get(HASH_SESSION_KEY, ""), account.get_session_auth_hash())


def _unauthorised(message: str) -> JsonResponse:
    content = {"code": "unauthorized", "message": str(message), "errors": {}}
    return JsonResponse(content, status=401, headers={"WWW-Authenticate": "Bearer"})


def _go(request: HttpRequest, name: str) -> HttpResponse:
    """Send the browser to ``name``; programs get 401, htmx a full-page redirect."""
    if request.path_info.startswith(API_PREFIX) or request.token is not None:
        return _unauthorised(_("Sign in, or send an API token."))
    here = request.get_full_path() if request.method == "GET" else ""
    if request.headers.get("HX-Request"):
        here = request.headers.get("HX-Current-URL", here)
    address = reverse(name) + (f"?{urlencode({'next': here})}" if here else "")
    if request.headers.get("HX-Request"):
        return HttpResponse(status=401, headers={"HX-Redirect": address})
    return redirect(address)


def _outside_scope(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Stream ``chunks``; a query while streaming raises, for the scope of the request has ended."""

    def refuse(execute, sql, params, many, context):
        if current_actor() is None and not sql.startswith(("SAVEPOINT", "RELEASE", "SELECT set_config")):
            raise ScopeError(
                "a streaming response asks the database after its scope has ended: open scope(actor) inside the generator"
            )
        return execute(sql, params, many, context)

    iterator = iter(chunks)
    while True:
        with connection.execute_wrapper(refuse):
            chunk = next(iterator, None)
        if chunk is None:
            return
        yield chunk
