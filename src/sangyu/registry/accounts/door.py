"""Pages of the door: sign-in by password, passkey, identity provider or short message; second step; choice of role. They
run without a scope. The pages of one's own account are in ``own``."""

import json

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sangyu.kernel.errors import Invalid, Refused, SangyuError
from sangyu.kernel.identity import mask_phone

from . import oidc, passkeys, phone_codes, roles, sign_in
from .access import account_only, public
from .enums import Method, Outcome
from .models import Account
from .selectors import live_grants, second_steps

PENDING_MINUTES = 10
PHONE_KEY = "phone"
OIDC_NEXT_KEY = "oidc_next"
LINKING_KEY = "linking"


def _input(kind: str, **attrs: str) -> forms.Widget:
    widget = forms.PasswordInput if kind == "password" else forms.TextInput
    return widget(attrs={"class": "input input--l", **attrs})


class SignInForm(forms.Form):
    username = forms.CharField(
        label=gettext_lazy("Account or mobile number"),
        max_length=60,
        widget=_input("text", autocomplete="username", autocapitalize="none", autofocus=""),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        max_length=128,
        widget=_input("password", autocomplete="current-password"),
    )


class CodeForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Verification code"),
        max_length=14,
        widget=_input("text", autocomplete="one-time-code", inputmode="numeric", autofocus=""),
    )


def _show(request: HttpRequest, name: str, status: int = 200, **context) -> HttpResponse:
    return render(request, f"accounts/{name}.html", {"next": _next(request, ""), **context}, status=status)


def _next(request: HttpRequest, default: str | None = None) -> str:
    """Where to go on to: ``next`` of the request when it is an address of this site."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    if target and url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        return target
    return settings.LOGIN_REDIRECT_URL if default is None else default


def _refuse(form: forms.Form, error: SangyuError) -> int:
    """Put the refusal on the form; returns the status of the answer."""
    if isinstance(error, Invalid):
        for field, texts in error.errors.items():
            for text in texts:
                form.add_error(field or None, text)
    else:
        form.add_error(None, str(error.message))
    return 429 if error.code == "sign_in.locked" else 422


def _welcome(
    request: HttpRequest, account: Account, method: Method = Method.PASSWORD, response: HttpResponse | None = None
) -> HttpResponse:
    sign_in.enter(request, account, method)
    response = response or redirect(_next(request))
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, account.language, max_age=365 * 86400, samesite="Lax")
    return response


@public
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in_page(request: HttpRequest) -> HttpResponse:
    """Account and password. Somebody signed in already goes on to where they wanted."""
    if request.method == "GET" and request.account is not None:
        return redirect(_next(request))
    form = SignInForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                account = sign_in.check_password(request, form.cleaned_data["username"], form.cleaned_data["password"])
            except SangyuError as e:
                status = _refuse(form, e)
            else:
                return _second_step(request, account) or _welcome(request, account)
    return _show_sign_in(request, form, status)


def _show_sign_in(request: HttpRequest, form: forms.Form, status: int = 200) -> HttpResponse:
    request.session.pop(sign_in.PENDING_KEY, None)  # back at the beginning: nothing is pending
    return _show(
        request,
        "sign_in",
        status,
        form=form,
        passkeys=passkeys.possible(request),
        providers=oidc.providers().values(),
        next_url=_next(request),
    )


def _second_step(request: HttpRequest, account: Account) -> HttpResponse | None:
    """Keep who passed the first step and lead to the second; None when there is none."""
    if not second_steps(account):
        return None
    request.session.cycle_key()
    request.session[sign_in.PENDING_KEY] = account.pk
    request.session.set_expiry(PENDING_MINUTES * 60)
    return redirect(_with_next(request, "accounts:code"))


def _with_next(request: HttpRequest, name: str) -> str:
    from django.utils.http import urlencode

    target = _next(request, "")
    return reverse(name) + (f"?{urlencode({'next': target})}" if target else "")


@public
@never_cache
@require_http_methods(["GET", "POST"])
def code_page(request: HttpRequest) -> HttpResponse:
    """The authenticator's code, or a recovery code."""
    account = Account.objects.filter(pk=request.session.get(sign_in.PENDING_KEY), is_active=True).first()
    if account is None:
        return redirect(_with_next(request, "accounts:sign_in"))
    form = CodeForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                sign_in.check_code(request, account, form.cleaned_data["code"])
            except SangyuError as e:
                status = _refuse(form, e)
            else:
                return _welcome(request, account, Method.CODE)
    return _show(request, "code", status, form=form, ways=second_steps(account), next_url=_next(request))


# ---------------------------------------------------------------- passkeys
def _said(error: SangyuError) -> JsonResponse:
    """A refusal for the script of the passkey button."""
    if isinstance(error, Invalid):
        text = " ".join(str(t) for texts in error.errors.values() for t in texts)
    else:
        text = str(error.message)
    return JsonResponse({"code": error.code, "message": text}, status=429 if error.code == "sign_in.locked" else 422)


