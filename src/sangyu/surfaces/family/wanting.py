"""Ask for a service: what kind, which one, which day, what time, then the price and one button. One question a page."""

from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid4

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.care.orders import services
from sangyu.care.orders.enums import Channel
from sangyu.kernel.errors import Invalid, Refused
from sangyu.registry.catalogue import selectors as catalogue
from sangyu.registry.catalogue.enums import Category

from .pages import ElderPage
from .words import day_words, hour_words

#: Icons of the categories' tiles.
ICONS = {
    Category.MEALS: "heart",
    Category.BATHING: "hand",
    Category.CLEANING: "home",
    Category.MEDICAL_ESCORT: "users",
    Category.MEDICAL: "plus",
    Category.MOBILITY: "nav",
    Category.REHABILITATION: "refresh",
    Category.COMFORT: "user",
}
#: Hours that are offered; the last visit begins at 17:00.
HOURS = (8, 9, 10, 11, 13, 14, 15, 16, 17)
DAYS = 8
#: Nobody can be sent sooner than this.
NOTICE = timedelta(hours=2)
SEXES = ("1", "2")


class Want(ElderPage):
    """The address holds the answers so far: ``?kind=``, ``?item=``, ``&day=``, ``&hour=``; back undoes one."""

    url, name, permission, title = "<int:elder>/want/", "want", "orders.request", gettext_lazy("Ask for a service")
    template = "family/want.html"

    # -- answers so far
    def answers(self) -> dict:
        given = self.request.POST if self.request.method == "POST" else self.request.GET
        found = {"item": None, "kind": given.get("kind", ""), "day": None, "hour": None}
        today = timezone.localdate()
        if code := given.get("item", "")[:40]:
            found["item"] = catalogue.get_item(code, self.card.path, today)
        try:
            day = parse_date(given.get("day", ""))
        except ValueError:
            day = None
        if day is not None and today <= day < today + timedelta(days=DAYS):
            found["day"] = day
        hour = given.get("hour", "")
        if found["day"] and hour.isdigit() and int(hour) in HOURS:
            found["hour"] = int(hour)
        return found

    def items(self) -> list:
        return [i for i in catalogue.items_for(self.card.path, timezone.localdate()) if i.at_home]

    def here(self, **values) -> str:
        return f"{self.url_of('want')}?{urlencode({k: v for k, v in values.items() if v is not None})}"

    def breadcrumbs(self) -> list[tuple[str, str]]:
        a = self.answers()
        item, day = a["item"], a["day"]
        if item and day and a["hour"]:
            return [(_("Back"), self.here(item=item.code, day=day))]
        if item and day:
            return [(_("Back"), self.here(item=item.code))]
        if item:
            return [(_("Back"), self.here(kind=item.category))]
        return [(_("Back"), self.url_of("want"))] if a["kind"] else super().breadcrumbs()

    def get_context(self) -> dict:
        a = self.answers()
        item, day, hour = a["item"], a["day"], a["hour"]
        if item is None:
            return self._which(a["kind"])
        if day is None:
            days = [timezone.localdate() + timedelta(days=n) for n in range(DAYS)]
            return {
                "question": _("Which day?"),
                "chosen": item.name,
                "choices": [
                    {"label": day_words(d), "url": self.here(item=item.code, day=d)} for d in days if open_hours(d)
                ],
            }
        if hour is None:
            return {
                "question": _("What time?"),
                "chosen": f"{item.name}　{day_words(day)}",
                "choices": [
                    {"label": hour_words(start(day, h)), "url": self.here(item=item.code, day=day, hour=h)}
                    for h in open_hours(day)
                ],
                "narrow": True,
            }
        return self._confirm(item, day, hour)

    def _which(self, kind: str) -> dict:
        items = self.items()
        if kind in Category.values:
            of_kind = [i for i in items if i.category == kind]
            return {
                "question": _("Which service?"),
                "chosen": str(Category(kind).label),
                "choices": [
                    {"label": i.name, "note": i.description[:40], "url": self.here(item=i.code)} for i in of_kind
                ],
            }
        kinds = list(dict.fromkeys(i.category for i in items))
        return {
            "question": _("What do you need?"),
            "choices": [
                {
                    "label": str(Category(k).label),
                    "note": "、".join(i.name for i in items if i.category == k)[:18],
                    "icon": ICONS.get(k, "hand"),
                    "url": self.here(kind=k),
                }
                for k in kinds
            ],
        }

    def _confirm(self, item, day: date, hour: int) -> dict:
        begin = start(day, hour)
        found = {
            "question": _("Is this right?"),
            "item": item,
            "day": day,
            "hour": hour,
            "when": f"{day_words(day)}　{hour_words(begin)}",
            "key": self.request.POST.get("key") or str(uuid4()),
            "wishes": self.request.POST.get("wishes", ""),
            "sex": self.request.POST.get("sex", ""),
        }
        try:
            found["quote"] = services.price_preview(
                actor=self.actor, person_id=self.card.id, item_code=item.code, planned_start=begin
            )
        except (Refused, Invalid):
            found["quote"] = None
        return found

    def post(self, request, elder: int) -> HttpResponse:
        a = self.answers()
        try:
            if a["item"] is None or a["hour"] is None:
                raise Invalid({"item": [_("Choose the service, the day and the time again.")]})
            order = services.request(
                actor=self.actor,
                person_id=self.card.id,
                item_code=a["item"].code,
                planned_start=start(a["day"], a["hour"]),
                channel=Channel.WEB,
                requested_by=self.actor.name[:60],
                wishes=request.POST.get("wishes", "").strip()[:300],
                worker_sex=request.POST.get("sex", "") if request.POST.get("sex") in SEXES else "",
                key=f"family:{UUID(request.POST.get('key', ''))}",
            )
        except ValueError:
            return self.fail(Invalid({"key": [_("Choose the service, the day and the time again.")]}))
        except (Invalid, Refused) as error:
            return self.fail(error)
        return self.redirect(reverse("family:visit", args=[elder, order.pk]) + "?new=1")


def start(day: date, hour: int) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(hour)))


def open_hours(day: date) -> list[int]:
    """Hours of ``day`` that still leave time to send somebody."""
    soonest = timezone.now() + NOTICE
    return [h for h in HOURS if start(day, h) >= soonest]
