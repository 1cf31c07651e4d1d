"""Home, emergency, vouchers, family: what an elder or a relative sees first."""

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from sangyu.care.orders import selectors as orders
from sangyu.care.orders.enums import State
from sangyu.care.signals import selectors as signals
from sangyu.care.vouchers import selectors as vouchers
from sangyu.care.vouchers.enums import State as VoucherState
from sangyu.kernel.actor import Audience
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.registry.devices import selectors as devices
from sangyu.registry.lifeevents import selectors as lifeevents
from sangyu.registry.people import selectors as people
from sangyu.registry.people.enums import Purpose
from sangyu.ui.pages import PlainPage

from .words import greeting, hour_words, today_lines

#: Sizes of type, smallest first: 18, 20, 26, 32 px; kept in a cookie.
SIZES, NORMAL = 4, 1
SIZE_COOKIE = "type"
#: An elder's people: more than this are found by telephone.
MOST_ELDERS = 20


def elders_of(actor) -> list:
    """Cards of the living persons shared with the account, by name."""
    ids = people.elders(actor, timezone.localdate(), age=0).values_list("pk", flat=True)[:MOST_ELDERS]
    return sorted(people.person_cards(actor, list(ids)).values(), key=lambda c: (c.name, c.id))


class ElderPage(PlainPage):
    """Base: elder frame, only family accounts; ``self.card`` is the elder of ``<int:elder>`` in the address."""

    base = "family/base.html"
    permission = "orders.view"
    card = None
    #: What went wrong, in plain words; shown on top with the telephone number.
    problem = ""

    def check(self, request) -> None:
        super().check(request)
        if self.actor.audience is not Audience.FAMILY:
            raise Forbidden("orders.view")
        if "elder" in self.kwargs:
            self.card = people.person_card(self.actor, self.kwargs["elder"])

    def context(self, **extra) -> dict:
        size = self.request.COOKIES.get(SIZE_COOKIE, "")
        size = int(size) if size.isdigit() and int(size) < SIZES else NORMAL
        return super().context(
            card=self.card,
            own=self.own,
            problem=self.problem,
            type_size=size,
            smaller=max(0, size - 1),
            larger=min(SIZES - 1, size + 1),
            **extra,
        )

    @property
    def own(self) -> bool:
        """Whether the account is the elder's own."""
        return self.actor.role == "elder"

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(pgettext("elder", "Home"), reverse("family:elder", args=[self.card.id]))] if self.card else []

    def url_of(self, name: str, *args) -> str:
        return reverse(f"family:{name}", args=[self.card.id, *args])

    def fail(self, error: Invalid | Refused, template: str = "") -> HttpResponse:
        """The same page with what went wrong; nothing is kept."""
        if isinstance(error, Invalid):
            self.problem = " ".join(str(text) for texts in error.errors.values() for text in texts)
        else:
            self.problem = str(error.message)
        return self.render(template or self.template, self.context(**self.get_context()), status=error.status)


class Home(ElderPage):
    """Straight to the only elder; else whose pages."""

    url, name, title = "", "home", gettext_lazy("Whose pages?")
    template = "family/choose.html"

    def get(self, request, *args, **kwargs) -> HttpResponse:
        self.elders = elders_of(self.actor)
        if len(self.elders) == 1:
            return self.redirect(reverse("family:elder", args=[self.elders[0].id]))
        return super().get(request, *args, **kwargs)

    def get_context(self) -> dict:
        return {"elders": self.elders}


class ElderHome(ElderPage):
    """Six tiles at most."""

    url, name = "<int:elder>/", "elder"
    template = "family/home.html"

    def get_title(self) -> str:
        return greeting(self.card, timezone.now(), own=self.own)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return []

    def get_context(self) -> dict:
        from .visits import coming, who_comes

        now = timezone.now()
        today = coming(self.actor, self.card.id, timezone.localdate(), days=1)
        waiting = orders.orders_of_person(self.actor, self.card.id).filter(state=State.DONE).count()
        person = people.get_person(self.actor, self.card.id)
        return {
            "lines": today_lines(now),
            "today": [{"order": o, "when": hour_words(o.planned_start)} for o in today[:2]],
            "today_count": len(today),
            "who": who_comes(today),
            "waiting": waiting,
            "left": sum(v.available for v in live_vouchers(self.actor, self.card.id)),
            "contacts": [c.name for c in people.contacts(person)[:3]],
            "news": lifeevents.notices(self.actor).filter(read_at__isnull=True).count(),
            "several": not self.own and len(elders_of(self.actor)) > 1,
        }


