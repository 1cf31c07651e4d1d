"""Form fields and small forms that several rooms use. The last day is asked as it is printed."""

from datetime import timedelta

from django import forms
from django.utils.translation import gettext_lazy as _


class YuanField(forms.DecimalField):
    """Yuan on the screen, fen in ``cleaned_data``."""

    def __init__(self, *, min_value=0, **kwargs) -> None:
        super().__init__(min_value=min_value, max_digits=12, decimal_places=2, **kwargs)

    def clean(self, value):
        found = super().clean(value)
        return None if found is None else int(found * 100)

    def prepare_value(self, value):
        return f"{value / 100:.2f}" if isinstance(value, int) else value


class IntervalForm(forms.Form):
    """``valid_from`` and the printed last day; ``cleaned_data`` has the exclusive ``valid_to``."""

    valid_from = forms.DateField(label=_("From"))
    last_day = forms.DateField(label=_("Last day"), required=False, help_text=_("Empty = without end."))

    def clean(self) -> dict:
        cleaned = super().clean()
        last = cleaned.pop("last_day", None)
        if last and cleaned.get("valid_from") and last < cleaned["valid_from"]:
            self.add_error("last_day", _("The last day lies before the first."))
        cleaned["valid_to"] = last + timedelta(days=1) if last else None
        return cleaned


class PaperForm(forms.Form):
    """A scanned or photographed paper."""

    file = forms.FileField(
        label=_("Scanned paper"),
        help_text=_("Photograph or PDF; replaces the one shown, which stays in the history."),
        widget=forms.ClearableFileInput({"accept": "image/jpeg,image/png,image/webp,application/pdf"}),
    )


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea({"rows": 2}))


class OptionalReasonForm(forms.Form):
    """Why something is done that needs no reason."""

    reason = forms.CharField(label=_("Reason"), max_length=300, required=False)


class EndDayForm(forms.Form):
    """First day on which a dated row holds no more."""

    day = forms.DateField(label=_("Holds no more from"))
