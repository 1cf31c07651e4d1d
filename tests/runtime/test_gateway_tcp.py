"""Real sockets, a real NATS server: what devices send is on the stream's disk before they are answered (R-089, R-094, ADR 0024, devices.md §0)."""

import asyncio
import signal
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from sangyu.engines.codecs import Target, codec, encode, gt06
from sangyu.engines.codecs.commands import LocateNow, SosNumbers
from sangyu.runtime.gateway import publishing
from sangyu.runtime.gateway.config import Limits
from sangyu.runtime.gateway.connections import SHARE
from sangyu.runtime.gateway.register import Device
from sangyu.runtime.gateway.turns import Turns
from support.gateway import CANE, LK, OTHER, PENDANT, SOS, WATCH, Source, Wire, four, running, stored, ud
from support.nats import Nats

ANSWER = b"[3G*3012345678*0002*LK]"
ALARM_ANSWER = b"[3G*3012345678*0002*AL]"


@pytest.fixture
def nats(tmp_path):
    server = Nats(tmp_path / "nats")
    server.folder.mkdir()
    server.start()
    yield server
    server.stop()


def test_every_fragmentation_of_a_watch_gives_the_same_entries(nats):
    async def work():
        async with running(nats.url, Source(four())) as gateway:
            for size in (1, 7, len(LK + SOS)):
                wire = await Wire.to(gateway)
                frames = LK + SOS
                await wire.send(*(frames[n : n + size] for n in range(0, len(frames), size)))
                replies = await wire.receive(len(ANSWER + ALARM_ANSWER))
                assert sorted((replies[: len(ANSWER)], replies[len(ANSWER) :])) == sorted((ANSWER, ALARM_ANSWER))
                await wire.close()
            return gateway.counts

    counts = asyncio.run(work())
    found = asyncio.run(stored(nats.url))
    assert (counts["messages"], counts["skipped"], counts["stored"], counts["alarms_stored"]) == (6, 0, 3, 3)
    # the three presses are one frame: the stream itself drops what a device repeats within two minutes
    alarms = [(s, e) for s, e in found if e.alarms]
    assert [(s, e.alarms[0][:2], e.device) for s, e in alarms] == [("signals.alarm.1", ("sos", 1), 1)]
    assert alarms[0][1].place.latitude == 41.1201
    assert alarms[0][1].network == "460-00"
    assert alarms[0][1].raw == SOS
    assert [(e.kind, {k: v for k, v, _at in e.readings}) for _s, e in found if not e.alarms] == [
        ("heartbeat", {"battery": 85.0, "steps": 100.0})
    ] * 3


def test_an_alarm_is_alone_and_readings_of_many_connections_share_a_message(nats):
    async def work():
        devices = [Device(n, "watch", f"30{n:08d}", "watch-3g", "issued") for n in range(1, 41)]
        async with running(nats.url, Source(devices)) as gateway:
            wires = [await Wire.to(gateway) for _n in devices]
            await asyncio.gather(
                *(w.send(ud(1, d.identity), ud(2, d.identity)) for w, d in zip(wires, devices, strict=True))
            )
            await wires[0].send(SOS.replace(WATCH.encode(), devices[0].identity.encode()))
            await wires[0].receive(len(ALARM_ANSWER))
            while gateway.counts["stored"] < 80:
                await asyncio.sleep(0.01)
            info = await gateway.publisher.connection.jetstream().stream_info("SIGNALS")
            for wire in wires:
                await wire.close()
            return info.state.messages

    messages = asyncio.run(work())
    found = asyncio.run(stored(nats.url))
    assert len(found) == 81
    assert sorted(e.device for _s, e in found if not e.alarms) == sorted([*range(1, 41)] * 2)
    assert messages <= 41, "80 readings that came together did not share messages"


def test_rubbish_of_one_device_disturbs_neither_its_own_next_frame_nor_a_neighbour(nats):
    async def work():
        async with running(nats.url, Source(four())) as gateway:
            bad, good = await Wire.to(gateway), await Wire.to(gateway)
            await bad.send(b"\x00" * 5000 + b"[3G*3012345678*FFFF*UD,1" + LK)
            await good.send(LK.replace(WATCH.encode(), OTHER.encode()))
            assert await good.receive(len(ANSWER)) == ANSWER.replace(WATCH.encode(), OTHER.encode())
            assert await bad.receive(len(ANSWER)) == ANSWER
            return gateway.counts

    counts = asyncio.run(work())
    assert {e.device for _s, e in asyncio.run(stored(nats.url))} == {1, 2}
    assert counts["skipped_rubbish"] >= 1
    assert counts["skipped_cut_off"] == 1


