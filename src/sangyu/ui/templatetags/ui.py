"""Filters and tags of the screens; a builtin of the template engine, so no ``{% load %}`` is needed."""

from functools import lru_cache

from django import template
from django.template.loader import render_to_string
from django.utils.translation import get_language

from sangyu.ui import format as fmt

register = template.Library()

for _name in ("money", "day", "moment", "clock", "number", "or_dash", "mask_id", "mask_phone", "mask_name", "plain"):
    register.filter(_name, getattr(fmt, _name))


@register.filter
def amount(fen):
    """Fen → "30.00" without the unit (columns whose head names it)."""
    return fmt.money(fen, unit=False)


@register.simple_tag
def icon(name: str, extra: str = ""):
    """``{% icon "bell" %}``: one icon of the sprite; decorative, so say the word beside it."""
    return fmt.icon(name, extra)


@register.simple_tag
def fixed(template_name: str):
    """``{% fixed "ui/parts/words.html" %}``: a part without anything of the request, drawn once a language."""
    return _fixed(template_name, get_language())


@lru_cache(maxsize=100)
def _fixed(template_name: str, language: str | None):
    return render_to_string(template_name)


@register.simple_tag(takes_context=True)
def query(context, **changes):
    """The current query string with ``changes``; None removes a key. Paging is dropped unless it is what changes."""
    params = context["request"].GET.copy()
    for key in ("after", "before"):
        params.pop(key, None)
    for key, value in changes.items():
        params.pop(key, None)
        if value is not None:
            params[key] = value
    return f"?{params.urlencode()}"


@register.simple_tag
def permission_label(name: str) -> str:
    """The words for a permission."""
    from sangyu.kernel.permissions import all_permissions

    return all_permissions().get(name, name)


@register.simple_tag(takes_context=True)
def may(context, permission: str) -> bool:
    """``{% may "orders.dispatch" as can %}``."""
    actor = context.get("actor")
    return bool(actor and actor.may(permission))


@register.filter
def get(mapping, key):
    """``{{ mapping|get:key }}``."""
    return mapping.get(key) if mapping else None


@register.filter
def initial(name) -> str:
    """First character of a name, for the avatar."""
    return str(name or "·")[:1]


@register.filter
def avatar_tone(name) -> str:
    """One of four avatar colours, the same for the same name."""
    return ("", "b", "c", "d")[sum(map(ord, str(name or ""))) % 4]


@register.filter
def at(sequence, index):
    """``{{ columns|at:0 }}``."""
    return sequence[index]


@register.filter
def base_for(theme: str, actor) -> str:
    """The frame of an error page."""
    return "ui/base_elder.html" if theme == "elder" else "ui/base.html" if actor else "ui/base_plain.html"
