"""Form fields that other rooms use."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.kernel.actor import Actor

from . import selectors


class StockField(forms.CharField):
    """One device in stock of the actor's area, by the beginning of its number or label; cleans to the id."""

    actor: Actor | None = None
    kind = ""

    def __init__(
        self,
        *,
        label=gettext_lazy("Device in stock"),
        help_text=gettext_lazy("Number or label, or its beginning"),
        **kw,
    ):
        super().__init__(label=label, help_text=help_text, max_length=64, **kw)

    def for_actor(self, actor: Actor, kind: str = "") -> "StockField":
        """Accept devices that ``actor`` may issue, of ``kind`` only when given."""
        self.actor, self.kind = actor, kind
        return self

    def clean(self, value):
        text = super().clean(value).strip()
        if not text:
            return None
        found = selectors.stock_of(self.actor, kind=self.kind, text=text, most=6)
        exact = [d for d in found if text in (d.identity, d.serial)]
        if len(exact or found) == 1:
            return (exact or found)[0].pk
        if not found:
            raise forms.ValidationError(_("No device in stock has this number."), code="unknown")
        names = "、".join(d.identity for d in found[:5])
        raise forms.ValidationError(_("Several begin with that: %(names)s.") % {"names": names}, code="several")
