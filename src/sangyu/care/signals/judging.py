"""The alarm machine and its rows: what a batch or the clock adds up to under each rule (engines/alarms decides, these tables keep)."""

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from sangyu.engines.alarms import Alert, Event, Rule, Watch, acknowledged, alarm, place, reading, restored, saved
from sangyu.engines.codecs.kinds import AlarmKind
from sangyu.kernel.bulk import json_text
from sangyu.kernel.events import emit

from . import events, rulebooks
from .enums import AlarmState
from .models import COLUMNS, Alarm, Last, Reading, Watching
from .raised import Raised

#: An alert from readings that is older than this when we hear of it is history: it is written down, nobody is called (devices.md §0.6).
YOUNG = timedelta(minutes=30)
#: While a stretch goes on that counts by its length, one event in so long a time is kept.
STEP = timedelta(minutes=5)


@dataclass(slots=True)
class Kept:
    """A row of ``Watching`` as read."""

    pk: int
    state: dict


def watched(device_ids: set[int]) -> dict[int, dict[str, Kept]]:
    """Device → rule code → what is kept. Locks the rows."""
    found: dict[int, dict[str, Kept]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, device_id, rule, state::text FROM signals_watching WHERE device_id = ANY (%s::bigint[]) ORDER BY id FOR UPDATE",
            [f"{{{','.join(map(str, device_ids))}}}"],
        )
        for pk, device, rule, state in cursor.fetchall():
            found[device][rule] = Kept(pk, json.loads(state))
    return found


def touched(device_ids: set[int], since: int) -> dict[int, set[str]]:
    """Device → rules whose alerts of the past reach beyond ``since`` (milliseconds): what comes late may change them."""
    found: dict[int, set[str]] = defaultdict(set)
    if device_ids:
        rows = Alarm.objects.filter(device_id__in=sorted(device_ids), ended_at__gte=_moment(since))
        for device, rule in rows.values_list("device_id", "rule"):
            found[device].add(rule)
    return found


def judge(heard: list, known: dict[int, dict[str, Kept]], now: datetime) -> list[Raised]:
    """Apply what was heard (``intake.Heard``) to the machines, keep them, write alarms; answers what to tell."""
    found = []
    for h in sorted(heard, key=lambda h: (h.entry.device, h.rule.code)):
        kept = known.get(h.entry.device, {}).get(h.rule.code)
        watch = (
            restored(h.rule, kept.state) if kept else _anew(h.rule, h.entry.device, h.whose.person_id, h.events, now)
        )
        fresh = [e for e in h.events if not watch.continues(e, STEP)]
        if not fresh:
            continue
        changes = watch.apply(fresh, now)
        found += _write(h, changes, now)
        keep(h.entry.device, watch, kept, now)
    return found


def _anew(rule: Rule, device: int, person: int | None, given: list[Event], now: datetime) -> Watch:
    """The machine as it stands before ``given``, from the readings of its horizon: nothing was going on, so nothing was kept."""
    far = rulebooks.horizon(rule)
    watch, since = Watch(rule, far), min(min(e.at for e in given), now) - far
    names = [c for c in COLUMNS if c in rule.readings or c in rule.context]
    rows = Reading.objects.filter(device_id=device, person_id=person, at__gte=since, day__gte=since.date()).order_by(
        "at"
    )
    if rule.alarms:
        rows = rows.filter(alarms__isnull=False)
    found = []
    for at, frames, latitude, longitude, accuracy, *values in rows.values_list(
        "at", "alarms", "latitude", "longitude", "accuracy", *names
    ):
        found += [reading(at, n, v) for n, v in zip(names, values, strict=True) if v is not None]
        if rule.alarms and frames:
            found += [alarm(at, word) for word in frames.split(",")]
        if rule.fence and latitude is not None:
            found.append(place(at, latitude, longitude, accuracy or 0))
    if rule.latch:
        past = Alarm.objects.filter(device_id=device, rule=rule.code, acknowledged_at__isnull=False, through__gte=since)
        found += [acknowledged(through, said) for through, said in past.values_list("through", "acknowledged_at")]
    if found:
        watch.apply(found, max(e.at for e in found))
    return watch


