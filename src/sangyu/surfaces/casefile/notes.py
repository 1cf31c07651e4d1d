"""What a person's page says first: what somebody has to do, and what became of everything after a death."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from sangyu.care.orders.enums import State
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
    if file.staff and file.person.completeness < 60:
        made.append(
            Note("", _("File complete to %(n)s %%") % {"n": file.person.completeness},
                 _("Missing data keep the person out of rules and lists."),
                 reverse("people:detail", args=[file.person.pk]) if file.actor.may("people.edit") else "", _("Complete it"))
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


def after_death(file: File) -> list[tuple[bool, str, str]]:
    """(done, what, how it stands) for everything that a death ends."""
    died = file.person.died_on
    if died is None:
        return []
    made = []
    if file.sees_orders:
        stopped = sum(
            1 for o in file.recent if o.state == State.CANCELLED and o.closed_at and o.closed_at.date() >= died
        )
        left = file.counts["open"]
        made.append((
            left == 0,
            _("Visits called off"),
            _("%(n)s still open") % {"n": left} if left else _("%(n)s cancelled, none open") % {"n": stopped},
        ))  # fmt: skip
        running = sum(1 for a in file.agreements if a.state == "signed" and a.valid_to >= file.today)
        made.append((
            running == 0,
            _("Service agreements ended"),
            _("%(n)s still run") % {"n": running} if running else _("none runs"),
        ))  # fmt: skip
    if file.sees_vouchers:
        live = sum(1 for v in file.vouchers if v.state in ("active", "lost"))
        gone = sum(1 for v in file.vouchers if v.state == "cancelled")
        made.append((
            live == 0,
            _("Vouchers stopped"),
            _("%(n)s still usable") % {"n": live} if live else _("%(n)s cancelled, none usable") % {"n": gone},
        ))  # fmt: skip
    return made
