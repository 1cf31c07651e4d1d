"""The list of runs, one run with its progress, differences, reviews and totals, and the acts on it."""

from dataclasses import replace

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.ui import format as fmt
from sangyu.ui.pages import (
    ActionPage,
    Choice,
    Column,
    DetailPage,
    FormPage,
    Link,
    ListPage,
    Moment,
    Money,
    Number,
    Status,
    Tab,
    Text,
    rows_tab,
)

from .. import forms, selectors, services
from ..enums import By, Change, Level, LineKind, RunState
from ..models import Run

PARENT = ("benefits:list", pgettext_lazy("navigation", "Benefit runs"))
_OPEN = (RunState.COMPUTED, RunState.REVIEWED, RunState.PUBLISHED)


class Month(Column):
    """Year and month."""

    css = "sec"

    def text(self, row):
        found = self.get(row)
        return f"{found:%Y-%m}" if found else fmt.DASH


class RunList(ListPage):
    url, name, permission, title = "", "list", "benefits.view", pgettext_lazy("navigation", "Benefit runs")
    model = Run
    unit = _("runs")
    search, search_label = ("number",), _("Number")
    filters = ["state"]
    sort = "-month"
    related = ("region",)
    columns = [
        Text("number", _("Number"), link="benefits:detail"),
        Month("month", _("Month"), sort=True),
        Text("region.name", _("Region")),
        Status("state", _("State"), enum=RunState, sort=True),
        Number("subject_count", _("Recipients")),
        Number("line_count", pgettext_lazy("benefits", "Lines"), sort=True),
        Money("total", _("To pay"), sort=True),
        Money("withheld", _("Withheld"), hidden=True),
        Text("prepared_by", _("Prepared by"), hidden=True),
        Text("approved_by", pgettext_lazy("benefits", "Approved by"), hidden=True),
        Text("released_by", _("Released by"), hidden=True),
        Moment("released_at", _("Released at"), hidden=True),
    ]
    head = [
        Link(_("Totals"), "benefits:totals", "chart", "benefits.view"),
        Link(pgettext_lazy("benefits", "Lines"), "benefits:lines", "doc", "benefits.view"),
        Link(_("New run"), "benefits:new", "plus", "benefits.prepare", "pri"),
    ]
    presets = [
        (_("To review"), "state=computed"), (_("To approve"), "state=reviewed"), (_("To release"), "state=approved"),
    ]  # fmt: skip
    empty_text = _("Compute a month to see who gets what.")


class NewRun(FormPage):
    url, name, permission, title = "new/", "new", "benefits.prepare", _("New run")
    form_class, parent, submit_label = forms.BeginForm, PARENT, _("Compute")
    intro = _(
        "Reads the facts as they are known now and shows what changed. Nothing is paid before review, approval and release."
    )
    detail = "benefits:detail"

    def form_kwargs(self) -> dict:
        return {"actor": self.actor}

    def get_initial(self) -> dict:
        return {"month": timezone.localdate().replace(day=1), "back_months": 3}

    def save(self, form) -> Run:
        given = form.cleaned_data
        run = services.begin(
            actor=self.actor, region_id=given["region"], month=given["month"], back_months=given["back_months"]
        )
        services.start(actor=self.actor, run_id=run.pk)
        return run

    def success_message(self, result: Run) -> str:
        return gettext("%(number)s is being computed.") % {"number": result.number}


def _when(*states):
    return lambda run: run.state in states


def _lines_url(run: Run, **filters: str) -> str:
    query = "&".join(f"{k}={v}" for k, v in {"run": run.pk, **filters}.items())
    return f"{reverse('benefits:lines')}?{query}"


def _differences(page) -> dict:
    run = page.object
    made = []
    for key, kind, count, fen in selectors.run_totals(run):
        entitled = kind == LineKind.ENTITLEMENT
        label, tone = (Change(key).label, Change(key).tone) if entitled else (LineKind(kind).label, LineKind(kind).tone)
        url = _lines_url(run, **({"change": key, "kind": kind} if entitled else {"kind": kind}))
        made.append({"label": label, "tone": tone, "count": count, "amount": fmt.money(fen), "url": url})
    return {
        "rows": made, "run": run, "operation": run.operation if run.state == RunState.COMPUTING else None,
        "elsewhere": run.counts.get("elsewhere", 0), "all_url": _lines_url(run),
    }  # fmt: skip


def _totals(page) -> dict:
    run = page.object
    found = []
    for by, words in ((By.POLICY, _("Policy")), (By.FUND, _("Fund source")), (By.AREA, _("Area"))):
        found.append({"heading": words, "rows": selectors.run_sums(page.actor, run, by)})
    return {"tables": found, "run": run}


def _review_rows(page):
    return page.object.reviews.select_related("region").order_by("-level", "path")


REVIEW_LINKS = [
    Link(pgettext_lazy("benefits", "Lines"), "benefits:review_lines", "", "benefits.view", "text"),
    Link(
        _("Finish"), "benefits:review_street", "", "benefits.review_street", "text", "dialog",
        when=lambda r: r.level == Level.STREET and r.done_at is None,
    ),
    Link(
        _("Finish"), "benefits:review_county", "", "benefits.review", "text", "dialog",
        when=lambda r: r.level == Level.COUNTY and r.done_at is None,
    ),
]  # fmt: skip


