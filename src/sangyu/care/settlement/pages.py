"""Screens of settlement: statements of the bureau and of the provider, closing a period, paper and workbook."""

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.errors import Refused
from sangyu.registry.regions import selectors as regions
from sangyu.ui import format as fmt
from sangyu.ui.nav import Group, Nav
from sangyu.ui.pages import (
    ActionPage,
    Choice,
    Day,
    DetailPage,
    FilePage,
    FormPage,
    Link,
    ListPage,
    Made,
    Money,
    Number,
    Status,
    Text,
    rows_tab,
)

from . import documents, forms, selectors, services
from .enums import LineKind, State
from .models import Statement

NAV = [
    Nav(
        pgettext_lazy("navigation", "Provider statements"), "doc", "settlement:list", "settlement.view", Group.MONEY, 30, selectors.waiting,
        audiences=("staff", "provider"),
    )
]  # fmt: skip
PARENT = ("settlement:list", pgettext_lazy("navigation", "Provider statements"))


class StatementList(ListPage):
    url, name, permission, title = "", "list", "settlement.view", _("Statements")
    model = Statement
    unit = _("statements")
    search = ("number", "organisation__name", "organisation__initials")
    search_label = _("Number, provider or initials")
    filters = ["state"]
    sort = "-period"
    related = ("organisation", "region")
    columns = [
        Text("number", _("Number"), link="settlement:detail"),
        Text("organisation.name", _("Provider")),
        Day("period", _("Month"), sort=True),
        Status("state", _("State"), enum=State, sort=True),
        Number("line_count", pgettext_lazy("benefits", "Lines"), sort=True),
        Money("price", _("Price"), hidden=True),
        Money("voucher", _("Voucher")),
        Money("public_pay", _("Public pay"), hidden=True),
        Money("self_pay", _("Self pay")),
        Money("payable", _("Payable")),
        Text("region.name", _("Purchaser")),
    ]
    head = [Link(_("Close a month"), "settlement:close", "plus", "settlement.close", "pri")]
    presets = [(_("Objected"), "state=objected"), (_("To approve"), "state=confirmed"), (_("To pay"), "state=approved")]
    empty_text = _("Close a month to make the providers' statements.")

    def rows(self):
        return super().rows().filter(pk__in=selectors.statements_visible(self.actor).values("pk"))


def _when(*states):
    return lambda s: s.state in states


class StatementDetail(DetailPage):
    url, name, permission = "<int:pk>/", "detail", "settlement.view"
    model, related, parent = Statement, ("organisation", "region"), PARENT
    facts = [
        Status("state", _("State"), enum=State),
        Text("organisation.name", _("Provider")),
        Money("payable", _("Payable")),
    ]
    summary = [
        (
            _("Statement"),
            [
                Text("number", _("Number")),
                Text("organisation.name", _("Provider")),
                Text("region.full_name", _("Purchaser")),
                Day("period", _("Month")),
                Number("line_count", pgettext_lazy("benefits", "Lines")),
                Text("objection", _("Objection")),
            ],
        ),
        (
            _("Amounts"),
            [
                Money("price", _("Price")),
                Money("concession", _("Concession")),
                Money("voucher", _("Voucher")),
                Money("public_pay", _("Public pay")),
                Money("self_pay", _("Self pay")),
                Money("payable", _("Payable")),
            ],
        ),
        (
            _("Who and when"),
            [
                Text("frozen_by", _("Frozen by")),
                Day("frozen_at", _("Frozen on")),
                Day("confirmed_at", _("Confirmed on")),
                Text("approved_by", _("Approved by")),
                Day("approved_at", _("Approved on")),
                Day("paid_at", _("Paid on")),
            ],
        ),
    ]
    tabs = [
        rows_tab(
            "lines",
            pgettext_lazy("benefits", "Lines"),
            [
                Day("day", _("Day")),
                Text("number", _("Order number")),
                Text("person_masked", _("Elder")),
                Text("item_name", _("Service")),
                Choice("kind", _("Kind"), enum=LineKind),
                Number("minutes", _("Minutes")),
                Money("price", _("Price")),
                Money("concession", _("Concession")),
                Money("voucher", _("Voucher")),
                Money("public_pay", _("Public pay")),
                Money("self_pay", _("Self pay")),
                Text("note", _("Note")),
            ],
            lambda page: selectors.lines(page.object),
        )
    ]
    actions = [
        Link(_("PDF"), "settlement:pdf", "print", "settlement.view"),
        Link(_("Workbook"), "settlement:xlsx", "dl", "settlement.view"),
        Link(
            _("Freeze and send"), "settlement:freeze", "", "settlement.close", "pri", "dialog", when=_when(State.DRAFT)
        ),
        Link(_("Discard"), "settlement:discard", "", "settlement.close", "", "dialog", when=_when(State.DRAFT)),
        Link(_("Answer"), "settlement:answer", "", "settlement.close", "pri", "dialog", when=_when(State.OBJECTED)),
        Link(_("Confirm"), "settlement:confirm", "", "settlement.confirm", "pri", "dialog", when=_when(State.FROZEN)),
        Link(_("Object"), "settlement:object", "", "settlement.confirm", "", "dialog", when=_when(State.FROZEN)),
        Link(
            _("Approve"), "settlement:approve", "", "settlement.approve", "pri", "dialog", when=_when(State.CONFIRMED)
        ),
        Link(_("Pay"), "settlement:pay", "", "settlement.pay", "pri", "dialog", when=_when(State.APPROVED)),
    ]

    def get_queryset(self):
        return selectors.statements_visible(self.actor)


