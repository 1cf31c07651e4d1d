"""Forms of benefit runs and payments."""

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.care.vouchers import selectors as vouchers
from sangyu.kernel.actor import Actor
from sangyu.registry.regions.fields import RegionField
from sangyu.ui.fields import YuanField

from . import layouts, selectors
from .enums import Basis, By, FileKind, Form, FundKind


class RegionForm(forms.Form):
    """Begins with the actor's region."""

    region = RegionField(label=_("Region"))

    def __init__(self, *args, actor: Actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        self.fields["region"].for_actor(actor)


class BeginForm(RegionForm):
    month = forms.DateField(label=_("Month"), help_text=_("Any day of the month."))
    back_months = forms.IntegerField(
        label=_("Earlier months looked at again"), initial=3, min_value=0, max_value=24,
        help_text=_("What became known since is paid as arrears or claimed as over-payment."),
    )  # fmt: skip


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea({"rows": 3}))


class NoteForm(forms.Form):
    note = forms.CharField(label=_("Note"), max_length=300, required=False, widget=forms.Textarea({"rows": 2}))


class PublishForm(forms.Form):
    days = forms.IntegerField(label=_("Days"), min_value=1, max_value=60)


class BankFileForm(RegionForm):
    layout = forms.ChoiceField(label=_("Layout"))

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["layout"].choices = layouts.choices(FileKind.BANK)


class _PolicyForm(RegionForm):
    """Asks for a policy of ``form`` that waits to be paid."""

    policy = forms.ChoiceField(label=_("Policy"))
    pays = (Form.VOUCHER, Form.SERVICE)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        due = {policy for form, policy, _n, _fen in selectors.forms_due(self.actor) if form in self.pays}
        self.fields["policy"].choices = sorted(selectors.policy_names(due).items())


class VoucherForm(_PolicyForm):
    programme_id = forms.TypedChoiceField(label=_("Voucher programme"), coerce=int)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        rows = vouchers.programmes_in_force(self.actor, timezone.localdate())
        self.fields["programme_id"].choices = [(p.pk, p.name) for p in rows]


class InsurerForm(_PolicyForm):
    layout = forms.ChoiceField(label=_("Layout"))
    pays = (Form.INSURANCE,)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["layout"].choices = layouts.choices(FileKind.INSURER)


class AgreeForm(forms.Form):
    payer = forms.CharField(label=_("Who repays"), max_length=60)
    instalments = forms.IntegerField(label=_("Instalments"), min_value=1, max_value=60, initial=1)
    first_due = forms.DateField(label=_("First due on"))
    note = forms.CharField(label=_("Note"), max_length=300, required=False)


class DeductForm(forms.Form):
    share = forms.IntegerField(label=_("At most of a month's payments (%)"), min_value=1, max_value=100)
    basis = forms.ChoiceField(label=_("Ground"), choices=Basis.choices)
    evidence = forms.CharField(label=_("Paper of the ground"), max_length=100)
    since = forms.DateField(label=_("From month"))


class DeductibleForm(forms.Form):
    share = forms.IntegerField(
        label=_("Deductible share (%)"),
        min_value=1,
        max_value=100,
        required=False,
        help_text=_("Empty: nothing is deducted."),
    )
    document = forms.CharField(label=_("Document of the share"), max_length=60, required=False)


class RepayForm(forms.Form):
    amount = YuanField(label=_("Amount (yuan)"))
    received_on = forms.DateField(label=_("Received on"))
    receipt = forms.CharField(label=_("Receipt"), max_length=60)


class FundForm(RegionForm):
    code = forms.CharField(label=_("Code"), max_length=40, help_text=_("As policies name it under fund."))
    name = forms.CharField(label=pgettext_lazy("thing", "Name"), max_length=60)
    kind = forms.ChoiceField(label=_("Kind"), choices=FundKind.choices)
    valid_from = forms.DateField(label=_("From"))
    policies = forms.CharField(
        label=_("Only for"),
        required=False,
        max_length=500,
        help_text=_("Policy codes with blanks between; empty = any."),
    )
    purpose = forms.CharField(label=_("Purpose"), required=False, max_length=200)
    document_number = forms.CharField(label=_("Document number"), required=False, max_length=60)
    limited = forms.BooleanField(label=_("Only what has come in"), required=False)


class BudgetForm(forms.Form):
    year = forms.IntegerField(label=_("Year"), min_value=2000, max_value=2100)
    amount = YuanField(label=_("Budget (yuan)"))
    document_number = forms.CharField(label=_("Document number"), max_length=60)


class MoneyForm(forms.Form):
    amount = YuanField(label=_("Amount (yuan)"))
    day = forms.DateField(label=_("Day"))
    key = forms.CharField(label=_("Voucher number"), max_length=60, help_text=_("The same number is booked once."))
    note = forms.CharField(label=_("Note"), max_length=200, required=False)


class TotalsForm(forms.Form):
    """What the page of totals is asked."""

    by = forms.ChoiceField(label=pgettext_lazy("benefits", "By"), choices=By.choices, required=False)
    since = forms.DateField(label=_("From month"), required=False)
    until = forms.DateField(label=_("To month"), required=False)