def test_pendant_and_cane_are_answered_in_their_own_words(nats):
    now = f"{datetime.now(UTC):%d%m%y}"
    login = gt06.frame(0x01, bytes.fromhex("0" + CANE), 1)

    async def work():
        async with running(nats.url, Source(four())) as gateway:
            h02, cane = await Wire.to(gateway, "h02"), await Wire.to(gateway, "gt06")
            await h02.send(f"*HQ,{PENDANT},V1,083015,A,4107.2060,N,12204.2060,E,0.0,0,{now},FFFFFFFD#".encode())
            assert (await h02.receive(18)).startswith(f"*HQ,{PENDANT},V4,V1".encode()[:18])
            await cane.send(login)
            assert await cane.receive(10) == bytes.fromhex("787805010001d9dc0d0a")

    asyncio.run(work())
    found = {e.device: e for _s, e in asyncio.run(stored(nats.url))}
    assert found[3].alarms[0][:2] == ("sos", 1)
    assert found[4].kind == "login"


def test_who_is_not_registered_is_not_answered_and_not_asked_for_twice(nats):
    source = Source(four())

    async def work():
        async with running(nats.url, source) as gateway:
            for _time in range(3):
                wire = await Wire.to(gateway)
                await wire.send(LK.replace(WATCH.encode(), b"9999999999"))
                assert await wire.closed()
            # registered meanwhile, and the event of it did not come through: asked for once the memory of a miss is gone
            source.devices.append(Device(9, "watch", "9999999998", "watch-3g", "stock"))
            wire = await Wire.to(gateway)
            await wire.send(LK.replace(WATCH.encode(), b"9999999998"))
            assert await wire.receive(len(ANSWER)) == ANSWER.replace(WATCH.encode(), b"9999999998")
            return gateway.counts

    counts = asyncio.run(work())
    assert source.asked == [("watch", "9999999999"), ("watch", "9999999998")]
    assert (counts["unknown"], counts["closed_unknown"]) == (3, 3)
    assert {e.device for _s, e in asyncio.run(stored(nats.url))} == {9}


def test_an_address_that_guesses_ids_is_not_looked_up_but_known_devices_behind_it_go_on(nats):
    source = Source(four())

    async def work():
        async with running(nats.url, source, limits=Limits(strangers=5)) as gateway:
            for n in range(8):
                wire = await Wire.to(gateway)
                await wire.send(LK.replace(WATCH.encode(), b"77%08d" % n))
                assert await wire.closed()
            wire = await Wire.to(gateway)
            await wire.send(LK)
            assert await wire.receive(len(ANSWER)) == ANSWER

    asyncio.run(work())
    assert len(source.asked) == 5


def test_a_connection_belongs_to_its_first_id(nats):
    other = LK.replace(WATCH.encode(), OTHER.encode())

    async def work():
        async with running(nats.url, Source(four())) as gateway:
            wire = await Wire.to(gateway)
            await wire.send(LK)
            assert await wire.receive(len(ANSWER)) == ANSWER
            await wire.send(other + LK)  # one wrong id, then its own again: a flipped digit must not cost an SOS
            assert await wire.receive(len(ANSWER)) == ANSWER
            await wire.send(other, other)
            assert await wire.closed()
            return gateway.counts

    counts = asyncio.run(work())
    assert (counts["changed_id"], counts["closed_changed_id"]) == (3, 1)
    assert {e.device for _s, e in asyncio.run(stored(nats.url))} == {1}


