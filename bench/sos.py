"""From the press of a button to the row on an operator's screen, idle and under 2,000 messages a second (issue 5 §6.5).

    make bench NAME=sos                                       # a city of its own: 2,000 presses idle, 8,000 under load
    python bench/sos.py --idle 300 --loaded 1000              # shorter
    python bench/sos.py --home FOLDER --idle 100 --loaded 0   # a Sangyu that runs there (its devices are added to)

Everything is the real thing on one machine: watches speak TCP to the gateway, the console's SSE socket goes through the front door.
Measured is the time from writing the alarm's frame to reading the event from the socket: "heard" (``signals.alarm``, told past the
database, not yet a case: the console's first row, which sounds) and "case" (``emergencies.opened``: somebody can take it). Every watch has a wearer of its own and presses once,
so each press must be one case. Beside it, on the same engines: one JetStream publish with its acknowledgement and one committed insert.
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from _harness import verdict

FIRST = 5_000_001
#: Watches that make the load; presses a second beside it.
LOADERS, PRESSES = 1_000, 25.0
#: Seconds that a watch is there before its button is pressed.
AHEAD = 2.0
P50, AIM, P99, P99_AIM = 10.0, 2.0, 5.0, 3.0
PATIENCE = 60.0

MAKE = """
from django.utils import timezone
from sangyu.registry.devices.models import Binding, Device
from sangyu.registry.people.models import Person
start, count = {start}, {count}
pattern = Device.objects.filter(product="watch-3g", person__isnull=False).select_related("person").order_by("pk").first()
who, now = pattern.person, timezone.now()
have = set(Device.objects.filter(identity__startswith="88").values_list("identity", flat=True))
numbers = [n for n in (f"88{{i:08d}}" for i in range(start, start + count)) if n not in have]
people = Person.objects.bulk_create([Person(name="测试", pinyin="ceshi", initials="cs", sex="2", region_id=who.region_id, path=who.path,
    address=who.address, latitude=who.latitude, longitude=who.longitude, source="bench") for n in numbers], batch_size=1000)
devices = Device.objects.bulk_create([Device(product=pattern.product, kind=pattern.kind, protocol=pattern.protocol, identity=n, path=who.path,
    region_id=pattern.region_id, person=p, state="issued", received_on=now.date()) for n, p in zip(numbers, people)], batch_size=1000)
Binding.objects.bulk_create([Binding(device=d, person=p, path=who.path, issued_at=now, issued_by="bench") for d, p in zip(devices, people)],
    batch_size=1000)
from sangyu.kernel.models import Event
Event.objects.create(name="devices.registered", path="000", payload={{"count": len(devices)}}, actor="bench")
answer = len(devices)
"""
CASES = """
from sangyu.care.emergencies.models import Incident
from sangyu.kernel.models import Event
told = dict(Event.objects.filter(name="emergencies.opened").values_list("payload__incident", "at"))
rows = Incident.objects.filter(device__identity__startswith="88").values_list("pk", "device__identity", "received_at", "opened_at")
answer = [[i, n, *(m.timestamp() for m in (received, opened, told[i]))] for i, n, received, opened in rows]
"""
#: Where a press is at each stamp: at the gateway, in the hands of the consumer (its transaction begins), written (just before the commit).
STAGES = ("to the gateway", "stored, handed over", "taken, written", "committed, told")


@dataclass
class Seen:
    """What came on the console's socket, with when."""

    heard: dict[str, float] = field(default_factory=dict)
    cases: dict[int, float] = field(default_factory=dict)
    twice: Counter = field(default_factory=Counter)
    any_case: asyncio.Event = field(default_factory=asyncio.Event)


