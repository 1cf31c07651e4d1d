"""Payments and payment files: making, sending, downloading, return files, what the bank rejected."""

from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.errors import Refused
from sangyu.kernel.importing.importer import Importer
from sangyu.ui import format as fmt
from sangyu.ui.pages import (
    ActionPage,
    Bulk,
    Choice,
    DetailPage,
    FormPage,
    ImportPage,
    Link,
    ListPage,
    Moment,
    Money,
    Number,
    Status,
    Text,
    rows_tab,
)
from sangyu.ui.pages.file import FilePage, Made

from .. import forms, layouts, selectors, services, subjects
from ..enums import FileKind, FileState, Form, PaymentState, Result
from ..models import Payment, PaymentFile
from .runs import Month

PARENT = ("benefits:files", pgettext_lazy("navigation", "Payment files"))


class FileList(ListPage):
    url, name, permission, title = "files/", "files", "benefits.pay", pgettext_lazy("navigation", "Payment files")
    model = PaymentFile
    unit = _("files")
    search, search_label = ("number",), _("Number")
    filters = ["state", "kind"]
    sort = "-id"
    related = ("region",)
    columns = [
        Text("number", _("Number"), link="benefits:file"),
        Choice("kind", _("Kind"), enum=FileKind),
        Status("state", _("State"), enum=FileState, sort=True),
        Number("item_count", _("Payments")),
        Money("total", _("Amount"), sort=True),
        Text("region.name", _("Region")),
        Text("made_by", _("Made by")),
        Moment("made_at", pgettext_lazy("benefits", "Made at"), sort=True),
        Moment("settled_at", _("Settled at"), hidden=True),
    ]
    head = [
        Link(_("Payments"), "benefits:payments", "doc", "benefits.pay"),
        Link(_("Return file"), "benefits:return", "up", "benefits.settle"),
        Link(_("Insurer's list"), "benefits:file_insurer", "", "benefits.pay"),
        Link(_("Issue vouchers"), "benefits:file_vouchers", "", "benefits.pay"),
        Link(_("Bank file"), "benefits:file_bank", "plus", "benefits.pay", "pri"),
    ]
    presets = [(_("Waits for the answer"), "state=sent")]
    empty_text = _("Release a run, then make a file of what is due.")


class _Make(FormPage):
    permission, parent, submit_label = "benefits.pay", PARENT, _("Make the file")
    detail, success = "benefits:file", _("Made.")

    def form_kwargs(self) -> dict:
        return {"actor": self.actor}

    def arguments(self, form) -> dict:
        given = dict(form.cleaned_data)
        return {"region_id": given.pop("region"), **given}


class MakeBank(_Make):
    url, name, title = "files/bank/", "file_bank", _("Bank file")
    form_class, service = forms.BankFileForm, services.make_bank_file
    intro = _(
        "All payments that wait and whose account is approved. Rejected ones come again once their account is corrected."
    )


class MakeInsurer(_Make):
    url, name, title = "files/insurer/", "file_insurer", _("Insurer's list")
    form_class, service = forms.InsurerForm, services.make_insurer_file


class MakeVouchers(_Make):
    url, name, title = "files/vouchers/", "file_vouchers", _("Issue vouchers")
    form_class, service, submit_label = forms.VoucherForm, services.issue_vouchers, _("Issue")


class FileDetail(DetailPage):
    url, name, permission = "files/<int:pk>/", "file", "benefits.pay"
    model, related, parent = PaymentFile, ("region",), PARENT
    facts = [
        Status("state", _("State"), enum=FileState),
        Number("item_count", _("Payments")),
        Money("total", _("Amount")),
    ]
    summary = [
        (
            _("File"),
            [
                Choice("kind", _("Kind"), enum=FileKind), Text("region.full_name", _("Region")), Text("digest", _("SHA-256")),
                Text("made_by", _("Made by")), Moment("made_at", pgettext_lazy("benefits", "Made at")), Moment("sent_at", _("Sent at")),
                Moment("settled_at", _("Settled at")),
            ],
        )
    ]  # fmt: skip
    tabs = [
        rows_tab(
            "items",
            _("Payments"),
            [
                Number("number", _("No.")),
                Text(
                    "payment.reference",
                    _("Payment number"),
                    link=lambda i: reverse("benefits:payment", args=[i.payment_id]),
                ),
                Text("payee", _("Account holder")),
                Money("amount", _("Amount")),
                Status("result", _("Result"), enum=Result),
                Text("refusal", _("Reason")),
            ],
            lambda page: page.object.items.select_related("payment").order_by("-result", "number"),
        )
    ]
    actions = [
        Link(_("Download"), "benefits:file_download", "dl", "benefits.pay", when=lambda f: f.kind != FileKind.VOUCHER),
        Link(_("Discard"), "benefits:file_discard", "", "benefits.pay", "", "dialog", when=lambda f: f.state == FileState.MADE),
        Link(_("Sent"), "benefits:file_send", "", "benefits.pay", "pri", "dialog", when=lambda f: f.state == FileState.MADE),
        Link(_("All confirmed"), "benefits:file_confirm", "", "benefits.settle", "", "dialog",
             when=lambda f: f.state == FileState.SENT),
        Link(_("Return file"), "benefits:return", "up", "benefits.settle", "pri", args=lambda f: [],
             when=lambda f: f.state == FileState.SENT),
    ]  # fmt: skip

    def get_queryset(self):
        return selectors.files(self.actor)


class _Act(ActionPage):
    model, related, parent = PaymentFile, ("region",), PARENT
    argument, detail, leaves, words = "file_id", "benefits:file", True, ""

    def confirm_text(self) -> str:
        f = self.object
        return str(self.words) % {"number": f.number, "count": f.item_count, "total": fmt.money(f.total)}


