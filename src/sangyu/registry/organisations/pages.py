"""Screens of the provider register. Contracts and prices: contract_pages."""

from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.importing.importer import Importer
from sangyu.ui.fields import OptionalReasonForm, ReasonForm
from sangyu.ui.nav import Group, Nav
from sangyu.ui.pages import (
    ActionPage,
    Choice,
    Day,
    DetailPage,
    EndPage,
    FormPage,
    ImportPage,
    Link,
    ListPage,
    Money,
    Number,
    PaperPage,
    Status,
    Text,
    end_link,
    paper_url,
    paper_word,
    rows_tab,
)

from . import forms, selectors, services
from .enums import ContractState, LegalForm, State
from .models import Capability, Licence, Organisation

NAV = [
    Nav(_("Organisations"), "building", "organisations:list", "organisations.view", Group.REGISTERS, 50),
    Nav(_("Purchase contracts"), "doc", "organisations:contracts", "organisations.contracts", Group.MONEY, 20),
]
PARENT = ("organisations:list", _("Organisations"))


class OrganisationList(ListPage):
    url, name, permission, title = "", "list", "organisations.view", _("Organisations")
    model = Organisation
    unit = _("organisations")
    search = ("name", "short_name", "pinyin", "initials", "credit_code")
    search_label = _("Name, pinyin or credit code")
    filters = ["state", "legal_form", "capabilities__category"]
    sort = "name"
    related = ("region", "operator")
    columns = [
        Text("name", pgettext_lazy("thing", "Name"), link="organisations:detail", sort=True),
        Status("state", _("State"), enum=State, sort=True),
        Choice("legal_form", _("Legal form"), enum=LegalForm, sort=True),
        Text("region.name", _("Region")),
        Text("phone", _("Phone")),
        Text("operator.name", _("Operator")),
        Number("rating", _("Rating"), sort=True),
        Text("credit_code", _("Credit code"), hidden=True),
        Text("address", _("Address"), hidden=True),
    ]
    head = [
        Link(_("New organisation"), "organisations:new", "plus", "organisations.register", "pri"),
        Link(_("Import"), "organisations:import", "ul", "organisations.register"),
    ]
    presets = [(_("Waiting for approval"), "state=draft"), (_("Suspended"), "state=suspended")]
    empty_text = _("Register the first organisation, or import a list.")

    def rows(self):
        return super().rows().distinct() if self.params.get("capabilities__category") else super().rows()


