"""Pages of the privacy room: the navigation, and requests with their deadlines. Registers are in ``pages_registers``."""

import django_filters
from django import forms
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.kernel import files
from sangyu.registry.accounts import selectors as accounts
from sangyu.registry.people import selectors as people
from sangyu.ui.nav import Group, Nav
from sangyu.ui.pages import (
    ActionPage,
    Choice,
    Custom,
    Day,
    DetailPage,
    FormPage,
    Link,
    ListPage,
    Moment,
    Status,
    Text,
    rows_tab,
)

from . import selectors, services
from .enums import OPEN, Action, Kind, State
from .fields import CORRECTABLE, label_of, show
from .models import Request

NAV = [
    Nav(_("Data requests"), "shield", "privacy:requests", "privacy.view", Group.OVERSIGHT, 60, badge=selectors.waiting),
    Nav(_("Consent ledger"), "doc", "privacy:ledger", "privacy.view", Group.OVERSIGHT, 61),
    Nav(_("Data incidents"), "flag", "privacy:incidents", "privacy.registers", Group.OVERSIGHT, 62),
    Nav(_("Impact assessments"), "doc", "privacy:assessments", "privacy.registers", Group.OVERSIGHT, 63),
]
REQUESTS = ("privacy:requests", _("Data requests"))


class RequestFilters(django_filters.FilterSet):
    """Conditions of the queue."""

    kind = django_filters.ChoiceFilter(label=_("Asks to"), choices=Kind.choices)
    state = django_filters.ChoiceFilter(
        label=_("State"), choices=[("open", _("Waiting")), *State.choices], method="by_state"
    )
    late = django_filters.ChoiceFilter(label=_("Deadline"), choices=[("1", _("Passed"))], method="by_deadline")

    class Meta:
        model = Request
        fields: list[str] = []

    def by_state(self, rows, name, value):
        return rows.filter(state__in=OPEN) if value == "open" else rows.filter(state=value)

    def by_deadline(self, rows, name, value):
        return rows.filter(state__in=OPEN, due_on__lt=timezone.localdate())


class RequestList(ListPage):
    url, name, permission, title = "requests/", "requests", "privacy.view", _("Data requests")
    model, unit, related, sort = Request, _("requests"), ("person__region", "assigned"), "due_on"
    filters, search = RequestFilters, ("person__name", "asked_name")
    columns = [
        Text("person.name", _("Elder"), link="privacy:request"),
        Choice("kind", _("Asks to"), enum=Kind),
        Status("state", _("State"), enum=State),
        Day("due_on", _("Answer by"), sort=True),
        Text("person.region.full_name", _("Area")),
        Text("asked_name", _("Asked by")),
        Text("assigned.name", _("In the hands of")),
        Moment("received_at", _("Received on"), sort=True),
    ]
    head = [Link(_("Enter from paper"), "privacy:paper", "plus", "privacy.handle", "pri")]
    presets = [(_("Waiting"), "state=open"), (_("Deadline passed"), "late=1")]
    personal = "privacy.requests"


def _correction(row: Request) -> str:
    if not row.field:
        return "—"
    return gettext("%(field)s: %(old)s → %(new)s") % {
        "field": label_of(row.field),
        "old": show(row.field, row.shown) or "—",
        "new": show(row.field, row.wanted),
    }


def _waits(*kinds: Kind):
    return lambda r: r.state == State.IN_WORK and r.kind in kinds


class RequestDetail(DetailPage):
    url, name, permission = "requests/<int:pk>/", "request", "privacy.view"
    model, related, parent = Request, ("person__region", "assigned"), REQUESTS
    facts = [Status("state", _("State"), enum=State), Day("due_on", _("Answer by"))]
    summary = [
        (
            _("Request"),
            [
                Choice("kind", _("Asks to"), enum=Kind),
                Text("asked_name", _("Asked by")),
                Text("get_channel_display", _("Channel")),
                Text("details", _("In their words")),
                Custom("field", _("Correction"), draw=lambda r: escape(_correction(r))),
                Moment("received_at", _("Received on")),
                Text("assigned.name", _("In the hands of")),
            ],
        ),
        (_("Answer"), [Text("answer", _("Answer")), Moment("answered_at", _("Answered on"))]),
    ]
    tabs = [
        rows_tab(
            "trail",
            _("Steps"),
            [
                Moment("at", _("Time")),
                Custom("action", _("Step"), draw=lambda t: escape(dict(Action.choices).get(t.action, _("Asked")))),
                Text("actor", _("Who")),
                Text("reason", _("Reason")),
            ],
            lambda page: page.object.trail.order_by("id"),
        )
    ]
    actions = [
        Link(_("Take on"), "privacy:take", "hand", "privacy.handle", "pri", when=lambda r: r.state in OPEN),
        Link(_("Make the copy and answer"), "privacy:give_copy", "doc", "privacy.handle", "pri", method="dialog",
             when=_waits(Kind.ACCESS, Kind.COPY)),
        Link(_("Approve the correction"), "privacy:correct", "okc", "privacy.handle", "pri", method="dialog",
             when=_waits(Kind.CORRECTION)),
        Link(_("Delete"), "privacy:erase", "trash", "privacy.erase", "badline", method="dialog",
             when=_waits(Kind.DELETION)),
        Link(_("Open the file again"), "privacy:lift", "undo", "privacy.erase", method="dialog",
             when=lambda r: r.kind == Kind.DELETION and people.is_restricted(r.person_id)),
        Link(_("Refuse"), "privacy:refuse", "close", "privacy.handle", method="dialog", when=lambda r: r.state in OPEN),
        Link(_("Copy as PDF"), "ui:file", "dl", args=lambda r: [r.paper_id], when=lambda r: r.paper_id),
        Link(_("Copy for machines (JSON)"), "ui:file", "dl", args=lambda r: [r.data_id], when=lambda r: r.data_id),
    ]  # fmt: skip

    def get_title(self):
        return f"{self.object.get_kind_display()} · {self.object.person.name}"


