"""Notices: who is told through which channel, what became of it, and what follows when it does not arrive (R-094).

A notice is a row and a job of one transaction with what it tells of. Sending happens outside any transaction; a failure is
tried again, then the next channel, then the next person. Nothing of the escalation waits for a notice.
"""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.identity import phone_digits
from sangyu.kernel.jobs import defer
from sangyu.kernel.scoping import as_system, lineage, scope
from sangyu.registry.accounts import selectors as accounts
from sangyu.registry.accounts import services as doors

from .. import events
from ..enums import Answer, ChannelKind, Did, NoticeState, PartyKind
from ..models import Channel, Incident, Notice, Party
from ._shared import note_down, tell

#: Seconds before the second, third and fourth try; then the channel is given up.
WAITS = (10, 30, 90)
#: A try that nobody finished, or a job that nobody ran, for so long: again.
LOST = timedelta(seconds=45)


def notify(
    incident: Incident,
    *,
    now: datetime,
    role: PartyKind,
    name: str,
    why: str,
    words: str,
    account_id: int | None = None,
    number: str = "",
    party: Party | None = None,
) -> list[Notice]:
    """Tell one recipient: on the screen when signed in, and by the region's first channel when there is a number."""
    made: list[Notice] = []
    common = {"incident": incident, "party": party, "account_id": account_id, "role": role, "name": name[:100]}
    common |= {"why": why[:60], "words": words[:300], "created_at": now}
    with as_system("notices are written for everybody who is told"):
        if account_id and accounts.signed_in([account_id], now):
            made.append(
                Notice.objects.create(**common, channel=ChannelKind.SCREEN, state=NoticeState.SENT, sent_at=now)
            )
            tell(events.NOTICE, incident, notice=made[-1].pk, account=account_id)
        digits = phone_digits(number) if number else ""
        if digits:
            made.append(_by_telephone(incident, common, digits, now, after=0))
    return made


def _by_telephone(incident: Incident, common: dict, digits: str, now: datetime, *, after: int) -> Notice | None:
    """A notice through the first channel behind rank ``after``; without any channel the house's own text messages."""
    ways = list(Channel.objects.filter(active=True, path__in=lineage(incident.path)).exclude(kind=ChannelKind.SCREEN))
    nearest = max((len(w.path) for w in ways), default=0)
    way = min(
        (w for w in ways if len(w.path) == nearest and w.rank > after), key=lambda w: (w.rank, w.pk), default=None
    )
    if way is None and after:
        return None
    made = Notice.objects.create(
        **common,
        to=digits,
        channel=way.kind if way else ChannelKind.SMS,
        via=way,
        state=NoticeState.WAITING,
        next_at=now,
    )
    defer("emergencies.deliver", notice_id=made.pk)
    return made


def deliver(*, actor: Actor, notice_id: int, now: datetime) -> str:
    """Send one notice and write what became of it: its state. Two at once: one sends. Called by the job."""
    with scope(actor):
        row = Notice.objects.select_for_update(of=("self",)).select_related("via").filter(pk=notice_id).first()
        if row is None or row.state in (NoticeState.SENT, NoticeState.FAILED):
            return row.state if row else ""
        if row.state == NoticeState.SENDING and now - row.taken_at < LOST:
            return row.state
        row.state, row.taken_at, row.tries, row.next_at = NoticeState.SENDING, now, row.tries + 1, now + LOST
        row.save(update_fields=["state", "taken_at", "tries", "next_at"])
        path, number, words, url = row.incident.path, row.to, row.words, row.via.url if row.via else ""
    error = send(url, number, words, path, actor)
    with scope(actor):
        return _became(actor, notice_id, error, now)


def send(url: str, number: str, words: str, path: str, actor: Actor) -> str:
    """Through Apprise, or the text messages of the house without an address. Answers "" or why it failed."""
    if not url:
        with scope(actor):
            return doors.send_text_message(number=number, template="emergency", text=words, path=path).error
    import apprise

    way = apprise.Apprise()
    try:
        if not way.add(url.replace("{to}", number)):
            return _("The address of the channel cannot be read.")
        return "" if way.notify(body=words) else _("The service did not take it.")
    except (OSError, ValueError, TypeError) as error:  # what a plugin lets through
        return f"{type(error).__name__}: {error}"


def _became(actor: Actor, notice_id: int, error: str, now: datetime) -> str:
    incident_id = Notice.objects.values_list("incident_id", flat=True).get(pk=notice_id)
    incident = Incident.objects.select_for_update(of=("self",)).select_related("region").get(pk=incident_id)
    row = Notice.objects.select_for_update(of=("self",)).select_related("via", "party").get(pk=notice_id)
    if row.state != NoticeState.SENDING:
        return row.state
    if not error:
        row.state, row.sent_at, row.next_at, row.error = NoticeState.SENT, now, None, ""
        row.save(update_fields=["state", "sent_at", "next_at", "error"])
        note_down(incident, actor, now, Did.NOTICE, _told(row), notice=row.pk, channel=row.channel)
        return row.state
    row.error = error[:200]
    if row.tries <= len(WAITS):
        wait = timedelta(seconds=WAITS[row.tries - 1])
        row.state, row.next_at = NoticeState.WAITING, now + wait
        row.save(update_fields=["state", "next_at", "error"])
        defer("emergencies.deliver", at=row.next_at, notice_id=row.pk)
        return row.state
    row.state, row.next_at = NoticeState.FAILED, None
    row.save(update_fields=["state", "next_at", "error"])
    _failed(incident, row, actor, now)
    return row.state


def _told(row: Notice) -> str:
    return f"{row.name} · {ChannelKind(row.channel).label}"


def _failed(incident: Incident, row: Notice, actor: Actor, now: datetime) -> None:
    """The next channel; when there is none, whoever was asked counts as not reached and the next one is asked."""
    note_down(incident, actor, now, Did.NOTICE_FAILED, f"{_told(row)}: {row.error}", notice=row.pk)
    tell(events.NOTICE, incident, notice=row.pk, failed=True)
    if not incident.live:
        return
    common = {
        "incident": incident,
        "party": row.party,
        "account_id": row.account_id,
        "role": row.role,
        "name": row.name,
    }
    common |= {"why": row.why, "words": row.words, "created_at": now}
    if row.via and _by_telephone(incident, common, row.to, now, after=row.via.rank):
        return
    others = Notice.objects.filter(party=row.party).exclude(pk=row.pk).exclude(state=NoticeState.FAILED)
    if row.party is not None and row.party.answer == Answer.WAITING and not others.exists():
        from .responding import not_reached

        not_reached(incident, row.party, actor, now)


def look_after_lost(*, actor: Actor, now: datetime, limit: int = 50) -> int:
    """Notices whose job nobody ran, or whose sender died: again, and after the last try the next one is told (X-08)."""
    with scope(actor):
        overdue = Notice.objects.filter(next_at__lt=now - LOST).order_by("next_at").values_list("pk", flat=True)
        found = list(overdue[:limit])
    for pk in found:
        with scope(actor):
            row = Notice.objects.select_for_update(skip_locked=True, of=("self",)).filter(
                pk=pk, next_at__lt=now - LOST
            ).first()  # fmt: skip
            if row is None:
                continue
            lost_in = row.state
            row.state, row.taken_at, row.next_at = NoticeState.SENDING, now, now
            if lost_in == NoticeState.WAITING:
                row.tries += 1
            row.save(update_fields=["state", "taken_at", "next_at", "tries"])
        with scope(actor):
            _became(actor, pk, _("Nobody sent it in time."), now)
    return len(found)
