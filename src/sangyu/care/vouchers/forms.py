"""Forms of the voucher room."""

from datetime import timedelta

from django import forms
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.actor import Actor
from sangyu.registry.catalogue.enums import Category
from sangyu.registry.regions.fields import RegionField
from sangyu.ui.fields import YuanField

from . import selectors
from .enums import Unspent, Validity


class ProgrammeForm(forms.Form):
    name = forms.CharField(label=pgettext_lazy("thing", "Name"), max_length=60)
    document_number = forms.CharField(label=_("Document number"), max_length=60, required=False)
    face_amount = YuanField(label=_("Amount of one voucher (yuan)"))
    per_order_cap = YuanField(label=_("At most per order (yuan)"), required=False)
    validity = forms.ChoiceField(label=_("Validity"), choices=Validity.choices)
    validity_days = forms.IntegerField(label=_("Number of days"), min_value=1, max_value=3660, required=False)
    unspent = forms.ChoiceField(label=_("What is left at the end"), choices=Unspent.choices)
    roll_over_months = forms.IntegerField(label=_("Further months"), min_value=0, max_value=60, required=False)
    categories = forms.MultipleChoiceField(
        label=_("Pays for"),
        choices=Category.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Nothing chosen = all services."),
    )
    valid_from = forms.DateField(label=_("In force from"))
    last_day = forms.DateField(label=_("Last day"), required=False, help_text=_("Empty = without end."))

    def clean(self) -> dict:
        cleaned = super().clean()
        last = cleaned.pop("last_day", None)
        cleaned["valid_to"] = last + timedelta(days=1) if last else None
        cleaned["roll_over_months"] = cleaned.get("roll_over_months") or 0
        return cleaned


class NewProgrammeForm(ProgrammeForm):
    region = RegionField(label=_("Published by"))
    field_order = ["name", "region"]

    def __init__(self, *args, actor: Actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["region"].for_actor(actor)


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=300)


class IssueForm(forms.Form):
    """Whom to give a programme's voucher: a pasted list, a workbook, or those who had the last one."""

    programme = forms.ChoiceField(label=_("Programme"))
    region = RegionField(label=_("Issued by"))
    day = forms.DateField(label=_("Day of issue"), help_text=_("The voucher is of the period that this day lies in."))
    people = forms.CharField(
        label=_("Citizen numbers"),
        required=False,
        widget=forms.Textarea({"rows": 6}),
        help_text=_("One per line."),
    )
    file = forms.FileField(
        label=_("Or a workbook"),
        required=False,
        help_text=_("xlsx; the column with the citizen numbers is found by itself."),
    )
    again = forms.BooleanField(label=_("Everybody who had this voucher in the period before"), required=False)
    paper = forms.BooleanField(label=_("With numbers for paper vouchers"), required=False)

    def __init__(self, *args, actor: Actor, day, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["region"].for_actor(actor)
        self.fields["programme"].choices = [(p.pk, str(p)) for p in selectors.programmes_in_force(actor, day)]

    def clean(self) -> dict:
        cleaned = super().clean()
        if not (cleaned.get("people") or cleaned.get("file") or cleaned.get("again")):
            self.add_error(
                "people", gettext("Say who gets the vouchers: a list, a workbook, or those of the period before.")
            )
        return cleaned
