"""Visits of a campaign as a list, follow-ups as a list, one visit with its sheet; the phone at the door."""

from datetime import date
from typing import Any

import django_filters
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from sangyu.care.assessments.enums import NeedKind
from sangyu.kernel.actor import Audience
from sangyu.kernel.errors import Invalid, Refused
from sangyu.kernel.scoping import PATH_END
from sangyu.ui.pages import (
    Bulk,
    Choice,
    Day,
    DetailPage,
    Link,
    ListPage,
    Moment,
    PlainPage,
    Status,
    Tab,
    Text,
    rows_tab,
)
from sangyu.ui.pages.bulk import Outcome

from .. import forms, selectors, services
from ..enums import Action, FollowUpKind, FollowUpState, Missed, Standing, TaskState
from ..models import FollowUp, Task
from .campaigns import LIST

NEEDS = dict(NeedKind.choices)


class TaskFilters(django_filters.FilterSet):
    campaign = django_filters.NumberFilter(label=gettext_lazy("Campaign"))
    state = django_filters.ChoiceFilter(label=gettext_lazy("State"), choices=TaskState.choices)
    standing = django_filters.ChoiceFilter(label=gettext_lazy("Special difficulty"), choices=Standing.choices)
    path = django_filters.CharFilter(label=gettext_lazy("Area"), method="by_path")

    class Meta:
        model = Task
        fields: list[str] = []

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        rows = selectors.campaigns_visible(self.request.actor).exclude(state__in=["draft", "cancelled"])
        choices = [(c.pk, f"{c.title}（{c.number}）") for c in rows.order_by("-pk")[:100]]
        self.filters["campaign"] = django_filters.ChoiceFilter(
            label=gettext_lazy("Campaign"), field_name="campaign_id", choices=choices
        )
        self.filters["campaign"].parent, self.filters["campaign"].model = self, Task

    def by_path(self, rows, name, value):
        return rows.filter(path__gte=value, path__lt=value + PATH_END)


def _confirm(*, actor, ids) -> Outcome:
    return Outcome(refused=services.confirm(actor=actor, ids=list(ids)))


def _back(*, actor, ids, reason) -> Outcome:
    return Outcome(refused=services.give_back(actor=actor, ids=list(ids), reason=reason))


def _assign(*, actor, ids, **to) -> Outcome:
    return Outcome(refused=services.assign(actor=actor, ids=list(ids), **to))


class TaskList(ListPage):
    url, name, permission, title = "visits/", "tasks", "screening.view", gettext_lazy("Screening visits")
    model, related, unit, parent = (
        Task,
        ("campaign", "account", "worker", "person__region"),
        gettext_lazy("visits"),
        LIST,
    )
    filters, search, sort = TaskFilters, ("person_name",), "pk"
    personal, export_permission, live = "screening.visits", "screening.export", ("screening",)
    columns = [
        Text("person_name", gettext_lazy("Name"), link="screening:task", sort=True),
        Text("person.region.name", gettext_lazy("Community")),
        Text("address", gettext_lazy("Address")),
        Status("state", gettext_lazy("State"), enum=TaskState, sort=True),
        Choice("standing", gettext_lazy("Special difficulty"), enum=Standing),
        Day("visited_on", gettext_lazy("Visited on")),
        Text("holder", gettext_lazy("In the hands of"), value=lambda t: (t.account or t.worker or "") and (t.account or t.worker).name),
        Choice("missed", gettext_lazy("Why not met"), enum=Missed),
        Text("note", gettext_lazy("Remark"), hidden=True),
        Text("filled_by", gettext_lazy("Filled in by")),
        Text("confirmed_by", gettext_lazy("Confirmed by"), hidden=True),
        Moment("confirmed_at", gettext_lazy("Confirmed at"), hidden=True),
        Text("campaign.title", gettext_lazy("Campaign"), hidden=True),
    ]  # fmt: skip
    bulk = [
        Bulk("confirm", pgettext_lazy("screening", "Confirm"), "screening.review", many=_confirm,
             confirm=gettext_lazy("Take what {count} sheets say into the register?")),
        Bulk("back", gettext_lazy("Give back"), "screening.review", many=_back, form=forms.BackForm, icon="undo"),
        Bulk("assign", gettext_lazy("Who goes there"), "screening.fill", many=_assign, form=forms.AssignForm, icon="user"),
    ]  # fmt: skip
    presets = [
        (pgettext_lazy("screening", "To visit"), "state=waiting"),
        (pgettext_lazy("screening", "To confirm"), "state=filled"),
        (pgettext_lazy("screening", "Not met"), "state=missed"),
    ]
    empty_text = gettext_lazy("Visits stand here when a campaign has started.")


