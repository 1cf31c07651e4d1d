"""Fees by month and deposits that are still held (R-089)."""

import django_filters
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from sangyu.ui.pages import ActionPage, Bulk, Choice, Custom, Day, FormPage, Link, ListPage, Moment, Money, Text

from . import forms, selectors, services
from .enums import FeeKind, Payer
from .models import Binding, Fee
from .pages import LIST


class FeeFilters(django_filters.FilterSet):
    month = django_filters.DateFilter(label=_("Month"), method="by_month")
    kind = django_filters.ChoiceFilter(label=_("Kind of fee"), choices=FeeKind.choices)
    payer = django_filters.ChoiceFilter(label=_("Who pays"), choices=Payer.choices)
    paid = django_filters.ChoiceFilter(
        label=pgettext_lazy("fee", "Paid"),
        choices=[("yes", pgettext_lazy("fee", "Paid")), ("no", pgettext_lazy("fee", "Open"))],
        method="by_paid",
    )

    class Meta:
        model = Fee
        fields: list[str] = []

    def by_month(self, rows, name, value):
        return rows.filter(month=value.replace(day=1))

    def by_paid(self, rows, name, value):
        return rows.filter(paid_on__isnull=value == "no")


class FeeList(ListPage):
    url, name, permission, title = "fees/", "fees", "devices.fees", _("Fees of devices")
    model, related, unit, parent, personal = Fee, ("device", "person"), _("fees"), LIST, "devices.fees"
    filters, search, sort = FeeFilters, ("device__identity",), "-month"
    search_label = _("Device number")
    columns = [
        Text("device.identity", _("Device number"), link=lambda f: reverse("devices:detail", args=[f.device_id])),
        Custom("month", _("Month"), draw=lambda f: f"{f.month:%Y-%m}", sort=True),
        Choice("kind", _("Kind of fee"), enum=FeeKind),
        Money("amount", _("Amount")),
        Choice("payer", _("Who pays"), enum=Payer),
        Text("person.name", _("Elder")),
        Day("paid_on", _("Paid on")),
        Text("reference", _("Voucher or invoice number")),
    ]
    head = [Link(_("Register a month"), "devices:charge", "plus", "devices.fees", "pri")]
    presets = [(pgettext_lazy("fee", "Open"), "paid=no"), (_("Government, open"), "payer=government&paid=no")]
    row_actions = [
        Link(
            pgettext_lazy("fee", "Paid"),
            "devices:paid",
            permission="devices.fees",
            method="dialog",
            when=lambda f: f.paid_on is None,
        )
    ]
    bulk = [
        Bulk(
            "paid", pgettext_lazy("fee", "Paid"), "devices.fees", form=forms.PaidBulkForm,
            each=lambda actor, row, **given: services.record_paid(actor=actor, fee_id=row.pk, **given) and None,
            confirm=_("Record {count} fees as paid?"),
        )
    ]  # fmt: skip
    empty_text = _("Register the fees of a month: one for each device that somebody had.")


class Charge(FormPage):
    url, name, permission, title = "fees/charge/", "charge", "devices.fees", _("Register the fees of a month")
    form_class, parent, service = forms.MonthForm, ("devices:fees", _("Fees of devices")), services.charge_month

    def success_url(self, result) -> str:
        return reverse("devices:fees")

    def success_message(self, result) -> str:
        return ngettext("%(n)d fee registered.", "%(n)d fees registered.", result) % {"n": result}


class Paid(ActionPage):
    url, name, permission, title = "fees/<int:pk>/paid/", "paid", "devices.fees", pgettext_lazy("fee", "Paid")
    model, related, parent, argument = Fee, ("device",), ("devices:fees", _("Fees of devices")), "fee_id"
    form_class, service, success, submit_label = (
        forms.PaidForm,
        services.record_paid,
        _("Recorded."),
        pgettext_lazy("fee", "Paid"),
    )

    def get_title(self) -> str:
        return f"{self.object.device} {self.object.month:%Y-%m} {self.object.get_kind_display()}"


class Deposits(ListPage):
    """Deposits of devices that came back and that were not paid back."""

    url, name, permission, title = "deposits/", "deposits", "devices.fees", _("Deposits to pay back")
    model, related, unit, parent, personal = Binding, ("device", "person"), _("deposits"), LIST, "devices.deposits"
    sort = "-returned_at"
    columns = [
        Text("device.identity", _("Device number"), link=lambda b: reverse("devices:detail", args=[b.device_id])),
        Text("person.name", _("Elder")),
        Moment("issued_at", _("Issued at")),
        Moment("returned_at", _("Returned at"), sort=True),
        Money("deposit", _("Deposit")),
    ]
    row_actions = [Link(_("Paid back"), "devices:pay-back", permission="devices.issue", method="dialog")]

    def get_queryset(self):
        return selectors.unsettled(self.actor)


class PayBack(ActionPage):
    url, name, permission, title = "deposits/<int:pk>/paid-back/", "pay-back", "devices.issue", _("Deposit paid back")
    model, related, parent, argument = (
        Binding,
        ("device",),
        ("devices:deposits", _("Deposits to pay back")),
        "binding_id",
    )
    form_class, service, success, submit_label = forms.DayForm, services.pay_back, _("Recorded."), _("Paid back")
    leaves = True
