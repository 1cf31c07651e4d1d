"""Campaigns: list, one campaign with progress and results by area, draft, start, close; the sheets."""

from datetime import timedelta

import django_filters
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel.audit import log_read
from sangyu.kernel.errors import NotVisible
from sangyu.kernel.importing.importer import Importer
from sangyu.kernel.workbooks import Workbook
from sangyu.registry.regions import selectors as regions
from sangyu.ui.pages import (
    ActionPage,
    Choice,
    Day,
    DetailPage,
    FilePage,
    FormPage,
    ImportPage,
    Link,
    ListPage,
    Made,
    Moment,
    PlainPage,
    Status,
    Tab,
    Text,
    rows_tab,
)

from .. import forms, selectors, services, sheets, targets
from ..enums import Action, CampaignState, Standing, TaskState
from ..models import Campaign

LIST = ("screening:list", _("Screening"))


class CampaignFilters(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(label=_("State"), choices=CampaignState.choices)

    class Meta:
        model = Campaign
        fields: list[str] = []


class CampaignList(ListPage):
    url, name, permission, title = "", "list", "screening.view", _("Screening campaigns")
    model, related, unit = Campaign, ("region", "version"), _("campaigns")
    filters, search, sort, live = CampaignFilters, ("title", "number"), "-starts_on", ("screening",)
    columns = [
        Text("title", _("Title"), link="screening:detail"),
        Text("number", _("Number")),
        Text("region.name", _("Area")),
        Text("version.name", _("Question sheet")),
        Day("starts_on", _("From"), sort=True),
        Day("ends_on", _("Last day"), sort=True),
        Status("state", _("State"), enum=CampaignState, sort=True),
        Text("created_by", _("Created by"), hidden=True),
        Moment("opened_at", _("Started at"), hidden=True),
        Moment("closed_at", _("Closed at"), hidden=True),
    ]
    head = [
        Link(_("New campaign"), "screening:new", "plus", "screening.manage", "pri"),
        Link(_("Follow-ups"), "screening:follow_ups", "flag", "screening.follow_up"),
        Link(_("Import filled sheets"), "screening:import", "up", "screening.import"),
        Link(_("Question sheets"), "screening:sheets", "doc", "screening.view"),
    ]
    presets = [(pgettext_lazy("screening", "Under way"), "state=open")]
    empty_text = _(
        "A campaign asks a list of elders the same questions at the door, and brings the answers into the register."
    )


def _progress(page) -> dict:
    """The table by area; a line leads one level deeper."""
    path = page.request.GET.get("path", "")
    found = selectors.totals(page.actor, page.object, path)
    here = {"campaign": page.object.pk}
    for line in [*found.lines, found.whole]:
        line.deeper = "?" + urlencode({"path": line.path}) if line is not found.whole and len(line.path) < 18 else ""
        line.urls = {
            state: f"{reverse('screening:tasks')}?{urlencode({**here, 'state': state, 'path': line.path})}"
            for state in TaskState.values
        }
    return {
        "found": found,
        "states": TaskState.choices,
        "conditions": targets.in_words(page.object.conditions),
        "expected": selectors.target_count(page.actor, page.object, timezone.localdate())
        if page.object.state == CampaignState.DRAFT else None,
        "all_tasks": f"{reverse('screening:tasks')}?{urlencode(here)}",
        "late": page.object.state == CampaignState.OPEN and page.object.ends_on < timezone.localdate(),
    }  # fmt: skip


def _results(page) -> dict:
    path = page.request.GET.get("path", "")
    found = selectors.totals(page.actor, page.object, path)
    for line in found.lines:
        line.deeper = "?" + urlencode({"path": line.path}) if len(line.path) < 18 else ""
    return {"found": found, "standings": Standing.choices, "answers": selectors.answers(page.actor, page.object, path)}


def _in(*states):
    return lambda row: row.state in states


def _own(actor, row) -> bool:
    return row.path.startswith(actor.path)


class CampaignDetail(DetailPage):
    url, name, permission = "<int:pk>/", "detail", "screening.view"
    model, related, parent, live = Campaign, ("region", "version"), LIST, ("screening",)
    facts = [
        Text("number", _("Number")),
        Text("region.full_name", _("Area")),
        Text("version.name", _("Question sheet")),
        Day("starts_on", _("From")),
        Day("ends_on", _("Last day")),
        Status("state", _("State"), enum=CampaignState),
    ]
    tabs = [
        Tab("", pgettext_lazy("screening", "Progress"), "screening/progress.html", _progress),
        Tab("results", _("Results"), "screening/results.html", _results),
        rows_tab(
            "trail", _("Trail"),
            [Choice("action", _("Action"), enum=Action), Choice("target", _("State"), enum=CampaignState), Moment("at", _("At")),
             Text("actor", _("By"))],
            lambda page: page.object.trail.order_by("id"),
        ),
    ]  # fmt: skip

    def links(self) -> list[Link]:
        row = self.object
        mine = _own(self.actor, row)
        made = [
            Link(pgettext_lazy("screening", "Start"), "screening:start", "play", "screening.manage", "pri", "dialog", when=_in("draft")),
            Link(_("Edit"), "screening:edit", "edit", "screening.manage", when=_in("draft")),
            Link(_("Close the campaign"), "screening:close", "check", "screening.manage", "", "dialog", when=_in("open")),
            Link(_("Cancel"), "screening:cancel", "", "screening.manage", "badline", "dialog", when=_in("draft")),
            Link(_("Begin the next"), "screening:new", "plus", "screening.manage", when=_in("open", "closed"),
                 args=lambda r: [], query=f"?like={row.pk}"),
        ] if mine else []  # fmt: skip
        return [
            *made,
            Link(pgettext_lazy("screening", "All visits"), "screening:tasks", "ul", "screening.view", args=lambda r: [], query=f"?campaign={row.pk}",
                 when=_in("open", "closed")),
            Link(_("Add an elder"), "screening:add", "plus", "screening.fill", "", "dialog", when=_in("open")),
            Link(_("Results as a workbook"), "screening:export", "down", "screening.export", when=_in("open", "closed")),
        ]  # fmt: skip


class NewCampaign(FormPage):
    url, name, permission, title = "new/", "new", "screening.manage", _("New screening campaign")
    form_class, service, detail, parent = forms.CampaignForm, services.create, "screening:detail", LIST
    submit_label, success = _("Save the draft"), _("Saved. See how many elders fit, then start it.")
    wide = ("title", "tags", "note")
    fieldsets = [
        (_("Campaign"), ["title", "region_id", "sheet", "starts_on", "ends_on"]),
        (_("Who is sought"), ["saved", "age_from", "age_to", "ability", "sex", "tags"]),
        (_("Remark"), ["note"]),
    ]

    def form_kwargs(self):
        return {"actor": self.actor}

    def arguments(self, form):
        """The form has gathered the conditions in one mapping."""
        return form.cleaned_data

    def get_initial(self):
        """Empty, or the next of an earlier one: the same area, sheet and conditions in the time after it."""
        like = self.request.GET.get("like", "")
        if not like.isdecimal():
            here = regions.at_path(self.actor.path)
            return {"region_id": here.pk if here else None, "starts_on": timezone.localdate()}
        row = selectors.get_campaign(self.actor, int(like))
        first = row.ends_on + timedelta(days=1)
        return {**_values(row), "starts_on": first, "ends_on": first + (row.ends_on - row.starts_on)}


def _values(row: Campaign) -> dict:
    return {
        "title": row.title, "region_id": row.region_id, "sheet": row.version.code, "starts_on": row.starts_on, "ends_on": row.ends_on,
        "note": row.note, **row.conditions,
    }  # fmt: skip


class EditCampaign(NewCampaign):
    url, name, title, model = "<int:pk>/edit/", "edit", _("Edit the campaign"), Campaign
    related = ("region", "version")
    service, argument, success = services.change, "campaign_id", _("Saved.")

    def get_initial(self):
        return _values(self.object)


class OfCampaign:
    """An act on one campaign; returns to it."""

    model, leaves, argument, detail, parent = Campaign, True, "campaign_id", "screening:detail", LIST
    related = ("region", "version")


class StartCampaign(OfCampaign, ActionPage):
    url, name, permission = "<int:pk>/start/", "start", "screening.manage"
    title = submit_label = pgettext_lazy("screening", "Start")
    success, service = _("Started. The communities see their visits."), services.start

    def confirm_text(self):
        count = selectors.target_count(self.actor, self.object, timezone.localdate())
        return _("%(n)d elders of %(region)s are put on the list, each at its community.") % {
            "n": count, "region": self.object.region.full_name,
        }  # fmt: skip


class CloseCampaign(OfCampaign, ActionPage):
    url, name, permission = "<int:pk>/close/", "close", "screening.manage"
    title = submit_label = _("Close the campaign")
    irreversible, success, service = True, _("Closed."), services.close

    def confirm_text(self):
        left = selectors.totals(self.actor, self.object).whole.states["waiting"]
        return _("“%(title)s” ends. %(n)d elders stay unvisited.") % {"title": self.object.title, "n": left}


class CancelCampaign(OfCampaign, ActionPage):
    url, name, permission, title = "<int:pk>/cancel/", "cancel", "screening.manage", _("Cancel the draft")
    submit_label, irreversible, success, service = _("Cancel the draft"), True, _("Cancelled."), services.cancel

    def confirm_text(self):
        return _("“%(title)s” is not carried out.") % {"title": self.object.title}


class AddElder(OfCampaign, ActionPage):
    url, name, permission, title = "<int:pk>/add/", "add", "screening.fill", _("Add an elder")
    form_class, submit_label, success, service = forms.AddForm, _("Add"), _("On the list."), services.add_target


class Results(FilePage):
    """The tables of the page as a workbook: progress and findings by area down to the community, answers; logged (R-023)."""

    url, name, permission, title = "<int:pk>/results.xlsx", "export", "screening.export", _("Results of the screening")

    def make(self) -> Made:
        row = selectors.get_campaign(self.actor, self.kwargs["pk"])
        log_read(actor=self.actor, what="screening.results", objects=[], purpose=row.number)
        book = Workbook()
        sheet = book.add_worksheet(str(pgettext_lazy("screening", "Progress")))
        heads = [
            _("Area"),
            _("Elders to visit"),
            *(s.label for s in TaskState),
            _("In the database"),
            *(s.label for s in Standing),
        ]
        sheet.write_row(0, 0, [str(h) for h in heads], book.bold)
        found = selectors.totals(self.actor, row)
        lines = list(self.deep(row, found))
        for n, (depth, line) in enumerate([*lines, (0, found.whole)], 1):
            name = str(_("Total")) if n > len(lines) else "\u3000" * depth + line.name
            sheet.write_row(n, 0, [name, line.targets, *line.states.values(), line.inside, *line.standings.values()])
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, 0, 26)
        second = book.add_worksheet(str(pgettext_lazy("screening", "Answers")))
        second.write_row(
            0,
            0,
            [str(_("Question")), str(pgettext_lazy("screening", "Answer")), str(pgettext_lazy("count", "Elders"))],
            book.bold,
        )
        at = 1
        for entry in selectors.answers(self.actor, row):
            for text, n in [*entry["options"], (str(_("not asked or not answered")), entry["none"])]:
                second.write_row(at, 0, [entry["question"].text, text, n])
                at += 1
        second.set_column(0, 1, 32)
        return Made(book.content(), f"{row.number}.xlsx")

    def deep(self, row, found, depth: int = 0):
        """Areas, each followed by those below it."""
        for line in found.lines:
            yield depth, line
            if len(line.path) < 18 and line.path != found.whole.path:
                yield from self.deep(row, selectors.totals(self.actor, row, line.path), depth + 1)


