"""Screens of the workforce."""

from datetime import timedelta

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.errors import NotVisible
from sangyu.kernel.identity import mask_id_number, mask_phone
from sangyu.kernel.importing.importer import Importer
from sangyu.registry.catalogue import selectors as catalogue
from sangyu.registry.organisations import selectors as organisations
from sangyu.registry.regions import selectors as regions
from sangyu.ui.fields import OptionalReasonForm, ReasonForm
from sangyu.ui.nav import Group, Nav
from sangyu.ui.pages import (
    ActionPage,
    Choice,
    Day,
    DetailPage,
    EndPage,
    FormPage,
    ImportPage,
    Link,
    ListPage,
    Masked,
    Moment,
    Number,
    PaperPage,
    Status,
    Tab,
    Text,
    end_link,
    paper_url,
    paper_word,
    rows_tab,
)
from sangyu.ui.pages.form import dress

from . import forms, selectors, services
from .enums import Post, State
from .models import Certificate, Clearance, Duty, Worker

NAV = [
    Nav(
        _("Workers"), "users", "workforce:list", "workforce.view", Group.REGISTERS, 60, audiences=("staff", "provider")
    ),
]
PARENT = ("workforce:list", _("Workers"))


class WorkerList(ListPage):
    url, name, permission, title = "", "list", "workforce.view", _("Workers")
    model = Worker
    unit = _("workers")
    search = ("name", "pinyin", "initials")
    search_label = _("Name or pinyin")
    filters = ["state", "post", "sex", "organisation"]
    sort = "name"
    related = ("organisation", "region")
    personal = "workforce.workers"
    columns = [
        Text("name", _("Name"), link="workforce:detail", sort=True),
        Status("state", _("State"), enum=State, sort=True),
        Choice("post", _("Post"), enum=Post, sort=True),
        Choice("sex", _("Sex")),
        Text("organisation.name", _("Organisation"), sort="organisation__name"),
        Masked(
            "phone", _("Phone"), reveal="workforce:reveal-phone", reveal_permission="workforce.reveal", mask=mask_phone
        ),
        Number("rating", _("Rating"), sort=True),
        Text("region.name", _("Region"), hidden=True),
    ]
    presets = [(pgettext_lazy("worker", "Active"), "state=active"), (_("Candidates"), "state=candidate")]
    head = [
        Link(_("Import"), "workforce:import", "ul", "workforce.manage"),
        Link(_("Duties of posts"), "workforce:duties", "doc", "workforce.view"),
    ]
    empty_text = _("Workers are hired on the page of their organisation.")


class WorkerUpload(ImportPage):
    url, name, permission, title = "import/", "import", "workforce.manage", _("Import workers")
    parent, back_url = PARENT, "workforce:list"
    importer = Importer("workforce.workers")


class OrganisationWorkers(WorkerList):
    url, name = "of/<int:pk>/", "of"
    filters = ["state", "post", "sex"]

    def get_queryset(self):
        return Worker.objects.filter(organisation_id=self.kwargs["pk"])

    def get_title(self) -> str:
        found = organisations.names([self.kwargs["pk"]])
        if not found:
            raise NotVisible
        return gettext("Workers of %(name)s") % {"name": found[self.kwargs["pk"]]}

    def links(self) -> list[Link]:
        return [
            Link(_("Hire"), "workforce:new", "plus", "workforce.manage", "pri", args=lambda _o: [self.kwargs["pk"]])
        ]


def _visit_check(page) -> dict:
    """The tab “May be sent?”: for one service and time, every reason against."""
    worker, now = page.object, timezone.localtime()
    given = page.request.GET if page.request.GET.get("item") else None
    start = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    form = dress(forms.CheckForm(given, path=worker.path, day=now.date(), initial={"at": start}))
    context = {"form": form, "asked": None}
    if given is not None and form.is_valid():
        at = form.cleaned_data["at"]
        item = catalogue.get_item(form.cleaned_data["item"], worker.path, timezone.localdate(at))
        if item is not None:
            found = selectors.blocks(worker, item, at, at + timedelta(minutes=item.duration_minutes))
            context |= {"asked": item, "blocks": found}
    return context


