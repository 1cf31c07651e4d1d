"""Fee rules and service rules: what a bureau publishes for its area (R-039, R-051 … R-053)."""

import tempfile
from pathlib import Path

from django import forms
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext_lazy

from sangyu.registry.catalogue.enums import FeeTier
from sangyu.registry.regions import selectors as regions
from sangyu.ui.pages import Choice, Day, DetailPage, FormPage, Link, ListPage, Number, Text, YesNo

from .. import services
from ..models import FeeRule, ServiceRule

_DATE = forms.DateInput(attrs={"type": "date"})
#: Fields of a service rule in the order of the road.
TIMES = (
    "dispatch_minutes",
    "answer_minutes",
    "late_minutes",
    "place_tolerance",
    "confirm_hours",
    "low_rating",
    "return_visit_working_days",
    "sample_percent",
    "free_cancel_hours",
    "late_cancel_percent",
    "no_show_percent",
)


class FeeRuleList(ListPage):
    url, name, permission, title = "fee-rules/", "fee_rules", "orders.rules", gettext_lazy("Fee rules")
    model = FeeRule
    related = ("region",)
    sort = "rank"
    filters = ["tier"]
    columns = [
        Number("rank", gettext_lazy("Order"), sort=True),
        Text("title", gettext_lazy("Rule"), link="orders:fee_rule"),
        Choice("tier", gettext_lazy("Fee tier"), enum=FeeTier),
        Number("min_age", gettext_lazy("Age from")),
        Number("concession_percent", gettext_lazy("Concession %")),
        Text("basis", gettext_lazy("Basis")),
        Text("region.name", gettext_lazy("Area")),
        Day("valid_from", gettext_lazy("From"), sort=True),
        Day("valid_to", gettext_lazy("To")),
    ]
    head = [
        Link(gettext_lazy("Times and tolerances"), "orders:service_rules", "clock", "orders.rules"),
        Link(gettext_lazy("Load a file of rules"), "orders:fee_rules_load", "ul", "orders.rules", "pri"),
    ]
    empty_title = gettext_lazy("No fee rules yet")
    empty_text = gettext_lazy("Load a file of rules: who belongs to which tier, and who pays the rest.")


class FeeRulePage(DetailPage):
    url, name, permission = "fee-rules/<int:pk>/", "fee_rule", "orders.rules"
    model, related = FeeRule, ("region",)
    parent = ("orders:fee_rules", gettext_lazy("Fee rules"))
    summary = [
        (
            gettext_lazy("Who"),
            [
                Number("rank", gettext_lazy("Order")),
                Number("min_age", gettext_lazy("Age from")),
                Text("facts", gettext_lazy("Facts"), value=lambda r: "；".join(services.condition_in_words(r.facts))),
            ],
        ),
        (
            gettext_lazy("Who pays"),
            [
                Choice("tier", gettext_lazy("Fee tier"), enum=FeeTier),
                Number("concession_percent", gettext_lazy("Concession %")),
                YesNo("vouchers_allowed", gettext_lazy("Vouchers")),
                Choice("rest_paid_by", gettext_lazy("The rest is paid by")),
                Text("basis", gettext_lazy("Basis")),
                Text("region.name", gettext_lazy("Area")),
                Day("valid_from", gettext_lazy("From")),
                Day("valid_to", gettext_lazy("To")),
            ],
        ),
    ]


class LoadForm(forms.Form):
    file = forms.FileField(label=gettext_lazy("File of rules (YAML)"))
    valid_from = forms.DateField(label=gettext_lazy("In force from"), widget=_DATE)


class LoadFeeRules(FormPage):
    """Publish a file at the officer's own region; a faulty file is answered rule by rule and changes nothing."""

    url, name, permission, title = "fee-rules/load/", "fee_rules_load", "orders.rules", gettext_lazy("Load fee rules")
    form_class = LoadForm
    parent = ("orders:fee_rules", gettext_lazy("Fee rules"))

    def get_initial(self):
        return {"valid_from": localdate()}

    def save(self, form):
        region = regions.at_path(self.actor.path)
        upload = form.cleaned_data["file"]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / Path(upload.name).name
            file.write_bytes(upload.read())
            return services.load_fee_rules(
                actor=self.actor,
                region_id=region.pk,
                path=region.path,
                file=file,
                valid_from=form.cleaned_data["valid_from"],
            )

    def success_url(self, result):
        return reverse("orders:fee_rules")


class ServiceRuleList(ListPage):
    url, name, permission = "service-rules/", "service_rules", "orders.rules"
    title = gettext_lazy("Times and tolerances")
    model = ServiceRule
    related = ("region",)
    sort = "-valid_from"
    columns = [
        Text("region.name", gettext_lazy("Area"), link="orders:service_rule"),
        Day("valid_from", gettext_lazy("From"), sort=True),
        *(Number(name) for name in TIMES),
    ]
    head = [Link(gettext_lazy("New rule"), "orders:service_rule_new", "plus", "orders.rules", "pri")]
    empty_title = gettext_lazy("The built-in times hold")
    empty_text = gettext_lazy("Publish your own for your area from a day on.")


class ServiceRulePage(DetailPage):
    url, name, permission = "service-rules/<int:pk>/", "service_rule", "orders.rules"
    model, related = ServiceRule, ("region",)
    parent = ("orders:service_rules", gettext_lazy("Times and tolerances"))
    summary = [
        (
            gettext_lazy("Rule"),
            [
                Text("region.name", gettext_lazy("Area")),
                Day("valid_from", gettext_lazy("From")),
                *(Number(name) for name in TIMES),
            ],
        )
    ]


class ServiceRuleForm(forms.ModelForm):
    class Meta:
        model = ServiceRule
        fields = ["valid_from", *TIMES]
        widgets = {"valid_from": _DATE}


class ServiceRuleNew(FormPage):
    """A rule for the officer's own region; one of the same day is replaced, earlier ones stay as they were."""

    url, name, permission = "service-rules/new/", "service_rule_new", "orders.rules"
    title = gettext_lazy("New rule")
    form_class = ServiceRuleForm
    parent = ("orders:service_rules", gettext_lazy("Times and tolerances"))

    def get_initial(self):
        return {"valid_from": localdate()}

    def save(self, form):
        region = regions.at_path(self.actor.path)
        return services.set_service_rule(actor=self.actor, region_id=region.pk, path=region.path, **form.cleaned_data)

    def success_url(self, result):
        return reverse("orders:service_rule", args=[result.pk])
