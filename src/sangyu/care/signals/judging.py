"""The alarm machine and its rows: what a batch or the clock adds up to under each rule (engines/alarms decides, these tables keep)."""

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sangyu.engines.alarms import Alert, Event, Watch, acknowledged, alarm, place, reading, restored, saved
from sangyu.engines.codecs.kinds import AlarmKind
from sangyu.kernel import quick
from sangyu.kernel.bulk import insert_together, json_text
from sangyu.kernel.events import emit_many

from . import events, rulebooks
from .enums import AlarmState
from .models import COLUMNS, Alarm, Last, Watching
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
    for pk, device, rule, state in quick.rows(_WATCHED, [quick.array(device_ids)]):
        found[device][rule] = Kept(pk, json.loads(state))
    return found


_WATCHED = "SELECT id, device_id, rule, state::text FROM signals_watching WHERE device_id = ANY (%s::bigint[]) ORDER BY id FOR UPDATE"


def touched(device_ids: set[int], since: int) -> dict[int, set[str]]:
    """Device → rules whose alerts of the past reach beyond ``since`` (milliseconds): what comes late may change them."""
    found: dict[int, set[str]] = defaultdict(set)
    if device_ids:
        rows = Alarm.objects.filter(device_id__in=sorted(device_ids), ended_at__gte=_moment(since))
        for device, rule in rows.values_list("device_id", "rule"):
            found[device].add(rule)
    return found


def judge(heard: list, known: dict[int, dict[str, Kept]], now: datetime) -> list[Raised]:
    """Apply what was heard (``intake.Heard``) to the machines, keep them, write alarms; answers what to tell.

    A batch at once, step by step: as many statements for one alarm as for a hundred.
    """
    heard = sorted(heard, key=lambda h: (h.entry.device, h.rule.code))
    begun = _anew([h for h in heard if h.rule.code not in known.get(h.entry.device, {})], now)
    outcomes, watches = [], []
    for h in heard:
        kept = known.get(h.entry.device, {}).get(h.rule.code)
        watch = restored(h.rule, kept.state) if kept else begun[h.entry.device, h.rule.code]
        fresh = [e for e in h.events if not watch.continues(e, STEP)]
        if fresh:
            outcomes.append((h, watch.apply(fresh, now)))
            watches.append((h.entry.device, watch, kept))
    found = write(outcomes, now)
    keep(watches, now)
    return found


_BEFORE = """
SELECT w.n, r.at, r.alarms, r.latitude, r.longitude, r.accuracy, {columns}
  FROM json_to_recordset(%s) AS w (n int, device bigint, person bigint, since timestamptz, calls bool)
  JOIN signals_reading r ON r.device_id = w.device AND r.person_id IS NOT DISTINCT FROM w.person AND r.at >= w.since
   AND (r.alarms IS NOT NULL OR NOT w.calls)
 WHERE r.day >= %s AND r.device_id = ANY (%s::bigint[]) ORDER BY r.at
"""


def _anew(heard: list, now: datetime) -> dict[tuple[int, str], Watch]:
    """Machines as they stand before what was heard, from the readings of their horizon: nothing was going on, so nothing was kept."""
    if not heard:
        return {}
    since = [min(min(e.at for e in h.events), now) - rulebooks.horizon(h.rule) for h in heard]
    names = [c for c in COLUMNS if any(c in h.rule.readings or c in h.rule.context for h in heard)]
    asked = [
        {"n": n, "device": h.entry.device, "person": h.whose.person_id, "since": s.isoformat(), "calls": bool(h.rule.alarms)}
        for n, (h, s) in enumerate(zip(heard, since, strict=True))
    ]  # fmt: skip
    before: dict[int, list[Event]] = defaultdict(list)
    text = _BEFORE.format(columns=", ".join(f"r.{c}" for c in names) or "1")
    devices = quick.array(sorted({h.entry.device for h in heard}))
    for n, at, frames, latitude, longitude, accuracy, *values in quick.rows(
        text, [json.dumps(asked), min(since).date(), devices]
    ):
        rule = heard[n].rule
        for name, value in zip(names, values, strict=False):
            if value is not None and (name in rule.readings or name in rule.context):
                before[n].append(reading(at, name, value))
        if rule.alarms and frames:
            before[n] += [alarm(at, word) for word in frames.split(",")]
        if rule.fence and latitude is not None:
            before[n].append(place(at, latitude, longitude, accuracy or 0))
    said = _acknowledged([(h.entry.device, h.rule.code) for h in heard if h.rule.latch], min(since))
    made = {}
    for n, (h, begin) in enumerate(zip(heard, since, strict=True)):
        key = (h.entry.device, h.rule.code)
        watch = made[key] = Watch(h.rule, rulebooks.horizon(h.rule))
        found = before[n] + [acknowledged(through, at) for through, at in said.get(key, ()) if through >= begin]
        if found:
            watch.apply(found, max(e.at for e in found))
    return made