class OrganisationDetail(DetailPage):
    url, name, permission = "<int:pk>/", "detail", "organisations.view"
    model, related, parent = Organisation, ("region", "operator"), PARENT
    facts = [
        Status("state", _("State"), enum=State),
        Choice("legal_form", _("Legal form")),
        Text("region.name", _("Region")),
    ]
    summary = [
        (
            _("Register entry"),
            [
                Text("name", pgettext_lazy("thing", "Name")),
                Text("short_name", _("Short name")),
                Text("credit_code", _("Credit code")),
                Text("region.full_name", _("Responsible region")),
                Text("operator.name", _("Operator")),
                Day("approved_at", _("Approved at")),
                Day("ended_at", _("Ended at")),
                Number("rating", _("Rating")),
            ],
        ),
        (
            _("Where and when"),
            [
                Text("address", _("Address")),
                Text("phone", _("Phone")),
                Text("opening_hours", _("Opening hours")),
                Text("introduction", _("Introduction")),
            ],
        ),
    ]
    tabs = [
        rows_tab(
            "licences",
            _("Licences"),
            [
                Choice("kind", _("Kind")),
                Text("number", _("Number")),
                Text("issuer", _("Issuer")),
                Day("valid_from", _("From")),
                Day("last_day", _("Last day")),
                Text("paper", _("Scanned paper"), value=paper_word, link=paper_url),
            ],
            lambda page: page.object.licences.all(),
            head=[Link(_("Record licence"), "organisations:licence-new", "plus", "organisations.verify")],
            row_actions=[
                Link(_("Add paper"), "organisations:licence-paper", permission="organisations.verify", kind="text"),
                end_link("organisations:licence-end", "organisations.verify"),
            ],
            empty_text=_("Without a valid licence no service that asks for one can be taken."),
        ),
        rows_tab(
            "capability",
            _("Capability"),
            [
                Choice("category", _("Category")),
                Text("area.full_name", _("Area")),
                Day("valid_from", _("From")),
                Day("last_day", _("Last day")),
            ],
            lambda page: page.object.capabilities.select_related("area"),
            head=[Link(_("Add field and area"), "organisations:capability-new", "plus", "organisations.verify")],
            row_actions=[end_link("organisations:capability-end", "organisations.verify")],
            empty_text=_("Nothing can be ordered here until a field and an area are recorded."),
        ),
        rows_tab(
            "contracts",
            _("Contracts"),
            [
                Text("number", _("Number"), link="organisations:contract"),
                Text("title", _("Title")),
                Status("state", _("State"), enum=ContractState),
                Text("region.name", _("Purchaser")),
                Day("valid_from", _("From")),
                Day("last_day", _("Last day")),
            ],
            lambda page: page.object.contracts.select_related("region"),
            head=[Link(_("Draft contract"), "organisations:contract-new", "plus", "organisations.contract")],
            permission="organisations.contracts",
        ),
        rows_tab(
            "prices",
            _("Market prices"),
            [
                Text("item_name", _("Service")),
                Money("unit_price", _("Unit price")),
                Day("valid_from", _("From")),
                Day("last_day", _("Last day")),
            ],
            lambda page: selectors.with_item_names(page.object.prices.filter(contract__isnull=True), page.object.path),
            head=[Link(_("Set price"), "organisations:price-new", "plus", "organisations.own")],
            row_actions=[end_link("organisations:price-end", "organisations.own")],
            permission="organisations.contracts",
        ),
        rows_tab(
            "contacts",
            _("Contacts"),
            [Text("name", _("Name")), Text("post", _("Post")), Text("phone", _("Phone"))],
            lambda page: page.object.contacts.all(),
            head=[Link(_("Add contact"), "organisations:contact-new", "plus", "organisations.own")],
            permission="organisations.contracts",
        ),
        rows_tab(
            "modes",
            _("Operating modes"),
            [
                Choice("mode", _("Operating mode")),
                Day("valid_from", _("From")),
                Day("last_day", _("Last day")),
                Text("note", _("Note")),
            ],
            lambda page: page.object.modes.all(),
            head=[Link(_("Set operating mode"), "organisations:mode-new", "plus", "organisations.verify")],
        ),
        rows_tab(
            "sites",
            _("Sites"),
            [
                Text("name", pgettext_lazy("thing", "Name"), link="organisations:detail"),
                Status("state", _("State"), enum=State),
                Text("region.name", _("Region")),
            ],
            lambda page: page.object.sites.select_related("region"),
        ),
        rows_tab(
            "trail",
            _("Trail"),
            [Choice("action", _("Action")), Day("at", _("At")), Text("actor", _("By")), Text("reason", _("Reason"))],
            lambda page: page.object.trail.order_by("-id"),
            permission="organisations.contracts",
        ),
    ]
    actions = [
        Link(_("Edit"), "organisations:edit", "edit", "organisations.register", when=lambda o: o.state != State.ENDED),
        Link(_("Workers"), "workforce:of", "users", "workforce.view"),
        Link(
            _("Approve"),
            "organisations:approve",
            "check",
            "organisations.approve",
            "pri",
            "dialog",
            when=lambda o: o.state == State.DRAFT,
        ),
        Link(
            _("Suspend"),
            "organisations:suspend",
            "pause",
            "organisations.approve",
            method="dialog",
            when=lambda o: o.state == State.APPROVED,
        ),
        Link(
            _("Resume"),
            "organisations:resume",
            "check",
            "organisations.approve",
            method="dialog",
            when=lambda o: o.state == State.SUSPENDED,
        ),
        Link(
            _("End"),
            "organisations:end",
            "off",
            "organisations.approve",
            "badline",
            "dialog",
            when=lambda o: o.state in (State.APPROVED, State.SUSPENDED),
        ),
    ]

    def history_of(self) -> tuple:
        own = self.object
        return (*own.licences.all(), *own.capabilities.all(), *own.contacts.all(), *own.modes.all())


class OrganisationUpload(ImportPage):
    url, name, permission, title = "import/", "import", "organisations.register", _("Import organisations")
    parent, back_url = PARENT, "organisations:list"
    importer = Importer("organisations.register")


