"""Questions of the acts."""

from django import forms
from django.utils.translation import gettext_lazy as _


class ApartForm(forms.Form):
    reason = forms.CharField(
        label=_("How do you know?"), max_length=300, help_text=_("For example: both were visited.")
    )


class LaterForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=300, required=False)


class SearchForm(forms.Form):
    whole = forms.BooleanField(
        label=_("All files"), required=False, initial=True, help_text=_("Otherwise only files new or changed since.")
    )
