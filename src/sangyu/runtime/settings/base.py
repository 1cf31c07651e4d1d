"""Settings shared by every way of running Sangyu.

Deployment values come from environment variables that start with ``SANGYU_``; see docs/guides/production.md.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

from sangyu.runtime.engines.postgres import url_of

from .database import database_from_url

PACKAGE = Path(__file__).resolve().parents[2]
#: Where the embedded engines, uploaded files and keys live. One folder to back up.
HOME = Path(os.environ.get("SANGYU_HOME", ".sangyu")).resolve()
#: Rules shipped as data (catalogue, roles, policies …).
DATA = Path(os.environ.get("SANGYU_DATA", PACKAGE.parents[1] / "data"))

DEBUG = False
SECRET_KEY = os.environ.get("SANGYU_SECRET_KEY", "")
ALLOWED_HOSTS = os.environ.get("SANGYU_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("SANGYU_ORIGINS", "").split(",") if o]

KERNEL_APPS = ["sangyu.kernel", "sangyu.kernel.ledger", "sangyu.kernel.importing", "sangyu.kernel.merging", "sangyu.ui"]
#: One line per room, in import order: a room knows those above it on its own floor and all lower floors.
ROOMS = [
    "sangyu.registry.regions",
    "sangyu.registry.accounts",
    "sangyu.registry.people",
    "sangyu.registry.lifeevents",
    "sangyu.registry.dossier",
    "sangyu.registry.duplicates",
    "sangyu.registry.transfers",
    "sangyu.registry.statuslists",
    "sangyu.registry.catalogue",
    "sangyu.registry.organisations",
    "sangyu.registry.workforce",
    "sangyu.registry.privacy",
    "sangyu.registry.facilities",
    "sangyu.registry.devices",
    "sangyu.registry.documents",
    "sangyu.care.assessments",
    "sangyu.care.screening",
    "sangyu.care.vouchers",
    "sangyu.care.policies",
    "sangyu.care.applications",
    "sangyu.care.benefits",
    "sangyu.care.dispatch",
    "sangyu.care.orders",
    "sangyu.care.settlement",
    "sangyu.care.signals",
    "sangyu.care.emergencies",
]
SURFACES = [
    "sangyu.surfaces.casefile",
    "sangyu.surfaces.hotline",
    "sangyu.surfaces.desk",
    "sangyu.surfaces.bureau",
    "sangyu.surfaces.provider",
    "sangyu.surfaces.worker",
    "sangyu.surfaces.family",
    "sangyu.surfaces.api",
]


INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_htmx",
    "django_cotton.apps.SimpleAppConfig",
    "django_filters",
    "procrastinate.contrib.django",
    *KERNEL_APPS,
    *ROOMS,
    *SURFACES,
]

DATABASES = {"default": database_from_url(os.environ.get("SANGYU_DATABASE_URL") or url_of(HOME))}
AUTH_USER_MODEL = "accounts.Account"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

NATS_URL = os.environ.get("SANGYU_NATS_URL", "")

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "csp.middleware.CSPMiddleware",
    "sangyu.registry.accounts.middleware.ActorMiddleware",
    "sangyu.ui.middleware.Answers",
]

ROOT_URLCONF = "sangyu.runtime.urls"
WSGI_APPLICATION = "sangyu.runtime.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["django_cotton.cotton_loader.Loader", "django.template.loaders.app_directories.Loader"],
                )
            ],
            "builtins": [
                "django_cotton.templatetags.cotton",
                "django.templatetags.i18n",
                "django.templatetags.static",
                "django_htmx.templatetags.django_htmx",
                "sangyu.ui.templatetags.ui",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.messages.context_processors.messages",
                "sangyu.ui.context.shell",
            ],
        },
    }
]

#: How personal data are sealed: "aes" (AES-256-GCM, HMAC-SHA256) or "sm4" (SM4-GCM, HMAC-SM3); see kernel.crypto.
SANGYU_CIPHER = os.environ.get("SANGYU_CIPHER", "aes")

# Sign-in (docs/adr/0010-accounts.md)
SESSION_ENGINE = "sangyu.registry.accounts.sessions"
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "sangyu.registry.accounts.passwords.NotTheName"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "sangyu.registry.accounts.passwords.CharacterClasses"},
    {"NAME": "sangyu.registry.accounts.passwords.NotUsedBefore"},
]
#: Attempts that are looked at per window and account (or code), per source address, and how long a lock lasts.
SANGYU_SIGN_IN = {
    "failures": 5,
    "source_failures": 60,
    "window_minutes": 15,
    "lock_minutes": 15,
    #: Roles with ``second_factor: required`` must set up a second factor before anything else.
    "second_factor": os.environ.get("SANGYU_SECOND_FACTOR", "on") != "off",
}
#: The name that passkeys belong to when there are several addresses; "" = the name in the address.
SANGYU_PASSKEY_HOST = os.environ.get("SANGYU_PASSKEY_HOST", "")
#: File with the identity providers that may sign people in (docs/guides/production.md); "" = none.
SANGYU_OIDC = os.environ.get("SANGYU_OIDC", "")
#: Library views that anybody may call, as module.name; our own views are marked with accounts.access.public.
SANGYU_PUBLIC_VIEWS = {"django.views.i18n.set_language", "django.contrib.staticfiles.views.serve"}

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = Path(os.environ.get("SANGYU_STATIC_ROOT", HOME / "static"))
MEDIA_ROOT = HOME / "files"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
#: How old the numbers beside the navigation and the choices of a filter may be (ui/keeping.py).
SANGYU_KEEP_SECONDS = 15
FORM_RENDERER = "sangyu.ui.widgets.Renderer"
CSRF_FAILURE_VIEW = "sangyu.ui.answers.csrf_failure"
SILENCED_SYSTEM_CHECKS: list[str] = []

#: Tiles under the map of a case, as https://…/{z}/{x}/{y}.png in WGS-84, and whose they are. "" = our own drawing on plain ground;
#: nothing waits for a map service (X-08).
SANGYU_MAP_TILES = os.environ.get("SANGYU_MAP_TILES", "")
SANGYU_MAP_SOURCE = os.environ.get("SANGYU_MAP_SOURCE", "")
_tiles = urlsplit(SANGYU_MAP_TILES.replace("{s}", "*"))

#: Set by the front door, which removes it from what clients send.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", *([f"{_tiles.scheme}://{_tiles.netloc}"] if _tiles.netloc else [])],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
    }
}
