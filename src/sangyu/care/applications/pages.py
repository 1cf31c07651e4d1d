"""Applications and objections: lists, one with its steps, acts. What stands beside a person: standing_pages."""

import django_filters
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.registry.people.fields import ForPerson
from sangyu.ui.fields import OptionalReasonForm, ReasonForm
from sangyu.ui.nav import Group, Nav
from sangyu.ui.pages import (
    ActionPage,
    Choice,
    Day,
    DetailPage,
    FormPage,
    Link,
    ListPage,
    Moment,
    Money,
    Status,
    Tab,
    Text,
    rows_tab,
)

from . import forms, selectors, services
from .enums import OPEN, TO_ANSWER, Action, BodyKind, Channel, ObjectionState, State, Step, Vote
from .models import Application

NAV = [
    Nav(_("Applications"), "clip", "applications:list", "applications.view", Group.MONEY, 12, badge=selectors.waiting),
    Nav(_("Objections"), "flag", "applications:objections", "applications.answer", Group.MONEY, 13),
    Nav(
        _("Accounts paid into"), "wallet", "applications:payees", ("applications.payee_approve", "applications.payee_reveal"),
        Group.MONEY, 14,
    ),
    Nav(_("Holds"), "pause", "applications:holds", "applications.hold", Group.MONEY, 15),
]  # fmt: skip
LIST = ("applications:list", _("Applications"))


class AboutElder(ForPerson):
    """A form that offers the policies of the elder's area."""

    back = "casefile:subsidies"

    def form_kwargs(self) -> dict:
        return {"path": self.person.path}