class Console:
    """An operator's console without its browser: the ticket over HTTP, the events over one socket through the front door."""

    def __init__(self, city, username: str) -> None:
        from sangyu.runtime.trial import Visitor

        self.visitor, self.port, self.seen = Visitor(city.port), city.port, Seen()
        self.visitor.sign_in(username)

    async def listen(self, ready: asyncio.Event) -> None:
        answer = await asyncio.to_thread(self.visitor.get, "/ui/live/?topics=emergencies,signals.alarm")
        address = json.loads(answer.body)["url"]
        reader, writer = await asyncio.open_connection("localhost", self.port, limit=1 << 20)
        cookies = "; ".join(f"{k}={v}" for k, v in self.visitor.cookies.items())
        writer.write(f"GET {address} HTTP/1.1\r\nHost: localhost:{self.port}\r\nCookie: {cookies}\r\n\r\n".encode())
        assert b" 200 " in await reader.readline()
        name = ""
        while line := await reader.readline():
            if line.startswith(b": from here") or line.startswith(b": still"):
                ready.set()
            elif line.startswith(b"event: "):
                name = line[7:].strip().decode()
                if name == "renew":
                    raise RuntimeError("the ticket ran out: measure for less than ten minutes")
            elif line.startswith(b"data: "):
                self.take(name, json.loads(line[6:])["payload"], time.perf_counter())

    def take(self, name: str, payload: dict, now: float) -> None:
        if name == "signals.alarm":
            self.seen.heard.setdefault(payload["number"], now)
        elif name == "emergencies.opened":
            if payload["incident"] in self.seen.cases:
                self.seen.twice[payload["incident"]] += 1
            self.seen.cases.setdefault(payload["incident"], now)
            self.seen.any_case.set()


class Watch:
    """A watch on its connection, as in life: it has been there for a while when the button is pressed."""

    def __init__(self, number: str, place: tuple[float, float]) -> None:
        from sangyu.runtime.simulate.life import Life
        from sangyu.runtime.simulate.speech import Watch as Speech

        self.number, self.speech, self.life = number, Speech(number), Life(1, number, *place)

    async def sign_in(self, port: int) -> "Watch":
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        self.writer.write(self.speech.login(datetime.now(UTC)).data)
        await self.reader.readuntil(b"]")
        return self

    async def press(self, pressed: dict[str, float]) -> None:
        """Press, and wait for the gateway's answer (an alarm without one is sent again)."""
        now = datetime.now(UTC)
        frame = self.speech.alarm(self.life.at(now), now).data
        pressed[self.number] = time.perf_counter()
        self.writer.write(frame)
        try:
            await asyncio.wait_for(self.reader.readuntil(b"]"), PATIENCE)
        finally:
            self.writer.close()


def load(ports: dict[str, int], rate: float, first: int, told, stop) -> None:
    """The other 2,000 messages a second, in a process of their own."""
    from sangyu.runtime.simulate import Fleet, made_up

    async def run() -> None:
        fleet = Fleet(made_up("watch", LOADERS, first=first), ports)
        await fleet.open(seconds=60)
        runs = asyncio.create_task(fleet.run(seconds=0, rate=rate))
        await asyncio.sleep(3)
        told.value = 1
        began, sent = time.monotonic(), fleet.counts["sent"]
        while not stop.is_set():
            await asyncio.sleep(0.2)
        told.value = (fleet.counts["sent"] - sent) / (time.monotonic() - began)
        fleet.stop()
        await asyncio.wait({runs}, timeout=20)
        await fleet.close()

    asyncio.run(run())


async def bare(home: Path, rounds: int = 400) -> tuple[float, float]:
    """Medians, in seconds: publish with its acknowledgement (a file stream as SIGNALS is one), insert with its commit."""
    import nats
    import psycopg

    from sangyu.runtime import keys
    from sangyu.runtime.engines import nats as engine
    from sangyu.runtime.engines.postgres import OWNER, url_of

    nc = await nats.connect(engine.url_of(home, keys.load(home, create=False)["nats_token"]))
    js = nc.jetstream()
    await js.add_stream(name="BENCH", subjects=["bench.x"])
    acks, commits = [], []
    try:
        for _n in range(rounds):
            began = time.perf_counter()
            await js.publish("bench.x", b"x" * 300)
            acks.append(time.perf_counter() - began)
    finally:
        await js.delete_stream("BENCH")
        await nc.close()
    with psycopg.connect(url_of(home, OWNER), autocommit=True) as database:
        database.execute("CREATE TABLE IF NOT EXISTS bench_sos (id bigserial PRIMARY KEY, body text)")
        for _n in range(rounds):
            began = time.perf_counter()
            database.execute("INSERT INTO bench_sos (body) VALUES (%s)", ["x" * 300])
            commits.append(time.perf_counter() - began)
        database.execute("DROP TABLE bench_sos")
    return statistics.median(acks), statistics.median(commits)


