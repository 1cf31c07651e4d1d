"""Simulated devices on real connections: what they say is what the gateway reads, and what is answered is stored (issue 5 §5)."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from sangyu.engines.codecs import codec
from sangyu.runtime.gateway.register import Device
from sangyu.runtime.simulate import MILD, WILD, Fleet, made_up
from sangyu.runtime.simulate.life import CHINA, Life
from sangyu.runtime.simulate.speech import SPEECHES
from support.gateway import Source, running, stored
from support.nats import Nats

PRODUCT = {"watch": "watch-3g", "h02": "pendant-h02", "gt06": "cane-gt06"}
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=CHINA)


@pytest.fixture
def nats(tmp_path):
    server = Nats(tmp_path / "nats")
    server.folder.mkdir()
    server.start()
    yield server
    server.stop()


def registered(wearers):
    return Source([Device(n, w.protocol, w.identity, PRODUCT[w.protocol], "issued") for n, w in enumerate(wearers, 1)])


@pytest.mark.parametrize("protocol", sorted(SPEECHES))
def test_frames_say_what_the_body_does(protocol):
    """The codec of the gateway reads place, battery and press out of frames that were written without it."""
    (wearer,) = made_up(protocol, 1)
    life, speech = Life(1, wearer.identity, wearer.latitude, wearer.longitude), SPEECHES[protocol](wearer.identity)
    body, now = life.at(NOON), NOON.astimezone(UTC)
    decoder = codec(protocol).decoder()
    data = b"".join(f(now).data for f in (speech.login,)) + speech.report(body, now).data + speech.alarm(body, now).data
    batch = decoder.feed(data + speech.heartbeat(body, now).data, received_at=now)
    assert batch.skipped == ()
    login, report, alarm, _beat = batch.messages
    assert login.device == report.device == wearer.identity
    assert report.alarms == ()
    assert [a.kind for a in alarm.alarms] == ["sos"]
    for message in (report, alarm):
        assert message.position.usable
        assert message.position.latitude == pytest.approx(body.latitude, abs=1e-4)
        assert message.position.longitude == pytest.approx(body.longitude, abs=1e-4)
        assert message.time.utc == now
    # its answers come back to what waits for them
    keys, said = speech.hear(b"".join(r.payload for m in batch.messages for r in m.replies))
    assert said == []
    assert len(keys) == (4 if protocol != "watch" else 3)


def test_a_day_has_sleep_walks_and_steps_and_is_the_same_from_the_same_seed():
    def day(seed):
        life = Life(seed, "8800000001", 40.66, 122.23)
        return [life.at(NOON.replace(hour=0) + timedelta(minutes=10 * n)) for n in range(144)]

    first = day(7)
    assert first == day(7)
    assert first != day(8)
    assert first[12].asleep  # two in the night
    assert not any(b.asleep for b in first[50:70])
    walking = [b for b in first if b.walking]
    assert 3 <= len(walking) <= 20
    assert max(abs(b.latitude - 40.66) for b in walking) < 0.01
    assert all(b.latitude == 40.66 for b in first if not b.walking)
    assert [b.steps for b in first] == sorted(b.steps for b in first)
    assert min(b.heart for b in walking) > max(b.heart for b in first if b.asleep)


def test_every_answered_frame_is_stored_under_faults_and_every_press_is_answered(nats):
    """issue 5 §6.3: under fragments, repetitions, wrong lengths and clocks, breaks and a storm of reconnections."""
    wearers = [*made_up("watch", 40), *made_up("h02", 20), *made_up("gt06", 20)]

    async def work():
        async with running(nats.url, registered(wearers)) as gateway:
            ports = {name: there[0] for name, there in gateway.ports.items()}
            fleet = Fleet(wearers, ports, seed=3, faults=WILD, prove=True)
            assert await fleet.open() == 80
            await fleet.run(seconds=1.5, rate=400, sos=0.03)
            fleet.storm()
            await fleet.run(seconds=1.5, rate=400, sos=0.03)
            assert await fleet.settle(30)
            await fleet.close()
            return fleet, dict(gateway.counts)

    fleet, gateway = asyncio.run(work())
    found = asyncio.run(stored(nats.url))
    assert fleet.counts["alarms"] == fleet.counts["alarms_answered"] == len(fleet.alarm_ids) > 10
    assert fleet.counts["lost"] >= 80
    assert fleet.answered_ids - {e.id for _s, e in found} == set()
    # an alarm that is sent twice within two minutes is once in the stream already
    assert Counter(e.id for _s, e in found if e.alarms) == Counter(fleet.alarm_ids)
    assert gateway.get("unread", 0) == gateway.get("changed_id", 0) == 0


def test_four_hundred_watches_come_back_after_a_restart_of_the_gateway(nats, tmp_path):
    wearers = made_up("watch", 400)
    source = registered(wearers)

    async def work():
        async with running(nats.url, source, folder=tmp_path) as gateway:
            ports = {"watch": gateway.ports["watch"][0]}
            fleet = Fleet(wearers, ports, seed=4, faults=MILD)
            assert await fleet.open() == 400
        while fleet.signed_in:
            await asyncio.sleep(0.02)
        async with running(nats.url, source, folder=tmp_path) as gateway:
            fleet.ports["watch"] = gateway.ports["watch"][0]
            for _n in range(600):
                if len(fleet.signed_in) == 400:
                    break
                await asyncio.sleep(0.05)
            assert len(fleet.signed_in) == 400
            await fleet.close()

    asyncio.run(work())
    assert [e for _s, e in asyncio.run(stored(nats.url)) if e.alarms] == []
