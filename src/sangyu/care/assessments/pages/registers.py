"""Assessors, bought assessments with their samples, the scales."""

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel.errors import NotVisible
from sangyu.ui.pages import (
    ActionPage,
    Choice,
    Day,
    DetailPage,
    EndPage,
    FormPage,
    Link,
    ListPage,
    Money,
    Number,
    PlainPage,
    Text,
    YesNo,
    end_link,
    rows_tab,
)

from .. import forms, selectors, services
from ..enums import Background
from ..instruments import payment_mappings, settings_of_care, shipped
from ..models import Assessor, Commission, SampleDraw
from .lists import LIST

ASSESSORS = ("assessments:assessors", _("Assessors"))
COMMISSIONS = ("assessments:commissions", _("Bought assessments"))


class AssessorList(ListPage):
    url, name, permission, title = "assessors/", "assessors", "assessments.commission", _("Assessors")
    model, related, unit, parent = Assessor, ("body", "account"), _("assessors"), LIST
    filters, search, sort = ["background"], ("name",), "name"
    columns = [
        Text("name", _("Name")),
        Text("body.name", _("Assessment body"), value=lambda a: a.body.name if a.body_id else str(_("Own staff"))),
        Choice("background", _("Background"), enum=Background),
        YesNo("qualified", _("Care or medicine")),
        Text("certificate", _("Certificate number")),
        Text("account.username", _("Signs in as"), value=lambda a: a.account.username if a.account_id else ""),
        Day("valid_from", _("Valid from")),
        Day("valid_to", _("Valid to")),
    ]
    head = [Link(_("New assessor"), "assessments:assessor_new", "plus", "assessments.commission", "pri")]
    row_actions = [end_link("assessments:assessor_end", "assessments.commission")]


class NewAssessor(FormPage):
    url, name, permission, title = "assessors/new/", "assessor_new", "assessments.commission", _("New assessor")
    form_class, parent, service = forms.AssessorForm, ASSESSORS, services.add_assessor

    def form_kwargs(self):
        return {"actor": self.actor}

    def get_initial(self):
        return {"valid_from": timezone.localdate()}

    def success_url(self, result=None):
        return reverse("assessments:assessors")


class EndAssessor(EndPage):
    url, name, permission = "assessors/<int:pk>/end/", "assessor_end", "assessments.commission"
    model, parent, service, argument = Assessor, ASSESSORS, services.end_assessor, "assessor_id"

    def success_url(self):
        return reverse("assessments:assessors")


class CommissionList(ListPage):
    url, name, permission, title = "commissions/", "commissions", "assessments.commission", _("Bought assessments")
    model, related, unit, parent, sort = Commission, ("body", "region"), _("contracts"), LIST, "-valid_from"
    search = ("number",)
    columns = [
        Text("number", _("Contract number"), link="assessments:commission"),
        Text("body.name", _("Assessment body")),
        Text("region.name", _("Area")),
        Number("quota", pgettext_lazy("assessments", "Quota")),
        Number("used", _("Used")),
        Money("fee", _("Fee for one")),
        Money("cost", _("Cost so far")),
        Number("sample_percent", _("Sample, percent")),
        Day("valid_from", _("Valid from"), sort=True),
        Day("valid_to", _("Valid to")),
    ]
    head = [
        Link(_("Assessors"), "assessments:assessors", "users", "assessments.commission"),
        Link(_("New contract"), "assessments:commission_new", "plus", "assessments.commission", "pri"),
    ]

    def get_queryset(self):
        return selectors.commissions(self.actor)


class NewCommission(FormPage):
    url, name, permission, title = "commissions/new/", "commission_new", "assessments.commission", _("New contract")
    form_class, parent, service, detail = (
        forms.CommissionForm,
        COMMISSIONS,
        services.add_commission,
        "assessments:commission",
    )

    def form_kwargs(self):
        return {"actor": self.actor}


class CommissionDetail(DetailPage):
    url, name, permission = "commissions/<int:pk>/", "commission", "assessments.commission"
    model, related, parent = Commission, ("body", "region"), COMMISSIONS
    summary = [
        Text("body.name", _("Assessment body")), Text("region.full_name", _("Area")), Number("quota", pgettext_lazy("assessments", "Quota")),
        Number("used", _("Used")), Money("fee", _("Fee for one")), Money("cost", _("Cost so far")),
        Number("sample_percent", _("Sample, percent")), Day("valid_from", _("Valid from")), Day("valid_to", _("Valid to")),
    ]  # fmt: skip
    tabs = [
        rows_tab(
            "draws", _("Drawn samples"),
            [Day("since", _("Decided from")), Day("until", _("Decided before")), Number("population", _("Results in the period")),
             Number("n", _("Drawn"), value=lambda d: len(d.drawn)), Text("seed", _("Seed")), Text("actor", _("By"))],
            lambda page: page.object.draws.order_by("-pk"),
            row_actions=[Link(_("Report"), "assessments:draw")],
        )
    ]  # fmt: skip
    actions = [Link(_("Draw a sample"), "assessments:draw_new", "plus", "assessments.commission", "pri", "dialog")]

    def get_queryset(self):
        return selectors.commissions(self.actor)


class DrawSample(ActionPage):
    url, name, permission, title = (
        "commissions/<int:pk>/draw/",
        "draw_new",
        "assessments.commission",
        _("Draw a sample"),
    )
    model, form_class, leaves, parent = Commission, forms.DrawForm, True, COMMISSIONS
    submit_label, success, service, argument = (
        _("Draw"),
        _("Drawn; the assessments wait to be assigned."),
        services.draw_sample,
        "commission_id",
    )
    detail, tab = "assessments:commission", "draws"

    def get_initial(self):
        first = timezone.localdate().replace(day=1)
        return {"since": (first - timedelta(days=1)).replace(day=1), "until": first}


class DrawReport(PlainPage):
    """Disagreement between the body and those who assessed the sample again (R-033)."""

    url, name, permission, title = "draws/<int:pk>/", "draw", "assessments.commission", _("Disagreement report")
    template, parent = "assessments/draw.html", COMMISSIONS

    def get_context(self) -> dict:
        draw = (
            SampleDraw.objects.visible_to(self.actor)
            .select_related("commission__body")
            .filter(pk=self.kwargs["pk"])
            .first()
        )
        if draw is None:
            raise NotVisible
        report = selectors.disagreement(self.actor, draw)
        return {"draw": draw, "report": report, "missing": len(draw.drawn) - len(report.pairs)}


class Scales(PlainPage):
    url, name, permission, title, parent = "scales/", "scales", "assessments.view", _("Scales"), LIST
    template = "assessments/scales.html"

    def get_context(self) -> dict:
        return {
            "scales": [i for i, _text in shipped().values()],
            "mappings": payment_mappings(),
            "settings": settings_of_care(),
        }


class Scale(PlainPage):
    """Items, options, levels, changes, open readings, each with its mark (V, V1, G)."""

    url, name, permission, template = "scales/<slug:code>/", "scale", "assessments.view", "assessments/scale.html"
    parent = ("assessments:scales", _("Scales"))

    @property
    def scale(self):
        found = shipped().get(self.kwargs["code"])
        if found is None:
            raise NotVisible
        return found[0]

    def get_title(self) -> str:
        return f"{self.scale.name}　{self.scale.document}"

    def get_context(self) -> dict:
        return {"scale": self.scale}
