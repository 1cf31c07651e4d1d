"""Forms of the assessments room."""

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.registry.accounts import selectors as accounts
from sangyu.registry.organisations import selectors as organisations
from sangyu.registry.regions.fields import RegionField
from sangyu.ui.fields import IntervalForm, YuanField
from sangyu.ui.pages import BulkForm

from . import selectors
from .enums import Background, Reason, Setting
from .instruments import ABILITY, for_use

APPLY_REASONS = [Reason.FIRST, Reason.REGULAR, Reason.CHANGE, Reason.DEMAND, Reason.OTHER]


class ApplyForm(forms.Form):
    instrument = forms.ChoiceField(label=_("Scale"), initial=ABILITY)
    reason = forms.ChoiceField(label=_("Reason"), choices=[(r.value, r.label) for r in APPLY_REASONS])
    note = forms.CharField(label=_("Remark"), max_length=300, required=False)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["instrument"].choices = [(i.code, f"{i.name}（{i.document}）") for i in for_use()]


class ApplyAgainForm(BulkForm):
    reason = forms.ChoiceField(label=_("Reason"), choices=[(r.value, r.label) for r in APPLY_REASONS[1:]])


class AssignForm(forms.Form):
    """Own assessors, or those of a body with a commission: one list, each with the body's name."""

    commission_id = forms.TypedChoiceField(label=_("Bought from"), required=False, coerce=int, empty_value=None)
    lead_id = forms.TypedChoiceField(label=_("First assessor"), coerce=int)
    second_id = forms.TypedChoiceField(label=_("Second assessor"), required=False, coerce=int, empty_value=None)
    planned_on = forms.DateField(label=_("Planned on"), required=False)

    def __init__(self, *args, actor, row, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        today = timezone.localdate()
        bought = [c for c in selectors.commissions(actor, today) if row.path.startswith(c.path)]
        self.fields["commission_id"].choices = [
            ("", _("Own assessors")), *((c.pk, f"{c.body.name}　{c.number}（{c.used}/{c.quota}）") for c in bought)
        ]  # fmt: skip
        people = [(a.pk, f"{a.name}（{a.get_background_display()}）") for a in selectors.assessors(actor, today)]
        for c in bought:
            people += [
                (a.pk, f"{a.name}（{a.get_background_display()}，{c.body.name}）")
                for a in selectors.assessors(actor, today, body_id=c.body_id)
            ]
        self.fields["lead_id"].choices = list(dict.fromkeys(people))
        self.fields["second_id"].choices = [("", "—"), *dict.fromkeys(people)]


class ObjectForm(forms.Form):
    objected_by = forms.CharField(label=_("Who objects"), max_length=100)
    objection = forms.CharField(label=_("What is doubted"), max_length=300, widget=forms.Textarea({"rows": 3}))


class SettingForm(forms.Form):
    chosen = forms.ChoiceField(label=_("Setting of care"), choices=Setting.choices)
    reason = forms.CharField(label=_("Why another than recommended"), max_length=300, required=False)


class AssessorForm(IntervalForm):
    name = forms.CharField(label=_("Name"), max_length=50)
    background = forms.ChoiceField(label=_("Background"), choices=Background.choices)
    certificate = forms.CharField(label=_("Certificate number"), max_length=60, required=False)
    body_id = forms.TypedChoiceField(label=_("Assessment body"), required=False, coerce=int, empty_value=None)
    account_id = forms.TypedChoiceField(label=_("Signs in as"), required=False, coerce=int, empty_value=None)
    field_order = ["name", "background", "certificate", "body_id", "account_id", "valid_from", "last_day"]

    def __init__(self, *args, actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["body_id"].choices = [("", _("Own staff")), *organisations.choices(actor)]
        known = accounts.accounts(actor).order_by("name")[:500]
        self.fields["account_id"].choices = [("", "—"), *((a.pk, f"{a.name}（{a.username}）") for a in known)]


class CommissionForm(IntervalForm):
    body_id = forms.TypedChoiceField(label=_("Assessment body"), coerce=int)
    region_id = RegionField(label=_("Area"))
    number = forms.CharField(label=_("Contract number"), max_length=60)
    quota = forms.IntegerField(label=pgettext_lazy("assessments", "Quota"), min_value=1)
    fee = YuanField(label=_("Fee for one (yuan)"))
    sample_percent = forms.IntegerField(label=_("Sample, percent"), min_value=1, max_value=100, initial=5)
    field_order = ["body_id", "region_id", "number", "quota", "fee", "sample_percent", "valid_from", "last_day"]

    def __init__(self, *args, actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["body_id"].choices = organisations.choices(actor)
        self.fields["region_id"].for_actor(actor)
        self.fields["last_day"].required = True
        self.fields["last_day"].help_text = ""


class DrawForm(forms.Form):
    since = forms.DateField(label=_("Decided from"))
    until = forms.DateField(label=_("Decided before"))
    seed = forms.CharField(
        label=_("Seed"), max_length=60, required=False, help_text=_("Empty: contract and days. Same seed, same draw.")
    )
