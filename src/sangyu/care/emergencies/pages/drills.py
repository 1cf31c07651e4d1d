"""Screens: drills and test alarms."""

from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.registry.regions import selectors as regions
from sangyu.ui.pages import (
    ActionPage,
    Area,
    Choice,
    Link,
    ListPage,
    Moment,
    PlainPage,
    RowAction,
    Status,
    Text,
)

from .. import forms, selectors, services
from ..enums import DrillState, Kind, Level
from ..models import Drill, PeriodicTest
from .cases import DETAIL, LIST
from .common import PlaceForm, now_too


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
        return now_too(form)


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


PAGES = (DrillList, PlanDrill, StartDrill, DrillDone, Tests, Untested)
