"""Screens: escalation ladders in words."""

from datetime import timedelta

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.errors import Refused
from sangyu.registry.regions import selectors as regions
from sangyu.ui.pages import (
    PlainPage,
)

from .. import ladders
from .cases import LIST


class Ladders(PlainPage):
    """What happens when, in words; the file that holds for the actor's area first."""

    url, name, permission, title = "ladders/", "ladders", "emergencies.view", _("Escalation ladders")
    template, parent = "emergencies/ladders.html", LIST

    def get_context(self) -> dict:
        here = regions.at_path(self.actor.path)
        if here is None:
            raise Refused(gettext("Your area has ended."), code="emergencies.area")
        book = ladders.book_for(here.code)
        acts = {
            "duty": _("the roster, one after another"), "desk": _("operators who are signed in"),
            "supervisor": _("superiors who are signed in"), "family": _("relatives, one after another"),
            "nearest": _("open facilities and workers on duty, nearest first"), "emergency": _("120 or 110 is due"),
        }  # fmt: skip
        unless = {
            "claimed": _("nobody has taken it"), "confirmed": _("the elder was not reached"), "under_way": _("nobody is on the way"),
            "arrived": _("nobody is there"), "closed": _("it is not closed"), "": "",
        }  # fmt: skip
        shown = [
            {"ladder": a, "rungs": [{"after": after(r.after), "act": acts[r.act], "unless": unless[r.unless], "words": r.words} for r in a.rungs]}
            for a in book.ladders
        ]  # fmt: skip
        return {
            "book": book,
            "ladders": shown,
            "answers": {k: after(v) for k, v in book.answer_within.items()},
            "nights": book.nights,
        }


def after(span: timedelta) -> str:
    """A clock in words."""
    n = int(span.total_seconds())
    if n == 0:
        return gettext("at once")
    if n < 120:
        return gettext("after %(n)d s") % {"n": n}
    return gettext("after %(n)d min") % {"n": n // 60} if n < 7200 else gettext("after %(n)d h") % {"n": n // 3600}


PAGES = (Ladders,)
