"""Forms of the policies room."""

from django import forms
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.actor import Actor
from sangyu.registry.documents import selectors as documents


class ApproveForm(forms.Form):
    document_id = forms.TypedChoiceField(
        label=_("Document that allows it"), coerce=int, empty_value=None, required=True
    )

    def __init__(self, *args, actor: Actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["document_id"].choices = [("", ""), *documents.choices(actor)]


class LastDayForm(forms.Form):
    last_day = forms.DateField(label=_("Last day"), help_text=_("From the day after it pays no more."))


class FilesForm(forms.Form):
    file = forms.FileField(label=_("Policy file (.yaml, or a .zip of several)"))
