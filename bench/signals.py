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
import multiprocessing
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from _harness import server, verdict  # noqa: E402
from _signals_house import House, load  # noqa: E402
from _stages import STATEMENTS, shares, spent  # noqa: E402

FLOOR, AIM, COPY_SHARE = 5_000, 20_000, 0.1


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
    told, used, stored = [], spent(house.stages()), house.stored(gateways)
    while len(told) < loads:
        time.sleep(0.5)
        assert any(p.is_alive() for p in processes) or not queue.empty(), "the load broke down"
        with contextlib.suppress(Exception):
            while True:
                told.append(queue.get_nowait())
    for p in processes:
        p.join(30)
    sent = sum(t["sent"] for t in told) + devices  # and the sign-ins
    at_end, on_stream = house.committed() - before, house.stored(gateways) - stored
    ended = time.monotonic()
    while house.committed() - before < sent and time.monotonic() < ended + 60:
        time.sleep(0.25)
    caught_up = time.monotonic() - ended
    after = house.committed() - before
    loading = sum(t["processor"] for t in told)
    return {
        "rate": rate, "shares": shares(used, spent(house.stages()) | {"load": loading}, after), "sent": sent, "committed": after, "lag": max(0, sent - at_end), "before_stream": max(0, sent - on_stream), "caught_up": caught_up,
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
        f" end {r['lag']:,} messages ({r['before_stream']:,} of them not on the stream as told within 2 s), caught up after {r['caught_up']:.1f} s, load late by {r['late'] * 1000:.0f} ms {'holds' if holds(r) else 'SHORT'}",
        r["shares"], sep="\n", flush=True,
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
    """``count`` watches, the gateway is killed and comes again (§6.6)."""
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
    arguments.add_argument("--watches", type=int, default=4000)
    arguments.add_argument("--statements", action="store_true", help="and what PostgreSQL spends on each statement")
    given = arguments.parse_args()
    signal.signal(signal.SIGTERM, lambda *_args: sys.exit(1))  # what runs is ended also when the time given is over
    with server({"shared_preload_libraries": "pg_stat_statements"} if given.statements else None) as postgres:
        house = House(postgres, given.watches if given.restart else given.devices)
        try:
            house.start("consumer")
            if given.restart:
                return 0 if restart(house, given.watches) else 1
            return 0 if run(house, given) else 1
        finally:
            house.close()


def run(house: House, given) -> bool:
    house.start("gateway")
    house.wait_for()
    show(one_rate(house, 500, 3, given.devices), "warm ")
    best = None
    if given.statements:
        house.sql("CREATE EXTENSION pg_stat_statements")
    for rate in map(int, given.rates.split(",")):
        result = one_rate(house, rate, given.seconds, given.devices)
        show(result)
        if given.statements:
            for micros, calls, rows, text in house.sql(STATEMENTS, float(result["committed"])):
                print(f"      {micros:>6} µs a message, {calls:,} times {rows} rows: {text}", flush=True)
            house.sql("SELECT pg_stat_statements_reset()")
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
