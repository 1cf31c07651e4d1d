"""The console: queue on the left, the case in the middle, map, people and clocks on the right (ux.md §6A).

One page during a case. Every pane has an address of its own and every act is a form, so the desk works by scripts on one page and by
links without them. ``static/desk/desk.js`` brings clocks, sounds, keys and the loudness about a lost connection.
"""

from datetime import datetime
from typing import ClassVar

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sangyu.care.emergencies import selectors
from sangyu.care.emergencies.enums import Cause, Kind, Outcome, PartyKind, Verified
from sangyu.kernel.actor import Audience
from sangyu.kernel.errors import Forbidden, NotVisible
from sangyu.registry.catalogue import selectors as catalogue
from sangyu.registry.devices import selectors as devices
from sangyu.ui.nav import Group, Nav
from sangyu.ui.pages import PlainPage

from . import shown

NAV = [
    Nav(
        _("Emergencies"), "sos", "desk:desk", "emergencies.handle", Group.INTAKE, 5,
        badge=lambda actor: selectors.incidents_visible(actor).live().filter(claimed_by=None), phone=True,
    )
]  # fmt: skip
TOPICS = ("emergencies", "signals.alarm")
#: Seconds of silence after which the console calls its connection dead; the push process speaks every three.
QUIET = 9


class DeskPage(PlainPage):
    """A page for the staff of a desk."""

    permission = "emergencies.handle"

    def check(self, request) -> None:
        super().check(request)
        if self.actor.audience is not Audience.STAFF:
            raise Forbidden(self.permission)

    @property
    def now(self) -> datetime:
        return timezone.now()


def case_context(page: DeskPage, pk: int) -> dict:
    """One case for its panes. Raises NotVisible."""
    now = page.now
    card = selectors.card(page.actor, pk)
    live = card.incident.closed_at is None
    candidates = shown.candidates(page.actor, card) if live else []
    return {
        "card": card,
        "case": card.incident,
        "line": shown.line(card.row, now),
        "acts": card.acts,
        "place": shown.place_words(card.incident, now),
        "road": shown.road(card.incident),
        "ladder": shown.ladder(card, now),
        "parties": shown.parties(card),
        "candidates": [
            {
                "letter": letter, "one": one, "kind": PartyKind(one.kind).label, "distance": shown.distance(one.distance_m),
            }
            for letter, one in zip("ABCDEFGH", candidates, strict=False)
        ],
        "map": shown.map_of(card, candidates),
        "trail": list(reversed(selectors.trail(page.actor, pk))),
        "listens": live and page.actor.may("devices.listen_in") and devices.can_listen(card.incident.device),
        "handover": selectors.handover_text(page.actor, pk) if live else "",
        "knowing": shown.knowing(card),
        "verified": Verified.choices,
        "outcomes": [(n, *c) for n, c in enumerate((c for c in Outcome.choices if (c[0] == Outcome.DRILL) == card.incident.drill), 1)],
        "causes": Cause.choices,
        "follow_ups": follow_ups(card, now) if "close" in card.acts else [],
        "server_now": shown.ms(now),
    }  # fmt: skip


def opened(page: DeskPage, pk: int) -> dict:
    """The panes of a case that somebody opens: a look, which is written down; news of it and answers to acts are the same look."""
    context = case_context(page, pk)
    selectors.log_look(page.actor, context["case"])
    return context


def follow_ups(card, now: datetime) -> list[tuple[str, str]]:
    """Services at home that may follow the case (R-097), for the next morning."""
    if card.person is None or card.incident.drill or not card.person.at_home:
        return []
    items = catalogue.items_for(card.person.path, timezone.localdate(now))
    return [(item.code, item.name) for item in items if item.at_home]


def number(text: str) -> int:
    if not text.isdigit() or len(text) > 18:
        raise NotVisible
    return int(text)


class Console(DeskPage):
    """The whole desk; ``?case=`` opens one, ``?mine=1`` shows one's own only."""

    url, name, title = "", "desk", _("Emergencies")
    live: ClassVar = TOPICS
    template = "desk/console.html"

    def get_context(self) -> dict:
        mine = self.request.GET.get("mine") == "1"
        context = {
            "lines": shown.queue(self.actor, self.now, mine=mine),
            "announced": shown.announced(self.actor, self.now),
            "mine": mine,
            "server_now": shown.ms(self.now),
            "live_quiet": QUIET,
            "kinds": {str(value): str(label) for value, label in Kind.choices},
        }
        if case := self.request.GET.get("case"):
            context |= opened(self, number(case))
        return context


class QueuePane(DeskPage):
    """The queue alone, as often as something changes."""

    url, name, title = "queue/", "queue", _("Emergencies")
    template = "desk/parts/queue.html"

    def get(self, request, *args, **kwargs) -> HttpResponse:
        mine = request.GET.get("mine") == "1"
        lines = shown.queue(self.actor, self.now, mine=mine)
        announced = shown.announced(self.actor, self.now)
        context = self.context(lines=lines, mine=mine, announced=announced, server_now=shown.ms(self.now))
        answer = self.render(self.template, context)
        answer["Cache-Control"] = "no-store"
        return answer


class CasePane(DeskPage):
    """The panes of one case; without scripts the whole desk with it."""

    url, name, title = "<int:pk>/", "case", _("Emergencies")
    template = "desk/parts/case.html"

    def get(self, request, *args, **kwargs) -> HttpResponse:
        if not self.partial:
            return self.redirect(f"{reverse('desk:desk')}?case={kwargs['pk']}")
        return super().get(request, *args, **kwargs)

    def get_context(self) -> dict:
        return opened(self, self.kwargs["pk"])


class CaseNews(DeskPage):
    """What changes in an open case, as fragments that find their places; fields that are being filled in stay."""

    url, name, title = "<int:pk>/news/", "news", _("Emergencies")
    template = "desk/parts/news.html"

    def get_context(self) -> dict:
        return case_context(self, self.kwargs["pk"]) | {"oob": True}
