"""Devices that say nothing, and what else the clock alone brings about (devices.md §6). Called by a ticker, on any number of consumers.

Silence counts from the last message, but never from before the intake began to listen: a restart, or an hour without gateways, makes no alarms.
Many silent devices of one network within five minutes are one case.
"""

from collections import Counter
from datetime import datetime, time, timedelta

from django.db import connection
from django.db.models import F, Q
from django.utils import timezone

from sangyu.engines.alarms import Silence, restored, storms
from sangyu.engines.codecs.kinds import AlarmKind
from sangyu.kernel.scoping import current_actor
from sangyu.registry.devices import selectors as devices
from sangyu.registry.devices import services as register
from sangyu.registry.people import selectors as people
from sangyu.registry.people.enums import FactKind, Living

from . import judging, rulebooks
from .enums import AlarmState
from .intake import Heard, Whose
from .models import Alarm, Intake, Last, Watching
from .raised import Raised

LISTENING = "listening"
#: Without a sign of the ticker for so long the intake was not running.
GAP = timedelta(seconds=60)
#: How often silence is looked for, and how many devices at once.
EVERY, MOST = timedelta(seconds=30), 20_000
NIGHT = (time(22), time(6))


def due(now: datetime, limit: int) -> list[Raised]:
    """What the clock changed: stretches that lasted long enough, alerts that are over, silent devices."""
    told = _stretches(now, limit)
    if _my_turn(now):
        told += _silent(now)
    return told


#: The register's copy may be this old; so many devices a transaction.
COPY_AGE, COPIES = timedelta(minutes=5), 1_000


def tell_register() -> bool:
    """Lists of devices show when one was heard and its battery: copied now and then, not with every message. Whether more may wait."""
    heard, battery = F("device__last_seen_at"), F("device__battery")
    stale = Q(device__last_seen_at__isnull=True) | Q(seen_at__gt=heard + COPY_AGE)
    stale |= Q(battery__isnull=False) & (Q(device__battery__isnull=True) | ~Q(battery=battery))
    rows = Last.objects.filter(stale).values_list("device_id", "seen_at", "battery")[:COPIES]
    return register.heard(actor=current_actor(), rows=list(rows)) == COPIES


def _stretches(now: datetime, limit: int) -> list[Raised]:
    rows = Watching.objects.select_for_update(of=("self",), skip_locked=True).filter(due_at__lte=now)
    rows = list(rows.select_related("device").order_by("due_at")[:limit])
    if not rows:
        return []
    bearers = devices.bearers({r.device_id for r in rows}, round(now.timestamp() * 1000))
    wearers = devices.wearers([r.device_id for r in rows], at=now)
    personal = rulebooks.personal_of({w.person_id for w in wearers.values() if w.person_id}, timezone.localdate(now))
    outcomes, watches = [], []
    for row in rows:
        owner = wearers.get(row.device_id)
        path, person = (owner.path, owner.person_id) if owner else (bearers[row.device_id].path, None)
        product = bearers[row.device_id].product
        mine = personal.get(person)
        sheet = rulebooks.personal_sheet(path, product, mine) if mine else rulebooks.sheet(path, product)
        rule = sheet.rules.get(row.rule)
        if rule is None:  # the limit was taken away, the fence is gone: nothing to wait for
            _abandon(row, now)
            continue
        watch = restored(rule, row.state)
        changes = watch.apply([], now)
        whose = Whose(path, person, owner.facility_id, owner.room, owner.bed) if owner else Whose(path)
        outcomes.append((Heard(rule, whose, _clock_entry(row.device_id, product, now)), changes))
        watches.append((row.device_id, watch, judging.Kept(row.pk, row.state)))
    told = judging.write(outcomes, now)
    judging.keep(watches, now)
    return told


def _clock_entry(device: int, product: str, now: datetime):
    from sangyu.engines.codecs.entries import Entry

    return Entry(b"", device, product, "status", "clock", round(now.timestamp() * 1000))


def _abandon(row: Watching, now: datetime) -> None:
    row.delete()
    for alarm in Alarm.objects.filter(device_id=row.device_id, rule=row.rule, state=AlarmState.OPEN):
        judging.end(alarm, AlarmState.CLEARED, now)


