"""Forms of life events: one per kind, all with who said so and the proof."""

from django import forms
from django.utils.translation import gettext_lazy as _

from sangyu.registry.regions.fields import RegionField

from .enums import ItemState, ReportedBy


class EventForm(forms.Form):
    """What every life event asks."""

    on = forms.DateField(label=_("On"), widget=forms.DateInput)
    reported_by = forms.ChoiceField(label=_("Reported by"), choices=ReportedBy.choices)
    source = forms.CharField(
        label=_("Source"), max_length=100, help_text=_("For example the number of the certificate.")
    )
    evidence = forms.FileField(label=_("Evidence"), required=False)

    def __init__(self, *args, actor=None, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["evidence"].widget.attrs["accept"] = "image/*,application/pdf"
        if "region_id" in self.fields:
            self.fields["region_id"].for_actor(actor)


class DeathForm(EventForm):
    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"].label = _("Day of death")


class MoveForm(EventForm):
    region_id = RegionField(label=_("New community"))
    address = forms.CharField(label=_("New address"), max_length=200, required=False)
    field_order = ["region_id", "address", "on", "reported_by", "source", "evidence"]


class InstitutionForm(EventForm):
    place = forms.CharField(label=_("Institution"), max_length=200)
    field_order = ["place", "on", "reported_by", "source", "evidence"]


class HospitalForm(EventForm):
    place = forms.CharField(label=_("Hospital"), max_length=200)
    field_order = ["place", "on", "reported_by", "source", "evidence"]


class WithdrawForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea({"rows": 2}))


class ItemForm(forms.Form):
    state = forms.ChoiceField(label=_("How it stands"), choices=ItemState.choices)
    note = forms.CharField(label=_("Note"), max_length=300, required=False)