def _body(request: HttpRequest) -> dict:
    """The JSON object of the request; {} when it is none."""
    try:
        found = json.loads(request.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


@public
@never_cache
@require_POST
def passkey_options(request: HttpRequest) -> JsonResponse:
    """What the browser asks its authenticators for."""
    return JsonResponse(passkeys.begin(request))


@public
@never_cache
@require_POST
def passkey_answer(request: HttpRequest) -> JsonResponse:
    """The signed challenge; answers where to go on to."""
    body = _body(request)
    try:
        account = passkeys.finish(request, body.get("credential"))
    except SangyuError as e:
        return _said(e)
    wanted = str(body.get("next") or "")
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    target = wanted if wanted and safe else settings.LOGIN_REDIRECT_URL
    return _welcome(request, account, Method.PASSKEY, JsonResponse({"next": target}))


# ---------------------------------------------------------------- identity providers
@public
@never_cache
@require_GET
def oidc_begin(request: HttpRequest, provider: str) -> HttpResponse:
    """To the provider. When it does not answer: why, and the local sign-in on the same page."""
    request.session[OIDC_NEXT_KEY] = _next(request, "")
    try:
        return oidc.begin(request, provider)
    except Refused as e:
        return _provider_failed(request, e)


@public
@never_cache
@require_GET
def oidc_back(request: HttpRequest, provider: str) -> HttpResponse:
    """Back from the provider: sign in, or ask a signed-in person whether to link."""
    target = request.session.pop(OIDC_NEXT_KEY, "")
    try:
        identity = oidc.finish(request, provider)
        if request.account is not None:
            request.session[LINKING_KEY] = [identity.provider, identity.subject, identity.shown]
            return redirect("accounts:link", provider=provider)
        account = oidc.account_of(request, identity)
    except Refused as e:
        return _provider_failed(request, e)
    request.session[oidc.SESSION_KEY] = {"provider": identity.provider, "id_token": identity.id_token}
    onward = redirect(target or settings.LOGIN_REDIRECT_URL)
    if identity.strong:
        return _welcome(request, account, Method.PROVIDER_STRONG, onward)
    return _second_step(request, account) or _welcome(request, account, Method.PROVIDER, onward)


def _provider_failed(request: HttpRequest, error: Refused) -> HttpResponse:
    if request.account is not None:
        messages.error(request, str(error.message))
        return redirect("accounts:me")
    messages.error(request, str(error.message))
    return _show_sign_in(request, SignInForm(), 503 if error.code == "oidc.down" else 422)


@public
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Close the session."""
    further = oidc.sign_out_url(request, request.session.get(oidc.SESSION_KEY))
    sign_in.leave(request, Outcome.SIGNED_OUT)
    if further:
        return _show(request, "signed_out", further=further)
    messages.success(request, _("You are signed out."))
    return redirect("accounts:sign_in")


@account_only
@never_cache
@require_http_methods(["GET", "POST"])
def choose_grant(request: HttpRequest) -> HttpResponse:
    """Which of the own roles this session acts as."""
    if request.method == "POST":
        number = request.POST.get("grant", "")
        sign_in.choose_grant(request, request.account, int(number) if number.isdecimal() else 0)
        return redirect(_next(request))
    offers = [(g, roles.role(g.role).label) for g in live_grants(request.account)]
    return _show(request, "choose_grant", offers=offers, current=request.grant.pk if request.grant else None)


class MobileForm(forms.Form):
    mobile = forms.CharField(
        label=gettext_lazy("Mobile number"),
        max_length=20,
        widget=_input("text", autocomplete="tel", inputmode="tel", autofocus=""),
    )


@public
@never_cache
@require_http_methods(["GET", "POST"])
def phone_page(request: HttpRequest) -> HttpResponse:
    """Elders and families: first the mobile number, then the code. One question a page."""
    theme = "elder" if request.GET.get("as") == "elder" or request.COOKIES.get("ui") == "elder" else "desk"
    number = request.session.get(PHONE_KEY, "") if request.GET.get("step") == "code" else ""
    form = (CodeForm if number else MobileForm)(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                if number:
                    account = phone_codes.check_code(request, number, form.cleaned_data["code"])
                    del request.session[PHONE_KEY]
                    return _welcome(request, account, Method.PHONE)
                request.session[PHONE_KEY] = phone_codes.request_code(request, form.cleaned_data["mobile"])
                request.session.set_expiry(PENDING_MINUTES * 60)
                return redirect(reverse("accounts:phone") + f"?step=code{'&as=elder' if theme == 'elder' else ''}")
            except SangyuError as e:
                status = _refuse(form, e)
    return _show(request, "phone", status, form=form, theme=theme, number=mask_phone(number))
