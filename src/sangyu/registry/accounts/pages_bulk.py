"""Many accounts at once, the delegation log, and the hand-over of open work."""

import django_filters
from django import forms
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from sangyu.kernel.importing.importer import Importer
from sangyu.registry.regions.fields import RegionField
from sangyu.ui.nav import Group, Nav
from sangyu.ui.pages import (
    Bulk,
    Choice,
    Custom,
    DetailPage,
    FormPage,
    ImportPage,
    ListPage,
    Moment,
    Text,
    file_answer,
    rows_tab,
)
from sangyu.ui.pages.bulk import BulkForm

from . import first_codes, leaving, roles, selectors, services
from .enums import AccountKind, Act
from .models import Account, DelegatedAct, Handover

NAV = [
    Nav(_("Delegation log"), "swap", "accounts:acts", "accounts.acts", Group.ADMIN, 35),
    Nav(_("Work hand-overs"), "users", "accounts:handovers", "accounts.acts", Group.ADMIN, 36),
]
REGISTER = ("accounts:list", _("User accounts"))
USES = [
    ("never", _("Never signed in")),
    ("unused", _("Unused for 90 days")),
    ("factor", _("Without a second factor")),
    ("needs", _("Second factor required and missing")),
    ("left", _("Leave date has come")),
]


class AccountFilters(django_filters.FilterSet):
    """Conditions of the register of accounts."""

    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=AccountKind.choices)
    is_active = django_filters.ChoiceFilter(
        label=_("State"), choices=[("1", _("Active")), ("0", _("Disabled"))], method="active"
    )
    use = django_filters.ChoiceFilter(label=_("Use"), choices=USES, method="by_use")

    class Meta:
        model = Account
        fields: list[str] = []

    def active(self, rows, name, value):
        return rows.filter(is_active=value == "1")

    def by_use(self, rows, name, value):
        return selectors.by_use(rows, value)


class ReasonBulk(BulkForm):
    reason = forms.CharField(label=_("Reason"), max_length=300)


BULK = [
    Bulk(
        "disable",
        _("Disable"),
        "accounts.manage",
        each=lambda actor, row, reason: services.disable(actor=actor, account_id=row.pk, reason=reason) and None,
        form=ReasonBulk,
        icon="off",
        confirm=_("{count} accounts are signed out everywhere; their roles and tokens end today."),
    )
]


class AccountsImport(ImportPage):
    url, name, permission, title = "import/", "import", "accounts.manage", _("Import accounts")
    importer, back_url, parent = Importer("accounts.roster"), "accounts:first_codes", REGISTER
    help_text = _("The codes for the first sign-in are printed afterwards, one slip a person.")


class LinksImport(ImportPage):
    url, name, permission = "links/import/", "import_links", "accounts.manage"
    title = _("Links with the identity provider")
    importer, back_url, parent = Importer("accounts.links"), "accounts:list", REGISTER