def _sheet(page) -> dict:
    row = page.object
    return {"told": selectors.told(row), "row": row, "sheet": row.campaign.version.sheet}


class TaskDetail(DetailPage):
    """One visit: the answers in words, what follows from them, the trail."""

    url, name, permission = "visits/<int:pk>/", "task", "screening.view"
    model, related, live = Task, ("campaign__version", "account", "worker", "person"), ("screening",)
    parent = ("screening:tasks", gettext_lazy("Screening visits"))
    facts = [
        Text("campaign.title", gettext_lazy("Campaign")),
        Text("address", gettext_lazy("Address")),
        Status("state", gettext_lazy("State"), enum=TaskState),
        Day("visited_on", gettext_lazy("Visited on")),
        Text("filled_by", gettext_lazy("Filled in by")),
        Text("confirmed_by", gettext_lazy("Confirmed by")),
    ]
    tabs = [
        Tab("", gettext_lazy("Sheet"), "screening/told.html", _sheet),
        rows_tab(
            "follow-up", gettext_lazy("Follow-ups"),
            [Choice("kind", pgettext_lazy("screening", "What"), enum=FollowUpKind), Status("state", gettext_lazy("State"), enum=FollowUpState),
             Text("note", gettext_lazy("Remark")), Text("done_by", gettext_lazy("Done by")), Moment("done_at", gettext_lazy("Done at"))],
            lambda page: page.object.follow_ups.order_by("pk"),
        ),
        rows_tab(
            "trail", gettext_lazy("Trail"),
            [Choice("action", gettext_lazy("Action"), enum=Action), Choice("target", gettext_lazy("State"), enum=TaskState),
             Moment("at", gettext_lazy("At")), Text("actor", gettext_lazy("By")), Text("reason", gettext_lazy("Reason"))],
            lambda page: page.object.trail.order_by("id"),
        ),
    ]  # fmt: skip
    actions = [
        Link(gettext_lazy("Fill in the sheet"), "screening:fill", "edit", "screening.fill", "pri",
             when=lambda t: t.state in (TaskState.WAITING, TaskState.MISSED)),
        Link(gettext_lazy("Elder's file"), "casefile:page", "user", "people.view", args=lambda t: [t.person_id]),
    ]  # fmt: skip


def _apply(*, actor, ids) -> Outcome:
    return Outcome(refused=services.apply_for_assessments(actor=actor, ids=list(ids)))


def _settle(*, actor, ids, note, dropped) -> Outcome:
    return Outcome(refused=services.settle(actor=actor, ids=list(ids), note=note, dropped=dropped))


class FollowUpList(ListPage):
    """What confirmed sheets ask for: apply for assessments at once; visits and services are arranged, then noted here."""

    url, name, permission, title = (
        "follow-ups/",
        "follow_ups",
        "screening.follow_up",
        gettext_lazy("Follow-ups of screenings"),
    )
    model, related, unit, parent = (
        FollowUp,
        ("person__region", "task__campaign", "assessment"),
        gettext_lazy("follow-ups"),
        LIST,
    )
    filters, sort, personal = ["kind", "state"], "pk", "screening.follow_ups"
    export_permission = "screening.export"
    columns = [
        Text("person.name", gettext_lazy("Name"), link=lambda f: reverse("casefile:page", args=[f.person_id])),
        Text("person.region.name", gettext_lazy("Community")),
        Choice("kind", pgettext_lazy("screening", "What"), enum=FollowUpKind),
        Text("needs", gettext_lazy("Needs"), value=lambda f: "、".join(str(NEEDS[n]) for n in f.task.needs)),
        Status("state", gettext_lazy("State"), enum=FollowUpState),
        Day("opened_on", gettext_lazy("Found on")),
        Text(
            "task.campaign.title", gettext_lazy("Campaign"), link=lambda f: reverse("screening:task", args=[f.task_id])
        ),
        Text("note", gettext_lazy("Remark")),
        Text("done_by", gettext_lazy("Done by"), hidden=True),
        Moment("done_at", gettext_lazy("Done at"), hidden=True),
    ]
    bulk = [
        Bulk("apply", gettext_lazy("Apply for assessments"), "screening.follow_up", many=_apply,
             confirm=gettext_lazy("Apply for assessments of {count} elders?")),
        Bulk("settle", gettext_lazy("Note as done"), "screening.follow_up", many=_settle, form=forms.DoneForm, icon="check"),
    ]  # fmt: skip
    presets = [
        (pgettext_lazy("screening", "To do"), "state=open"),
        (gettext_lazy("Assessments to apply for"), "state=open&kind=assessment"),
    ]
    empty_text = gettext_lazy("What confirmed sheets ask for stands here.")


