"""The elder page and its tabs. Editing stays in the rooms; this page gathers and links."""

from django.http import HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel.actor import Audience
from sangyu.kernel.errors import Forbidden, NotVisible
from sangyu.kernel.files import files_of
from sangyu.registry.dossier import selectors as dossier
from sangyu.registry.lifeevents import selectors as lifeevents
from sangyu.registry.people import selectors as people
from sangyu.registry.people.enums import FactKind, Tag
from sangyu.ui.pages import DetailPage, Link, Tab

from . import words
from .assessed import assessed
from .file import File
from .history import fields_of, history
from .notes import after_death, notes, used_after
from .sources import SOURCES
from .subsidies import subsidies
from .timeline import Cursor, Show, timeline
from .worn import worn

#: Tags that the page shows in red.
URGENT = {Tag.THREE_NO, Tag.DEMENTIA, Tag.WANDERING, Tag.BEDRIDDEN, Tag.DEPENDENT}
STAFF = {Audience.STAFF}
FAMILY = {Audience.STAFF, Audience.FAMILY}
EVERYBODY = {Audience.STAFF, Audience.FAMILY, Audience.PROVIDER, Audience.WORKER}
#: Who gets a tab at all; staff besides need the tab's permission.
AUDIENCES = {
    "": EVERYBODY,
    "basic": STAFF,
    "family": FAMILY,
    "services": EVERYBODY,
    "vouchers": FAMILY,
    "subsidies": FAMILY,
    "assessments": STAFF,
    "devices": FAMILY,
    "files": STAFF,
    "events": STAFF,
    "history": STAFF,
}
PHOTOS = {"image/jpeg", "image/png", "image/webp"}


def check_reader(actor) -> None:
    """Staff need ``people.view``; others come to whom a person is shared by its orders or its consent."""
    wanted = "people.view" if actor.audience is Audience.STAFF else "orders.view"
    if not actor.may(wanted):
        raise Forbidden(wanted)


def overview(page) -> dict:
    file = page.file
    return {
        "notes": notes(file),
        "after_death": after_death(file),
        "basics": basics(file),
        **events_of(page),
    }


def events_of(page) -> dict:
    """A part of the timeline: ``?show=`` filters, ``?before=`` goes on below an entry."""
    asked = page.request.GET
    show = asked.get("show", "")
    before = Cursor.read(asked.get("before", ""))
    entries, more = timeline(page.file, show, before, page.most)
    return {"entries": entries, "more": more, "show": show, "before": before, "filters": filters(page, show)}


def filters(page, show: str) -> list[tuple[str, str, bool]]:
    """(value, words, current) of the timeline's filter that fit the reader: those with a source that may be read."""
    offered = {s.show for s in SOURCES if s.reads(page.file)} | {Show.ALL}
    return [(s.value, s.label, s.value == show) for s in Show if s in offered]


def basics(file: File) -> list[tuple[str, str]]:
    """The short list of basics beside the timeline."""
    p, held = file.person, {f.kind: f for f in file.holding}

    def since(kind: str) -> str:
        fact = held.get(kind)
        if fact is None:
            return ""
        return str(_("%(what)s, since %(day)s") % {"what": fact.value_label, "day": f"{fact.valid_from:%Y-%m-%d}"})

    shown = [
        (_("Birth date"), f"{p.birth_date:%Y-%m-%d}" if p.birth_date else ""),
        (_("Address"), p.address),
        (_("Living"), since(FactKind.LIVING)),
        (_("Income"), since(FactKind.INCOME_CATEGORY)),
        (_("Ability level"), since(FactKind.CARE_LEVEL)),
        (_("Disability"), since(FactKind.DISABILITY)),
        (_("Needs"), p.needs),
    ]
    return [(label, value) for label, value in shown if value]


def basic(page) -> dict:
    p = page.file.person
    return {
        "health": people.look_at_health(page.actor, p, "page") if page.file.staff else [],
        "sections": [
            (pgettext_lazy("details", "Person"), [
                (_("Name"), p.name), (_("Sex"), p.get_sex_display()),
                (_("Birth date"), f"{p.birth_date:%Y-%m-%d}" if p.birth_date else ""), (_("Age"), page.file.card.age),
                (_("Kind of ID document"), p.get_id_kind_display()), (_("ID number"), page.file.card.id_masked),
                (_("Phone"), page.file.card.phone_masked), (_("Marriage"), p.get_marriage_display()),
                (_("Education"), p.get_education_display()),
            ]),
            (_("Where the person lives"), [
                (_("Area"), p.region.full_name), (_("Address"), p.address),
                (_("Registered address"), p.registered_address), (_("Needs"), p.needs),
            ]),
            (_("The file"), [
                (_("File complete"), f"{p.completeness}%"),
                (_("Last check"), f"{p.checked_on:%Y-%m-%d}" if p.checked_on else ""),
                (_("Registered on"), f"{p.registered_on:%Y-%m-%d}" if p.registered_on else ""),
                (_("Source"), p.source),
            ]),
        ],
        "status_rows": page.file.status,
        "missing": [(i.label, i.weight, reverse(i.page, args=[p.pk]) + i.query) for i in page.file.missing],
        "checks": list(dossier.checks_of(page.actor, p.pk)[:10]),
        "assignment": dossier.assignment_of(page.actor, p.pk),
    }  # fmt: skip


