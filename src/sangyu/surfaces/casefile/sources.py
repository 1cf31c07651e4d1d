"""What each room tells the timeline. A new room: a function and a line in ``SOURCES``, at the end (numbers are in addresses)."""

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from sangyu.care.orders import selectors as orders
from sangyu.kernel.actor import Audience
from sangyu.kernel.models import Change
from sangyu.registry.dossier import selectors as dossier
from sangyu.registry.people import selectors as people
from sangyu.registry.people.enums import FactKind
from sangyu.registry.privacy import selectors as privacy
from sangyu.ui.format import money

from . import words
from .entitled import asked_for, stays
from .file import File
from .timeline import Asked, Entry, Show, Source, day_begins, older
from .worn import issues, limits


# ---------------------------------------------------------------- services
def steps(asked: Asked) -> list[Entry]:
    """Steps of the person's orders."""
    rows = orders.steps_of_person(asked.file.actor, asked.file.person.pk).filter(action__in=words.STEPS)
    made = []
    for step in asked.rows(rows):
        order = step.order
        title, tone = words.STEPS[step.action]
        text, note = order.item_name, step.reason
        if step.action in ("finish", "accept", "report_no_show") and order.worker:
            text += "·" + order.worker.name
        if step.action == "finish" and order.minutes:
            text += "·" + _("%(n)s min") % {"n": order.minutes}
        if step.action == "confirm":
            note = paid(order)
        url = reverse("orders:order", args=[order.pk])
        made.append(Entry(step.at, step.pk, str(title), text, note, tone, url, actor=step.actor))
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


def calls(asked: Asked) -> list[Entry]:
    """Call-backs that were made; few, read whole."""
    return asked.below(
        Entry(
            c.done_at, c.pk, _("Called back"), c.order.item_name, c.result, "",
            reverse("orders:order", args=[c.order_id]), actor=c.done_by,
        )
        for c in asked.file.call_backs
        if c.done_at
    )  # fmt: skip


# ---------------------------------------------------------------- money
def vouchers(asked: Asked) -> list[Entry]:
    """Movements of the person's vouchers; few, read whole because each shows what was left."""
    file, made = asked.file, []
    for voucher in file.vouchers:
        for transfer, amount, left in voucher.moves:
            made.append(
                Entry(
                    transfer.recorded_at,
                    transfer.pk,
                    _("Voucher %(act)s") % {"act": words.move(transfer.kind, amount)},
                    f"{voucher.programme.name} {money(abs(amount))}",
                    _("Left on it: %(amount)s") % {"amount": money(left)},
                    "ok" if amount > 0 else "",
                    reverse("vouchers:detail", args=[voucher.pk]) if file.staff else "",
                )
            )
    return asked.below(made)


# ---------------------------------------------------------------- the register
def facts(asked: Asked) -> list[Entry]:
    """Statuses stated, replaced and ended, from the facts themselves; few, read whole."""
    return asked.below(fact_entries(asked.file))


def fact_entries(file: File) -> list[Entry]:
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
        fact.pk,
        title,
        "" if was else f"{FactKind(fact.kind).label}：{now}",
        _("holds from %(day)s, source: %(source)s") % {"day": f"{since:%Y-%m-%d}", "source": fact.source},
        "acc",
        pairs=[(str(FactKind(fact.kind).label), was, now)] if was else [],
        origin=fact.source,
    )


def sign_facts(entries: list[Entry]) -> None:
    """Say who stated these facts, as what, and why: from the history of their rows."""
    rows = Change.objects.filter(table_name="people_personfact", row_id__in=[e.row for e in entries], op="I")
    by_row = {c.row_id: c for c in rows}
    for entry in entries:
        if change := by_row.get(entry.row):
            entry.actor, entry.role, entry.reason = change.actor, change.role, change.reason


def changes(asked: Asked) -> list[Entry]:
    """Changes of the basic data, of contacts and of consents, with who, as what, from where and why."""
    file = asked.file
    rows, made = [file.person, *file.contacts, *file.consents], []
    condition = older(asked.before, asked.number)
    while True:  # a change that shows nothing is passed over
        part = people.history_of(file.actor, *rows, most=asked.most, older=condition)
        made += [e for change in part if (e := (_basic if change["row"] is file.person else _other)(change))]
        if len(made) >= asked.most or len(part) < asked.most:
            return made[: asked.most]
        condition = Q(at__lt=part[-1]["at"]) | Q(at=part[-1]["at"], id__lt=part[-1]["id"])


def _basic(change: dict) -> Entry | None:
    if change["op"] == "I":
        return _signed(change, _("File opened"), change["row"].source, "ok", [])
    return _signed(change, _("Basic data"), "", "acc", pairs) if (pairs := _pairs(change)) else None


def _other(change: dict) -> Entry | None:
    row = change["row"]
    consent = hasattr(row, "purpose")
    name = row.get_purpose_display() if consent else f"{row.name}（{row.get_relation_display()}）"
    kind = _("Consent") if consent else pgettext("casefile", "Contact")
    if change["op"] == "I":
        return _signed(change, _("%(kind)s added") % {"kind": kind}, name, "ok", [])
    return _signed(change, f"{kind}·{name}", "", "acc", pairs) if (pairs := _pairs(change)) else None


def _pairs(change: dict) -> list[tuple[str, str, str]]:
    return [
        (str(words.FIELDS[name]), shown(change["row"], name, old), shown(change["row"], name, new))
        for name, (old, new) in change["fields"].items()
        if name in words.FIELDS
    ]


