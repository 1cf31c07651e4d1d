"""Screens of policies: list, plain page, text, versions and comparison, editor, approval, files."""

import io
import zipfile
from datetime import timedelta

import django_filters
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.errors import Invalid
from sangyu.kernel.scoping import lineage
from sangyu.registry.regions import selectors as regions
from sangyu.ui.nav import Group, Nav
from sangyu.ui.pages import (
    ActionPage,
    Choice,
    Day,
    DetailPage,
    EndPage,
    FilePage,
    FormPage,
    Link,
    ListPage,
    Made,
    Moment,
    Number,
    Status,
    Tab,
    Text,
)

from . import selectors, services
from .enums import PeriodKind, Standing, State, Subject
from .forms import ApproveForm, FilesForm, LastDayForm
from .models import PolicyVersion
from .pages_editor import LIST, policy_names, problem_rows
from .plain import describe

NAV = [
    Nav(_("Policies"), "clip", "policies:list", "policies.view", Group.MONEY, 50),
    Nav(_("What-if"), "swap", "policies:whatif", "policies.edit", Group.MONEY, 55),
]


def _on(standing: str) -> Q:
    """Condition for versions that stand so today."""
    today = timezone.localdate()
    approved = Q(state=State.APPROVED)
    match standing:
        case Standing.IN_FORCE:
            return approved & Q(valid_from__lte=today) & (Q(valid_to__isnull=True) | Q(valid_to__gt=today))
        case Standing.FUTURE:
            return approved & Q(valid_from__gt=today)
        case Standing.ENDED:
            return approved & Q(valid_to__lte=today)
    return Q(state=standing)


class PolicyFilter(django_filters.FilterSet):
    standing = django_filters.ChoiceFilter(label=_("Standing"), method="filter_standing", choices=Standing.choices)
    subject = django_filters.ChoiceFilter(choices=Subject.choices)
    period = django_filters.ChoiceFilter(choices=PeriodKind.choices)
    region = django_filters.CharFilter(label=_("Region"), method="filter_region")

    class Meta:
        model = PolicyVersion
        fields: list[str] = []

    def filter_standing(self, rows, name, value):
        return rows.filter(_on(value))

    def filter_region(self, rows, name, value):
        """Versions of the regions so called, of those above and of those below."""
        condition = Q(pk__in=[])
        for region in regions.search(self.request.actor, value, limit=5):
            condition |= Q(path__in=lineage(region.path)) | Q(path__startswith=region.path)
        return rows.filter(condition)


def _find(rows, text: str):
    return rows.filter(Q(name__contains=text) | Q(code__startswith=text) | Q(document__number__contains=text))


_find.do_not_call_in_templates = True  # a template asks whether there is a search, no more


class Policies(ListPage):
    url, name, permission, title = "", "list", "policies.view", _("Policies")
    model, sort, unit = PolicyVersion, "code", _("versions")
    related, filters, search = ("region", "document"), PolicyFilter, staticmethod(_find)
    search_label = _("Policy, code or document number")
    presets = [
        (_("In force today"), "standing=in_force"),
        (_("Begins later"), "standing=future"),
        (_("Drafts"), "standing=draft"),
        (pgettext_lazy("policies", "Ended"), "standing=ended"),
    ]
    columns = [
        Text("name", _("Policy"), link="policies:detail", sort=True, width=36),
        Number("number", _("Version")),
        Status("standing", _("Standing"), enum=Standing),
        Choice("subject", _("Paid to"), sort=True),
        Choice("period", _("How often"), sort=True),
        Text("region.name", _("Region")),
        Day("valid_from", _("From"), sort=True),
        Day("last_day", _("Last day")),
        Text("document.number", _("Document"), link=lambda v: _document_url(v), width=24),
        Text("code", _("Policy code"), sort=True, hidden=True),
        Text("clause", _("Clause"), hidden=True),
        Text("author", _("Written by"), hidden=True),
        Text("approved_by", _("Approved by"), hidden=True),
        Moment("approved_at", _("Approved at"), sort=True, hidden=True),
    ]
    head = [
        Link(_("New policy"), "policies:new", "plus", "policies.edit", "pri"),
        Link(_("Load files"), "policies:load", "ul", "policies.edit"),
        Link(_("What-if"), "policies:whatif", "swap", "policies.edit"),
    ]
    empty_text = _("Load the policy files that ship, or write the first one.")

    def get_queryset(self):
        """Discarded drafts only when they are asked for."""
        rows = PolicyVersion.objects.all()
        return rows if self.params.get("standing") == State.DISCARDED else rows.exclude(state=State.DISCARDED)


