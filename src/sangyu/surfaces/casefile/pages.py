"""The elder page and its tabs. Editing stays in the rooms; this page gathers and links."""

from django.http import HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel.actor import Audience
from sangyu.kernel.errors import Forbidden
from sangyu.kernel.files import files_of
from sangyu.registry.people.enums import FactKind, Tag
from sangyu.ui.pages import DetailPage, Link, Tab

from . import words
from .file import File
from .history import history
from .notes import after_death, notes
from .timeline import Show, timeline

#: Tags that the page shows in red.
URGENT = {Tag.THREE_NO, Tag.DEMENTIA, Tag.BEDRIDDEN, Tag.DEPENDENT}
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
    "files": STAFF,
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
    show = page.request.GET.get("show", "")
    return {
        "notes": notes(file),
        "after_death": after_death(file),
        "entries": timeline(file, show),
        "filters": filters(page, show),
        "basics": basics(file),
    }


def filters(page, show: str) -> list[tuple[str, str, bool]]:
    """(value, words, current) of the timeline's filter that fit the reader."""
    offered = [s for s in Show if s != Show.MONEY or page.file.sees_vouchers]
    return [(s.value, s.label, s.value == show) for s in offered]


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
        "sections": [
            (_("Person"), [
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
                (_("File checked"), f"{p.checked_on:%Y-%m-%d}" if p.checked_on else ""),
                (_("Registered on"), f"{p.registered_on:%Y-%m-%d}" if p.registered_on else ""),
                (_("Source"), p.source),
            ]),
        ],
        "status_rows": page.file.status,
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
    """Files of the person, of its consents, agreements and of the proofs of its visits."""
    file = page.file
    own = [(f, _("The file")) for f in files_of(file.actor, file.person)]
    own += [(c.evidence, c.get_purpose_display()) for c in file.consents if c.evidence]
    proofs = file.orders().filter(evidence__file__isnull=False).distinct().prefetch_related("evidence__file")[:30]
    own += [(e.file, f"{o.item_name}·{e.get_kind_display()}") for o in proofs for e in o.evidence.all() if e.file]
    made = [{"file": f, "from": source, "picture": f.content_type in PHOTOS} for f, source in own]
    return {"files": sorted(made, key=lambda m: m["file"].created_at, reverse=True)}


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
        Tab("files", pgettext_lazy("casefile", "Files"), "casefile/files.html", gathered),
        Tab("history", pgettext_lazy("casefile", "Changes"), "casefile/history.html",
            lambda page: {"history": history(page.file)}),
    ]  # fmt: skip
    actions = [
        Link(_("Print"), "casefile:print", "print"),
        Link(pgettext_lazy("casefile", "Edit"), "people:detail", "edit", "people.edit"),
    ]
    #: What "Record" offers: url name, words, permission, whether it is for the living.
    records = [
        ("people:fact_new", _("Record a status"), "people.facts", True),
        ("people:contact_new", _("New contact"), "people.edit", True),
        ("people:consent_new", _("Record consent"), "people.consent", True),
        ("people:check", _("File checked"), "people.edit", True),
        ("people:move", _("Move to another area"), "people.life_events", True),
        ("people:admit", _("Admission"), "people.life_events", True),
        ("people:death", _("Record death"), "people.life_events", True),
        ("people:revoke_death", _("Take death back"), "people.life_events", False),
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
                if staff and may(permission) and living == alive
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
        show = request.GET.get("show", "")
        if not self.partial:
            return self.redirect(reverse("casefile:page", args=[kwargs["pk"]]) + f"?show={show}#timeline")
        self.object = self.get_object()
        return self.render(
            "casefile/parts/timeline.html",
            self.context(entries=timeline(self.file, show), filters=filters(self, show)),
        )
