"""Signals a second from device sockets to committed rows, everything and the load on this machine (issue 5 §6.4, ADR 0024).

    make bench NAME=signals                     (60 s at each rate until the lag grows; 2 gateways and 2 consumers at the end)
    python bench/signals.py --seconds 10 --rates 2000,5000

A fresh PostgreSQL (durable as in production), NATS with ``sync_interval: always``, `sangyu gateway`, `sangyu consumer`, and a process of load: watches on
real connections, positions with battery and steps, every one different, each device equally often. A rate counts when
the load kept to it, every message that was sent is a committed message in the end, none twice, and the lag at the end of the run is no more than two seconds' worth of messages.
Beside it the least that this server can do: the same number of rows of the same width, 500 a COPY, each committed.

``--restart``: instead, 4,000 watches connect, the gateway is killed and started again: all back, no alarm, nobody counted silent (§6.6).
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from _harness import server, verdict  # noqa: E402

FLOOR, AIM, COPY_SHARE = 5_000, 20_000, 0.1
SETTINGS = "sangyu.runtime.settings.test"


# ---------------------------------------------------------------- the house
class House:
    """Engines and parts of one platform in a folder, each a process of its own, all ended with it."""

    def __init__(self, postgres, devices: int) -> None:
        from sangyu.runtime.engines.nats import Nats
        from sangyu.runtime.engines.process import wait_until

        self.postgres, self.home = postgres, Path(tempfile.mkdtemp(prefix="sangyu-signals-"))
        self.nats = Nats(self.home, "bench")
        self.nats.prepare()
        self.server = self.nats.command().spawn(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert wait_until(self.nats.ready, 30)
        self.env = {
            **os.environ, "SANGYU_TEST_DATABASE_URL": postgres.url(), "SANGYU_NATS_URL": self.nats.url, "DJANGO_SETTINGS_MODULE": SETTINGS,
            "SANGYU_HOME": str(self.home), "PYTHONPATH": str(ROOT / "src") + os.pathsep + str(ROOT / "tests"), "PYTHONWARNINGS": "ignore",
        }  # fmt: skip
        owner = {**self.env, "SANGYU_TEST_DATABASE_URL": postgres.url("postgres")}
        subprocess.run([sys.executable, "-m", "django", "migrate", "--skip-checks", "-v", "0"], env=owner, check=True)
        self.register(devices)
        self.parts: list[subprocess.Popen] = []

    def sql(self, text: str, *values):
        import psycopg

        with psycopg.connect(self.postgres.url("postgres"), autocommit=True) as c:
            answer = c.execute(text, values or None)
            return answer.fetchall() if answer.description else None

    def register(self, count: int) -> None:
        """Watches in stock: readings are stored with or without a wearer."""
        self.sql(_region(self))
        self.sql(
            "INSERT INTO devices_device (product, kind, protocol, identity, serial, region_id, path, state, service_fee, sim_fee, payer,"
            " received_on, note, created_at) SELECT 'watch-3g', 'watch', 'watch', '88' || lpad(n::text, 8, '0'), '', 1, '000', 'stock', 0, 0,"
            " 'government', '2026-01-01', '', now() FROM generate_series(1, %s) n", count
        )  # fmt: skip

    def start(self, word: str, n: int = 0) -> subprocess.Popen:
        env = dict(self.env)
        if word == "gateway":
            env |= {"SANGYU_HOME": str(self.home / f"g{n}"), "SANGYU_GATEWAY": f"watch=127.0.0.1:{self.port(n)}"}
        log = (self.home / f"{word}{n}.log").open("ab")
        child = subprocess.Popen([sys.executable, "-m", "sangyu.runtime.cli", word], env=env, stdout=log, stderr=log)
        self.parts.append(child)
        return child

    def port(self, n: int) -> int:
        from sangyu.runtime.engines.process import free_port

        kept = self.home / f"port{n}"
        if not kept.exists():
            kept.write_text(str(free_port()))
        return int(kept.read_text())

    def state(self, n: int = 0) -> dict:
        with contextlib.suppress(OSError, ValueError):
            return json.loads((self.home / f"g{n}" / "gateway" / "state.json").read_text())
        return {}

    def wait_for(self, n: int = 0, seconds: float = 60) -> None:
        until = time.monotonic() + seconds
        while not self.state(n).get("ports"):
            assert time.monotonic() < until, (self.home / f"gateway{n}.log").read_text()[-2000:]
            time.sleep(0.1)

    def committed(self) -> int:
        """Messages in the database: each has its id there once."""
        return self.sql("SELECT count(*) FROM signals_seen")[0][0]

    def end(self, child: subprocess.Popen, number: int = signal.SIGTERM) -> None:
        if child.poll() is None:
            child.send_signal(number)
            try:
                child.wait(30)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait(10)
        if child in self.parts:
            self.parts.remove(child)

    def close(self) -> None:
        for child in list(self.parts):
            self.end(child)
        self.server.terminate()
        self.server.wait(20)


def _region(house: House) -> str:
    """The root region, whatever further columns it must have."""
    columns = house.sql(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'regions_region' AND is_nullable = 'NO'"
        " AND column_default IS NULL AND is_identity = 'NO'"
    )
    given = {
        "path": "'000'", "level": "0", "name": "'中国'", "full_name": "'中国'", "code": "'000000000000'", "valid_from": "'2000-01-01'",
    }  # fmt: skip
    plain = {"integer": "0", "smallint": "0", "bigint": "0", "boolean": "false", "jsonb": "'{}'", "date": "'2000-01-01'", "timestamp with time zone": "now()"}  # fmt: skip
    values = {name: given.get(name, plain.get(kind, "''")) for name, kind in columns}
    return f"INSERT INTO regions_region (id, {', '.join(values)}) VALUES (1, {', '.join(values.values())})"


# ---------------------------------------------------------------- the load
def load(ports: list[int], devices: int, rate: int, seconds: float, out, first: int = 1) -> None:
    """A process: ``devices`` connections, ``rate`` messages a second of all together; tells how many were sent and how late it ran."""
    import uvloop

    out.put(asyncio.Runner(loop_factory=uvloop.new_event_loop).run(_load(ports, devices, rate, seconds, first)))


class _Line(asyncio.Protocol):
    def connection_made(self, transport) -> None:
        self.transport, self.answered = transport, 0

    def data_received(self, data: bytes) -> None:
        self.answered += 1

    def connection_lost(self, error) -> None:
        self.transport = None


async def _load(ports: list[int], devices: int, rate: int, seconds: float, first: int) -> dict:
    loop = asyncio.get_running_loop()
    lines = []
    for n in range(devices):
        _t, line = await loop.create_connection(_Line, "127.0.0.1", ports[n % len(ports)])
        lines.append((line, b"88%08d" % (n + first)))
        line.transport.write(b"[3G*88%08d*0002*LK]" % (n + first))
    while sum(line.answered > 0 for line, _i in lines) < devices:
        await asyncio.sleep(0.05)
    today = f"{datetime.now(UTC):%d%m%y}".encode()
    began, sent, late = time.perf_counter(), 0, 0.0
    while (now := time.perf_counter()) - began < seconds:
        due = min(int((now - began) * rate), sent + rate // 20 + 1)
        clock = f"{datetime.now(UTC):%H%M%S}".encode()
        for n in range(sent, due):
            line, identity = lines[n % devices]
            content = b"UD,%s,%s,A,40.%06d,N,122.%06d,E,0.40,12.0,8.0,9,80,%d,%d,0,00000018,1,0,460,00,9763,4021,130" % (
                today, clock, 600_000 + n % 90_000, 200_000 + n % 70_000, 20 + n % 80, n % 20_000,
            )  # fmt: skip
            if line.transport is None:
                return {"sent": sent, "late": 0.0, "broken": True}
            line.transport.write(b"[3G*%s*%04X*%s]" % (identity, len(content), content))
        sent = due
        late = max(late, (now - began) - sent / rate)
        await asyncio.sleep(0.004)
    took = time.perf_counter() - began
    await asyncio.sleep(1)
    for line, _identity in lines:
        if line.transport is not None:
            line.transport.close()
    return {"sent": sent, "late": late, "seconds": took, "broken": False}


# ---------------------------------------------------------------- rounds
def one_rate(house: House, rate: int, seconds: float, devices: int, gateways: int = 1, loads: int = 1) -> dict:
    """Run at a rate; answers what was sent and committed, the rate that was reached and the lag through the run."""
    before, queue = house.committed(), multiprocessing.get_context("spawn").Queue()
    each = devices // loads
    processes = [
        multiprocessing.get_context("spawn").Process(
            target=load, args=([house.port(n) for n in range(gateways)], each, rate // loads, seconds, queue, 1 + k * each)
        )
        for k in range(loads)
    ]  # fmt: skip
    for p in processes:
        p.start()
    told, lags, began = [], [], None
    while len(told) < loads:
        time.sleep(0.5)
        with contextlib.suppress(Exception):
            while True:
                told.append(queue.get_nowait())
        got = sum(house.state(n).get("counts", {}).get("messages", 0) for n in range(gateways))
        if got and began is None:
            began = time.monotonic()
        lags.append(house.state(0).get("stream_lag", 0))
    for p in processes:
        p.join(30)
    sent = sum(t["sent"] for t in told) + devices  # and the sign-ins
    at_end = house.committed() - before
    ended = time.monotonic()
    while house.committed() - before < sent and time.monotonic() < ended + 60:
        time.sleep(0.25)
    caught_up = time.monotonic() - ended
    after = house.committed() - before
    return {
        "rate": rate, "sent": sent, "committed": after, "lag": max(0, sent - at_end), "caught_up": caught_up,
        "late": max(t["late"] for t in told), "broken": any(t["broken"] for t in told),
        "reached": sum(t["sent"] for t in told) / max(t.get("seconds", seconds) for t in told),
    }  # fmt: skip


def holds(r: dict) -> bool:
    """Does the rate count?"""
    return (
        not r["broken"]
        and r["sent"] == r["committed"]
        and r["reached"] > 0.97 * r["rate"]
        and r["lag"] <= 2 * r["rate"]
    )


def show(r: dict, what: str = "") -> None:
    print(
        f"  {what}{r['rate']:>6,}/s: sent {r['sent']:,} at {r['reached']:,.0f}/s, committed {r['committed']:,} (missing {r['sent'] - r['committed']:,}), lag at the"
        f" end {r['lag']:,} messages, caught up after {r['caught_up']:.1f} s, load late by {r['late'] * 1000:.0f} ms {'holds' if holds(r) else 'SHORT'}",
        flush=True,
    )  # fmt: skip


def copy_limit(house: House, seconds: float = 5) -> float:
    """Rows a second of the same width, 500 a COPY, each committed, into a table with the indexes of a plain history."""
    import psycopg

    with psycopg.connect(house.postgres.url("postgres"), autocommit=True) as c:
        c.execute("CREATE TABLE least (at timestamptz, device bigint, kind text, value float8, path text, id bytea)")
        c.execute("CREATE INDEX ON least USING brin (at)")
        row = (datetime.now(UTC), 1, "battery", 66.0, "000001001001", b"0123456789abcdef")
        began, rows = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            with c.transaction(), c.cursor().copy("COPY least FROM STDIN") as copy:
                for _n in range(500):
                    copy.write_row(row)
            rows += 500
        spent = time.perf_counter() - began
        c.execute("DROP TABLE least")
    return rows / spent


def restart(house: House, count: int) -> bool:
    """4,000 watches, the gateway is killed and comes again (§6.6)."""
    from sangyu.runtime.simulate import Fleet, made_up

    async def play() -> tuple:
        wearers = made_up("watch", count)
        fleet = Fleet(wearers, {"watch": house.port(0)}, seed=1)
        began = time.monotonic()
        first = await fleet.open(a_second=1500, seconds=120)
        connected = time.monotonic() - began
        await fleet.run(seconds=3, interval=30)
        child = house.parts[-1]
        house.end(child, signal.SIGKILL)
        began = time.monotonic()
        await asyncio.sleep(0.5)
        lost = count - len(fleet.signed_in)
        (house.home / "g0" / "gateway" / "state.json").unlink(missing_ok=True)
        house.start("gateway")
        back = 0.0
        while len(fleet.signed_in) < count and time.monotonic() < began + 180:
            await asyncio.sleep(0.1)
        back = time.monotonic() - began
        await fleet.run(seconds=3, interval=30)
        there = len(fleet.signed_in)
        await fleet.close()
        return first, connected, lost, there, back

    house.start("gateway")
    house.wait_for()
    first, connected, lost, there, back = asyncio.run(play())
    time.sleep(3)
    alarms = house.sql("SELECT count(*) FROM signals_alarm")[0][0]
    print(
        f"  {first:,} signed in within {connected:.1f} s; killed: {lost:,} lost their connection; {there:,} back {back:.1f} s after the kill; alarms {alarms}"
    )
    return verdict(
        "restart", f"{there:,} of {count:,} back, {alarms} alarms", "a killed gateway", "all back, no alarm",
        (first, lost, there, alarms) == (count, count, count, 0),
    )  # fmt: skip


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--rates", default="2500,5000,7500,10000,15000,20000")
    arguments.add_argument("--devices", type=int, default=1000)
    arguments.add_argument("--restart", action="store_true")
    given = arguments.parse_args()
    with server() as postgres:
        house = House(postgres, 4000 if given.restart else given.devices)
        try:
            house.start("consumer")
            if given.restart:
                return 0 if restart(house, 4000) else 1
            return 0 if run(house, given) else 1
        finally:
            house.close()


def run(house: House, given) -> bool:
    house.start("gateway")
    house.wait_for()
    show(one_rate(house, 500, 3, given.devices), "warm ")
    best = None
    for rate in map(int, given.rates.split(",")):
        result = one_rate(house, rate, given.seconds, given.devices)
        show(result)
        if not holds(result):
            break
        best = result
    least = copy_limit(house)
    reached = best["reached"] if best else 0
    print(f"  500-row COPY commits: {least:,.0f} rows/s; ours {reached / least:.3f} of it")
    doubled = house.sql("SELECT count(*) - count(DISTINCT (day, id)) FROM signals_seen")[0][0]
    house.start("gateway", 1)
    house.wait_for(1)
    house.start("consumer", 1)
    time.sleep(2)
    two = one_rate(
        house, int((best or {"rate": 2000})["rate"] * 0.6), min(given.seconds, 20), given.devices, gateways=2
    )
    show(two, "2 gateways, 2 consumers ")
    ok = verdict(
        "signals", f"{reached:,.0f}/s held", "device socket to committed row", f"≥ {FLOOR:,}", reached >= FLOOR
    )
    ok &= verdict(
        "signals", f"{reached / least:.2f}", "500-row COPY commits", f"≥ {COPY_SHARE}", reached >= COPY_SHARE * least
    )
    return ok & verdict("signals", f"{two['sent'] - two['committed']} missing, {doubled} doubled", "2 gateways, 2 consumers", "0, 0", two["sent"] == two["committed"] and not doubled)  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