class WorkerDetail(DetailPage):
    url, name, permission = "<int:pk>/", "detail", "workforce.view"
    model, related, parent = Worker, ("organisation", "region"), PARENT
    facts = [
        Status("state", _("State"), enum=State),
        Choice("post", _("Post")),
        Text("organisation.name", _("Organisation")),
    ]
    summary = [
        (
            pgettext_lazy("details", "Person"),
            [
                Text("name", _("Name")),
                Choice("sex", _("Sex")),
                Day("birth_date", _("Birth date")),
                Masked(
                    "id_number",
                    _("ID number"),
                    reveal="workforce:reveal-id",
                    reveal_permission="workforce.reveal",
                    mask=mask_id_number,
                ),
                Masked(
                    "phone",
                    _("Phone"),
                    reveal="workforce:reveal-phone",
                    reveal_permission="workforce.reveal",
                    mask=mask_phone,
                ),
                Text("graduate_of", _("Elder-care diploma"), value=lambda w: w.get_graduate_of_display()),
                Text("languages", _("Languages"), value=lambda w: "、".join(w.languages)),
                Text("introduction", _("Introduction")),
            ],
        ),
        (
            _("Engagement"),
            [
                Text(
                    "organisation.name",
                    _("Organisation"),
                    link=lambda w: reverse("organisations:detail", args=[w.organisation_id]),
                ),
                Choice("post", _("Post")),
                Day("admitted_at", _("Admitted at")),
                Day("left_at", _("Left at")),
                Number("rating", _("Rating")),
            ],
        ),
    ]
    tabs = [
        Tab("check", _("May be sent?"), "workforce/check.html", _visit_check),
        rows_tab(
            "certificates",
            _("Certificates"),
            [
                Choice("skill", _("Skill")),
                Text("level", _("Level")),
                Text("number", _("Number")),
                Text("issuer", _("Issuer")),
                Day("valid_from", _("From")),
                Day("last_day", _("Last day")),
                Text("paper", _("Scanned paper"), value=paper_word, link=paper_url),
            ],
            lambda page: page.object.certificates.all(),
            head=[Link(_("Record certificate"), "workforce:certificate-new", "plus", "workforce.manage")],
            row_actions=[
                Link(_("Add paper"), "workforce:certificate-paper", permission="workforce.manage", kind="text"),
                end_link("workforce:certificate-end", "workforce.manage"),
            ],
        ),
        rows_tab(
            "clearances",
            _("Training and checks"),
            [
                Choice("kind", _("Kind")),
                Day("valid_from", _("From")),
                Day("last_day", _("Last day")),
                Text("note", _("Note")),
                Text("paper", _("Scanned paper"), value=paper_word, link=paper_url),
            ],
            lambda page: page.object.clearances.all(),
            head=[Link(_("Record"), "workforce:clearance-new", "plus", "workforce.manage")],
            row_actions=[
                Link(_("Add paper"), "workforce:clearance-paper", permission="workforce.manage", kind="text"),
                end_link("workforce:clearance-end", "workforce.manage"),
            ],
            empty_text=_("Entry training, health check and background check must hold on the day of a visit."),
        ),
        rows_tab(
            "hours",
            _("Weekly hours"),
            [
                Choice("weekday", _("Weekday")),
                Text("starts", _("Starts"), value=lambda s: f"{s.starts:%H:%M}"),
                Text("ends", _("Ends"), value=lambda s: f"{s.ends:%H:%M}"),
                Day("valid_from", _("From")),
                Day("last_day", _("Last day")),
            ],
            lambda page: page.object.shifts.order_by("-valid_from", "weekday", "starts"),
            head=[Link(_("Set weekly hours"), "workforce:hours", "clock", "workforce.manage")],
            empty_text=_("Without weekly hours the worker is taken to be free at all times."),
        ),
        rows_tab(
            "leave",
            _("Leave"),
            [
                Choice("kind", _("Kind")),
                Moment("starts", _("From")),
                Moment("ends", _("Until")),
                Text("note", _("Note")),
            ],
            lambda page: page.object.leaves.all(),
            head=[Link(_("Record leave"), "workforce:leave-new", "plus", "workforce.manage")],
        ),
        rows_tab(
            "honours",
            _("Honours"),
            [Text("title", _("Award")), Text("issuer", _("Issuer")), Day("awarded_on", _("Awarded on"))],
            lambda page: page.object.honours.all(),
            head=[Link(_("Add award"), "workforce:honour-new", "plus", "workforce.manage")],
        ),
    ]
    actions = [
        Link(_("Edit"), "workforce:edit", "edit", "workforce.manage", when=lambda w: w.state != State.LEFT),
        Link(
            _("Admit"),
            "workforce:admit",
            "check",
            "workforce.manage",
            "pri",
            "dialog",
            when=lambda w: w.state == State.CANDIDATE,
        ),
        Link(
            _("Suspend"),
            "workforce:suspend",
            "pause",
            "workforce.manage",
            method="dialog",
            when=lambda w: w.state == State.ACTIVE,
        ),
        Link(
            _("Resume"),
            "workforce:resume",
            "check",
            "workforce.manage",
            method="dialog",
            when=lambda w: w.state == State.SUSPENDED,
        ),
        Link(
            _("End engagement"),
            "workforce:leave",
            "off",
            "workforce.manage",
            "badline",
            "dialog",
            when=lambda w: w.state != State.LEFT,
        ),
    ]

    def history_of(self) -> tuple:
        own = self.object
        return (
            *own.certificates.all(),
            *own.clearances.all(),
            *own.leaves.all(),
            *own.shifts.all(),
            *own.honours.all(),
        )


