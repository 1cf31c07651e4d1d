"""Screens of the catalogue."""

from django import forms
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.dated import valid_on
from sangyu.registry.regions import selectors as regions
from sangyu.ui.nav import Group, Nav
from sangyu.ui.pages import ActionPage, Choice, Day, DetailPage, FormPage, Link, ListPage, Number, Text, YesNo, rows_tab

from . import selectors, services
from .enums import Category, LicenceKind, Skill, Unit
from .models import Package, ServiceItem

NAV = [
    Nav(_("Service catalogue"), "tag", "catalogue:list", "catalogue.view", Group.REGISTERS, 40),
]


class ItemList(ListPage):
    url, name, permission, title = "", "list", "catalogue.view", _("Service catalogue")
    model = ServiceItem
    unit = _("services")
    search = ("name", "pinyin", "initials", "code")
    search_label = _("Name, pinyin or code")
    filters = ["category", "unit", "skill", "licence", "is_basic", "is_voluntary", "is_withdrawn"]
    sort = "code"
    related = ("region",)
    columns = [
        Text("name", _("Service"), link="catalogue:detail", sort=True),
        Text("code", _("Code"), sort=True),
        Choice("category", _("Category"), sort=True),
        Choice("unit", _("Unit")),
        Number("duration_minutes", _("Minutes"), sort=True),
        Choice("skill", _("Skill")),
        Choice("licence", _("Licence needed")),
        Number("crew_size", _("Workers needed")),
        YesNo("is_basic", _("Basic service"), sort=True),
        Day("valid_from", _("From"), sort=True),
        Text("region.name", _("Published by")),
        Day("valid_to", _("Until"), hidden=True),
        Text("source", _("Source"), hidden=True),
    ]
    head = [
        Link(_("New service"), "catalogue:new", "plus", "catalogue.publish", "pri"),
        Link(_("Load a file"), "catalogue:load", "ul", "catalogue.publish"),
        Link(_("Packages"), "catalogue:packages", "copy", "catalogue.view"),
    ]
    empty_text = _("Load the catalogue file, or publish the first service.")

    def get_queryset(self):
        """Versions that hold today or will; those that ended are in the service's own list of versions."""
        return ServiceItem.objects.filter(valid_on(timezone.localdate()) | _later())


def _later():
    from django.db.models import Q

    return Q(valid_from__gt=timezone.localdate())


class ItemDetail(DetailPage):
    url, name, permission = "<int:pk>/", "detail", "catalogue.view"
    model, related = ServiceItem, ("region",)
    parent = ("catalogue:list", _("Service catalogue"))
    facts = [Choice("category", _("Category")), Day("valid_from", _("From")), Day("valid_to", _("Until"))]
    summary = [
        (
            _("Service"),
            [
                Text("code", _("Code")),
                Choice("unit", _("Unit")),
                Number("duration_minutes", _("Minutes")),
                Text("description", _("Description")),
                YesNo("is_basic", _("Basic service")),
                YesNo("at_home", pgettext_lazy("catalogue", "At home")),
                YesNo("is_voluntary", _("Fit for volunteers")),
                YesNo("is_confidential", _("Confidential")),
            ],
        ),
        (
            _("Who may give it"),
            [
                Choice("skill", _("Skill")),
                Choice("licence", _("Licence needed")),
                Number("crew_size", _("Workers needed")),
                YesNo("risk_check_replaces_crew", _("Risk check instead of a second worker")),
                YesNo("sex_may_be_chosen", _("Family may choose the sex")),
            ],
        ),
        (
            _("Published"),
            [
                Text("region.full_name", _("Published by")),
                Text("source", _("Source")),
                YesNo("is_withdrawn", _("Withdrawn")),
            ],
        ),
    ]
    tabs = [
        rows_tab(
            "versions",
            _("Versions"),
            [
                Day("valid_from", _("From"), link="catalogue:detail"),
                Day("valid_to", _("Until")),
                Text("name", _("Service")),
                Number("duration_minutes", _("Minutes")),
                Number("crew_size", _("Workers needed")),
                YesNo("is_withdrawn", _("Withdrawn")),
            ],
            lambda page: selectors.versions(page.object.code, page.object.path),
        )
    ]
    actions = [
        Link(_("New version"), "catalogue:edit", "edit", "catalogue.publish"),
        Link(
            pgettext_lazy("catalogue", "Withdraw"),
            "catalogue:withdraw",
            "off",
            "catalogue.publish",
            "badline",
            "dialog",
        ),
    ]


class ItemForm(forms.Form):
    valid_from = forms.DateField(
        label=_("From"), help_text=_("First day of this version. Past days keep the version before.")
    )
    name = forms.CharField(label=_("Service"), max_length=60)
    category = forms.ChoiceField(label=_("Category"), choices=Category.choices)
    unit = forms.ChoiceField(label=_("Unit"), choices=Unit.choices)
    duration_minutes = forms.IntegerField(label=_("Minutes"), min_value=1, max_value=24 * 60)
    description = forms.CharField(
        label=_("Description"), max_length=500, required=False, widget=forms.Textarea({"rows": 3})
    )
    skill = forms.ChoiceField(label=_("Skill"), choices=Skill.choices)
    licence = forms.ChoiceField(label=_("Licence needed"), choices=LicenceKind.choices)
    crew_size = forms.IntegerField(label=_("Workers needed"), min_value=1, max_value=6, initial=1)
    risk_check_replaces_crew = forms.BooleanField(label=_("Risk check instead of a second worker"), required=False)
    is_basic = forms.BooleanField(label=_("Basic service"), required=False)
    at_home = forms.BooleanField(label=pgettext_lazy("catalogue", "At home"), required=False, initial=True)
    is_voluntary = forms.BooleanField(label=_("Fit for volunteers"), required=False)
    is_confidential = forms.BooleanField(label=_("Confidential"), required=False)
    sex_may_be_chosen = forms.BooleanField(label=_("Family may choose the sex"), required=False, initial=True)
    source = forms.CharField(label=_("Source"), max_length=100, required=False)


