"""Screens: telephone calls, those to call back first."""

import django_filters
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.ui.pages import (
    ActionPage,
    Link,
    ListPage,
    Moment,
    RowAction,
    Status,
    Text,
)

from .. import forms, services
from ..enums import CallState
from ..models import Call
from .cases import DETAIL, LIST
from .common import PlaceForm, now_too


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
        return now_too(form)


PAGES = (CallList, WriteDownCall, CalledBack)
