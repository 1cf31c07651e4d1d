"""Degraded mode of the desk: alarms reach consoles past the database (X-08, ADR 24 step 5)."""

import asyncio
import contextlib
import threading
import time
from dataclasses import replace

import pytest

from sangyu.engines.codecs import entries
from sangyu.kernel import live
from sangyu.kernel.actor import Actor, Audience
from sangyu.registry.devices import services
from sangyu.runtime import push, push_alarms, wearers
from support.equipping import AGREED, NOW
from support.nats import Nats
from support.processes import eventually
from support.world import make_person

A = Actor(
    audience=Audience.STAFF,
    path="000001",
    name="a",
    account_id=1,
    permissions=frozenset({"x.hear", "emergencies.handle"}),
)
B = replace(A, path="000002", account_id=2)
ENTRY = entries.Entry(
    id=b"0123456789abcdef", device=7, product="watch-3g", kind="alarm", word="AL", received_at=0,
    alarms=(("sos", 1, "status.16", ""), ("low_battery", 3, "status.0", "")),
)  # fmt: skip
WORN = wearers.Worn("000001004", "8800000000", "watch-3g", 5, "王*", None, "", "")


@pytest.fixture(scope="module")
def nats(tmp_path_factory):
    server = Nats(tmp_path_factory.mktemp("nats"))
    server.start()
    yield server
    server.stop()


def client(actor: Actor, topics=("signals.alarm",), age: int = 600) -> push.Client:
    return push.Client(live.listener(live.ticket(actor, topics, age=age)))


def told(of: push.Client) -> list[tuple[str, dict]]:
    found = []
    while not of.queue.empty():
        mark, event = of.queue.get_nowait()
        assert mark == ""  # it has no place in the stream: the browser keeps the one it knows
        found.append((event["name"], event["payload"]))
    return found


def alarm(**other) -> entries.Entry:
    return replace_entry(received_at=int(time.time() * 1000), **other)


def replace_entry(**other) -> entries.Entry:
    import msgspec

    return msgspec.structs.replace(ENTRY, **other)


@contextlib.asynccontextmanager
async def hub_on(nats, settings, monkeypatch, silence: float = 60.0):
    """The push process's own parts on a real server, with the stream of signals and a snapshot there."""
    settings.NATS_URL = nats.url
    monkeypatch.setattr(push_alarms, "SILENCE", silence)
    nc = await live.connect("test")
    js = nc.jetstream()
    for stream in (entries.STREAM, wearers.STREAM):
        with contextlib.suppress(Exception):
            await js.delete_stream(stream)
    await js.add_stream(name=entries.STREAM, subjects=["signals.alarm.*", "signals.reading.*"])
    await wearers.ensure_stream(js)
    await js.publish("wearers.0", wearers.encode({7: WORN}))
    hub = push.Hub()
    task = asyncio.create_task(hub.alarms.run())
    try:
        await until(lambda: 7 in hub.alarms.worn)
        yield hub, js, nc
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await nc.close()