class NewItemForm(ItemForm):
    code = forms.CharField(label=_("Code"), max_length=40, help_text=_("Never changes; letters, digits and hyphens."))
    field_order = ["code", "valid_from"]


class ItemEdit(FormPage):
    url, name, permission, title = "<int:pk>/edit/", "edit", "catalogue.publish", _("New version")
    model, form_class, related = ServiceItem, ItemForm, ("region",)
    parent = ("catalogue:list", _("Service catalogue"))
    wide = ("description",)

    def get_initial(self) -> dict:
        return {f: getattr(self.object, f) for f in ItemForm.base_fields if f != "valid_from"}

    def save(self, form):
        return services.publish_item(
            actor=self.actor,
            region=self.object.region,
            code=self.object.code,
            today=timezone.localdate(),
            **form.cleaned_data,
        )

    def success_url(self, result) -> str:
        return reverse("catalogue:detail", args=[result.pk])


class ItemNew(FormPage):
    url, name, permission, title = "new/", "new", "catalogue.publish", _("New service")
    form_class = NewItemForm
    parent = ("catalogue:list", _("Service catalogue"))
    wide = ("description",)

    def save(self, form):
        region = regions.at_path(self.actor.path)
        return services.publish_item(actor=self.actor, region=region, today=timezone.localdate(), **form.cleaned_data)

    def success_url(self, result) -> str:
        return reverse("catalogue:detail", args=[result.pk])


class DayForm(forms.Form):
    day = forms.DateField(label=_("From"), help_text=_("From this day on it can no longer be ordered."))


class Withdraw(ActionPage):
    url, name, permission, title = "<int:pk>/withdraw/", "withdraw", "catalogue.publish", _("Withdraw service")
    model, related, form_class = ServiceItem, ("region",), DayForm
    parent = ("catalogue:list", _("Service catalogue"))
    submit_label, irreversible, leaves = pgettext_lazy("catalogue", "Withdraw"), True, True

    def confirm_text(self) -> str:
        return gettext("“%(name)s” leaves the list. Orders that exist keep it.") % {"name": self.object.name}

    def act(self, form) -> str:
        services.withdraw_item(
            actor=self.actor,
            region=regions.at_path(self.actor.path),
            code=self.object.code,
            valid_from=form.cleaned_data["day"],
            today=timezone.localdate(),
        )
        return pgettext("catalogue", "Withdrawn.")


class FileForm(forms.Form):
    file = forms.FileField(label=_("Catalogue file (.yaml)"))


class Load(FormPage):
    url, name, permission, title = "load/", "load", "catalogue.publish", _("Load a catalogue file")
    form_class, multipart = FileForm, True
    submit_label = _("Load")
    intro = _("New services and new versions are published in your region; what is the same stays untouched.")
    parent = ("catalogue:list", _("Service catalogue"))

    def save(self, form):
        upload = form.cleaned_data["file"]
        return services.load_catalogue(
            actor=self.actor,
            region=regions.at_path(self.actor.path),
            text=upload.read().decode("utf-8", "replace"),
            filename=upload.name,
            today=timezone.localdate(),
        )

    def success_message(self, result) -> str:
        words = gettext("%(created)d new, %(changed)d changed, %(unchanged)d unchanged, %(packages)d packages.")
        return words % result._asdict()

    def success_url(self, result) -> str:
        return reverse("catalogue:list")


class PackageList(ListPage):
    url, name, permission, title = "packages/", "packages", "catalogue.view", _("Packages")
    model = Package
    unit = _("packages")
    search = ("name", "code")
    filters = ["audience"]
    sort = "code"
    related = ("region",)
    columns = [
        Text("name", _("Package"), link="catalogue:package", sort=True),
        Choice("audience", pgettext_lazy("package", "For whom"), sort=True),
        Text("description", _("Description")),
        Day("valid_from", _("From"), sort=True),
        Text("region.name", _("Published by")),
    ]
    empty_text = _("Packages come with the catalogue file.")

    def get_queryset(self):
        return Package.objects.on(timezone.localdate())


def _lines(page) -> list:
    package = page.object
    lines = list(package.lines.all())
    day = max(package.valid_from, timezone.localdate())
    names = selectors.items_by_code([line.item_code for line in lines], package.path, day)
    for line in lines:
        line.item = names.get(line.item_code)
    return lines


class PackageDetail(DetailPage):
    url, name, permission = "packages/<int:pk>/", "package", "catalogue.view"
    model, related = Package, ("region",)
    parent = ("catalogue:packages", _("Packages"))
    facts = [
        Choice("audience", pgettext_lazy("package", "For whom")),
        Day("valid_from", _("From")),
        Day("valid_to", _("Until")),
    ]
    tabs = [
        rows_tab(
            "lines",
            _("Services"),
            [
                Text(
                    "item.name", _("Service"), link=lambda x: x.item and reverse("catalogue:detail", args=[x.item.pk])
                ),
                Text("item_code", _("Code")),
                Number("times_per_month", _("Times per month")),
                Text("note", _("Note")),
            ],
            _lines,
        )
    ]
