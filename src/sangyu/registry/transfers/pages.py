"""Requests of both sides: list, one request with its trail, asking, refusing, withdrawing. Handing over is in the casefile,
which knows what is open with the other rooms.
"""

import django_filters
from django.db.models import Q
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.scoping import PATH_END
from sangyu.ui.nav import Group, Nav
from sangyu.ui.pages import (
    ActionPage,
    Choice,
    Custom,
    Day,
    DetailPage,
    FormPage,
    Link,
    ListPage,
    Moment,
    Status,
    Text,
    rows_tab,
)

from . import selectors, services
from .enums import Action, State
from .forms import AnswerForm, RefuseForm, RequestForm
from .models import Transfer

NAV = [
    Nav(_("Moves in and out"), "xfer", "transfers:list", "transfers.view", Group.REGISTERS, 16, badge=selectors.waiting)
]
LIST = ("transfers:list", _("Moves in and out"))


class TransferFilters(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(label=_("State"), choices=State.choices)
    side = django_filters.ChoiceFilter(
        label=_("Direction"), method="by_side", choices=[("in", _("Moving in")), ("out", _("Moving out"))]
    )
    late = django_filters.ChoiceFilter(label=_("Answer"), method="by_late", choices=[("1", _("Overdue"))])

    class Meta:
        model = Transfer
        fields: list[str] = []

    def by_side(self, rows, name, value):
        column, path = ("path" if value == "in" else "held_path"), self.request.actor.path
        return rows.filter(**{f"{column}__gte": path, f"{column}__lt": path + PATH_END})

    def by_late(self, rows, name, value):
        return rows.filter(state=State.REQUESTED, answer_by__lt=timezone.now())


class TransferList(ListPage):
    url, name, permission, title = "", "list", "transfers.view", _("Moves in and out")
    model, related, unit = Transfer, ("region", "held_region", "assigned"), _("requests")
    filters = TransferFilters
    search = ("number", "name")
    sort = "-requested_at"
    personal = "transfers.requests"
    live = ("transfers",)
    columns = [
        Text("number", _("Number"), link="transfers:detail"),
        Text("name", _("Name")),
        Text("id_masked", _("ID number")),
        Text("held_region.full_name", _("Registered in")),
        Text("region.full_name", _("Moves to")),
        Day("moved_on", _("Moved on")),
        Status("state", _("State"), enum=State),
        Moment("answer_by", _("Answer by"), sort=True),
        Moment("requested_at", _("Requested at"), sort=True),
        Text("requested_by", _("Requested by"), hidden=True),
        Text("assigned.name", _("In the hands of"), hidden=True),
        Text("reason", _("Reason"), hidden=True),
        Text("answer", _("Answer"), hidden=True),
        Moment("closed_at", _("Closed at"), hidden=True),
    ]
    head = [Link(_("Ask for a file"), "transfers:new", "plus", "transfers.request", "pri")]
    presets = [
        (_("To answer"), "state=requested&side=out"),
        (_("Asked by us"), "state=requested&side=in"),
        (_("Overdue"), "late=1"),
    ]

    def row_css(self, row):
        return "late" if selectors.is_overdue(row, timezone.now()) else ""


def _open(row: Transfer) -> bool:
    return row.state == State.REQUESTED


def _paper(row: Transfer) -> str:
    if row.paper_id is None:
        return "—"
    return format_html(
        '<a class="link" href="{}?inline">{}</a>', reverse("ui:file", args=[row.paper_id]), gettext("Open")
    )


class TransferDetail(DetailPage):
    url, name, permission = "<int:pk>/", "detail", "transfers.view"
    model, related, parent = Transfer, ("region", "held_region", "assigned"), LIST
    live = ("transfers",)
    facts = [Status("state", _("State"), enum=State), Moment("answer_by", _("Answer by"))]
    summary = [
        (pgettext_lazy("transfers", "Person"), [Text("name", _("Name")), Text("id_masked", _("ID number")),
                    Text("name_agrees", _("Name in the file"), value=lambda t: gettext("agrees") if t.name_agrees else gettext("is another one"))]),
        (_("Move"), [Text("held_region.full_name", _("Registered in")), Text("region.full_name", _("Moves to")),
                     Text("address", _("New address")), Day("moved_on", _("Moved on")), Text("reason", _("Reason")),
                     Text("evidence", _("What was shown")), Custom("paper", _("Picture or scan"), value=lambda t: t.paper_id, draw=_paper)]),
        (_("Request"), [Text("requested_by", _("Requested by")), Text("assigned.name", _("In the hands of")), Moment("requested_at", _("Requested at")),
                        Moment("closed_at", _("Closed at")), Text("closed_by", _("Closed by")), Text("answer", _("Answer"))]),
    ]  # fmt: skip
    tabs = [
        rows_tab(
            "trail", pgettext_lazy("transfers", "Trail"),
            [Choice("action", _("Action"), enum=Action), Moment("at", _("At")), Text("actor", _("By")), Text("reason", _("Reason"))],
            lambda page: page.object.trail.all(),
        )
    ]  # fmt: skip

    def sections(self):
        """The asking side is not told what the file says."""
        made = super().sections()
        if not selectors.holds(self.actor, self.object):
            made[0]["items"] = made[0]["items"][:2]
        return made

    def links(self):
        row, actor = self.object, self.actor
        if not _open(row):
            return []
        made = []
        if selectors.holds(actor, row):
            made += [
                Link(_("Hand the file over"), _agree(), "check", "transfers.decide", "pri"),
                Link(_("Refuse"), "transfers:refuse", "close", "transfers.decide", "badline", "dialog"),
            ]
        if selectors.asks(actor, row):
            made.append(Link(_("Withdraw"), "transfers:withdraw", "undo", "transfers.request", method="dialog"))
        return made


def _agree() -> str:
    """The page with the check list; this room's own one where no such page is installed."""
    try:
        reverse("casefile:hand_over", args=[1])
        return "casefile:hand_over"
    except NoReverseMatch:
        return "transfers:agree"


class NewRequest(FormPage):
    url, name, permission, title = "new/", "new", "transfers.request", _("Ask for a file")
    form_class, parent, detail, multipart = RequestForm, LIST, "transfers:detail", True
    intro = _("The county that holds the file is told and answers within five working days.")
    submit_label, success, service = _("Send the request"), _("The request is sent."), services.request
    wide = ("address", "reason", "evidence")

    def form_kwargs(self):
        return {"actor": self.actor}

    def get_initial(self):
        return {"moved_on": timezone.localdate()}


class OfTransfer:
    """An act on one request; returns to it."""

    model, leaves, argument, detail, parent = Transfer, True, "transfer_id", "transfers:detail", LIST

    def get_queryset(self):
        """Only what this side may do: the others get 404."""
        path = self.actor.path
        return Transfer.objects.filter(Q(**{f"{self.side}__gte": path, f"{self.side}__lt": path + PATH_END}))


class Refuse(OfTransfer, ActionPage):
    url, name, permission, title, side = "<int:pk>/refuse/", "refuse", "transfers.decide", _("Refuse"), "held_path"
    form_class, submit_label, success, service = RefuseForm, _("Refuse"), _("Refused."), services.refuse


class Agree(OfTransfer, ActionPage):
    url, name, permission, title, side = (
        "<int:pk>/agree/",
        "agree",
        "transfers.decide",
        _("Hand the file over"),
        "held_path",
    )
    form_class, submit_label, success, service = AnswerForm, _("Hand the file over"), _("Handed over."), services.agree
    confirm = _("The whole file goes to the new county.")


class Withdraw(OfTransfer, ActionPage):
    url, name, permission, title, side = "<int:pk>/withdraw/", "withdraw", "transfers.request", _("Withdraw"), "path"
    form_class, submit_label, success, service = AnswerForm, _("Withdraw"), _("Withdrawn."), services.withdraw
