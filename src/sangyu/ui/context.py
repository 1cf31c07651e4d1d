"""What the frame around every page needs: who is signed in, the navigation, and the links of the top bar."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.functional import SimpleLazyObject

from sangyu.kernel.actor import Actor

from .counting import counted
from .nav import badges_of, nav_for, plain_address

#: Links of the frame that a higher floor provides: key → url names tried in order. A missing one is not shown.
SHELL_LINKS = {
    "home": ("home", "accounts:home"),
    "search": ("casefile:search",),
    "todos": ("bureau:todos",),
    "sign_in": ("accounts:sign_in",),
    "sign_out": ("accounts:sign_out",),
    "grants": ("accounts:choose_grant",),
    "account": ("accounts:me",),
    "operations": ("ui:operations",),
    "elder": ("family:home",),
}
WAITING = "todo_count"
#: What a higher floor tells the frame: "role_label" (actor → words), "todo_count" (actor → the rows to count).
_provided: dict[str, Callable[[Actor], Any]] = {}


def provide(name: str, answer: Callable[[Actor], Any]) -> None:
    """Register ``answer`` for the frame; called in a room's ``AppConfig.ready``. ``name``: role_label or todo_count."""
    if name not in ("role_label", WAITING):
        raise KeyError(name)
    _provided[name] = answer


def numbers_of(actor: Actor) -> dict[str, int]:
    """What waits for ``actor``: a number an entry of the navigation that counts something, by url name, and the bell's (``WAITING``)."""
    todo = {WAITING: _provided[WAITING]} if WAITING in _provided else {}
    return counted(actor, badges_of(actor) | todo)


def url_or_blank(*names: str) -> str:
    """The address of the first of ``names`` that exists, or ""."""
    return next((found for name in names if (found := plain_address(name))), "")


def shell(request) -> dict:
    """Template context processor: ``actor``, ``nav``, ``links``, ``role_label``, ``todo_count``, ``live_url``, ``languages``."""
    actor = getattr(request, "actor", None)
    usable = not (connection.in_atomic_block and connection.needs_rollback)

    def links() -> dict:
        return {key: url_or_blank(*names) for key, names in SHELL_LINKS.items()}

    def numbers() -> dict[str, int]:
        return numbers_of(actor) if actor and usable else {}

    shown = SimpleLazyObject(numbers)

    def nav() -> list:
        return nav_for(actor, request.path, shown) if actor else []

    def asked(name: str, blank: Any) -> Any:
        return SimpleLazyObject(lambda: _provided[name](actor) or blank) if actor and name in _provided else blank

    return {
        "role_label": asked("role_label", ""),
        WAITING: SimpleLazyObject(lambda: shown.get(WAITING, 0)),
        "actor": actor,
        "nav": SimpleLazyObject(nav),
        "links": SimpleLazyObject(links),
        "live_url": url_or_blank("ui:live") if actor else "",
        "languages": settings.LANGUAGES,
    }
