"""Forms of the emergencies room."""

from datetime import time

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import BadValue
from sangyu.registry.accounts import selectors as accounts
from sangyu.registry.catalogue import selectors as catalogue
from sangyu.registry.facilities import selectors as facilities
from sangyu.registry.people.fields import PersonField
from sangyu.registry.regions.fields import RegionField

from . import hours
from .enums import Cause, ChannelKind, Kind, Level, Outcome, Source, Verified

#: What a person says by hand; the rest comes from devices only.
BY_HAND = (Kind.SOS, Kind.FALL, Kind.MEDICAL, Kind.FIRE, Kind.GAS, Kind.NO_RESPONSE, Kind.WANDERING, Kind.GENERAL)
_LEVELS = [(level.value, level.label) for level in (Level.LIFE, Level.URGENT)]


class RaiseForm(forms.Form):
    person_id = PersonField(label=_("Elder"), required=False)
    address = forms.CharField(
        label=_("Address"), max_length=200, required=False, help_text=_("When the elder is not known or elsewhere")
    )
    source = forms.ChoiceField(
        label=_("Came by"), choices=[(s.value, s.label) for s in (Source.CALL, Source.WALK_IN, Source.APP)]
    )
    kind = forms.ChoiceField(label=pgettext_lazy("incident", "Alarm"), choices=[(k.value, k.label) for k in BY_HAND])
    level = forms.TypedChoiceField(label=_("Level"), choices=_LEVELS, coerce=int)
    text = forms.CharField(
        label=pgettext_lazy("call", "What was said"), max_length=300, required=False, widget=forms.Textarea
    )

    def __init__(self, *args, actor: Actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person_id"].actor = actor


class VerifyForm(forms.Form):
    result = forms.ChoiceField(
        label=pgettext_lazy("incident", "Call back"),
        choices=[("", _("The call begins")), *Verified.choices],
        required=False,
    )
    words = forms.CharField(label=_("Note"), max_length=300, required=False)


class NoteForm(forms.Form):
    text = forms.CharField(label=_("Note"), max_length=500, widget=forms.Textarea)


class EmergencyForm(forms.Form):
    number = forms.ChoiceField(label=_("Number"), choices=[(n, n) for n in ("120", "110", "119")])
    words = forms.CharField(label=_("What they said"), max_length=300, required=False)


class OfferForm(forms.Form):
    who = forms.ChoiceField(label=_("Who is to go"), widget=forms.RadioSelect)
    reason = forms.CharField(
        label=_("Reason"), max_length=300, required=False, help_text=_("Needed for one who is closed or signed out")
    )

    def __init__(self, *args, candidates, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["who"].choices = [(f"{c.kind}-{c.subject_id}", _in_words(c)) for c in candidates]


def _in_words(c) -> str:
    far = (
        f"{c.distance_m} m"
        if c.distance_m is not None and c.distance_m < 1000
        else f"{c.distance_m / 1000:.1f} km"
        if c.distance_m
        else ""
    )
    return " · ".join(filter(None, (c.name, str(c.kind.label), far, c.reason)))


class CloseForm(forms.Form):
    outcome = forms.ChoiceField(label=_("Outcome"), choices=[("", "—"), *Outcome.choices])
    cause = forms.ChoiceField(label=_("Cause"), choices=[("", "—"), *Cause.choices])
    words = forms.CharField(label=_("How it ended"), max_length=500, required=False, widget=forms.Textarea)
    item_code = forms.ChoiceField(label=_("Order that follows"), required=False)
    planned_start = forms.DateTimeField(label=_("Planned for"), required=False)

    def __init__(self, *args, path: str, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        items = catalogue.items_for(path, timezone.localdate())
        self.fields["item_code"].choices = [("", _("None")), *((i.code, i.name) for i in items)]

    def clean(self) -> dict:
        given = super().clean()
        if given.get("item_code") and not given.get("planned_start"):
            self.add_error("planned_start", _("Say when the order is wanted."))
        return given


class ReviewForm(forms.Form):
    words = forms.CharField(
        label=pgettext_lazy("incident", "Review"), max_length=500, required=False, widget=forms.Textarea
    )


class WhyForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=300, required=False)


class _People(forms.Form):
    """Fields that name colleagues and an area."""

    def __init__(self, *args, actor: Actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        staff = [(a.pk, f"{a.name} {a.title}".strip()) for a in accounts.colleagues(actor)]
        for name in ("account_ids", "account_id"):
            if name in self.fields:
                self.fields[name].choices = staff if name == "account_ids" else [("", "—"), *staff]
        if "region_id" in self.fields:
            self.fields["region_id"].for_actor(actor)
        if "facility_id" in self.fields:
            rows = facilities.facilities_visible(actor).filter(path__startswith=actor.path).order_by("name")
            self.fields["facility_id"].choices = [("", "—"), *((f.pk, f.name) for f in rows[:1000])]


class NightsForm(_People):
    region_id = RegionField(label=_("Area"), required=False)
    facility_id = forms.TypedChoiceField(
        label=_("Facility"),
        coerce=int,
        empty_value=None,
        required=False,
        help_text=_("For a roster inside a house; else empty"),
    )
    first = forms.DateField(label=_("First night"))
    last = forms.DateField(label=_("Last night"))
    account_ids = forms.TypedMultipleChoiceField(
        label=_("People, in turn"), coerce=int, widget=forms.CheckboxSelectMultiple
    )
    rank = forms.TypedChoiceField(
        label=pgettext_lazy("duty", "Order"), choices=[(1, _("First")), (2, _("Stand-in"))], coerce=int
    )


class ReassignForm(_People):
    account_id = forms.TypedChoiceField(label=_("Person on duty"), coerce=int)
    contact = forms.CharField(label=_("Reachable at"), max_length=24, required=False)


class HandOverForm(forms.Form):
    note = forms.CharField(label=_("Hand-over notes"), max_length=500, widget=forms.Textarea)


class StationForm(_People):
    facility_id = forms.TypedChoiceField(label=_("Facility"), coerce=int)
    takes_alarms = forms.BooleanField(label=_("May be asked to go"), required=False, initial=True)
    telephone = forms.CharField(label=_("Emergency telephone"), max_length=30, required=False)
    account_id = forms.TypedChoiceField(
        label=_("Account that is alerted"), coerce=int, empty_value=None, required=False
    )
    opens = forms.TimeField(
        label=_("Opens"),
        required=False,
        help_text=_("Both empty: as usual for its kind. The same time twice: round the clock."),
    )
    closes = forms.TimeField(label=_("Closes"), required=False)
    days = forms.TypedMultipleChoiceField(label=_("Weekdays"), coerce=int, required=False, widget=forms.CheckboxSelectMultiple, choices=[
        (1, _("Monday")), (2, _("Tuesday")), (3, _("Wednesday")), (4, _("Thursday")), (5, _("Friday")), (6, _("Saturday")), (7, _("Sunday"))])  # fmt: skip
    other = forms.CharField(
        label=_("Different on some days"), max_length=300, required=False,
        help_text=_("For instance %(example)s; counts instead of the three fields above.") % {"example": hours.EXAMPLE},
    )  # fmt: skip
    note = forms.CharField(label=_("Remark"), max_length=200, required=False)

    def clean_other(self) -> list[hours.Stretch]:
        try:
            return hours.read(self.cleaned_data["other"])
        except BadValue as bad:
            raise forms.ValidationError(str(bad.message)) from None

    def hours(self) -> list[tuple[int, time, time]]:
        given = self.cleaned_data
        if given["other"]:
            return given["other"]
        if given["opens"] is None or given["closes"] is None:
            return []
        return [(day, given["opens"], given["closes"]) for day in given["days"] or range(1, 8)]


class ChannelForm(_People):
    region_id = RegionField(label=_("Area"))
    name = forms.CharField(label=pgettext_lazy("thing", "Name"), max_length=40)
    kind = forms.ChoiceField(
        label=pgettext_lazy("channel", "Kind"), choices=[c for c in ChannelKind.choices if c[0] != "screen"]
    )
    url = forms.CharField(
        label=_("Address of the service"),
        max_length=500,
        required=False,
        help_text=_("An Apprise address; {to} stands for the number. Empty: the house's own text messages."),
    )
    rank = forms.IntegerField(label=_("Order"), min_value=1, max_value=9, initial=1)
    active = forms.BooleanField(label=_("In use"), required=False, initial=True)


class DrillForm(_People):
    title = forms.CharField(label=_("Title"), max_length=60)
    region_id = RegionField(label=_("Area"))
    planned_at = forms.DateTimeField(label=_("Planned for"))
    place = forms.CharField(label=_("Where"), max_length=200)
    kind = forms.ChoiceField(label=pgettext_lazy("incident", "Alarm"), choices=[(k.value, k.label) for k in BY_HAND])
    level = forms.TypedChoiceField(label=_("Level"), choices=_LEVELS, coerce=int)
    aim = forms.CharField(label=_("What it is to show"), max_length=300, required=False)


class FindingsForm(forms.Form):
    findings = forms.CharField(label=_("What was learnt"), max_length=1000, widget=forms.Textarea)


class CallForm(forms.Form):
    number = forms.CharField(label=_("Telephone"), max_length=24, required=False)
    person_id = PersonField(label=_("Elder"), required=False)
    words = forms.CharField(label=pgettext_lazy("call", "What was said"), max_length=300, required=False)
    missed = forms.BooleanField(label=_("Missed, to be called back"), required=False)

    def __init__(self, *args, actor: Actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person_id"].actor = actor


class CalledBackForm(forms.Form):
    result = forms.CharField(label=_("Result"), max_length=300)


class ExchangeForm(forms.Form):
    name = forms.CharField(
        label=pgettext_lazy("thing", "Name"),
        max_length=40,
        help_text=_("As the exchange writes it in X-Sangyu-Key, for example pbx-1"),
    )
