"""The search of the top bar: people first, then orders, as a page and as a list under the box."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from sangyu.care.orders import selectors as orders
from sangyu.kernel.actor import Audience
from sangyu.kernel.errors import Forbidden
from sangyu.registry.people import selectors as people
from sangyu.ui.pages import PlainPage

FEW, MANY = 6, 30


class SearchPage(PlainPage):
    """``?q=``: name, pinyin, initials, whole number or last four, address; number of an order (R-014)."""

    url, name, permission, title = "search/", "search", "", _("Search")
    template, fragment = "casefile/search.html", "casefile/parts/found.html"

    def check(self, request) -> None:
        if not (self.actor.may("people.view") or self.actor.may("orders.view")):
            raise Forbidden("people.view")

    def get_context(self) -> dict:
        text = self.request.GET.get("q", "").strip()
        most = FEW if self.partial else MANY
        return {
            "text": text,
            "people": self.people(text, most) if text else [],
            "orders": self.orders(text, most) if text else [],
            "few": self.partial,
            "more": f"{reverse('casefile:search')}?q={text}",
        }

    def people(self, text: str, most: int) -> list:
        staff = self.actor.audience is Audience.STAFF
        if staff and not self.actor.may("people.view"):
            return []
        ids = people.find_ids(self.actor, text, most=most)
        cards = people.person_cards(self.actor, ids)
        return [cards[i] for i in ids if i in cards]

    def orders(self, text: str, most: int) -> list:
        """Orders whose number begins with ``text`` (four characters at least)."""
        if len(text) < 4 or not self.actor.may("orders.view"):
            return []
        rows = orders.orders_visible(self.actor).select_related("region")
        return list(rows.filter(number__startswith=text.upper())[:most])