def _document_url(version: PolicyVersion) -> str:
    return reverse("documents:detail", args=[version.document_id]) if version.document_id else ""


def _plain(page) -> dict:
    version = page.object
    policy, problems = services.check(version.text, f"{version.code}.yaml")
    return {
        "version": version,
        "policy": policy,
        "problems": problem_rows(problems),
        "sections": describe(policy, policy_names(version.path)) if policy else [],
        "document_url": _document_url(version),
    }


def _text(page) -> dict:
    return {"version": page.object, "lines": list(enumerate(page.object.text.splitlines(), 1))}


def _versions(page) -> dict:
    found = list(selectors.siblings(page.object).visible_to(page.actor))
    wanted = page.request.GET.get("with", "")
    other = next((v for v in found if str(v.pk) == wanted), None)
    if other is None:
        other = next((v for v in found if v.number < page.object.number), None)
    changed = selectors.diff(other.text, page.object.text) if other else []
    return {
        "version": page.object,
        "versions": [(v, v.standing) for v in found],
        "other": other,
        "diff": _folded(changed),
        "counts": (sum(d.sign == "+" for d in changed), sum(d.sign == "-" for d in changed)),
    }


def _folded(lines: list[selectors.DiffLine], around: int = 3) -> list[selectors.DiffLine | None]:
    """Only what changed, with some lines around it; None stands for what was left out."""
    near = {m for n, d in enumerate(lines) if d.sign != " " for m in range(n - around, n + around + 1)}
    found: list[selectors.DiffLine | None] = []
    for n, line in enumerate(lines):
        if n in near:
            found.append(line)
        elif found and found[-1] is not None:
            found.append(None)
    return found


def _is(*states: State):
    return lambda version: version.state in states


class Detail(DetailPage):
    url, name, permission = "<int:pk>/", "detail", "policies.view"
    model, related, parent = PolicyVersion, ("region", "document"), LIST
    template = "policies/detail.html"
    facts = [
        Text("code", _("Policy code")),
        Choice("subject", _("Paid to")),
        Choice("period", _("How often")),
        Text("region.full_name", _("Region")),
        Day("valid_from", _("From")),
        Day("last_day", _("Last day")),
    ]
    tabs = [
        Tab("plain", _("In plain words"), "policies/plain.html", _plain),
        Tab("text", _("Text"), "policies/text.html", _text),
        Tab("versions", _("Versions"), "policies/versions.html", _versions),
    ]
    actions = [
        Link(_("Approve"), "policies:approve", "check", "policies.approve", "pri", "dialog", when=_is(State.DRAFT)),
        Link(_("Edit draft"), "policies:edit", "edit", "policies.edit", when=_is(State.DRAFT)),
        Link(
            pgettext_lazy("policies", "New version"), "policies:next", "copy", "policies.edit", when=_is(State.APPROVED)
        ),
        Link(_("What-if"), "policies:try", "swap", "policies.edit", when=_is(State.DRAFT, State.APPROVED)),
        Link(_("Save file"), "policies:file", "dl", "policies.view"),
        Link(_("Discard"), "policies:discard", "trash", "policies.edit", method="post", when=_is(State.DRAFT)),
        Link(_("Take back"), "policies:restore", "undo", "policies.edit", method="post", when=_is(State.DISCARDED)),
        Link(_("End"), "policies:end", "off", "policies.approve", method="dialog", when=_is(State.APPROVED)),
    ]

    def get_title(self) -> str:
        return self.object.name

    def get_context(self) -> dict:
        return {**super().get_context(), "version": self.object, "standing": self.object.standing}


