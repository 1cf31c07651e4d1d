"""Forms of the organisations room. The last day is asked as it is printed; services take the first day after it."""

from datetime import timedelta

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel.actor import Actor
from sangyu.registry.catalogue import selectors as catalogue
from sangyu.registry.catalogue.enums import Category, LicenceKind
from sangyu.registry.regions import selectors as regions
from sangyu.registry.regions.fields import RegionField
from sangyu.ui.fields import IntervalForm, YuanField

from .enums import LegalForm, OperatingMode, Settlement


class AreaField(RegionField):
    """A region of the actor's area; cleans to the region."""

    def clean(self, value):
        pk = super().clean(value)
        return regions.region(pk) if pk else None


class ActorForm(forms.Form):
    """A form whose area fields offer the actor's regions."""

    def __init__(self, *args, actor: Actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, AreaField):
                field.for_actor(actor)


class OrganisationForm(forms.Form):
    name = forms.CharField(label=pgettext_lazy("thing", "Name"), max_length=100)
    short_name = forms.CharField(label=_("Short name"), max_length=30, required=False)
    legal_form = forms.ChoiceField(label=_("Legal form"), choices=LegalForm.choices)
    credit_code = forms.CharField(
        label=_("Credit code"),
        max_length=30,
        required=False,
        help_text=_("18 characters; none for individuals and teams."),
    )
    phone = forms.CharField(label=_("Phone"), max_length=30, required=False)
    address = forms.CharField(label=_("Address"), max_length=200, required=False)
    latitude = forms.FloatField(label=_("Latitude"), required=False, min_value=-90, max_value=90)
    longitude = forms.FloatField(label=_("Longitude"), required=False, min_value=-180, max_value=180)
    opening_hours = forms.CharField(label=_("Opening hours"), max_length=100, required=False)
    introduction = forms.CharField(
        label=_("Introduction"), max_length=1000, required=False, widget=forms.Textarea({"rows": 3})
    )


class NewOrganisationForm(OrganisationForm, ActorForm):
    region = AreaField(
        label=_("Responsible region"), help_text=_("Who serves several counties is registered with the city.")
    )
    field_order = ["name", "short_name", "legal_form", "credit_code", "region"]


class LicenceForm(IntervalForm):
    kind = forms.ChoiceField(label=_("Kind"), choices=[c for c in LicenceKind.choices if c[0] != LicenceKind.NONE])
    number = forms.CharField(label=_("Number"), max_length=60)
    issuer = forms.CharField(label=_("Issuer"), max_length=100, required=False)
    field_order = ["kind", "number", "issuer"]


class CapabilityForm(IntervalForm, ActorForm):
    category = forms.ChoiceField(label=_("Category"), choices=Category.choices)
    area = AreaField(label=_("Area"))
    field_order = ["category", "area"]


class ModeForm(forms.Form):
    mode = forms.ChoiceField(label=_("Operating mode"), choices=OperatingMode.choices)
    valid_from = forms.DateField(label=_("From"))
    note = forms.CharField(label=_("Note"), max_length=200, required=False)


class ContactForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=50)
    phone = forms.CharField(label=_("Phone"), max_length=30)
    post = forms.CharField(label=_("Post"), max_length=50, required=False)
    is_main = forms.BooleanField(label=_("Main contact"), required=False)


class PriceForm(IntervalForm):
    item_code = forms.ChoiceField(label=_("Service"))
    unit_price = YuanField(label=_("Unit price (yuan)"))
    month_quota = forms.IntegerField(label=_("Units per month at most"), required=False, min_value=1)
    quota = forms.IntegerField(label=_("Units in all at most"), required=False, min_value=1)
    field_order = ["item_code", "unit_price"]

    def __init__(self, *args, path: str, day, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["item_code"].choices = [(i.code, i.name) for i in catalogue.items_for(path, day)]


class ContractForm(forms.Form):
    number = forms.CharField(label=_("Number"), max_length=60)
    title = forms.CharField(label=_("Title"), max_length=100)
    procurement = forms.CharField(label=_("Procurement document"), max_length=100, required=False)
    valid_from = forms.DateField(label=_("From"))
    last_day = forms.DateField(label=_("Last day"))
    settlement = forms.ChoiceField(label=_("Settlement"), choices=Settlement.choices)
    settlement_day = forms.IntegerField(label=_("Day of settlement"), min_value=1, max_value=28, initial=5)
    budget_fen = YuanField(label=_("Budget (yuan)"), required=False)
    month_budget_fen = YuanField(label=_("Monthly budget (yuan)"), required=False)
    cancel_free_hours = forms.IntegerField(
        label=_("Free cancelling until (hours before)"), min_value=0, max_value=240, initial=4
    )
    cancel_fee_percent = forms.IntegerField(label=_("Cancelling fee (percent)"), min_value=0, max_value=100, initial=0)
    terms = forms.CharField(label=_("Terms"), max_length=1000, required=False, widget=forms.Textarea({"rows": 3}))

    def clean(self) -> dict:
        cleaned = super().clean()
        last = cleaned.pop("last_day", None)
        if last:
            cleaned["valid_to"] = last + timedelta(days=1)
        return cleaned
