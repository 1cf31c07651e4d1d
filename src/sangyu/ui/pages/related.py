"""Rows hanging on the page's object (licences of an organisation, prices of a contract): their tab, and how one ends."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django.forms import BaseForm
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sangyu.ui.fields import EndDayForm, PaperForm

from .action import ActionPage
from .base import Link
from .columns import Column
from .detail import Tab
from .form import FormPage

#: Rows shown; a register that grows beyond it has a list page of its own.
LIMIT = 200


def rows_tab(
    key: str,
    label: str,
    columns: list[Column],
    rows: Callable[[Any], Iterable],
    *,
    head: Iterable[Link] = (),
    row_actions: Iterable[Link] = (),
    permission: str = "",
    empty_text: str = "",
    count: Callable[[Any], int | None] | None = None,
) -> Tab:
    """A ``Tab`` with the table of ``rows(page)``. ``head`` links get the page's object, ``row_actions`` the row."""

    def context(page: Any) -> dict:
        shown = [c for c in columns if not c.permission or page.actor.may(c.permission)]
        head_links = [made for link in head if (made := link.shown(page.actor, page.object))]
        found = [
            {
                "cells": [(c.css, c.heading(), c.html(row, page.actor)) for c in shown],
                "actions": [made for a in row_actions if (made := a.shown(page.actor, row))],
            }
            for row in list(rows(page))[:LIMIT]
        ]
        return {
            "label": label,
            "columns": [(c.css, c.heading()) for c in shown],
            "rows": found,
            "tab_links": head_links,
            "has_actions": any(r["actions"] for r in found),
            "empty_text": empty_text,
        }

    return Tab(key, label, "ui/detail/rows.html", context, permission, count)


def paper_word(row: Any) -> str:
    """ "View" for a row with a scanned paper (``file_id``); with ``paper_url`` a column."""
    return _("View") if row.file_id else ""


def paper_url(row: Any) -> str:
    return f"{reverse('ui:file', args=[row.file_id])}?inline" if row.file_id else ""


class PaperPage(FormPage):
    """Keep the scanned paper of a row: the service gets the row and ``file``."""

    form_class, success = PaperForm, _("Kept.")

    def get_title(self) -> str:
        return f"{self.title}：{self.object}"


def end_link(url: str, permission: str) -> Link:
    """Row action "End" for a dated row that still holds; ``url`` names its ``EndPage``."""
    return Link(
        _("End"),
        url,
        permission=permission,
        kind="text",
        method="dialog",
        when=lambda row: row.valid_to is None or row.valid_to > timezone.localdate(),
    )


class EndPage(ActionPage):
    """Let a dated row hold no more from a day on: the service gets the row and ``day``."""

    title, submit_label, success = _("End"), _("End"), _("Ended.")
    form_class: ClassVar[type[BaseForm]] = EndDayForm
    leaves = True

    def confirm_text(self) -> str:
        return str(self.object)
