"""``make demo`` and work at a desk: everything in SANGYU_HOME, keys made on first start."""

from sangyu.runtime import keys
from sangyu.runtime.engines import nats

from .base import *
from .base import HOME, NATS_URL

_keys = keys.load(HOME, create=True)
SECRET_KEY = _keys["secret_key"]
SANGYU_KEYS = _keys["keys"]
SANGYU_INDEX_KEY = _keys["index_key"]
NATS_URL = NATS_URL or nats.url_of(HOME, _keys["nats_token"])
