"""Forms of the screening room."""

from django import forms
from django.utils.translation import gettext_lazy as _

from sangyu.registry.accounts import selectors as accounts
from sangyu.registry.people.enums import Ability, Sex, Tag
from sangyu.registry.regions.fields import RegionField
from sangyu.registry.workforce import selectors as workforce
from sangyu.ui.pages import BulkForm

from . import targets
from .sheets import shipped


class CampaignForm(forms.Form):
    """Area, period, sheet, and who is sought."""

    title = forms.CharField(label=_("Title"), max_length=60)
    region_id = RegionField(label=_("Area"))
    sheet = forms.ChoiceField(label=_("Question sheet"))
    starts_on = forms.DateField(label=_("From"))
    ends_on = forms.DateField(label=_("Last day"))
    saved = forms.TypedChoiceField(
        label=_("Saved list of elders"), required=False, coerce=int, empty_value=None,
        help_text=_("Its conditions are taken over; what is chosen below counts besides."),
    )  # fmt: skip
    age_from = forms.IntegerField(label=_("Age from"), required=False, min_value=0, max_value=130)
    age_to = forms.IntegerField(label=_("Age to"), required=False, min_value=0, max_value=130)
    ability = forms.ChoiceField(
        label=_("Disabled or partly"), required=False, choices=[("", "—"), *Ability.choices, ("any", _("Either"))]
    )
    sex = forms.ChoiceField(label=_("Sex"), required=False, choices=[("", "—"), *Sex.choices[1:3]])
    tags = forms.MultipleChoiceField(
        label=_("Any of these tags"), required=False, choices=Tag.choices, widget=forms.CheckboxSelectMultiple
    )
    note = forms.CharField(label=_("Remark"), max_length=300, required=False, widget=forms.Textarea({"rows": 2}))

    def __init__(self, *args, actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        self.fields["region_id"].for_actor(actor)
        self.fields["sheet"].choices = [(s.code, s.name) for s, _text in shipped().values()]
        self.fields["saved"].choices = [("", "—"), *((v.pk, v.name) for v in targets.saved_lists(actor))]

    def clean(self) -> dict:
        """The conditions in one mapping, as the service takes them."""
        cleaned = super().clean()
        own = {k: cleaned.pop(k, None) for k in ("age_from", "age_to", "ability", "sex", "tags")}
        saved = cleaned.pop("saved", None)
        given = targets.of_list(self.actor, saved) if saved else {}
        cleaned["conditions"] = {**given, **{k: v for k, v in own.items() if v not in (None, "", [])}}
        return cleaned


class AddForm(forms.Form):
    who = forms.CharField(label=_("Name or ID number"), max_length=50)


class AssignForm(BulkForm):
    """One list of colleagues and workers."""

    to = forms.ChoiceField(label=_("Who goes there"), required=False)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        staff = [(f"account-{a.pk}", a.name) for a in accounts.colleagues(self.actor)]
        workers = workforce.workers_visible(self.actor).filter(state="active").order_by("name", "pk")[:200]
        self.fields["to"].choices = [
            ("", _("The community as an office")), (_("Staff"), staff),
            (_("Workers"), [(f"worker-{w.pk}", w.name) for w in workers]),
        ]  # fmt: skip

    def clean(self) -> dict:
        kind, _dash, pk = (self.cleaned_data.get("to") or "").partition("-")
        return {f"{kind}_id": int(pk)} if pk else {}


class BackForm(BulkForm):
    reason = forms.CharField(label=_("Reason"), max_length=300)


class DoneForm(BulkForm):
    note = forms.CharField(label=_("What was arranged"), max_length=300)
    dropped = forms.BooleanField(label=_("It is not needed"), required=False)
