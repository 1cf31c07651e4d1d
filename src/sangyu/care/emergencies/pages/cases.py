"""Screens: the list of cases, one case with its trail, and the acts on it."""

import django_filters
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.registry.regions import selectors as regions
from sangyu.ui.pages import (
    ActionPage,
    Area,
    Choice,
    DetailPage,
    FormPage,
    Link,
    ListPage,
    Moment,
    Number,
    Status,
    Tab,
    Text,
    YesNo,
    rows_tab,
)

from .. import forms, selectors, services
from ..enums import (
    LIVE,
    Answer,
    Cause,
    ChannelKind,
    Kind,
    Level,
    NoticeState,
    Outcome,
    PartyKind,
    Source,
    State,
    step_result,
)
from ..models import Incident

LIST = ("emergencies:list", _("Emergencies"))
DETAIL = "emergencies:detail"


class CaseFilters(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(label=pgettext_lazy("incident", "State"), choices=State.choices)
    live = django_filters.ChoiceFilter(
        label=_("Still open"), method="by_live", choices=[("1", _("Yes")), ("0", _("No"))]
    )
    level = django_filters.ChoiceFilter(label=_("Level"), choices=Level.choices[:2])
    kind = django_filters.ChoiceFilter(label=pgettext_lazy("incident", "Alarm"), choices=Kind.choices)
    outcome = django_filters.ChoiceFilter(label=_("Outcome"), choices=Outcome.choices)
    drill = django_filters.ChoiceFilter(label=_("Drill"), choices=[("true", _("Yes")), ("false", _("No"))])
    path = django_filters.ChoiceFilter(label=_("Area"), method="by_path")
    opened = django_filters.DateFromToRangeFilter(field_name="opened_at", label=_("Opened at"))

    class Meta:
        model = Incident
        fields: list[str] = []

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        below = regions.below(self.request.actor.path).filter(level__gte=3)[:400]
        self.filters["path"].extra["choices"] = [(r.path, "\u3000" * max(0, r.level - 3) + r.name) for r in below]

    def by_path(self, rows, name, value):
        return rows.filter(path__startswith=value)

    def by_live(self, rows, name, value):
        return rows.filter(state__in=LIVE) if value == "1" else rows.exclude(state__in=LIVE)


def whose(i: Incident) -> str:
    """Whose case it is, in words."""
    return i.person_name or i.address or gettext("Unknown")


def seconds(i: Incident) -> str:
    """From arrival to the first answer."""
    if i.answered_at is None:
        return ""
    return gettext("%(n)d s") % {"n": (i.answered_at - i.received_at).total_seconds()}


class CaseList(ListPage):
    url, name, permission, title = "", "list", "emergencies.view", _("Emergencies")
    model, related, unit, personal = Incident, ("region",), _("emergencies"), "emergencies.list"
    filters, search, sort, live = CaseFilters, ("number", "person_name"), "-opened_at", ("emergencies",)
    export_permission = "emergencies.export"
    columns = [
        Text("number", _("Number"), link=DETAIL),
        Choice("level", _("Level"), enum=Level, sort=True),
        Choice("kind", pgettext_lazy("incident", "Alarm"), enum=Kind),
        Text("whose", _("Who or where"), value=whose),
        Area("region.full_name", _("Area")),
        Status("state", pgettext_lazy("incident", "State"), enum=State, sort=True),
        Moment("opened_at", _("Opened at"), sort=True),
        Text("seconds", _("Answered after"), value=seconds),
        Text("claimed_name", _("In the hands of")),
        Choice("outcome", _("Outcome"), enum=Outcome),
        Number("repeats", _("Alarms"), hidden=True),
        Choice("cause", _("Cause"), enum=Cause, hidden=True),
        Choice("source", _("Came by"), enum=Source, hidden=True),
        Text("address", _("Address"), hidden=True),
        Moment("alarm_at", _("Alarm at"), hidden=True),
        Moment("received_at", _("Received at"), hidden=True),
        Moment("arrived_at", _("Help arrived at"), hidden=True),
        Moment("closed_at", pgettext_lazy("incident", "Closed at"), hidden=True),
        Text("follow_up", _("Follow-up order"), hidden=True),
        YesNo("drill", _("Drill"), hidden=True),
    ]
    head = [
        Link(_("Raise by hand"), "emergencies:raise", "plus", "emergencies.raise", "pri"),
        Link(_("Response report"), "emergencies:report", "chart", "emergencies.report"),
        Link(_("Roster of nights"), "emergencies:roster", "cal", "emergencies.roster", query="?when=ahead"),
        Link(_("Drills"), "emergencies:drills", "flag", "emergencies.drill"),
        Link(_("Calls"), "emergencies:calls", "phone", "emergencies.handle"),
        Link(_("Ladders"), "emergencies:ladders", "ul", "emergencies.view"),
    ]
    presets = [
        (_("Still open"), "live=1"), (pgettext_lazy("incident", "Waiting"), "state=open"), (pgettext_lazy("incident", "To review"), "state=closed"),
        (_("False alarms"), "outcome=false_alarm"), (_("Drills"), "drill=true"),
    ]  # fmt: skip
    empty_text = _("No alarm of level 1 or 2 has come.")


def _trail(page) -> dict:
    card = selectors.card(page.actor, page.object.pk)
    return {
        "card": card,
        "lines": selectors.trail(page.actor, page.object.pk),
        "handover": selectors.handover_text(page.actor, page.object.pk) if page.object.live else "",
        "now": timezone.now(),
    }


def _far(p) -> str:
    return f"{p.distance_m} m" if p.distance_m is not None else ""


def _may(act: str):
    return lambda i: act in i.acts


class CaseDetail(DetailPage):
    url, name, permission = "<int:pk>/", "detail", "emergencies.view"
    model, related, parent, live = Incident, ("region", "facility", "device", "person"), LIST, ("emergencies",)
    facts = [
        Status("state", pgettext_lazy("incident", "State"), enum=State),
        Choice("level", _("Level"), enum=Level),
        Choice("kind", pgettext_lazy("incident", "Alarm"), enum=Kind),
        Text("claimed_name", _("In the hands of")),
        Moment("opened_at", _("Opened at")),
        Text("seconds", _("Answered after"), value=seconds),
    ]
    tabs = [
        Tab("", pgettext_lazy("incident", "Trail"), "emergencies/trail.html", _trail),
        rows_tab(
            "parties", _("Who was asked"),
            [
                Text("name", pgettext_lazy("thing", "Name")), Choice("kind", pgettext_lazy("party", "Kind"), enum=PartyKind),
                Text("far", _("Distance"), value=_far), Text("reason", _("Reason")), Moment("offered_at", _("Asked at")),
                Status("answer", _("Answer"), enum=Answer), Moment("answered_at", _("Answered at")),
                Text("answer_words", _("What they said")), Moment("arrived_at", _("There at")),
            ],
            lambda page: selectors.parties_of(page.object),
        ),
        rows_tab(
            "steps", _("Clocks"),
            [
                Moment("due_at", _("Due at")), Text("words", _("Step")), Moment("done_at", pgettext_lazy("step", "Done at")), Text("result", _("Result"), value=lambda s: step_result(s.result)),
            ],
            lambda page: page.object.steps.order_by("due_at", "rank"),
        ),
        rows_tab(
            "notices", _("Notices"),
            [
                Moment("created_at", _("Written at")), Text("name", pgettext_lazy("notice", "To")), Choice("channel", pgettext_lazy("notice", "Channel"), enum=ChannelKind),
                Text("words", _("Words")), Status("state", _("State"), enum=NoticeState), Number("tries", _("Tries")),
                Moment("sent_at", _("Sent at")), Text("error", _("Error")),
            ],
            lambda page: page.object.notices.order_by("created_at", "id"),
        ),
        rows_tab(
            "alarms", _("Alarms"),
            [
                Moment("at", _("Device's time")), Moment("received_at", _("Received at")), Choice("kind", pgettext_lazy("incident", "Alarm"), enum=Kind),
                Choice("level", _("Level"), enum=Level), Text("device", _("Device")), Text("text", pgettext_lazy("alarm", "What it says")), YesNo("late", pgettext_lazy("alarm", "Late")),
            ],
            lambda page: page.object.alarms.select_related("device").order_by("received_at", "id"),
        ),
    ]  # fmt: skip
    actions = [
        Link(_("Take"), "emergencies:claim", "check", "emergencies.handle", "pri", "post", when=_may("claim")),
        Link(_("Call the elder"), "emergencies:verify", "phone", "emergencies.handle", "pri", "dialog", when=_may("verify")),
        Link(_("Send help"), "emergencies:offer", "user", "emergencies.handle", when=_may("offer")),
        Link(_("120 or 110"), "emergencies:emergency", "off", "emergencies.handle", "badline", "dialog", when=_may("escalate_120")),
        Link(_("Note"), "emergencies:note", "edit", "emergencies.handle", "", "dialog", when=_may("note")),
        Link(_("Close the case"), "emergencies:close", "check", "emergencies.handle", when=_may("close")),
        Link(_("Give back"), "emergencies:release", "undo", "emergencies.handle", "", "dialog", when=_may("release")),
        Link(pgettext_lazy("incident", "Review"), "emergencies:review", "check", "emergencies.review", "pri", "dialog", when=_may("review")),
        Link(_("Elder's file"), "casefile:page", "user", "people.view", args=lambda i: [i.person_id], when=lambda i: i.person_id),
    ]  # fmt: skip

    def get(self, request, *args, **kwargs) -> HttpResponse:
        answer = super().get(request, *args, **kwargs)
        if not self.partial:  # a tab loaded alone is the same look
            selectors.log_look(self.actor, self.object)
        return answer

    def get_object(self, **kwargs):
        found = super().get_object(**kwargs)
        found.acts = selectors.acts(self.actor, found)
        return found

    def get_title(self) -> str:
        mark = gettext("[Drill] ") if self.object.drill else ""
        return f"{mark}{self.object.get_kind_display()} {whose(self.object)} {self.object.number}"

    def history_of(self) -> tuple:
        return (self.object,)


class RaiseCase(FormPage):
    url, name, permission, title = "raise/", "raise", "emergencies.raise", _("Raise an emergency by hand")
    form_class, parent, submit_label = forms.RaiseForm, LIST, _("Raise")

    def form_kwargs(self) -> dict:
        return {"actor": self.actor}

    def save(self, form):
        return services.raise_by_hand(actor=self.actor, now=timezone.now(), **form.cleaned_data)

    def success_url(self, result) -> str:
        return reverse(DETAIL, args=[result])


class _Act(ActionPage):
    """One act on a case, at this moment."""

    model, argument, detail, parent, permission = Incident, "incident_id", DETAIL, LIST, "emergencies.handle"

    def arguments(self, form) -> dict:
        return {**form.cleaned_data, "now": timezone.now()}


class Claim(_Act):
    url, name, title, service, success = "<int:pk>/claim/", "claim", _("Take"), services.claim, _("You have the case.")

    def get_object(self, *, lock: bool = False):
        return super().get_object()  # the claim itself decides, without waiting for a lock


class Release(_Act):
    url, name, title, service, form_class = (
        "<int:pk>/release/",
        "release",
        _("Give back"),
        services.release,
        forms.WhyForm,
    )


class Verify(_Act):
    url, name, title, service, form_class = (
        "<int:pk>/verify/",
        "verify",
        _("Call the elder"),
        services.verify,
        forms.VerifyForm,
    )


class WriteNote(_Act):
    url, name, title, service, form_class = "<int:pk>/note/", "note", _("Note"), services.note, forms.NoteForm


class Emergency(_Act):
    url, name, title, service = "<int:pk>/emergency/", "emergency", _("120 or 110 has the case"), services.escalate_120
    form_class, irreversible = forms.EmergencyForm, True

    def confirm_text(self) -> str:
        return selectors.handover_text(self.actor, self.object.pk)


class Review(_Act):
    url, name, title, service, form_class = (
        "<int:pk>/review/",
        "review",
        pgettext_lazy("incident", "Review"),
        services.review,
        forms.ReviewForm,
    )
    permission = "emergencies.review"


class _Form(FormPage):
    model, argument, detail, parent, permission = Incident, "incident_id", DETAIL, LIST, "emergencies.handle"
    related = ("region",)

    def get_title(self) -> str:
        return f"{self.title}：{whose(self.object)}"

    def breadcrumbs(self) -> list:
        return [*super().breadcrumbs(), (self.object.number, reverse(DETAIL, args=[self.object.pk]))]


class Offer(_Form):
    url, name, title, form_class, tab = "<int:pk>/offer/", "offer", _("Send help"), forms.OfferForm, "parties"
    success, submit_label = _("Asked."), _("Ask")

    def form_kwargs(self) -> dict:
        return {"candidates": selectors.candidates(self.actor, self.object.pk)}

    def save(self, form):
        kind, pk = form.cleaned_data["who"].split("-")
        return services.offer(
            actor=self.actor, incident_id=self.object.pk, kind=kind, subject_id=int(pk), reason=form.cleaned_data["reason"],
            now=timezone.now(),
        )  # fmt: skip


class Close(_Form):
    url, name, title, form_class = "<int:pk>/close/", "close", _("Close the case"), forms.CloseForm
    success, submit_label = pgettext_lazy("incident", "Closed."), _("Close the case")

    def form_kwargs(self) -> dict:
        return {"path": self.object.path}

    def get_initial(self) -> dict:
        return {"outcome": Outcome.DRILL if self.object.drill else "", "cause": Cause.TEST if self.object.drill else ""}

    def save(self, form):
        given = dict(form.cleaned_data)
        item, start = given.pop("item_code"), given.pop("planned_start")
        follow_up = {"item_code": item, "planned_start": start} if item else None
        return services.close(
            actor=self.actor, incident_id=self.object.pk, now=timezone.now(), follow_up=follow_up, **given
        )


PAGES = (
    CaseList, RaiseCase, CaseDetail, Claim, Release, Verify, WriteNote, Emergency, Review, Offer, Close,
)  # fmt: skip
