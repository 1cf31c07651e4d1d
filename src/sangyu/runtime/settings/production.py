"""A public installation: refuses to start without its keys, and speaks https only. See docs/guides/production.md."""

import os

from sangyu.runtime import keys
from sangyu.runtime.engines import nats

from .base import *
from .base import ALLOWED_HOSTS, CSRF_TRUSTED_ORIGINS, HOME, NATS_URL

_keys = keys.load(HOME, create=False)
SECRET_KEY = _keys["secret_key"]
SANGYU_KEYS = _keys["keys"]
SANGYU_INDEX_KEY = _keys["index_key"]
NATS_URL = NATS_URL or nats.url_of(HOME, _keys["nats_token"])

if _name := os.environ.get("SANGYU_PUBLIC_NAME"):
    ALLOWED_HOSTS = [*ALLOWED_HOSTS, _name]
    CSRF_TRUSTED_ORIGINS = [*CSRF_TRUSTED_ORIGINS, f"https://{_name}"]

SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
SECURE_HSTS_SECONDS = 31536000
