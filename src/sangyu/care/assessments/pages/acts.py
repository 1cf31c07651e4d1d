"""One assessment: what was found and why, and its steps."""

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel.errors import NotVisible
from sangyu.registry.people import selectors as people
from sangyu.ui.fields import OptionalReasonForm, ReasonForm
from sangyu.ui.pages import (
    ActionPage,
    Choice,
    Day,
    DetailPage,
    FilePage,
    FormPage,
    Link,
    Made,
    Moment,
    Money,
    Status,
    Tab,
    Text,
    rows_tab,
)

from .. import documents, forms, selectors, services
from ..enums import Action, Informant, NeedKind, Payment, Reason, Special, State
from ..models import Assessment
from .lists import LIST


def _in(*states):
    return lambda row: row.state in states


def told(row, sheet) -> dict | None:
    """A sheet for reading: the result, answers in words, findings, needs."""
    if sheet is None:
        return None
    instrument = row.version.instrument
    known = {f.code: f for f in instrument.findings}

    def said(code, value):
        finding = known[code]
        if finding.kind == "count":
            return f"{finding.name}：{value}"
        return f"{finding.name}：{finding.choices[str(value)]}" if finding.kind == "choice" else finding.name

    return {
        "row": sheet,
        "result": sheet.result,
        "parts": [
            {
                "part": p,
                "items": [(i, i.option(sheet.answers[i.code]) if i.code in sheet.answers else None) for i in p.items],
            }
            for p in instrument.parts
        ],
        "findings": [said(c, v) for c, v in sheet.findings.items() if c in known],
        "special": [Special(s).label for s in sheet.special],
        "needs": [NeedKind(n).label for n in sheet.needs],
        "informant": Informant(sheet.informant).label if sheet.informant else "",
        "parameters": [
            (p.label, p.values.get((sheet.result or {}).get("parameters", {}).get(n, p.value), ""), p.mark)
            for n, p in instrument.parameters.items()
        ],
    }


def _result(page) -> dict:
    row = page.object
    mapping = None
    if row.level is not None and row.version.instrument.purpose == "care":
        day = row.effective_on or timezone.localdate()
        mapping = (
            selectors.payment_mapping(day, people.get_person(page.actor, row.person_id).region) if page.staff else None
        )
    return {
        "told": told(row, row.sheet),
        "setting": selectors.setting_of(row.pk),
        "mapping": mapping,
        "payment": Payment(mapping.levels[str(row.level)]).label if mapping else "",
        "conflicts": selectors.conflicts(row),
    }


def _versions(page) -> dict:
    row = page.object
    return {"sheets": [told(row, s) for s in selectors.open_sheets(row)]}


