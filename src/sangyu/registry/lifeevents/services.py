"""Recording life events, taking them back, and their check lists (issue 3; X-03, R-027, R-129)."""

from datetime import date, datetime
from typing import Any

from django.db.models import Value
from django.db.models.functions import Concat
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.events import emit
from sangyu.kernel.scoping import as_system, say_why
from sangyu.kernel.services import service
from sangyu.registry.people import selectors as people_selectors
from sangyu.registry.people import services as people

from . import events
from .enums import AFTER_MISTAKE, CHECKLIST, Item, ItemState, Kind, ReportedBy
from .models import LifeEvent, LifeEventItem, Notice

#: Stays: taken back by restoring what held before.
STAYS = (Kind.INSTITUTION, Kind.HOSPITAL, Kind.HOME)


@service("people.life_events")
def record(
    *,
    actor: Actor,
    person_id: int,
    kind: str,
    on: date,
    source: str,
    reported_by: str = ReportedBy.OTHER,
    place: str = "",
    region_id: int | None = None,
    address: str = "",
    evidence_id: int | None = None,
    today: date | None = None,
    now: datetime | None = None,
) -> LifeEvent:
    """Record that ``kind`` happened to the person ``on`` that day, on the word of ``reported_by``; open its check list.

    ``place`` names the institution or hospital; a move needs ``region_id`` and takes ``address``. The register changes in the
    same transaction. Raises Invalid, NotVisible, Refused (dead, same region, recorded already); then nothing has changed.
    """
    if kind not in Kind.values or reported_by not in ReportedBy.values:
        raise Invalid({"kind": [_("Choose what happened.")]})
    if on > (today or timezone.localdate()):
        raise Invalid({"on": [_("The day lies in the future.")]})
    about: dict[str, Any] = {"actor": actor, "person_id": person_id, "source": source}
    if kind == Kind.DEATH:
        person = people.record_death(**about, died_on=on, today=today)
    elif kind == Kind.MOVE:
        if region_id is None:
            raise Invalid({"region_id": [_("Choose the new community.")]})
        person = people.move(**about, region_id=region_id, moved_on=on, address=address, today=today, now=now)
    elif kind == Kind.INSTITUTION:
        person = people.admit_to_institution(**about, on=on, institution=_named(place), now=now)
    elif kind == Kind.HOSPITAL:
        person = people.enter_hospital(**about, on=on, hospital=_named(place), now=now)
    else:
        person = people.discharge_from_institution(**about, on=on, now=now)
    with as_system("the file may just have moved out of the actor's region"):
        return _open(
            actor, person, kind, on, source, now or timezone.now(), reported_by=reported_by, place=place.strip(),
            evidence_id=evidence_id,
        )  # fmt: skip


def _named(place: str) -> str:
    if not place.strip():
        raise Invalid({"place": [_("Name the institution or hospital.")]})
    return place.strip()


def _open(actor: Actor, person, kind: str, on: date, source: str, now: datetime, **more: Any) -> LifeEvent:
    """The event's row, its items, what this room itself does, and the notices. Call under ``as_system``."""
    event = LifeEvent.objects.create(
        person=person, path=person.path, kind=kind, on=on, source=source, recorded_at=now, account_id=actor.account_id,
        actor=actor.name, assigned_id=actor.account_id, **more,
    )  # fmt: skip
    LifeEventItem.objects.bulk_create(LifeEventItem(event=event, item=item) for item in CHECKLIST[kind])
    told = _tell(event, person, _text(kind, on))
    if kind == Kind.DEATH:
        event.ended_shares = people.end_all(person, f"life event {event.pk}")
        event.save(update_fields=["ended_shares"])
        for item, audiences in ((Item.ACCESS, {"family"}), (Item.PROVIDERS, {"provider", "worker"})):
            n = len({subject for audience, subject, _kind in event.ended_shares if audience in audiences})
            _settle(event, item, 0, _("%(n)s accesses ended") % {"n": n}, actor.name, now)
    contacts = people_selectors.contacts(person)
    if not contacts and not told:
        _settle(event, Item.PARTIES, 0, _("nobody to tell is recorded"), actor.name, now)
    elif told:
        event.items.filter(item=Item.PARTIES).update(note=_("%(n)s told here; call the others") % {"n": told})
    emit(events.RECORDED, path=event.path, id=event.pk, person=person.pk, kind=kind, on=on.isoformat())
    _close_if_done(event, now)
    return event


