"""Forms of settlement."""

from django import forms
from django.utils.translation import gettext_lazy as _

from sangyu.care.orders import selectors as orders
from sangyu.kernel.actor import Actor
from sangyu.registry.organisations import selectors as organisations
from sangyu.registry.regions.fields import RegionField
from sangyu.ui.fields import YuanField

from .services import cut_off


class ClosePeriodForm(forms.Form):
    """Which month of which purchasing region is closed."""

    region = RegionField(label=_("Purchaser"))
    period = forms.DateField(label=_("Month"), help_text=_("Any day of the month."))

    def __init__(self, *args, actor: Actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["region"].for_actor(actor)


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea({"rows": 3}))


class AnswerForm(ReasonForm):
    adjustment = YuanField(
        label=_("Adjustment (yuan)"), required=False, min_value=None, help_text=_("Negative = less.")
    )


def providers_with_visits(path: str, period) -> dict[int, str]:
    """Providers that have something to settle under ``path`` for the month: id → name."""
    return organisations.names(orders.settleable_organisations(path=path, until=cut_off(period)))