class RunDetail(DetailPage):
    url, name, permission = "<int:pk>/", "detail", "benefits.view"
    model, related, parent = Run, ("region", "operation", "previous", "notice"), PARENT
    facts = [
        Status("state", _("State"), enum=RunState),
        Month("month", _("Month")),
        Number("subject_count", _("Recipients")),
        Money("total", _("To pay")),
    ]
    tabs = [
        Tab("", _("Differences"), "benefits/differences.html", _differences),
        Tab("totals", _("Totals"), "benefits/run_totals.html", _totals),
        rows_tab(
            "reviews",
            _("Reviews"),
            [
                Choice("level", _("Level"), enum=Level),
                Text("region.name", _("Region")),
                Number("line_count", pgettext_lazy("benefits", "Lines")),
                Money("total", _("Amount")),
                Text("reviewer", _("Reviewed by")),
                Moment("done_at", _("Reviewed at")),
                Text("note", _("Note")),
            ],
            _review_rows,
            row_actions=REVIEW_LINKS,
        ),
        Tab("basis", _("Basis"), "benefits/basis.html", lambda page: {"run": page.object}),
        rows_tab(
            "trail",
            _("Steps"),
            [Moment("at", _("When")), Text("action", _("Step")), Text("target", _("State")), Text("actor", _("Who")),
             Text("reason", _("Reason"))],
            lambda page: page.object.trail.order_by("-id"),
        ),
    ]  # fmt: skip
    actions = [
        Link(pgettext_lazy("benefits", "Lines"), "benefits:lines", "doc", "benefits.view", args=lambda run: []),
        Link(_("Compute again"), "benefits:again", "", "benefits.prepare", "", "dialog", when=_when(RunState.COMPUTED)),
        Link(_("Cancel"), "benefits:cancel", "", "benefits.prepare", "", "dialog", when=_when(RunState.COMPUTING, *_OPEN)),
        Link(_("Back to review"), "benefits:reopen", "", "benefits.review", "", "dialog",
             when=_when(RunState.REVIEWED, RunState.PUBLISHED)),
        Link(_("Public notice"), "benefits:publish", "", "benefits.publish", "pri", "dialog", when=_when(RunState.REVIEWED)),
        Link(_("Approve"), "benefits:approve", "", "benefits.approve", "pri", "dialog",
             when=_when(RunState.REVIEWED, RunState.PUBLISHED)),
        Link(_("Release"), "benefits:release", "", "benefits.release", "pri", "dialog", when=_when(RunState.APPROVED)),
    ]  # fmt: skip
    live = ("benefit_run",)

    def get_queryset(self):
        return selectors.runs(self.actor)

    def links(self) -> list[Link]:
        made = super().links()
        if hasattr(self.object, "notice") and self.object.state == RunState.PUBLISHED:
            made.insert(0, Link(_("The notice"), "benefits:notice", "globe", args=lambda run: [run.notice.code]))
        return [replace(m, query=f"?run={self.object.pk}") if m.url == "benefits:lines" else m for m in made]


class _Act(ActionPage):
    """An act on one run that returns to its page."""

    model, related, parent = Run, ("region",), PARENT
    argument, detail, leaves = "run_id", "benefits:detail", True
    words = ""

    def get_queryset(self):
        return selectors.runs(self.actor)

    def confirm_text(self) -> str:
        run = self.object
        return str(self.words) % {
            "number": run.number, "month": f"{run.month:%Y-%m}", "total": fmt.money(run.total), "lines": run.line_count,
            "people": run.subject_count,
        }  # fmt: skip


class Again(_Act):
    url, name, permission, title = "<int:pk>/again/", "again", "benefits.prepare", _("Compute again")
    submit_label, success = _("Compute again"), _("It is being computed again.")
    words = _("The lines of %(number)s are thrown away and computed anew from what is known now.")

    def act(self, form) -> str:
        services.again(actor=self.actor, run_id=self.object.pk)
        services.start(actor=self.actor, run_id=self.object.pk)
        return str(self.success)


class Cancel(_Act):
    url, name, permission, title = "<int:pk>/cancel/", "cancel", "benefits.prepare", _("Cancel the run")
    submit_label, form_class, irreversible = _("Cancel the run"), forms.ReasonForm, True
    words = _("%(number)s ends and its %(lines)s lines go. Nothing was paid.")
    service, success = services.cancel, _("Cancelled.")


class Reopen(_Act):
    url, name, permission, title = "<int:pk>/reopen/", "reopen", "benefits.review", _("Back to review")
    submit_label, form_class = _("Back to review"), forms.ReasonForm
    service, success = services.reopen, _("Back at the county's review.")


class Publish(_Act):
    url, name, permission, title = "<int:pk>/publish/", "publish", "benefits.publish", _("Put on public notice")
    submit_label, form_class = _("Publish"), forms.PublishForm
    words = _("Masked names and amounts of %(number)s can be read by everybody.")
    service, success = services.publish, _("Published.")

    def get_initial(self) -> dict:
        return {"days": max(self.object.notice_days, 7)}


class Approve(_Act):
    url, name, permission, title = "<int:pk>/approve/", "approve", "benefits.approve", _("Approve the run")
    submit_label, irreversible = _("Approve"), True
    words = _("%(total)s for %(people)s recipients in %(month)s (%(number)s). From now on nothing of the run changes.")
    service, success = services.approve, _("Approved.")


class Release(_Act):
    url, name, permission, title = "<int:pk>/release/", "release", "benefits.release", _("Release the run")
    submit_label, irreversible = _("Release"), True
    words = _("%(total)s leave the funds for %(people)s recipients (%(number)s). This cannot be taken back.")

    #: More lines than this are released in the background.
    direct = 2000

    def act(self, form) -> str | HttpResponse:
        if self.object.line_count <= self.direct:
            services.release(actor=self.actor, run_id=self.object.pk)
            return gettext("Released.")
        work = services.start_release(actor=self.actor, run_id=self.object.pk)
        return self.redirect(reverse("ui:operation", args=[work.pk]), gettext("It is being released."))
