"""Taking messages in: known ones drop out, the rest becomes readings, last states and events for the rules. One transaction, few statements.

Order of locks, the same for all consumers: ids, then ``signals_last`` by device. From there on a device belongs to one transaction, so that the
rules see its messages one batch after another, whoever takes them.
"""

import contextlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from operator import attrgetter
from uuid import UUID

import msgspec
from django.db import IntegrityError, transaction
from django.utils import timezone

from sangyu.engines.alarms import Event, Rule, alarm, place, reading
from sangyu.engines.codecs.entries import Entry
from sangyu.kernel import quick
from sangyu.kernel.actor import Actor
from sangyu.registry.devices import selectors as devices
from sangyu.registry.facilities import selectors as facilities

from . import copying, judging, rulebooks
from .copying import day_of
from .models import COLUMNS, Poison
from .raised import Raised

_COLUMNS = frozenset(COLUMNS)
#: Said without anybody's consent: about the device, not about its wearer (ADR 0023).
_TECHNICAL = frozenset({"battery", "signal_quality", "signal"})
_json = msgspec.json.Encoder().encode
#: A message with a doubtful clock is filed under its arrival: sent again, it may lie on another day.
_RESENT_DAYS = 8
#: Up to so many entries each id is asked for itself: a COPY in a savepoint is five messages there and back.
_FEW = 20
_SLOT = 10 * 60_000
#: Older than this on arrival, a plainly good value may change when an alert of the past was over.
_LATE = 120_000
_NONE: dict = {}


@dataclass(slots=True)
class Whose:
    """Whose a message is, and what of it may be used."""

    path: str
    person_id: int | None = None
    facility_id: int | None = None
    room: str = ""
    bed: str = ""
    position: bool = True
    health: bool = True


@dataclass(slots=True)
class Heard:
    """What a batch says about one device and rule."""

    rule: Rule
    whose: Whose
    entry: Entry
    events: list[Event] = field(default_factory=list)
    frame: tuple[str, int, str, str] | None = None


def moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def take(entries: Iterable[Entry], *, actor: Actor, now: datetime) -> list[Raised]:
    """Take a batch in; answers the alarms that it raised, and those that came again while open (``repeat``). Idempotent by entry id.

    In the caller's scope (a job's) and transaction. Entries of devices that the register does not know go to the poison table.
    """
    given = {e.id: e for e in entries}
    fresh = _fresh(given) if given else []
    if not fresh:
        return []
    fresh.sort(key=attrgetter("at"))  # a value that ends an alert counts even when it came before those that raise it
    known = devices.bearers({e.device for e in fresh}, fresh[0].at)
    strange = [e for e in fresh if e.device not in known]
    if strange:
        set_aside(strange, "no such device in the register", now)
        fresh = [e for e in fresh if e.device in known]
    whose = _whose(fresh, known)
    silent = _last(fresh, known, whose)
    watched = judging.watched({e.device for e in fresh})
    touched = judging.touched({e.device for e in fresh if e.received_at - e.at > _LATE}, fresh[0].at)
    personal = rulebooks.personal_of({w.person_id for w in whose if w.person_id}, timezone.localdate(now))
    lines: dict[int, list[bytes]] = defaultdict(list)
    heard: dict[tuple[int, str], Heard] = {}
    for entry, owner in zip(fresh, whose, strict=True):
        if entry.readings or entry.alarms or entry.place:
            product = known[entry.device].product
            mine = personal.get(owner.person_id) if personal else None
            if mine is None:
                sheet = rulebooks.sheet(owner.path, product)
            else:
                sheet = rulebooks.personal_sheet(owner.path, product, mine)
            _file(entry, owner, lines)
            _listen(
                entry,
                owner,
                sheet,
                touched.get(entry.device, frozenset()) | watched.get(entry.device, _NONE).keys(),
                heard,
            )
    copying.make_days(set(lines))
    raised = judging.judge(list(heard.values()), watched, now) if heard else []
    copying.write(lines)
    if silent:
        judging.speaks_again(silent, now)
    return sorted(raised, key=attrgetter("level", "at"))


# ---------------------------------------------------------------- ids
_REMEMBER = """
INSERT INTO signals_seen (day, slot, id)
  SELECT date '1970-01-01' + d, s, i FROM unnest(%s::int[], %s::smallint[], %s::uuid[]) t (d, s, i)
  ON CONFLICT DO NOTHING RETURNING id::text
"""
_AGAIN = (
    "SELECT id::text FROM signals_seen WHERE day >= date '1970-01-01' + %s::int AND slot < 0 AND id = ANY (%s::uuid[])"
)


