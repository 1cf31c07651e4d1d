"""Forms of the transfers room."""

from django import forms
from django.utils.translation import gettext_lazy as _

from sangyu.registry.regions.fields import RegionField


class RequestForm(forms.Form):
    id_number = forms.CharField(label=_("ID number"), max_length=30)
    name = forms.CharField(label=_("Name"), max_length=50)
    region_id = RegionField(label=_("Moves to"))
    address = forms.CharField(label=_("New address"), max_length=200, required=False)
    moved_on = forms.DateField(label=_("Moved on"))
    reason = forms.CharField(label=_("Reason"), max_length=300)
    evidence = forms.CharField(
        label=_("What was shown"), max_length=200, help_text=_("For example: residence booklet, tenancy agreement.")
    )
    paper = forms.FileField(label=_("Picture or scan"), required=False, help_text=_("Both counties can open it."))

    def __init__(self, *args, actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["region_id"].for_actor(actor)


class RefuseForm(forms.Form):
    answer = forms.CharField(label=_("Why not?"), max_length=300)


class AnswerForm(forms.Form):
    answer = forms.CharField(label=_("Remark"), max_length=300, required=False)
