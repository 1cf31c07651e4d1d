"""Background work on screen: what runs, how far it is, its result; files; the pass for live push."""

import re

from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.kernel import files, live, operations
from sangyu.kernel.models import Operation

from .pages import ActionPage, DetailPage, Link, ListPage, Moment, Number, Page, Status, Text

TONES = {"waiting": "mute", "running": "info", "done": "ok", "failed": "bad", "cancelled": "mute"}
WORDS = {
    "waiting": _("Waiting"),
    "running": _("Running"),
    "done": pgettext_lazy("ui", "Done"),
    "failed": _("Failed"),
    "cancelled": _("Cancelled"),
}
_TOPIC = re.compile(r"[a-z_]+(\.[a-z_]+)*")


class OperationList(ListPage):
    url, name, permission, title = "operations/", "operations", "", _("Background work")
    model, sort, unit, exportable, refresh = Operation, "-created_at", _("jobs"), False, 5
    filters = ["state"]
    columns = [
        Text("title", pgettext_lazy("ui", "Work"), link="ui:operation"),
        Status("state", pgettext_lazy("ui", "State"), tones=TONES, words=WORDS),
        Number("done", pgettext_lazy("ui", "Done")),
        Number("total", pgettext_lazy("ui", "In all")),
        Text("actor", pgettext_lazy("ui", "Started by")),
        Moment("created_at", pgettext_lazy("ui", "Started"), sort=True),
        Moment("finished_at", pgettext_lazy("ui", "Ended"), sort=True),
    ]
    head = [Link(_("Acts on many rows"), "ui:bulk-runs", "tasks")]
    empty_text = _("Exports, imports and settlement runs appear here while they run.")


class OperationDetail(DetailPage):
    """One job with its progress; the fragment asks again every two seconds until it has ended."""

    url, name, permission, history = "operations/<int:pk>/", "operation", "", False
    model, parent = Operation, ("ui:operations", _("Background work"))
    template = "ui/operation.html"
    summary = [Text("title")]

    def get(self, request, *args, **kwargs) -> HttpResponse:
        self.object = self.get_object()
        op = operations.as_dict(self.object, self.actor)
        context = self.context(op=op, tone=TONES[self.object.state], word=WORDS[self.object.state])
        return self.render("ui/operation_progress.html" if self.partial else self.template, context)


class CancelOperation(ActionPage):
    url, name, permission, title = "operations/<int:pk>/cancel/", "operation-cancel", "", _("Cancel the work")
    model, submit_label, parent = Operation, _("Cancel the work"), ("ui:operations", _("Background work"))
    confirm = _("What it has written so far is taken back.")
    leaves = True

    def get_object(self, *, lock: bool = False):
        return super().get_object()  # the service locks it

    def act(self, form) -> str:
        operations.cancel(self.actor, self.object.pk)
        return gettext("The work is being cancelled.")

    def success_url(self) -> str:
        return reverse("ui:operation", args=[self.object.pk])


class Download(Page):
    """A stored file; ``?inline`` shows a picture in the page. Seen by whoever sees the row it belongs to."""

    url, name, permission = "files/<int:pk>/", "file", ""

    def get(self, request, pk: int) -> HttpResponse:
        return files.download(request, pk)


class LivePass(Page):
    """The address of the live stream for ``?topics=orders,visits``, good for ten minutes."""

    url, name, permission = "live/", "live", ""

    def get(self, request) -> HttpResponse:
        topics = [t for t in request.GET.get("topics", "").split(",") if _TOPIC.fullmatch(t)][:20]
        ticket = live.ticket(self.actor, topics, session_key=request.session.session_key or "")
        return JsonResponse({"url": f"/live/events?ticket={ticket}"}, headers={"Cache-Control": "no-store"})
