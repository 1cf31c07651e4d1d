"""Screens of contracts and prices."""

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.importing.importer import Importer
from sangyu.registry.regions import selectors as regions
from sangyu.ui.fields import ReasonForm
from sangyu.ui.pages import (
    ActionPage,
    Choice,
    Day,
    DetailPage,
    FormPage,
    ImportPage,
    Link,
    ListPage,
    Money,
    Number,
    PaperPage,
    Status,
    Text,
    paper_url,
    paper_word,
    rows_tab,
)

from . import forms, selectors, services
from .enums import ContractState
from .models import Contract, Price
from .pages import _Edit, _EndPart

PARENT = ("organisations:contracts", _("Purchase contracts"))


class ContractList(ListPage):
    url, name, permission, title = "contracts/", "contracts", "organisations.contracts", _("Purchase contracts")
    model = Contract
    unit = _("contracts")
    search = ("number", "title", "organisation__name__startswith")
    filters = ["state", "settlement"]
    sort = "-valid_from"
    related = ("organisation", "region")
    columns = [
        Text("number", _("Number"), link="organisations:contract", sort=True),
        Text("title", _("Title")),
        Text("organisation.name", _("Organisation"), sort="organisation__name"),
        Status("state", _("State"), enum=ContractState, sort=True),
        Text("region.name", _("Purchaser")),
        Day("valid_from", _("From"), sort=True),
        Day("last_day", _("Last day"), sort="valid_to"),
        Money("budget_fen", _("Budget"), sort=True),
        Choice("settlement", _("Settlement"), hidden=True),
    ]
    head = [Link(_("Import prices"), "organisations:price-import", "ul", "organisations.contract")]
    empty_text = _("Contracts are drafted on the page of the organisation.")


class PriceUpload(ImportPage):
    url, name, permission, title = "prices/import/", "price-import", "organisations.contract", _("Import prices")
    parent, back_url = PARENT, "organisations:contracts"
    importer = Importer("organisations.prices")


class ContractDetail(DetailPage):
    url, name, permission = "contracts/<int:pk>/", "contract", "organisations.contracts"
    model, related, parent = Contract, ("organisation", "region"), PARENT
    facts = [
        Status("state", _("State"), enum=ContractState),
        Day("valid_from", _("From")),
        Day("last_day", _("Last day")),
    ]
    summary = [
        (
            _("Contract"),
            [
                Text("number", _("Number")),
                Text(
                    "organisation.name",
                    _("Organisation"),
                    link=lambda c: reverse("organisations:detail", args=[c.organisation_id]),
                ),
                Text("region.full_name", _("Purchaser")),
                Text("procurement", _("Procurement document")),
                Text("terms", _("Terms")),
                Day("signed_at", _("Signed at")),
                Day("ended_at", _("Ended at")),
                Text("paper", _("Scanned paper"), value=paper_word, link=paper_url),
            ],
        ),
        (
            _("Money"),
            [
                Choice("settlement", _("Settlement")),
                Number("settlement_day", _("Day of settlement")),
                Money("budget_fen", _("Budget")),
                Money("month_budget_fen", _("Monthly budget")),
                Number("cancel_free_hours", _("Free cancelling until (hours before)")),
                Number("cancel_fee_percent", _("Cancelling fee (percent)")),
            ],
        ),
    ]
    tabs = [
        rows_tab(
            "prices",
            _("Prices"),
            [
                Text("item_name", _("Service")),
                Money("unit_price", _("Unit price")),
                Number("month_quota", _("Units per month at most")),
                Number("quota", _("Units in all at most")),
                Day("valid_from", _("From")),
                Day("last_day", _("Last day")),
            ],
            lambda page: selectors.with_item_names(page.object.prices.all(), page.object.path),
            head=[
                Link(
                    _("Set price"),
                    "organisations:contract-price",
                    "plus",
                    "organisations.contract",
                    when=lambda c: c.state != ContractState.ENDED,
                )
            ],
            empty_text=_("A contract needs at least one price before it can be signed."),
        )
    ]
    actions = [
        Link(
            _("Edit"),
            "organisations:contract-edit",
            "edit",
            "organisations.contract",
            when=lambda c: c.state == ContractState.DRAFT,
        ),
        Link(_("Add paper"), "organisations:contract-paper", "dl", "organisations.contract"),
        Link(
            _("Sign"),
            "organisations:contract-sign",
            "check",
            "organisations.contract",
            "pri",
            "dialog",
            when=lambda c: c.state == ContractState.DRAFT,
        ),
        Link(
            _("End"),
            "organisations:contract-end",
            "off",
            "organisations.contract",
            "badline",
            "dialog",
            when=lambda c: c.state == ContractState.ACTIVE,
        ),
    ]

    def history_of(self) -> tuple:
        return tuple(self.object.prices.all())


