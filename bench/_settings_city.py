"""Settings of the benches that open pages: the whole platform with its real middleware, on a city that the bench names."""

from sangyu.runtime.settings.test import *  # noqa: F403
from sangyu.runtime.settings.test import DATABASES, MIDDLEWARE

MIDDLEWARE = [
    "sangyu.registry.accounts.middleware.ActorMiddleware" if m == "support.pages.ActAs" else m for m in MIDDLEWARE
]
DATABASES["default"]["CONN_MAX_AGE"] = None
ROOT_URLCONF = "_bare"
ALLOWED_HOSTS = ["testserver"]
SANGYU_KEEP_SECONDS = 15
DEBUG = False
