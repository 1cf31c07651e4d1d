"""The side navigation: each room lists its entries as ``NAV = [Nav(…)]`` in its ``pages.py`` or ``urls.py``."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps
from django.db import models
from django.urls import NoReverseMatch, get_script_prefix, get_urlconf, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.actor import Actor

from . import format as fmt
from .counting import Countable


class Group(models.TextChoices):
    """Headings of the side navigation, in the order in which they are shown."""

    TOP = "top", ""
    INTAKE = "intake", _("Requests and dispatch")
    REGISTERS = "registers", _("People and resources")
    MONEY = "money", _("Funds and policies")
    OVERSIGHT = "oversight", _("Oversight and statistics")
    ADMIN = "admin", _("Administration")


@dataclass(frozen=True)
class Nav:
    """One entry. ``permission`` "" shows it to everyone signed in; a tuple needs any one of them.

    ``audiences`` limits it to kinds of user (staff, provider, …); ``badge(actor)`` returns the rows whose number is shown
    beside the label (0 hides it), see ``counting``; ``phone`` puts it on the bottom bar of narrow screens (first four win).
    """

    label: str
    icon: str
    url_name: str
    permission: str | tuple[str, ...] = ""
    group: str = Group.REGISTERS
    order: int = 50
    badge: Callable[[Actor], Countable] | None = None
    audiences: tuple[str, ...] = ("staff",)
    phone: bool = False

    def shown_to(self, actor: Actor) -> bool:
        """Whether ``actor`` sees this entry."""
        if actor.audience.value not in self.audiences:
            return False
        needed = (self.permission,) if isinstance(self.permission, str) else self.permission
        return not any(needed) or any(actor.may(p) for p in needed)


@cache
def entries() -> list[Nav]:
    """All registered entries in the order of the screen."""
    found: list[Nav] = []
    for config in apps.get_app_configs():
        if not config.name.startswith("sangyu."):
            continue
        for module in ("pages", "urls"):
            if find_spec(f"{config.name}.{module}"):
                found += [n for n in getattr(import_module(f"{config.name}.{module}"), "NAV", []) if n not in found]
    order = {value: i for i, value in enumerate(Group.values)}
    return sorted(found, key=lambda n: (order.get(n.group, 99), n.order, str(n.url_name)))


def plain_address(name: str) -> str:
    """The address of a url name without arguments, or "" when there is none; kept, since every page asks for dozens."""
    return _plain_address(name, get_urlconf(), get_script_prefix())


@lru_cache(maxsize=2000)
def _plain_address(name: str, urlconf: str | None, prefix: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


@lru_cache(maxsize=4000)
def _drawn(place: int, language: str | None, url: str, current: bool, badge: int) -> SafeString:
    """The link of an entry, which most pages share; drawn in a template the side navigation took a twentieth of a list."""
    entry = entries()[place]
    number = format_html('<span class="n">{}</span>', badge) if badge else ""
    here = mark_safe(' aria-current="page"') if current else ""
    link = '<a href="{0}"{1} title="{2}">{3}<span>{2}</span>{4}</a>'
    return format_html(link, url, here, entry.label, fmt.icon(entry.icon), number)


def badges_of(actor: Actor) -> dict[str, Callable[[Actor], Countable]]:
    """What is counted for the entries that ``actor`` sees, by url name."""
    return {entry.url_name: entry.badge for entry in entries() if entry.badge and entry.shown_to(actor)}


def nav_for(actor: Actor, here: str, badges: Mapping[str, int]) -> list[dict]:
    """Groups of entries that ``actor`` sees: ``[{label, items: [{label, icon, url, current, badge, phone, link, short}]}]``.

    ``here`` is the path of the request; the entry with the longest matching address is the current one. ``badges`` are the
    numbers by url name.
    """
    items, language = [], get_language()
    for place, entry in enumerate(entries()):
        if not entry.shown_to(actor):
            continue
        if not (url := plain_address(entry.url_name)):
            continue
        items.append({"place": place, "label": entry.label, "icon": entry.icon, "url": url, "phone": entry.phone})
    best = max((i["url"] for i in items if here.startswith(i["url"])), key=len, default="")
    groups: list[dict] = []
    for item in items:
        place = item.pop("place")
        entry = entries()[place]
        item["current"] = current = item["url"] == best
        item["badge"] = badge = badges.get(entry.url_name, 0)
        item["link"] = _drawn(place, language, item["url"], current, badge)
        item["short"] = _drawn(place, language, item["url"], current, 0) if entry.phone else ""
        if not groups or groups[-1]["key"] != entry.group:
            groups.append({"key": entry.group, "label": Group(entry.group).label, "items": []})
        groups[-1]["items"].append(item)
    return groups
