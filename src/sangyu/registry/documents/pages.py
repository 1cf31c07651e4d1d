"""Screens of the policy library: list, document, form, import, lines of lists."""

from datetime import timedelta

import django_filters
from django import forms
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel.dated import valid_on
from sangyu.kernel.importing.importer import Importer
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
    Number,
    Tab,
    Text,
    end_link,
    paper_url,
    paper_word,
    rows_tab,
)

from . import selectors, services
from .enums import Kind, Level
from .forms import DocumentForm, LineForm, NewDocumentForm
from .models import Document, ListLine

NAV = [Nav(_("Policy library"), "doc", "documents:list", "documents.view", Group.MONEY, 60)]
LIST = ("documents:list", _("Policy library"))


class DocumentFilter(django_filters.FilterSet):
    level = django_filters.ChoiceFilter(choices=Level.choices)
    kind = django_filters.ChoiceFilter(choices=Kind.choices)
    holds = django_filters.ChoiceFilter(
        label=_("In force"),
        method="filter_holds",
        choices=[("now", _("Today")), ("later", _("Later")), ("ended", _("Ended"))],
    )

    class Meta:
        model = Document
        fields: list[str] = []

    def filter_holds(self, rows, name, value):
        today = timezone.localdate()
        conditions = {"now": valid_on(today), "later": Q(valid_from__gt=today), "ended": Q(valid_to__lte=today)}
        return rows.filter(conditions[value])


def _find(rows, text: str):
    return rows.filter(Q(title__contains=text) | Q(number__contains=text) | Q(issuer__contains=text))


_find.do_not_call_in_templates = True  # a template asks whether there is a search, no more


class Documents(ListPage):
    url, name, permission, title = "", "list", "documents.view", _("Policy library")
    model, sort, unit = Document, "-issued_on", _("documents")
    related, filters, search = ("region", "replaces"), DocumentFilter, staticmethod(_find)
    search_label = _("Title, number or issuer")
    presets = [(_("In force"), "holds=now"), (_("Lists of services"), "kind=basic_list"), (_("Ended"), "holds=ended")]
    columns = [
        Text("title", pgettext_lazy("documents", "Title"), link="documents:detail", sort=True, width=50),
        Text("number", _("Document number"), sort=True, width=24),
        Text("issuer", pgettext_lazy("documents", "Issued by")),
        Choice("level", _("Tier")),
        Choice("kind", pgettext_lazy("documents", "Kind")),
        Day("issued_on", _("Issued on"), sort=True),
        Day("valid_from", _("From"), sort=True),
        Day("last_day", _("Last day")),
        Text("region.name", _("Published for"), hidden=True),
        Text("replaces.title", _("Replaces"), hidden=True, width=40),
        Text("summary", _("In short"), hidden=True, width=50),
        Text("file", _("File"), value=paper_word, link=paper_url),
    ]
    head = [
        Link(_("New document"), "documents:new", "plus", "documents.edit", "pri"),
        Link(_("Import"), "documents:import", "ul", "documents.edit"),
    ]
    empty_text = _("Enter the documents that your policies rest on: number, title, validity, file.")


class Import(ImportPage):
    url, name, permission, title = "import/", "import", "documents.edit", _("Import documents")
    parent, back_url = LIST, "documents:list"
    importer = Importer("documents.register")
    help_text = _("One document a row. A number that is in the library already is corrected.")


def _uses(page) -> dict:
    return {"uses": selectors.uses_of(page.actor, page.object)}


def _link(name: str):
    def address(row: Document) -> str:
        pk = getattr(row, f"{name}_id")
        return reverse("documents:detail", args=[pk]) if pk else ""

    return address


def _is_list(document: Document) -> bool:
    return document.is_list