def _text(kind: str, on: date) -> str:
    return f"{Kind(kind).label} {on:%Y-%m-%d}"


def _tell(event: LifeEvent, person, words: str) -> int:
    """A notice to every relative, provider and worker who saw the file; how many."""
    from sangyu.kernel.models import Share

    parties = Share.objects.filter(kind="person", object_id=person.pk, until__isnull=True)
    rows = [
        Notice(
            event=event, path=event.path, audience=audience, subject_id=subject, text=f"{person.name[:1]}**：{words}"
        )
        for audience, subject in parties.values_list("audience", "subject_id").distinct()
        if audience != Audience.STAFF
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)
    if rows:
        _announce(event, rows)
    return len(rows)


def _announce(event: LifeEvent, rows) -> None:
    emit(events.NOTICE, path=event.path, id=event.pk, to=sorted({f"{n.audience}:{n.subject_id}" for n in rows}))


def _tell_again(event: LifeEvent, now: datetime) -> None:
    """Those who were told read that the event is taken back."""
    rows = list(event.notices.all())
    event.notices.update(text=Concat("text", Value("，" + _("taken back"))), at=now, read_at=None)
    if rows:
        _announce(event, rows)


# ---------------------------------------------------------------- the check list
@service("people.life_events")
def settle_item(
    *, actor: Actor, item_id: int, state: str, note: str = "", now: datetime | None = None
) -> LifeEventItem:
    """Close an item by hand (done, or not needed with the reason), or open it again. Raises NotVisible, Invalid."""
    now = now or timezone.now()
    row = LifeEventItem.objects.select_for_update(of=("self",)).select_related("event").filter(pk=item_id).first()
    if row is None:
        raise NotVisible
    if state not in ItemState.values:
        raise Invalid({"state": [_("Choose how it stands.")]})
    if state == ItemState.NOT_NEEDED and not note.strip():
        raise Invalid({"note": [_("Say why it is not needed.")]})
    opened = state == ItemState.OPEN
    row.state, row.note, row.automatic = state, note.strip() or row.note, False
    row.done_at, row.done_by = (None, "") if opened else (now, actor.name)
    row.save(update_fields=["state", "note", "automatic", "done_at", "done_by"])
    if opened:
        LifeEvent.objects.filter(pk=row.event_id).update(closed_at=None)
    else:
        _close_if_done(row.event, now)
    return row


@service("people.life_events")
def report(
    *, actor: Actor, person_id: int, kind: str, on: date, item: str, left: int, note: str, now: datetime | None = None
) -> None:
    """What a room did by itself for an item: ``left`` 0 closes it, else it stays open with ``note``. Repeatable.

    What a person has closed stays as it is.
    """
    now = now or timezone.now()
    with as_system("the file may have moved to another region since"):
        event = ensure(actor=actor, person_id=person_id, kind=kind, on=on, source="", now=now)
        if event is not None:
            _settle(event, item, left, note, actor.name, now)
            _close_if_done(event, now)


@service("people.life_events")
def ensure(
    *, actor: Actor, person_id: int, kind: str, on: date, source: str, now: datetime | None = None
) -> LifeEvent | None:
    """The live event of that kind and day; written when the register was changed past this room (a list, a transfer).

    None when it was taken back since.
    """
    with as_system("the file may have moved to another region since"):
        person = people_selectors.locked_person(person_id)
        rows = LifeEvent.objects.filter(person_id=person_id, kind=kind, on=on)
        found = rows.filter(withdrawn_at__isnull=True).first()
        if found is not None or rows.exists():
            return found
        if kind == Kind.DEATH and person.died_on != on:
            return None
        words = source or _("recorded in the register")
        return _open(
            actor, person, kind, on, words, now or timezone.now(), reported_by=ReportedBy.LIST
        )  # fmt: skip