def test_silence_and_rubbish_end_a_connection_frames_keep_it(nats):
    async def work():
        limits = Limits(idle=1.0, identify=0.6)
        async with running(nats.url, Source(four()), limits=limits) as gateway:
            silent, rubbish, alive = await Wire.to(gateway), await Wire.to(gateway), await Wire.to(gateway)
            await rubbish.send(LK)
            assert await rubbish.receive(len(ANSWER)) == ANSWER
            for _n in range(16):
                await alive.send(LK)
                assert await alive.receive(len(ANSWER)) == ANSWER
                if rubbish.reader.at_eof() or gateway.counts["closed_idle"]:
                    break
                await rubbish.send(b"rubbish")
                await asyncio.sleep(0.1)
            assert await silent.closed()
            assert await rubbish.closed()
            await alive.send(LK)
            assert await alive.receive(len(ANSWER)) == ANSWER
            return gateway.counts

    counts = asyncio.run(work())
    assert (counts["closed_nameless"], counts["closed_idle"]) == (1, 1)


def test_without_the_stream_nobody_is_answered_and_an_alarm_arrives_when_it_is_back(nats, monkeypatch):
    monkeypatch.setattr(publishing, "GIVE_UP", 1.5)
    monkeypatch.setattr(publishing, "TRY", 0.5)

    async def work():
        async with running(nats.url, Source(four())) as gateway:
            reading, alarm = await Wire.to(gateway), await Wire.to(gateway)
            await reading.send(LK)
            assert await reading.receive(len(ANSWER)) == ANSWER
            nats.stop(signal.SIGKILL)
            await reading.send(ud(1) + LK)
            await alarm.send(SOS)
            assert await reading.closed()
            assert await alarm.closed()
            assert gateway.publisher.alarms_waiting == 1
            assert gateway.counts["unstored"] == 2
            nats.start()
            again = await Wire.to(gateway)
            await again.send(SOS)  # the watch tries again by itself
            assert await again.receive(len(ALARM_ANSWER), 30) == ALARM_ANSWER
            assert gateway.publisher.alarms_waiting == 0

    asyncio.run(work())
    found = asyncio.run(stored(nats.url))
    assert [e.kind for _s, e in found] == ["heartbeat", "alarm"]
    assert len({e.id for _s, e in found}) == 2


def test_a_flood_of_one_device_is_slowed_takes_its_share_of_a_turn_and_nothing_of_it_is_lost(nats):
    async def work():
        limits = Limits(rate=1500, burst=100, waiting=16)
        async with running(nats.url, Source(four()), limits=limits) as gateway:
            put = gateway.publisher.put

            def note(entry, waiter, token):
                ahead.append(waiter.unanswered)
                put(entry, waiter, token)

            ahead, gateway.publisher.put = [], note
            wire, other = await Wire.to(gateway), await Wire.to(gateway)
            began = asyncio.get_running_loop().time()
            flood = asyncio.ensure_future(wire.send(b"".join(ud(n) for n in range(2500))))
            await other.send(LK.replace(WATCH.encode(), OTHER.encode()))
            assert await other.receive(len(ANSWER)) == ANSWER.replace(WATCH.encode(), OTHER.encode())
            await flood
            while gateway.counts["stored"] < 2501:
                await asyncio.sleep(0.02)
            return gateway.counts, asyncio.get_running_loop().time() - began, max(ahead)

    counts, seconds, most = asyncio.run(work())
    assert counts["slowed"] >= 1
    assert seconds > 0.5
    assert most <= 16 + SHARE // len(ud(0)) + 1
    assert len(asyncio.run(stored(nats.url))) == 2501


def test_who_calls_for_help_is_decoded_before_those_who_wait_and_each_turn_of_the_loop_is_short():
    told = []

    class Speaker:
        queued = False

        def __init__(self, name):
            self.name = name

        def decode(self):
            told.append(self.name)
            time.sleep(0.001)

    async def work():
        turns, others, caller = Turns(), [Speaker(n) for n in range(30)], Speaker("help")
        for speaker in (*others, caller, others[0]):
            turns.add(speaker)
        turns.add(caller, urgent=True)
        longest = 0.0
        while len(told) < 31:
            began = time.monotonic()
            await asyncio.sleep(0)
            longest = max(longest, time.monotonic() - began)
        await asyncio.sleep(0)
        return longest

    assert asyncio.run(work()) < 0.03
    assert told == ["help", *range(30)]