def keep(device: int, watch: Watch, kept: Kept | None, now: datetime) -> None:
    if watch.quiet(now):
        if kept:
            Watching.objects.filter(pk=kept.pk).delete()
        return
    values = [json_text(saved(watch)), now, watch.due]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO signals_watching (state, last_at, due_at, device_id, rule) VALUES (%s, %s, %s, %s, %s) ON CONFLICT (device_id, rule) "
            "DO UPDATE SET state = excluded.state, last_at = excluded.last_at, due_at = excluded.due_at",
            [*values, device, watch.rule.code],
        )


# ---------------------------------------------------------------- alarms
def _write(h, changes, now: datetime) -> list[Raised]:
    """Rows for what changed; answers what to tell: raised while young (or latched: always), and repeats."""
    found = []
    for alert in changes.withdrawn:
        row = _row_of(h.entry.device, h.rule.code, alert)
        if row is not None and row.state == AlarmState.OPEN:
            end(row, AlarmState.WITHDRAWN, now)
    for alert in changes.cleared:
        row = _row_of(h.entry.device, h.rule.code, alert)
        if row is not None:
            row.last_at, row.count = alert.last, alert.count
            if row.state == AlarmState.OPEN:
                end(row, AlarmState.CLEARED, alert.cleared_at)
    for alert in changes.changed:
        row = _row_of(h.entry.device, h.rule.code, alert)
        if row is not None:
            again = alert.count > row.count and row.state == AlarmState.OPEN
            row.raised_at, row.last_at, row.count = alert.raised_at, alert.last, alert.count
            if alert.cleared_at and row.state != AlarmState.OPEN:
                row.ended_at = alert.cleared_at
            _place(row, h)
            row.save()
            if again and h.rule.alarms:
                found.append(told(row, h, repeat=True))
    for alert in changes.raised:
        row = _raise(h, alert, now)
        if row.state == AlarmState.OPEN and (h.rule.latch or now - alert.raised_at <= YOUNG):
            found.append(told(row, h))
    return found


def _row_of(device: int, rule: str, alert: Alert) -> Alarm | None:
    """The alarm that is this alert: their times touch."""
    rows = Alarm.objects.filter(device_id=device, rule=rule).exclude(state=AlarmState.WITHDRAWN)
    rows = rows.order_by("-raised_at")[:20]
    for row in rows:
        begins_before = alert.cleared_at is None or row.raised_at <= alert.cleared_at
        if begins_before and (row.ended_at is None or row.ended_at >= alert.raised_at):
            return row
    return None


def told_by_clock(h, changes, now: datetime) -> list[Raised]:
    """What the clock alone brought about."""
    return _write(h, changes, now)


def add(row: Alarm) -> Alarm:
    """Write an alarm that no machine of a device decided (silence, a network's case)."""
    row.save(force_insert=True)
    _emit(events.RAISED, row)
    return row


def _raise(h, alert: Alert, now: datetime) -> Alarm:
    kind, level, _code, text = h.frame or (h.rule.alarm, h.rule.level, "", "")
    old = _moment(h.entry.received_at) - alert.raised_at > YOUNG
    row = Alarm(
        device_id=h.entry.device, person_id=h.whose.person_id, facility_id=h.whose.facility_id, room=h.whose.room, bed=h.whose.bed,
        path=h.whose.path, product=h.entry.product, rule=h.rule.code, kind=kind, level=level, text=text[:200] or h.rule.name,
        raised_at=alert.raised_at, last_at=alert.last, count=alert.count, received_at=now, late=h.entry.late or old,
        drill=kind == AlarmKind.TEST or bool(h.entry.details.get("drill")),
    )  # fmt: skip
    if alert.cleared_at:
        row.state, row.ended_at = AlarmState.CLEARED, alert.cleared_at
    _place(row, h)
    return add(row)