class Sheets(PlainPage):
    url, name, permission, title, parent = "sheets/", "sheets", "screening.view", _("Question sheets"), LIST
    template = "screening/sheets.html"

    def get_context(self) -> dict:
        return {"sheets": [sheet for sheet, _text in sheets.shipped().values()]}


class OneSheet(PlainPage):
    """A sheet as the officer reads it: questions, answers, and what each means."""

    url, name, permission = "sheets/<slug:code>/", "sheet", "screening.view"
    template = "screening/sheet.html"
    parent = ("screening:sheets", _("Question sheets"))

    @property
    def sheet(self):
        found = sheets.shipped().get(self.kwargs["code"])
        if found is None:
            raise NotVisible
        return found[0]

    def get_title(self) -> str:
        return self.sheet.name

    def get_context(self) -> dict:
        parts = [
            (part.name, [(q, [(o, sheets.meaning(o)) for o in q.options]) for q in part.questions])
            for part in self.sheet.parts
        ]
        return {"sheet": self.sheet, "parts": parts}


class EnterSheets(ImportPage):
    url, name, permission, title = "import/", "import", "screening.import", _("Import filled sheets")
    importer, back_url, parent = Importer("screening.sheets"), "screening:list", LIST
    help_text = _("One elder a line. The sheets wait for confirmation, as if filled in on a phone.")