class AssessmentDetail(DetailPage):
    url, name, permission = "<int:pk>/", "detail", "assessments.view"
    model, related, parent, live = (
        Assessment,
        ("version", "sheet", "lead", "second", "body", "previous"),
        LIST,
        ("assessments",),
    )
    facts = [
        Text("person_name", _("Name")),
        Status("state", _("State"), enum=State),
        Text("level_name", _("Level")),
        Day("due_on", _("Due on")),
    ]
    tabs = [
        Tab("", _("Result"), "assessments/result.html", _result),
        Tab("sheets", _("Versions"), "assessments/sheets.html", _versions),
        rows_tab(
            "trail", _("Trail"),
            [Choice("action", _("Action"), enum=Action), Choice("target", _("State"), enum=State), Moment("at", _("At")),
             Text("actor", _("By")), Text("reason", _("Reason"))],
            lambda page: page.object.trail.order_by("id") if page.staff else [],
        ),
    ]  # fmt: skip
    summary_rows = [
        Text("version.document", _("Scale")),
        Choice("reason", _("Reason"), enum=Reason),
        Text("note", _("Remark")),
        Moment("applied_at", _("Applied at")),
        Text("applied_by", _("Applied by")),
        Text("body.name", _("Assessment body")),
        Money("fee", _("Fee")),
        Text("lead.name", _("First assessor")),
        Text("second.name", _("Second assessor")),
        Day("planned_on", _("Planned on")),
        Moment("visited_at", _("Visited at")),
        Moment("reviewed_at", _("Second look at")),
        Text("reviewed_by", _("Second look by")),
        Moment("published_at", _("Published at")),
        Day("notice_to", _("Notice until")),
        Moment("decided_at", _("Decided at")),
        Text("decided_by", _("Decided by")),
        Day("effective_on", _("Holds from")),
        Text("objected_by", _("Objection by")),
        Text("objection", _("Objection")),
    ]

    @property
    def staff(self) -> bool:
        return self.actor.audience.value == "staff"

    def tab_context(self, tab) -> dict:
        shown = [
            (c.heading(self.model), c.html(self.object, self.actor))
            for c in self.summary_rows
            if c.get(self.object) not in (None, "", 0)
        ]
        return {"basics": shown, **super().tab_context(tab)}

    def links(self) -> list[Link]:
        return [
            Link(_("Fill in the form"), "assessments:form", "edit", "assessments.assess", "pri", when=_in(State.ASSIGNED)),
            Link(_("Assign"), "assessments:assign", "user", "assessments.assign", "pri", "dialog", when=_in(State.APPLIED)),
            Link(_("Second look agrees"), "assessments:review", "check", "assessments.review", "pri", "dialog", when=_in(State.VISITED)),
            Link(_("Send back"), "assessments:send_back", "undo", "assessments.review", "", "dialog", when=_in(State.VISITED)),
            Link(_("Publish"), "assessments:publish", "check", "assessments.review", "pri", "dialog",
                 when=lambda r: r.state == State.REVIEWED and r.reason != Reason.SAMPLE),
            Link(pgettext_lazy("assessments", "Decide"), "assessments:decide", "check", "assessments.decide", "pri", "dialog", when=_in(State.PUBLISHED)),
            Link(_("Objection"), "assessments:object", "flag", "assessments.apply", "", "dialog",
                 when=lambda r: r.state in (State.PUBLISHED, State.DECIDED) and r.reason != Reason.SAMPLE),
            Link(_("Setting of care"), "assessments:setting", "home", "assessments.decide", "", "dialog",
                 when=lambda r: selectors.setting_of(r.pk) is not None),
            Link(_("Report"), "assessments:report", "print", "assessments.view", when=lambda r: r.sheet_id and r.sheet.complete),
            Link(_("Take the assignment back"), "assessments:take_back", "", "assessments.assign", "", "dialog", when=_in(State.ASSIGNED)),
            Link(_("Refuse"), "assessments:refuse", "", "assessments.assign", "badline", "dialog", when=_in(State.APPLIED)),
            Link(_("Withdraw"), "assessments:withdraw", "", "assessments.apply", "", "dialog", when=_in(State.APPLIED, State.ASSIGNED)),
            Link(_("Elder's file"), "casefile:page", "user", "people.view", args=lambda r: [r.person_id]),
        ]  # fmt: skip


class Apply(FormPage):
    url, name, permission, title = "of/<int:pk>/apply/", "apply", "assessments.apply", _("Apply for an assessment")
    form_class, submit_label, success = forms.ApplyForm, _("Apply"), _("Applied. Now two assessors are assigned.")
    detail, wide = "assessments:detail", ("note",)

    @property
    def person(self):
        if "_person" not in self.__dict__:
            self._person = people.get_person(self.actor, self.kwargs["pk"])
        return self._person

    def breadcrumbs(self):
        return [(str(LIST[1]), reverse(LIST[0])), (self.person.name, reverse("casefile:page", args=[self.person.pk]))]

    def save(self, form):
        return services.apply(actor=self.actor, person_id=self.person.pk, **form.cleaned_data)


class OfAssessment:
    """An act on one assessment; returns to it."""

    model, leaves, argument, detail, parent = Assessment, True, "assessment_id", "assessments:detail", LIST
    form_class = OptionalReasonForm


class Assign(OfAssessment, ActionPage):
    url, name, permission, title = "<int:pk>/assign/", "assign", "assessments.assign", _("Assign")
    form_class, submit_label, success, service = forms.AssignForm, _("Assign"), _("Assigned."), services.assign
    related = ("version",)

    def form_kwargs(self):
        return {"actor": self.actor, "row": self.object}


class TakeBack(OfAssessment, ActionPage):
    url, name, permission, title = (
        "<int:pk>/take-back/",
        "take_back",
        "assessments.assign",
        _("Take the assignment back"),
    )
    form_class, submit_label, success, service = ReasonForm, _("Take back"), _("Taken back."), services.take_back


