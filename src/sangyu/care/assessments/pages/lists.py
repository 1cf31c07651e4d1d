"""The list with a queue per step, what is due, the public notice, demand."""

import django_filters
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel.importing.importer import Importer
from sangyu.registry.regions import selectors as regions
from sangyu.ui.pages import (
    Bulk,
    Choice,
    Day,
    ImportPage,
    Link,
    ListPage,
    Moment,
    Money,
    PlainPage,
    Status,
    Text,
)

from .. import selectors, services
from ..enums import OPEN, DueReason, Reason, State
from ..forms import ApplyAgainForm
from ..models import Assessment

LIST = ("assessments:list", _("Assessments"))
#: State → the words of its queue.
QUEUES = [
    (State.APPLIED, _("To assign")),
    (State.ASSIGNED, _("To visit")),
    (State.VISITED, _("Second look")),
    (State.REVIEWED, _("To publish")),
    (State.PUBLISHED, _("On notice")),
    (State.OBJECTED, pgettext_lazy("assessments", "Objected")),
]


class AssessmentFilters(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(label=_("State"), choices=State.choices)
    reason = django_filters.ChoiceFilter(label=_("Reason"), choices=Reason.choices)
    scale = django_filters.ChoiceFilter(
        label=_("Scale"), field_name="version__code",
        choices=[("gbt-42195-2022", "GB/T 42195-2022"), ("ltci-2021", _("Long-term care insurance"))],
    )  # fmt: skip
    level = django_filters.NumberFilter(label=_("Level"))
    work = django_filters.ChoiceFilter(label=_("Work"), method="by_work", choices=[("open", _("Not finished"))])

    class Meta:
        model = Assessment
        fields: list[str] = []

    def by_work(self, rows, name, value):
        return rows.filter(state__in=OPEN)


class AssessmentList(ListPage):
    url, name, permission, title = "", "list", "assessments.view", _("Assessments")
    model, related, unit = Assessment, ("version",), _("assessments")
    filters, search, search_label = AssessmentFilters, ("number", "person_name"), _("Number or name")
    sort, personal, live = "-applied_at", "assessments.list", ("assessments",)
    template = "assessments/list.html"
    columns = [
        Text("number", _("Number"), link="assessments:detail"),
        Text("person_name", _("Name")),
        Text("version.document", _("Scale")),
        Choice("reason", _("Reason"), enum=Reason),
        Status("state", _("State"), enum=State, sort=True),
        Text("level_name", _("Level")),
        Day("planned_on", _("Planned on"), sort=True),
        Moment("applied_at", _("Applied at"), sort=True),
        Text("applied_by", _("Applied by"), hidden=True),
        Day("notice_to", _("Notice until"), hidden=True),
        Day("effective_on", _("Holds from"), hidden=True),
        Day("due_on", _("Due on"), hidden=True),
        Money("fee", _("Fee"), hidden=True),
    ]
    head = [
        Link(pgettext_lazy("assessments", "Due"), "assessments:due", "clock", "assessments.apply"),
        Link(_("Public notice"), "assessments:notice", "doc", "assessments.review"),
        Link(_("Demand"), "assessments:demand", "chart", "assessments.view"),
        Link(_("Bought assessments"), "assessments:commissions", "building", "assessments.commission"),
        Link(_("Scales"), "assessments:scales", "clip", "assessments.view"),
        Link(_("Import earlier results"), "assessments:import", "up", "assessments.import"),
    ]
    presets = [(label, f"state={state.value}") for state, label in QUEUES]
    empty_text = _("An assessment begins in the elder's file: Record, then Apply for an assessment.")

    def context(self, **extra) -> dict:
        counts = selectors.work_counts(self.actor)
        queues = [{"state": s.value, "label": label, "n": counts.get(s.value, 0)} for s, label in QUEUES]
        return super().context(queues=queues, chosen=self.params.get("state", ""), **extra)


def _again(actor, row, reason: str) -> None:
    services.apply(actor=actor, person_id=row.person_id, reason=reason, instrument=row.version.code)


class DueList(ListPage):
    """Results to be looked at again: a year has passed, or the state changed (R-029)."""

    url, name, permission, title = "due/", "due", "assessments.apply", _("Due for assessment")
    model, related, unit, parent = Assessment, ("version",), _("results"), LIST
    filters, search, sort, personal = ["due_reason"], ("person_name",), "due_on", "assessments.due"
    filled = ("due_on",)
    columns = [
        Text("person_name", _("Name"), link="assessments:detail"),
        Text("level_name", _("Level")),
        Day("effective_on", _("Holds from")),
        Day("due_on", _("Due on"), sort=True),
        Choice("due_reason", _("Why due"), enum=DueReason),
        Text("version.document", _("Scale")),
    ]
    bulk = [Bulk("apply", _("Apply for assessment"), "assessments.apply", each=_again, form=ApplyAgainForm)]
    empty_text = _("Nothing is due within thirty days.")

    def get_queryset(self):
        return selectors.due(self.actor, timezone.localdate())

    def row_css(self, row):
        return "late" if row.due_on < timezone.localdate() else ""


class Notice(ListPage):
    """What hangs out: names masked, no numbers; printed for the board of the community (R-029)."""

    url, name, permission, title = "notice/", "notice", "assessments.review", _("Public notice of assessments")
    model, unit, parent, sort = Assessment, _("results"), LIST, "pk"
    filters = ()
    columns = [
        Text("masked", _("Name"), value=selectors.masked),
        Text("area", _("Community"), value=lambda row: row.person.region.name),
        Text("level_name", _("Level")),
        Text("version.document", _("Scale")),
        Day("published_at", _("Published at")),
        Day("notice_to", _("Notice until")),
    ]
    related = ("version", "person__region")
    head = [Link(_("As everybody sees it"), "assessments:notices", "eye", "assessments.review")]

    def get_queryset(self):
        return selectors.on_notice(self.actor, timezone.localdate())


class Mine(PlainPage):
    """The visits of the signed-in assessor; opens on a tablet, also without a network once it was loaded."""

    url, name, permission, title = "mine/", "mine", "assessments.assess", _("My assessment visits")
    template = "assessments/mine.html"

    def get_context(self) -> dict:
        return {"rows": list(selectors.mine(self.actor)[:50])}


class Demand(PlainPage):
    """What the people of an area need, most wanted first (R-037); settings recommended and overridden (R-032)."""

    url, name, permission, title, parent = (
        "demand/",
        "demand",
        "assessments.view",
        _("Demand and settings of care"),
        LIST,
    )
    template = "assessments/demand.html"

    def get_context(self) -> dict:
        path = self.request.GET.get("path", "")
        path = path if path.startswith(self.actor.path) else self.actor.path
        here = regions.at_path(path)
        return {
            "rows": selectors.demand(self.actor, path=path),
            "areas": selectors.demand_by_area(self.actor, path),
            "settings": selectors.setting_counts(self.actor),
            "levels": selectors.level_counts(self.actor),
            "here": here.full_name if here else "",
        }


class EnterHistory(ImportPage):
    url, name, permission, title = "import/", "import", "assessments.import", _("Results of MZ/T 039-2013")
    importer, back_url, parent = Importer("assessments.history"), "assessments:list", LIST