class SheetForm(forms.Form):
    region_id = RegionField(label=_("Area"))

    def __init__(self, *args, actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["region_id"].for_actor(actor)


class FirstCodes(FormPage):
    """A sheet with one slip for each account of an area that nobody has used yet."""

    url, name, permission, title = "first-codes/", "first_codes", "accounts.manage", _("Codes for the first sign-in")
    form_class, parent, submit_label = SheetForm, REGISTER, _("Print new codes")

    def form_kwargs(self):
        return {"actor": self.actor}

    def save(self, form):
        return first_codes.first_codes(actor=self.actor, region_id=form.cleaned_data["region_id"])

    def success_url(self, result):
        return reverse("accounts:list")

    def success_message(self, result):
        return result

    def redirect(self, url, message="", *, undo=""):
        """The answer is the sheet itself: it is kept nowhere."""
        return file_answer(message, f"first-codes-{timezone.localdate():%Y%m%d}.pdf")


# ---------------------------------------------------------------- delegation log
class ActFilters(django_filters.FilterSet):
    """Conditions of the delegation log."""

    act = django_filters.ChoiceFilter(label=_("Act"), choices=Act.choices)
    role = django_filters.ChoiceFilter(
        label=_("Role"), choices=lambda: [(r.name, r.label) for r in roles.all_roles().values()]
    )
    since = django_filters.DateFilter(label=_("From"), field_name="at", lookup_expr="date__gte")
    until = django_filters.DateFilter(label=_("To"), field_name="at", lookup_expr="date__lte")

    class Meta:
        model = DelegatedAct
        fields: list[str] = []


class DelegationLog(ListPage):
    url, name, permission, title = "acts/", "acts", "accounts.acts", _("Delegation log")
    model, unit, related, sort = DelegatedAct, _("acts"), ("account", "region"), "-pk"
    filters, search = ActFilters, ("by_name", "account__name", "account__username")
    columns = [
        Moment("at", _("Time")),
        Choice("act", _("Act"), enum=Act),
        Text("account.name", _("Person's name")),
        Custom("role", _("Role"), draw=lambda a: escape(selectors.role_label(a.role)) if a.role else "—"),
        Text("region.full_name", _("Area")),
        Text("by_name", _("Done by")),
        Custom("by_role", _("In the role"), draw=lambda a: escape(selectors.role_label(a.by_role))),
        Text("by_area", _("For the area")),
        Text("reason", _("Reason")),
    ]
    personal = "accounts.acts"


# ---------------------------------------------------------------- hand-over
def _work_rows(page) -> list:
    return [
        {"rule": rule.label, "words": piece.words, "moves": rule.move is not None}
        for rule, pieces in leaving.open_work(page.actor, page.object)
        for piece in pieces
    ]


WORK_TAB = rows_tab(
    "work",
    _("Open work"),
    [
        Custom("rule", _("Kind of work"), draw=lambda w: escape(w["rule"])),
        Custom("words", _("Which"), draw=lambda w: escape(w["words"])),
        Custom("moves", _("Hand-over"), draw=lambda w: escape(_("moves") if w["moves"] else _("decided case by case"))),
    ],
    _work_rows,
    permission="accounts.manage",
    empty_text=_("No open work."),
)


class HandOverForm(forms.Form):
    successor_id = forms.ModelChoiceField(label=_("Taken over by"), queryset=Account.objects.none())
    reason = forms.CharField(label=_("Reason"), max_length=300)

    def __init__(self, *args, actor, leaving, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        rows = selectors.accounts(actor).filter(kind=AccountKind.PERSON, is_active=True).exclude(pk=leaving)
        self.fields["successor_id"].queryset = rows

    def clean_successor_id(self) -> int:
        return self.cleaned_data["successor_id"].pk


class HandOver(FormPage):
    url, name, permission, title = "<int:pk>/hand-over/", "hand_over", "accounts.manage", _("Hand over open work")
    model, form_class, parent = Account, HandOverForm, REGISTER
    submit_label = _("Hand over")

    def form_kwargs(self):
        return {"actor": self.actor, "leaving": self.object.pk}

    def save(self, form):
        return leaving.hand_over(actor=self.actor, account_id=self.object.pk, **form.cleaned_data)

    def success_url(self, result):
        return reverse("accounts:handover", args=[result[0].pk])

    def success_message(self, result):
        return ngettext("%(n)d piece of work is handed over.", "%(n)d pieces of work are handed over.", result[1]) % {
            "n": result[1]
        }


class HandoverList(ListPage):
    url, name, permission, title = "handovers/", "handovers", "accounts.acts", _("Work hand-overs")
    model, unit, related, sort = Handover, _("hand-overs"), ("account", "successor"), "-pk"
    columns = [
        Moment("at", _("Time"), link="accounts:handover"),
        Text("account.name", _("Handed over by"), link="accounts:handover"),
        Text("successor.name", _("Taken over by")),
        Text("reason", _("Reason")),
        Text("by_name", _("Done by")),
    ]
    personal = "accounts.handovers"


class HandoverDetail(DetailPage):
    url, name, permission = "handovers/<int:pk>/", "handover", "accounts.acts"
    model, related, parent = Handover, ("account", "successor"), ("accounts:handovers", _("Work hand-overs"))
    summary = [
        (
            _("Work hand-over"),
            [
                Moment("at", _("Time")),
                Text("account.name", _("Handed over by")),
                Text("successor.name", _("Taken over by")),
                Text("reason", _("Reason")),
                Text("by_name", _("Done by")),
            ],
        )
    ]
    tabs = [
        rows_tab(
            "items",
            _("What was moved"),
            [Custom("rule", _("Kind of work"), draw=lambda i: escape(_rule_label(i.rule))), Text("words", _("Which"))],
            lambda page: page.object.items.order_by("id"),
        )
    ]

    def get_title(self):
        return f"{self.object.account.name} → {self.object.successor.name}"


def _rule_label(name: str) -> str:
    from sangyu.kernel.handover import rules

    return next((str(r.label) for r in rules() if r.name == name), name)
