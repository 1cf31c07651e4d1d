"""Acts on many rows and exports on screen: the result of each row, taking back, the log of exports."""

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from .models import BulkRow, BulkRun, Export
from .nav import Group, Nav
from .pages import ActionPage, Link, ListPage, Moment, Number, Status, Text, bulk

NAV = [Nav(_("Exports"), "dl", "ui:exports", "ui.exports", Group.ADMIN, 80)]
TONES = {"waiting": "mute", "done": "ok", "refused": "bad"}


class BulkRuns(ListPage):
    """What the account has done to many rows at once, to look it up and take it back."""

    url, name, permission, title = "acts/", "bulk-runs", "", _("Acts on many rows")
    model, sort, unit, exportable = BulkRun, "-pk", _("acts"), False
    parent = ("ui:operations", _("Background work"))
    columns = [
        Text("label", pgettext_lazy("ui", "Act"), link="ui:bulk"),
        Text("title", pgettext_lazy("ui", "List")),
        Number("count", pgettext_lazy("ui", "Rows")),
        Moment("at", pgettext_lazy("ui", "When")),
        Moment("finished_at", pgettext_lazy("ui", "Ended")),
    ]
    empty_text = _("Select rows in a list and choose an act: it is kept here with the result of each row.")

    def get_queryset(self):
        return BulkRun.objects.filter(account_id=self.actor.account_id)


class BulkResult(ListPage):
    """The result of each row of one act; reloads itself while it runs."""

    url, name, permission = "acts/<int:run>/", "bulk", ""
    model, sort, filters, unit = BulkRow, "pk", ["state"], _("rows")
    template = "ui/list/bulk_result.html"
    parent = ("ui:bulk-runs", _("Acts on many rows"))
    columns = [
        Text("name", pgettext_lazy("ui", "Row")),
        Status("state", pgettext_lazy("ui", "State"), tones=TONES),
        Text("message", pgettext_lazy("ui", "Why not")),
    ]
    presets = [(_("Refused"), "state=refused"), (pgettext_lazy("ui", "Done"), "state=done")]

    @cached_property
    def run(self) -> BulkRun:
        rows = BulkRun.objects.visible_to(self.actor).filter(account_id=self.actor.account_id)
        return get_object_or_404(rows.select_related("undoes"), pk=self.kwargs["run"])

    @property
    def refresh(self) -> int:
        return 2 if self.run.finished_at is None else 0

    def get_title(self) -> str:
        return f"{self.run.title} · {self.run.label}"

    def get_queryset(self):
        return BulkRow.objects.filter(run=self.run)

    def table_context(self, *args) -> dict:
        counts = dict(BulkRow.objects.filter(run=self.run).order_by().values_list("state").annotate(n=Count("pk")))
        return super().table_context(*args) | {
            "done": counts.get("done", 0),
            "refused": counts.get("refused", 0),
            "waiting": counts.get("waiting", 0),
            "operation": reverse("ui:operation", args=[self.run.operation_id]) if self.run.operation_id else "",
        }

    def links(self) -> list[Link]:
        page = bulk.page_again(self.run.page, self.actor, kwargs=self.run.kwargs)
        if not bulk.may_undo(self.run, bulk.act_of(self.run, page)):
            return []
        return [Link(_("Undo"), "ui:bulk-undo", "undo", method="dialog", args=lambda _row: [self.run.pk])]


class UndoBulk(ActionPage):
    """Take an act back, row by row; the answer is a new act with a result for each."""

    url, name, permission, title = "acts/<int:pk>/undo/", "bulk-undo", "", _("Undo")
    model, submit_label = BulkRun, _("Undo")
    parent = ("ui:bulk-runs", _("Acts on many rows"))

    def get_queryset(self):
        return BulkRun.objects.filter(account_id=self.actor.account_id)

    def get_object(self, *, lock: bool = False):
        return super().get_object()  # the mechanism locks it

    def confirm_text(self) -> str:
        return gettext("Take back “%(act)s” on %(n)d rows? What has been changed since stays as it is.") % {
            "act": self.object.label,
            "n": self.object.count,
        }

    def act(self, form) -> HttpResponse:
        run = bulk.undo(self.actor, self.object.pk)
        refused = run.operation_id or BulkRow.objects.filter(run=run, state=BulkRow.State.REFUSED).exists()
        address = reverse("ui:bulk", args=[run.pk])
        if self.request.POST.get("toast") and not refused:
            return self.toast(gettext("Undone"))
        return self.redirect(address, gettext("Undone") if not refused else "")


class ExportLog(ListPage):
    """Every file that left a list, for the audit administrator: who, when, which rows and columns."""

    url, name, permission, title = "exports/", "exports", "ui.exports", _("Exports")
    model, sort, unit = Export, "-at", _("exports")
    filters = ["role"]
    search, search_label = ("number", "actor"), _("Number or name")
    columns = [
        Text("number", _("Number")),
        Moment("at", pgettext_lazy("ui", "When"), sort=True),
        Text("actor", pgettext_lazy("ui", "Who")),
        Text("role", pgettext_lazy("ui", "Role"), hidden=True),
        Text("title", pgettext_lazy("ui", "List")),
        Number("rows", pgettext_lazy("ui", "Rows"), sort=True),
        Number("left_out", pgettext_lazy("ui", "Left out")),
        Text("columns", pgettext_lazy("ui", "Columns")),
        Text("query", pgettext_lazy("ui", "Conditions")),
    ]
    empty_text = _("Each file that somebody exports from a list is noted here.")