# ---------------------------------------------------------------- acts
class Approve(ActionPage):
    url, name, permission, title = "<int:pk>/approve/", "approve", "policies.approve", _("Approve policy")
    model, parent, form_class = PolicyVersion, LIST, ApproveForm
    service, argument, detail = services.approve, "version_id", "policies:detail"
    submit_label, success, irreversible, leaves = _("Approve"), _("Approved. The text stays as it is."), True, True

    def form_kwargs(self) -> dict:
        return {"actor": self.actor}

    def get_initial(self) -> dict:
        return {"document_id": self.object.document_id}

    def confirm_text(self) -> str:
        return gettext("“%(name)s” holds from %(day)s for %(region)s. Its text can never be changed after this.") % {
            "name": self.object, "day": self.object.valid_from, "region": self.object.region.full_name,
        }  # fmt: skip


class End(EndPage):
    url, name, permission = "<int:pk>/end/", "end", "policies.approve"
    model, parent, form_class = PolicyVersion, LIST, LastDayForm
    service, argument, detail = services.end, "version_id", "policies:detail"

    def arguments(self, form) -> dict:
        return {"day": form.cleaned_data["last_day"] + timedelta(days=1)}


class Discard(ActionPage):
    url, name, permission, title = "<int:pk>/discard/", "discard", "policies.edit", _("Discard draft")
    model, parent, submit_label, leaves = PolicyVersion, LIST, _("Discard"), True
    service, argument, detail, success = services.discard, "version_id", "policies:detail", _("Discarded.")

    def undo_url(self) -> str:
        return reverse("policies:restore", args=[self.object.pk])


class Restore(ActionPage):
    url, name, permission, title = "<int:pk>/restore/", "restore", "policies.edit", _("Take back")
    model, parent, submit_label, leaves = PolicyVersion, LIST, _("Take back"), True
    service, argument, detail, success = services.restore, "version_id", "policies:detail", _("Taken back.")


class File(FilePage):
    """The text as a file, as it ships and as another city loads it."""

    url, name, permission, title = "<int:pk>/file/", "file", "policies.view", _("Save file")

    def make(self) -> Made:
        version = selectors.version(self.actor, self.kwargs["pk"])
        return Made(version.text.encode(), f"{version.code}-v{version.number}.yaml")


class Files(FilePage):
    """All versions in force today as one archive."""

    url, name, permission, title = "files/", "files", "policies.view", _("Save all in force")

    def make(self) -> Made:
        buffer = io.BytesIO()
        today = timezone.localdate()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for version in selectors.versions(self.actor).in_force(today).order_by("code", "path"):
                archive.writestr(f"{version.region.code}/{version.code}.yaml", version.text)
        return Made(buffer.getvalue(), f"policies-{today:%Y%m%d}.zip")


class Load(FormPage):
    url, name, permission, title = "load/", "load", "policies.edit", _("Load policy files")
    form_class, multipart, parent, submit_label = FilesForm, True, LIST, _("Load")
    intro = _("Each text becomes a draft of the region that it names; a text that is there already is left alone.")

    def save(self, form):
        return services.load(actor=self.actor, files=_texts(form.cleaned_data["file"]))

    def success_message(self, result) -> str:
        return gettext("%(n)d drafts, %(same)d there already.") % {"n": result.drafts, "same": result.unchanged}

    def success_url(self, result) -> str:
        return reverse("policies:list") + "?standing=draft"


def _texts(upload) -> list[tuple[str, str]]:
    """Name and text of an uploaded file, or of those in an archive. Raises Invalid."""
    if not upload.name.lower().endswith(".zip"):
        return [(upload.name, upload.read().decode("utf-8", "replace"))]
    try:
        with zipfile.ZipFile(upload) as archive:
            listed = [i for i in archive.infolist() if i.filename.endswith((".yaml", ".yml"))]
            if sum(i.file_size for i in listed) > 5_000_000:
                raise Invalid({"file": [gettext("These files are too large for policies.")]})
            return [(i.filename, archive.read(i).decode("utf-8", "replace")) for i in listed]
    except zipfile.BadZipFile:
        raise Invalid({"file": [gettext("This archive cannot be read.")]}) from None