class Detail(DetailPage):
    url, name, permission = "<int:pk>/", "detail", "documents.view"
    model, related, parent = Document, ("region", "replaces", "main", "file"), LIST
    facts = [
        Text("number", _("Document number")),
        Choice("kind", pgettext_lazy("documents", "Kind")),
        Text("issuer", pgettext_lazy("documents", "Issued by")),
        Day("valid_from", _("From")),
        Day("last_day", _("Last day")),
    ]
    summary = [
        (
            _("Document"),
            [
                Text("title", pgettext_lazy("documents", "Title")),
                Text("number", _("Document number")),
                Text("issuer", pgettext_lazy("documents", "Issued by")),
                Choice("level", _("Tier")),
                Choice("kind", pgettext_lazy("documents", "Kind")),
                Day("issued_on", _("Issued on")),
                Day("valid_from", _("From")),
                Day("last_day", _("Last day")),
                Text("summary", _("In short")),
                Text("file", _("File"), value=paper_word, link=paper_url),
            ],
        ),
        (
            _("Place in the library"),
            [
                Text("region.full_name", _("Published for")),
                Text("replaces", _("Replaces"), link=_link("replaces")),
                Text("main", _("Carries out"), link=_link("main")),
            ],
        ),
    ]
    tabs = [
        Tab("uses", _("What rests on it"), "documents/uses.html", _uses),
        rows_tab(
            "lines",
            _("Lines of the list"),
            [
                Number("number", _("No.")),
                Text("audience", pgettext_lazy("documents", "For whom")),
                Text("name", pgettext_lazy("documents", "Item")),
                Text("content", _("What is given")),
                Text("responsible", _("Who is responsible")),
                Text("policy", _("Policy code")),
            ],
            lambda page: selectors.lines_of(page.object),
            head=[Link(_("Add a line"), "documents:add-line", "plus", "documents.edit", when=_is_list)],
            row_actions=[
                Link(_("Remove"), "documents:remove-line", permission="documents.edit", kind="text", method="dialog")
            ],
            empty_text=_("Lists say who is owed what. Other documents have no lines."),
        ),
        rows_tab(
            "family",
            _("Family"),
            [
                Text("title", pgettext_lazy("documents", "Title"), link="documents:detail"),
                Text("number", _("Document number")),
                Choice("kind", pgettext_lazy("documents", "Kind")),
                Day("valid_from", _("From")),
                Day("last_day", _("Last day")),
            ],
            lambda page: _family(page.object).visible_to(page.actor),
            empty_text=_("No document replaces this one or carries it out."),
        ),
    ]
    actions = [
        Link(_("Edit"), "documents:edit", "edit", "documents.edit"),
        end_link("documents:end", "documents.edit"),
    ]


def _family(document: Document):
    """Documents that replace this one or carry it out, and those beside it."""
    condition = Q(replaces=document) | Q(main=document)
    if document.main_id:
        condition |= Q(main=document.main_id)
    return Document.objects.filter(condition).exclude(pk=document.pk)


class New(FormPage):
    url, name, permission, title = "new/", "new", "documents.edit", _("New document")
    form_class, parent, wide = NewDocumentForm, LIST, ("title", "summary", "upload")
    service, detail, multipart = services.add, "documents:detail", True

    def form_kwargs(self) -> dict:
        return {"actor": self.actor}


class Edit(FormPage):
    url, name, permission, title = "<int:pk>/edit/", "edit", "documents.edit", _("Edit document")
    model, form_class, parent, wide = Document, DocumentForm, LIST, ("title", "summary", "upload")
    service, argument, detail, multipart = services.change, "document_id", "documents:detail", True

    def get_initial(self) -> dict:
        names = ("number", "title", "issuer", "level", "kind", "issued_on", "valid_from", "last_day", "summary")
        found = {name: getattr(self.object, name) for name in names}
        return found | {"replaces": self.object.replaces_id, "main": self.object.main_id}

    def form_kwargs(self) -> dict:
        return {"actor": self.actor, "own": self.object.pk}


class EndDay(forms.Form):
    last_day = forms.DateField(label=_("Last day"), help_text=_("From the day after it holds no more."))


class End(EndPage):
    url, name, permission = "<int:pk>/end/", "end", "documents.edit"
    model, parent, form_class = Document, LIST, EndDay
    service, argument, detail = services.end, "document_id", "documents:detail"

    def arguments(self, form) -> dict:
        return {"day": form.cleaned_data["last_day"] + timedelta(days=1)}


class AddLine(FormPage):
    url, name, permission, title = "<int:pk>/lines/new/", "add-line", "documents.edit", _("Add a line")
    model, form_class, parent, wide = Document, LineForm, LIST, ("content",)
    service, argument, detail, tab = services.add_line, "document_id", "documents:detail", "lines"


class RemoveLine(ActionPage):
    url, name, permission, title = "lines/<int:pk>/remove/", "remove-line", "documents.edit", _("Remove the line")
    model, parent, submit_label = ListLine, LIST, _("Remove")
    leaves = True

    def confirm_text(self) -> str:
        return str(self.object)

    def act(self, form) -> str:
        self.document_id = self.object.document_id
        services.remove_line(actor=self.actor, line_id=self.object.pk)
        return str(_("Removed."))

    def success_url(self) -> str:
        return reverse("documents:detail-lines", args=[self.object.document_id])
