"""The supervisor's view: who holds what, what is overdue, and giving a case back to the queue."""

from dataclasses import dataclass
from datetime import timedelta

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _gettext
from django.utils.translation import gettext_lazy as _

from sangyu.care.emergencies import selectors, services
from sangyu.kernel.errors import Invalid
from sangyu.ui.nav import Group, Nav

from . import shown
from .pages import QUIET, DeskPage

NAV = [Nav(_("Desk supervision"), "eye", "desk:watch", "emergencies.review", Group.INTAKE, 6)]
#: A case that somebody took and nobody was sent to within this time is asked after.
SLOW = timedelta(minutes=5)
REFRESH = 15


@dataclass
class Holder:
    """One operator and the cases in their hands, the oldest first."""

    name: str
    lines: list
    slow: int = 0


class Watch(DeskPage):
    """Who holds what now, and what nobody has."""

    url, name, title = "watch/", "watch", _("Desk supervision")
    permission = "emergencies.review"
    live = ("emergencies",)
    template, fragment = "desk/watch.html", "desk/parts/watching.html"

    def get_context(self) -> dict:
        now = self.now
        lines = shown.queue(self.actor, now)
        holders: dict[int, Holder] = {}
        for one in lines:
            row = one.row
            if row.claimed_by is not None:
                holder = holders.setdefault(row.claimed_by, Holder(row.claimed_name, []))
                holder.lines.append(one)
                holder.slow += is_slow(row, now)
        waiting = [one for one in lines if one.waits]
        return {
            "waiting": waiting,
            "overdue": [one for one in lines if one.row.emergency_due or one.tone == "60" or is_slow(one.row, now)],
            "holders": sorted(holders.values(), key=lambda h: (-h.slow, -len(h.lines), h.name)),
            "today": numbers(self.actor, now),
            "server_now": shown.ms(now),
            "live_quiet": QUIET,
            "refresh": REFRESH,
        }


def is_slow(row, now) -> bool:
    """Taken, and long after it still nobody goes there."""
    early = row.state in ("claimed", "verifying")
    return early and row.claimed_at is not None and now - row.claimed_at > SLOW


def numbers(actor, now) -> dict:
    """What the day has been like so far: cases, how soon they were answered."""
    from django.db.models import Avg, Count, F, Q
    from django.utils.timezone import localtime

    begin = localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = selectors.incidents_visible(actor).filter(opened_at__gte=begin, drill=False)
    wait = F("answered_at") - F("opened_at")
    found = rows.aggregate(
        cases=Count("id"),
        life=Count("id", filter=Q(level=1)),
        closed=Count("id", filter=Q(closed_at__isnull=False)),
        false=Count("id", filter=Q(outcome="false_alarm")),
        answered=Count("id", filter=Q(answered_at__isnull=False)),
        soon=Count("id", filter=Q(answered_at__lte=F("opened_at") + timedelta(seconds=60))),
        wait=Avg(wait),
    )
    found["open"] = found["cases"] - found["closed"]
    found["wait"] = None if found["wait"] is None else round(found["wait"].total_seconds())
    found["share"] = None if not found["answered"] else round(100 * found["soon"] / found["answered"])
    return found


class GiveBack(DeskPage):
    """A supervisor puts a case back into the queue, with the reason; the operator sees it go."""

    url, name, title = "watch/<int:pk>/give-back/", "give_back", _("Give back to the queue")
    permission = "emergencies.review"
    template = "desk/give_back.html"

    class form_class(forms.Form):
        reason = forms.CharField(max_length=300)

    def get_context(self) -> dict:
        return {"card": selectors.card(self.actor, self.kwargs["pk"])}

    def post(self, request, pk: int):
        form = self.form_class(request.POST)
        if not form.is_valid():
            raise Invalid({"reason": [_gettext("Write why.")]})
        services.release(actor=self.actor, incident_id=pk, reason=form.cleaned_data["reason"], now=self.now)
        return self.redirect(reverse("desk:watch"), _gettext("The case waits in the queue again."))
