"""The style page: every component and state in one place, for people and for the accessibility test."""

from datetime import datetime

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .pages import PlainPage


class SampleForm(forms.Form):
    """A form with one of each kind of field, and two mistakes in it."""

    number = forms.CharField(label=_("Citizen number"), help_text=_("18 digits, the last may be X"), min_length=18)
    community = forms.ChoiceField(label=_("Community"), choices=[("", _("Choose")), ("1", "清华社区")])
    day = forms.DateField(label=_("Day"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    kind = forms.ChoiceField(
        label=_("Kind"), choices=[("1", _("Yes")), ("2", _("No"))], widget=forms.RadioSelect, required=False
    )
    note = forms.CharField(label=_("Note"), widget=forms.Textarea(attrs={"rows": 2}), required=False)
    agreed = forms.BooleanField(label=_("Consent is on file"), required=False)


class Gallery(PlainPage):
    url = "gallery/"
    name = "gallery"
    permission = ""
    title = _("Components")
    template = "ui/gallery.html"

    def get_context(self):
        from .pages.form import dress, error_list, field_kind

        form = dress(SampleForm({"number": "21080219420308202", "community": "", "kind": "1"}, auto_id="g_%s"))
        form.is_valid()
        moment = datetime(2026, 10, 15, 14, 32, tzinfo=timezone.get_current_timezone())
        return {
            "form": form,
            "fields": [{"field": form[n], "wide": n == "note", **field_kind(form[n])} for n in form.fields],
            "errors": error_list(form),
            "moment": moment,
            "levels": [
                (i, text) for i, text in enumerate(("能力完好", "轻度失能", "中度失能", "重度失能", "完全失能"))
            ],
            "tones": [
                ("ok", _("Done")),
                ("info", _("Under way")),
                ("warn", _("Due soon")),
                ("bad", _("Overdue")),
                ("mute", _("Not started")),
            ],
            "conflict": [{"label": _("Phone"), "theirs": "138****6021", "mine": "136****7719"}],
            "tabs": [
                {"label": _("Overview"), "url": "#", "current": True, "count": None},
                {"label": _("Services"), "url": "#", "current": False, "count": 47},
            ],
            "steps": [
                (_("Requested"), "done", moment),
                (_("Assigned"), "done", moment),
                (_("On the way"), "now", None),
                (_("Confirmed"), "", None),
            ],
        }