# ---------------------------------------------------------------- the phone at the door
class PhonePage(PlainPage):
    """Base: the phone frame, for staff of a community and for workers."""

    base, permission = "screening/base_phone.html", "screening.fill"


class Mine(PhonePage):
    """Whom the signed-in account has to visit, by address."""

    url, name, title = "mine/", "mine", gettext_lazy("My screening visits")
    template = "screening/mine.html"

    def breadcrumbs(self):
        if self.actor.audience is Audience.WORKER:
            return [(_("Visits"), "/")]
        return [(_("Screening"), reverse("screening:list"))]

    def get_context(self) -> dict:
        rows = selectors.mine(self.actor).select_related("campaign")
        return {"rows": list(rows[:100]), "count": rows.count(), "today": timezone.localdate()}


class Fill(PhonePage):
    """One sheet: big targets; kept as far as it goes, or handed in; or nobody was met, and why."""

    url, name, template = "visits/<int:pk>/fill/", "fill", "screening/fill.html"
    problems: dict[str, list[str]] = {}
    given: dict[str, Any] | None = None

    @property
    def row(self) -> Task:
        if "_row" not in self.__dict__:
            self._row = selectors.get_task(self.actor, self.kwargs["pk"])
        return self._row

    def get_title(self) -> str:
        return self.row.person_name

    def breadcrumbs(self):
        return [(_("My screening visits"), reverse("screening:mine"))]

    def get_context(self) -> dict:
        row, sheet = self.row, self.row.campaign.version.sheet
        answers = self.given if self.given is not None else row.answers
        return {
            "row": row,
            "sheet": sheet,
            "open": row.state in (TaskState.WAITING, TaskState.MISSED) and row.campaign.state == "open",
            "parts": [
                (part.name, [{"q": q, "value": answers.get(q.code, ""), "wrong": self.problems.get(q.code, []), "when": _when(q)} for q in part.questions])
                for part in sheet.parts
            ],
            "visited_on": self.request.POST.get("visited_on") or f"{row.visited_on or timezone.localdate():%Y-%m-%d}",
            "problems": self.problems,
            "other": [w for key, words in self.problems.items() if key not in sheet.questions for w in words],
            "missed": Missed.choices,
            "told": selectors.told(row),
        }  # fmt: skip

    def post(self, request, *args, **kwargs) -> HttpResponse:
        act, row = request.POST.get("act", "keep"), self.row
        try:
            if act == "missed":
                services.miss(
                    actor=self.actor, task_id=row.pk, why=request.POST.get("why", ""), note=request.POST.get("note", "")
                )
                return self.redirect(reverse("screening:mine"), _("Noted. The visit can be made again."))
            self.given = read_answers(row, request.POST)
            day = _day(request.POST.get("visited_on", ""))
            services.save(
                actor=self.actor, task_id=row.pk, answers=self.given, visited_on=day, hand_in=act == "hand_in",
            )  # fmt: skip
        except Invalid as error:
            self.problems = {key: [str(w) for w in words] for key, words in error.errors.items()}
            return self.render(self.template, self.context(**self.get_context()), status=422)
        except Refused as error:
            self.problems = {"": [str(error.message)]}
            return self.render(self.template, self.context(**self.get_context()), status=409)
        if act == "hand_in":
            return self.redirect(reverse("screening:mine"), _("Handed in: %(name)s.") % {"name": row.person_name})
        return self.redirect(reverse("screening:fill", args=[row.pk]), _("Kept."))


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _when(question) -> str:
    """ "living=alone,empty_nest" for the script that hides what is not asked."""
    return ";".join(f"{code}={','.join(values)}" for code, values in question.when.items())


def read_answers(row: Task, given) -> dict[str, Any]:
    """question → answer, from the fields of the form."""
    made: dict[str, Any] = {}
    for code, question in row.campaign.version.sheet.questions.items():
        value = given.getlist(f"q-{code}") if question.kind == "several" else given.get(f"q-{code}", "").strip()
        if value:
            made[code] = value
    return made
