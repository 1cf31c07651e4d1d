"""Screens: roster of nights, drills, tests, calls, ladders in words."""

from datetime import timedelta

import django_filters
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.errors import Refused
from sangyu.kernel.importing.importer import Importer
from sangyu.registry.regions import selectors as regions
from sangyu.ui.pages import (
    ActionPage,
    Area,
    Choice,
    FormPage,
    ImportPage,
    Link,
    ListPage,
    Moment,
    Number,
    PlainPage,
    RowAction,
    Status,
    Text,
)

from .. import forms, ladders, selectors, services
from ..enums import CallState, DrillState, Kind, Level
from ..models import Call, Drill, Duty, PeriodicTest
from .cases import DETAIL, LIST

#: Nights ahead in which a gap is shown.
AHEAD = timedelta(days=30)


def _now(form) -> dict:
    return {**form.cleaned_data, "now": timezone.now()}


class PlaceForm(FormPage):
    """A form for people and areas of the actor."""

    def form_kwargs(self) -> dict:
        return {"actor": self.actor}

    def arguments(self, form) -> dict:
        return _now(form)


# ---------------------------------------------------------------- roster
class RosterFilters(django_filters.FilterSet):
    when = django_filters.ChoiceFilter(
        label=_("Nights"), method="by_time", choices=[("ahead", _("From now on")), ("past", _("Past"))]
    )

    class Meta:
        model = Duty
        fields: list[str] = []

    def by_time(self, rows, name, value):
        now = timezone.now()
        return rows.filter(ends_at__gt=now) if value == "ahead" else rows.filter(ends_at__lte=now)


class Roster(ListPage):
    url, name, permission, title = "roster/", "roster", "emergencies.roster", _("Roster of nights")
    model, related, unit, parent = Duty, ("region", "facility"), _("duties"), LIST
    filters, search, sort = RosterFilters, ("account_name",), "starts_at"
    columns = [
        Moment("starts_at", pgettext_lazy("duty", "From"), sort=True),
        Moment("ends_at", pgettext_lazy("duty", "Until")),
        Text("account_name", _("Person on duty")),
        Number("rank", pgettext_lazy("duty", "Order")),
        Text("where", _("Where"), value=lambda d: d.facility.name if d.facility_id else d.region.full_name),
        Text("contact_masked", _("Reachable at")),
        Text("note", _("Hand-over notes")),
        Moment("handed_over_at", _("Handed over at"), hidden=True),
    ]
    presets = [(_("From now on"), "when=ahead"), (_("Past"), "when=past")]
    row_actions = [
        RowAction(pgettext_lazy("duty", "Somebody else"), "emergencies:reassign", kind="text", method="dialog"),
        RowAction(pgettext_lazy("duty", "Hand over"), "emergencies:hand-over", kind="text", method="dialog"),
    ]  # fmt: skip
    head = [
        Link(_("Plan nights"), "emergencies:plan-nights", "plus", "emergencies.roster", "pri"),
        Link(_("Gaps in the roster"), "emergencies:gaps", "flag", "emergencies.roster"),
        Link(_("Import the roster"), "emergencies:roster-import", "ul", "emergencies.roster"),
    ]
    empty_text = _("Nobody is on the roster. Plan the nights, so that an alarm at night has somebody.")


class Gaps(PlainPage):
    """Nights of the next 30 days for which nobody is first on the roster."""

    url, name, permission, title = "roster/gaps/", "gaps", "emergencies.roster", _("Gaps in the roster")
    template, parent = "emergencies/gaps.html", ("emergencies:roster", _("Roster of nights"))

    def get_context(self) -> dict:
        today = timezone.localdate()
        kept = selectors.rosters(self.actor, today, today + AHEAD)
        return {"rosters": kept, "on_duty": selectors.now_on_duty(self.actor), "until": today + AHEAD}


class ImportRoster(ImportPage):
    url, name, permission = "roster/import/", "roster-import", "emergencies.roster"
    title, importer, back_url = _("Import the roster"), Importer("emergencies.roster"), "emergencies:roster"
    parent = ("emergencies:roster", _("Roster of nights"))
    help_text = _("One night and person a row. Nights that are on the roster already stay.")


class PlanNights(PlaceForm):
    url, name, permission, title = "roster/plan/", "plan-nights", "emergencies.roster", _("Plan nights")
    form_class, service, parent = forms.NightsForm, services.plan_nights, ("emergencies:roster", _("Roster of nights"))
    intro = _("The people take the nights in turn. What is on the roster already stays; only gaps are filled.")
    wide = ("account_ids",)

    def get_initial(self) -> dict:
        here = regions.at_path(self.actor.path)
        first = timezone.localdate()
        return {"region_id": here.pk if here else None, "first": first, "last": first + AHEAD}

    def arguments(self, form) -> dict:
        given = _now(form)
        return {**given, "region_id": given["region_id"] or 0}

    def success_message(self, result) -> str:
        return gettext("%(n)d duties planned.") % {"n": len(result)}

    def success_url(self, result) -> str:
        return reverse("emergencies:roster")


