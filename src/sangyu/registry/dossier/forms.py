"""Forms of the dossier."""

from django import forms
from django.utils.translation import gettext_lazy as _

from .enums import PaperKind, Way


class PaperForm(forms.Form):
    file = forms.FileField(
        label=_("Photograph or PDF"), help_text=_("At most 20 MB; a phone may take the photograph now.")
    )
    kind = forms.ChoiceField(label=_("Kind"), choices=PaperKind.choices)
    title = forms.CharField(label=_("Title"), max_length=100, required=False)
    note = forms.CharField(label=_("Note"), max_length=200, required=False)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["file"].widget.attrs["accept"] = "image/*,application/pdf"


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=200)


class CheckForm(forms.Form):
    on = forms.DateField(label=_("Checked on"), widget=forms.DateInput)
    way = forms.ChoiceField(label=_("How"), choices=Way.choices)
    note = forms.CharField(label=_("Note"), max_length=300, required=False)


class AssignForm(forms.Form):
    account_id = forms.TypedChoiceField(label=_("Checked next by"), coerce=int, empty_value=None, required=False)

    def __init__(self, *args, colleagues=(), **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account_id"].choices = [("", "—"), *((a.pk, a.name) for a in colleagues)]