_ACKNOWLEDGED = (
    "SELECT device_id, rule, through, acknowledged_at FROM signals_alarm WHERE device_id = ANY (%s::bigint[]) AND rule = ANY (%s::text[]) "
    "AND acknowledged_at IS NOT NULL AND through >= %s"
)


def _acknowledged(
    latched: list[tuple[int, str]], since: datetime
) -> dict[tuple[int, str], list[tuple[datetime, datetime]]]:
    """Device and rule → until when somebody had seen what it said, and when that was."""
    found: dict[tuple[int, str], list] = defaultdict(list)
    if latched:
        devices, rules = quick.array(sorted({d for d, _r in latched})), quick.array(sorted({r for _d, r in latched}))
        for device, rule, through, at in quick.rows(_ACKNOWLEDGED, [devices, rules, since]):
            found[device, rule].append((through, at))
    return found


_KEEP = (
    "INSERT INTO signals_watching (device_id, rule, state, last_at, due_at) SELECT device, rule, state, %s, due "
    "FROM json_to_recordset(%s) AS t (device bigint, rule text, state jsonb, due timestamptz) ORDER BY device, rule "
    "ON CONFLICT (device_id, rule) DO UPDATE SET state = excluded.state, last_at = excluded.last_at, due_at = excluded.due_at"
)


def keep(watches: list[tuple[int, Watch, Kept | None]], now: datetime) -> None:
    """Keep the machines (device, machine, its row if it has one) about which something is going on; the others' rows go."""
    standing, gone = [], []
    for device, watch, kept in watches:
        if not watch.quiet(now):
            due = watch.due.isoformat() if watch.due else None
            standing.append({"device": device, "rule": watch.rule.code, "state": saved(watch), "due": due})
        elif kept:
            gone.append(kept.pk)
    if gone:
        Watching.objects.filter(pk__in=gone).delete()
    if standing:
        quick.rows(_KEEP, [now, json_text(standing)])


# ---------------------------------------------------------------- alarms
def write(outcomes: list, now: datetime) -> list[Raised]:
    """Rows for what changed, from (``intake.Heard``, changes); answers what to tell: raised while young (or latched: always), and repeats."""
    found, risen = [], []
    for h, changes in outcomes:
        found += _change(h, changes, now)
        risen += [(h, alert) for alert in changes.raised]
    if not risen:
        return found
    rows = [_row(h, alert, now) for h, alert in risen]
    _place([(row, h) for row, (h, _alert) in zip(rows, risen, strict=True)])
    add(rows)
    for row, (h, alert) in zip(rows, risen, strict=True):
        if row.state == AlarmState.OPEN and (h.rule.latch or now - alert.raised_at <= YOUNG):
            found.append(told(row, h))
    return found


def _change(h, changes, now: datetime) -> list[Raised]:
    """Alarms that were there already."""
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
            _place([(row, h)])
            row.save()
            if again and h.rule.alarms:
                found.append(told(row, h, repeat=True))
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


def add(rows: list[Alarm]) -> list[Alarm]:
    """Write alarms that are new."""
    insert_together(rows)
    _emit(events.RAISED, rows)
    return rows


def _row(h, alert: Alert, now: datetime) -> Alarm:
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
    return row


def _place(pairs: list[tuple[Alarm, Any]]) -> None:
    """The place of the message where it has one, else the last known with its age (devices.md §0.5)."""
    without = []
    for row, h in pairs:
        here, at = h.entry.place, _moment(h.entry.at)
        if here is not None and (h.whose.position or row.level == 1):
            if row.placed_at is None or at >= row.placed_at:
                row.latitude, row.longitude, row.accuracy, row.placed_at = (
                    here.latitude,
                    here.longitude,
                    here.accuracy_m,
                    at,
                )
        elif row.placed_at is None:
            without.append((row, h.whose.person_id))
    if not without:
        return
    lasts = Last.objects.filter(device_id__in={row.device_id for row, _p in without}, placed_at__isnull=False)
    known = {
        (device, person): rest
        for device, person, *rest in lasts.values_list(
            "device_id", "person_id", "latitude", "longitude", "accuracy", "placed_at"
        )
    }
    for row, person in without:
        if last := known.get((row.device_id, person)):
            row.latitude, row.longitude, row.accuracy, row.placed_at = last


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
    _emit(events.ENDED, [row])


def _emit(name: str, rows: list[Alarm]) -> None:
    emit_many(
        name,
        [
            (
                r.path,
                {"alarm": r.pk, "device": r.device_id, "kind": str(r.kind), "level": r.level, "state": str(r.state)},
            )
            for r in rows
        ],
    )


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
    keep([(row.device_id, watch, Kept(kept.pk, kept.state))], now)
