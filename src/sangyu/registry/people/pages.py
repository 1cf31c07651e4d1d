"""Pages of the register: list, file with its tabs, form per section, roster import. Acts are in ``pages_acts``."""

from functools import lru_cache
from operator import attrgetter

import django_filters
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db.models import CharField, Func, OuterRef, Value
from django.db.models.functions import Coalesce, Concat
from django.http import HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.identity import age_on, mask_id_number, mask_phone
from sangyu.kernel.importing.importer import Importer
from sangyu.registry.regions import selectors as regions
from sangyu.registry.regions.enums import Level
from sangyu.ui.format import address
from sangyu.ui.keeping import kept
from sangyu.ui.nav import Group, Nav
from sangyu.ui.pages import (
    Choice,
    Custom,
    Day,
    DetailPage,
    FormPage,
    ImportPage,
    LevelColumn,
    Link,
    ListPage,
    Masked,
    Moment,
    Number,
    Page,
    Tab,
    Tags,
    Text,
)

from . import finding, pages_bulk, selectors, services
from .enums import Ability, CareLevel, FactKind, Sex, Tag
from .forms import EditPersonForm, NewPersonForm
from .models import Person, PersonFact

NAV = [Nav(_("Elders"), "users", "people:list", "people.view", Group.REGISTERS, 10, phone=True)]
LIST = ("people:list", _("Elders"))
#: Tags that a page shows in red.
URGENT = {Tag.THREE_NO, Tag.DEMENTIA, Tag.WANDERING, Tag.BEDRIDDEN, Tag.DEPENDENT}


