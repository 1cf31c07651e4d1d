"""What screens show of an order: steps, waiting time, bill, ranked people on the bar of the day, trail."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Refused

from ..enums import EvidenceKind, State
from ..models import Order

#: Steps of the bar: label, the log actions that reach them, the state in which the step is being done.
STEPS = [
    (pgettext_lazy("step", "Requested"), {"request"}, None),
    (pgettext_lazy("step", "Received"), {"receive"}, State.REQUESTED),
    (pgettext_lazy("step", "Dispatched"), {"offer"}, State.RECEIVED),
    (pgettext_lazy("step", "Accepted"), {"accept"}, State.OFFERED),
    (pgettext_lazy("step", "Set out"), {"depart"}, State.ACCEPTED),
    (pgettext_lazy("step", "Arrived"), {"arrive"}, State.ON_THE_WAY),
    (pgettext_lazy("step", "Served"), {"finish"}, State.ARRIVED),
    (pgettext_lazy("step", "Confirmed"), {"confirm"}, State.DONE),
    (pgettext_lazy("step", "Settled"), {"settle"}, State.CONFIRMED),
]
ACTION_WORDS = {
    "request": gettext_lazy("Need registered"),
    "receive": gettext_lazy("Received and priced"),
    "offer": gettext_lazy("Offered"),
    "withdraw": gettext_lazy("Offer withdrawn"),
    "decline": gettext_lazy("Declined"),
    "lapse": gettext_lazy("No answer in time"),
    "accept": gettext_lazy("Accepted"),
    "hand_back": gettext_lazy("Handed back"),
    "substitute": gettext_lazy("Substitute sent"),
    "reschedule": gettext_lazy("Time changed"),
    "depart": gettext_lazy("Set out"),
    "arrive": gettext_lazy("Arrived"),
    "finish": gettext_lazy("Visit finished"),
    "report_no_show": gettext_lazy("Nobody at home"),
    "confirm": gettext_lazy("Confirmed"),
    "dispute": gettext_lazy("Disputed"),
    "resolve": gettext_lazy("Dispute decided"),
    "settle": gettext_lazy("Settled"),
    "refund": gettext_lazy("Refunded"),
    "cancel": gettext_lazy("Cancelled"),
}
NOTE_WORDS = {
    "contract_price": gettext_lazy("Contract price"),
    "public_pay": gettext_lazy("Paid by public purchase"),
}
#: The day bar starts at this hour and has 52 quarter hours.
DAY_STARTS, QUARTERS = 7, 52


def ranked(actor: Actor, order: Order) -> list[dict]:
    """Rows of the ranking for an order that waits for dispatch; [] for others and for those who may not dispatch."""
    from .. import services

    if order.state != State.RECEIVED or not actor.may("orders.dispatch"):
        return []
    try:
        proposals = services.proposals(actor=actor, order_id=order.pk)
    except Refused:
        return []
    start, end = order.planned_start, order.planned_end
    return [
        {
            "number": "—" if p.blocked else number,
            "best": number == 1 and not p.blocked,
            "proposal": p,
            "initial": p.option.worker_name[:1],
            "bars": [
                *(bar(b.start, b.end, b.label, "clash" if b.start < end and start < b.end else "") for b in p.bookings),
                *([] if p.blocked else [bar(start, end, _("This visit"), "new")]),
            ],
        }
        for number, p in enumerate(proposals, start=1)
    ]


def bar(start: datetime, end: datetime, label: str, kind: str) -> dict:
    """Where a visit lies on the day bar: grid classes g1…g52 (start) and n1…n52 (length in quarter hours)."""
    local = localtime(start)
    first = (local.hour - DAY_STARTS) * 4 + local.minute // 15
    length = max(1, round((end - start) / timedelta(minutes=15)))
    first = min(max(first, 0), QUARTERS - 1)
    return {"start": f"g{first + 1}", "length": f"n{min(length, QUARTERS - first)}", "label": label, "kind": kind}


def steps(order: Order) -> list[tuple[str, str, Any]]:
    """(label, "done" | "now" | "", moment) for the bar of steps; a step that was taken back is open again."""
    reached: dict[int, datetime] = {}
    by_action = {action: index for index, (_label, actions, _state) in enumerate(STEPS) for action in actions}
    current = next((i for i, (_l, _a, state) in enumerate(STEPS) if state == order.state), len(STEPS))
    for entry in order.log.all():
        if (index := by_action.get(entry.action)) is not None and index < current:
            reached[index] = entry.at
    made = []
    ended = order.state in (State.CANCELLED, State.NO_SHOW, State.DISPUTED)
    for index, (label, _actions, _state) in enumerate(STEPS):
        state = "done" if index in reached else "now" if index == current and not ended else ""
        made.append((label, state, reached.get(index)))
    visits = list(order.return_visits.all())
    if visits:
        latest = max((v.done_at for v in visits if v.done_at), default=None)
        made.append((_("Call-back"), "done" if all(v.done_at for v in visits) else "", latest))
    return made


def waited_words(minutes: int) -> str:
    """A span as a person says it: minutes up to two hours, hours up to two days, then days."""
    if minutes < 120:
        return _("%(n)s min") % {"n": minutes}
    return _("%(n)s h") % {"n": minutes // 60} if minutes < 2880 else _("%(n)s days") % {"n": minutes // 1440}


def waiting_text(order: Order) -> str:
    """How long the order has waited, against what was promised."""
    if order.state != State.RECEIVED or order.dispatch_by is None:
        return ""
    since = int((timezone.now() - order.requested_at).total_seconds()) // 60
    promised = int((order.dispatch_by - order.requested_at).total_seconds()) // 60
    waited = waited_words(since)
    return _("Waited %(waited)s, promised within %(promised)s min") % {"waited": waited, "promised": promised}


def price_lines(order: Order) -> list[dict]:
    """The stored explanation of the price as lines of a bill."""
    return [
        {"label": NOTE_WORDS.get(n["label"], n["label"]), "why": n["why"], "amount": n["amount"]}
        for n in order.price_notes
    ]


_EVIDENCE_WORDS = {
    EvidenceKind.PLACE: gettext_lazy("Checked in on the spot, %(metres)s m from the home"),
    EvidenceKind.QR: gettext_lazy("Checked in with the home's code"),
    EvidenceKind.NO_PROOF: gettext_lazy("Arrived without proof: %(text)s"),
    EvidenceKind.PAPER: gettext_lazy("Paper form %(text)s"),
    EvidenceKind.NOTE: gettext_lazy("Note: %(text)s"),
}


def trail(order: Order) -> list[dict]:
    """Everything that happened, newest first: transitions, answers, proofs, call-backs, refunds (R-085)."""
    made = [
        {
            "title": ACTION_WORDS.get(entry.action, entry.action),
            "at": entry.at,
            "text": "；".join(filter(None, [entry.actor, entry.reason])),
            "tone": "bad" if entry.action in ("dispute", "report_no_show", "cancel") else "acc",
        }
        for entry in order.log.all()
    ]
    for offer in order.offers.all():
        if offer.state in ("declined", "lapsed"):
            continue
        who = "·".join(filter(None, [offer.organisation.name, offer.worker.name if offer.worker else ""]))
        made.append(
            {
                "title": _("To whom"),
                "at": offer.sent_at,
                "text": who + (f"；{offer.override_reason}" if offer.override_reason else ""),
                "tone": "",
            }
        )
    for proof in order.evidence.all():
        if words := _EVIDENCE_WORDS.get(proof.kind):
            if proof.kind == EvidenceKind.NOTE and proof.client_id:
                continue
            text = words % {"metres": round(proof.distance or 0), "text": proof.text}
            made.append(
                {
                    "title": _("Proof"),
                    "at": proof.at,
                    "text": text,
                    "tone": "warn" if proof.kind in ("no_proof", "paper") else "ok",
                }
            )
    made += [
        {"title": _("Call-back"), "at": call.done_at, "text": f"{call.done_by}；{call.result}", "tone": "ok"}
        for call in order.return_visits.all()
        if call.done_at
    ]
    return sorted(made, key=lambda e: e["at"], reverse=True)