def _signed(change: dict, title: str, text: str, tone: str, pairs: list) -> Entry:
    who = "，".join(filter(None, [change["actor"], change["reason"]]))
    return Entry(
        change["at"], change["id"], title, text, who, tone, pairs=pairs, actor=change["actor"], role=change["role"],
        reason=change["reason"], origin=change["source"],
    )  # fmt: skip


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
    if isinstance(value, list):
        return "、".join(words.part(v) for v in value) or "—"
    return str(value)


def consents(asked: Asked) -> list[Entry]:
    """Consents given and withdrawn, on their days; few, read whole. Two entries of one row: the later one is numbered first."""
    made = []
    for consent in asked.file.consents:
        text = consent.get_purpose_display() + (f"·{consent.contact.name}" if consent.contact else "")
        note = "、".join(words.part(p) for p in consent.parts)
        given = Entry(day_begins(consent.given_on), 2 * consent.pk, _("Consent given"), text, note, "ok", day_only=True)
        made.append(given)
        if consent.withdrawn_on:
            made.append(
                Entry(
                    day_begins(consent.withdrawn_on), 2 * consent.pk + 1, _("Consent withdrawn"), text,
                    consent.withdrawn_reason, "bad", day_only=True,
                )
            )  # fmt: skip
    return asked.below(made)


# ---------------------------------------------------------------- life events, papers, checks, looks
def events(asked: Asked) -> list[Entry]:
    """Life events as they were recorded; a mistake says so."""
    return asked.below(
        Entry(
            e.recorded_at, e.pk, e.get_kind_display(), " ".join(filter(None, [f"{e.on:%Y-%m-%d}", e.place])),
            _("taken back: %(why)s") % {"why": e.withdrawn_reason} if e.withdrawn_at else f"{e.get_reported_by_display()}，{e.source}",
            "" if e.withdrawn_at else "bad" if e.kind == "death" else "acc",
            reverse("lifeevents:event", args=[e.pk]), actor=e.actor, origin=e.source,
        )
        for e in asked.file.life_events
    )  # fmt: skip


def papers(asked: Asked) -> list[Entry]:
    """Papers added and withdrawn; few, read whole."""
    file, made = asked.file, []
    for p in dossier.papers_of(file.actor, file.person.pk, withdrawn=True):
        made.append(Entry(p.added_at, 2 * p.pk, _("Paper added"), p.title, p.actor, "", actor=p.actor))
        if p.withdrawn_at:
            note = f"{p.withdrawn_by}，{p.withdrawn_reason}"
            made.append(
                Entry(p.withdrawn_at, 2 * p.pk + 1, _("Paper withdrawn"), p.title, note, "bad", actor=p.withdrawn_by)
            )
    return asked.below(made)


def checks(asked: Asked) -> list[Entry]:
    """Checks of the file."""
    rows = dossier.checks_of(asked.file.actor, asked.file.person.pk)
    return [
        Entry(
            c.recorded_at, c.pk, _("File checked"), f"{c.get_way_display()} {c.on:%Y-%m-%d}",
            "，".join(filter(None, [c.actor, c.note])), "ok", actor=c.actor,
        )
        for c in asked.rows(rows, at="recorded_at")
    ]  # fmt: skip


def looks(asked: Asked) -> list[Entry]:
    """Who looked at personal data on purpose."""
    return [
        Entry(
            r.at, r.pk, _("Looked at"), privacy.look_label(r.what), "，".join(filter(None, [r.actor, privacy.look_reason(r.purpose)])), "",
            actor=r.actor, reason=r.purpose,
        )
        for r in asked.rows(privacy.looks_of(asked.file.person.pk))
    ]  # fmt: skip


# ---------------------------------------------------------------- who reads what
def _staff(file: File) -> bool:
    return file.staff


def _services(file: File) -> bool:
    return file.counts["all"] > 0


def _calls(file: File) -> bool:
    return file.staff and file.counts["all"] > 0


def _vouchers(file: File) -> bool:
    return file.sees_vouchers


def _everybody(file: File) -> bool:
    return file.actor.audience in (Audience.STAFF, Audience.FAMILY, Audience.PROVIDER, Audience.WORKER)


def _holds(permission: str):
    return lambda file: file.staff and file.actor.may(permission)


SOURCES = (
    Source("steps", Show.SERVICE, steps, _services),
    Source("calls", Show.SERVICE, calls, _calls),
    Source("vouchers", Show.MONEY, vouchers, _vouchers),
    Source("facts", Show.CHANGE, facts, _everybody),
    Source("changes", Show.CHANGE, changes, _staff),
    Source("consents", Show.CHANGE, consents, _staff),
    Source("events", Show.LIFE, events, _holds("lifeevents.view"), models=("lifeevents.LifeEvent",)),
    Source("papers", Show.PAPER, papers, _holds("dossier.view"), models=("dossier.Paper",)),
    Source("checks", Show.PAPER, checks, _staff, models=("dossier.Check",)),
    Source("looks", Show.READ, looks, _holds("dossier.reads"), aside=True),
    Source("stays", Show.LIFE, stays, _holds("facilities.stays"), models=("facilities.Stay",)),
    Source("asked_for", Show.MONEY, asked_for, _holds("applications.view"), models=("applications.Application",)),
    Source("devices", Show.SERVICE, issues, _holds("devices.view"), models=("devices.Binding",)),
    Source("limits", Show.CHANGE, limits, _holds("signals.view"), models=("signals.Limit", "signals.Fence")),
)
