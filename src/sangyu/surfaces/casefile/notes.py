"""What a person's page says first: what somebody has to do, and what became of everything after a death."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from sangyu.care.orders.enums import State
from sangyu.ui.format import money

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
    for order in file.troubled:
        when = _("%(item)s, planned for %(at)s") % {
            "item": order.item_name,
            "at": _local(order.planned_start),
        }
        if order.state == State.DISPUTED:
            tone, title = "bad", _("A visit is disputed")
        elif order.state == State.RECEIVED:
            tone, title = "warn", _("Dispatch is late")
        else:
            tone, title = "bad", _("A visit was missed")
        made.append(Note(tone, title, when, reverse("orders:order", args=[order.pk]), _("See the order")))
    if n := file.overdue_calls:
        text = _("%(n)s call-backs after visits are past their day.") % {"n": n}
        made.append(Note("warn", _("Call-back is late"), text, reverse("orders:return_visits") + "?state=due", _("Call back")))
    for voucher in file.ending:
        text = _("%(name)s may be used until %(day)s.") % {
            "name": voucher.programme.name,
            "day": f"{voucher.last_day:%Y-%m-%d}",
        }
        desk = reverse("hotline:desk") + f"?person={file.person.pk}" if file.actor.may("orders.request") and file.staff else ""
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


def _local(moment) -> str:
    from sangyu.ui.format import moment as shown

    return shown(moment)


def after_death(file: File) -> list[tuple[bool, str, str]]:
    """(done, what, how it stands) for everything that a death ends."""
    died = file.person.died_on
    if died is None:
        return []
    made = []
    if file.sees_orders:
        stopped = sum(1 for o in file.recent if o.state == State.CANCELLED and o.closed_at and o.closed_at.date() >= died)
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

