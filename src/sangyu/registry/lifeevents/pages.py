"""Pages of life events: the list with what is still open, one event with its check list, a form per kind."""

import django_filters
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel import files
from sangyu.registry.people import selectors as people
from sangyu.registry.regions import selectors as regions
from sangyu.ui.nav import Group, Nav
from sangyu.ui.pages import (
    ActionPage,
    Choice,
    Day,
    DetailPage,
    FormPage,
    Link,
    ListPage,
    Moment,
    Number,
    PlainPage,
    Status,
    Tab,
    Text,
)

from . import forms, selectors, services
from .enums import ItemState, Kind, ReportedBy
from .models import LifeEvent, LifeEventItem, Notice

NAV = [
    Nav(_("Life events"), "flag", "lifeevents:list", "lifeevents.view", Group.REGISTERS, 15),
    Nav(_("Notices"), "bell", "lifeevents:notices", "lifeevents.notices", Group.REGISTERS, 90,
        audiences=("provider", "worker")),
]  # fmt: skip
LIST = ("lifeevents:list", _("Life events"))


class EventFilters(django_filters.FilterSet):
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=Kind.choices)
    stands = django_filters.ChoiceFilter(
        label=_("Check list"),
        choices=[
            ("open", pgettext_lazy("check list", "Open")),
            ("closed", _("All done")),
            ("withdrawn", pgettext_lazy("life event", "Taken back")),
        ],
        method="by_state",
    )
    path = django_filters.ChoiceFilter(label=_("Area"), method="by_path")
    on_after = django_filters.DateFilter(label=_("From"), field_name="on", lookup_expr="gte")
    on_before = django_filters.DateFilter(label=_("Until"), field_name="on", lookup_expr="lte")

    class Meta:
        model = LifeEvent
        fields: list[str] = []

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        below = regions.below(self.request.actor.path).filter(level__gte=3)[:400]
        self.filters["path"].extra["choices"] = [(r.path, "\u3000" * max(0, r.level - 3) + r.name) for r in below]

    def by_state(self, rows, name, value):
        if value == "withdrawn":
            return rows.filter(withdrawn_at__isnull=False)
        return rows.filter(closed_at__isnull=value == "open")

    def by_path(self, rows, name, value):
        return rows.filter(path__startswith=value)


class EventList(ListPage):
    """Life events of the area; open check lists first to hand as a view."""

    url, name, permission, title = "", "list", "lifeevents.view", _("Life events")
    model, related, unit = LifeEvent, ("person__region", "assigned"), _("life events")
    filters, sort, personal = EventFilters, "-id", "lifeevents.list"
    columns = [
        Text("person.name", _("Name"), link="lifeevents:event"),
        Status("kind", _("Kind"), enum=Kind, as_tag=True),
        Day("on", _("On"), sort=True),
        Text("person.region.full_name", _("Area")),
        Number("open_items", _("Open items")),
        Choice("reported_by", _("Reported by")),
        Text("actor", _("Recorded by")),
        Text("assigned.name", _("In the hands of"), hidden=True),
        Moment("recorded_at", _("Recorded")),
        Moment("withdrawn_at", pgettext_lazy("life event", "Taken back"), hidden=True),
    ]
    presets = [(_("With open items"), "stands=open"), (_("Deaths"), "kind=death")]
    empty_text = _("A death, move or admission is recorded on the person's file.")

    def get_queryset(self):
        return selectors.events_visible(self.actor)

    def row_css(self, row):
        return "muted" if row.withdrawn_at else ""


def _checklist(page) -> dict:
    return {"event": page.object, "items": list(page.object.items.all())}


def _live(event) -> bool:
    return event.withdrawn_at is None and event.kind != Kind.MOVE


class EventDetail(DetailPage):
    """One life event: what it stops and who did it; the casefile shows the same list."""

    url, name, permission = "<int:pk>/", "event", "lifeevents.view"
    model, related, parent = LifeEvent, ("person__region", "evidence"), LIST
    facts = [
        Status("kind", _("Kind"), enum=Kind, as_tag=True), Day("on", _("On")), Choice("reported_by", _("Reported by")),
        Text("source", _("Source")), Moment("withdrawn_at", pgettext_lazy("life event", "Taken back")),
    ]  # fmt: skip
    tabs = [Tab("checklist", _("Check list"), "lifeevents/checklist.html", _checklist)]
    actions = [
        Link(_("Whole file"), "casefile:page", "users", args=lambda e: [e.person_id]),
        Link(
            _("Recorded by mistake"), "lifeevents:withdraw", permission="people.life_events", kind="badline",
            method="dialog", when=_live,
        ),
    ]  # fmt: skip

    def get_title(self):
        return f"{self.object.person.name}·{self.object.get_kind_display()}"


