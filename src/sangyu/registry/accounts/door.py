"""Pages of the door: sign-in, code, role, own password, second factor, own sessions and tokens. They run without a
scope."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from sangyu.kernel.errors import Invalid, SangyuError
from sangyu.kernel.identity import mask_phone

from . import phone_codes, roles, services, sign_in, totp
from .access import account_only, public
from .enums import Outcome
from .models import Account
from .selectors import has_second_factor, live_grants, masked_mobile, own_sessions, own_tokens

PENDING_MINUTES = 10
PHONE_KEY = "phone"


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


def _welcome(request: HttpRequest, account: Account) -> HttpResponse:
    sign_in.enter(request, account)
    response = redirect(_next(request))
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
                if not has_second_factor(account):
                    return _welcome(request, account)
                request.session.cycle_key()
                request.session[sign_in.PENDING_KEY] = account.pk
                request.session.set_expiry(PENDING_MINUTES * 60)
                return redirect(_with_next(request, "accounts:code"))
    return _show(request, "sign_in", status, form=form)


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
                return _welcome(request, account)
    return _show(request, "code", status, form=form)


@public
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Close the session."""
    sign_in.leave(request, Outcome.SIGNED_OUT)
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
    return _show(request, "password", status, form=form, forced=request.account.must_change_password)


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
                return _show(request, "recovery_codes", codes=codes)
    factor = totp.begin(request.account)
    required = request.actor is not None and roles.role(request.actor.role).totp
    return _show(
        request,
        "second_factor",
        status,
        form=form,
        secret=factor.secret,
        qr=totp.qr_data_uri(request.account, factor),
        required=required,
    )


@account_only
@never_cache
def me(request: HttpRequest) -> HttpResponse:
    """The own account: roles, language, second factor, sessions."""
    return _show(
        request,
        "me",
        account=request.account,
        mobile=masked_mobile(request.account),
        second_factor=has_second_factor(request.account),
        offers=[(g, roles.role(g.role).label) for g in live_grants(request.account)],
        sessions=own_sessions(request.account, request.session.session_key or ""),
        languages=settings.LANGUAGES,
        tokens=own_tokens(request.account),
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
                    return _welcome(request, account)
                request.session[PHONE_KEY] = phone_codes.request_code(request, form.cleaned_data["mobile"])
                request.session.set_expiry(PENDING_MINUTES * 60)
                return redirect(reverse("accounts:phone") + f"?step=code{'&as=elder' if theme == 'elder' else ''}")
            except SangyuError as e:
                status = _refuse(form, e)
    return _show(request, "phone", status, form=form, theme=theme, number=mask_phone(number))


@require_POST
def revoke_own_token(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop one of the own tokens."""
    services.revoke_own_token(actor=request.actor, token_id=pk)
    messages.success(request, _("The token is revoked."))
    return redirect("accounts:me")
