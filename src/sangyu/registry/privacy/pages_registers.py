"""The consent ledger with its grounds, data incidents, impact assessments."""

from django import forms
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sangyu.registry.regions import selectors as regions
from sangyu.registry.regions.fields import RegionField
from sangyu.ui.pages import (
    Choice,
    Day,
    FormPage,
    Link,
    ListPage,
    Number,
    PlainPage,
    Text,
)

from . import rules, selectors, services
from .enums import Risk
from .models import Assessment, Incident


class Ledger(PlainPage):
    """Consents by purpose and version, the texts, what withdrawal does, and the uses that rest on a statute."""

    url, name, permission, title = "consents/", "ledger", "privacy.view", _("Consent ledger")
    template = "privacy/ledger.html"

    def get_context(self):
        day = timezone.localdate()
        lines = selectors.ledger(self.actor, day)
        return {
            "lines": lines,
            "totals": selectors.totals(lines),
            "texts": [(line.label, rules.text_on(line.purpose, day)) for line in lines if line.current],
            "effects": EFFECTS,
            "grounds": [
                {n: g.said(n) for n in ("use", "data", "keep")} | {"statute": g.statute} for g in rules.grounds()
            ],
        }


#: What ends with a consent: purpose in words → effect in words. The services of the rooms do it.
EFFECTS = [
    (_("A relative sees the file and the visits"), _("The relative's view ends at once; the log of who looked stays.")),
    (_("Position data"), _("No position is taken or shown any more; the log of past looks stays.")),
    (_("Camera at home"), _("Nobody can open the picture any more; the device is to be collected.")),
    (
        _("Hand on to service providers"),
        _("No new order is offered; visits already agreed are cancelled or done on paper."),
    ),
    (
        _("Photographs as proof of service"),
        _("New visits are proved by signature or code; old photographs stay with their statement."),
    ),
    (_("Health data"), _("Health notes are not shown; an assessment by statute stays.")),
]


# ---------------------------------------------------------------- registers
class IncidentForm(forms.Form):
    region_id = RegionField(label=_("Area"))
    title = forms.CharField(label=_("What happened"), max_length=200)
    happened_on = forms.DateField(label=_("Happened on"))
    found_on = forms.DateField(label=_("Found on"))
    data_kinds = forms.CharField(label=_("Which data"), max_length=200)
    affected = forms.IntegerField(label=_("People affected"), min_value=0)
    cause = forms.CharField(label=_("Cause"), max_length=500)
    harm = forms.CharField(label=_("Possible harm"), max_length=500, required=False)
    measures = forms.CharField(label=_("Measures"), max_length=1000, required=False)
    told_authority_on = forms.DateField(label=_("Authority told on"), required=False)
    told_people_on = forms.DateField(label=_("People told on"), required=False)
    closed_on = forms.DateField(label=_("Closed on"), required=False)

    def __init__(self, *args, actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["region_id"].for_actor(actor)


class IncidentList(ListPage):
    url, name, permission, title = "incidents/", "incidents", "privacy.registers", _("Data incidents")
    model, unit, related, sort = Incident, _("incidents"), ("region",), "-found_on"
    columns = [
        Text("title", _("What happened"), link="privacy:incident"),
        Day("happened_on", _("Happened on")),
        Day("found_on", _("Found on"), sort=True),
        Number("affected", _("People affected")),
        Text("region.full_name", _("Area")),
        Day("told_authority_on", _("Authority told on")),
        Day("told_people_on", _("People told on")),
        Day("closed_on", _("Closed on")),
    ]
    head = [Link(_("Record an incident"), "privacy:incident_new", "plus", "privacy.registers", "pri")]


class IncidentNew(FormPage):
    url, name, permission, title = "incidents/new/", "incident_new", "privacy.registers", _("Record an incident")
    form_class, parent = IncidentForm, ("privacy:incidents", _("Data incidents"))

    def form_kwargs(self):
        return {"actor": self.actor}

    def save(self, form):
        return services.record_incident(actor=self.actor, **form.cleaned_data)

    def success_url(self, result):
        return reverse("privacy:incidents")


class IncidentEdit(IncidentNew):
    url, name, title = "incidents/<int:pk>/", "incident", _("Data incident")
    model = Incident

    def get_initial(self):
        area = regions.region(self.object.region_id)
        values = {name: getattr(self.object, name) for name in IncidentForm.base_fields if name != "region_id"}
        return {**values, "region_id": area.pk}

    def save(self, form):
        return services.record_incident(actor=self.actor, incident_id=self.object.pk, **form.cleaned_data)


class AssessmentForm(forms.Form):
    region_id = RegionField(label=_("Area"))
    feature = forms.CharField(label=_("Use that was assessed"), max_length=200)
    lawful = forms.CharField(label=_("Purpose and ground"), max_length=500)
    risk = forms.ChoiceField(label=_("Risk"), choices=Risk.choices)
    measures = forms.CharField(label=_("Measures"), max_length=1000)
    done_on = forms.DateField(label=_("Assessed on"))
    by_whom = forms.CharField(label=_("Assessed by"), max_length=100)

    def __init__(self, *args, actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["region_id"].for_actor(actor)


class AssessmentList(ListPage):
    url, name, permission, title = "assessments/", "assessments", "privacy.registers", _("Impact assessments")
    model, unit, related, sort = Assessment, _("assessments"), ("region",), "-done_on"
    columns = [
        Text("feature", _("Use that was assessed")),
        Choice("risk", _("Risk"), enum=Risk),
        Text("measures", _("Measures")),
        Day("done_on", _("Assessed on"), sort=True),
        Text("by_whom", _("Assessed by")),
        Day("keep_until", _("Keep until")),
        Text("region.full_name", _("Area")),
    ]
    head = [Link(_("Record an assessment"), "privacy:assessment_new", "plus", "privacy.registers", "pri")]


class AssessmentNew(FormPage):
    url, name, permission, title = "assessments/new/", "assessment_new", "privacy.registers", _("Record an assessment")
    form_class, parent = AssessmentForm, ("privacy:assessments", _("Impact assessments"))

    def form_kwargs(self):
        return {"actor": self.actor}

    def save(self, form):
        return services.record_assessment(actor=self.actor, **form.cleaned_data)

    def success_url(self, result):
        return reverse("privacy:assessments")