def _areas(under: str) -> list[tuple[str, str]]:
    """Choices of regions down to streets, set in by level."""
    upper = regions.below(under).filter(level__lte=max(Level.STREET, len(under) // 3))
    return [(path, "\u3000" * max(0, lv - 3) + name) for path, lv, name in upper.values_list("path", "level", "name")]


class PersonFilters(django_filters.FilterSet):
    """Conditions of the list; each is one of ``selectors.search``."""

    path = django_filters.ChoiceFilter(label=_("Area"), method="by")
    care_level = django_filters.ChoiceFilter(label=_("Ability level"), choices=CareLevel.choices, method="by")
    tag = django_filters.ChoiceFilter(label=_("Tag"), choices=Tag.choices, method="by")
    ability = django_filters.ChoiceFilter(
        label=_("Disabled or partly"), choices=[*Ability.choices, ("any", _("Either"))], method="by"
    )
    sex = django_filters.ChoiceFilter(label=_("Sex"), choices=Sex.choices[1:3], method="by")
    age_from = django_filters.NumberFilter(label=_("Age from"), min_value=0, max_value=130, method="by")
    age_to = django_filters.NumberFilter(label=_("Age to"), min_value=0, max_value=130, method="by")
    completeness_below = django_filters.NumberFilter(label=_("File complete below (%)"), max_value=100, method="by")
    alive = django_filters.ChoiceFilter(
        label=_("Alive or dead"), choices=[("1", _("Alive")), ("", _("All")), ("0", _("Died"))], method="living"
    )

    class Meta:
        model = Person
        fields: list[str] = []

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        actor = self.request.actor
        self.filters["path"].extra["choices"] = kept(("people.areas", actor.path), lambda: _areas(actor.path))

    def by(self, rows, name, value):
        value = int(value) if name in ("age_from", "age_to", "completeness_below") else value
        return finding.narrow(rows, {name: value}, timezone.localdate())

    def living(self, rows, name, value):
        return finding.narrow(rows, {"alive": value == "1"}, timezone.localdate())


def whole_file(person: Person) -> str:
    """Address of the page that gathers all rooms; the register's own page where no such page is installed."""
    try:
        return address("casefile:page", person.pk)
    except NoReverseMatch:
        return reverse("people:detail", args=[person.pk])


def _facts(person: Person) -> dict[str, str]:
    """Facts of today by kind, as the list's query brought them."""
    return dict(person.facts_today)


def _facts_today() -> ArraySubquery:
    """(kind, value) of each fact that holds today: read for the rows of the page, with them."""
    facts = PersonFact.objects.filter(subject=OuterRef("pk")).on(timezone.localdate())
    text = ArrayField(CharField())
    return ArraySubquery(facts.values(pair=Func("kind", "value", template="ARRAY[%(expressions)s]", output_field=text)))


def _unless_restricted(name: str):
    """Reader of a column that is empty for somebody whose data are kept for a statute only (PIPL 47)."""
    return lambda person: None if person.restricted_at else getattr(person, name)


def _tags(person: Person) -> list[tuple[str, str]]:
    if person.restricted_at:
        return [(_("Restricted"), "mute")]
    found = selectors.tags_of(_facts(person), person.birth_date, timezone.localdate())
    return [(t.label, "bad" if t in URGENT else "line") for t in found]


def _age(person: Person) -> int | None:
    end = person.died_on or timezone.localdate()
    return age_on(person.birth_date, end) if person.birth_date and not person.restricted_at else None


def _completeness(person: Person) -> str:
    return "—" if person.restricted_at else _bar(person.completeness)


@lru_cache(maxsize=101)
def _bar(percent: int) -> str:
    tone = "f-ok" if percent >= 85 else "f-eve" if percent >= 70 else "f-bad"
    return format_html(
        '<span class="row"><svg width="36" height="6" aria-hidden="true">'
        '<rect width="36" height="6" rx="3" class="f-line"/>'
        '<rect width="{}" height="6" rx="3" class="{}"/></svg>{}%</span>',
        round(percent * 0.36),
        tone,
        percent,
    )


def _masked_columns() -> list:
    return [
        Masked(
            "id_number", _("ID number"), mask=mask_id_number, reveal="people:reveal_id",
            reveal_permission="people.reveal", full=(number := _unless_restricted("id_number")), value=number,
        ),
        Masked(
            "phone", _("Phone"), mask=lambda v: mask_phone(v) or "—", reveal="people:reveal_phone",
            reveal_permission="people.reveal", full=(phone := _unless_restricted("phone")), value=phone,
        ),
    ]  # fmt: skip


#: Columns of the table that the list reads; a row has thirty.
_LISTED = (
    "path", "name", "sex", "birth_date", "id_number", "phone", "completeness", "updated_at", "address", "registered_on",
    "checked_on", "died_on", "restricted_at",
)  # fmt: skip


class PersonList(ListPage):
    """The register of elders (R-013, R-014), as in the mock-up elders.html."""

    url, name, permission, title = "", "list", "people.view", _("Elders")
    model, unit = Person, _("elders")
    filters = PersonFilters
    search_hint = _("Name, pinyin initials, last four, whole number, address")
    search = ("name",)
    sort = "-updated_at"
    filled = ("birth_date",)  # a constraint: who is registered as an elder has one
    personal = "people.roster"
    export_permission = "people.export"
    columns = [
        Text("name", _("Name"), link=whole_file, sort=True),
        Choice("sex", _("Sex"), enum=Sex),
        Number("birth_date", _("Age"), value=_age, sort="birth_date"),
        *_masked_columns(),
        Text("region.name", _("Area"), value=attrgetter("area")),
        LevelColumn(
            "care_level",
            _("Ability level"),
            enum=CareLevel,
            value=lambda p: None if p.restricted_at else _facts(p).get(FactKind.CARE_LEVEL),
        ),
        Tags("tags", _("Tags"), value=_tags),
        Custom("completeness", _("File complete"), draw=_completeness, sort=True),
        Moment("updated_at", _("Updated"), sort=True),
        Text("address", _("Address"), value=_unless_restricted("address"), hidden=True),
        Day("registered_on", _("Registered on"), hidden=True),
        Day("checked_on", _("Last check"), hidden=True),
        Day("died_on", _("Died"), hidden=True),
    ]
    bulk = pages_bulk.ACTS
    head = [
        Link(_("Divide a community"), "people:divide", "swap", "people.reassign"),
        Link(_("Import"), "people:import", "ul", "people.import"),
        Link(_("Import health notes"), "people:import-health", "ul", "people.health_record"),
        Link(_("New file"), "people:new", "plus", "people.register", "pri"),
    ]
    presets = [
        (_("Living alone, aged 80+"), "tag=alone&age_from=80&alive=1"),
        (_("Cannot care for self"), "tag=dependent&alive=1"),
        (_("Incomplete files"), "completeness_below=60&alive=1"),
    ]
    empty_text = _("Register the first elder, or import a roster.")

    def get_queryset(self):
        return Person.objects.filter(registered_on__isnull=False)

    def search_rows(self, rows, text):
        found = selectors.find_ids(self.actor, text)
        self.at_most = len(found)
        if len(found) >= finding.MOST:
            self.note = _("The search looks at the first %(n)s it meets: type more to see others.") % {
                "n": f"{finding.MOST:,}"
            }
        return rows.filter(pk__among=found)

    def prepared(self, rows):
        street = Concat(Coalesce("region__parent__name", Value("")), "region__name")
        return super().prepared(rows).only(*_LISTED).annotate(facts_today=_facts_today(), area=street)

    def row_css(self, row):
        return "muted" if row.died_on or row.restricted_at else ""


def _facts_tab(page) -> dict:
    live = page.object.facts.known_on(None).exclude(kind=FactKind.REGION)
    order = list(FactKind.values)
    rows = sorted(live, key=lambda f: (order.index(f.kind), f.valid_from))
    return {"status_rows": rows, "today": timezone.localdate()}


def _contacts_tab(page) -> dict:
    return {"contacts": selectors.contacts(page.object), "household": page.object.household}


def _consents_tab(page) -> dict:
    return {"consents": page.object.consents.select_related("contact", "evidence").order_by("-given_on", "-id")}


class PersonDetail(DetailPage):
    """One file of the register. The page that gathers all rooms is the casefile's."""

    url, name, permission = "<int:pk>/", "detail", "people.view"
    model, related, parent = Person, ("region", "household"), LIST
    facts = [
        Text("get_sex_display", _("Sex")),
        Number("age", _("Age"), value=_age),
        Tags("tags", _("Tags"), value=lambda p: [t.label for t in selectors.tags(p, timezone.localdate())]),
        Day("died_on", _("Died")),
    ]
    summary = [
        (
            _("Basics"),
            [
                Text("name", _("Name")), Text("get_sex_display", _("Sex")), Day("birth_date", _("Birth date")),
                *_masked_columns(), Text("get_id_kind_display", _("Kind of ID document")),
                Text("get_marriage_display", _("Marriage")), Text("get_education_display", _("Education")),
            ],
        ),
        (
            _("Where the person lives"),
            [
                Text("region.full_name", _("Area")), Text("address", _("Address")),
                Text("registered_address", _("Registered address")), Text("needs", _("Needs")),
            ],
        ),
        (
            _("The file"),
            [
                Custom("completeness", _("File complete"), draw=_completeness), Day("checked_on", _("Last check")),
                Day("registered_on", _("Registered on")), Text("source", _("Source")), Moment("updated_at", _("Updated")),
            ],
        ),
    ]  # fmt: skip
    tabs = [
        Tab("status", _("Status"), "people/facts.html", _facts_tab),
        Tab("contacts", _("Family and contacts"), "people/contacts.html", _contacts_tab),
        Tab("consents", _("Consent"), "people/consents.html", _consents_tab),
    ]
    actions = [
        Link(_("Whole file"), "casefile:page", "users"),
        Link(_("Edit"), "people:edit", "edit", "people.edit"),
        Link(_("Guarded notes"), "people:notes", "shield", "people.guarded_notes"),
    ]  # fmt: skip

    def get_object(self, *, lock: bool = False):
        found = super().get_object(lock=lock)
        selectors.refuse_restricted(found)
        return found


class NewPerson(FormPage):
    url, name, permission, title = "new/", "new", "people.register", _("New file")
    form_class, parent, wide = NewPersonForm, LIST, ("address", "registered_address", "needs")
    template = "people/new.html"

    def form_kwargs(self):
        return {"actor": self.actor}

    def save(self, form):
        values = {k: v for k, v in form.cleaned_data.items() if v not in ("", None)}
        return services.register(actor=self.actor, **{"sex": "", **values})

    def success_url(self, result):
        return reverse("people:detail", args=[result.pk])


class EditPerson(FormPage):
    url, name, permission, title = "<int:pk>/edit/", "edit", "people.edit", _("Edit basic data")
    model, form_class, parent, wide = Person, EditPersonForm, LIST, ("address", "registered_address", "needs")
    plain = ("name", "sex", "birth_date", "address", "registered_address", "latitude", "longitude", "marriage",
             "education", "needs")  # fmt: skip

    def get_initial(self):
        return {f: getattr(self.object, f) for f in self.plain}

    def get_form(self, data=None, files=None):
        form = super().get_form(data, files)
        now = _("Now: %(number)s. Leave empty to keep it.")
        for field, mask in (("id_number", mask_id_number), ("phone", mask_phone)):
            if shown := mask(getattr(self.object, field)):
                form.fields[field].help_text = now % {"number": shown}
        return form

    def save(self, form):
        given = form.cleaned_data
        changes = {f: given[f] for f in self.plain}
        changes |= {f: given[f] for f in ("id_number", "phone") if given[f]}
        if given["remove_phone"]:
            changes["phone"] = ""
        return services.update_basic(
            actor=self.actor, person_id=self.object.pk, changes=changes, reason=given["reason"]
        )

    def success_url(self, result):
        return reverse("people:detail", args=[result.pk])


class RevealId(Page):
    """POST answers the whole ID number and logs the look."""

    url, name, permission = "<int:pk>/reveal-id/", "reveal_id", "people.reveal"
    field = "id_number"

    def post(self, request, pk):
        purpose = request.POST.get("purpose") or f"page {request.headers.get('Referer', '')[-100:]}"
        value = services.reveal(actor=self.actor, person_id=pk, field=self.field, purpose=purpose)
        return HttpResponse(value, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"})


class RevealPhone(RevealId):
    url, name, field = "<int:pk>/reveal-phone/", "reveal_phone", "phone"


class RevealContact(Page):
    url, name, permission = "contacts/<int:pk>/reveal/", "reveal_contact", "people.reveal"

    def post(self, request, pk):
        value = services.reveal_contact(actor=self.actor, contact_id=pk, purpose=request.POST.get("purpose") or "page")
        return HttpResponse(value, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"})


class RosterPage(ImportPage):
    url, name, permission, title = "import/", "import", "people.import", _("Import a roster")
    parent, back_url = LIST, "people:list"
    importer, held_url = Importer("people.roster"), "people:held"
    help_text = _("One elder a row: name, ID number or birth date and sex, community; other columns as you have them.")
