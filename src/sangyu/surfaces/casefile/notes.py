"""What a person's page says first: what somebody has to do, and what became of everything after a death."""

from dataclasses import dataclass
from datetime import date

from django.urls import reverse
from django.utils.translation import gettext as _

from sangyu.care.orders import selectors as orders
from sangyu.care.orders.enums import State
from sangyu.registry.lifeevents import selectors as lifeevents
from sangyu.ui.format import moment, money

from .file import File


@dataclass
class Note:
    tone: str
    title: str
    text: str = ""
    url: str = ""
    action: str = ""


def notes(file: File) -> list[Note]:
    """Alerts of a living person, the most pressing first."""
    if file.person.died_on:
        return []
    made = []
    for title, tone, found in _troubles(file):
        first = found[0]
        text = _("%(item)s, planned for %(at)s") % {"item": first.item_name, "at": moment(first.planned_start)}
        if len(found) > 1:
            text += "；" + _("%(n)s more") % {"n": len(found) - 1}
        made.append(Note(tone, title, text, reverse("orders:order", args=[first.pk]), _("See the order")))
    if n := file.overdue_calls:
        text = _("%(n)s call-backs after visits are past their day.") % {"n": n}
        made.append(
            Note("warn", _("Call-back is late"), text, reverse("orders:return_visits") + "?state=due", _("Call back"))
        )
    for voucher in file.ending:
        text = _("%(name)s may be used until %(day)s.") % {
            "name": voucher.programme.name,
            "day": f"{voucher.last_day:%Y-%m-%d}",
        }
        desk = (
            reverse("hotline:desk") + f"?person={file.person.pk}"
            if file.actor.may("orders.request") and file.staff
            else ""
        )
        made.append(
            Note("warn", _("Voucher with %(amount)s left ends soon") % {"amount": money(voucher.available)}, text, desk,
                 _("Arrange a visit"))
        )  # fmt: skip
    if not file.card.at_home:
        made.append(Note("", _("Lives in an institution"), _("Home services are not offered until the return home.")))
    for event in file.unfinished:
        text = _("%(n)s items of the check list are open.") % {"n": event.open_items}
        made.append(
            Note("warn", f"{event.get_kind_display()} {event.on:%Y-%m-%d}", text,
                 reverse("lifeevents:event", args=[event.pk]), _("Check list"))
        )  # fmt: skip
    if file.staff and file.person.completeness < 60:
        made.append(
            Note("", _("File complete to %(n)s %%") % {"n": file.person.completeness},
                 _("Missing data keep the person out of rules and lists."),
                 reverse("casefile:basic", args=[file.person.pk]) if file.actor.may("people.edit") else "", _("Complete it"))
        )  # fmt: skip
    return made


def _troubles(file: File) -> list[tuple[str, str, list]]:
    """(words, tone, orders) by kind of trouble, the worst first."""
    kinds: dict[tuple[str, str], list] = {
        (_("A visit is disputed"), "bad"): [],
        (_("A visit was missed"), "bad"): [],
        (_("Dispatch is late"), "warn"): [],
    }
    disputed, missed, late = kinds.values()
    for order in file.troubled:
        found = {State.DISPUTED: disputed, State.RECEIVED: late}.get(order.state, missed)
        found.append(order)
    return [(title, tone, found) for (title, tone), found in kinds.items() if found]


def after_death(file: File) -> dict | None:
    """The check list of a death: its event and items; None for the living. Only staff keep it."""
    if file.person.died_on is None or not file.staff:
        return None
    event = lifeevents.death_of(file.actor, file.person.pk)
    return {"event": event, "items": list(event.items.all()) if event else []}


def used_after(file: File, day: date) -> dict:
    """What was used after ``day`` (a death that became known late, X-03): visits, and fen by who pays."""
    rows = orders.visits_after(file.actor, file.person.pk, day) if file.sees_orders else []
    return {
        "rows": rows,
        "total": sum(o.market_price for o in rows),
        "voucher": sum(o.voucher_amount for o in rows),
        "public": sum(o.public_pay for o in rows),
        "self_pay": sum(o.self_pay for o in rows),
    }
