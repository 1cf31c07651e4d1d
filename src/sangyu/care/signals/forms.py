"""Forms of the signals room."""

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .limits import LEAST_RADIUS, MOST_RADIUS
from .rulebooks import rules_at, settable
from .words import common


class LimitForm(forms.Form):
    rule = forms.ChoiceField(label=_("Rule"), help_text=_("In brackets what holds for everybody."))
    low = forms.FloatField(label=_("Not below"), required=False, help_text=_("Empty = as for everybody."))
    high = forms.FloatField(label=_("Not above"), required=False, help_text=_("Empty = as for everybody."))
    minutes = forms.IntegerField(label=_("For how long (minutes)"), required=False, min_value=1, max_value=1440)
    off = forms.BooleanField(label=_("Do not watch"), required=False)
    reason = forms.CharField(
        label=_("Reason"), max_length=200, help_text=_("For instance who ordered it, and on which day.")
    )

    def __init__(self, *args, path: str, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        known = [(code, rule, common(rule)) for code, rule in rules_at(path).items() if settable(rule)]
        known.sort(key=lambda k: not k[2])  # those with values first
        self.fields["rule"].choices = [
            ("", "—"),
            *((code, f"{rule.name}（{says}）" if says else rule.name) for code, rule, says in known),
        ]


class FenceForm(forms.Form):
    name = forms.CharField(label=pgettext_lazy("thing", "Name"), max_length=40)
    inside = forms.TypedChoiceField(
        label=_("What it is for"), coerce=lambda v: v == "1", empty_value=True,
        choices=[("1", _("Stay inside")), ("0", _("Stay out"))],
    )  # fmt: skip
    latitude = forms.FloatField(label=_("Latitude"), min_value=-90, max_value=90)
    longitude = forms.FloatField(label=_("Longitude"), min_value=-180, max_value=180)
    radius = forms.IntegerField(
        label=_("Radius (metres)"), min_value=LEAST_RADIUS, max_value=MOST_RADIUS, initial=500, help_text=_("A place found indoors may be 50 metres off.")
    )  # fmt: skip
    reason = forms.CharField(label=_("Reason"), max_length=200)
