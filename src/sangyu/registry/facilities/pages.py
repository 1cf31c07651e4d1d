"""Screens: facilities, their facts, admission and discharge."""

from datetime import timedelta

import django_filters
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.importing.importer import Importer
from sangyu.registry.people.fields import ForPerson
from sangyu.ui.fields import ReasonForm
from sangyu.ui.nav import Group, Nav
from sangyu.ui.pages import (
    ActionPage,
    Choice,
    Day,
    DetailPage,
    FormPage,
    ImportPage,
    Link,
    ListPage,
    Number,
    Status,
    Text,
    rows_tab,
)

from . import forms, selectors, services
from .enums import EndReason, FactKind, Inspection, Kind, Rating, State, UrbanRural
from .models import Facility, FacilityFact, Stay

NAV = [Nav(_("Facilities"), "home", "facilities:list", "facilities.view", Group.REGISTERS, 55)]
LIST = ("facilities:list", _("Facilities"))


class FacilityFilters(django_filters.FilterSet):
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=Kind.choices)
    urban_rural = django_filters.ChoiceFilter(label=_("Urban or rural"), choices=UrbanRural.choices)
    state = django_filters.ChoiceFilter(label=FactKind.STATE.label, choices=State.choices, method="by_fact")
    rating = django_filters.ChoiceFilter(label=FactKind.RATING.label, choices=Rating.choices, method="by_fact")
    inspection = django_filters.ChoiceFilter(
        label=FactKind.INSPECTION.label, choices=Inspection.choices, method="by_fact"
    )

    class Meta:
        model = Facility
        fields: list[str] = []

    def by_fact(self, rows, name, value):
        held = FacilityFact.objects.filter(subject=OuterRef("pk"), kind=name, value=value).on(timezone.localdate())
        return rows.filter(Exists(held))


class FacilityList(ListPage):
    url, name, permission, title = "", "list", "facilities.view", _("Facilities")
    model, related, unit = Facility, ("region", "organisation"), _("facilities")
    filters = FacilityFilters
    search = ("name", "number")
    sort = "name"
    columns = [
        Text("name", pgettext_lazy("thing", "Name"), link="facilities:detail", sort=True),
        Choice("kind", _("Kind"), sort=True),
        Status("state_now", FactKind.STATE.label, enum=State),
        Choice("rating_now", FactKind.RATING.label, enum=Rating),
        Status("inspection_now", FactKind.INSPECTION.label, enum=Inspection),
        Text("region.name", _("Area")),
        Number("beds", _("Beds"), sort=True),
        Day("opened_on", _("Opened on"), sort=True),
        Choice("urban_rural", _("Urban or rural"), hidden=True),
        Text("organisation.name", pgettext_lazy("facility", "Operator"), hidden=True),
        Text("number", _("Register number"), hidden=True),
        Text("address", _("Address"), hidden=True),
        Text("telephone", _("Telephone"), hidden=True),
    ]
    head = [
        Link(_("New facility"), "facilities:new", "plus", "facilities.edit", "pri"),
        Link(_("Import"), "facilities:import", "ul", "facilities.edit"),
        Link(_("Import residents"), "facilities:import-residents", "ul", "facilities.admit"),
    ]
    presets = [(_("Institutions"), "kind=institution"), (_("Failed inspection"), "inspection=fail")]
    empty_text = _("Register the first facility, or import a list.")

    def rows(self):
        return selectors.with_today(super().rows())


def _lives(stay: Stay) -> bool:
    return stay.valid_to is None


def _houses(facility: Facility) -> bool:
    return Kind(facility.kind).houses


class FacilityDetail(DetailPage):
    url, name, permission = "<int:pk>/", "detail", "facilities.view"
    model, related, parent = Facility, ("region", "organisation"), LIST
    facts = [
        Choice("kind", _("Kind")),
        Status("state_now", FactKind.STATE.label, enum=State),
        Choice("rating_now", FactKind.RATING.label, enum=Rating),
        Status("inspection_now", FactKind.INSPECTION.label, enum=Inspection),
    ]
    summary = [
        (
            _("Register entry"),
            [
                Text("name", pgettext_lazy("thing", "Name")), Text("number", _("Register number")),
                Text("organisation.name", pgettext_lazy("facility", "Operator")), Day("opened_on", _("Opened on")),
                Choice("urban_rural", _("Urban or rural")), Number("beds", _("Beds")),
                Number("taken", _("Beds taken"), value=lambda f: selectors.occupied(f.pk, timezone.localdate())),
            ],
        ),
        (
            _("Where"),
            [Text("region.full_name", _("Area")), Text("address", _("Address")), Text("telephone", _("Telephone"))],
        ),
    ]  # fmt: skip
    tabs = [
        rows_tab(
            "facts", _("Ratings and inspections"),
            [
                Text("kind_label", _("What")), Text("value_label", _("Value")), Day("valid_from", _("From")),
                Day("valid_to", _("Until")), Text("source", _("Source")), Text("note", _("Note")),
            ],
            lambda page: page.object.facts.known_on(None).order_by("kind", "-valid_from"),
            head=[Link(_("State a fact"), "facilities:fact", "plus", "facilities.inspect")],
        ),
        rows_tab(
            "stays", _("Residents"),
            [
                Text("person.name", _("Elder"), link=lambda s: reverse("casefile:page", args=[s.person_id])),
                Text("bed", _("Bed")), Day("valid_from", _("Admitted on")), Day("valid_to", _("Left on")),
                Choice("end_reason", _("Why it ended"), enum=EndReason), Text("source", _("Source")),
            ],
            lambda page: page.object.stays.select_related("person").order_by("valid_to", "bed", "id"),
            head=[Link(pgettext_lazy("facilities", "Admit"), "facilities:admit", "plus", "facilities.admit", when=_houses)],
            row_actions=[
                Link(_("Discharge"), "facilities:discharge", permission="facilities.admit", kind="text", method="dialog", when=_lives),
                Link(_("Entered by mistake"), "facilities:take-back", permission="facilities.admit", kind="text", method="dialog", when=_lives),
            ],
            permission="facilities.stays",
        ),
    ]  # fmt: skip
    actions = [Link(_("Edit"), "facilities:edit", "edit", "facilities.edit")]

    def get_queryset(self):
        return selectors.with_today(super().get_queryset())

    def history_of(self) -> tuple:
        return tuple(self.object.facts.all())


