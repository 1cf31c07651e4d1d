"""Lines of runs: the list with its differences, one line with its explanation, withholding and resuming."""

import django_filters
from django import forms as django_forms
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.errors import NotVisible
from sangyu.ui import format as fmt
from sangyu.ui.pages import (
    ActionPage,
    Bulk,
    BulkForm,
    Choice,
    DetailPage,
    Link,
    ListPage,
    Money,
    Number,
    PlainPage,
    Status,
    Tab,
    Text,
)

from .. import explaining, forms, selectors, services, subjects
from ..enums import FROZEN, Change, Form, LineKind, LineState, SubjectKind
from ..models import Line, Review
from .runs import PARENT, Month


class LineFilter(django_filters.FilterSet):
    """``run`` and ``place`` come with the address, from a run or a review."""

    run = django_filters.NumberFilter(field_name="run_id", widget=django_forms.HiddenInput)
    place = django_filters.CharFilter(field_name="path", lookup_expr="startswith", widget=django_forms.HiddenInput)
    person = django_filters.NumberFilter(field_name="person_id", widget=django_forms.HiddenInput)
    change = django_filters.ChoiceFilter(choices=Change.choices)
    kind = django_filters.ChoiceFilter(choices=LineKind.choices)
    state = django_filters.ChoiceFilter(choices=LineState.choices)
    policy = django_filters.CharFilter(label=_("Policy code"))
    fund = django_filters.CharFilter(label=_("Fund source"))

    class Meta:
        model = Line
        fields = ["run", "place", "person", "change", "kind", "state", "policy", "fund"]


def by_name(rows, text: str):
    """Lines of subjects whose name begins with ``text``."""
    return subjects.named(rows).filter(subject_name__startswith=text)


def _reason(line: Line) -> str:
    return "；".join(f"{what} {then} → {now}" for what, then, now in explaining.changes_of(line))


class _WithholdForm(BulkForm, forms.ReasonForm):
    pass


class LineList(ListPage):
    url, name, permission, title = "lines/", "lines", "benefits.view", _("Benefit lines")
    model = Line
    unit = pgettext_lazy("benefits", "lines")
    search, search_label = staticmethod(by_name), _("Name")
    filters = LineFilter
    sort = "-id"
    related = ("run",)
    personal = "benefits.lines"
    columns = [
        Text("subject_name", pgettext_lazy("benefits", "Recipient"), link="benefits:line"),
        Choice("subject_kind", _("Kind of recipient"), enum=SubjectKind, hidden=True),
        Text("policy", _("Policy")),
        Month("month", _("Month"), sort=True),
        Status("change", pgettext_lazy("benefits", "Change"), enum=Change),
        Choice("kind", _("Kind"), enum=LineKind, hidden=True),
        Money("previous", _("Last time")),
        Money("amount", _("Amount"), sort=True),
        Text("reason", _("What differs"), value=_reason),
        Number("days", _("Days"), hidden=True),
        Choice("form", _("Form"), enum=Form, hidden=True),
        Text("fund", _("Fund source"), hidden=True),
        Status("state", _("State"), enum=LineState),
        Text("run.number", _("Run"), hidden=True),
    ]
    row_actions = [
        Link(
            _("Withhold"), "benefits:withhold", "", "benefits.review_street", "text", "dialog",
            when=lambda x: x.state == LineState.OPEN and x.run.state not in FROZEN,
        ),
        Link(
            _("Resume"), "benefits:resume", "", "benefits.review_street", "text", "dialog",
            when=lambda x: x.state == LineState.WITHHELD,
        ),
    ]  # fmt: skip
    bulk = [
        Bulk(
            "withhold", _("Withhold"), "benefits.review_street",
            each=lambda actor, row, reason: services.withhold(actor=actor, line_id=row.pk, reason=reason) and None,
            undo=lambda actor, row, kept: services.resume(actor=actor, line_id=row.pk),
            form=_WithholdForm, confirm=_("Withhold {count} lines?"),
        )
    ]  # fmt: skip
    presets = [
        (_("New"), "change=new"), (pgettext_lazy("benefits", "Changed"), "change=changed"),
        (pgettext_lazy("benefits", "Stopped"), "change=stopped"), (_("Withheld"), "state=withheld"),
        (_("Over-payments"), "kind=recovery"),
    ]  # fmt: skip

    def prepared(self, rows):
        return subjects.named(super().prepared(rows))


