"""Inputs and choices of forms as strings: the same HTML as Django's templates, without one template per option.

A filter by street has seventy options; their templates took a third of a list page.
"""

from collections.abc import Callable
from html import escape
from typing import Any

from django.forms.renderers import DjangoTemplates
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe


def _attributes(attrs: dict) -> str:
    return "".join(
        f" {name}" if value is True else f' {name}="{escape(str(value))}"'
        for name, value in attrs.items()
        if value is not False
    )


def _input(widget: dict) -> str:
    value = widget["value"]
    shown = "" if value is None else f' value="{escape(str(value))}"'
    return f'<input type="{widget["type"]}" name="{escape(widget["name"])}"{shown}{_attributes(widget["attrs"])}>'


def _select(widget: dict) -> str:
    parts = [f'<select name="{escape(widget["name"])}"{_attributes(widget["attrs"])}>']
    for group, options, _index in widget["optgroups"]:
        if group:
            parts.append(f'\n  <optgroup label="{conditional_escape(group)}">')
        parts.extend(
            f'\n  <option value="{escape(str(option["value"]))}"{_attributes(option["attrs"])}>'
            f"{conditional_escape(option['label'])}</option>\n"
            for option in options
        )
        if group:
            parts.append("\n  </optgroup>")
    parts.append("\n</select>")
    return "".join(parts)


_INPUTS = ("text", "number", "email", "url", "password", "hidden", "date", "datetime", "time", "input", "search", "tel")
_DRAWN: dict[str, Callable[[dict], str]] = {f"django/forms/widgets/{n}.html": _input for n in _INPUTS}
_DRAWN["django/forms/widgets/select.html"] = _select


class Renderer(DjangoTemplates):
    """Django's renderer with a short way for the common widgets (``FORM_RENDERER``)."""

    def render(self, template_name: str, context: dict, request: Any = None) -> SafeString:
        draw = _DRAWN.get(template_name)
        if draw is None or "widget" not in context:
            return super().render(template_name, context, request)
        return mark_safe(draw(context["widget"]))
