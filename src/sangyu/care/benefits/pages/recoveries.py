"""Recoveries: what was paid and not due, agreed instalments, money that came back, writing off."""

import secrets

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.ui import format as fmt
from sangyu.ui.pages import (
    ActionPage,
    Choice,
    Day,
    DetailPage,
    FormPage,
    Link,
    ListPage,
    Moment,
    Money,
    Number,
    Status,
    Text,
    rows_tab,
)

from .. import forms, selectors, services, subjects
from ..enums import Basis, RecoveryState
from ..models import Recovery

PARENT = ("benefits:recoveries", pgettext_lazy("navigation", "Recoveries"))
_LIVE = (RecoveryState.OPEN, RecoveryState.AGREED)


class RecoveryList(ListPage):
    url, name, permission, title = (
        "recoveries/",
        "recoveries",
        "benefits.recover",
        pgettext_lazy("navigation", "Recoveries"),
    )
    model = Recovery
    unit = _("cases")
    search, search_label = (
        staticmethod(lambda rows, text: subjects.named(rows).filter(subject_name__startswith=text)),
        _("Name"),
    )
    filters = ["state"]
    sort = "-id"
    related = ("run", "fund")
    personal = "benefits.recoveries"
    columns = [
        Text("number", _("Number"), link="benefits:recovery"),
        Text("subject_name", pgettext_lazy("benefits", "Recipient")),
        Status("state", _("State"), enum=RecoveryState, sort=True),
        Money("amount", _("Over-paid"), sort=True),
        Money("repaid", _("Repaid")),
        Money("left", _("Still owed")),
        Text("payer", _("Who repays")),
        Text("run.number", _("Run"), hidden=True),
        Moment("created_at", _("Opened at"), sort=True),
    ]
    presets = [(_("To be agreed"), "state=open"), (_("Running"), "state=agreed")]
    empty_text = _("Over-payments that a run finds are listed here.")

    def prepared(self, rows):
        return subjects.named(super().prepared(rows))


def _lines(page):
    case = page.object
    rows = selectors.lines(page.actor).filter(
        run_id=case.run_id, subject_kind=case.subject_kind, subject_id=case.subject_id, kind="recovery"
    )
    return rows.order_by("month", "policy")


class RecoveryDetail(DetailPage):
    url, name, permission = "recoveries/<int:pk>/", "recovery", "benefits.recover"
    model, related, parent = Recovery, ("run", "fund"), PARENT
    facts = [
        Status("state", _("State"), enum=RecoveryState),
        Money("amount", _("Over-paid")),
        Money("left", _("Still owed")),
    ]
    summary = [
        (
            _("Case"),
            [
                Text("subject_name", pgettext_lazy("benefits", "Recipient")),
                Text("run.number", _("Run"), link=lambda c: reverse("benefits:detail", args=[c.run_id])),
                Text("fund.name", _("Fund source")), Text("payer", _("Who repays")), Text("note", _("Note")),
                Number("deduct_share", _("At most of a month's payments (%)")), Choice("deduct_basis", _("Ground"), enum=Basis),
                Text("deduct_evidence", _("Paper of the ground")),
                Text("deduct_from", _("Deducted from"), value=lambda c: f"{c.deduct_from:%Y-%m}" if c.deduct_from else ""),
                Moment("created_at", _("Opened at")), Moment("closed_at", _("Closed at")),
            ],
        )
    ]  # fmt: skip
    tabs = [
        rows_tab(
            "lines",
            _("What was over-paid"),
            [
                Text("month", _("Month"), value=lambda x: f"{x.month:%Y-%m}", link="benefits:line"), Text("policy", _("Policy")),
                Money("before", pgettext_lazy("benefits", "Released")), Money("computed", pgettext_lazy("benefits", "Due")), Money("amount", _("Difference")),
            ],
            _lines,
        ),
        rows_tab(
            "instalments",
            _("Instalments"),
            [Day("due_on", pgettext_lazy("benefits", "Due on")), Money("amount", _("Amount")), Money("repaid", _("Repaid"))],
            lambda page: page.object.instalments.order_by("number"),
        ),
        rows_tab(
            "repayments",
            _("Repayments"),
            [Day("received_on", _("Received on")), Money("amount", _("Amount")), Text("receipt", _("Receipt")),
             Text("actor", _("Recorded by"))],
            lambda page: page.object.repayments.order_by("id"),
        ),
        rows_tab(
            "deductions",
            _("Deductions"),
            [Text("payment", _("Payment"), value=lambda d: d.payment.reference), Text("policy", _("Policy"), value=lambda d: d.payment.policy),
             Moment("made_at", _("Kept back at")), Money("amount", _("Amount")), Moment("undone_at", _("Taken back at"))],
            lambda page: page.object.deductions.select_related("payment").order_by("id"),
        ),
    ]  # fmt: skip
    actions = [
        Link(
            _("Deduct from payments"),
            "benefits:deduct",
            "",
            "benefits.recover",
            "",
            when=lambda c: c.state == RecoveryState.AGREED,
        ),
        Link(
            _("Deduct no more"),
            "benefits:stop_deducting",
            "",
            "benefits.recover",
            "",
            "dialog",
            when=lambda c: c.state == RecoveryState.AGREED and c.deduct_share is not None,
        ),
        Link(_("Agree instalments"), "benefits:agree", "", "benefits.recover", "", when=lambda c: c.state in _LIVE),
        Link(_("Write off"), "benefits:waive", "", "benefits.waive", "", "dialog", when=lambda c: c.state in _LIVE),
        Link(_("Money came back"), "benefits:repay", "", "benefits.recover", "pri", when=lambda c: c.state in _LIVE),
    ]

    def get_queryset(self):
        return subjects.named(selectors.recoveries(self.actor))


