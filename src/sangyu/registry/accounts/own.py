"""The own account: roles, language, password, second factor, passkeys, links, sessions and tokens.

They need a signed-in account and no scope (``account_only``). Who has a role at work sees them in the app's frame, whose
navigation asks the database in the scope of that role; who is still at the door (first password, first factor) sees the door.
"""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import check_for_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from sangyu.kernel.actor import Audience
from sangyu.kernel.errors import Invalid, NotVisible, Refused, SangyuError
from sangyu.kernel.scoping import scope
from sangyu.ui.home import home_url

from . import oidc, passkeys, roles, services, sign_in, totp
from .access import account_only
from .door import LINKING_KEY, CodeForm, _body, _input, _next, _refuse, _said
from .enums import FactorPolicy, Method, Outcome
from .middleware import factor_missing
from .models import Account
from .selectors import has_second_factor, live_grants, masked_mobile, own_links, own_sessions, own_tokens
from .sessions import METHOD_KEY

FRAMES = {Audience.FAMILY: "ui/base_elder.html"}


class PasswordForm(forms.Form):
    old = forms.CharField(
        label=gettext_lazy("Present password"),
        strip=False,
        max_length=128,
        widget=_input("password", autocomplete="current-password"),
    )
    new = forms.CharField(
        label=gettext_lazy("New password"),
        strip=False,
        max_length=128,
        widget=_input("password", autocomplete="new-password"),
    )
    again = forms.CharField(
        label=gettext_lazy("New password again"),
        strip=False,
        max_length=128,
        widget=_input("password", autocomplete="new-password"),
    )


def _framed(request: HttpRequest) -> bool:
    """Whether the person is at work: nothing of the door is left to do."""
    return request.actor is not None and not request.account.must_change_password and not factor_missing(request)


def show(request: HttpRequest, name: str, title: str, status: int = 200, **context) -> HttpResponse:
    """Render ``accounts/<name>.html`` in the app's frame or the door's."""
    framed = _framed(request)
    content = {
        "next": _next(request, ""),
        "title": title,
        "framed": framed,
        "frame": FRAMES.get(request.actor.audience, "ui/base.html") if framed else "accounts/door.html",
        "breadcrumbs": [],
        "home": settings.LOGIN_REDIRECT_URL,
        **context,
    }
    if framed and name != "me":
        content["breadcrumbs"] = [(_("My account"), reverse("accounts:me"))]
    if not framed:
        return HttpResponse(render_to_string(f"accounts/{name}.html", content, request=request), status=status)
    if name == "me" and request.actor.audience is Audience.FAMILY:
        content["breadcrumbs"] = [(_("Back"), home_url(request.actor))]
    with scope(request.actor, source="page"):
        return HttpResponse(render_to_string(f"accounts/{name}.html", content, request=request), status=status)


@account_only
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def password_page(request: HttpRequest) -> HttpResponse:
    """The own new password; asked at the first sign-in."""
    form = PasswordForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                sign_in.change_password(request, request.account, **form.cleaned_data)
            except SangyuError as e:
                status = _refuse(form, e)
            else:
                messages.success(request, _("Your password is changed. Other sessions of yours have ended."))
                return redirect(_next(request))
    return show(
        request, "password", _("Change password"), status, form=form, forced=request.account.must_change_password
    )


@account_only
@never_cache
@require_http_methods(["GET", "POST"])
def second_factor_page(request: HttpRequest) -> HttpResponse:
    """Set up the second factor: scan, confirm with a code, keep the recovery codes."""
    if has_second_factor(request.account):
        return redirect("accounts:me")
    form = CodeForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                codes = sign_in.confirm_second_factor(request, form.cleaned_data["code"])
            except SangyuError as e:
                status = _refuse(form, e)
            else:
                return show(request, "recovery_codes", _("Recovery codes"), codes=codes)
    factor = totp.begin(request.account)
    return show(
        request,
        "second_factor",
        _("Set up the second factor"),
        status,
        form=form,
        secret=factor.secret,
        qr=totp.qr_data_uri(request.account, factor),
        required=_policy(request) is not FactorPolicy.OPTIONAL,
        passkeys=passkeys.possible(request),
    )


def _policy(request: HttpRequest) -> FactorPolicy:
    return roles.role(request.actor.role).second_factor if request.actor else FactorPolicy.OPTIONAL


