"""The phone pages: the day, one visit, the record. Every step is a plain form; worker.js queues it when offline."""

from datetime import date, timedelta
from uuid import uuid4

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.encoding import iri_to_uri
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.care.screening import selectors as screening
from sangyu.kernel.actor import Audience
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.registry.workforce import selectors as workforce
from sangyu.registry.workforce import services as workforce_services
from sangyu.ui.offline import OfflineShell
from sangyu.ui.pages import PlainPage

from . import steps
from .tasks_of_day import record_of, task_of, tasks_of, with_numbers

WEEKDAYS = [
    gettext_lazy("Mon"),
    gettext_lazy("Tue"),
    gettext_lazy("Wed"),
    gettext_lazy("Thu"),
    gettext_lazy("Fri"),
    gettext_lazy("Sat"),
    gettext_lazy("Sun"),
]


def day_words(day: date) -> str:
    """ "10-17 Sat", with today and tomorrow in words."""
    away = (day - timezone.localdate()).days
    near = {0: _("Today"), 1: _("Tomorrow"), -1: _("Yesterday")}.get(away, "")
    return " ".join(filter(None, [near, f"{day:%m-%d}", str(WEEKDAYS[day.weekday()])]))


class WorkerPage(PlainPage):
    """Base: the phone frame; only workers, whatever permissions others hold."""

    base = "worker/base.html"
    permission = "orders.visit"

    def check(self, request) -> None:
        super().check(request)
        if self.actor.audience is not Audience.WORKER:
            raise Forbidden("orders.visit")


class Today(WorkerPage):
    """The visits of one day; the next one is open."""

    url, name, title = "", "today", gettext_lazy("Today's visits")
    template = "worker/today.html"

    def get_title(self) -> str:
        return day_words(self.day())

    def day(self) -> date:
        try:
            return parse_date(self.request.GET.get("day", "")) or timezone.localdate()
        except ValueError:
            return timezone.localdate()

    def get_context(self) -> dict:
        day = self.day()
        tasks = tasks_of(self.actor, day)
        current = next((t for t in tasks if not t.over), None)
        if current is not None:
            with_numbers(self.actor, current)
        over = [t for t in tasks if t.over]
        return {
            "day": day,
            "unread": unread_duties(self.actor),
            "screening": screening.mine(self.actor).count() if self.actor.may("screening.fill") else 0,
            "is_today": day == timezone.localdate(),
            "heading": _("%(all)s visits, %(done)s done") % {"all": len(tasks), "done": len(over)},
            "over": over,
            "current": current,
            "later": [t for t in tasks if not t.over and t is not current],
            "before": "?" + urlencode({"day": day - timedelta(days=1)}),
            "after": "?" + urlencode({"day": day + timedelta(days=1)}),
        }


class Duties(WorkerPage):
    """The duties of one's post that are not acknowledged yet: no visit without them (R-158)."""

    url, name, title, permission = "duties/", "duties", gettext_lazy("Duties of my post"), "workforce.acknowledge"
    template = "worker/duties.html"

    def get_context(self) -> dict:
        return {"unread": unread_duties(self.actor)}


class Acknowledge(WorkerPage):
    """“I have read and understood”: one version of the duties."""

    url, name, permission = "duties/<int:pk>/", "acknowledge", "workforce.acknowledge"

    def get(self, request, *args, **kwargs) -> HttpResponse:
        return self.redirect(reverse("worker:duties"))

    def post(self, request, pk: int) -> HttpResponse:
        workforce_services.acknowledge(actor=self.actor, duty_id=pk)
        left = unread_duties(self.actor)
        return self.redirect(reverse("worker:duties" if left else "worker:today"), _("Acknowledged."))


def unread_duties(actor) -> list:
    """Duties that the worker has still to acknowledge."""
    worker = workforce.get_worker(actor, actor.subject_id)
    return workforce.unread_duties(worker, timezone.localdate())


class Record(WorkerPage):
    """What the worker has done this month, and how it was rated."""

    url, name, title = "record/", "record", gettext_lazy("My record")
    template = "worker/record.html"

    def get_context(self) -> dict:
        try:
            month = parse_date(self.request.GET.get("month", "") + "-01") or timezone.localdate()
        except ValueError:
            month = timezone.localdate()
        month = month.replace(day=1)
        rows = record_of(self.actor, month)
        ratings = [o.rating for o in rows if o.rating]
        return {
            "month": month,
            "before": (month - timedelta(days=1)).strftime("%Y-%m"),
            "after": (month + timedelta(days=32)).strftime("%Y-%m"),
            "rows": rows,
            "hours": f"{sum(o.minutes or 0 for o in rows) / 60:.1f}",
            "rating": f"{sum(ratings) / len(ratings):.1f}" if ratings else "",
        }


class Visit(WorkerPage):
    """One visit: where, who, what to mind, and the one thing to do next."""

    url, name = "visits/<int:pk>/", "visit"
    template = "worker/visit.html"
    task = None
    problem = ""

    def get_title(self) -> str:
        return self.task.order.item_name

    def breadcrumbs(self) -> list[tuple[str, str]]:
        day = timezone.localtime(self.task.order.planned_start).date()
        return [(_("Visits"), reverse("worker:today") + "?" + urlencode({"day": day}))]

    def get(self, request, *args, **kwargs) -> HttpResponse:
        self.task = task_of(self.actor, kwargs["pk"])
        return super().get(request, *args, **kwargs)

    def get_context(self) -> dict:
        typed = self.request.POST
        return {
            "task": self.task,
            "order": self.task.order,
            "client_id": typed.get("client_id") or str(uuid4()),
            "note_id": str(uuid4()),
            "problem": self.problem,
            "typed": typed,
            "two": self.task.order.second_worker_id is not None,
            "offer": next((o for o in self.task.order.offers.all() if o.state == "open"), None),
        }


class Step(Visit):
    """A step of a visit. The queue of the phone gets a bare status; a browser gets the page."""

    url, name = "visits/<int:pk>/<slug:step>/", "step"

    def get(self, request, *args, **kwargs) -> HttpResponse:
        return self.redirect(reverse("worker:visit", args=[kwargs["pk"]]))

    def post(self, request, pk: int, step: str) -> HttpResponse:
        act = steps.ALL.get(step)
        if act is None:
            raise NotVisible
        self.task = task_of(self.actor, pk)
        try:
            words = act(self.actor, self.task, request)
        except (Invalid, Refused) as error:
            self.problem = _problem(error)
            if "X-Queue" in request.headers:
                return HttpResponse(status=error.status, headers={"X-Message": iri_to_uri(self.problem)})
            return self.render(self.template, self.context(**self.get_context()), status=error.status)
        if "X-Queue" in request.headers:
            return HttpResponse(status=204)
        home = reverse("worker:today")
        return self.redirect(home if step in steps.LEAVES else reverse("worker:visit", args=[pk]), words)


def _problem(error: Invalid | Refused) -> str:
    if isinstance(error, Invalid):
        return " ".join(str(text) for texts in error.errors.values() for text in texts)
    return str(error.message)


class Shell(OfflineShell):
    """The service worker: served from /worker/, so that it may answer for these pages alone."""

    url, name = "sw.js", "sw"