class _OfDuty(ActionPage):
    model, argument, parent = Duty, "duty_id", ("emergencies:roster", _("Roster of nights"))

    def arguments(self, form) -> dict:
        return _now(form)


class Reassign(_OfDuty):
    url, name, permission, title = (
        "roster/<int:pk>/reassign/",
        "reassign",
        "emergencies.roster",
        pgettext_lazy("duty", "Somebody else"),
    )
    form_class, service = forms.ReassignForm, services.reassign_night

    def form_kwargs(self) -> dict:
        return {"actor": self.actor}


class HandOver(_OfDuty):
    url, name, permission, title = (
        "roster/<int:pk>/hand-over/",
        "hand-over",
        "emergencies.roster",
        pgettext_lazy("duty", "Hand over"),
    )
    form_class, service = forms.HandOverForm, services.hand_over


# ---------------------------------------------------------------- drills and tests
class DrillList(ListPage):
    url, name, permission, title = "drills/", "drills", "emergencies.drill", _("Drills")
    model, related, unit, parent = Drill, ("region", "incident"), _("drills"), LIST
    filters, search, sort = ["state"], ("title",), "-planned_at"
    columns = [
        Text("title", _("Title")),
        Moment("planned_at", _("Planned for"), sort=True),
        Area("region.full_name", _("Area")),
        Text("place", _("Where")),
        Choice("kind", pgettext_lazy("incident", "Alarm"), enum=Kind),
        Status("state", pgettext_lazy("drill", "State"), enum=DrillState),
        Text(
            "incident.number",
            pgettext_lazy("incident", "Case"),
            link=lambda d: reverse(DETAIL, args=[d.incident_id]) if d.incident_id else "",
        ),
        Text("findings", _("What was learnt")),
        Text("aim", _("What it is to show"), hidden=True),
        Choice("level", _("Level"), enum=Level, hidden=True),
        Text("planned_by", _("Planned by"), hidden=True),
    ]
    row_actions = [
        RowAction(
            pgettext_lazy("drill", "Begin"),
            "emergencies:drill-start",
            kind="text",
            method="dialog",
            when=lambda d: d.state == DrillState.PLANNED,
        ),
        RowAction(
            _("Write what was learnt"),
            "emergencies:drill-done",
            kind="text",
            method="dialog",
            when=lambda d: d.state == DrillState.RUNNING,
        ),
    ]
    head = [
        Link(_("Plan a drill"), "emergencies:drill-new", "plus", "emergencies.drill", "pri"),
        Link(_("Test alarms"), "emergencies:tests", "watch", "emergencies.drill"),
    ]
    empty_text = _("A drill shows whether somebody is at the door in time.")


class PlanDrill(PlaceForm):
    url, name, permission, title = "drills/new/", "drill-new", "emergencies.drill", _("Plan a drill")
    form_class, service, parent = forms.DrillForm, services.plan_drill, ("emergencies:drills", _("Drills"))

    def get_initial(self) -> dict:
        here = regions.at_path(self.actor.path)
        return {"region_id": here.pk if here else None}

    def success_url(self, result) -> str:
        return reverse("emergencies:drills")


class _OfDrill(ActionPage):
    model, argument, parent, permission = Drill, "drill_id", ("emergencies:drills", _("Drills")), "emergencies.drill"

    def arguments(self, form) -> dict:
        return _now(form)


class StartDrill(_OfDrill):
    url, name, title, service = "drills/<int:pk>/start/", "drill-start", _("Begin the drill"), services.start_drill
    success = _("The alarm is raised; everybody sees that it is a drill.")

    def confirm_text(self) -> str:
        return gettext("“%(title)s”: an alarm of level %(level)s is raised at %(place)s.") % {
            "title": self.object.title, "level": self.object.level, "place": self.object.place,
        }  # fmt: skip


class DrillDone(_OfDrill):
    url, name, title = "drills/<int:pk>/done/", "drill-done", _("What was learnt")
    form_class, service = forms.FindingsForm, services.drill_done


class Tests(ListPage):
    """Test alarms that came through; devices without one for a month stand on a page of their own."""

    url, name, permission, title = "tests/", "tests", "emergencies.drill", _("Test alarms")
    model, related, unit, parent = PeriodicTest, ("device",), _("test alarms"), LIST
    search, sort = ("device__identity",), "-received_at"
    columns = [
        Text("device.identity", _("Device"), link=lambda t: reverse("devices:detail", args=[t.device_id])),
        Moment("at", _("Tested at")),
        Moment("received_at", _("Received at"), sort=True),
        Moment("stored_at", _("On the screen at")),
    ]
    head = [Link(_("Without a test"), "emergencies:untested", "flag", "emergencies.drill")]


