"""One page: answers due, late visits, the day, papers that expire. All acts are the order's own dialogs."""

from datetime import datetime, time, timedelta

from django.db.models import Prefetch
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.care.orders import selectors as orders
from sangyu.care.orders.enums import State
from sangyu.kernel.actor import Audience
from sangyu.kernel.errors import Forbidden
from sangyu.registry.organisations import selectors as organisations
from sangyu.registry.workforce import selectors as workforce
from sangyu.ui.context import url_or_blank
from sangyu.ui.nav import Group, Nav
from sangyu.ui.pages import Link, PlainPage

#: Papers that end within this time are shown; a renewal takes weeks.
PAPER_DAYS = 60
#: A visit that has not begun this long after its time is late; the region's own limit only sets the alarm.
LATE = timedelta(minutes=15)
MOST = 50
#: Fees of visits that did not take place are shown this long: they are collected with the next visit.
FEE_TIME = timedelta(days=62)
CONFIRMABLE = (State.CONFIRMED, State.SETTLED)


def _offers(actor):
    return orders.orders_visible(actor).filter(state=State.OFFERED)


NAV = [
    Nav(
        gettext_lazy("Today's work"),
        "home",
        "provider:home",
        "orders.view",
        Group.TOP,
        10,
        badge=_offers,
        audiences=("provider",),
        phone=True,
    ),
    Nav(
        gettext_lazy("Our organisation"),
        "building",
        "provider:own",
        "organisations.view",
        Group.REGISTERS,
        40,
        audiences=("provider",),
    ),
    Nav(
        gettext_lazy("Our prices"),
        "tag",
        "provider:prices",
        "organisations.own",
        Group.REGISTERS,
        50,
        audiences=("provider",),
    ),
    Nav(
        gettext_lazy("Our grants"),
        "clip",
        "applications:list",
        "applications.view",
        Group.MONEY,
        21,
        audiences=("provider",),
    ),
    Nav(
        gettext_lazy("Our objections"),
        "flag",
        "applications:objections",
        "applications.view",
        Group.MONEY,
        23,
        audiences=("provider",),
    ),
    Nav(
        gettext_lazy("Stopped payments"),
        "pause",
        "applications:holds",
        "applications.view",
        Group.MONEY,
        24,
        audiences=("provider",),
    ),
    Nav(
        gettext_lazy("Our accounts"),
        "wallet",
        "applications:payees",
        "applications.payees",
        Group.MONEY,
        22,
        audiences=("provider",),
    ),
    Nav(
        gettext_lazy("Contracts"),
        "doc",
        "organisations:contracts",
        "organisations.contracts",
        Group.MONEY,
        20,
        audiences=("provider",),
    ),
]
ACCEPT = Link(gettext_lazy("Accept"), "orders:accept", "check", "orders.answer", "pri", method="dialog")
DECLINE = Link(gettext_lazy("Decline"), "orders:decline", "", "orders.answer", method="dialog")
SUBSTITUTE = Link(gettext_lazy("Substitute"), "orders:substitute", "swap", "orders.answer", method="dialog")
HAND_BACK = Link(gettext_lazy("Hand back"), "orders:hand_back", "undo", "orders.answer", method="dialog")


class Own(PlainPage):
    """The provider's own record: licences, capability, contracts, contacts are its tabs."""

    url, name, permission, title = "own/", "own", "organisations.view", gettext_lazy("Our organisation")
    target = "organisations:detail"

    def check(self, request) -> None:
        super().check(request)
        if self.actor.audience is not Audience.PROVIDER:
            raise Forbidden(self.permission)

    def get(self, request, *args, **kwargs):
        return self.redirect(reverse(self.target, args=[self.actor.subject_id]))


class OwnPrices(Own):
    """The price list of the own record."""

    url, name, permission, title = "prices/", "prices", "organisations.own", gettext_lazy("Our prices")
    target = "organisations:detail-prices"


