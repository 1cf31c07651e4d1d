"""Rows of rosters that may be somebody registered already: one list, one decision a row (R-026)."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.errors import NotVisible, Refused
from sangyu.kernel.importing import held
from sangyu.kernel.importing.models import HeldRow
from sangyu.ui.pages import Bulk, BulkForm, FormPage, ListPage, Moment, Number, Status, Text

from . import selectors
from .imports import RosterImport

PARENT = ("people:held", _("Rows to decide"))
TONES = {"open": "warn", "same": "ok", "other": "ok", "dropped": "mute"}


class WhyForm(BulkForm):
    reason = forms.CharField(label=_("Reason"), max_length=200)


def _decide(decision: str):
    """One decision for a row of a list; "same" needs exactly one candidate."""

    def act(*, actor, row, reason) -> None:
        known = row.candidates[0] if decision == HeldRow.State.SAME and len(row.candidates) == 1 else None
        if decision == HeldRow.State.SAME and known is None:
            raise Refused(_now("Several persons may be meant. Decide this row by itself."), code="import.several")
        held.settle(actor=actor, held_id=row.pk, decision=decision, known_id=known, reason=reason)

    return act


def _reopen(*, actor, row, kept) -> None:
    held.reopen(actor=actor, held_id=row.pk)


BULK = [
    Bulk("same", _("The same: bring up to date"), "people.import", each=_decide("same"), form=WhyForm, icon="okc",
         confirm=_("{count} rows are the persons that they may be: their files are brought up to date.")),
    Bulk("other", _("Somebody else: register"), "people.import", each=_decide("other"), form=WhyForm, icon="plus",
         confirm=_("{count} persons are registered anew.")),
    Bulk("dropped", _("Do not take"), "people.import", each=_decide("dropped"), undo=_reopen, form=WhyForm, icon="close"),
]  # fmt: skip


class HeldList(ListPage):
    url, name, permission, title = "held/", "held", "people.import", _("Rows to decide")
    model, sort, unit = HeldRow, "-id", _("rows")
    parent = ("people:import", _("Import a roster"))
    personal = "importing.held"
    search, filters, bulk = ("name",), ["state", "code"], BULK
    presets = [(_("To decide"), "state=open")]
    columns = [
        Text("name", _("Name"), link="people:held_decide", sort=True),
        Text("message", _("Why it is held")),
        Text("source", _("Source")),
        Number("row", _("Row"), hidden=True),
        Status("state", _("State"), enum=HeldRow.State, tones=TONES),
        Text("decided_by", _("Decided by")),
        Moment("decided_at", _("Decided at"), sort=True),
    ]
    empty_text = _("Rows of a roster that may be somebody registered already wait here for a decision.")

    def get_queryset(self) -> QuerySet:
        return super().get_queryset().filter(kind=RosterImport.kind)


class DecideForm(forms.Form):
    decision = forms.ChoiceField(label=_("Who is it?"), widget=forms.RadioSelect)
    reason = forms.CharField(label=_("Reason"), max_length=200, required=False)

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["decision"].choices = choices


class Decide(FormPage):
    """The row as it was written beside each registered person that it may be."""

    url, name, permission, title = "held/<int:pk>/", "held_decide", "people.import", _("Decide one row")
    model, form_class, parent = HeldRow, DecideForm, PARENT
    template = "people/held.html"
    success = _("Decided.")
    submit_label = _("Decide")

    def get_object(self, *, lock: bool = False) -> HeldRow:
        found = super().get_object()  # the service locks it
        if found.kind != RosterImport.kind:
            raise NotVisible
        return found

    def candidates(self) -> list:
        cards = selectors.person_cards(self.actor, self.object.candidates)
        return [cards[pk] for pk in self.object.candidates if pk in cards]

    def form_kwargs(self) -> dict:
        same = [
            (
                f"same:{c.id}",
                _now("The same as %(name)s: bring that file up to date") % {"name": f"{c.name} {c.id_masked}"},
            )
            for c in self.candidates()
        ]
        rest = [("other", _now("Somebody else: register")), ("dropped", _now("Do not take this row"))]
        return {"choices": same + rest}

    def context(self, **more: Any) -> dict:
        cells = held.from_json(self.object.cells)
        written = [
            (f.label, _masked(f, cells[f.key]))
            for f in RosterImport(self.actor, timezone.localdate()).fields
            if cells.get(f.key) not in (None, "")
        ]
        return super().context(
            **more, written=written, candidates=self.candidates(), decided=self.object.state != "open"
        )

    def save(self, form: forms.Form) -> HeldRow:
        decision, _colon, person = form.cleaned_data["decision"].partition(":")
        return held.settle(
            actor=self.actor,
            held_id=self.object.pk,
            decision=decision,
            known_id=int(person) if person else None,
            reason=form.cleaned_data["reason"],
        )

    def success_url(self, result: HeldRow) -> str:
        return reverse("people:held") + "?state=open"


def _masked(field, cell: Any) -> str:
    written = held.text_of(cell)
    return field.mask(written) if field.mask else written