def live_vouchers(actor, person_id: int) -> list:
    """Vouchers that may pay today, the first to expire first."""
    day = timezone.localdate()
    rows = vouchers.vouchers_of_person(actor, person_id).filter(state=VoucherState.ACTIVE, valid_to__gt=day)
    return [v for v in rows if v.valid_from <= day]


class Vouchers(ElderPage):
    """What is left on each voucher, and until when."""

    url, name, title = "<int:elder>/vouchers/", "vouchers", gettext_lazy("My vouchers")
    template = "family/vouchers.html"
    permission = "vouchers.view"

    def get_context(self) -> dict:
        found = live_vouchers(self.actor, self.card.id)
        return {"vouchers": found, "left": sum(v.available for v in found), "held": sum(v.held for v in found)}


class Family(ElderPage):
    """Who is called first, who may look in, and what consent holds. The elder lets relatives in and out; the rest is changed
    with the community."""

    url, name, title = "<int:elder>/family/", "family", gettext_lazy("Family")
    template = "family/family.html"

    def get_context(self) -> dict:
        person = people.get_person(self.actor, self.card.id)
        consents = list(
            person.consents.filter(withdrawn_on__isnull=True).select_related("contact").order_by("given_on")
        )
        seeing = {c.contact_id: c.parts_label for c in consents if c.purpose == Purpose.FAMILY_VIEW}
        return {
            "contacts": [
                {"contact": c, "sees": c.pk in seeing, "parts": seeing.get(c.pk, "")} for c in people.contacts(person)
            ],
            "consents": [c for c in consents if c.purpose != Purpose.FAMILY_VIEW],
        }


class Devices(ElderPage):
    """What the elder has from us, what it measured, where it is: as far as the elder agreed, and each look is logged (R-089, R-090)."""

    url, name, permission, title = "<int:elder>/devices/", "devices", "devices.view", gettext_lazy("Devices")
    template = "family/devices.html"

    def get_context(self) -> dict:
        rows = list(devices.of_person(self.actor, self.card.id).filter(returned_at__isnull=True)[:20])
        held = signals.agreed([self.card.id]).get(self.card.id, frozenset())
        asked = self.request.GET.get("show") == "1"
        made = {
            "rows": rows,
            "heard": signals.last_of(self.actor, [b.device_id for b in rows]),
            "held": held,
            "asked": asked,
        }
        if asked and held:
            made |= self._measured(held)
        return made

    def _measured(self, held) -> dict:
        now = timezone.now()
        latest = signals.latest_of(self.actor, self.card.id, now) if signals.HEALTH in held else []
        place = signals.place_of(self.actor, self.card.id) if signals.POSITION in held else None
        holds = signals.limit_lines(self.actor, self.card.id)
        limits = holds["limit_lines"] if signals.HEALTH in held else []
        fences = holds["fence_lines"] if signals.POSITION in held else []
        if not self.own:
            seen = (("signals", latest or limits), ("position", place or fences))
            if what := " ".join(w for w, shown in seen if shown):
                signals.log_look(self.actor, self.card.id, what, _("a relative's look"))
        return {"latest": latest, "place": place, "limits": limits, "fences": fences}


class TypeSize(PlainPage):
    """Keep the size of type in the browser; no script needed."""

    url, name, permission = "type/", "type", ""

    def get(self, request, *args, **kwargs) -> HttpResponse:
        raise NotVisible

    def post(self, request, *args, **kwargs) -> HttpResponse:
        size = request.POST.get("size", "")
        if not size.isdigit() or int(size) >= SIZES:
            raise Invalid({"size": [_("Unknown size.")]})
        response = HttpResponseRedirect(self.next_url(reverse("family:home")), status=303)
        response.set_cookie(SIZE_COOKIE, size, max_age=5 * 365 * 86400, samesite="Lax")
        return response
