"""The list page: one declaration serves the page, its fragment, the print view and the export."""

from functools import cached_property
from typing import Any, ClassVar

import django_filters
from django.db.models import Q
from django.forms import HiddenInput
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.utils import timezone
from django.utils.html import conditional_escape, escape
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django_filters.filterset import filterset_factory

from sangyu.kernel.errors import Forbidden, Invalid
from sangyu.ui import views as saved

from . import selection
from .base import Link, Page
from .bulk import Bulk, acts_of
from .columns import Column
from .form import dress
from .keyset import Plan, Slice, page_of, plan_of, total_of

SIZES = (20, 50, 100)
#: Keys of the address that are not filters.
OWN_KEYS = {"after", "before", "sort", "size", "cols", "dense", "more", "print", "export", "view", "count"}

RowAction = Link


class ListPage(Page):
    """Rows of ``model`` as a table.

    Attributes: ``columns`` (``Column`` list; the first linked one names the row), ``filters`` (a FilterSet class or a list
    of field names), ``search`` (field names or a function ``(queryset, text) → queryset``), ``sort`` (default order),
    ``related`` (select_related), ``row_actions``, ``bulk``, ``head``/``links`` (buttons), ``exportable``.
    """

    model: ClassVar[Any]
    columns: ClassVar[list[Column]]
    filters: ClassVar[Any] = ()
    search: ClassVar[Any] = ()
    search_label: ClassVar[str] = gettext_lazy("Name or number")
    search_hint: ClassVar[str] = ""
    sort: ClassVar[str] = "-pk"
    related: ClassVar[tuple[str, ...]] = ()
    #: Fields that every row of the list has, although their column allows NULL.
    filled: ClassVar[tuple[str, ...]] = ()
    prefetch: ClassVar[tuple] = ()
    row_actions: ClassVar[list[Link]] = []
    bulk: ClassVar[list[Bulk]] = []
    head: ClassVar[list[Link]] = []
    size: ClassVar[int] = 20
    unit: ClassVar[str] = gettext_lazy("rows")
    exportable: ClassVar[bool] = True
    export_permission: ClassVar[str] = ""
    #: What an export is logged as, when the list holds personal data; "" = none in it.
    personal: ClassVar[str] = ""
    signature_lines: ClassVar[tuple[str, ...]] = (
        pgettext_lazy("ui", "Prepared by"),
        pgettext_lazy("ui", "Checked by"),
        pgettext_lazy("ui", "Approved by"),
    )
    #: At most so many rows can come, where a search knows it: then nothing has to be estimated.
    at_most: int | None = None
    #: What has to be said beside the number of rows, set while they are looked for.
    note: str = ""
    empty_title: ClassVar[str] = ""
    empty_text: ClassVar[str] = ""
    #: Ready-made views: [(label, query string)], e.g. [(_("Open"), "state=open")].
    presets: ClassVar[list[tuple[str, str]]] = []
    template: ClassVar[str] = "ui/list/page.html"
    fragment: ClassVar[str] = "ui/list/results.html"
    #: Seconds between reloads of the rows by themselves; 0 = never.
    refresh: ClassVar[int] = 0

    # -- the rows
    def get_queryset(self):
        """All rows the page is about, before scope and filters."""
        return self.model._default_manager.all()

    def scoped(self):
        """The rows the actor sees."""
        rows = self.get_queryset()
        return rows.visible_to(self.actor) if hasattr(rows, "visible_to") else rows

    @cached_property
    def filterset(self):
        """The bound FilterSet (also when no filters are declared)."""
        declared = self.filters
        if isinstance(declared, type) and issubclass(declared, django_filters.FilterSet):
            made = declared
        else:
            made = filterset_factory(self.model, fields=list(declared))
        bound = made(self.params, queryset=self.scoped(), request=self.request)
        headings = {c.name: c.heading(self.model) for c in self.columns if c.label}
        for name, field in bound.form.fields.items():
            field.label = headings.get(name, field.label)  # a filter is called what its column is called
        return bound

    @property
    def params(self) -> QueryDict:
        return self.request.GET

    def rows(self):
        """Scoped, filtered and searched rows. Raises Invalid when a filter value is not understood."""
        if not self.filterset.is_valid():
            raise Invalid({k: [str(m) for m in v] for k, v in self.filterset.errors.items()})
        rows = self.filterset.qs
        text = self.params.get("q", "").strip()
        if text and self.search:
            rows = self.search_rows(rows, text)
        return self.prepared(rows)

    def prepared(self, rows):
        """``rows`` with what the columns read besides."""
        if self.related:
            rows = rows.select_related(*self.related)
        return rows.prefetch_related(*self.prefetch) if self.prefetch else rows

    def search_rows(self, rows, text: str):
        """Rows that match ``text``: prefix of one of the ``search`` fields, or the page's own function."""
        if callable(self.search):
            return self.search(rows, text)
        condition = Q()
        for name in self.search:
            condition |= Q(**{name: text}) if "__" in name else self._begins(name, text)
        return rows.filter(condition)

    def _begins(self, name: str, text: str) -> Q:
        """Prefix of a field. In the "C" collation it is a range: LIKE is not leakproof and would run after a scan."""
        if getattr(self.model._meta.get_field(name), "db_collation", None) == "C":
            return Q(**{f"{name}__gte": text, f"{name}__lt": text + "\U0010ffff"})
        return Q(**{f"{name}__startswith": text})

    # -- columns and order
    @cached_property
    def all_columns(self) -> list[Column]:
        """Columns the actor may have."""
        return [c for c in self.columns if not c.permission or self.actor.may(c.permission)]

    @cached_property
    def shown_columns(self) -> list[Column]:
        """The chosen ones in the chosen order."""
        wanted = self.params.get("cols", "")
        if wanted:
            keys = wanted.split(",")
            chosen = sorted((c for c in self.all_columns if c.key in keys), key=lambda c: keys.index(c.key))
            if chosen:
                return chosen
        return [c for c in self.all_columns if not c.hidden]

    @property
    def order(self) -> str:
        wanted = self.params.get("sort", "")
        allowed = {c.sort_field for c in self.all_columns if c.sort}
        return wanted if wanted.lstrip("-") in allowed else self.sort

    @property
    def page_size(self) -> int:
        wanted = self.params.get("size", "")
        return int(wanted) if wanted.isdigit() and int(wanted) in SIZES else self.size

    @property
    def narrowed(self) -> bool:
        """Whether a search or a filter leaves rows out."""
        return any(value and key not in OWN_KEYS for key, value in self.params.items())

    # -- answers
    def get(self, request, *args, **kwargs) -> HttpResponse:
        if not request.GET and (query := saved.default_query(self.actor, self.page_key)):
            return HttpResponseRedirect(f"?{query}")
        if "export" in request.GET:
            return self.export()
        if "count" in request.GET:
            return HttpResponse(f"{self.rows().order_by().values('pk').count():,}")
        try:
            rows, problem = self.rows(), None
        except Invalid as error:
            rows, problem = self.scoped().none(), error
        printing = "print" in request.GET
        size = 5_000 if printing else self.page_size
        after, before = self.params.get("after", ""), self.params.get("before", "")
        plan = self.expected(rows) if not problem and self.narrowed else None
        part = page_of(
            rows,
            self.order,
            size,
            after=after,
            before=before,
            filled=self.filled,
            counted=plan is not None and plan.few,
        )
        if part.total is None and (part.after or part.before):
            total, exact = total_of(rows, plan=plan)
        else:
            total, exact = part.total or part.end, True
        context = self.context(**self.table_context(part, total, exact, problem))
        template = "ui/list/print.html" if printing else self.fragment if self.partial else self.template
        return self.render(template, context, status=422 if problem else 200)

    def expected(self, rows) -> Plan:
        """How many ``rows`` come and what counting them costs."""
        return plan_of(rows) if self.at_most is None else Plan(self.at_most, 0.0)

    def post(self, request, *args, **kwargs) -> HttpResponse:
        """A bulk act, or one on saved views."""
        for key, act in saved.ACTS.items():
            if request.POST.get(key):
                return act(self)
        return selection.answer(self)

    @property
    def page_key(self) -> str:
        """Names the list in saved views, exports and drafts."""
        return f"{type(self).__module__.rsplit('.', 1)[0]}.{type(self).__name__}"

    def table_context(self, part: Slice, total: int, exact: bool, problem: Invalid | None) -> dict:
        form = filter_form(self.filterset.form)
        names = [*(["q"] if self.search else []), *form.fields]
        fields = [form[name] for name in form.fields if not isinstance(form.fields[name].widget, HiddenInput)]
        active = [k for k in names if self.params.get(k)]
        visible = 3 if not self.search else 2
        shown = {c.key for c in self.shown_columns}
        return {
            "columns": [self.column_head(c) for c in self.shown_columns],
            "rows": [self.row(r) for r in part.rows],
            "slice": part,
            "total": total,
            "exact": exact,
            "problem": problem,
            "filter_fields": fields[:visible],
            "more_fields": fields[visible:],
            "more_open": bool(self.params.get("more")) or any(self.params.get(f.name) for f in fields[visible:]),
            "active_filters": active,
            "kept": [(k, v) for k, v in self.params.items() if k in {"sort", "size", "cols", "dense"}],
            "sizes": SIZES,
            "page_size": self.page_size,
            "dense": self.params.get("dense", "1") != "0",
            "column_choice": [
                (c.key, c.heading(self.model), c.key in shown)
                for c in [*self.shown_columns, *(c for c in self.all_columns if c.key not in shown)]
            ],
            "bulk_actions": self.bulk_shown,
            "selectable": bool(self.bulk_shown) or self.may_export,
            "views": (views := saved.offered(self)),
            "own_views": [v for v in views if v["pk"]],
            "may_share": self.actor.may("ui.share_view"),
            "may_export": self.may_export,
            "has_actions": bool(self.row_actions),
            "now": timezone.now(),
            "full_path": self.request.get_full_path(),
        }

    def links(self) -> list[Link]:
        return list(self.head)

    @cached_property
    def bulk_shown(self) -> list[Bulk]:
        return [b for b in acts_of(self) if self.actor.may(b.permission)]

    @property
    def may_export(self) -> bool:
        return self.exportable and (not self.export_permission or self.actor.may(self.export_permission))

    def column_head(self, column: Column) -> dict:
        field, order = column.sort_field, self.order
        state = "ascending" if order == field else "descending" if order == f"-{field}" else "" if field else None
        following = f"-{field}" if state == "ascending" else field
        return {"label": column.heading(self.model), "css": column.css, "sort": state, "next": following}

    @cached_property
    def cell_heads(self) -> list[str]:
        """What each cell begins with: the classes and the heading that a phone shows."""
        found = []
        for n, column in enumerate(self.shown_columns):
            css = f"{column.css} c-lead".strip() if n == 0 else column.css
            label = escape(column.heading(self.model))
            found.append(f'<td class="{css}" data-th="{label}">' if css else f'<td data-th="{label}">')
        return found

    @cached_property
    def select_words(self) -> str:
        return str(_("Select %(name)s"))

    def row(self, row: Any) -> dict:
        """What the table draws for one row; the cells as one string, since a template per cell costs most of a page."""
        cells = [(c.css, c.html(row, self.actor)) for c in self.shown_columns]
        drawn = "".join(
            f"{head}{conditional_escape(html)}</td>" for head, (_css, html) in zip(self.cell_heads, cells, strict=True)
        )
        return {
            "pk": row.pk,
            "cells": cells,
            "html": mark_safe(drawn),  # every part is escaped above
            "select": self.select_words % {"name": row},
            "actions": [shown for a in self.row_actions if (shown := a.shown(self.actor, row))],
            "css": self.row_css(row),
        }

    def row_css(self, row: Any) -> str:
        """Class of a row that stands out ("" for most)."""
        return ""

    # -- export
    def export(self) -> HttpResponse:
        """The rows of the current filter and columns as xlsx; over the limit as a background operation."""
        from .export import export_response

        if not self.may_export:
            raise Forbidden(self.export_permission)
        return export_response(self)

    def empty(self) -> dict:
        """Words for a list without rows: why, and what next."""
        if any(self.params.get(k) for k in self.params if k not in OWN_KEYS):
            return {"title": _("Nothing matches"), "text": _("Loosen a condition, or clear them all."), "clear": True}
        return {
            "title": str(self.empty_title) or _("Nothing here yet"),
            "text": str(self.empty_text) or _("Rows appear here once they are recorded."),
            "clear": False,
        }


def filter_form(form: Any) -> Any:
    """Filters look like inputs, and "no choice" says that all are shown."""
    for field in dress(form).fields.values():
        choices = getattr(field.widget, "choices", None)
        if choices is None or getattr(field.widget, "allow_multiple_selected", False):
            continue
        shown = list(choices)
        if shown and str(shown[0][0]) in ("", "unknown", "None"):
            field.widget.choices = [(shown[0][0], _("All")), *shown[1:]]
    return form