class WithdrawEvent(ActionPage):
    url, name, permission, title = "<int:pk>/withdraw/", "withdraw", "people.life_events", _("Recorded by mistake")
    model, related, form_class, leaves, irreversible = LifeEvent, ("person",), forms.WithdrawForm, True, True
    submit_label, success = _("Take back"), _("Taken back.")
    service, argument, detail = services.withdraw, "event_id", "lifeevents:event"

    def confirm_text(self):
        return _("“%(what)s” of %(name)s is taken back. The record of it stays.") % {
            "what": self.object, "name": self.object.person.name,
        }  # fmt: skip


class SettleItem(ActionPage):
    url, name, permission, title = "items/<int:pk>/", "item", "people.life_events", _("Item of the check list")
    model, related, form_class, leaves = LifeEventItem, ("event__person",), forms.ItemForm, True
    submit_label, success, service, argument = _("Save"), _("Noted."), services.settle_item, "item_id"
    detail, owner = "lifeevents:event", "event_id"

    def get_initial(self):
        return {"state": ItemState.DONE, "note": self.object.note}

    def get_title(self):
        return str(self.object)


class RecordEvent(FormPage):
    """Base of the forms; each kind has its own address under the person's number."""

    permission, multipart, kind = "people.life_events", True, ""
    submit_label, success = _("Record"), _("Recorded.")

    def get(self, request, *args, **kwargs):
        self.person = people.get_person(self.actor, kwargs["pk"])
        return super().get(request, *args, **kwargs)

    def post(self, request, *args, **kwargs):
        self.person = people.get_person(self.actor, kwargs["pk"])
        return super().post(request, *args, **kwargs)

    def breadcrumbs(self):
        return [(str(LIST[1]), reverse(LIST[0])), (self.person.name, reverse("casefile:page", args=[self.person.pk]))]

    def get_initial(self):
        return {"on": timezone.localdate(), "reported_by": ReportedBy.COMMUNITY}

    def form_kwargs(self):
        return {"actor": self.actor}

    def save(self, form):
        given = dict(form.cleaned_data)
        upload = given.pop("evidence")
        kept = upload and files.save(
            self.actor, title=upload.name, content_type=upload.content_type, stream=upload, owner=self.person
        )
        return services.record(
            actor=self.actor, person_id=self.person.pk, kind=self.kind, evidence_id=kept.pk if kept else None, **given
        )

    def success_url(self, result):
        if result.path.startswith(self.actor.path):
            return reverse("lifeevents:event", args=[result.pk])
        return reverse("lifeevents:list")


class RecordDeath(RecordEvent):
    url, name, title, kind, form_class = "of/<int:pk>/death/", "death", _("Record death"), Kind.DEATH, forms.DeathForm
    intro = _("Open visits, agreements, vouchers and family access are stopped; the check list shows what is left.")


class RecordMove(RecordEvent):
    url, name, title, kind = "of/<int:pk>/move/", "move", _("Move to another area"), Kind.MOVE
    form_class = forms.MoveForm
    intro = _("The whole file goes to the new community; past days keep the old one.")


class RecordInstitution(RecordEvent):
    url, name, title, kind = (
        "of/<int:pk>/institution/",
        "institution",
        _("Admission to an institution"),
        Kind.INSTITUTION,
    )
    form_class = forms.InstitutionForm


class RecordHospital(RecordEvent):
    url, name, title, kind = "of/<int:pk>/hospital/", "hospital", _("Stay in hospital"), Kind.HOSPITAL
    form_class = forms.HospitalForm


class RecordHome(RecordEvent):
    url, name, title, kind, form_class = "of/<int:pk>/home/", "home", _("Home again"), Kind.HOME, forms.EventForm


class Notices(PlainPage):
    """What a provider, worker or relative was told; opening a line marks it read."""

    url, name, permission, title = "notices/", "notices", "lifeevents.notices", _("Notices")
    template = "lifeevents/notices.html"

    def get_context(self):
        return {"notices": selectors.notices(self.actor)[:100]}


class ReadNotice(ActionPage):
    url, name, permission = "notices/<int:pk>/", "notice", "lifeevents.notices"
    title, model, submit_label = _("Notice"), Notice, _("Read")
    service, argument, success = services.mark_read, "notice_id", _("Noted.")

    def success_url(self):
        return reverse("lifeevents:notices")