class Untested(PlainPage):
    url, name, permission, title = "tests/missing/", "untested", "emergencies.drill", _("Devices without a test alarm")
    template, parent = "emergencies/untested.html", ("emergencies:tests", _("Test alarms"))

    def get_context(self) -> dict:
        rows = selectors.untested(self.actor)
        return {"rows": list(rows[:200]), "count": rows.count()}


# ---------------------------------------------------------------- calls
class CallFilters(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(label=pgettext_lazy("call", "State"), choices=CallState.choices)
    due = django_filters.ChoiceFilter(label=_("To call back"), method="by_due", choices=[("1", _("Yes"))])

    class Meta:
        model = Call
        fields: list[str] = []

    def by_due(self, rows, name, value):
        return rows.filter(call_back_by__isnull=False, called_back_at=None)


class CallList(ListPage):
    url, name, permission, title = "calls/", "calls", "emergencies.handle", _("Telephone calls")
    model, related, unit, parent, personal = Call, ("person", "incident"), _("calls"), LIST, "emergencies.calls"
    filters, sort, live = CallFilters, "-offered_at", ("emergencies.called",)
    columns = [
        Moment("offered_at", _("Called at"), sort=True),
        Text("number_masked", _("Telephone")),
        Text("person.name", _("Elder")),
        Status("state", pgettext_lazy("call", "State"), enum=CallState),
        Text("agent", pgettext_lazy("call", "Answered by")),
        Moment("call_back_by", _("Call back by")),
        Moment("called_back_at", _("Called back at")),
        Text("result", _("Result")),
        Text(
            "incident.number",
            pgettext_lazy("incident", "Case"),
            link=lambda c: reverse(DETAIL, args=[c.incident_id]) if c.incident_id else "",
        ),
        Text("called_back_by", _("Called back by"), hidden=True),
    ]
    presets = [(_("To call back"), "due=1")]
    row_actions = [
        RowAction(
            pgettext_lazy("call", "Called back"),
            "emergencies:called-back",
            when=lambda c: c.call_back_by is not None and c.called_back_at is None,
        )
    ]
    head = [Link(_("Write down a call"), "emergencies:call-new", "plus", "emergencies.handle", "pri")]
    empty_text = _("Calls of the exchange and those written down by hand stand here.")


class WriteDownCall(PlaceForm):
    url, name, permission, title = "calls/new/", "call-new", "emergencies.handle", _("Write down a call")
    form_class, service, parent = forms.CallForm, services.write_down_call, ("emergencies:calls", _("Telephone calls"))

    def success_url(self, result) -> str:
        return reverse("emergencies:calls")


class CalledBack(ActionPage):
    url, name, permission, title = (
        "calls/<int:pk>/back/",
        "called-back",
        "emergencies.handle",
        pgettext_lazy("call", "Called back"),
    )
    model, argument, parent = Call, "call_id", ("emergencies:calls", _("Telephone calls"))
    form_class, service = forms.CalledBackForm, services.called_back

    def arguments(self, form) -> dict:
        return _now(form)


# ---------------------------------------------------------------- ladders
class Ladders(PlainPage):
    """What happens when, in words; the file that holds for the actor's area first."""

    url, name, permission, title = "ladders/", "ladders", "emergencies.view", _("Escalation ladders")
    template, parent = "emergencies/ladders.html", LIST

    def get_context(self) -> dict:
        here = regions.at_path(self.actor.path)
        if here is None:
            raise Refused(gettext("Your area has ended."), code="emergencies.area")
        book = ladders.book_for(here.code)
        acts = {
            "duty": _("the roster, one after another"), "desk": _("operators who are signed in"),
            "supervisor": _("superiors who are signed in"), "family": _("relatives, one after another"),
            "nearest": _("open facilities and workers on duty, nearest first"), "emergency": _("120 or 110 is due"),
        }  # fmt: skip
        unless = {
            "claimed": _("nobody has taken it"), "confirmed": _("the elder was not reached"), "under_way": _("nobody is on the way"),
            "arrived": _("nobody is there"), "closed": _("it is not closed"), "": "",
        }  # fmt: skip
        shown = [
            {"ladder": a, "rungs": [{"after": after(r.after), "act": acts[r.act], "unless": unless[r.unless], "words": r.words} for r in a.rungs]}
            for a in book.ladders
        ]  # fmt: skip
        return {
            "book": book,
            "ladders": shown,
            "answers": {k: after(v) for k, v in book.answer_within.items()},
            "nights": book.nights,
        }


def after(span: timedelta) -> str:
    """A clock in words."""
    n = int(span.total_seconds())
    if n == 0:
        return gettext("at once")
    if n < 120:
        return gettext("after %(n)d s") % {"n": n}
    return gettext("after %(n)d min") % {"n": n // 60} if n < 7200 else gettext("after %(n)d h") % {"n": n // 3600}


PAGES = (
    Roster, Gaps, PlanNights, ImportRoster, Reassign, HandOver, DrillList, PlanDrill, StartDrill, DrillDone, Tests, Untested, CallList, WriteDownCall, CalledBack, Ladders,
)  # fmt: skip