def test_what_a_watch_says_before_it_hangs_up_counts(nats):
    async def work():
        async with running(nats.url, Source(four())) as gateway:
            wire = await Wire.to(gateway)
            await wire.send(SOS)
            await wire.close()
            while gateway.counts["alarms_stored"] < 1:
                await asyncio.sleep(0.01)

    asyncio.run(work())
    assert [e.alarms[0][0] for _s, e in asyncio.run(stored(nats.url))] == ["sos"]


def test_a_start_without_database_uses_the_register_kept_on_disk(nats, tmp_path):
    source = Source(four())

    async def first():
        async with running(nats.url, source, folder=tmp_path):
            pass

    async def second():
        async with running(nats.url, source, folder=tmp_path) as gateway:
            wire = await Wire.to(gateway)
            await wire.send(SOS)
            assert await wire.receive(len(ALARM_ANSWER)) == ALARM_ANSWER
            stranger = await Wire.to(gateway)
            await stranger.send(LK.replace(WATCH.encode(), b"9999999999"))
            assert await stranger.closed()
            assert gateway.summary()["register_from_disk"] is True

    asyncio.run(first())
    source.down = True
    asyncio.run(second())
    assert [e.device for _s, e in asyncio.run(stored(nats.url))] == [1]


def test_who_is_retired_is_cut_off_and_may_not_come_back(nats):
    source = Source(four())

    async def work():
        async with running(nats.url, source) as gateway:
            wire = await Wire.to(gateway)
            await wire.send(LK)
            assert await wire.receive(len(ANSWER)) == ANSWER
            source.devices.pop(0)
            body = b'{"name": "devices.retired", "path": "000", "payload": {"id": 1}}'
            await gateway.publisher.connection.publish("sangyu.events.000.devices.retired", body)
            assert await wire.closed()
            back = await Wire.to(gateway)
            await back.send(LK)
            assert await back.closed()

    asyncio.run(work())


def test_a_stop_answers_what_is_stored_and_closes(nats):
    async def work():
        async with running(nats.url, Source(four())) as gateway:
            wire = await Wire.to(gateway)
            await wire.send(LK + ud(1))
            await asyncio.sleep(0.003)
        assert await wire.receive(len(ANSWER)) == ANSWER
        assert await wire.closed()

    asyncio.run(work())
    assert len(asyncio.run(stored(nats.url))) == 2


class Commands:
    """A queue with one command a device."""

    def __init__(self, *given):
        self.given, self.ended = dict(given), []

    def waiting(self):
        return set(self.given)

    def take(self, device, family):
        command = self.given.pop(device, None)
        if command is None:
            return None
        target = Target(WATCH if device == 1 else CANE, family=family or "3G", sequence=7)
        return SimpleNamespace(id=device, encoded=encode(codec("watch" if device == 1 else "gt06"), command, target, datetime.now(UTC)))  # fmt: skip

    def done(self, command, confirmed, note):
        self.ended.append((command, confirmed, note))
        return "confirmed" if confirmed else "failed"


def test_a_command_goes_to_the_device_when_it_is_heard_and_ends_with_its_word(nats):
    queue = Commands((1, SosNumbers(("13900001234", "12349"))), (4, LocateNow()))

    async def work():
        async with running(nats.url, Source(four()), queue=queue) as gateway:
            wire = await Wire.to(gateway)
            await wire.send(LK)
            first = b"[3G*3012345678*0010*SOS1,13900001234]"
            assert await wire.receive(len(ANSWER + first)) == ANSWER + first
            await wire.send(b"[3G*3012345678*0004*SOS1]")
            second = b"[3G*3012345678*000a*SOS2,12349]"
            assert await wire.receive(len(second)) == second
            await wire.send(b"[3G*3012345678*0004*SOS2]")
            cane = await Wire.to(gateway, "gt06")
            await cane.send(gt06.frame(0x01, bytes.fromhex("0" + CANE), 1))
            told = (await cane.receive(10 + 21))[10:]
            assert told[3] == 0x80
            assert told[9:-6] == b"WHERE#"
            await cane.send(gt06.frame(0x15, bytes([6]) + told[5:9] + b"OK" + (2).to_bytes(2), 2))
            while len(queue.ended) < 2:
                await asyncio.sleep(0.01)

    asyncio.run(work())
    assert queue.ended == [(1, True, ""), (4, True, "")]