async def measure(city, idle: int, loaded: int, rate: float, first: int, operator: str) -> bool:
    from sangyu.runtime.simulate.command import ports_of

    ports = ports_of(city.home, "")
    ack, commit = await bare(city.home)
    peer = ack + commit
    print(f"beside it: publish with ack {ack * 1e3:.2f} ms + committed insert {commit * 1e3:.2f} ms = {peer * 1e3:.2f} ms", flush=True)  # fmt: skip
    console, ready = Console(city, operator), asyncio.Event()
    listening = asyncio.create_task(console.listen(ready))
    await asyncio.wait_for(ready.wait(), 30)
    draw, pressed = Random(1), {}
    numbers = [f"88{first + LOADERS + n:08d}" for n in range(idle + loaded)]
    place = (40.66, 122.23)
    seen = console.seen
    watches = [await Watch(number, place).sign_in(ports["watch"]) for number in numbers[:idle]]
    for watch in watches[:5]:  # the first ones warm processes up
        await watch.press(pressed)
        await asyncio.sleep(0.5)
    began, before = time.monotonic(), worked(city)
    for watch in watches[5:]:
        seen.any_case.clear()
        await watch.press(pressed)
        try:
            await asyncio.wait_for(seen.any_case.wait(), PATIENCE)
        except TimeoutError:
            print(f"  no case came for {watch.number} within {PATIENCE:.0f} s", flush=True)
        await asyncio.sleep(draw.uniform(0.05, 0.15))
    print(f"idle: {idle} presses, one at a time, a tenth of a second apart", flush=True)
    tell_work("idle", before, worked(city), time.monotonic() - began)
    sent = 0.0
    if loaded:
        context = multiprocessing.get_context("spawn")
        told, stop = context.Value("d", 0.0), context.Event()
        child = context.Process(target=load, args=(ports, rate, first, told, stop))
        child.start()
        while not told.value and child.is_alive():
            await asyncio.sleep(0.1)

        async def arrive(watch: Watch) -> None:
            await watch.sign_in(ports["watch"])
            await asyncio.sleep(AHEAD)
            await watch.press(pressed)

        presses, before = [], worked(city)
        began = time.perf_counter()
        for n, number in enumerate(numbers[idle:]):
            presses.append(asyncio.create_task(arrive(Watch(number, place))))
            await asyncio.sleep(max(0.0, began + (n + draw.random()) / PRESSES - time.perf_counter()))
        answers = await asyncio.gather(*presses, return_exceptions=True)
        if failed := Counter(type(a).__name__ for a in answers if a is not None):
            print(f"  unanswered under load (a watch would press again): {dict(failed)}", flush=True)
        tell_work("loaded", before, worked(city), time.perf_counter() - began)
        stop.set()
        await asyncio.to_thread(child.join, 60)
        sent = told.value
        if child.is_alive():
            child.kill()
    until = time.monotonic() + PATIENCE
    while len(seen.cases) < len(numbers) and time.monotonic() < until:
        await asyncio.sleep(0.2)
    listening.cancel()
    whose, stamps = {}, {}
    for incident, number, *moments in await asyncio.to_thread(city.ask, CASES):
        if number in pressed:
            whose[incident], stamps[number] = number, moments
    return tell(numbers, idle, pressed, seen, whose, stamps, peer, sent)


def tell_stages(
    name: str, some: list[str], pressed: dict[str, float], rows: dict[str, float], stamps: dict[str, list[float]]
) -> None:
    """Where the time goes, from the stamps in the database (the gateway's is a whole millisecond)."""
    ahead = time.time() - time.perf_counter()
    walks = [[pressed[n] + ahead, *stamps[n], rows[n] + ahead] for n in some if n in rows and n in stamps]
    if walks:
        stages = [sorted(walk[k + 1] - walk[k] for walk in walks) for k in range(len(STAGES))]
        told = ", ".join(
            f"{stage} {found[len(found) // 2] * 1e3:.1f} (p99 {found[min(len(found) - 1, int(len(found) * 0.99))] * 1e3:.0f})"
            for stage, found in zip(STAGES, stages, strict=True)
        )
        print(f"  {name:6} by stage, ms: {told}", flush=True)


