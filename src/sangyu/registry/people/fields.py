"""People in forms, lists and pages of other rooms."""

from django import forms
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor

from . import selectors
from .columns import who_columns, who_of
from .for_person import ForPerson

__all__ = ["ForPerson", "PersonField", "who_columns", "who_of"]


class PersonField(forms.CharField):
    """One living elder of the actor's area, by ID number, telephone or name; cleans to the id."""

    actor: Actor | None = None

    def clean(self, value):
        text = super().clean(value).strip()
        if not text:
            return None
        found = selectors.find_ids(self.actor, text, most=6)
        if len(found) == 1:
            return found[0]
        if not found:
            raise forms.ValidationError(_("Nobody in your area is found by that."), code="unknown")
        cards = selectors.person_cards(self.actor, found[:5])
        names = "、".join(f"{c.name}（{c.id_masked}）" for c in cards.values())
        raise forms.ValidationError(
            _("Several people are found: %(names)s. Write the ID number.") % {"names": names}, code="several"
        )
