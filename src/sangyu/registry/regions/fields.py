"""Regions in forms and in lists. The form field: type part of the name or the code, choose from the suggestions of one's own
area. ``Places``: what a column of an import means."""

from django import forms
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import NotVisible

from . import selectors
from .models import Region
from .placing import Places

__all__ = ["Places", "RegionField", "RegionInput"]


class RegionInput(forms.TextInput):
    """A text box with suggestions that htmx fetches; without scripts the full name or the code can be typed."""

    template_name = "regions/region_input.html"

    def __init__(self, attrs=None) -> None:
        super().__init__({"class": "input", "autocomplete": "off", **(attrs or {})})

    def get_context(self, name, value, attrs):
        context = super().get_context(name, value, attrs)
        context["widget"]["options_url"] = reverse_lazy("regions:options")
        context["widget"]["list_id"] = f"{context['widget']['attrs'].get('id', name)}_options"
        return context

    def format_value(self, value):
        if isinstance(value, int):
            try:
                return shown(selectors.region(value))
            except NotVisible:
                return ""
        return super().format_value(value)


class RegionField(forms.CharField):
    """Cleans to the id of an open region of the actor's area; call ``for_actor`` in the form's ``__init__``."""

    widget = RegionInput

    def __init__(self, *, help_text=gettext_lazy("Part of the name, or the code"), **kwargs) -> None:
        super().__init__(max_length=220, help_text=help_text, **kwargs)
        self.actor: Actor | None = None

    def for_actor(self, actor: Actor) -> "RegionField":
        """Offer and accept regions of ``actor``'s area only."""
        self.actor = actor
        return self

    def clean(self, value):
        text = super().clean(value).strip()
        if not text:
            return None
        found = self._find(text)
        if len(found) == 1:
            return found[0].pk
        if not found:
            raise forms.ValidationError(_("No region of your area is called that."), code="unknown")
        names = "、".join(shown(r) for r in found[:5])
        raise forms.ValidationError(_("Which of these? %(names)s") % {"names": names}, code="several")

    def _find(self, text: str) -> list[Region]:
        code = text.rsplit(" ", 1)[-1]
        rows = selectors.below(self.actor.path)
        if code.isdecimal() and len(code) == 12:
            exact = [r for r in rows.filter(code=code) if text in (code, shown(r))]
            if exact:
                return exact[:1] if text == shown(exact[0]) else exact
        exact = list(rows.filter(full_name=text)[:6])
        return exact or selectors.search(self.actor, text, limit=6)

    def has_changed(self, initial, data) -> bool:
        return super().has_changed(self.widget.format_value(initial), data)


def shown(found: Region) -> str:
    """How a region stands in the box: full name and code."""
    return f"{found.full_name} {found.code}"