class PaperForm(forms.Form):
    person_id = forms.IntegerField(label=_("Number of the elder"), min_value=1)
    kind = forms.ChoiceField(label=_("Asks to"), choices=Kind.choices)
    asked_name = forms.CharField(label=_("Asked by"), max_length=50)
    details = forms.CharField(label=_("In their words"), max_length=500, required=False, widget=forms.Textarea)
    field = forms.ChoiceField(
        label=_("What is wrong"), required=False, choices=[("", "—"), *((k, f.label) for k, f in CORRECTABLE.items())]
    )
    wanted = forms.CharField(label=_("What it should be"), max_length=200, required=False)
    evidence = forms.FileField(label=_("Picture or scan of the paper"), required=False)


class PaperRequest(FormPage):
    url, name, permission, title = "requests/paper/", "paper", "privacy.handle", _("Enter a request from paper")
    form_class, parent, multipart = PaperForm, REQUESTS, True
    wide = ("details",)

    def get_initial(self):
        wanted = self.request.GET.get("person", "")
        return {"person_id": wanted} if wanted.isdecimal() else {}

    def save(self, form):
        values = dict(form.cleaned_data)
        paper = values.pop("evidence")
        person = people.get_person(self.actor, values["person_id"])
        if paper:
            kept = files.save(
                self.actor, title=paper.name, content_type=paper.content_type, data=paper.read(), owner=person
            )
            values["evidence_id"] = kept.pk
        return services.enter_paper(actor=self.actor, **values)

    def success_url(self, result):
        return reverse("privacy:request", args=[result.pk])


class TakeForm(forms.Form):
    account_id = forms.ChoiceField(label=_("In the hands of"))

    def __init__(self, *args, actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        others = [(a.pk, a.name) for a in accounts.colleagues(actor) if a.pk != actor.account_id]
        self.fields["account_id"].choices = [("", _("Myself")), *others]
        self.fields["account_id"].required = False

    def clean_account_id(self) -> int | None:
        return int(self.cleaned_data["account_id"]) if self.cleaned_data["account_id"] else None


class Take(FormPage):
    url, name, permission, title = "requests/<int:pk>/take/", "take", "privacy.handle", _("Take on")
    model, form_class, parent, submit_label = Request, TakeForm, REQUESTS, _("Take on")
    service, argument, detail = services.take, "request_id", "privacy:request"

    def form_kwargs(self):
        return {"actor": self.actor}


class AnswerForm(forms.Form):
    answer = forms.CharField(label=_("Answer"), max_length=500, required=False)


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"), max_length=500, help_text=_("The person reads this, with where to complain.")
    )


class _Act(ActionPage):
    model, related, parent = Request, ("person",), REQUESTS
    argument, detail, leaves = "request_id", "privacy:request", True
    form_class = AnswerForm


class GiveCopy(_Act):
    url, name, permission, title = (
        "requests/<int:pk>/copy/",
        "give_copy",
        "privacy.handle",
        _("Make the copy and answer"),
    )
    submit_label, service, success = _("Make the copy and answer"), services.give_copy, _("The copy is ready.")

    def confirm_text(self):
        return gettext(
            "Everything that all rooms hold about %(name)s is put on paper and into a file. Read it before you hand it over: free"
            " text may speak of other people."
        ) % {"name": self.object.person.name}


class Correct(_Act):
    url, name, permission, title = (
        "requests/<int:pk>/correct/",
        "correct",
        "privacy.handle",
        _("Approve the correction"),
    )
    submit_label, service, success = _("Correct"), services.correct, _("Corrected.")

    def confirm_text(self):
        return _correction(self.object)


class Erase(_Act):
    url, name, permission, title = "requests/<int:pk>/erase/", "erase", "privacy.erase", _("Delete data")
    submit_label, irreversible, service, success = _("Delete"), True, services.erase, _("Deleted and restricted.")

    def confirm_text(self):
        return gettext(
            "What no statute keeps about %(name)s is deleted, also from the history. Consents end. This cannot be undone."
        ) % {"name": self.object.person.name}


class LiftForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=200)


class Lift(_Act):
    url, name, permission, title = "requests/<int:pk>/lift/", "lift", "privacy.erase", _("Open the file again")
    submit_label, service, success, form_class = _("Open the file again"), services.lift, _("Open again."), LiftForm

    def confirm_text(self):
        return gettext(
            "The file of %(name)s is shown, exported and changed again like every other. What was deleted does not come back."
        ) % {"name": self.object.person.name}


class Refuse(_Act):
    url, name, permission, title = "requests/<int:pk>/refuse/", "refuse", "privacy.handle", _("Refuse the request")
    submit_label, service, success, form_class = (
        _("Refuse"),
        services.refuse,
        pgettext_lazy("decision", "Refused."),
        ReasonForm,
    )