def _fresh(given: dict[bytes, Entry]) -> list[Entry]:
    """Entries whose ids were not known; now they are."""
    rows = []
    doubtful: dict[bytes, Entry] = {}
    for pk, e in given.items():
        if e.doubt:
            doubtful[pk] = e
            rows.append((day_of(e.received_at), -1, pk))
        else:
            at = e.at
            rows.append((day_of(at), (at + copying.LOCAL) % copying.DAY // _SLOT, pk))
    rows.sort()
    copying.make_days({row[0] for row in rows})
    if doubtful:
        first = min(day_of(e.received_at) for e in doubtful.values()) - _RESENT_DAYS
        gone = {UUID(pk).bytes for (pk,) in quick.rows(_AGAIN, [first, quick.array(k.hex() for k in doubtful)])}
        rows = [r for r in rows if r[2] not in gone]
        given = {pk: e for pk, e in given.items() if pk not in gone}
    if len(rows) > _FEW:
        with contextlib.suppress(IntegrityError), transaction.atomic():
            copying.remember(rows)
            return list(given.values())
        # something came again: few batches, and asking each id for itself costs three times as much
    return [given[pk] for pk in _unknown(rows)]


def _unknown(rows: list[tuple[int, int, bytes]]) -> list[bytes]:
    """Those of the ids that were not known; now they are."""
    days, slots, ids = ([row[n] for row in rows] for n in range(3))
    found = quick.rows(_REMEMBER, [quick.array(days), quick.array(slots), quick.array(pk.hex() for pk in ids)])
    return [UUID(pk).bytes for (pk,) in found]


def set_aside(entries: list[Entry], reason: str, now: datetime, subject: str = "") -> None:
    """Keep what cannot be taken, with its reason."""
    from sangyu.engines.codecs.entries import pack

    Poison.objects.bulk_create(
        [
            Poison(subject=subject or f"device {e.device}", reason=reason[:500], body=pack([e]), kept_at=now)
            for e in entries
        ]
    )


# ---------------------------------------------------------------- whose
def _whose(fresh: list[Entry], known: dict[int, devices.Bearer]) -> list[Whose]:
    made, people, beds = [], set(), {}
    stretches = [known[e.device].at(e.at) for e in fresh]
    for house_day in {
        (s.facility_id, day_of(e.at)) for e, s in zip(fresh, stretches, strict=True) if s and s.facility_id and s.bed
    }:
        house, day = house_day
        for (_house, bed), person in facilities.residents([house], date(1970, 1, 1) + timedelta(days=day)).items():
            beds[house, bed, day] = person
    for e, s in zip(fresh, stretches, strict=True):
        if s is None:
            made.append(Whose(known[e.device].path))
            continue
        person = s.person_id or (beds.get((s.facility_id, s.bed, day_of(e.at))) if s.bed else None)
        made.append(Whose(s.path, person, s.facility_id, s.room, s.bed))
        if person:
            people.add(person)
    held = devices.consents_of(people) if people else {}
    for owner in made:
        if owner.person_id:
            agreed = held.get(owner.person_id, ())
            owner.position, owner.health = "location" in agreed, "health_data" in agreed
        elif not owner.facility_id:
            owner.position = owner.health = False  # in stock: nobody's place, nobody's heart
    return made


# ---------------------------------------------------------------- last state
_LAST = """
WITH up AS (INSERT INTO signals_last AS l (device_id, path, person_id, product, network, seen_at, placed_at, latitude, longitude, accuracy,
  battery, battery_at, states, silent)
SELECT device, path, person, product, network, to_timestamp(seen / 1000.0), to_timestamp(placed / 1000.0), latitude, longitude, accuracy,
    battery, to_timestamp(measured / 1000.0), states, false
  FROM json_to_recordset(%s) t (device bigint, path text, person bigint, product text, network text, seen bigint, placed bigint,
    latitude float8, longitude float8, accuracy float8, battery smallint, measured bigint, states jsonb)
ON CONFLICT (device_id) DO UPDATE SET path = excluded.path, person_id = excluded.person_id, product = excluded.product,
  network = CASE WHEN excluded.network = '' THEN l.network ELSE excluded.network END, seen_at = greatest(l.seen_at, excluded.seen_at),
  placed_at = CASE WHEN l.person_id IS DISTINCT FROM excluded.person_id THEN excluded.placed_at ELSE greatest(l.placed_at, excluded.placed_at) END,
  latitude = CASE WHEN {newer} THEN excluded.latitude ELSE l.latitude END,
  longitude = CASE WHEN {newer} THEN excluded.longitude ELSE l.longitude END,
  accuracy = CASE WHEN {newer} THEN excluded.accuracy ELSE l.accuracy END,
  battery = CASE WHEN excluded.battery_at >= coalesce(l.battery_at, '-infinity') THEN excluded.battery ELSE l.battery END,
  battery_at = greatest(l.battery_at, excluded.battery_at), states = coalesce(excluded.states, l.states)
RETURNING device_id, silent)
SELECT device_id FROM up WHERE silent
""".replace(
    "{newer}",
    "(l.person_id IS DISTINCT FROM excluded.person_id OR excluded.placed_at >= coalesce(l.placed_at, '-infinity'))",
)


class _Standing(msgspec.Struct, gc=False, omit_defaults=True):
    """What a batch says about where one device stands, a row of ``_LAST``. Moments in milliseconds."""

    device: int
    product: str
    seen: int
    path: str
    network: str
    person: int | None = None
    placed: int | None = None
    latitude: float | None = None
    longitude: float | None = None
    accuracy: float | None = None
    battery: int | None = None
    measured: int | None = None
    states: dict[str, bool] | None = None


def _last(fresh: list[Entry], known: dict[int, devices.Bearer], whose: list[Whose]) -> list[int]:
    """Write where the devices stand; answers those that had been silent. The statement that locks: by device, in order."""
    rows: dict[int, _Standing] = {}
    for e, owner in zip(fresh, whose, strict=True):
        row = rows.get(e.device)
        if row is None:
            row = rows[e.device] = _Standing(e.device, known[e.device].product, 0, "", "")
        if e.received_at >= row.seen:
            row.seen, row.network = e.received_at, e.network[:60] or row.network
            row.states = e.states or row.states
        here = e.place
        if here is not None and owner.position and (row.placed is None or e.at >= row.placed):
            row.placed, row.latitude, row.longitude, row.accuracy = e.at, here.latitude, here.longitude, here.accuracy_m
        for name, value, own in e.readings:
            if name == "battery" and (row.measured is None or (own or e.at) >= row.measured):
                row.battery, row.measured = round(value), own or e.at
    for row in rows.values():  # who has it now, not who had it when a late message was made
        bearer = known[row.device]
        now = bearer.at(row.seen)
        row.path, row.person = (now.path, now.person_id) if now else (bearer.path, None)
    standing = _json([rows[device] for device in sorted(rows)]).decode()
    return [pk for (pk,) in quick.rows(_LAST, [standing])]


# ---------------------------------------------------------------- readings
def _file(entry: Entry, owner: Whose, lines: dict[int, list[bytes]]) -> None:
    """The entry as lines: one for its own moment, one for each other moment at which it measured something."""
    at, usable = entry.at, owner.health
    by_time: dict[int, tuple[dict[str, float], dict[str, float]]] = {at: ({}, {})}
    for name, value, own in entry.readings:
        if usable or name in _TECHNICAL:
            values, rest = by_time[at] if own is None else by_time.setdefault(own, ({}, {}))
            (values if name in _COLUMNS else rest)[name] = value
    alarms = ",".join(a[0] for a in entry.alarms)[:200].encode() if entry.alarms else b""
    here = entry.place
    # Who calls for help is looked for, whatever was agreed on ordinary days.
    where = (here.latitude, here.longitude, here.accuracy_m) if here and (owner.position or entry.level == 1) else None
    path = owner.path.encode()
    for when, (values, rest) in by_time.items():
        own = when == at
        more = _json(rest) if rest else b""
        if values or more or (own and (where or alarms)):
            lines[day_of(when)].append(
                copying.line(
                    when, entry.received_at, entry.device, owner.person_id, path, entry.late, where if own else None, values, more,
                    alarms if own else b"",
                )
            )  # fmt: skip


def _listen(entry: Entry, owner: Whose, sheet: rulebooks.Sheet, watched: set[str], heard: dict) -> None:
    """Events for the rules. What is not bad concerns a rule only while something is going on there."""
    device, usable = entry.device, owner.health
    for name, value, own in entry.readings:
        if usable or name in _TECHNICAL:
            for rule, least, most in sheet.readings.get(name, ()):
                if not least <= value <= most or rule.code in watched or (device, rule.code) in heard:
                    _note(entry, owner, rule, heard).events.append(reading(moment(own or entry.at), name, value))
    if usable and sheet.context:
        for name, value, own in entry.readings:
            for rule in sheet.context.get(name, ()):
                if rule.code in watched or (device, rule.code) in heard:
                    _note(entry, owner, rule, heard).events.append(reading(moment(own or entry.at), name, value))
    for frame in entry.alarms:
        rule = sheet.alarms.get(frame[0])
        if rule is not None:
            found = _note(entry, owner, rule, heard)
            found.events.append(alarm(moment(entry.at), frame[0]))
            if found.frame is None or frame[1] <= found.frame[1]:
                found.frame, found.entry, found.whose = frame, entry, owner
    if entry.place is not None and sheet.fences and owner.position:
        here = entry.place
        for rule in sheet.fences:
            beyond = rule.fence.beyond(here.latitude, here.longitude)
            if beyond > max(rule.margin, here.accuracy_m or 0) or rule.code in watched:
                found = _note(entry, owner, rule, heard)
                found.events.append(place(moment(entry.at), here.latitude, here.longitude, here.accuracy_m or 0))


def _note(entry: Entry, owner: Whose, rule: Rule, heard: dict) -> Heard:
    key = (entry.device, rule.code)
    if key not in heard:
        heard[key] = Heard(rule, owner, entry)
    elif entry.at >= heard[key].entry.at and heard[key].frame is None:
        heard[key].entry, heard[key].whose = entry, owner
    return heard[key]