def _settle(event: LifeEvent, item: str, left: int, note: str, who: str, now: datetime) -> None:
    rows = event.items.filter(item=item)
    if left:
        rows.filter(state=ItemState.OPEN).update(note=note[:300])
        return
    rows.filter(state=ItemState.OPEN).update(
        state=ItemState.DONE, note=note[:300], automatic=True, done_at=now, done_by=who[:100]
    )


def _close_if_done(event: LifeEvent, now: datetime) -> None:
    if event.closed_at is None and not event.items.filter(state=ItemState.OPEN).exists():
        event.closed_at = now
        event.save(update_fields=["closed_at"])
        emit(events.CLOSED, path=event.path, id=event.pk, person=event.person_id, kind=event.kind)


# ---------------------------------------------------------------- taking back
@service("people.life_events")
def withdraw(*, actor: Actor, event_id: int, reason: str, now: datetime | None = None) -> LifeEvent:
    """Take back an event that was recorded by mistake; the trace stays. What was stopped and cannot start again by itself
    becomes items of a second list. Raises Invalid without a reason, Refused for a move (record the move back) or twice.
    """
    now = now or timezone.now()
    if not reason.strip():
        raise Invalid({"reason": [_("Say why.")]})
    event = LifeEvent.objects.select_for_update(of=("self",)).filter(pk=event_id).first()
    if event is None:
        raise NotVisible
    if event.withdrawn_at is not None:
        raise Refused(_("This event is taken back already."), code="lifeevents.withdrawn")
    if event.kind == Kind.MOVE:
        raise Refused(_("A move is corrected by recording the move back."), code="lifeevents.move")
    say_why(reason)
    if event.kind == Kind.DEATH:
        person = people.revoke_death(actor=actor, person_id=event.person_id, reason=reason)
    else:
        person = people.revoke_residence(actor=actor, person_id=event.person_id, on=event.on, reason=reason, now=now)
    event.withdrawn_at, event.withdrawn_by, event.withdrawn_reason = now, actor.name[:100], reason.strip()[:300]
    event.closed_at = None
    event.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_reason", "closed_at"])
    event.items.filter(state=ItemState.OPEN).update(
        state=ItemState.NOT_NEEDED, note=_("taken back"), done_at=now, done_by=actor.name[:100]
    )
    done = {i.item: i.note for i in event.items.all() if i.automatic}
    if event.kind == Kind.DEATH:
        _restore(actor, event, person, done, now)
    _tell_again(event, now)
    emit(events.WITHDRAWN, path=event.path, id=event.pk, person=person.pk, kind=event.kind)
    _close_if_done(event, now)
    return event


def _restore(actor: Actor, event: LifeEvent, person, done: dict[str, str], now: datetime) -> None:
    """The second list after a mistaken death: family access by itself, the rest by a person."""
    notes = {Item.RESTORE_ORDERS: done.get(Item.ORDERS, ""), Item.RESTORE_VOUCHERS: done.get(Item.VOUCHERS, "")}
    event.items.filter(item=Item.PARTIES).delete()
    LifeEventItem.objects.bulk_create(LifeEventItem(event=event, item=i, note=notes.get(i, "")) for i in AFTER_MISTAKE)
    with as_system("shares of the file belong to its readers"):
        back = people.give_back(person, event.ended_shares, f"life event {event.pk} taken back")
    _settle(event, Item.RESTORE_ACCESS, 0, _("%(n)s accesses restored") % {"n": back}, actor.name, now)


@service("lifeevents.notices")
def mark_read(*, actor: Actor, notice_id: int, now: datetime | None = None) -> Notice:
    """The party has read its notice. Raises NotVisible."""
    row = Notice.objects.select_for_update().filter(pk=notice_id).first()
    if row is None:
        raise NotVisible
    if row.read_at is None:
        row.read_at = now or timezone.now()
        row.save(update_fields=["read_at"])
    return row