class _Form(FormPage):
    permission, model, parent = "benefits.recover", Recovery, PARENT
    argument, detail = "recovery_id", "benefits:recovery"


class Agree(_Form):
    url, name, title = "recoveries/<int:pk>/agree/", "agree", _("Agree instalments")
    form_class, service, success = forms.AgreeForm, services.agree, _("Agreed.")

    def get_initial(self) -> dict:
        return {"instalments": 1, "payer": self.object.payer, "first_due": services.add_months(timezone.localdate(), 1)}


class Deduct(_Form):
    url, name, title = "recoveries/<int:pk>/deduct/", "deduct", _("Deduct from payments")
    form_class, service, success = forms.DeductForm, services.deduct, _("Recorded.")

    def get_initial(self) -> dict:
        c = self.object
        return {
            "share": c.deduct_share or c.fund.deduct_most, "basis": c.deduct_basis, "evidence": c.deduct_evidence,
            "since": c.deduct_from or services.add_months(timezone.localdate(), 1),
        }  # fmt: skip


class StopDeducting(ActionPage):
    url, name, permission, title = (
        "recoveries/<int:pk>/stop-deducting/", "stop_deducting", "benefits.recover", _("Deduct no more"),
    )  # fmt: skip
    model, parent, argument, detail = Recovery, PARENT, "recovery_id", "benefits:recovery"
    form_class, submit_label, service, success = (
        forms.ReasonForm,
        _("Deduct no more"),
        services.stop_deducting,
        _("Recorded."),
    )

    def confirm_text(self) -> str:
        return self.object.number


class Repay(_Form):
    url, name, title = "recoveries/<int:pk>/repay/", "repay", _("Money came back")
    form_class, service, success = forms.RepayForm, services.repay, _("Recorded.")

    def get_initial(self) -> dict:
        return {"received_on": timezone.localdate()}

    def arguments(self, form) -> dict:
        given = form.cleaned_data
        return {**given, "key": f"{given['receipt'].strip()[:50]}" or secrets.token_hex(4)}


class Waive(ActionPage):
    url, name, permission, title = "recoveries/<int:pk>/waive/", "waive", "benefits.waive", _("Write off")
    model, parent, argument, detail = Recovery, PARENT, "recovery_id", "benefits:recovery"
    form_class, submit_label, irreversible, leaves = forms.ReasonForm, _("Write off"), True, True
    service, success = services.waive, _("Written off.")

    def confirm_text(self) -> str:
        c = self.object
        return gettext("%(left)s of %(number)s will never be claimed again.") % {
            "left": fmt.money(c.left), "number": c.number,
        }  # fmt: skip
