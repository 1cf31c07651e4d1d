"""The detail page: a summary, tabs with their own address that load one at a time, and the history of changes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.http import HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from sangyu.kernel.audit import changes_of
from sangyu.kernel.errors import Forbidden, NotVisible
from sangyu.ui import format as fmt

from .base import Link, ObjectMixin, Page
from .columns import Column

HISTORY_LIMIT = 200


@dataclass(frozen=True)
class Tab:
    """One tab. ``context(page)`` gives what ``template`` needs; it runs only when the tab is open.

    ``count(object)`` shows a number beside the word; ``permission`` hides the tab from others (403 by address).
    """

    key: str
    label: str
    template: str
    context: Callable[[Any], dict] | None = None
    permission: str = ""
    count: Callable[[Any], int | None] | None = None


class DetailPage(ObjectMixin, Page):
    """One row. ``summary`` is a list of columns or of (heading, columns); ``tabs`` follow it; ``history`` adds the last tab.

    The first tab is the page's own address; the others are ``<url><key>/``, named ``<name>-<key>``.
    """

    summary: ClassVar[list] = []
    #: Facts shown in the head beside the name (columns), those that there are.
    facts: ClassVar[list[Column]] = []
    tabs: ClassVar[list[Tab]] = []
    history: ClassVar[bool] = True
    actions: ClassVar[list[Link]] = []
    template: ClassVar[str] = "ui/detail/page.html"

    @classmethod
    def as_paths(cls) -> list[URLPattern]:
        made = [cls.as_path()]
        keys = [t.key for t in cls.tabs] + (["history"] if cls.history else [])
        return made + [path(f"{cls.url}{k}/", cls.as_view(tab=k), name=f"{cls.name}-{k}") for k in keys]

    def get(self, request, *args, **kwargs) -> HttpResponse:
        self.object = self.get_object()
        tab = self.open_tab()
        context = self.context(tab=tab, tabs=self.tab_links(tab), **self.tab_context(tab))
        if self.partial and request.htmx.target == "tab":
            return self.render("ui/detail/tab.html", context)
        return self.render(self.template, {**context, **self.get_context()})

    def get_title(self) -> str:
        return str(self.title or self.object)

    def get_context(self) -> dict:
        """More context for the page (not for tabs loaded alone)."""
        there = [c for c in self.facts if c.text(self.object) != fmt.DASH]
        return {"facts": [(c.heading(self.model), c.html(self.object, self.actor)) for c in there]}

    def links(self) -> list[Link]:
        return list(self.actions)

    # -- tabs
    def all_tabs(self) -> list[Tab]:
        """The summary, the page's tabs, the history."""
        made = [Tab("", _("Overview"), "ui/detail/summary.html")] if self.summary else []
        made += self.tabs
        if self.history:
            made.append(Tab("history", _("Changes"), "ui/detail/history.html"))
        return made

    def open_tab(self) -> Tab:
        found = next((t for t in self.all_tabs() if t.key == self.tab), None)
        if found is None and self.tab == "":
            found = self.all_tabs()[0]
        if found is None:
            raise NotVisible
        if found.permission and not self.actor.may(found.permission):
            raise Forbidden(found.permission)
        return found

    def tab_links(self, current: Tab) -> list[dict]:
        namespace = self.request.resolver_match.namespace
        prefix = f"{namespace}:" if namespace else ""
        made = []
        for index, tab in enumerate(self.all_tabs()):
            if tab.permission and not self.actor.may(tab.permission):
                continue
            name = f"{prefix}{self.name}" + (f"-{tab.key}" if tab.key and index else "")
            made.append(
                {
                    "label": tab.label,
                    "url": reverse(name, args=list(self.kwargs.values())),
                    "current": tab is current or tab.key == current.key,
                    "count": tab.count(self.object) if tab.count else None,
                }
            )
        return made

    def tab_context(self, tab: Tab) -> dict:
        if tab.template == "ui/detail/summary.html":
            return {"sections": self.sections()}
        if tab.template == "ui/detail/history.html":
            return {"changes": history_of(self.object, *self.history_of())}
        return tab.context(self) if tab.context else {}

    def history_of(self) -> tuple:
        """Rows besides the object whose changes belong to its history (a home, a fact)."""
        return ()

    def sections(self) -> list[dict]:
        """The summary as [{heading, items: [(label, html)]}]; a column whose permission the actor lacks is left out."""
        made: list[dict] = []
        for entry in self.summary:
            heading, columns = entry if isinstance(entry, tuple) else ("", [entry])
            if isinstance(entry, tuple) or not made:
                made.append({"heading": heading, "items": []})
            for c in columns:
                if not c.permission or self.actor.may(c.permission):
                    made[-1]["items"].append((c.heading(self.model), c.html(self.object, self.actor)))
        return made


def history_of(*objects: Any) -> list[dict]:
    """Changes newest first: when, who, why, and field by field what was and what is now."""
    models = {m._meta.db_table: m for m in apps.get_models()}
    made = []
    for change in changes_of(*objects)[:HISTORY_LIMIT]:
        model = models.get(change.table_name)
        made.append(
            {
                "at": change.at,
                "actor": change.actor,
                "reason": change.reason,
                "source": change.source,
                "what": {
                    "I": pgettext("history", "Created"),
                    "U": pgettext("history", "Changed"),
                    "D": pgettext("history", "Deleted"),
                }.get(change.op, change.op),
                "kind": capfirst(str(model._meta.verbose_name)) if model else change.table_name,
                "tone": {"I": "ok", "U": "acc", "D": "bad"}.get(change.op, ""),
                "fields": [
                    (_label(model, f), _shown(model, f, v[0]), _shown(model, f, v[1])) for f, v in change.fields.items()
                ],
            }
        )
    return made


def _field(model: Any, column: str) -> Any:
    if model is None:
        return None
    by_column = {f.column: f for f in model._meta.concrete_fields}
    try:
        return by_column.get(column) or model._meta.get_field(column)
    except FieldDoesNotExist:
        return None


def _label(model: Any, column: str) -> str:
    field = _field(model, column)
    return capfirst(str(field.verbose_name)) if field is not None else column


def _shown(model: Any, column: str, value: Any) -> str:
    field = _field(model, column)
    if hasattr(field, "shown_in_history"):
        return fmt.or_dash(field.shown_in_history(value))
    if value is not None and field is not None and field.choices:
        return str(dict(field.flatchoices).get(field.to_python(value), value))
    return fmt.plain(value)