def family(page) -> dict:
    file = page.file
    household = file.person.household if file.staff and file.person.household_id else None
    others = [m for m in household.members.all() if m.pk != file.person.pk] if household else []
    return {"household": household, "members": others}


def services(page) -> dict:
    return {"rows": list(page.file.orders()[:100])}


def vouchers(page) -> dict:
    """Each voucher gets ``lines``: (transfer, signed fen, words, fen left), newest first."""
    for v in page.file.vouchers:
        v.lines = [(t, amount, words.move(t.kind, amount), left) for t, amount, left in reversed(v.moves)]
        for t, _amount, _left in v.moves:
            t.shown = t.reason or words.reference(t.reference)
    return {}


def gathered(page) -> dict:
    """Papers of the file; besides, the proofs of consents, statuses and visits."""
    file, person = page.file, page.file.person
    papers = list(dossier.papers_of(file.actor, person.pk, withdrawn=True))
    own = {p.file_id for p in papers}
    rest = [(f, _("The file")) for f in files_of(file.actor, person) if f.pk not in own]
    rest += [(c.evidence, c.get_purpose_display()) for c in file.consents if c.evidence]
    proofs = file.orders().filter(evidence__file__isnull=False).distinct().prefetch_related("evidence__file")[:30]
    rest += [(e.file, f"{o.item_name}·{e.get_kind_display()}") for o in proofs for e in o.evidence.all() if e.file]
    once = {f.pk: {"file": f, "from": source, "picture": f.content_type in PHOTOS} for f, source in reversed(rest)}
    return {
        "papers": [p for p in papers if p.withdrawn_at is None],
        "withdrawn": [p for p in papers if p.withdrawn_at],
        "pictures": PHOTOS,
        "files": sorted(once.values(), key=lambda m: m["file"].created_at, reverse=True),
    }


def life(page) -> dict:
    """Life events of the person with their check lists."""
    rows = lifeevents.events_of_person(page.actor, page.file.person.pk).prefetch_related("items")
    return {"events": list(rows.order_by("-on", "-id"))}


def changes(page) -> dict:
    """The table of changes: ``?before=`` goes on, ``?field=`` keeps one field."""
    only = page.request.GET.get("field", "")
    rows, more = history(page.file, Cursor.read(page.request.GET.get("before", "")), only)
    return {"history": rows, "more": more, "chosen": only, "fields": fields_of(rows)}