class Home(PlainPage):
    """The provider's day."""

    url, name, permission, title = "", "home", "orders.view", gettext_lazy("Today's work")
    template = "provider/home.html"
    live = ("orders",)

    def check(self, request) -> None:
        super().check(request)
        if self.actor.audience is not Audience.PROVIDER:
            raise Forbidden("orders.view")

    def get_title(self) -> str:
        names = organisations.names([self.actor.subject_id])
        return names.get(self.actor.subject_id, str(self.title))

    def links(self) -> list[Link]:
        return [
            Link(_("All orders"), "orders:list", "clip", "orders.view"),
            Link(_("Workers"), "workforce:list", "users", "workforce.view"),
        ]

    def get_context(self) -> dict:
        now = timezone.now()
        day = timezone.localtime(now).date()
        begin = timezone.make_aware(datetime.combine(day, time()))
        end = begin + timedelta(days=1)
        rows = orders.orders_visible(self.actor).select_related("worker", "second_worker", "region")
        offered = list(
            rows.filter(state=State.OFFERED).prefetch_related(Prefetch("offers")).order_by("planned_start")[:MOST]
        )
        today = list(
            rows.filter(planned_start__gte=begin, planned_start__lt=end)
            .exclude(state__in=(State.OFFERED, State.CANCELLED))
            .order_by("planned_start", "pk")[:MOST]
        )
        late = list(
            rows.filter(state__in=(State.ACCEPTED, State.ON_THE_WAY), planned_start__lt=now - LATE).order_by(
                "planned_start"
            )[:MOST]
        )
        fees = list(
            rows.filter(state__in=(State.CANCELLED, State.NO_SHOW), fee__gt=0, closed_at__gte=now - FEE_TIME).order_by(
                "-closed_at"
            )[:MOST]
        )
        month = rows.filter(planned_start__gte=begin.replace(day=1), planned_start__lt=end, state__in=CONFIRMABLE)
        return {
            "offered": [self.offer(o, now) for o in offered],
            "today": [{"order": o, "crew": crew(o), "links": self.acts(o)} for o in today],
            "late": [{"order": o, "crew": crew(o), "minutes": minutes(now - o.planned_start)} for o in late],
            "open_today": sum(o.done_at is None for o in today if o.state != State.NO_SHOW),
            "confirmed": month.count(),
            "fees": fees,
            "fee_total": sum(o.fee for o in fees),
            "fee_days": FEE_TIME.days,
            "papers": papers(day),
            "paper_days": PAPER_DAYS,
            "statements": url_or_blank("settlement:list", "settlement:statements"),
        }

    def offer(self, order, now: datetime) -> dict:
        """A waiting offer with the time that is left to answer."""
        waiting = next((o for o in order.offers.all() if o.state == "open"), None)
        left = minutes(waiting.answer_by - now) if waiting else 0
        links = [shown for link in (ACCEPT, DECLINE) if (shown := link.shown(self.actor, order))]
        return {"order": order, "crew": crew(order), "left": left, "urgent": left <= 5, "links": links}

    def acts(self, order) -> list[dict]:
        """What can still be changed about a visit of today."""
        if order.state not in (State.ACCEPTED, State.ON_THE_WAY):
            return []
        return [shown for link in (SUBSTITUTE, HAND_BACK) if (shown := link.shown(self.actor, order))]


def crew(order) -> str:
    """Who goes: "孙丽华、于晓梅"; "" when nobody is named yet."""
    return "、".join(w.name for w in (order.worker, order.second_worker) if w is not None)


def minutes(span: timedelta) -> int:
    """Whole minutes, never negative."""
    return max(0, int(span.total_seconds()) // 60)


def papers(day) -> list[dict]:
    """Licences, contracts, certificates and clearances that end soon, the soonest first."""
    own, people = organisations.expiring(day, PAPER_DAYS), workforce.expiring(day, PAPER_DAYS)
    found = [
        (
            r.valid_to,
            r.get_kind_display(),
            r.organisation.name,
            reverse("organisations:detail", args=[r.organisation_id]),
        )
        for r in own["licences"]
    ]
    found += [
        (
            r.valid_to,
            _("Contract %(number)s") % {"number": r.number},
            r.title,
            reverse("organisations:contract", args=[r.pk]),
        )
        for r in own["contracts"]
    ]
    found += [
        (r.valid_to, r.get_skill_display(), r.worker.name, reverse("workforce:detail", args=[r.worker_id]))
        for r in people["certificates"]
    ]
    found += [
        (r.valid_to, r.get_kind_display(), r.worker.name, reverse("workforce:detail", args=[r.worker_id]))
        for r in people["clearances"]
    ]
    return [
        {"day": ends, "what": what, "who": who, "url": url, "left": (ends - day).days}
        for ends, what, who, url in sorted(found)
    ]