class WorkerNew(FormPage):
    url, name, permission, title = "of/<int:pk>/new/", "new", "workforce.manage", _("Hire")
    form_class, parent, wide = forms.NewWorkerForm, PARENT, ("introduction",)
    service, detail = services.hire, "workforce:detail"

    def get_initial(self) -> dict:
        organisations.get_organisation(self.actor, self.kwargs["pk"])  # 404 before a form that could not be sent
        return super().get_initial()

    def arguments(self, form) -> dict:
        return {"organisation_id": self.kwargs["pk"], "today": timezone.localdate(), **form.cleaned_data}


class _Edit(FormPage):
    """A form about one worker, back to one of its tabs."""

    model, parent, permission = Worker, PARENT, "workforce.manage"
    argument, detail = "worker_id", "workforce:detail"

    def breadcrumbs(self) -> list:
        here = [(str(self.object), reverse("workforce:detail", args=[self.object.pk]))] if self.object else []
        return [*super().breadcrumbs(), *here]


class WorkerEdit(_Edit):
    url, name, title = "<int:pk>/edit/", "edit", _("Edit worker")
    form_class, wide, service = forms.WorkerForm, ("introduction",), services.change_worker

    def get_initial(self) -> dict:
        values = {f: getattr(self.object, f) for f in forms.WorkerForm.base_fields}
        return {**values, "languages": "、".join(self.object.languages)}

    def arguments(self, form) -> dict:
        return {"today": timezone.localdate(), **form.cleaned_data}


class CertificateNew(_Edit):
    url, name, title = "<int:pk>/certificates/new/", "certificate-new", _("Record certificate")
    form_class, tab = forms.CertificateForm, "certificates"
    service = services.add_certificate


class ClearanceNew(_Edit):
    url, name, title = "<int:pk>/clearances/new/", "clearance-new", _("Record training or check")
    form_class, tab = forms.ClearanceForm, "clearances"
    service = services.add_clearance


class CertificatePaper(PaperPage):
    url, name, permission = "certificates/<int:pk>/paper/", "certificate-paper", "workforce.manage"
    title, model, parent = _("Paper of the certificate"), Certificate, PARENT
    service, argument = services.attach_certificate_paper, "certificate_id"
    detail, owner, tab = "workforce:detail", "worker_id", "certificates"


class ClearancePaper(CertificatePaper):
    url, name, title = "clearances/<int:pk>/paper/", "clearance-paper", _("Paper of the training or check")
    model, service, argument, tab = Clearance, services.attach_clearance_paper, "clearance_id", "clearances"


class LeaveNew(_Edit):
    url, name, title = "<int:pk>/leave/new/", "leave-new", _("Record leave")
    form_class, tab = forms.LeaveForm, "leave"
    service = services.record_leave


