"""Today's and coming services, one service with who comes, and what the family says about it afterwards."""

from datetime import date, datetime, time, timedelta

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy

from sangyu.care.orders import selectors as orders
from sangyu.care.orders import services
from sangyu.care.orders.enums import Action, EvidenceKind, State
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.scoping import as_system
from sangyu.registry.workforce import selectors as workforce

from .pages import ElderPage
from .words import STATES, day_words, hour_words

#: How far ahead the list looks, and how many past ones it shows.
AHEAD_DAYS, PAST = 30, 10
ENDED = (State.CANCELLED, State.NO_SHOW)


def coming(actor, person_id: int, day: date, *, days: int) -> list:
    """Services of one elder planned in ``days`` days from ``day`` on, by time, without the cancelled ones."""
    begin = timezone.make_aware(datetime.combine(day, time()))
    rows = orders.orders_of_person(actor, person_id).select_related("item", "organisation")
    rows = rows.filter(planned_start__gte=begin, planned_start__lt=begin + timedelta(days=days))
    return list(rows.exclude(state__in=ENDED).order_by("planned_start", "id"))


def who_comes(found: list) -> dict[int, str]:
    """Order id → names of the workers who have accepted."""
    settled = [o for o in found if o.accepted_at is not None]
    ids = {w for o in settled for w in (o.worker_id, o.second_worker_id) if w}
    with as_system("a family reads the names of those who come to its own elder, nothing else of their files"):
        names = workforce.names(ids)
    return {o.pk: "、".join(names[w] for w in (o.worker_id, o.second_worker_id) if w in names) for o in settled}


def line(order, who: dict[int, str]) -> dict:
    """One service as the list shows it."""
    day = timezone.localtime(order.planned_start).date()
    return {
        "order": order,
        "when": f"{day_words(day)}　{hour_words(order.planned_start)}",
        "who": who.get(order.pk, ""),
        "state": STATES[State(order.state)],
        "tone": order.state_tone,
    }


class Visits(ElderPage):
    """What waits for an answer, today, the next weeks, the last ones."""

    url, name, title = "<int:elder>/visits/", "visits", pgettext_lazy("elder", "Services")
    template = "family/visits.html"

    def get_context(self) -> dict:
        rows = orders.orders_of_person(self.actor, self.card.id).select_related("item", "organisation")
        waiting = list(rows.filter(state=State.DONE).order_by("planned_start"))
        ahead = [
            o
            for o in coming(self.actor, self.card.id, timezone.localdate(), days=AHEAD_DAYS)
            if o.state != State.DONE and not o.confirmed_at
        ]
        seen = {o.pk for o in waiting + ahead}
        past = [o for o in rows[: PAST + len(seen)] if o.pk not in seen][:PAST]
        who = who_comes(waiting + ahead + past)
        return {
            "waiting": [line(o, who) for o in waiting],
            "ahead": [line(o, who) for o in ahead],
            "past": [line(o, who) for o in past],
        }


class Visit(ElderPage):
    """One service: when, who, what it costs; confirm and rate, object, cancel."""

    url, name = "<int:elder>/visits/<int:pk>/", "visit"
    template = "family/visit.html"
    order = None

    def get_title(self) -> str:
        return self.order.item_name

    def breadcrumbs(self) -> list[tuple[str, str]]:
        if "new" in self.request.GET:
            return super().breadcrumbs()
        return [(pgettext("elder", "Services"), self.url_of("visits"))]

    def find(self, pk: int):
        order = orders.get_order(self.actor, pk)
        if order.person_id != self.card.id:
            raise NotVisible
        return order

    def get(self, request, *args, **kwargs) -> HttpResponse:
        self.order = self.find(kwargs["pk"])
        return super().get(request, *args, **kwargs)

    def get_context(self) -> dict:
        order = self.order
        possible = orders.actions_from(order)
        return {
            "line": line(order, who_comes([order])),
            "order": order,
            "new": "new" in self.request.GET,
            "may_confirm": Action.CONFIRM in possible and self.actor.may("orders.confirm"),
            "may_dispute": Action.DISPUTE in possible and self.actor.may("orders.dispute"),
            "may_cancel": Action.CANCEL in possible
            and order.state != State.DISPUTED
            and self.actor.may("orders.cancel"),
            "stars": [
                (5, pgettext("rating", "Very good")),
                (4, pgettext("rating", "Good")),
                (3, pgettext("rating", "All right")),
                (2, pgettext("rating", "Not good")),
                (1, pgettext("rating", "Bad")),
            ],
            "items": [e.text for e in order.evidence.all() if e.kind == EvidenceKind.ITEM],
            "photos": [e.file_id for e in order.evidence.all() if e.kind == EvidenceKind.PHOTO and e.file_id],
            "priced": order.state != State.REQUESTED and order.state not in ENDED,
            "ask": self.request.GET.get("ask", ""),
            "typed": self.request.POST,
        }


class Act(Visit):
    """Confirm, object or cancel; errors come back on the same page in plain words."""

    url, name = "<int:elder>/visits/<int:pk>/<slug:act>/", "act"

    def get(self, request, *args, **kwargs) -> HttpResponse:
        return self.redirect(self.url_of("visit", kwargs["pk"]))

    def post(self, request, elder: int, pk: int, act: str) -> HttpResponse:
        self.order = self.find(pk)
        do = {"confirm": self.confirm, "object": self.dispute, "cancel": self.cancel}.get(act)
        if do is None:
            raise NotVisible
        try:
            words = do()
        except (Invalid, Refused) as error:
            self.order = self.find(pk)
            return self.fail(error)
        return self.redirect(reverse("family:visit", args=[elder, pk]), words)

    def confirm(self) -> str:
        rating = self.request.POST.get("rating", "")
        if not rating.isdigit():
            raise Invalid({"rating": [_("Press one of the rows with stars first.")]})
        comment = self.request.POST.get("comment", "").strip()
        services.confirm(actor=self.actor, order_id=self.order.pk, rating=int(rating), comment=comment)
        return _("Thank you. It is confirmed.")

    def dispute(self) -> str:
        reason = self.request.POST.get("reason", "").strip()
        services.dispute(actor=self.actor, order_id=self.order.pk, reason=reason)
        return _("We look into it and call you.")

    def cancel(self) -> str:
        reason = self.request.POST.get("reason", "").strip() or _("No longer needed")
        services.cancel(actor=self.actor, order_id=self.order.pk, reason=reason)
        return pgettext("elder", "Cancelled.")
