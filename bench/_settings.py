"""Settings of the benches: the kernel and what it needs, and the peer packages, on the server that the bench started."""

from sangyu.runtime.settings.test import *  # noqa: F403
from sangyu.runtime.settings.test import INSTALLED_APPS

_NEEDED = ("sangyu.kernel", "sangyu.registry.regions", "sangyu.registry.accounts")
INSTALLED_APPS = [a for a in INSTALLED_APPS if not a.startswith("sangyu.") or a.startswith(_NEEDED)]
INSTALLED_APPS += ["mptt", "hordak"]
HORDAK_CURRENCIES = CURRENCIES = ["CNY"]
DEFAULT_CURRENCY = HORDAK_INTERNAL_CURRENCY = "CNY"
