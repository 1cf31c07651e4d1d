"""Settings of the test suite: real engines, fixed keys, fast password hashing."""

import os
import tempfile
from pathlib import Path

# Workers of one test run (PYTEST_XDIST_WORKER: gw0, gw1 …) have a folder each.
os.environ.setdefault(
    "SANGYU_HOME",
    str(Path(tempfile.gettempdir()) / f"sangyu-test-{os.getuid()}{os.environ.get('PYTEST_XDIST_WORKER', '')}"),
)

from .base import *
from .base import MIDDLEWARE, SANGYU_SIGN_IN, STATIC_ROOT, STORAGES, database_from_url

SECRET_KEY = "test-only"
DATABASES = {
    "default": database_from_url(os.environ.get("SANGYU_TEST_DATABASE_URL", "postgresql:///sangyu?user=postgres"))
}
DATABASES["default"]["CONN_MAX_AGE"] = 0
DATABASES["default"]["TEST"] = {"NAME": os.environ.get("SANGYU_TEST_DB", "test_sangyu")}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
SANGYU_KEYS = {"1": "6b" * 32}
SANGYU_INDEX_KEY = "69" * 32
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # whitenoise warns about a missing folder
#: Tests sign in with client.force_login; those of the second factor switch it on.
SANGYU_SIGN_IN = {**SANGYU_SIGN_IN, "second_factor": False}
#: Lets a test client act as an actor without signing in; everything else is as in production.
MIDDLEWARE = ["support.pages.ActAs" if m.endswith("accounts.middleware.ActorMiddleware") else m for m in MIDDLEWARE]
#: A test sees at once what it did.
SANGYU_KEEP_SECONDS = 0
