"""Small answers that every page asks for, kept for some seconds in the process: numbers beside the navigation, choices."""

import time
from collections.abc import Callable, Hashable
from typing import Any

from django.conf import settings

_kept: dict[Hashable, tuple[float, Any]] = {}


def kept(key: Hashable, ask: Callable[[], Any]) -> Any:
    """``ask()``, at most ``SANGYU_KEEP_SECONDS`` old; with 0 seconds it is asked each time.

    ``key`` names what is asked and everything that the answer depends on: the actor, its path, the language.
    """
    seconds = settings.SANGYU_KEEP_SECONDS
    if not seconds:
        return ask()
    now, found = time.monotonic(), _kept.get(key)
    if found is None or now - found[0] > seconds:
        if len(_kept) > 5_000:
            _kept.clear()
        found = _kept[key] = (now, ask())
    return found[1]
