"""Screens of vouchers: list, voucher, programmes. Issuing: issue_pages."""

from django import forms as forms_
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.registry.regions import selectors as regions
from sangyu.ui import format as fmt
from sangyu.ui.nav import Group, Nav
from sangyu.ui.pages import (
    ActionPage,
    Bulk,
    BulkForm,
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

from . import forms, selectors, services
from .enums import State, Unspent, Validity
from .models import Issue, Programme, Voucher

NAV = [
    Nav(_("Vouchers"), "tag", "vouchers:list", "vouchers.view", Group.MONEY, 10),
    Nav(_("Voucher programmes"), "doc", "vouchers:programmes", "vouchers.view", Group.MONEY, 15),
]
PARENT = ("vouchers:list", _("Vouchers"))
PROGRAMMES = ("vouchers:programmes", _("Voucher programmes"))


class WhyForm(BulkForm):
    reason = forms_.CharField(label=_("Reason"), max_length=300)


def _cancel(*, actor, row, reason) -> None:
    services.cancel(actor=actor, voucher_id=row.pk, reason=reason, today=localdate())


def _lost(*, actor, row, reason) -> None:
    services.report_loss(actor=actor, voucher_id=row.pk, reason=reason)


def _found(*, actor, row, kept) -> None:
    services.find(actor=actor, voucher_id=row.pk)


#: Lapsing is the clock's: nobody chooses whose voucher ends early. Taking back moves money, so it has no undo.
BULK = [
    Bulk("lost", _("Report lost"), "vouchers.replace", each=_lost, undo=_found, form=WhyForm, icon="flag"),
    Bulk("cancel", pgettext_lazy("voucher", "Take back"), "vouchers.cancel", each=_cancel, form=WhyForm, icon="close",
         confirm=_("{count} vouchers end, what is left on them returns to the programme. This cannot be undone.")),
]  # fmt: skip


class VoucherList(ListPage):
    url, name, permission, title = "", "list", "vouchers.view", _("Vouchers")
    model = Voucher
    unit = _("vouchers")
    search = ("serial", "person__name", "person__initials")
    search_label = _("Paper number, name or initials")
    filters = ["state", "programme"]
    sort = "-id"
    related = ("programme", "person", "region", "account")
    personal, bulk = "vouchers.list", BULK
    columns = [
        Text("person.name", _("Elder"), link="vouchers:detail"),
        Text("programme.name", _("Programme")),
        Status("state", _("State"), enum=State, sort=True),
        Money("amount", pgettext_lazy("voucher", "Amount"), sort=True),
        Money("account.available", pgettext_lazy("voucher", "Left")),
        Money("account.reserved_out", _("Held")),
        Day("valid_from", _("From"), hidden=True),
        Day("last_day", _("Last day")),
        Text("serial", _("Paper number"), hidden=True),
        Text("region.name", _("Region")),
    ]
    head = [Link(_("Issue vouchers"), "vouchers:issue", "plus", "vouchers.issue", "pri")]
    presets = [(_("In use"), "state=active"), (_("Reported lost"), "state=lost")]
    empty_text = _("Publish a programme, then issue its vouchers.")


def _movements(page) -> list:
    lines = selectors.statement(page.actor, page.object, until=localdate()).lines
    return [_Movement(line) for line in lines]


class _Movement:
    """A statement line in words."""

    WORDS = {
        "voucher.issue": _("Issued"),
        "voucher.hold": _("Spent"),
        "voucher.reissue": _("Moved by reissue"),
        "voucher.lapse": _("Lapsed"),
        "voucher.cancelled": pgettext_lazy("voucher", "Taken back"),
    }

    def __init__(self, line) -> None:
        self.pk = line.transfer_id
        self.effective_on, self.recorded_at = line.effective_on, line.recorded_at
        self.what = gettext("Given back") if line.phase == "correct" else self.WORDS.get(line.kind, line.kind)
        self.reference, self.reason = line.reference.split("#")[0], line.reason
        self.amount, self.running = line.amount, line.running


class VoucherDetail(DetailPage):
    url, name, permission = "<int:pk>/", "detail", "vouchers.view"
    model, related, parent = Voucher, ("programme", "person", "region", "account", "issue"), PARENT
    facts = [
        Status("state", _("State"), enum=State),
        Text("person.name", _("Elder")),
        Money("available", pgettext_lazy("voucher", "Left")),
    ]
    summary = [
        (
            _("Voucher"),
            [
                Text("programme.name", _("Programme")),
                Money("amount", pgettext_lazy("voucher", "Amount")),
                Money("available", pgettext_lazy("voucher", "Left")),
                Money("held", _("Held by orders")),
                Day("valid_from", _("From")),
                Day("last_day", _("Last day")),
                Text("serial", _("Paper number")),
                Text("replaces", _("Replaces")),
                Text("region.full_name", _("Region")),
                Moment("issue.issued_at", _("Issued at")),
            ],
        )
    ]
    tabs = [
        rows_tab(
            "statement",
            _("Statement"),
            [
                Day("effective_on", _("Day")),
                Text("what", _("What")),
                Text("reference", _("Reference")),
                Text("reason", _("Reason")),
                Money("amount", pgettext_lazy("voucher", "Amount")),
                Money("running", _("Balance")),
            ],
            _movements,
        )
    ]
    actions = [
        Link(_("Print"), "vouchers:sheet", "print", "vouchers.issue"),
        Link(
            _("Report loss"), "vouchers:loss", permission="vouchers.replace", method="dialog",
            when=lambda v: v.state == State.ACTIVE,
        ),
        Link(
            _("Found again"), "vouchers:found", permission="vouchers.replace", method="dialog",
            when=lambda v: v.state == State.LOST,
        ),
        Link(
            _("Reissue"), "vouchers:reissue", "swap", "vouchers.replace", method="dialog",
            when=lambda v: v.state == State.LOST,
        ),
        Link(
            _("Cancel voucher"), "vouchers:cancel", permission="vouchers.cancel", kind="badline", method="dialog",
            when=lambda v: v.state in (State.ACTIVE, State.LOST),
        ),
    ]  # fmt: skip

    def get_title(self) -> str:
        return str(self.object)


class _Act(ActionPage):
    """An act on one voucher that returns to its page."""

    model, related, parent = Voucher, ("programme", "person", "account"), PARENT
    argument, detail = "voucher_id", "vouchers:detail"

    def words(self) -> dict:
        v = self.object
        return {"who": v.person.name, "what": v.programme.name, "left": fmt.money(v.available)}


class ReportLoss(_Act):
    url, name, permission, title = "<int:pk>/loss/", "loss", "vouchers.replace", _("Report loss")
    submit_label, form_class = _("Report loss"), forms.ReasonForm
    service, success = services.report_loss, _("Blocked.")


class Found(_Act):
    url, name, permission, title = "<int:pk>/found/", "found", "vouchers.replace", _("Found again")
    submit_label, confirm = _("Found again"), _("The voucher can be used again.")
    service, success = services.find, _("In use again.")


class Reissue(_Act):
    url, name, permission, title = "<int:pk>/reissue/", "reissue", "vouchers.replace", _("Reissue voucher")
    submit_label, irreversible = _("Reissue"), True

    def confirm_text(self) -> str:
        return gettext(
            "%(who)s gets a new voucher of “%(what)s” with the %(left)s that are left. The old one ends."
        ) % (self.words())

    def act(self, form) -> str:
        self.made = services.reissue(actor=self.actor, voucher_id=self.object.pk, today=localdate())
        return gettext("Reissued: %(serial)s") % {"serial": self.made}

    def success_url(self) -> str:
        return self.row_url(getattr(self, "made", self.object))


class Cancel(_Act):
    url, name, permission, title = "<int:pk>/cancel/", "cancel", "vouchers.cancel", _("Cancel voucher")
    submit_label, irreversible, form_class = _("Cancel voucher"), True, forms.ReasonForm
    service, success = services.cancel, _("Cancelled.")

    def confirm_text(self) -> str:
        return (
            gettext("The %(left)s left on the voucher “%(what)s” of %(who)s go back to the programme.") % self.words()
        )

    def arguments(self, form) -> dict:
        return {"today": localdate(), **form.cleaned_data}


# ---------------------------------------------------------------- programmes
class ProgrammeList(ListPage):
    url, name, permission, title = "programmes/", "programmes", "vouchers.view", _("Voucher programmes")
    model = Programme
    unit = _("programmes")
    search = ("name", "document_number")
    filters = ["validity"]
    sort = "name"
    related = ("region",)
    columns = [
        Text("name", pgettext_lazy("thing", "Name"), link="vouchers:programme", sort=True),
        Money("face_amount", pgettext_lazy("voucher", "Amount"), sort=True),
        Choice("validity", _("Validity"), enum=Validity),
        Text("document_number", _("Document number")),
        Day("valid_from", _("In force from"), sort=True),
        Day("last_day", _("Last day")),
        Text("region.name", _("Published by")),
    ]
    head = [Link(_("New programme"), "vouchers:programme-new", "plus", "vouchers.programme", "pri")]
    empty_text = _("Publish the first voucher programme.")


class ProgrammeDetail(DetailPage):
    url, name, permission = "programmes/<int:pk>/", "programme", "vouchers.view"
    model, related, parent = Programme, ("region",), PROGRAMMES
    summary = [
        (
            _("Rules of use"),
            [
                Money("face_amount", _("Amount of one voucher")),
                Money("per_order_cap", _("At most per order")),
                Choice("validity", _("Validity"), enum=Validity),
                Number("validity_days", _("Number of days")),
                Choice("unspent", _("What is left at the end"), enum=Unspent),
                Number("roll_over_months", _("Further months")),
                Text("category_words", _("Pays for")),
                Text("document_number", _("Document number")),
                Day("valid_from", _("In force from")),
                Day("last_day", _("Last day")),
                Text("region.full_name", _("Published by")),
            ],
        )
    ]
    tabs = [
        rows_tab(
            "issues",
            _("Issues"),
            [
                Moment("issued_at", _("Issued at")),
                Day("period", _("Period")),
                Number("count", _("People")),
                Money("total", _("Total")),
                Text("region.name", _("Issued by")),
                Text("actor", _("By")),
            ],
            lambda page: Issue.objects.filter(programme=page.object).select_related("region"),
            row_actions=[Link(_("Print"), "vouchers:issue-sheets", permission="vouchers.issue", kind="text")],
        )
    ]
    actions = [
        Link(_("Issue vouchers"), "vouchers:issue", "plus", "vouchers.issue", "pri", args=lambda p: []),
        Link(_("Change"), "vouchers:programme-edit", "edit", "vouchers.programme"),
    ]


class ProgrammeEdit(FormPage):
    url, name, permission, title = (
        "programmes/<int:pk>/edit/",
        "programme-edit",
        "vouchers.programme",
        _("Change programme"),
    )
    model, form_class, parent = Programme, forms.ProgrammeForm, PROGRAMMES
    wide = ("categories",)
    service, argument = services.change_programme, "programme_id"

    def get_initial(self) -> dict:
        p = self.object
        if p is None:
            return {"valid_from": localdate(), "validity": Validity.MONTH, "unspent": Unspent.LAPSE}
        return {n: getattr(p, n) for n in forms.ProgrammeForm.base_fields}

    def success_url(self, result) -> str:
        return reverse("vouchers:programme", args=[result.pk])


class ProgrammeNew(ProgrammeEdit):
    url, name, title, model = "programmes/new/", "programme-new", _("New programme"), None
    form_class = forms.NewProgrammeForm

    def form_kwargs(self) -> dict:
        return {"actor": self.actor}

    def save(self, form):
        terms = dict(form.cleaned_data)
        region = regions.region(terms.pop("region"))
        return services.publish_programme(actor=self.actor, region_id=region.pk, path=region.path, **terms)
