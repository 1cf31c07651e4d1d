"""Forms of the policy library."""

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel.actor import Actor
from sangyu.registry.regions.fields import RegionField
from sangyu.ui.fields import IntervalForm

from . import selectors
from .enums import Kind, Level


class DocumentForm(IntervalForm):
    number = forms.CharField(label=_("Document number"), max_length=60, required=False)
    title = forms.CharField(label=pgettext_lazy("documents", "Title"), max_length=200)
    issuer = forms.CharField(label=pgettext_lazy("documents", "Issued by"), max_length=100)
    level = forms.ChoiceField(label=_("Tier"), choices=[("", ""), *Level.choices])
    kind = forms.ChoiceField(label=pgettext_lazy("documents", "Kind"), choices=[("", ""), *Kind.choices])
    issued_on = forms.DateField(label=_("Issued on"))
    replaces = forms.TypedChoiceField(
        label=_("Replaces"),
        coerce=int,
        empty_value=None,
        required=False,
        help_text=_("The replaced document ends when this one begins."),
    )
    main = forms.TypedChoiceField(
        label=_("Carries out"),
        coerce=int,
        empty_value=None,
        required=False,
        help_text=_("The main document of a family “1+N”."),
    )
    summary = forms.CharField(label=_("In short"), max_length=500, required=False, widget=forms.Textarea({"rows": 3}))
    upload = forms.FileField(
        label=_("File"),
        required=False,
        help_text=_("PDF, Word or a scan; the one before stays in the history."),
        widget=forms.ClearableFileInput(
            {
                "accept": "application/pdf,image/jpeg,image/png,application/vnd.openxmlformats-officedocument"
                ".wordprocessingml.document"
            }
        ),
    )
    field_order = ["title", "number", "issuer", "level", "kind", "issued_on", "valid_from", "last_day"]

    def __init__(self, *args, actor: Actor, own: int | None = None, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        others = [("", "—"), *(c for c in selectors.choices(actor) if c[0] != own)]
        self.fields["replaces"].choices = self.fields["main"].choices = others


class NewDocumentForm(DocumentForm):
    region_id = RegionField(label=_("Published for"), required=False)

    def __init__(self, *args, actor: Actor, **kwargs) -> None:
        super().__init__(*args, actor=actor, **kwargs)
        self.fields["region_id"].for_actor(actor)


class LineForm(forms.Form):
    audience = forms.CharField(label=pgettext_lazy("documents", "For whom"), max_length=200)
    name = forms.CharField(label=pgettext_lazy("documents", "Item"), max_length=100)
    content = forms.CharField(
        label=_("What is given"), max_length=500, required=False, widget=forms.Textarea({"rows": 2})
    )
    responsible = forms.CharField(label=_("Who is responsible"), max_length=100, required=False)
    policy = forms.CharField(
        label=_("Policy code"), max_length=60, required=False, help_text=_("The policy that carries it out.")
    )
