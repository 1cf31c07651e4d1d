"""Forms of the facilities room."""

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy, pgettext_lazy

from sangyu.kernel.actor import Actor
from sangyu.registry.organisations import selectors as organisations
from sangyu.registry.people.fields import PersonField
from sangyu.registry.regions.fields import RegionField

from . import selectors
from .enums import FACT_VALUES, EndReason, FactKind, Kind, UrbanRural


class FacilityForm(forms.Form):
    name = forms.CharField(label=pgettext_lazy("thing", "Name"), max_length=100)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=Kind.choices)
    urban_rural = forms.ChoiceField(label=gettext_lazy("Urban or rural"), choices=UrbanRural.choices)
    opened_on = forms.DateField(label=gettext_lazy("Opened on"))
    beds = forms.IntegerField(label=gettext_lazy("Beds"), min_value=0, max_value=100_000, required=False)
    number = forms.CharField(label=gettext_lazy("Register number"), max_length=40, required=False)
    organisation_id = forms.TypedChoiceField(
        label=pgettext_lazy("facility", "Operator"), coerce=int, empty_value=None, required=False
    )
    telephone = forms.CharField(label=gettext_lazy("Telephone"), max_length=30, required=False)
    address = forms.CharField(label=gettext_lazy("Address"), max_length=200, required=False)
    latitude = forms.FloatField(label=gettext_lazy("Latitude"), required=False, min_value=-90, max_value=90)
    longitude = forms.FloatField(label=gettext_lazy("Longitude"), required=False, min_value=-180, max_value=180)

    def __init__(self, *args, actor: Actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organisation_id"].choices = [("", "—"), *organisations.choices(actor)]


class NewFacilityForm(FacilityForm):
    region_id = RegionField(label=gettext_lazy("Area"))
    field_order = ["name", "kind", "region_id"]

    def __init__(self, *args, actor: Actor, **kwargs) -> None:
        super().__init__(*args, actor=actor, **kwargs)
        self.fields["region_id"].for_actor(actor)


class FactForm(forms.Form):
    """One choice for kind and value together, as in the register of persons."""

    fact = forms.ChoiceField(
        label=gettext_lazy("What is stated"),
        choices=[
            (FactKind(kind).label, [(f"{kind}={value}", label) for value, label in values.items()])
            for kind, values in FACT_VALUES.items()
        ],
    )
    valid_from = forms.DateField(label=gettext_lazy("From"))
    last_day = forms.DateField(
        label=gettext_lazy("Last day"), required=False, help_text=gettext_lazy("Empty = without end.")
    )
    source = forms.CharField(
        label=gettext_lazy("Source"), max_length=100, help_text=gettext_lazy("Who established it, with the number.")
    )
    note = forms.CharField(label=gettext_lazy("Note"), max_length=300, required=False)


class StayForm(forms.Form):
    on = forms.DateField(label=gettext_lazy("Admitted on"))
    bed = forms.CharField(label=gettext_lazy("Bed"), max_length=20, required=False)
    source = forms.CharField(
        label=gettext_lazy("Source"), max_length=100, help_text=gettext_lazy("For example the number of the contract.")
    )


class AdmitForm(StayForm):
    """From the facility: who comes."""

    person_id = PersonField(label=gettext_lazy("Elder"), help_text=gettext_lazy("ID number, telephone or name"))
    field_order = ["person_id", "on", "bed", "source"]

    def __init__(self, *args, actor: Actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person_id"].actor = actor


class ChooseForm(StayForm):
    """From the elder: where to."""

    facility_id = forms.TypedChoiceField(label=gettext_lazy("Facility"), coerce=int)
    field_order = ["facility_id", "on", "bed", "source"]

    def __init__(self, *args, actor: Actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["facility_id"].choices = selectors.housing_choices(actor)


class DischargeForm(forms.Form):
    on = forms.DateField(label=gettext_lazy("First day not there"), initial=timezone.localdate)
    reason = forms.ChoiceField(label=gettext_lazy("Why it ended"), choices=EndReason.choices)
    source = forms.CharField(label=gettext_lazy("Source"), max_length=100)