class CasefilePage(DetailPage):
    """Everything of one person; tabs are ``<person id>/<tab>/``, named ``casefile:<tab>``."""

    url, name, permission, history = "<int:pk>/", "page", "", False
    template = "casefile/page.html"
    tabs = [
        Tab("", pgettext_lazy("casefile", "Overview"), "casefile/overview.html", overview),
        Tab("basic", pgettext_lazy("casefile", "Basics"), "casefile/basic.html", basic),
        Tab("family", pgettext_lazy("casefile", "Family"), "casefile/family.html", family),
        Tab("services", pgettext_lazy("casefile", "Services"), "casefile/services.html", services, "orders.view",
            lambda page: page.counts["all"]),
        Tab("vouchers", pgettext_lazy("casefile", "Vouchers"), "casefile/vouchers.html", vouchers, "vouchers.view",
            lambda page: len(page.vouchers)),
        Tab("subsidies", pgettext_lazy("casefile", "Subsidies"), "casefile/subsidies.html", subsidies, "applications.view"),
        Tab("assessments", pgettext_lazy("casefile", "Assessments"), "casefile/assessments.html", assessed, "assessments.view"),
        Tab("devices", pgettext_lazy("casefile", "Devices"), "casefile/devices.html", worn, "devices.view"),
        Tab("files", pgettext_lazy("casefile", "Files"), "casefile/files.html", gathered, "dossier.view"),
        Tab("events", pgettext_lazy("casefile", "Life events"), "casefile/events.html", life, "lifeevents.view"),
        Tab("history", pgettext_lazy("casefile", "Changes"), "casefile/history.html", changes),
    ]  # fmt: skip
    actions = [
        Link(_("Print"), "casefile:print", "print"),
        Link(pgettext_lazy("casefile", "Edit"), "people:detail", "edit", "people.edit"),
        Link(_("Guarded notes"), "people:notes", "shield", "people.guarded_notes"),
        Link(_("Merged files"), "casefile:merges", "copy", "people.merge"),
    ]
    #: Entries of the timeline shown at once.
    most = 20
    #: What "Record" offers: url name, words, permission, whether it is for the living (None: for both).
    records = [
        ("dossier:check", _("File checked"), "dossier.check", True),
        ("people:fact_new", _("Record a status"), "people.facts", True),
        ("assessments:apply", _("Apply for an assessment"), "assessments.apply", True),
        ("people:contact_new", _("New contact"), "people.edit", True),
        ("people:family_access", _("Family access"), "people.consent", True),
        ("people:consent_new", _("Record consent"), "people.consent", True),
        ("dossier:paper_new", _("Add a paper"), "dossier.papers", None),
        ("devices:issue-to", _("Issue a device"), "devices.issue", True),
        ("lifeevents:move", _("Move to another area"), "people.life_events", True),
        ("facilities:admit-person", _("Admission to a registered facility"), "facilities.admit", True),
        ("lifeevents:institution", _("Admission to an institution"), "people.life_events", True),
        ("lifeevents:hospital", _("Stay in hospital"), "people.life_events", True),
        ("lifeevents:home", _("Home again"), "people.life_events", True),
        ("lifeevents:death", _("Record death"), "people.life_events", True),
    ]

    @classmethod
    def as_paths(cls) -> list[URLPattern]:
        keys = [t.key for t in cls.tabs if t.key]
        return [cls.as_path(), *(path(f"{cls.url}{k}/", cls.as_view(tab=k), name=k) for k in keys)]

    def check(self, request) -> None:
        check_reader(self.actor)

    def get_object(self, *, lock: bool = False):
        self.file = File(self.actor, self.kwargs["pk"], timezone.now())
        return self.file.person

    def get_title(self) -> str:
        return self.object.name

    def breadcrumbs(self) -> list[tuple[str, str]]:
        if self.file.staff:
            return [(str(_("Elders")), reverse("people:list")), (self.object.region.full_name, "")]
        return []

    def all_tabs(self) -> list[Tab]:
        return [t for t in self.tabs if self.actor.audience in AUDIENCES[t.key]]

    def tab_links(self, current: Tab) -> list[dict]:
        return [
            {
                "label": tab.label,
                "url": reverse(f"casefile:{tab.key or 'page'}", args=[self.object.pk]),
                "current": tab.key == current.key,
                "count": tab.count(self.file) if tab.count else None,
            }
            for tab in self.all_tabs()
            if not tab.permission or self.actor.may(tab.permission)
        ]

    def links(self) -> list[Link]:
        return list(self.actions) if self.file.staff else []

    def context(self, **extra) -> dict:
        return super().context(file=self.file, person=self.object, card=self.file.card, today=self.file.today, **extra)

    def get_context(self) -> dict:
        alive, may = self.object.died_on is None, self.actor.may
        staff = self.file.staff
        return {
            "tags": [(t.label, "bad" if t in URGENT else "line") for t in self.file.card.tags],
            "records": [
                (reverse(url, args=[self.object.pk]), label)
                for url, label, permission, living in self.records
                if staff and may(permission) and living in (None, alive)
            ],
            "dispatch": f"{reverse('hotline:desk')}?person={self.object.pk}"
            if staff and alive and may("orders.request")
            else "",
            "photo": reverse("ui:file", args=[self.object.photo_id]) + "?inline" if self.object.photo_id else "",
        }


class Timeline(CasefilePage):
    """The timeline alone, for its filter."""

    url, name = "<int:pk>/timeline/", "timeline"

    @classmethod
    def as_paths(cls) -> list[URLPattern]:
        return [cls.as_path()]

    def get(self, request, *args, **kwargs) -> HttpResponse:
        if not self.partial:
            query = request.GET.urlencode()
            return self.redirect(reverse("casefile:page", args=[kwargs["pk"]]) + f"?{query}#timeline")
        self.object = self.get_object()
        fragment = "entries" if request.GET.get("before") and request.htmx.target == "earlier" else "timeline"
        return self.render(f"casefile/parts/{fragment}.html", self.context(**events_of(self)))


class AfterDeath(CasefilePage):
    """What was used after the day of death (X-03): visits with who paid, to be looked through."""

    url, name, template = "<int:pk>/after-death/", "after_death", "casefile/after_death.html"

    @classmethod
    def as_paths(cls) -> list[URLPattern]:
        return [cls.as_path()]

    def get(self, request, *args, **kwargs) -> HttpResponse:
        self.object = self.get_object()
        if not self.file.staff or self.object.died_on is None:
            raise NotVisible
        tab = Tab("events", _("Used after the death"), self.template)
        context = self.context(tab=tab, tabs=self.tab_links(tab), **used_after(self.file, self.object.died_on))
        return self.render("casefile/page.html", {**context, **self.get_context()})