class Hours(_Edit):
    url, name, title = "<int:pk>/hours/set/", "hours", _("Set weekly hours")
    form_class, tab, service = forms.HoursForm, "hours", services.set_hours
    intro = _("Replaces all weekly hours from the day on. No weekday chosen = free at all times.")

    def arguments(self, form) -> dict:
        found = form.cleaned_data
        hours = [(int(day), found["starts"], found["ends"]) for day in found["weekdays"]]
        return {"hours": hours, "valid_from": found["valid_from"]}


class HonourNew(_Edit):
    url, name, title = "<int:pk>/honours/new/", "honour-new", _("Add award")
    form_class, tab = forms.HonourForm, "honours"
    service = services.add_honour


class _Move(ActionPage):
    """One transition of the engagement."""

    model, parent, permission = Worker, PARENT, "workforce.manage"
    form_class, leaves, argument, detail = ReasonForm, True, "worker_id", "workforce:detail"

    def arguments(self, form) -> dict:
        return {**form.cleaned_data, "expect": self.object.state}


class Admit(_Move):
    url, name, title, submit_label = "<int:pk>/admit/", "admit", _("Admit worker"), _("Admit")
    form_class, service = OptionalReasonForm, services.admit


class Suspend(_Move):
    url, name, title, submit_label = "<int:pk>/suspend/", "suspend", _("Suspend worker"), _("Suspend")
    service = services.suspend


class Resume(_Move):
    url, name, title, submit_label = "<int:pk>/resume/", "resume", _("Resume worker"), _("Resume")
    form_class, service = OptionalReasonForm, services.resume


class EndEngagement(_Move):
    url, name, title, submit_label = "<int:pk>/end/", "leave", _("End engagement"), _("End engagement")
    irreversible, service = True, services.leave

    def confirm_text(self) -> str:
        return gettext("%(name)s leaves: the file is closed and access ends.") % {"name": self.object.name}


class _EndPaper(EndPage):
    permission, parent = "workforce.manage", PARENT
    detail, owner = "workforce:detail", "worker_id"


class CertificateEnd(_EndPaper):
    url, name, model, tab = "certificates/<int:pk>/end/", "certificate-end", Certificate, "certificates"
    service, argument = services.end_certificate, "certificate_id"


class ClearanceEnd(_EndPaper):
    url, name, model, tab = "clearances/<int:pk>/end/", "clearance-end", Clearance, "clearances"
    service, argument = services.end_clearance, "clearance_id"


class RevealPhone(ActionPage):
    """Answers the whole number as plain text; the look is logged."""

    url, name, permission, title = "<int:pk>/phone/", "reveal-phone", "workforce.reveal", _("Show in full")
    model, parent, field = Worker, PARENT, "phone"

    def act(self, form) -> HttpResponse:
        found = services.reveal(
            actor=self.actor, worker_id=self.object.pk, field=self.field, purpose=self.request.POST.get("why") or "page"
        )
        return HttpResponse(found, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"})


class RevealId(RevealPhone):
    url, name, field = "<int:pk>/id/", "reveal-id", "id_number"


class DutyList(ListPage):
    url, name, permission, title = "duties/", "duties", "workforce.view", _("Duties of posts")
    model = Duty
    unit = _("versions")
    filters = ["post"]
    sort = "-valid_from"
    related = ("region",)
    columns = [
        Text("title", _("Title"), link="workforce:duty", sort=True),
        Choice("post", _("Post"), sort=True),
        Day("valid_from", _("From"), sort=True),
        Day("last_day", _("Last day")),
        Text("region.name", _("Published by")),
    ]
    head = [Link(_("Publish duties"), "workforce:duty-new", "plus", "workforce.duties", "pri")]


class DutyDetail(DetailPage):
    url, name, permission = "duties/<int:pk>/", "duty", "workforce.view"
    model, parent = Duty, ("workforce:duties", _("Duties of posts"))
    facts = [Choice("post", _("Post")), Day("valid_from", _("From"))]
    summary = [("", [Text("text", _("Text"))])]


class DutyNew(FormPage):
    url, name, permission, title = "duties/new/", "duty-new", "workforce.duties", _("Publish duties")
    form_class, parent, wide = forms.DutyForm, ("workforce:duties", _("Duties of posts")), ("text",)

    def save(self, form):
        region = regions.at_path(self.actor.path)
        return services.publish_duty(actor=self.actor, region=region, **form.cleaned_data)

    def success_url(self, result) -> str:
        return reverse("workforce:duties")