class ReviewLines(PlainPage):
    """The lines of one review: the list, narrowed to the run and the place."""

    url, name, permission, title = "reviews/<int:pk>/", "review_lines", "benefits.view", _("Lines of a review")

    def get(self, request, *args, **kwargs) -> HttpResponse:
        found = Review.objects.visible_to(self.actor).filter(pk=kwargs["pk"]).first()
        if found is None:
            raise NotVisible
        return self.redirect(f"{reverse('benefits:lines')}?run={found.run_id}&place={found.path}")


def _explained(page) -> dict:
    told = selectors.explain(page.actor, page.object)
    return {"told": told, "line": page.object, "failed": told.failed}


class LineDetail(DetailPage):
    url, name, permission = "lines/<int:pk>/", "line", "benefits.view"
    model, related, parent = Line, ("run", "run__region"), PARENT
    history = False
    facts = [
        Status("change", pgettext_lazy("benefits", "Change"), enum=Change),
        Status("state", _("State"), enum=LineState),
        Money("amount", _("Amount")),
    ]
    tabs = [Tab("", _("Why this amount"), "benefits/explained.html", _explained)]
    actions = [
        Link(_("Print"), "benefits:line_print", "print", "benefits.view"),
        Link(
            _("Withhold"), "benefits:withhold", "", "benefits.review_street", "", "dialog",
            when=lambda x: x.state == LineState.OPEN and x.run.state not in FROZEN,
        ),
        Link(
            _("Resume"), "benefits:resume", "", "benefits.review_street", "", "dialog",
            when=lambda x: x.state == LineState.WITHHELD,
        ),
    ]  # fmt: skip

    def get_queryset(self):
        return subjects.named(selectors.lines(self.actor))

    def get_title(self) -> str:
        return f"{self.object.subject_name or fmt.DASH} · {self.object.month:%Y-%m}"

    def breadcrumbs(self) -> list[tuple[str, str]]:
        run = self.object.run
        return [*super().breadcrumbs(), (run.number, reverse("benefits:detail", args=[run.pk]))]


class LinePrint(PlainPage):
    """The explanation on one sheet."""

    url, name, permission, title = "lines/<int:pk>/print/", "line_print", "benefits.view", _("Why this amount")
    template = "benefits/line_print.html"

    def get_context(self) -> dict:
        line = selectors.get_line(self.actor, self.kwargs["pk"])
        told = selectors.explain(self.actor, line)
        known = selectors.names([line])
        return {"told": told, "line": line, "who": known.get((line.subject_kind, line.subject_id), "")}


class _Act(ActionPage):
    model, related, parent = Line, ("run",), PARENT
    argument, form_class, detail = "line_id", forms.ReasonForm, "benefits:line"

    def get_queryset(self):
        return subjects.named(selectors.lines(self.actor))

    def get_object(self, *, lock: bool = False):
        return super().get_object()

    def confirm_text(self) -> str:
        x = self.object
        return f"{x.subject_name} · {x.policy} · {x.month:%Y-%m} · {fmt.money(x.amount)}"


class Withhold(_Act):
    url, name, permission, title = (
        "lines/<int:pk>/withhold/",
        "withhold",
        "benefits.review_street",
        _("Withhold the line"),
    )
    submit_label, service, success = _("Withhold"), services.withhold, _("Withheld.")


class Resume(_Act):
    url, name, permission, title = "lines/<int:pk>/resume/", "resume", "benefits.review_street", _("Resume the line")
    submit_label, service, success = _("Resume"), services.resume, _("Resumed.")

    def confirm_text(self) -> str:
        later = self.object.run.state in FROZEN
        note = gettext("It will be paid with the next run as arrears.") if later else ""
        return f"{super().confirm_text()} {note}".strip()
