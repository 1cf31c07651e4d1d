"""The tree of regions: register, one region with its dated names and codes, and the changes on a date."""

from django import forms
from django.db.models import Q
from django.http import JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.errors import Invalid
from sangyu.ui.nav import Group, Nav
from sangyu.ui.pages import (
    Choice,
    Custom,
    Day,
    DetailPage,
    FormPage,
    Link,
    ListPage,
    Moment,
    Number,
    PlainPage,
    Text,
    rows_tab,
)

from . import selectors, services
from .enums import ChangeKind, Flag, Level, Source
from .fields import RegionField, shown
from .models import Region, RegionChange

NAV = [Nav(_("Regions"), "pin", "regions:list", "regions.view", Group.ADMIN, 50)]
REGISTER = ("regions:list", _("Regions"))


def _own_area(rows, actor):
    return rows.filter(path__gte=actor.path, path__lt=actor.path + "~")


class RegionList(ListPage):
    url, name, permission, title = "", "list", "regions.view", _("Regions")
    model, unit, sort = Region, _("regions"), "path"
    filters = ["level", "flag"]
    search = ("name", "pinyin", "code")
    search_label = _("Name, pinyin initials or code")
    columns = [
        Text("name", _("Region name"), link="regions:detail"),
        Choice("level", _("Region level"), enum=Level),
        Text("full_name", _("Full region name")),
        Text("code", _("Division code"), sort=True),
        Choice("flag", _("Remark"), enum=Flag),
        Day("valid_to", _("Ended on"), hidden=True),
    ]
    presets = [(_("Streets"), "level=4"), (_("Communities"), "level=5")]

    def get_queryset(self):
        return _own_area(Region.objects.filter(valid_to=None), self.actor)

    def search_rows(self, rows, text):
        if text.isdecimal():
            return rows.filter(code__startswith=text)
        if text.isascii():
            return rows.filter(pinyin__startswith=text.lower())
        return rows.filter(Q(name__contains=text) | Q(names__name__contains=text)).distinct()


class RegionDetail(DetailPage):
    url, name, permission = "<int:pk>/", "detail", "regions.view"
    model, related, parent = Region, ("parent", "successor"), REGISTER
    facts = [Choice("level", _("Region level"), enum=Level)]
    summary = [
        (
            _("Region"),
            [
                Text("full_name", _("Full region name")),
                Text("code", _("Division code")),
                Choice("flag", _("Remark"), enum=Flag),
                Custom("parent", _("Part of"), draw=lambda r: _link(r.parent)),
                Day("valid_from", pgettext_lazy("region", "Since")),
                Day("valid_to", _("Ended on")),
                Custom("successor", _("Went into"), draw=lambda r: _link(r.successor)),
                Custom("point", _("Point (WGS-84)"), draw=lambda r: _point(r)),
            ],
        )
    ]
    tabs = [
        rows_tab(
            "below",
            _("Regions below"),
            [
                Custom("name", _("Region name"), draw=lambda r: _link(r)),
                Text("code", _("Division code")),
                Choice("flag", _("Remark"), enum=Flag),
            ],
            lambda page: selectors.children(page.object.pk),
        ),
        rows_tab(
            "codes",
            _("Division codes"),
            [
                Choice("source", _("Source"), enum=Source),
                Text("code", _("Division code")),
                Text("name", _("Official name")),
                Day("listed_on", _("List of")),
                Day("valid_from", _("Valid from")),
                Day("valid_to", _("Valid until before")),
            ],
            lambda page: page.object.codes.order_by("source", "-valid_from"),
        ),
        rows_tab(
            "names",
            _("Earlier names"),
            [
                Text("name", _("Region name")),
                Day("valid_from", _("Valid from")),
                Day("valid_to", _("Valid until before")),
            ],
            lambda page: page.object.names.order_by("-valid_from"),
        ),
        rows_tab(
            "holdings",
            _("What belongs to it"),
            [
                Text("label", _("Kind of record"), value=lambda r: r[0]),
                Number("count", _("Records"), value=lambda r: r[1]),
            ],
            lambda page: selectors.holdings_of(page.object),
            permission="regions.change",
        ),
        rows_tab(
            "operations",
            _("Changes of the tree"),
            [
                Day("day", _("Effective day")),
                Choice("kind", _("Kind"), enum=ChangeKind),
                Text("reason", _("Reason")),
                Text("actor", _("Entered by")),
                Moment("at", _("Entered at")),
            ],
            lambda page: selectors.changes_to(page.object),
        ),
    ]
    actions = [
        Link(_("Rename"), "regions:rename", "edit", "regions.change", when=lambda r: r.valid_to is None),
        Link(_("New code"), "regions:recode", "tag", "regions.change", when=lambda r: r.valid_to is None),
        Link(_("Merge"), "regions:merge", "swap", "regions.change", when=lambda r: r.valid_to is None),
        Link(_("Split"), "regions:split", "copy", "regions.change", when=lambda r: r.valid_to is None),
        Link(_("Move region"), "regions:move", "xfer", "regions.change", when=lambda r: r.valid_to is None),
    ]

    def get_queryset(self):
        return _own_area(Region.objects.all(), self.actor)