class _Act(ActionPage):
    """An act on one statement that returns to its page."""

    model, related, parent = Statement, ("organisation",), PARENT
    argument, detail = "statement_id", "settlement:detail"
    words = ""

    def get_queryset(self):
        return selectors.statements_visible(self.actor)

    def confirm_text(self) -> str:
        s = self.object
        return str(self.words) % {
            "number": s.number,
            "who": s.organisation.name,
            "payable": fmt.money(s.payable),
            "lines": s.line_count,
        }


class Freeze(_Act):
    url, name, permission, title = "<int:pk>/freeze/", "freeze", "settlement.close", _("Freeze and send")
    submit_label, irreversible = _("Freeze and send"), True
    words = _("The %(lines)s lines of %(number)s will stand and %(who)s will be asked to confirm %(payable)s.")
    service, success = services.freeze, _("Sent to the provider.")


class Discard(_Act):
    url, name, permission, title = "<int:pk>/discard/", "discard", "settlement.close", _("Discard draft")
    submit_label, form_class = _("Discard"), forms.ReasonForm
    service, success = services.discard, _("Discarded.")


class Answer(_Act):
    url, name, permission, title = "<int:pk>/answer/", "answer", "settlement.close", _("Answer the objection")
    submit_label, form_class = _("Send again"), forms.AnswerForm
    service, success = services.answer, _("Sent to the provider.")

    def arguments(self, form) -> dict:
        return {**form.cleaned_data, "adjustment": form.cleaned_data["adjustment"] or 0}


class Confirm(_Act):
    url, name, permission, title = "<int:pk>/confirm/", "confirm", "settlement.confirm", _("Confirm statement")
    submit_label, irreversible = _("Confirm"), True
    words = _("You agree that %(number)s with %(lines)s lines comes to %(payable)s.")
    service, success = services.confirm, _("Confirmed.")


class Object(_Act):
    url, name, permission, title = "<int:pk>/object/", "object", "settlement.confirm", _("Object to the statement")
    submit_label, form_class = _("Object"), forms.ReasonForm
    service, success = services.object_to, _("Returned with your reason.")


class Approve(_Act):
    url, name, permission, title = "<int:pk>/approve/", "approve", "settlement.approve", _("Approve statement")
    submit_label, irreversible = _("Approve"), True
    words = _("%(payable)s for %(who)s (%(number)s) may be paid.")
    service, success = services.approve, _("Approved.")


class Pay(_Act):
    url, name, permission, title = "<int:pk>/pay/", "pay", "settlement.pay", _("Pay statement")
    submit_label, irreversible = _("Pay"), True
    words = _("%(payable)s are paid to %(who)s for %(number)s. This cannot be taken back.")
    service, success = services.pay, _("Paid.")


class ClosePeriod(FormPage):
    url, name, permission, title = "close/", "close", "settlement.close", _("Close a month")
    form_class, parent, submit_label = forms.ClosePeriodForm, PARENT, _("Make drafts")
    intro = _("Makes a draft for each provider with confirmed visits that stand on no statement. Nothing is sent yet.")

    def form_kwargs(self) -> dict:
        return {"actor": self.actor}

    def save(self, form) -> dict:
        region = regions.region(form.cleaned_data["region"])
        period = form.cleaned_data["period"]
        found = forms.providers_with_visits(region.path, period)
        if not found:
            raise Refused(gettext("No provider has anything to settle for this month."), code="settlement.nothing")
        return services.close_period(
            actor=self.actor, region_id=region.pk, organisation_ids=sorted(found), period=period
        )

    def success_message(self, result: dict) -> str:
        return gettext("%(made)s drafts made, %(skipped)s providers skipped.") % {
            "made": len(result["made"]),
            "skipped": len(result["skipped"]),
        }

    def success_url(self, result: dict) -> str:
        return reverse("settlement:list") + "?state=draft"


class Pdf(FilePage):
    url, name, permission, title, what = "<int:pk>/pdf/", "pdf", "settlement.view", _("Statement"), "settlement.pdf"

    def make(self) -> Made:
        statement = selectors.get_statement(self.actor, self.kwargs["pk"])
        return Made(documents.statement_pdf(statement, now=timezone.now()), f"{statement.number}.pdf", [statement])


class Xlsx(FilePage):
    url, name, permission, title, what = "<int:pk>/xlsx/", "xlsx", "settlement.view", _("Statement"), "settlement.xlsx"

    def make(self) -> Made:
        statement = selectors.get_statement(self.actor, self.kwargs["pk"])
        return Made(documents.statement_xlsx(statement), f"{statement.number}.xlsx", [statement])