# ---------------------------------------------------------------- who listens
def _my_turn(now: datetime) -> bool:
    """Whether this consumer looks for silence now; keeps since when the intake has been listening."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('signals.silence'))")
        if not cursor.fetchone()[0]:
            return False
    row, new = Intake.objects.get_or_create(code=LISTENING, defaults={"since": now, "alive_at": now})
    if new:
        return False
    if now - row.alive_at > GAP:
        row.since = now
    turn = row.looked_at is None or now - row.looked_at >= EVERY
    if turn or now - row.alive_at > EVERY / 6:
        row.alive_at = max(row.alive_at, now)
        row.looked_at = now if turn else row.looked_at
        row.save()
    return turn


def behind(now: datetime) -> None:
    """The consumer is behind with the stream: silence counts from now on."""
    Intake.objects.filter(code=LISTENING).update(since=now, alive_at=now)


# ---------------------------------------------------------------- silence
def _silent(now: datetime) -> list[Raised]:
    listening = Intake.objects.get(code=LISTENING).since
    late = Q(pk__in=[])
    lasting: dict[tuple[str, str], timedelta] = {}
    for code in Last.objects.order_by().values_list("product", flat=True).distinct():
        known = devices.product(code)
        span = rulebooks.MISSED * timedelta(minutes=known.supervision_minutes) if known else timedelta(hours=24)
        lasting[code] = span
        if now - listening >= span:
            late |= Q(product=code, seen_at__lte=now - span)
    rows = list(
        Last.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(late, silent=False, device__state="issued").order_by("device_id")[:MOST]
    )  # fmt: skip
    if not rows:
        return []
    by_device = {r.device_id: r for r in rows}
    since = {r.device_id: max(r.seen_at, listening) + lasting[r.product] for r in rows}
    sizes = dict(Counter(Last.objects.exclude(network="").values_list("network", flat=True)))
    found, alone = storms([Silence(since[d], str(d), by_device[d].network) for d in by_device], sizes)
    Last.objects.filter(device_id__in=list(by_device)).update(silent=True)
    told = [judging.told(*judging.add([_storm(s, by_device, now)])) for s in found if _new_storm(s, now)]
    made = []
    holders = devices.wearers([int(s.device) for s in alone], at=now)
    facts = people.facts_of([w.person_id for w in holders.values() if w.person_id], timezone.localdate(now))
    for silence in alone:
        row = by_device[int(silence.device)]
        owner = holders.get(row.device_id)
        rule = rulebooks.sheet(row.path, row.product).rules.get(rulebooks.SILENT)
        if rule is None or _joins_storm(row, now):
            continue
        alone_at_night = owner and facts.get(owner.person_id, {}).get(FactKind.LIVING) == Living.ALONE and _night(now)
        made.append(Alarm(
            device_id=row.device_id, person_id=owner.person_id if owner else None, facility_id=owner.facility_id if owner else None,
            room=owner.room if owner else "", bed=owner.bed if owner else "", path=owner.path if owner else row.path, product=row.product,
            rule=rule.code, kind=AlarmKind.DEVICE_SILENT, level=2 if alone_at_night else rule.level, text=rule.name, raised_at=silence.at,
            last_at=row.seen_at, received_at=now, latitude=row.latitude, longitude=row.longitude, accuracy=row.accuracy, placed_at=row.placed_at,
        ))  # fmt: skip
    return told + [judging.told(row) for row in judging.add(made)]


def _night(now: datetime) -> bool:
    at = timezone.localtime(now).time()
    return at >= NIGHT[0] or at < NIGHT[1]


def _storm_open(network: str):
    return Alarm.objects.select_for_update(of=("self",)).filter(network=network, state=AlarmState.OPEN).first()


def _new_storm(storm, now: datetime) -> bool:
    """False when the network's case is open: its devices are added to it."""
    row = _storm_open(storm.group)
    if row is None:
        return True
    row.devices = sorted({*row.devices, *map(int, storm.devices)})
    row.count, row.last_at = len(row.devices), now
    row.save()
    return False


def _joins_storm(last: Last, now: datetime) -> bool:
    """A straggler of a network whose case is open belongs to it."""
    row = _storm_open(last.network) if last.network else None
    if row is None:
        return False
    row.devices, row.count, row.last_at = sorted({*row.devices, last.device_id}), len(row.devices) + 1, now
    row.save()
    return True


def _storm(storm, by_device: dict[int, Last], now: datetime) -> Alarm:
    ids = sorted(map(int, storm.devices))
    paths = [by_device[d].path for d in ids]
    common = paths[0]
    while not all(p.startswith(common) for p in paths):
        common = common[:-3]
    level = min(3, rulebooks.rules_at(common)[rulebooks.SILENT].level)
    return Alarm(
        path=common, rule=rulebooks.SILENT, kind=AlarmKind.DEVICE_SILENT, level=level, text=storm.group, network=storm.group,
        raised_at=storm.at, last_at=now, received_at=now, count=len(ids), devices=ids,
    )  # fmt: skip