@account_only
@never_cache
def me(request: HttpRequest) -> HttpResponse:
    """The own account: roles, language, second factor, sessions."""
    return show(
        request,
        "me",
        request.account.name,
        account=request.account,
        mobile=masked_mobile(request.account),
        second_factor=has_second_factor(request.account),
        offers=[(g, roles.role(g.role).label) for g in live_grants(request.account)],
        sessions=own_sessions(request.account, request.session.session_key or ""),
        languages=settings.LANGUAGES,
        tokens=own_tokens(request.account),
        passkeys=passkeys.live(request.account),
        identities=[(p, own_links(request.account).get(p.name)) for p in oidc.providers().values()],
        may_make_tokens=request.actor is not None and request.actor.may("accounts.own_tokens"),
    )


@account_only
@require_POST
def end_session(request: HttpRequest, key: str) -> HttpResponse:
    """End another session of one's own."""
    sign_in.end_session(request.account, key, request)
    messages.success(request, _("The session is ended."))
    return redirect("accounts:me")


@account_only
@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Keep the language with the account and in the browser."""
    language = request.POST.get("language", "")
    if not check_for_language(language) or language not in dict(settings.LANGUAGES):
        raise Invalid({"language": [_("Unknown language.")]})
    Account.objects.filter(pk=request.account.pk).update(language=language)
    response = redirect(_next(request, reverse("accounts:me")))
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, language, max_age=365 * 86400, samesite="Lax")
    return response


@account_only
@never_cache
@require_http_methods(["GET"])
def passkeys_page(request: HttpRequest) -> HttpResponse:
    """The own passkeys: add, rename, remove; or sign in again with one, when the role asks for that."""
    only = _policy(request) is FactorPolicy.PASSKEY and settings.SANGYU_SIGN_IN["second_factor"]
    return show(
        request,
        "passkeys",
        _("Passkeys"),
        rows=passkeys.live(request.account),
        possible=passkeys.possible(request),
        host=passkeys.host_of(request),
        needed=only and request.session.get(METHOD_KEY) != Method.PASSKEY,
        most=passkeys.MOST,
        here=reverse("accounts:passkeys"),
    )


@account_only
@never_cache
@require_POST
def passkey_new_options(request: HttpRequest) -> JsonResponse:
    """What the browser makes the new passkey from."""
    try:
        return JsonResponse(passkeys.begin_making(request, request.account))
    except SangyuError as e:
        return _said(e)


@account_only
@never_cache
@require_POST
def passkey_new(request: HttpRequest) -> JsonResponse:
    """The new passkey under the person's own word for it."""
    body = _body(request)
    try:
        passkeys.finish_making(request, request.account, body.get("credential"), str(body.get("label") or ""))
    except SangyuError as e:
        return _said(e)
    messages.success(request, _("The passkey is added."))
    return JsonResponse({"next": reverse("accounts:passkeys")})


@account_only
@require_POST
def passkey_rename(request: HttpRequest, pk: int) -> HttpResponse:
    """Another word for one of the own passkeys."""
    try:
        passkeys.rename(request.account, pk, request.POST.get("label", ""))
    except Invalid as e:
        messages.error(request, " ".join(e.errors["label"]))
    else:
        messages.success(request, _("The passkey is renamed."))
    return redirect("accounts:passkeys")


@account_only
@require_POST
def passkey_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget one of the own passkeys."""
    passkeys.remove(request, request.account, pk)
    messages.success(request, _("The passkey is removed."))
    return redirect("accounts:passkeys")


@account_only
@never_cache
@require_http_methods(["GET", "POST"])
def link_page(request: HttpRequest, provider: str) -> HttpResponse:
    """Link what the provider has just vouched for with the own account: asked once more, so that no foreign page can."""
    p = oidc.provider(provider)
    name, subject, shown = request.session.get(LINKING_KEY) or ("", "", "")
    if name != p.name:
        raise NotVisible
    if request.method == "POST":
        del request.session[LINKING_KEY]
        try:
            oidc.link(request.account, p.name, subject, request.account.name)
        except Refused as e:
            messages.error(request, str(e.message))
        else:
            sign_in.note(request, Outcome.LINKED, request.account)
            messages.success(request, _("Linked. You can sign in with “%(name)s” from now on.") % {"name": p.label})
        return redirect("accounts:me")
    return show(request, "link", _("Link with an identity provider"), provider=p, shown=shown)


@account_only
@require_POST
def unlink(request: HttpRequest, provider: str) -> HttpResponse:
    """Remove the own link."""
    oidc.unlink(request, request.account, provider)
    messages.success(request, _("The link is removed."))
    return redirect("accounts:me")


@require_POST
def revoke_own_token(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop one of the own tokens."""
    services.revoke_own_token(actor=request.actor, token_id=pk)
    messages.success(request, _("The token is revoked."))
    return redirect("accounts:me")
