"""Pages of the privacy room: requests with their deadlines, the consent ledger, grounds, incidents, assessments."""

import django_filters
from django import forms
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sangyu.kernel import files
from sangyu.registry.accounts import selectors as accounts
from sangyu.registry.people import selectors as people
from sangyu.registry.regions import selectors as regions
from sangyu.registry.regions.fields import RegionField
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
    Number,
    PlainPage,
    Status,
    Text,
    rows_tab,
)

from . import rules, selectors, services
from .enums import OPEN, Action, Kind, Risk, State
from .fields import CORRECTABLE, label_of, show
from .models import Assessment, Incident, Request

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
    submit_label, service, success, form_class = _("Refuse"), services.refuse, _("Refused."), ReasonForm


# ---------------------------------------------------------------- ledger and grounds
class Ledger(PlainPage):
    """Consents by purpose and version, the texts, what withdrawal does, and the uses that rest on a statute."""

    url, name, permission, title = "consents/", "ledger", "privacy.view", _("Consent ledger")
    template = "privacy/ledger.html"

    def get_context(self):
        day = timezone.localdate()
        lines = selectors.ledger(self.actor, day)
        return {
            "lines": lines,
            "totals": selectors.totals(lines),
            "texts": [(line.label, rules.text_on(line.purpose, day)) for line in lines if line.current],
            "effects": EFFECTS,
            "grounds": [
                {n: g.said(n) for n in ("use", "data", "keep")} | {"statute": g.statute} for g in rules.grounds()
            ],
        }


#: What ends with a consent: purpose in words → effect in words. The services of the rooms do it.
EFFECTS = [
    (_("A relative sees the file and the visits"), _("The relative's view ends at once; the log of who looked stays.")),
    (_("Position data"), _("No position is taken or shown any more; the log of past looks stays.")),
    (_("Camera at home"), _("Nobody can open the picture any more; the device is to be collected.")),
    (
        _("Hand on to service providers"),
        _("No new order is offered; visits already agreed are cancelled or done on paper."),
    ),
    (
        _("Photographs as proof of service"),
        _("New visits are proved by signature or code; old photographs stay with their statement."),
    ),
    (_("Health data"), _("Health notes are not shown; an assessment by statute stays.")),
]


# ---------------------------------------------------------------- registers
class IncidentForm(forms.Form):
    region_id = RegionField(label=_("Area"))
    title = forms.CharField(label=_("What happened"), max_length=200)
    happened_on = forms.DateField(label=_("Happened on"))
    found_on = forms.DateField(label=_("Found on"))
    data_kinds = forms.CharField(label=_("Which data"), max_length=200)
    affected = forms.IntegerField(label=_("People affected"), min_value=0)
    cause = forms.CharField(label=_("Cause"), max_length=500)
    harm = forms.CharField(label=_("Possible harm"), max_length=500, required=False)
    measures = forms.CharField(label=_("Measures"), max_length=1000, required=False)
    told_authority_on = forms.DateField(label=_("Authority told on"), required=False)
    told_people_on = forms.DateField(label=_("People told on"), required=False)
    closed_on = forms.DateField(label=_("Closed on"), required=False)

    def __init__(self, *args, actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["region_id"].for_actor(actor)


class IncidentList(ListPage):
    url, name, permission, title = "incidents/", "incidents", "privacy.registers", _("Data incidents")
    model, unit, related, sort = Incident, _("incidents"), ("region",), "-found_on"
    columns = [
        Text("title", _("What happened"), link="privacy:incident"),
        Day("happened_on", _("Happened on")),
        Day("found_on", _("Found on"), sort=True),
        Number("affected", _("People affected")),
        Text("region.full_name", _("Area")),
        Day("told_authority_on", _("Authority told on")),
        Day("told_people_on", _("People told on")),
        Day("closed_on", _("Closed on")),
    ]
    head = [Link(_("Record an incident"), "privacy:incident_new", "plus", "privacy.registers", "pri")]


class IncidentNew(FormPage):
    url, name, permission, title = "incidents/new/", "incident_new", "privacy.registers", _("Record an incident")
    form_class, parent = IncidentForm, ("privacy:incidents", _("Data incidents"))

    def form_kwargs(self):
        return {"actor": self.actor}

    def save(self, form):
        return services.record_incident(actor=self.actor, **form.cleaned_data)

    def success_url(self, result):
        return reverse("privacy:incidents")


class IncidentEdit(IncidentNew):
    url, name, title = "incidents/<int:pk>/", "incident", _("Data incident")
    model = Incident

    def get_initial(self):
        area = regions.region(self.object.region_id)
        values = {name: getattr(self.object, name) for name in IncidentForm.base_fields if name != "region_id"}
        return {**values, "region_id": area.pk}

    def save(self, form):
        return services.record_incident(actor=self.actor, incident_id=self.object.pk, **form.cleaned_data)


class AssessmentForm(forms.Form):
    region_id = RegionField(label=_("Area"))
    feature = forms.CharField(label=_("Use that was assessed"), max_length=200)
    lawful = forms.CharField(label=_("Purpose and ground"), max_length=500)
    risk = forms.ChoiceField(label=_("Risk"), choices=Risk.choices)
    measures = forms.CharField(label=_("Measures"), max_length=1000)
    done_on = forms.DateField(label=_("Assessed on"))
    by_whom = forms.CharField(label=_("Assessed by"), max_length=100)

    def __init__(self, *args, actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["region_id"].for_actor(actor)


class AssessmentList(ListPage):
    url, name, permission, title = "assessments/", "assessments", "privacy.registers", _("Impact assessments")
    model, unit, related, sort = Assessment, _("assessments"), ("region",), "-done_on"
    columns = [
        Text("feature", _("Use that was assessed")),
        Choice("risk", _("Risk"), enum=Risk),
        Text("measures", _("Measures")),
        Day("done_on", _("Assessed on"), sort=True),
        Text("by_whom", _("Assessed by")),
        Day("keep_until", _("Keep until")),
        Text("region.full_name", _("Area")),
    ]
    head = [Link(_("Record an assessment"), "privacy:assessment_new", "plus", "privacy.registers", "pri")]


class AssessmentNew(FormPage):
    url, name, permission, title = "assessments/new/", "assessment_new", "privacy.registers", _("Record an assessment")
    form_class, parent = AssessmentForm, ("privacy:assessments", _("Impact assessments"))

    def form_kwargs(self):
        return {"actor": self.actor}

    def save(self, form):
        return services.record_assessment(actor=self.actor, **form.cleaned_data)

    def success_url(self, result):
        return reverse("privacy:assessments")
