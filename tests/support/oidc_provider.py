"""A real OpenID provider (django-oauth-toolkit) in a process of its own: `python oidc_provider.py FOLDER PORT`.

It knows one person (liuyang), one client (sangyu) that must use PKCE, and signs with the key in FOLDER/key.pem.
"""

import sys
from pathlib import Path
from wsgiref.simple_server import WSGIServer, make_server

CLIENT, SECRET, PERSON, WORD = "sangyu", "a-client-secret", "liuyang", "Provider-2026"
BACK = "http://testserver/accounts/oidc/city/back/"


def main(folder: Path, port: int) -> None:
    import django
    from django.conf import settings
    from django.urls import include, path

    settings.configure(
        SECRET_KEY="provider",
        DEBUG=False,
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=__name__,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "provider.sqlite"}},
        INSTALLED_APPS=[
            "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "oauth2_provider",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        LOGIN_URL="/login/",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        USE_TZ=True,
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_RSA_PRIVATE_KEY": (folder / "key.pem").read_text(),
            "OIDC_RP_INITIATED_LOGOUT_ENABLED": True,
            "OIDC_RP_INITIATED_LOGOUT_ALWAYS_PROMPT": True,
            "PKCE_REQUIRED": True,
            "SCOPES": {"openid": "openid", "profile": "profile"},
            "OAUTH2_VALIDATOR_CLASS": f"{__name__}.Validator",
        },
    )  # fmt: skip
    sys.modules.setdefault("oidc_provider", sys.modules[__name__])
    django.setup()
    _validator()
    from django.contrib.auth import authenticate, get_user_model, login
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse, HttpResponseRedirect
    from oauth2_provider.models import Application

    def sign_in(request):
        user = authenticate(request, username=request.POST.get("username"), password=request.POST.get("password"))
        if user is None:
            return HttpResponse("sign in", status=200 if request.method == "GET" else 401)
        login(request, user)
        return HttpResponseRedirect(request.GET["next"])

    globals()["urlpatterns"] = [
        path("login/", sign_in),
        path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
    ]
    call_command("migrate", verbosity=0)
    user, _made = get_user_model().objects.get_or_create(username=PERSON, defaults={"first_name": "刘洋"})
    user.set_password(WORD)
    user.save()
    if not Application.objects.filter(client_id=CLIENT).exists():
        Application.objects.create(
            name="Sangyu", client_id=CLIENT, client_secret=SECRET, client_type="confidential",
            authorization_grant_type="authorization-code", redirect_uris=BACK, algorithm="RS256",
            skip_authorization=True, post_logout_redirect_uris="http://testserver/accounts/sign-in/",
        )  # fmt: skip
    WSGIServer.allow_reuse_address = True
    with make_server("127.0.0.1", port, get_wsgi_application()) as server:
        print("ready", flush=True)  # noqa: T201
        server.serve_forever()


def _validator() -> None:
    from oauth2_provider.oauth2_validators import OAuth2Validator

    class Validator(OAuth2Validator):
        """What this provider says of a person."""

        oidc_claim_scope = None

        def get_additional_claims(self, request):
            return {
                "name": request.user.first_name,
                "employee_no": "E-0417",
                "phone_number": "13800004170",
                "phone_number_verified": False,
                "amr": ["pwd", "otp"],
            }

    globals()["Validator"] = Validator


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
