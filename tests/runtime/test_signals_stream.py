"""The stream SIGNALS: never drops what was not read, makes room of what was, keeps room for alarms (ADR 0024)."""

import asyncio

import pytest
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import APIError

from sangyu.kernel import live
from sangyu.runtime.gateway import stream
from support.nats import Nats


@pytest.fixture
def nats(tmp_path):
    server = Nats(tmp_path / "nats")
    server.folder.mkdir()
    server.start()
    yield server
    server.stop()


def test_only_what_every_consumer_has_behind_it_makes_room(nats, monkeypatch):
    monkeypatch.setenv("SANGYU_SIGNALS_GB", "0.001")
    monkeypatch.setattr(stream, "LEAST", 1)

    async def consumer(js, name, subject):
        config = ConsumerConfig(durable_name=name, filter_subject=subject, ack_policy=AckPolicy.EXPLICIT)
        return await js.pull_subscribe(subject, name, stream="SIGNALS", config=config)

    async def work():
        nc = await live.connect("test", nats.url)
        js = nc.jetstream()
        await stream.ensure(js)
        await stream.ensure(js)
        config = (await js.stream_info("SIGNALS")).config
        assert (config.max_bytes, config.discard, config.max_age) == (1_000_000, "new", 0)
        body = b"x" * 10_000
        await js.publish("signals.alarm.1", body)
        for _n in range(70):
            await js.publish("signals.reading.0", body)
        full, waiting = await stream.care(js)
        assert 0.7 < full < 0.75
        assert waiting == 71  # nobody reads: nothing goes
        readings = await consumer(js, "signals", "signals.reading.>")
        for message in await readings.fetch(70):
            await message.ack()
        alarms = await consumer(js, "signals_alarms", "signals.alarm.>")
        await asyncio.sleep(0.2)
        full, waiting = await stream.care(js)
        assert (full > 0.7, waiting) == (True, 1)  # the alarm, which is the oldest, was not read
        for message in await alarms.fetch(1):
            await message.ack()
        await js.publish("signals.reading.0", body)
        await asyncio.sleep(0.2)
        full, waiting = await stream.care(js)
        assert (full < 0.02, waiting) == (True, 1)
        assert (await js.stream_info("SIGNALS")).state.first_seq == 72
        with pytest.raises(APIError, match="maximum bytes exceeded"):
            for _n in range(200):
                await js.publish("signals.reading.0", body)
        await nc.close()

    asyncio.run(work())
