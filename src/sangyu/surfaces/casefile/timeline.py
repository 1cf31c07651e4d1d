"""One timeline of a person out of what each room recorded."""

from dataclasses import dataclass, field
from datetime import date, datetime, time

from django.db.models import TextChoices
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from sangyu.registry.people.enums import FactKind
from sangyu.ui.format import money

from . import words
from .file import File

SHOWN = 40


class Show(TextChoices):
    """What the timeline shows."""

    ALL = "", pgettext_lazy("casefile", "All")
    SERVICE = "service", pgettext_lazy("casefile", "Services")
    MONEY = "money", pgettext_lazy("casefile", "Funds")
    CHANGE = "change", pgettext_lazy("casefile timeline", "Changes")


@dataclass
class Entry:
    """One line: ``pairs`` are (label, was, now) of a change; ``day_only`` when the hour is not known."""

    at: datetime
    show: Show
    title: str
    text: str = ""
    note: str = ""
    tone: str = ""
    url: str = ""
    pairs: list[tuple[str, str, str]] = field(default_factory=list)
    day_only: bool = False


def timeline(file: File, show: str = "") -> list[Entry]:
    """Entries newest first, at most ``SHOWN``; ``show`` is one of ``Show`` (anything else shows all)."""
    made: list[Entry] = []
    if show in ("", Show.SERVICE) or show not in Show.values:
        made += _services(file)
    if show in ("", Show.MONEY) or show not in Show.values:
        made += _money(file)
    if show in ("", Show.CHANGE) or show not in Show.values:
        made += fact_entries(file) + basic_entries(file) + _consents(file)
    return sorted(made, key=lambda e: e.at, reverse=True)[:SHOWN]


def _moment(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _services(file: File) -> list[Entry]:
    made = []
    for order in file.recent:
        for step in order.log.all():
            if step.action not in words.STEPS:
                continue
            title, tone = words.STEPS[step.action]
            text, note = order.item_name, step.reason
            if step.action in ("finish", "accept", "report_no_show") and order.worker:
                text += "·" + order.worker.name
            if step.action == "finish" and order.minutes:
                text += "·" + _("%(n)s min") % {"n": order.minutes}
            if step.action == "confirm":
                note = paid(order)
            made.append(
                Entry(
                    step.at, Show.SERVICE, str(title), text, note, tone, reverse("orders:order", args=[order.pk])
                )
            )  # fmt: skip
    return made


def paid(order) -> str:
    """Who paid how much of an order, in words."""
    parts = [
        (_("vouchers %(amount)s"), order.voucher_amount),
        (_("public purchase %(amount)s"), order.public_pay),
        (_("self pay %(amount)s"), order.self_pay),
    ]
    found = [text % {"amount": money(fen)} for text, fen in parts if fen]
    if order.rating:
        found.append(_("rated %(stars)s") % {"stars": "★" * order.rating})
    return "，".join(found)


def _money(file: File) -> list[Entry]:
    made = []
    for voucher in file.vouchers:
        for transfer, amount, left in voucher.moves:
            made.append(
                Entry(
                    transfer.recorded_at,
                    Show.MONEY,
                    _("Voucher %(act)s") % {"act": words.move(transfer.kind, amount)},
                    f"{voucher.programme.name} {money(abs(amount))}",
                    _("Left on it: %(amount)s") % {"amount": money(left)},
                    "ok" if amount > 0 else "",
                    reverse("vouchers:detail", args=[voucher.pk]) if file.staff else "",
                )
            )
    return made


def fact_entries(file: File) -> list[Entry]:
    """Statuses stated, replaced and ended, from the facts themselves."""
    made: list[Entry] = []
    replaced: dict[tuple, list] = {}
    for fact in file.facts:
        if fact.superseded_at:
            replaced.setdefault((fact.kind, fact.superseded_at), []).append(fact)
    for fact in file.facts:
        old = replaced.get((fact.kind, fact.recorded_at), [])
        if any(o.value == fact.value and o.valid_from == fact.valid_from and not fact.valid_to for o in old):
            continue  # what is kept of a replaced row
        cut = next(
            (o for o in old if o.value == fact.value and o.valid_from == fact.valid_from and not o.valid_to), None
        )
        if cut is not None:
            later = any(f.recorded_at == fact.recorded_at and f.kind == fact.kind and f is not fact for f in file.facts)
            if not later:
                made.append(_fact(fact, _("Status ended"), fact.value_label, _("none")))
            continue
        was = "、".join(dict.fromkeys(o.value_label for o in old if o.value != fact.value))
        made.append(_fact(fact, _("Status recorded"), was, fact.value_label))
    return made


def _fact(fact, title: str, was: str, now: str) -> Entry:
    since = fact.valid_to if title == _("Status ended") else fact.valid_from
    return Entry(
        fact.recorded_at,
        Show.CHANGE,
        title,
        "" if was else f"{FactKind(fact.kind).label}：{now}",
        _("holds from %(day)s, source: %(source)s") % {"day": f"{since:%Y-%m-%d}", "source": fact.source},
        "acc",
        pairs=[(str(FactKind(fact.kind).label), was, now)] if was else [],
    )


def basic_entries(file: File) -> list[Entry]:
    """Changes of the basic data, with who and why."""
    made = []
    for change in file.changes:
        who = "，".join(filter(None, [change["actor"], change["reason"]]))
        if change["op"] == "I":
            made.append(Entry(change["at"], Show.CHANGE, _("File opened"), "", who, "ok"))
            continue
        pairs = [
            (str(words.FIELDS[name]), shown(file.person, name, old), shown(file.person, name, new))
            for name, (old, new) in change["fields"].items()
            if name in words.FIELDS
        ]
        if pairs:
            made.append(Entry(change["at"], Show.CHANGE, _("Basic data"), "", who, "acc", pairs=pairs))
    return made


def shown(row, column: str, value) -> str:
    """A stored value of the history as the screen words it."""
    if value is None or value == "":
        return "—"
    found = next((f for f in row._meta.concrete_fields if f.column == column), None)
    if found is not None and found.choices:
        return str(dict(found.flatchoices).get(found.to_python(value), value))
    if column == "region_id" and value == row.region_id:
        return row.region.full_name
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return str(value)


def _consents(file: File) -> list[Entry]:
    if not file.staff:
        return []
    made = []
    for consent in file.consents:
        text = consent.get_purpose_display() + (f"·{consent.contact.name}" if consent.contact else "")
        made.append(Entry(_moment(consent.given_on), Show.CHANGE, _("Consent given"), text, "", "ok", day_only=True))
        if consent.withdrawn_on:
            made.append(
                Entry(
                    _moment(consent.withdrawn_on), Show.CHANGE, _("Consent withdrawn"), text,
                    consent.withdrawn_reason, "bad", day_only=True,
                )
            )  # fmt: skip
    return made
