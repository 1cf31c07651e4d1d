"""Signals under kill -9: devices on real connections speak while parts die in turn; then everything that was answered is looked for (issue 5 §6.3)."""

import asyncio
import os
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random

from sangyu.runtime.simulate import Fleet
from sangyu.runtime.simulate.command import ports_of
from sangyu.runtime.simulate.wearers import Wearer

from .cluster import Cluster

#: Numbers that no demo city has.
WATCHES, CANES = "8866{:06d}", "886600000{:06d}"
MAKE = """
from django.utils import timezone
from sangyu.registry.devices.models import Binding, Device
from sangyu.registry.people.models import Consent, Person
from sangyu.registry.regions.models import Region
given = {given!r}
pattern = Person.objects.filter(registered_on__isnull=False, died_on=None, latitude__isnull=False).order_by("pk").first()
region, now = Region.objects.filter(path=pattern.path[:12]).first() or pattern.region, timezone.now()
have = set(Device.objects.filter(identity__startswith="8866").values_list("identity", flat=True))
new = [g for g in given if g[1] not in have]
people = Person.objects.bulk_create([Person(name="试验", pinyin="shiyan", initials="sy", sex="2", region_id=pattern.region_id, path=pattern.path,
    address="试验", latitude=pattern.latitude, longitude=pattern.longitude, source="faults") for g in new], batch_size=1000)
# without consent no place and no value is kept, and two reports of one second would look like one stored twice
Consent.objects.bulk_create([Consent(person=o, path=o.path, purpose=w, version="1", given_by="self", given_on=now.date(), proof="paper")
    for o in people for w in ("location", "health_data")], batch_size=2000)
devices = Device.objects.bulk_create([Device(product=p, kind=k, protocol=pr, identity=i, path=pattern.path, region=region, person=o, state="issued",
    received_on=now.date()) for (pr, i, p, k), o in zip(new, people)], batch_size=1000)
Binding.objects.bulk_create([Binding(device=d, person=o, path=o.path, issued_at=now, issued_by="faults") for d, o in zip(devices, people)], batch_size=1000)
answer = [pattern.latitude, pattern.longitude]
"""
FACTS = """
from django.db import connection
from datetime import timedelta
from django.utils import timezone
from sangyu.care.emergencies.models import Incident, Step
from sangyu.care.signals.models import Alarm, Poison
with connection.cursor() as c:
    c.execute("SELECT count(*), count(DISTINCT id) FROM signals_seen WHERE id = ANY (%s::uuid[])", [{ids!r}])
    stored, distinct = c.fetchone()
    c.execute("SELECT count(*), count(DISTINCT (device_id, at, kind_of)) FROM (SELECT r.device_id, r.at, coalesce(r.alarms, '') || coalesce(r.heart_rate::text, '') "
              "|| coalesce(r.latitude::text, '') || coalesce(r.steps::text, '') || coalesce(r.battery::text, '') || coalesce(r.systolic::text, '') "
              "|| coalesce(r.spo2::text, '') || coalesce(r.body_temperature::text, '') kind_of "
              "FROM signals_reading r JOIN devices_device d ON d.id = r.device_id WHERE d.identity LIKE '8866%%') x", [])
    rows, unlike = c.fetchone()
    c.execute("SELECT r.device_id, r.at, array_agg(r.received_at), array_agg(r.alarms) FROM signals_reading r JOIN devices_device d ON d.id = r.device_id "
              "WHERE d.identity LIKE '8866%%' GROUP BY 1, 2 HAVING count(*) > 1 ORDER BY 2 LIMIT 5", [])
    together = [[str(value) for value in row] for row in c.fetchall()]
cases = list(Incident.objects.filter(device__identity__startswith="8866", kind="sos").values_list("device__identity", flat=True))
steps = Step.objects.filter(incident__device__identity__startswith="8866")
answer = dict(together=together, stored=stored, distinct=distinct, rows=rows, unlike=unlike, cases=cases, poison=Poison.objects.count(),
    steps=steps.exclude(done_at=None).count(), overdue=steps.filter(done_at=None, due_at__lt=timezone.now() - timedelta(seconds=5)).count(),
    alarms=Alarm.objects.filter(device__identity__startswith="8866", kind="sos").count())
"""


@dataclass
class Outcome:
    """Counts of one run."""

    killed: list[str] = field(default_factory=list)
    sent: int = 0
    acknowledged: int = 0
    stored: int = 0
    lost: int = 0
    doubled: int = 0
    pressed: int = 0
    presses_answered: int = 0
    callers: int = 0
    cases: int = 0
    missing_cases: int = 0
    doubled_cases: int = 0
    poison: int = 0
    steps: int = 0
    overdue: int = 0
    seconds: float = 0.0
    #: Rows of one device and moment, to look at when something is doubled.
    together: list = field(default_factory=list)

    @property
    def whole(self) -> bool:
        return not (
            self.lost or self.doubled or self.missing_cases or self.doubled_cases or self.poison or self.overdue
        )

    def __str__(self) -> str:
        killed = ", ".join(f"{n}× {name}" for name, n in Counter(self.killed).items())
        return (
            f"killed {killed}; sent {self.sent}; acknowledged {self.acknowledged}, stored {self.stored}, doubled {self.doubled}, lost {self.lost}; "
            f"presses answered {self.presses_answered} by {self.callers} devices, cases {self.cases}, missing {self.missing_cases}, "
            f"doubled {self.doubled_cases}; steps executed {self.steps}, overdue {self.overdue}; set aside {self.poison}; {self.seconds:.0f} s"
            + (f"; {self.together}" if self.doubled else "")
        )