class Refuse(OfAssessment, ActionPage):
    url, name, permission, title = "<int:pk>/refuse/", "refuse", "assessments.assign", _("Refuse")
    form_class, submit_label, success, service = (
        ReasonForm,
        _("Refuse"),
        pgettext_lazy("decision", "Refused."),
        services.refuse,
    )


class Withdraw(OfAssessment, ActionPage):
    url, name, permission, title = "<int:pk>/withdraw/", "withdraw", "assessments.apply", _("Withdraw")
    form_class, submit_label, success, service = ReasonForm, _("Withdraw"), _("Withdrawn."), services.withdraw


class SendBack(OfAssessment, ActionPage):
    url, name, permission, title = "<int:pk>/send-back/", "send_back", "assessments.review", _("Send back")
    form_class, submit_label, success, service = (
        ReasonForm,
        _("Send back"),
        _("Sent back to the assessors."),
        services.send_back,
    )


class Review(OfAssessment, ActionPage):
    url, name, permission, title = "<int:pk>/review/", "review", "assessments.review", _("Second look")
    submit_label, success, service = _("I agree"), _("Second look done."), services.review

    def arguments(self, form):
        return {"note": form.cleaned_data["reason"]}


class NoQuestion(OfAssessment):
    """Nothing is asked but the confirmation."""

    form_class = ActionPage.form_class

    def arguments(self, form):
        return {}


class Publish(NoQuestion, ActionPage):
    url, name, permission, title = "<int:pk>/publish/", "publish", "assessments.review", _("Publish")
    submit_label, success, service = _("Publish"), _("On the public notice."), services.publish

    def confirm_text(self):
        days = self.object.version.instrument.publicity_days
        return _("%(name)s: %(level)s. The notice shows the masked name for %(n)d days.") % {
            "name": self.object.person_name, "level": self.object.level_name, "n": days,
        }  # fmt: skip


class Decide(NoQuestion, ActionPage):
    url, name, permission, title = (
        "<int:pk>/decide/",
        "decide",
        "assessments.decide",
        pgettext_lazy("assessments", "Decide"),
    )
    submit_label, success, service = (
        pgettext_lazy("assessments", "Decide"),
        _("Decided. The level stands in the elder's file."),
        services.decide,
    )

    def confirm_text(self):
        return _("%(name)s: %(level)s. The level decides about allowances from today on.") % {
            "name": self.object.person_name, "level": self.object.level_name,
        }  # fmt: skip


class Object(OfAssessment, ActionPage):
    url, name, permission, title = "<int:pk>/object/", "object", "assessments.apply", pgettext_lazy("act", "Objection")
    form_class, submit_label, success = forms.ObjectForm, _("Enter the objection"), _("Entered. Others assess anew.")
    service = services.object_to

    def act(self, form):
        self.again = self.call(form)
        return str(self.success)

    def success_url(self):
        return reverse("assessments:detail", args=[self.again.pk if hasattr(self, "again") else self.object.pk])


class ChooseSetting(OfAssessment, ActionPage):
    url, name, permission, title = "<int:pk>/setting/", "setting", "assessments.decide", _("Setting of care")
    form_class, submit_label, success, service = forms.SettingForm, _("Save"), _("Noted."), services.choose_setting

    def get_initial(self):
        found = selectors.setting_of(self.object.pk)
        return {"chosen": found.chosen or found.recommended, "reason": found.reason} if found else {}

    def confirm_text(self):
        found = selectors.setting_of(self.object.pk)
        if found is None:
            raise NotVisible
        return _("Recommended: %(setting)s. Rule: %(rule)s.") % {
            "setting": found.get_recommended_display(), "rule": found.rule_text,
        }  # fmt: skip


class Report(FilePage):
    """The assessment report (form C): sub-levels, total, changes with reasons, final level, signatures."""

    url, name, permission, title = "<int:pk>/report.pdf", "report", "assessments.view", _("Assessment report")
    what, inline = "assessments.report", True

    def make(self) -> Made:
        row = selectors.get_assessment(self.actor, self.kwargs["pk"])
        if row.sheet is None or not row.sheet.complete:
            raise NotVisible
        return Made(documents.report(self.actor, row, now=timezone.now()), f"{row.number}.pdf", [row])