def worked(city) -> dict[str, tuple[float, float]]:
    """Seconds that each part, with its children, has worked so far, and has waited for a processor to work on (Linux)."""
    parents, used = {}, {}
    for pid in (int(p) for p in os.listdir("/proc") if p.isdigit()):
        with contextlib.suppress(OSError):
            parents[pid] = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            threads = [task.read_text().split() for task in Path(f"/proc/{pid}/task").glob("*/schedstat")]
            used[pid] = tuple(sum(int(t[n]) for t in threads) / 1e9 for n in (0, 1))
    found: dict[str, tuple[float, float]] = {}
    mine = {part["pid"]: name for name, part in city.parts.items()}
    for pid, (ran, waited) in used.items():
        above = pid
        while above and above not in mine:
            above = parents.get(above, 0)
        if above:
            before = found.get(mine[above], (0.0, 0.0))
            found[mine[above]] = (before[0] + ran, before[1] + waited)
    return found


def tell_work(name: str, before: dict, after: dict, seconds: float) -> None:
    shares = sorted(
        (
            ((after[p][0] - before[p][0]) / seconds, (after[p][1] - before[p][1]) / seconds, p)
            for p in after
            if p in before
        ),
        reverse=True,
    )
    told = ", ".join(f"{p} {ran:.0%} ({waited:.0%})" for ran, waited, p in shares if ran > 0.005)
    print(f"  {name:6} % of one core (of the time waiting for one): {told}", flush=True)


def tell(numbers, idle: int, pressed, seen: Seen, whose: dict[int, str], stamps, peer: float, sent: float) -> bool:
    rows = {whose[i]: at for i, at in seen.cases.items() if i in whose}
    lost = [n for n in pressed if n not in rows]
    doubled = sum(seen.twice.values()) + len(whose) - len(set(whose.values()))
    figures = {}
    for name, some in (("idle", numbers[5:idle]), ("loaded", numbers[idle:])):
        for what, found in (("heard", seen.heard), ("case", rows)):
            times = sorted(found[n] - pressed[n] for n in some if n in found and n in pressed)
            if times:
                p50, p99 = times[len(times) // 2], times[min(len(times) - 1, int(len(times) * 0.99))]
                figures[name, what] = (p50, p99)
                print(f"  {name:6} {what:5} n {len(times):6,}  p50 {p50 * 1e3:7.1f} ms  p95 {times[int(len(times) * 0.95)] * 1e3:7.1f} ms  p99 {p99 * 1e3:7.1f} ms  most {times[-1] * 1e3:7.1f} ms", flush=True)  # fmt: skip
        tell_stages(name, some, pressed, rows, stamps)
    print(f"  presses {len(pressed):,}, rows {len(rows):,}, heard {len(seen.heard):,}; load {sent:,.0f} messages a second", flush=True)  # fmt: skip
    passed = verdict("sos", f"lost {len(lost)}, doubled {doubled}", f"{len(pressed):,} presses", "none", not lost and not doubled)  # fmt: skip
    for what in ("heard", "case"):
        times = figures["idle", what][0] / peer
        passed &= verdict(f"sos {what} idle p50", f"{times:.1f} ×", "publish with ack + committed insert", f"{P50:.0f} ×, aim {AIM:.0f} ×", times <= P50)  # fmt: skip
        if ("loaded", what) in figures:
            ratio = figures["loaded", what][1] / figures["idle", what][1]
            passed &= verdict(f"sos {what} p99 under load", f"{ratio:.1f} ×", "p99 idle", f"{P99:.0f} ×, aim {P99_AIM:.0f} ×", ratio <= P99)  # fmt: skip
    return passed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--idle", type=int, default=2_000)
    parser.add_argument("--loaded", type=int, default=8_000)
    parser.add_argument("--rate", type=float, default=2_000.0, help="messages a second beside the presses")
    parser.add_argument("--home", type=Path, help="a Sangyu that runs already")
    parser.add_argument(
        "--first",
        type=int,
        default=FIRST,
        help="number of the first watch; another one for another run on the same home",
    )
    parser.add_argument("--operator", default="operator")
    given = parser.parse_args()
    from sangyu.runtime.trial import City

    count = given.idle + given.loaded + LOADERS
    if given.home:
        city = City.running(given.home)
        city.ask(MAKE.format(start=given.first, count=count))
        time.sleep(5)
        passed = asyncio.run(measure(city, given.idle, given.loaded, given.rate, given.first, given.operator))
    else:
        with City() as city:
            city.env["SANGYU_SECOND_FACTOR"] = "off"
            city.build()
            city.ask(MAKE.format(start=given.first, count=count))
            city.start()
            time.sleep(8)  # the snapshot of wearers and the gateway's register are read
            passed = asyncio.run(measure(city, given.idle, given.loaded, given.rate, given.first, given.operator))
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