class FacilityUpload(ImportPage):
    url, name, permission, title = "import/", "import", "facilities.edit", _("Import facilities")
    parent, back_url, importer = LIST, "facilities:list", Importer("facilities.register")


class ResidentUpload(ImportPage):
    url, name, permission, title = (
        "import-residents/",
        "import-residents",
        "facilities.admit",
        _("Import residents"),
    )
    parent, back_url, importer = LIST, "facilities:list", Importer("facilities.residents")


class FacilityNew(FormPage):
    url, name, permission, title = "new/", "new", "facilities.edit", _("New facility")
    form_class, parent, service, detail = forms.NewFacilityForm, LIST, services.register, "facilities:detail"

    def form_kwargs(self) -> dict:
        return {"actor": self.actor}


class FacilityEdit(FormPage):
    url, name, permission, title = "<int:pk>/edit/", "edit", "facilities.edit", _("Edit facility")
    model, form_class, parent = Facility, forms.FacilityForm, LIST
    service, argument, detail = services.change, "facility_id", "facilities:detail"

    def form_kwargs(self) -> dict:
        return {"actor": self.actor}

    def get_initial(self) -> dict:
        return {f: getattr(self.object, f) for f in forms.FacilityForm.base_fields}


class StateFact(FormPage):
    url, name, permission, title = "<int:pk>/facts/new/", "fact", "facilities.inspect", _("State a fact")
    model, form_class, parent = Facility, forms.FactForm, LIST
    service, argument, detail, tab = services.record_fact, "facility_id", "facilities:detail", "facts"

    def get_initial(self) -> dict:
        return {"valid_from": timezone.localdate()}

    def arguments(self, form) -> dict:
        given = dict(form.cleaned_data)
        kind, _sign, value = given.pop("fact").partition("=")
        last = given.pop("last_day")
        return {**given, "kind": kind, "value": value, "valid_to": last + timedelta(days=1) if last else None}


class Admit(FormPage):
    url, name, permission, title = "<int:pk>/admit/", "admit", "facilities.admit", _("Admission")
    model, form_class, parent = Facility, forms.AdmitForm, LIST
    service, argument, detail, tab = services.admit, "facility_id", "facilities:detail", "stays"

    def get_title(self) -> str:
        return f"{self.title}：{self.object}"

    def form_kwargs(self) -> dict:
        return {"actor": self.actor}

    def get_initial(self) -> dict:
        return {"on": timezone.localdate()}


class AdmitPerson(ForPerson):
    """From the elder's file: to which facility."""

    url, name, permission, title = "people/<int:pk>/admit/", "admit-person", "facilities.admit", _("Admission")
    form_class, service = forms.ChooseForm, services.admit

    def form_kwargs(self) -> dict:
        return {"actor": self.actor}

    def get_initial(self) -> dict:
        return {"on": timezone.localdate()}


class _OfStay(ActionPage):
    model, related, permission, parent, leaves = Stay, ("person", "facility"), "facilities.admit", LIST, True
    argument, detail, owner, tab = "stay_id", "facilities:detail", "facility_id", "stays"

    def get_title(self) -> str:
        return f"{self.title}：{self.object.person.name}"


class Discharge(_OfStay):
    url, name, title, submit_label = "stays/<int:pk>/discharge/", "discharge", _("Discharge"), _("Discharge")
    form_class, service, success = forms.DischargeForm, services.discharge, _("Discharged.")


class TakeBack(_OfStay):
    url, name, title = "stays/<int:pk>/take-back/", "take-back", _("Entered by mistake")
    form_class, service, success, submit_label = ReasonForm, services.take_back, _("Taken back."), _("Take back")
    irreversible = True

    def confirm_text(self) -> str:
        return gettext("The admission of %(name)s on %(day)s is removed; the residence is as it was before.") % {
            "name": self.object.person.name,
            "day": self.object.valid_from,
        }