# ---------------------------------------------------------------- applications
class ApplicationFilters(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(label=_("State"), choices=State.choices)
    channel = django_filters.ChoiceFilter(label=_("Handed in by"), choices=Channel.choices)
    policy = django_filters.CharFilter(label=_("Policy code"), field_name="policy_code")
    step = django_filters.ChoiceFilter(label=_("Waits for"), choices=Step.choices, method="by_step")
    late = django_filters.ChoiceFilter(label=_("Answer"), method="by_late", choices=[("1", _("Overdue"))])

    class Meta:
        model = Application
        fields: list[str] = []

    def by_step(self, rows, name, value):
        return selectors.waits_for(rows, [value])

    def by_late(self, rows, name, value):
        return rows.filter(state__in=OPEN, due_on__lt=timezone.localdate())


def _step_word(row: Application) -> str:
    return str(Step(row.next_step).label) if row.next_step else ""


class ApplicationList(ListPage):
    url, name, permission, title = "", "list", "applications.view", _("Applications")
    model, related, unit = Application, ("person", "person__region"), _("applications")
    filters, search, sort = ApplicationFilters, ("number", "person__name", "body_name", "policy_name"), "-submitted_at"
    personal, live = "applications.list", ("applications",)
    columns = [
        Text("number", _("Number"), link="applications:detail"),
        Text("subject_name", _("Applicant for")),
        Choice("body_kind", _("Kind of applicant"), enum=BodyKind, hidden=True),
        Text("person.region.name", _("Area")),
        Text("policy_name", _("Policy")),
        Status("state", _("State"), enum=State),
        Text("next_step", _("Waits for"), value=_step_word),
        Choice("channel", _("Handed in by"), enum=Channel),
        Day("applied_on", _("Applied on"), sort=True),
        Day("due_on", _("Answer by"), sort=True),
        Day("approved_from", _("Holds from"), hidden=True),
        Text("answer", _("Answer"), hidden=True),
        Text("applicant", _("Applicant"), hidden=True),
        Moment("submitted_at", _("Handed in at"), sort=True, hidden=True),
    ]
    head = [Link(_("New application of a body"), "applications:body-new", "plus", "applications.apply")]
    presets = [
        (_("Community's step"), "state=submitted&state=review&step=community"),
        (_("Street's step"), "state=submitted&state=review&step=street"),
        (_("County's step"), "state=submitted&state=review&step=county"),
        (_("Overdue"), "late=1"),
    ]
    empty_text = _("Applications are handed in from the elder's page, or by the elder.")

    def row_css(self, row):
        return "late" if selectors.is_late(row, timezone.localdate()) else ""


def steps_of(page) -> dict:
    """Each step with who took it and when; what stands in the way; hints at a double benefit."""
    row, taken = page.object, []
    trail = {t.data.get("step"): t for t in row.trail.all() if t.data.get("step")}
    for place, step in enumerate(row.steps):
        state = "done" if place < row.done else "now" if step == row.next_step else "ahead"
        if row.state == State.REFUSED and place == row.done:
            state = "refused"
        taken.append({"label": Step(step).label, "state": state, "log": trail.get(step)})
    given = list(row.papers.select_related("file"))
    have = {p.asked for p in given}
    return {
        "steps": taken,
        "hints": selectors.hints(page.actor, row) if row.state in OPEN else [],
        "missing": [a for a in row.asked if a not in have],
        "papers": given,
    }


def panel_of(page) -> dict:
    """Decisions of panels, the one that counts first."""
    rows = page.object.decisions.select_related("file")
    said = [[(m["name"], m["position"], Vote(m["vote"])) for m in row.members] for row in rows]
    return {"decisions": list(zip(rows, said, strict=True)), "asked": selectors.panel_asked(page.object)}


def _open(row: Application) -> bool:
    return row.state in OPEN


class ApplicationDetail(DetailPage):
    url, name, permission = "<int:pk>/", "detail", "applications.view"
    model, related, parent = Application, ("person", "person__region"), LIST
    live = ("applications",)
    facts = [Status("state", _("State"), enum=State), Day("due_on", _("Answer by"))]
    summary = [
        (
            pgettext_lazy("applications", "Application"),
            [
                Text("subject_name", _("Applicant for"), link=lambda a: reverse("casefile:page", args=[a.person_id]) if a.person_id else ""),
                Text("person.region.full_name", _("Area")), Text("policy_name", _("Policy")),
                Text("policy_code", _("Policy code")), Day("applied_on", _("Applied on")),
                Choice("channel", _("Handed in by"), enum=Channel), Text("applicant", _("Applicant")),
                Text("text", _("What was said")),
            ],
        ),
        (
            _("Decision"),
            [Money("decided_amount", _("Decided amount")), Text("decided_document", _("Document of the decision")),
             Moment("decided_at", _("Decided at")), Day("approved_from", _("Holds from")), Text("answer", _("Answer"))],
        ),
    ]  # fmt: skip
    tabs = [
        Tab("steps", _("Review"), "applications/steps.html", steps_of),
        Tab("panel", pgettext_lazy("applications", "Panel"), "applications/panel.html", panel_of, "applications.review"),
        rows_tab(
            "trail", pgettext_lazy("applications", "Trail"),
            [Choice("action", _("Action"), enum=Action), Moment("at", _("At")), Text("actor", _("By")), Text("reason", _("Reason"))],
            lambda page: page.object.trail.all(),
        ),
        rows_tab(
            "objections", _("Objections"),
            [Text("number", _("Number"), link="applications:objection"), Status("state", _("State"), enum=ObjectionState),
             Text("text", _("Why")), Text("answer", _("Answer"))],
            lambda page: page.object.objections.all(),
        ),
    ]  # fmt: skip

    def links(self):
        row, actor, made = self.object, self.actor, []
        if row.state == State.REFUSED:
            if row.objections.filter(state__in=TO_ANSWER).exists():
                if selectors.leaves_amount(row) and actor.may("applications.review"):
                    made.append(Link(_("Decide the amount"), "applications:decide", "edit", "applications.review"))
            else:
                made.append(Link(_("Object"), "applications:refusal-object", "flag", "applications.apply"))
        if not _open(row):
            return made
        if selectors.may_step(actor, row):
            last = row.done + 1 >= len(row.steps)
            words = pgettext_lazy("applications", "Approve") if last else pgettext_lazy("applications", "Pass on")
            made.append(Link(words, "applications:approve", "check", "applications.review", "pri", "dialog"))
            made.append(
                Link(
                    pgettext_lazy("applications", "Refuse"),
                    "applications:refuse",
                    "close",
                    "applications.review",
                    "badline",
                    "dialog",
                )
            )
        if selectors.leaves_amount(row) and actor.may("applications.review"):
            made.append(Link(_("Decide the amount"), "applications:decide", "edit", "applications.review"))
        made.append(Link(_("Add evidence"), "applications:paper", "doc", "applications.apply"))
        made.append(
            Link(
                pgettext_lazy("applications", "Withdraw"),
                "applications:withdraw",
                "undo",
                "applications.apply",
                method="dialog",
            )
        )
        return made


class ApplicationNew(AboutElder):
    url, name, permission, title = "people/<int:pk>/new/", "new", "applications.apply", _("New application")
    form_class, service, submit_label = forms.ApplyForm, services.apply, pgettext_lazy("applications", "Hand in")
    wide = ("text",)

    def success_url(self, result=None) -> str:
        return reverse("applications:detail", args=[result.pk]) if result is not None else super().success_url()


class AboutBody(FormPage):
    """A form about a facility, an organisation or a worker, chosen in it."""

    def form_kwargs(self) -> dict:
        return {"actor": self.actor}

    def arguments(self, form) -> dict:
        return form.cleaned_data  # the form says kind and number of the body


class BodyApplicationNew(AboutBody):
    """A facility, an organisation or a worker applies (R-057 … R-061)."""

    url, name, permission, title = "bodies/new/", "body-new", "applications.apply", _("New application of a body")
    form_class, service, submit_label = (
        forms.BodyApplyForm,
        services.apply_for_body,
        pgettext_lazy("applications", "Hand in"),
    )
    parent, wide, detail = LIST, ("text",), "applications:detail"


class Decide(FormPage):
    """What the panel or office decided, within the bounds of the policy."""

    url, name, permission, title = "<int:pk>/decide/", "decide", "applications.review", _("Decide the amount")
    model, form_class, parent, service = Application, forms.DecideForm, LIST, services.decide
    argument, detail, success = (
        "application_id",
        "applications:detail",
        _("Recorded. Somebody else takes the last step."),
    )

    multipart, wide = True, ("members",)

    def form_kwargs(self) -> dict:
        return {"panel": selectors.panel_asked(self.object)}

    def get_initial(self) -> dict:
        return {"amount": self.object.decided_amount, "document": self.object.decided_document}


class _OfApplication(ActionPage):
    model, related, parent, leaves = Application, ("person",), LIST, True
    argument, detail = "application_id", "applications:detail"

    def get_title(self) -> str:
        return f"{self.title}：{self.object.subject_name} · {self.object.policy_name}"


class Approve(_OfApplication):
    url, name, permission, title = "<int:pk>/approve/", "approve", "applications.review", _("Take the step")
    form_class, service, submit_label, success = forms.ApproveForm, services.approve_step, _("Confirm"), _("Done.")

    def arguments(self, form) -> dict:
        return {**form.cleaned_data, "expect": self.object.done}


class Refuse(_OfApplication):
    url, name, permission = "<int:pk>/refuse/", "refuse", "applications.review"
    title = submit_label = pgettext_lazy("applications", "Refuse")
    form_class, service, success = ReasonForm, services.refuse, pgettext_lazy("decision", "Refused.")


class Withdraw(_OfApplication):
    url, name, permission = "<int:pk>/withdraw/", "withdraw", "applications.apply"
    title = submit_label = pgettext_lazy("applications", "Withdraw")
    form_class, service, success = OptionalReasonForm, services.withdraw, _("Withdrawn.")


class PaperNew(FormPage):
    url, name, permission, title = "<int:pk>/papers/new/", "paper", "applications.apply", _("Add evidence")
    model, form_class, parent, multipart = Application, forms.PaperForm, LIST, True
    service, argument, detail = services.add_paper, "application_id", "applications:detail"

    def form_kwargs(self) -> dict:
        return {"asked": self.object.asked}
