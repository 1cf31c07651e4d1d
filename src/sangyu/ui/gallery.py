"""The style page: every component and state in one place, for people and for the accessibility test."""

import re
from datetime import datetime
from functools import cache
from pathlib import Path

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .pages import PlainPage


class SampleForm(forms.Form):
    """A form with one of each kind of field, and two mistakes in it."""

    number = forms.CharField(
        label=pgettext_lazy("sample", "Citizen number"),
        help_text=pgettext_lazy("sample", "18 digits, the last may be X"),
        min_length=18,
    )
    community = forms.ChoiceField(
        label=pgettext_lazy("sample", "Community"), choices=[("", pgettext_lazy("sample", "Choose")), ("1", "清华社区")]
    )
    day = forms.DateField(
        label=pgettext_lazy("sample", "Day"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    kind = forms.ChoiceField(
        label=pgettext_lazy("sample", "Kind"),
        choices=[("1", pgettext_lazy("sample", "Yes")), ("2", pgettext_lazy("sample", "No"))],
        widget=forms.RadioSelect,
        required=False,
    )
    note = forms.CharField(
        label=pgettext_lazy("sample", "Note"), widget=forms.Textarea(attrs={"rows": 2}), required=False
    )
    agreed = forms.BooleanField(label=pgettext_lazy("sample", "Consent is on file"), required=False)


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
        tones = ("ok", "info", "warn", "bad", "mute")
        words = (
            pgettext_lazy("sample", "Done"),
            pgettext_lazy("sample", "Under way"),
            pgettext_lazy("sample", "Due soon"),
            pgettext_lazy("sample", "Overdue"),
            pgettext_lazy("sample", "Not started"),
        )
        return {
            "form": form,
            "fields": [{"field": form[n], "wide": n == "note", **field_kind(form[n])} for n in form.fields],
            "errors": error_list(form),
            "moment": moment,
            "levels": list(enumerate(("能力完好", "轻度失能", "中度失能", "重度失能", "完全失能"))),
            "tones": list(zip(tones, words, strict=True)),
            "conflict": [{"label": pgettext_lazy("sample", "Phone"), "theirs": "138****6021", "mine": "136****7719"}],
            "tabs": [
                {"label": pgettext_lazy("sample", "Overview"), "url": "#main", "current": True, "count": None},
                {"label": pgettext_lazy("sample", "Services"), "url": "#main", "current": False, "count": 47},
            ],
            "steps": [
                (pgettext_lazy("sample", "Requested"), "done", moment),
                (pgettext_lazy("sample", "Assigned"), "done", moment),
                (pgettext_lazy("sample", "On the way"), "now", None),
                (pgettext_lazy("sample", "Confirmed"), "", None),
            ],
            "table_columns": ["姓名", "年龄", "证件号码", "所在区划"],
            "table_rows": [
                ["王桂兰", 84, "210802********2024", "站前区建丰街道"],
                ["李长海", 88, "", "盖州市鼓楼街道"],
            ],
            "icon_names": icon_names(),
        }


@cache
def icon_names() -> list[str]:
    """All icons of the sprite."""
    return re.findall(r'id="i-([\w-]+)"', (Path(__file__).parent / "static/ui/icons.svg").read_text())
