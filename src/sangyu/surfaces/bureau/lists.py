"""Lists behind the numbers of the home page that no room has on its own."""

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from sangyu.care.orders import selectors as orders
from sangyu.care.orders.enums import State
from sangyu.kernel.errors import Forbidden, NotVisible
from sangyu.kernel.importing.models import ImportBatch
from sangyu.ui.pages import Custom, ListPage, Moment, PlainPage, Status, Text

from . import work

HOME = ("bureau:home", _("Home"))


class WorkOrders(ListPage):
    """Orders that wait in one way: ``late`` (dispatch) or ``missed`` (visits)."""

    url, name, permission = "orders/<str:key>/", "orders", "orders.view"
    parent, sort, related = HOME, "planned_start", ("region", "organisation", "worker")
    unit, personal = _("orders"), "orders.list"
    search, search_label = ("number", "person_name"), _("Number or name")
    titles = {"late": _("Dispatch is late"), "missed": _("Visits missed")}
    columns = [
        Text("number", _("Number"), link="orders:order"),
        Text("person_name", _("Elder")),
        Text("item_name", _("Service")),
        Moment("planned_start", _("Planned"), sort=True),
        Moment("dispatch_by", _("Dispatch by"), sort=True),
        Text("region.name", _("Area")),
        Text("organisation.name", _("Provider")),
        Text("worker.name", _("Worker")),
        Status("state", _("State"), enum=State),
    ]

    @cached_property
    def model(self):
        return orders.orders_visible(self.actor).model

    def get_title(self) -> str:
        return str(self.titles.get(self.kwargs["key"], ""))

    def get_queryset(self):
        if self.kwargs["key"] not in self.titles:
            raise NotVisible
        condition = work.order_conditions(timezone.now())[self.kwargs["key"]]
        return orders.orders_visible(self.actor).filter(condition)


class OverdueCalls(ListPage):
    """Call-backs past their day."""

    url, name, permission, title = "call-backs/", "calls", "orders.return_visit", _("Call-backs overdue")
    parent, sort, related = HOME, "due_by", ("order",)
    columns = [
        Text("order.person_name", _("Elder"), link=lambda row: reverse("orders:order", args=[row.order_id])),
        Text("order.item_name", _("Service")),
        Text("get_reason_display", _("Reason")),
        Moment("due_by", _("Due by"), sort=True),
        Custom("pk", "", draw=lambda row: _record(row)),
    ]

    @cached_property
    def model(self):
        return orders.due_return_visits(self.actor).model

    def get_queryset(self):
        return orders.due_return_visits(self.actor).filter(due_by__lt=timezone.now())


def _record(row) -> str:
    from django.utils.html import format_html

    url = reverse("orders:record_return_visit", args=[row.pk])
    return format_html('<a class="link" href="{}">{}</a>', url, _("Record the call"))


class Expiring(PlainPage):
    """Licences, contracts, certificates and checks that end within 30 days, soonest first."""

    url, name, permission, title = "expiring/", "expiring", "", _("Papers that expire")
    parent, template = HOME, "bureau/expiring.html"

    def get_context(self) -> dict:
        day = localtime().date()
        found = work.expiring(self.actor, day)
        if not found:
            raise Forbidden("organisations.verify")
        rows = [_paper(kind, row, day) for kind, papers in found.items() for row in papers]
        return {"rows": sorted(rows, key=lambda r: r["ends"]), "until": work.soon(day)}


def _paper(kind: str, row, day) -> dict:
    """What the table shows of one paper."""
    if kind in ("licences", "contracts"):
        whose, tab = row.organisation, "organisations:detail"
        name = row.get_kind_display() if kind == "licences" else row.number
    else:
        whose, tab = row.worker, "workforce:detail"
        name = row.get_skill_display() if kind == "certificates" else row.get_kind_display()
    words = {
        "licences": _("Licence"),
        "contracts": _("Contract"),
        "certificates": _("Certificate"),
        "clearances": _("Training or check"),
    }
    left = (row.valid_to - day).days
    return {
        "kind": words[kind],
        "name": name,
        "whose": whose,
        "url": reverse(tab, args=[whose.pk]),
        "ends": row.last_day,
        "left": left,
        "tone": "bad" if left <= 7 else "warn",
    }


class Imports(ListPage):
    """Imports that were uploaded and not yet taken over."""

    url, name, permission, title = "imports/", "imports", "people.import", _("Imports to finish")
    model, parent, sort, unit = ImportBatch, HOME, "-pk", _("imports")
    states = {"match": _("Columns to match"), "preview": _("To be looked at")}
    columns = [
        Text("file_name", _("File"), link=lambda row: _import_address(row)),
        Text("kind", _("Kind"), value=lambda row: KINDS.get(row.kind, row.kind)),
        Text("state", _("State"), value=lambda row: Imports.states.get(row.state, row.state)),
        Text("actor", _("Uploaded by")),
        Moment("created_at", _("Uploaded"), sort=True),
    ]

    def get_queryset(self):
        return work.open_imports(self.actor)


KINDS = {
    "people.roster": _("Roster of elders"),
    "organisations.register": _("Organisations"),
    "organisations.prices": _("Price list"),
}
PAGES = {"people.roster": "people:import"}


def _import_address(row) -> str:
    name = PAGES.get(row.kind)
    return f"{reverse(name)}?import={row.pk}" if name else ""
