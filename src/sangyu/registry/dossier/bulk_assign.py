"""Whose turn it is to check many files, chosen on the list of elders (R-015)."""

from django import forms
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.registry.accounts import selectors as accounts
from sangyu.registry.people import selectors as people
from sangyu.ui.pages import Bulk, BulkForm, Outcome

from . import services


class AssignForm(BulkForm):
    account_id = forms.TypedChoiceField(label=_("Checked next by"), coerce=int)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account_id"].choices = [(a.pk, a.name) for a in accounts.colleagues(self.actor)]


def assign(*, actor, ids, account_id) -> Outcome:
    """Give the files to the colleague; keeps whose turn it was. The dead are refused."""
    dead = {pk for pk, card in people.person_cards(actor, ids).items() if card.died_on or card.restricted}
    going = [pk for pk in ids if pk not in dead]
    before = services.turns_of(going)
    if going:
        services.assign(actor=actor, person_ids=going, account_id=account_id)
    refused = dict.fromkeys(dead, gettext("The person has died, or the data are restricted."))
    return Outcome(refused, {pk: [before.get(pk), account_id] for pk in going})


def assign_back(*, actor, kept) -> dict[int, str]:
    return services.assign_back(actor=actor, turns={pk: (old, new) for pk, (old, new) in kept.items()})


ASSIGN = Bulk(
    "assign_check", pgettext_lazy("dossier", "Assign the check"), "dossier.assign", many=assign, undo_many=assign_back,
    form=AssignForm, icon="user",
)  # fmt: skip
