"""Objections and appeals: list, one with its answers, acts."""

import django_filters
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.ui.fields import ReasonForm
from sangyu.ui.pages import (
    ActionPage,
    Choice,
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

from . import forms, selectors, services
from .enums import TO_ANSWER, BodyKind, ObjectionAction, ObjectionState
from .models import Application, Objection
from .pages import LIST, AboutBody, AboutElder

OBJECTIONS = ("applications:objections", _("Objections"))


class ObjectionFilters(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(label=_("State"), choices=ObjectionState.choices)
    policy = django_filters.CharFilter(label=_("Policy code"), field_name="policy_code")

    class Meta:
        model = Objection
        fields: list[str] = []


class ObjectionList(ListPage):
    url, name, permission, title = "objections/", "objections", "applications.view", _("Objections")
    model, related, unit = Objection, ("person", "person__region"), _("objections")
    filters, search, sort = ObjectionFilters, ("number", "person__name", "body_name", "policy_name"), "-made_at"
    personal, live = "applications.objections", ("applications",)
    columns = [
        Text("number", _("Number"), link="applications:objection"),
        Text("subject_name", _("About whom")),
        Choice("body_kind", _("Kind of applicant"), enum=BodyKind, hidden=True),
        Text("person.region.name", _("Area")),
        Text("policy_name", _("Policy")),
        Day("month", _("Month")),
        Status("state", _("State"), enum=ObjectionState),
        Text("text", _("Why")),
        Day("due_on", _("Answer by"), sort=True),
        Moment("made_at", _("Made at"), sort=True),
        Text("answered_by", _("Answered by"), hidden=True),
        Text("answer", _("Answer"), hidden=True),
    ]
    head = [Link(_("Objection of a body"), "applications:body-object", "plus", "applications.apply")]
    presets = [(pgettext_lazy("applications", "To answer"), "state=open&state=appealed")]

    def row_css(self, row):
        return "late" if selectors.is_late(row, timezone.localdate()) else ""


class ObjectionDetail(DetailPage):
    url, name, permission = "objections/<int:pk>/", "objection", "applications.view"
    model, related, parent = Objection, ("person", "person__region", "application"), OBJECTIONS
    live = ("applications",)
    facts = [Status("state", _("State"), enum=ObjectionState), Day("due_on", _("Answer by"))]
    summary = [
        (
            pgettext_lazy("applications", "Objection"),
            [
                Text("subject_name", _("About whom"), link=lambda o: reverse("casefile:page", args=[o.person_id]) if o.person_id else ""),
                Text("person.region.full_name", _("Area")), Text("policy_name", _("Policy")), Day("month", _("Month")),
                Text("application.number", pgettext_lazy("applications", "Application"),
                     link=lambda o: reverse("applications:detail", args=[o.application_id]) if o.application_id else ""),
                Text("applicant", _("Who objects")), Text("text", _("Why")),
            ],
        ),
        (
            _("Answer"),
            [Text("answer", _("Answer")), Text("answered_by", _("Answered by")), Text("appeal", _("Appeal")),
             Text("appeal_answer", _("Answer to the appeal")), Moment("closed_at", _("Closed at"))],
        ),
    ]  # fmt: skip
    tabs = [
        rows_tab(
            "trail", pgettext_lazy("applications", "Trail"),
            [Choice("action", _("Action"), enum=ObjectionAction), Moment("at", _("At")), Text("actor", _("By")), Text("reason", _("Reason"))],
            lambda page: page.object.trail.all(),
        )
    ]  # fmt: skip

    def links(self):
        row, made = self.object, []
        if row.state in TO_ANSWER:
            made += [
                Link(pgettext_lazy("applications", "Agree"), "applications:uphold", "check", "applications.answer", "pri", "dialog"),
                Link(pgettext_lazy("applications", "Do not agree"), "applications:reject", "close", "applications.answer", "badline", "dialog"),
                Link(pgettext_lazy("applications", "Withdraw"), "applications:objection-withdraw", "undo", "applications.apply", method="dialog"),
            ]  # fmt: skip
        if row.state == ObjectionState.REJECTED:
            made.append(
                Link(
                    pgettext_lazy("applications", "Appeal"),
                    "applications:appeal",
                    "up",
                    "applications.apply",
                    method="dialog",
                )
            )
        return made


class ObjectionNew(AboutElder):
    url, name, permission, title = "people/<int:pk>/object/", "object", "applications.apply", _("New objection")
    form_class, service, wide = forms.ObjectForm, services.object_to, ("text",)

    def success_url(self, result=None) -> str:
        return reverse("applications:objection", args=[result.pk]) if result is not None else super().success_url()


class BodyObjectionNew(AboutBody):
    """A facility, an organisation or a worker objects to what a policy gave or did not give (R-057 … R-061)."""

    url, name, permission, title = (
        "objections/bodies/new/",
        "body-object",
        "applications.apply",
        _("Objection of a body"),
    )
    form_class, service, parent = forms.BodyObjectForm, services.object_for_body, OBJECTIONS
    wide, detail = ("text",), "applications:objection"


class ObjectToRefusal(FormPage):
    url, name, permission, title = (
        "<int:pk>/object/", "refusal-object", "applications.apply", _("Object to the refusal"),
    )  # fmt: skip
    model, related, parent, argument = Application, ("person",), LIST, "application_id"
    form_class, service, wide, detail = (
        forms.AppealForm,
        services.object_to_refusal,
        ("text",),
        "applications:objection",
    )

    def success_url(self, result=None) -> str:
        return reverse("applications:objection", args=[result.pk])


class _OfObjection(ActionPage):
    model, related, parent, leaves = Objection, ("person",), OBJECTIONS, True
    argument, detail, agree = "objection_id", "applications:objection", None

    def get_title(self) -> str:
        return f"{self.title}：{self.object.subject_name} · {self.object.policy_name}"

    def arguments(self, form) -> dict:
        return form.cleaned_data if self.agree is None else {**form.cleaned_data, "agree": self.agree}


class Uphold(_OfObjection):
    url, name, permission, agree = "objections/<int:pk>/uphold/", "uphold", "applications.answer", True
    title = submit_label = pgettext_lazy("applications", "Agree")
    form_class, service, success = ReasonForm, services.answer_objection, _("Answered.")

    def confirm_text(self) -> str:
        if self.object.application_id:
            return gettext("The refused application is approved.")
        return gettext("The month is computed again with what is known now.")


class Reject(_OfObjection):
    url, name, permission, agree = "objections/<int:pk>/reject/", "reject", "applications.answer", False
    title = submit_label = pgettext_lazy("applications", "Do not agree")
    form_class, service, success = ReasonForm, services.answer_objection, _("Answered.")


class Appeal(_OfObjection):
    url, name, permission = "objections/<int:pk>/appeal/", "appeal", "applications.apply"
    title = submit_label = pgettext_lazy("applications", "Appeal")
    form_class, service, success = forms.AppealForm, services.appeal, _("The level above answers.")


class WithdrawObjection(_OfObjection):
    url, name, permission = "objections/<int:pk>/withdraw/", "objection-withdraw", "applications.apply"
    title = submit_label = pgettext_lazy("applications", "Withdraw")
    service, success = services.withdraw_objection, _("Withdrawn.")