class ContractNew(_Edit):
    url, name, permission, title = (
        "<int:pk>/contracts/new/",
        "contract-new",
        "organisations.contract",
        _("Draft contract"),
    )
    form_class, wide, service = forms.ContractForm, ("terms",), services.draft_contract

    def arguments(self, form) -> dict:
        return {"region": regions.at_path(self.actor.path), **form.cleaned_data}

    def success_url(self, result) -> str:
        return reverse("organisations:contract", args=[result.pk])


class ContractEdit(FormPage):
    url, name, permission, title = (
        "contracts/<int:pk>/edit/",
        "contract-edit",
        "organisations.contract",
        _("Edit contract"),
    )
    model, form_class, parent, wide = Contract, forms.ContractForm, PARENT, ("terms",)
    service, argument, detail = services.change_contract, "contract_id", "organisations:contract"

    def get_initial(self) -> dict:
        return {f: getattr(self.object, f) for f in forms.ContractForm.base_fields}


class ContractPaper(PaperPage):
    url, name, permission, title = (
        "contracts/<int:pk>/paper/",
        "contract-paper",
        "organisations.contract",
        _("Paper of the contract"),
    )
    model, parent = Contract, PARENT
    service, argument, detail = services.attach_contract_paper, "contract_id", "organisations:contract"


class _ContractAct(ActionPage):
    model, parent, permission, leaves = Contract, PARENT, "organisations.contract", True
    related, argument, detail = ("organisation",), "contract_id", "organisations:contract"

    def arguments(self, form) -> dict:
        return {**form.cleaned_data, "expect": self.object.state}


class ContractSign(_ContractAct):
    url, name, title, submit_label = "contracts/<int:pk>/sign/", "contract-sign", _("Sign contract"), _("Sign")
    service, success = services.sign_contract, _("In force.")

    def confirm_text(self) -> str:
        what = {"number": self.object.number, "name": self.object.organisation.name}
        return gettext("Contract %(number)s with “%(name)s” comes into force and can no longer be changed.") % what


class ContractEnd(_ContractAct):
    url, name, title, submit_label = "contracts/<int:pk>/end/", "contract-end", _("End contract"), _("End")
    form_class, irreversible = ReasonForm, True
    service, success = services.end_contract, _("Ended.")

    def confirm_text(self) -> str:
        what = {"number": self.object.number, "name": self.object.organisation.name}
        return gettext("Contract %(number)s with “%(name)s” ends today; its open orders go back to dispatch.") % what


class PriceNew(_Edit):
    url, name, permission, title = "<int:pk>/prices/new/", "price-new", "organisations.own", _("Set market price")
    form_class, tab, service = forms.PriceForm, "prices", services.set_price

    def form_kwargs(self) -> dict:
        return {"path": self.object.path, "day": timezone.localdate()}

    def get_initial(self) -> dict:
        return {"valid_from": timezone.localdate()}

    def arguments(self, form) -> dict:
        return {"today": timezone.localdate(), **form.cleaned_data}


class ContractPrice(FormPage):
    url, name, permission = "contracts/<int:pk>/prices/new/", "contract-price", "organisations.contract"
    title, model, form_class, parent = _("Set price"), Contract, forms.PriceForm, PARENT
    service, argument, detail, tab = services.set_price, "contract_id", "organisations:contract", "prices"

    def form_kwargs(self) -> dict:
        return {"path": self.object.path, "day": max(self.object.valid_from, timezone.localdate())}

    def get_initial(self) -> dict:
        draft = self.object.state == ContractState.DRAFT
        return {"valid_from": self.object.valid_from if draft else timezone.localdate() + timedelta(days=1)}

    def arguments(self, form) -> dict:
        return {"today": timezone.localdate(), **form.cleaned_data}


class PriceEnd(_EndPart):
    url, name, permission, model, tab = "prices/<int:pk>/end/", "price-end", "organisations.own", Price, "prices"
    service, argument = services.end_price, "price_id"

    def arguments(self, form) -> dict:
        return {"today": timezone.localdate(), **form.cleaned_data}