def run(
    city,
    *,
    devices: int,
    rate: float,
    sos: float,
    victims: tuple[str, ...],
    between: float,
    seed: object = 1,
    cluster: Cluster | None = None,
) -> Outcome:
    """Play ``devices`` (watches and canes) at ``rate`` messages a second while ``victims`` die in turn, ``between`` seconds apart.

    With a ``cluster`` of NATS the victim "nats" is one of its nodes and "all of nats" all of them; they come back after a moment.
    """
    half = devices // 2
    given = [("watch", WATCHES.format(n), "watch-3g", "watch") for n in range(half)]
    given += [("gt06", CANES.format(n), "cane-gt06", "cane") for n in range(devices - half)]
    latitude, longitude = city.ask(MAKE.format(given=given))
    draw = Random(f"{seed} places")

    def near() -> tuple[float, float]:
        return latitude + draw.uniform(-0.02, 0.02), longitude + draw.uniform(-0.02, 0.02)

    wearers = [Wearer(protocol, identity, *near(), product) for protocol, identity, product, _kind in given]
    time.sleep(3)  # the gateway hears of new devices by event
    done, began = Outcome(), time.monotonic()
    with ThreadPoolExecutor(1) as aside:  # the thread of a browser test has a loop of its own
        fleet = aside.submit(
            lambda: asyncio.run(_play(city, wearers, rate, sos, victims, between, seed, done, cluster))
        ).result()
    done.sent = fleet.counts["sent"]
    ids = [pk.hex() for pk in fleet.answered_ids]
    done.acknowledged, done.presses_answered = len(ids), len(fleet.alarm_ids)
    done.pressed = fleet.counts["alarms"]
    callers = {d.wearer.identity for d in fleet.devices if d in pressed_by(fleet)}
    until = time.monotonic() + 90
    facts: dict = {}
    while time.monotonic() < until:
        facts = city.ask(FACTS.format(ids="{" + ",".join(ids) + "}"))
        if facts["distinct"] >= len(ids) and callers <= set(facts["cases"]) and not facts["overdue"]:
            break
        time.sleep(1)
    cases = Counter(facts["cases"])
    done.stored, done.lost = facts["distinct"], len(ids) - facts["distinct"]
    done.doubled = facts["stored"] - facts["distinct"] + facts["rows"] - facts["unlike"]
    done.callers, done.cases = len(callers), sum(cases.values())
    done.missing_cases, done.doubled_cases = len(callers - set(cases)), sum(n - 1 for n in cases.values())
    done.steps, done.overdue = facts["steps"], facts["overdue"]
    done.together = facts["together"]
    done.poison, done.seconds = facts["poison"], time.monotonic() - began
    return done


def pressed_by(fleet: Fleet) -> set:
    """Devices of which an SOS was answered."""
    return {d for d in fleet.devices if getattr(d, "answered_sos", False)}


async def _play(city, wearers, rate, sos, victims, between, seed, done: Outcome, cluster: Cluster | None) -> Fleet:
    fleet = Fleet(wearers, ports_of(city.home, ""), seed=seed, prove=True)
    whole = fleet.proved

    def proved(device, frame) -> None:
        if frame.alarm:
            device.answered_sos = True
        whole(device, frame)

    fleet.proved = proved
    await fleet.open(a_second=400, seconds=60)
    speaking = asyncio.create_task(fleet.run(rate=rate, sos=sos))
    draw = Random(f"{seed} victims")
    for victim in victims:
        await asyncio.sleep(between * (0.7 + 0.6 * draw.random()))
        if cluster is not None and "nats" in victim:
            nodes = range(len(cluster.nodes)) if "all" in victim else [draw.randrange(len(cluster.nodes))]
            for n in nodes:
                cluster.kill(n)
            await asyncio.sleep(1)
            for n in nodes:
                cluster.run(n)
            done.killed.append(victim)
            continue
        for _try in range(100):
            try:
                os.kill(city.parts[victim]["pid"], signal.SIGKILL)
                done.killed.append(victim)
                break
            except (ProcessLookupError, TypeError, KeyError, OSError, ValueError):
                await asyncio.sleep(0.2)
    await asyncio.sleep(between)
    fleet.stop()
    await speaking
    await fleet.settle(60)
    await asyncio.sleep(1)
    await fleet.close()
    return fleet