def _link(found: Region | None) -> str:
    if found is None:
        return "—"
    return format_html('<a class="link" href="{}">{}</a>', reverse("regions:detail", args=[found.pk]), found.name)


def _point(found: Region) -> str:
    if found.latitude is None:
        return "—"
    text = f"{found.latitude:.4f}, {found.longitude:.4f}"
    return f"{text} ({gettext('approximate')})" if found.approximate else text


# ---------------------------------------------------------------- changes
class ChangeForm(forms.Form):
    day = forms.DateField(label=_("Valid from"))
    reason = forms.CharField(label=_("Decision or reason"), max_length=300)


class RenameForm(ChangeForm):
    name = forms.CharField(label=_("New name"), max_length=60)
    field_order = ["name", "day", "reason"]


class RecodeForm(ChangeForm):
    source = forms.ChoiceField(label=_("Source"), choices=Source.choices)
    code = forms.CharField(label=_("New code"), max_length=12, min_length=12, help_text=_("12 digits"))
    field_order = ["source", "code", "day", "reason"]


class MergeForm(ChangeForm):
    others = forms.ModelMultipleChoiceField(
        label=_("Merge with"), queryset=Region.objects.none(), widget=forms.CheckboxSelectMultiple
    )
    name = forms.CharField(
        label=_("New name"), max_length=60, required=False, help_text=_("Empty: this region takes the others in")
    )
    code = forms.CharField(
        label=_("New code"), max_length=12, required=False, help_text=_("Only with a new name; 12 digits")
    )
    field_order = ["others", "name", "code", "day", "reason"]

    def __init__(self, *args, region: Region, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        beside = Region.objects.filter(parent_id=region.parent_id, valid_to=None).exclude(pk=region.pk)
        self.fields["others"].queryset = beside.order_by("code")


class SplitForm(ChangeForm):
    name = forms.CharField(label=_("Name of the new region"), max_length=60)
    code = forms.CharField(label=_("New code"), max_length=12, help_text=_("12 digits"))
    children = forms.ModelMultipleChoiceField(
        label=_("Takes over"), queryset=Region.objects.none(), required=False, widget=forms.CheckboxSelectMultiple
    )
    field_order = ["name", "code", "children", "day", "reason"]

    def __init__(self, *args, region: Region, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["children"].queryset = selectors.children(region.pk)


class MoveForm(ChangeForm):
    parent_id = RegionField(label=_("New parent"))
    field_order = ["parent_id", "day", "reason"]

    def __init__(self, *args, actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["parent_id"].for_actor(actor)


class _ChangePage(FormPage):
    permission, model, parent, argument = "regions.change", Region, REGISTER, "region_id"

    def get_queryset(self):
        return _own_area(Region.objects.all(), self.actor)

    def get_initial(self):
        return {"day": timezone.localdate()}

    def breadcrumbs(self):
        return [*super().breadcrumbs(), (self.object.name, reverse("regions:detail", args=[self.object.pk]))]

    def success_url(self, result):
        target = result if isinstance(result, Region) else self.object
        return reverse("regions:detail", args=[target.pk])


class RegionRename(_ChangePage):
    url, name, title, form_class = "<int:pk>/rename/", "rename", _("Rename region"), RenameForm
    service = services.rename


class RegionRecode(_ChangePage):
    url, name, title, form_class = "<int:pk>/recode/", "recode", _("New code"), RecodeForm
    service = services.recode


class RegionMerge(_ChangePage):
    url, name, title, form_class = "<int:pk>/merge/", "merge", _("Merge regions"), MergeForm
    intro = _(
        "The merged regions end on the day; their people, orders and records move along "
        "and old records still lead here."
    )

    def form_kwargs(self):
        return {"region": self.object}

    def save(self, form):
        data = form.cleaned_data
        if data["code"] and not data["name"]:
            raise Invalid({"name": [gettext("A new code needs a new name.")]})
        return services.merge(
            actor=self.actor,
            region_ids=[self.object.pk, *(r.pk for r in data["others"])],
            into=None if data["name"] else self.object.pk,
            name=data["name"],
            code=data["code"],
            day=data["day"],
            reason=data["reason"],
        )


class RegionSplit(_ChangePage):
    url, name, title, form_class = "<int:pk>/split/", "split", _("Split region"), SplitForm

    def form_kwargs(self):
        return {"region": self.object}

    def save(self, form):
        data = form.cleaned_data
        part = services.Part(data["name"], data["code"], tuple(r.pk for r in data["children"]))
        return services.split(
            actor=self.actor, region_id=self.object.pk, parts=[part], day=data["day"], reason=data["reason"]
        )[0]


class RegionMove(_ChangePage):
    url, name, title, form_class = "<int:pk>/move/", "move", _("Move region"), MoveForm
    service = services.move

    def form_kwargs(self):
        return {"actor": self.actor}


def _totals(change: RegionChange) -> str:
    """The largest kinds of records in words: 老人 1,234、订单 56."""
    return "、".join(f"{label} {count:,}" for label, count in selectors.in_words(change.totals)[:4])


class RegionChangeList(ListPage):
    url, name, permission, title = "changes/", "changes", "regions.view", _("Changes of the tree")
    model, unit, sort = RegionChange, _("tree changes"), "-pk"
    filters = ["kind"]
    columns = [
        Day("day", _("Effective day")),
        Choice("kind", _("Kind"), enum=ChangeKind),
        Text("reason", _("Reason")),
        Number("moved", _("Records moved"), value=lambda c: sum(c.moved.values())),
        Text("totals", _("Totals, the same before and after"), value=_totals),
        Text("actor", _("Entered by")),
        Moment("at", _("Entered at")),
    ]


# ---------------------------------------------------------------- form fields
class RegionOptions(PlainPage):
    """Suggestions for ``RegionField``."""

    url, name, permission, title = "options/", "options", "", _("Regions")

    def get(self, request, *args, **kwargs):
        text = request.GET.get(request.GET.get("field", "q"), "") or request.GET.get("q", "")
        found = selectors.search(self.actor, text.split(" ")[0], limit=20)
        return self.render("regions/options.html", {"options": [shown(r) for r in found]})


class RegionChoices(PlainPage):
    """One level of the lazy tree as JSON: ``?parent=ID``, without it the actor's own region."""

    url, name, permission, title = "choices/", "choices", "", _("Regions")

    def get(self, request, *args, **kwargs):
        parent = request.GET.get("parent", "")
        if parent and not parent.isdecimal():
            raise Invalid({"parent": [gettext("Not a number.")]})
        return JsonResponse({"regions": selectors.choices_for(self.actor, int(parent) if parent else None)})