def _place(row: Alarm, h) -> None:
    """The place of the message where it has one, else the last known with its age (devices.md §0.5)."""
    here = h.entry.place
    at = _moment(h.entry.at)
    if here is not None and (h.whose.position or row.level == 1):
        if row.placed_at is None or at >= row.placed_at:
            row.latitude, row.longitude, row.accuracy, row.placed_at = (
                here.latitude,
                here.longitude,
                here.accuracy_m,
                at,
            )
    elif row.placed_at is None:
        last = Last.objects.filter(
            device_id=h.entry.device, placed_at__isnull=False, person_id=h.whose.person_id
        ).first()
        if last is not None:
            row.latitude, row.longitude = last.latitude, last.longitude
            row.accuracy, row.placed_at = last.accuracy, last.placed_at


def _moment(ms: int) -> datetime:
    from .intake import moment

    return moment(ms)


def told(row: Alarm, h=None, *, repeat: bool = False) -> Raised:
    return Raised(
        alarm_id=row.pk, device_id=row.device_id, product=row.product, person_id=row.person_id, facility_id=row.facility_id,
        room=row.room, bed=row.bed, path=row.path, rule=row.rule, kind=AlarmKind(row.kind), level=row.level,
        at=row.last_at if repeat else row.raised_at, received_at=_moment(h.entry.received_at) if h else row.received_at,
        late=row.late, drill=row.drill, latitude=row.latitude, longitude=row.longitude, placed_at=row.placed_at, accuracy=row.accuracy,
        text=row.text, repeat=repeat,
    )  # fmt: skip


def end(row: Alarm, state: str, at: datetime) -> None:
    """Close an alarm."""
    row.state, row.ended_at = state, max(at, row.raised_at)
    row.save()
    _emit(events.ENDED, row)


def _emit(name: str, row: Alarm) -> None:
    emit(name, path=row.path, alarm=row.pk, device=row.device_id, kind=row.kind, level=row.level, state=str(row.state))


def speaks_again(device_ids: list[int], now: datetime) -> None:
    """Devices that had been silent were heard: their alarm is over, also a storm's when its last device is back."""
    Last.objects.filter(device_id__in=device_ids).update(silent=False)
    rows = Alarm.objects.select_for_update(of=("self",)).filter(state=AlarmState.OPEN, rule=rulebooks.SILENT)
    for row in rows.filter(device_id__in=sorted(device_ids)).order_by("pk"):
        end(row, AlarmState.CLEARED, now)
    for row in rows.filter(device__isnull=True, devices__overlap=device_ids).order_by("pk"):
        if not Last.objects.filter(device_id__in=row.devices, silent=True).exists():
            end(row, AlarmState.CLEARED, now)


# ---------------------------------------------------------------- acknowledged by a person
def acknowledge(rows: list[Alarm], *, by: str, through: datetime, now: datetime) -> None:
    """A person dealt with these alarms, having seen what the devices said up to ``through``."""
    for row in rows:
        if row.state != AlarmState.OPEN:
            continue
        if row.device_id is not None and row.rule != rulebooks.SILENT:
            _tell_machine(row, through, now)
        row.through, row.acknowledged_at, row.acknowledged_by = through, now, by[:100]
        end(row, AlarmState.ACKNOWLEDGED, now)


def _tell_machine(row: Alarm, through: datetime, now: datetime) -> None:
    kept = Watching.objects.select_for_update().filter(device_id=row.device_id, rule=row.rule).first()
    rule = rulebooks.sheet(row.path, row.product).rules.get(row.rule)
    if kept is None or rule is None or not rule.latch:
        return
    watch = restored(rule, kept.state)
    watch.apply([acknowledged(through, now)], now)
    keep(row.device_id, watch, Kept(kept.pk, kept.state), now)
