"""Forms of the workforce room. The last day is asked as it is printed; services take the first day after it."""

from django import forms
from django.utils.translation import gettext_lazy as _

from sangyu.registry.catalogue import selectors as catalogue
from sangyu.registry.catalogue.enums import Skill
from sangyu.ui.fields import IntervalForm

from .enums import ClearanceKind, Graduate, LeaveKind, Post, Sex, Weekday


class WorkerForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=50)
    post = forms.ChoiceField(label=_("Post"), choices=Post.choices)
    graduate_of = forms.ChoiceField(
        label=_("Elder-care diploma"), choices=[("", "—"), *Graduate.choices], required=False
    )
    sex = forms.ChoiceField(label=_("Sex"), choices=Sex.choices)
    birth_date = forms.DateField(label=_("Birth date"), required=False)
    phone = forms.CharField(label=_("Phone"), max_length=30, required=False)
    languages = forms.CharField(
        label=_("Languages"),
        max_length=100,
        required=False,
        help_text=_("Dialects and languages, with commas between."),
    )
    introduction = forms.CharField(
        label=_("Introduction"), max_length=500, required=False, widget=forms.Textarea({"rows": 2})
    )
    latitude = forms.FloatField(label=_("Latitude"), required=False, min_value=-90, max_value=90)
    longitude = forms.FloatField(label=_("Longitude"), required=False, min_value=-180, max_value=180)

    def clean_languages(self) -> list[str]:
        words = self.cleaned_data["languages"].replace("，", ",").replace("、", ",").split(",")
        return [w.strip()[:20] for w in words if w.strip()]


class NewWorkerForm(WorkerForm):
    id_number = forms.CharField(
        label=_("ID number"), max_length=20, required=False, help_text=_("Fills sex and birth date; kept encrypted.")
    )
    field_order = ["name", "post", "id_number"]


class CertificateForm(IntervalForm):
    skill = forms.ChoiceField(label=_("Skill"), choices=[c for c in Skill.choices if c[0] != Skill.NONE])
    level = forms.CharField(label=_("Level"), max_length=20, required=False)
    number = forms.CharField(label=_("Number"), max_length=60)
    issuer = forms.CharField(label=_("Issuer"), max_length=100, required=False)
    field_order = ["skill", "level", "number", "issuer"]


class ClearanceForm(IntervalForm):
    kind = forms.ChoiceField(label=_("Kind"), choices=ClearanceKind.choices)
    note = forms.CharField(label=_("Note"), max_length=200, required=False)
    field_order = ["kind"]


class HonourForm(forms.Form):
    title = forms.CharField(label=_("Award"), max_length=100)
    issuer = forms.CharField(label=_("Issuer"), max_length=100, required=False)
    awarded_on = forms.DateField(label=_("Awarded on"))


class LeaveForm(forms.Form):
    kind = forms.ChoiceField(label=_("Kind"), choices=LeaveKind.choices)
    starts = forms.DateTimeField(label=_("From"), widget=forms.DateTimeInput())
    ends = forms.DateTimeField(label=_("Until"), widget=forms.DateTimeInput())
    note = forms.CharField(label=_("Note"), max_length=200, required=False)


class HoursForm(forms.Form):
    valid_from = forms.DateField(label=_("From"))
    weekdays = forms.MultipleChoiceField(
        label=_("Weekdays"), choices=Weekday.choices, widget=forms.CheckboxSelectMultiple(), required=False
    )
    starts = forms.TimeField(label=_("Starts"), required=False, widget=forms.TimeInput({"type": "time"}))
    ends = forms.TimeField(label=_("Ends"), required=False, widget=forms.TimeInput({"type": "time"}))

    def clean(self) -> dict:
        cleaned = super().clean()
        if cleaned.get("weekdays") and not (cleaned.get("starts") and cleaned.get("ends")):
            self.add_error("starts", _("Give the hours of these days."))
        return cleaned


class CheckForm(forms.Form):
    """Which visit is asked about on the tab “May be sent?”."""

    item = forms.ChoiceField(label=_("Service"))
    at = forms.DateTimeField(label=_("When"), widget=forms.DateTimeInput())

    def __init__(self, *args, path: str, day, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["item"].choices = [(i.code, i.name) for i in catalogue.items_for(path, day)]


class DutyForm(forms.Form):
    post = forms.ChoiceField(label=_("Post"), choices=Post.choices)
    valid_from = forms.DateField(label=_("From"))
    title = forms.CharField(label=_("Title"), max_length=100)
    text = forms.CharField(label=_("Text"), widget=forms.Textarea({"rows": 10}))