class _Edit(FormPage):
    """A form about one organisation, back to one of its tabs."""

    model, parent = Organisation, PARENT
    argument, detail = "organisation_id", "organisations:detail"

    def breadcrumbs(self) -> list:
        here = [(str(self.object), reverse("organisations:detail", args=[self.object.pk]))] if self.object else []
        return [*super().breadcrumbs(), *here]


class OrganisationEdit(_Edit):
    url, name, permission, title = "<int:pk>/edit/", "edit", "organisations.register", _("Edit organisation")
    form_class, wide = forms.OrganisationForm, ("introduction",)

    def get_initial(self) -> dict:
        return {f: getattr(self.object, f) for f in forms.OrganisationForm.base_fields}

    service = services.change_organisation


class OrganisationNew(FormPage):
    url, name, permission, title = "new/", "new", "organisations.register", _("New organisation")
    form_class, parent, wide = forms.NewOrganisationForm, PARENT, ("introduction",)
    service, detail = services.register_organisation, "organisations:detail"

    def form_kwargs(self) -> dict:
        return {"actor": self.actor}


class LicenceNew(_Edit):
    url, name, permission, title = "<int:pk>/licences/new/", "licence-new", "organisations.verify", _("Record licence")
    form_class, tab = forms.LicenceForm, "licences"
    service = services.add_licence


class LicencePaper(PaperPage):
    url, name, permission, title = (
        "licences/<int:pk>/paper/",
        "licence-paper",
        "organisations.verify",
        _("Paper of the licence"),
    )
    model, parent = Licence, PARENT
    service, argument = services.attach_licence_paper, "licence_id"
    detail, owner, tab = "organisations:detail", "organisation_id", "licences"


class CapabilityNew(_Edit):
    url, name, permission, title = (
        "<int:pk>/capability/new/",
        "capability-new",
        "organisations.verify",
        _("Add field and area"),
    )
    form_class, tab = forms.CapabilityForm, "capability"

    def form_kwargs(self) -> dict:
        return {"actor": self.actor}

    service = services.add_capability


class ModeNew(_Edit):
    url, name, permission, title = "<int:pk>/modes/new/", "mode-new", "organisations.verify", _("Set operating mode")
    form_class, tab = forms.ModeForm, "modes"
    service = services.set_mode


class ContactNew(_Edit):
    url, name, permission, title = "<int:pk>/contacts/new/", "contact-new", "organisations.own", _("Add contact")
    form_class, tab = forms.ContactForm, "contacts"
    service = services.add_contact


class _Move(ActionPage):
    """One transition of the registration."""

    model, parent, permission = Organisation, PARENT, "organisations.approve"
    form_class, leaves, argument, detail = ReasonForm, True, "organisation_id", "organisations:detail"

    def arguments(self, form) -> dict:
        return {**form.cleaned_data, "expect": self.object.state}


class Approve(_Move):
    url, name, title, submit_label = "<int:pk>/approve/", "approve", _("Approve organisation"), _("Approve")
    form_class, service = OptionalReasonForm, services.approve


class Suspend(_Move):
    url, name, title, submit_label = "<int:pk>/suspend/", "suspend", _("Suspend organisation"), _("Suspend")
    service = services.suspend

    def confirm_text(self) -> str:
        return gettext("“%(name)s” gets no new orders; its open orders go back to dispatch.") % {
            "name": self.object.name
        }


class Resume(_Move):
    url, name, title, submit_label = "<int:pk>/resume/", "resume", _("Resume organisation"), _("Resume")
    form_class, service = OptionalReasonForm, services.resume


class End(_Move):
    url, name, title, submit_label = "<int:pk>/end/", "end", _("End organisation"), _("End")
    irreversible, service = True, services.end

    def confirm_text(self) -> str:
        return gettext("“%(name)s” is closed for good, with all its contracts.") % {"name": self.object.name}


class _EndPart(EndPage):
    permission, parent = "organisations.verify", PARENT
    detail, owner = "organisations:detail", "organisation_id"


class LicenceEnd(_EndPart):
    url, name, model, tab = "licences/<int:pk>/end/", "licence-end", Licence, "licences"
    service, argument = services.end_licence, "licence_id"


class CapabilityEnd(_EndPart):
    url, name, model, tab = "capability/<int:pk>/end/", "capability-end", Capability, "capability"
    service, argument = services.end_capability, "capability_id"
