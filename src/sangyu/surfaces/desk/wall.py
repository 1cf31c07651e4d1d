"""The wallboard of a duty room: big type, no names, renewed by itself. Read only."""

from datetime import timedelta
from typing import ClassVar

from django.db.models import Count, Q
from django.db.models.functions import TruncHour
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from sangyu.care.emergencies import selectors
from sangyu.kernel.actor import Audience
from sangyu.kernel.errors import Forbidden
from sangyu.registry.regions import selectors as regions
from sangyu.ui.nav import Group, Nav

from . import shown, watch
from .pages import QUIET, DeskPage

NAV = [Nav(_("Wallboard"), "chart", "desk:wall", ("emergencies.handle", "emergencies.review"), Group.INTAKE, 7)]
ROWS = 7
HOURS = 24


class Wall(DeskPage):
    """What waits and who moves, for a screen on the wall: kind, area, sex and age, clock, state. Never a name or an address."""

    url, name, title = "wall/", "wall", _("Emergencies")
    permission = "emergencies.view"
    base, template, fragment = "ui/base_wall.html", "desk/wall.html", "desk/parts/wall.html"
    live: ClassVar = ("emergencies",)

    def check(self, request) -> None:
        if self.actor.audience is not Audience.STAFF:
            raise Forbidden(self.permission)
        super().check(request)

    def get_context(self) -> dict:
        now = self.now
        lines = shown.queue(self.actor, now)
        return {
            "lines": lines[:ROWS],
            "more": max(len(lines) - ROWS, 0),
            "waiting": sum(one.waits for one in lines),
            "underway": sum(one.row.state == "on_the_way" for one in lines),
            "lives": len(lines),
            "longest": min((one for one in lines if one.waits), key=lambda one: one.since, default=None),
            "today": watch.numbers(self.actor, now),
            "hours": hours(self.actor, now),
            "areas": areas(self.actor, now),
            "server_now": shown.ms(now),
            "local": localtime(now),
            "region": self.actor.region_name,
            "live_quiet": QUIET,
        }


def hours(actor, now) -> list[dict]:
    """Cases of the last day by the hour, as bars of a chart 0 … 100 high."""
    first = localtime(now).replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    rows = selectors.incidents_visible(actor).filter(opened_at__gte=first, drill=False)
    found = {
        localtime(at): (count, life)
        for at, count, life in rows.annotate(hour=TruncHour("opened_at"))
        .values_list("hour")
        .annotate(n=Count("id"), life=Count("id", filter=Q(level=1)))
        .order_by("hour")
    }
    most = max((count for count, _life in found.values()), default=0) or 1
    made = []
    for n in range(HOURS):
        at = first + timedelta(hours=n)
        count, life = found.get(at, (0, 0))
        high, grave = round(150 * count / most), round(150 * life / most)
        made.append({"x": n * 20, "mid": n * 20 + 7, "words": f"{at:%H}", "n": count, "life": life,
                     "y": 180 - high, "top": 174 - high, "high": high - grave, "grave_y": 180 - grave, "grave": grave,
                     "label": n % 3 == HOURS % 3})  # fmt: skip
    return made


def areas(actor, now) -> list[dict]:
    """Counties (or the next level below) with the cases of today and those still open."""
    begin = localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = (
        selectors.incidents_visible(actor)
        .filter(drill=False)
        .filter(Q(opened_at__gte=begin) | Q(closed_at__isnull=True))
    )
    step = len(actor.path) + 3
    found: dict[str, list[int]] = {}
    for path, closed in rows.values_list("path", "closed_at"):
        counts = found.setdefault(path[:step], [0, 0])
        counts[0] += 1
        counts[1] += closed is None
    names, own = regions.names_of(list(found)), regions.at_path(actor.path)
    above = own.full_name if own else ""
    most = max((c[0] for c in found.values()), default=0) or 1
    made = [
        {"name": names.get(path, "—").removeprefix(above) or above, "n": n, "open": left, "wide": round(240 * n / most)}
        for path, (n, left) in found.items()
    ]
    return sorted(made, key=lambda a: (-a["open"], -a["n"], a["name"]))[:8]
