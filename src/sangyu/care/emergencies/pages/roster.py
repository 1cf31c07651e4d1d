"""Screens: the roster of nights."""

from datetime import timedelta

import django_filters
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.importing.importer import Importer
from sangyu.registry.regions import selectors as regions
from sangyu.ui.pages import (
    ActionPage,
    ImportPage,
    Link,
    ListPage,
    Moment,
    Number,
    PlainPage,
    RowAction,
    Text,
)

from .. import forms, selectors, services
from ..models import Duty
from .cases import LIST
from .common import PlaceForm, now_too

#: Nights ahead in which a gap is shown.
AHEAD = timedelta(days=30)


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
        given = now_too(form)
        return {**given, "region_id": given["region_id"] or 0}

    def success_message(self, result) -> str:
        return gettext("%(n)d duties planned.") % {"n": len(result)}

    def success_url(self, result) -> str:
        return reverse("emergencies:roster")


class _OfDuty(ActionPage):
    model, argument, parent = Duty, "duty_id", ("emergencies:roster", _("Roster of nights"))

    def arguments(self, form) -> dict:
        return now_too(form)


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


PAGES = (Roster, Gaps, PlanNights, ImportRoster, Reassign, HandOver)