class Send(_Act):
    url, name, permission, title = "files/<int:pk>/send/", "file_send", "benefits.pay", _("The file was sent")
    submit_label, irreversible = _("It was sent"), True
    words = _("%(number)s with %(count)s payments, %(total)s, was handed to the bank or insurer.")
    service, success = services.send, _("Booked as sent.")


class Discard(_Act):
    url, name, permission, title = "files/<int:pk>/discard/", "file_discard", "benefits.pay", _("Discard the file")
    submit_label, form_class = _("Discard"), forms.ReasonForm
    words = _("The %(count)s payments of %(number)s wait for another file.")
    service, success = services.discard, _("Discarded.")


class Confirm(_Act):
    url, name, permission, title = "files/<int:pk>/confirm/", "file_confirm", "benefits.settle", _("All confirmed")
    submit_label, irreversible = _("All confirmed"), True
    words = _("Every payment of %(number)s that still waits is booked as paid: %(count)s in the file, %(total)s.")
    service, success = services.confirm, _("Settled.")


class Download(FilePage):
    """The file in its layout; account numbers are in it, so the look is logged."""

    url, name, permission, title = "files/<int:pk>/download/", "file_download", "benefits.pay", _("Payment file")
    what = "benefits.paymentfile"

    def make(self) -> Made:
        made = selectors.get_file(self.actor, self.kwargs["pk"])
        if made.kind == FileKind.VOUCHER:
            raise Refused(gettext("Vouchers have no file."), code="benefits.no_file")
        layout = layouts.layouts()[made.layout]
        title = f"{made.number}　{made.item_count}　{made.total / 100:.2f}"
        ending, _kind, data = layouts.render(layout, selectors.file_items(made), title)
        return Made(data, f"{made.number}.{ending}", [made])


class ReturnImport(ImportPage):
    url, name, permission, title = "return/", "return", "benefits.settle", _("Return file")
    importer = Importer("benefits.return")
    back_url = "benefits:files"
    parent = PARENT


class PaymentList(ListPage):
    url, name, permission, title = "payments/", "payments", "benefits.pay", _("Payments")
    model = Payment
    unit = _("payments")
    search, search_label = (
        staticmethod(lambda rows, text: subjects.named(rows).filter(subject_name__startswith=text)),
        _("Name"),
    )
    filters = ["state", "form", "policy"]
    sort = "-id"
    related = ("line", "run", "fund")
    personal = "benefits.payments"
    columns = [
        Text("reference", _("Payment number"), link="benefits:payment"),
        Text("subject_name", pgettext_lazy("benefits", "Recipient")),
        Text("policy", _("Policy")),
        Month("line.month", _("Month")),
        Choice("form", _("Form"), enum=Form),
        Money("amount", _("Amount"), sort=True),
        Money("offset", _("Offset"), hidden=True),
        Status("state", _("State"), enum=PaymentState, sort=True),
        Text("refusal", _("What the bank said")),
        Number("attempts", _("Attempts"), hidden=True),
        Text("fund.name", _("Fund source"), hidden=True),
        Text("run.number", _("Run"), hidden=True),
    ]
    row_actions = [
        Link(
            _("Pay again"),
            "benefits:retry",
            "",
            "benefits.pay",
            "text",
            "post",
            when=lambda p: p.state == PaymentState.REJECTED,
        )
    ]
    bulk = [
        Bulk(
            "retry", _("Pay again"), "benefits.pay",
            each=lambda actor, row: services.retry(actor=actor, payment_id=row.pk) and None,
            confirm=_("Let {count} payments wait for the next file?"),
        )
    ]  # fmt: skip
    presets = [(_("Rejected"), "state=rejected"), (_("To pay"), "state=due")]

    def prepared(self, rows):
        return subjects.named(super().prepared(rows))


class PaymentDetail(DetailPage):
    url, name, permission = "payments/<int:pk>/", "payment", "benefits.pay"
    model, related, parent = Payment, ("line", "run", "fund"), ("benefits:payments", _("Payments"))
    history = False
    facts = [Status("state", _("State"), enum=PaymentState), Money("amount", _("Amount"))]
    summary = [
        (
            _("Payment"),
            [
                Text("run.number", _("Run"), link=lambda p: reverse("benefits:detail", args=[p.run_id])),
                Text("policy", _("Why"), link=lambda p: reverse("benefits:line", args=[p.line_id])),
                Month("line.month", _("Month")), Choice("form", _("Form"), enum=Form), Text("fund.name", _("Fund source")),
                Money("offset", _("Offset")), Money("deducted", _("Deducted")), Number("attempts", _("Attempts")), Text("refusal", _("What the bank said")),
                Moment("paid_at", _("Paid at")),
            ],
        )
    ]  # fmt: skip
    tabs = [
        rows_tab(
            "trail",
            _("Steps"),
            [Moment("at", _("When")), Text("action", _("Step")), Text("actor", _("Who")), Text("reason", _("Reason"))],
            lambda page: page.object.trail.order_by("-id"),
        )
    ]
    actions = [
        Link(
            _("Pay again"),
            "benefits:retry",
            "",
            "benefits.pay",
            "pri",
            "dialog",
            when=lambda p: p.state == PaymentState.REJECTED,
        )
    ]

    def get_queryset(self):
        return selectors.payments(self.actor)


class Retry(ActionPage):
    url, name, permission, title = "payments/<int:pk>/retry/", "retry", "benefits.pay", _("Pay again")
    model, parent, argument, detail = Payment, ("benefits:payments", _("Payments")), "payment_id", "benefits:payment"
    submit_label, service, success = _("Pay again"), services.retry, _("It waits for the next file.")