async def until(condition, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "never happened"
        await asyncio.sleep(0.02)


def test_an_alarm_of_level_1_is_told_to_the_staff_of_the_wearers_area(nats, settings, monkeypatch):
    async def go():
        async with hub_on(nats, settings, monkeypatch) as (hub, js, _nc):
            mine, theirs, deaf = client(A), client(B), client(A, ("orders",))
            hub.clients |= {mine, theirs, deaf}
            first = alarm()
            await js.publish(entries.subject(first), entries.pack([first]))
            await js.publish(
                entries.subject(first), entries.pack([first])
            )  # the device pressed on, the gateway sent again
            low = alarm(id=b"l" * 16, alarms=(("low_battery", 3, "status.0", ""),))
            await js.publish("signals.alarm.3", entries.pack([low]))
            unknown = alarm(id=b"u" * 16, device=99)
            await js.publish("signals.alarm.1", entries.pack([unknown]))
            await js.publish("signals.alarm.1", b"rubbish")
            await until(lambda: hub.alarms.place == 5)
            [(name, said)] = told(mine)
            assert name == "signals.alarm"
            assert said == {
                "entry": ENTRY.id.hex(), "device": 7, "number": "8800000000", "product": "watch-3g", "person": 5, "name": "王*",
                "room": "", "kind": "sos", "level": 1, "received": first.received_at / 1000,
            }  # fmt: skip
            assert (told(theirs), told(deaf)) == ([], [])
            root = client(replace(A, path="000"))
            again = list(hub.alarms.greeting(root.who))
            assert [e["payload"]["device"] for e in again] == [7, 99]

    asyncio.run(go())


def test_without_a_beat_consoles_are_told_and_their_tickets_hold(nats, settings, monkeypatch):
    async def go():
        async with hub_on(nats, settings, monkeypatch, silence=0.8) as (hub, js, nc):
            await nc.publish(live.BEAT, b"")
            await until(lambda: time.monotonic() - hub.alarms.beat < 0.5)
            desk, other = client(A, age=2), client(A, ("orders",), age=2)
            hub.clients |= {desk, other}
            await until(lambda: hub.alarms.since is not None)
            assert told(desk) == [("live.degraded", {})]
            assert told(other) == []
            entry = alarm(id=b"d" * 16)
            await js.publish(entries.subject(entry), entries.pack([entry]))
            await until(lambda: hub.alarms.kept)
            await until(lambda: desk.who.expires < time.time())
            assert (hub.alarms.stays(desk.who), hub.alarms.stays(other.who)) == (True, False)
            lines = push._stream(hub, desk, "")
            said = [await anext(lines) for _n in range(4)]
            assert [s.split("\n")[0] for s in said] == [
                "retry: 1500",
                "id: .0",
                "event: live.degraded",
                "event: signals.alarm",
            ]
            # who comes back with a ticket that ended after the database went is let in; one that had ended before is not
            gone = live.ticket(A, ["signals.alarm"], age=-120)
            assert live.listener(gone, hub.alarms.good_at()) is None
            late = live.ticket(A, ["signals.alarm"], age=-1)
            assert live.listener(late) is None
            assert live.listener(late, hub.alarms.good_at()) is not None
            await nc.publish(live.BEAT, b"")
            await until(lambda: hub.alarms.since is None)
            rest = [line async for line in lines]
            assert [line.split("\n")[0] for line in rest][-2:] == ["event: live.recovered", "event: renew"]

    asyncio.run(go())


def test_only_who_may_hears_what_says_more_than_ids(monkeypatch):
    monkeypatch.setattr(live, "_guarded", {})
    live.guard("signals.alarm", "x.hear")
    topics = ["signals", "signals.alarm", "signals.alarm.one", "signal", "orders"]
    assert live.listener(live.ticket(A, topics)).topics == tuple(sorted(topics))
    nobody = replace(A, permissions=frozenset())
    assert live.listener(live.ticket(nobody, topics)).topics == ("orders", "signal")


@pytest.mark.django_db(transaction=True)
def test_the_snapshot_follows_issues_and_names_nobody(nats, settings, staff, regions):
    settings.NATS_URL = nats.url
    bureau, person = staff("a"), make_person(regions["a_one"])
    device = services.receive(actor=bureau, product="watch-3g", identity="8800000001", now=NOW)
    stop, keeper = threading.Event(), wearers.Keeper()
    threads = [
        threading.Thread(target=live.relay_forever, args=(stop, keeper.passed)),
        threading.Thread(target=keeper.run, args=(stop,)),
    ]
    for thread in threads:
        thread.start()

    async def last() -> wearers.Worn | None:
        nc = await live.connect("test")
        with contextlib.suppress(Exception):
            message = await nc.jetstream().get_last_msg(wearers.STREAM, f"wearers.{device.pk // wearers.SHARD}")
            await nc.close()
            return wearers.decode(message.data).get(device.pk)
        await nc.close()
        return None

    try:
        eventually(lambda: (w := asyncio.run(last())) and w.person is None, 30, "the device is in the snapshot")
        services.issue(actor=bureau, device_id=device.pk, person_id=person.pk, answers=AGREED, now=NOW)
        found = eventually(lambda: (w := asyncio.run(last())) and w.person and w, 30, "it is known who wears it")
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)
    assert found == wearers.Worn(
        regions["a_one"].path, "8800000001", "watch-3g", person.pk, f"{person.name[0]}*", None, "", ""
    )
