"""Home of staff (工作台): work lists by permission, what cannot wait, small figures, ways in."""

from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel.actor import Audience
from sangyu.kernel.errors import Forbidden
from sangyu.ui.nav import Group, Nav
from sangyu.ui.pages import PlainPage

from . import work

NAV = [Nav(_("Home"), "home", "bureau:home", "", Group.TOP, 0, phone=True)]

#: Ways in: label, icon, url name, permission.
SHORTCUTS = [
    (_("Take a call"), "headset", "hotline:desk", "orders.request"),
    (_("New file"), "plus", "people:new", "people.register"),
    (_("Elders"), "users", "people:list", "people.view"),
    (_("Import a roster"), "dl", "people:import", "people.import"),
    (_("Orders"), "clip", "orders:list", "orders.view"),
    (_("Issue vouchers"), "tag", "vouchers:issue", "vouchers.issue"),
    (pgettext_lazy("bureau", "Settlement"), "doc", "settlement:list", "settlement.view"),
    (_("Organisations"), "building", "organisations:list", "organisations.view"),
    (_("User accounts"), "key", "accounts:list", "accounts.view"),
    (_("Sign-in log"), "shield", "accounts:log", "accounts.log"),
    (_("API tokens"), "key", "accounts:tokens", "accounts.tokens"),
    (_("Regions"), "pin", "regions:list", "regions.change"),
]


class Home(PlainPage):
    """One page for every staff role; each line shows by permission."""

    url, name, permission, title = "", "home", "", _("Home")
    template = "bureau/home.html"
    live = ("orders",)

    def check(self, request) -> None:
        if self.actor.audience is not Audience.STAFF:
            raise Forbidden("")

    def get_context(self) -> dict:
        now = timezone.now()
        return {
            "now": localtime(now),
            "greeting": greeting(localtime(now).hour),
            "figures": work.figures(self.actor, now),
            "groups": work.groups(self.actor, now),
            "pressing": work.pressing(self.actor, now),
            "shortcuts": self.shortcuts(),
        }

    def shortcuts(self) -> list[tuple[str, str, str]]:
        made = []
        for label, icon, name, permission in SHORTCUTS:
            if not self.actor.may(permission):
                continue
            try:
                made.append((label, icon, reverse(name)))
            except NoReverseMatch:
                continue
        return made[:8]


def greeting(hour: int):
    """Words for the time of day."""
    if hour < 11:
        return _("Good morning")
    return _("Good afternoon") if hour < 18 else _("Good evening")
