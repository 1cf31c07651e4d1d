"""Alarm units of SIA DC-09: by TCP and UDP, plain and encrypted with the key of their account (devices.md §6)."""

import asyncio
import signal
from datetime import UTC, datetime, timedelta

import pytest

from sangyu.engines.codecs.dc09 import decrypt, encrypt, frame, stamp
from sangyu.runtime.gateway.register import Device
from support.gateway import Source, Wire, running, stored
from support.nats import Nats

KEYS = {1: "00112233445566778899aabbccddeeff", 2: "ffeeddccbbaa99887766554433221100"}
ACCOUNT, OTHER = "1234", "5678"


@pytest.fixture
def nats(tmp_path_factory):
    server = Nats(tmp_path_factory.mktemp("nats"))
    server.start()
    yield server
    server.stop()


def units() -> Source:
    product = "alarm-unit-dc09"
    return Source([Device(n, "sia-dc09", a, product, "issued") for n, a in ((1, ACCOUNT), (2, OTHER))])


def at(nats):
    return running(nats.url, units(), secret=lambda device: KEYS[device.id])


def plain(sequence: int, event: str = "Nri1/QA0", account: str = ACCOUNT) -> bytes:
    return frame(f'"SIA-DCS"{sequence:04d}L0#{account}[#{account}|{event}]{stamp(datetime.now(UTC))}')


def sealed(sequence: int, key: str, *, account: str = ACCOUNT, late: float = 0) -> bytes:
    words = f"#{account}|Nri1/QA0]{stamp(datetime.now(UTC) - timedelta(seconds=late))}"
    return frame(f'"*SIA-DCS"{sequence:04d}L0#{account}[{encrypt(words, bytes.fromhex(key))}')


class Unit(asyncio.DatagramProtocol):
    """A unit that speaks by UDP."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data, address):
        self.heard.put_nowait(data)

    @classmethod
    async def to(cls, port: int):
        loop = asyncio.get_running_loop()
        transport, made = await loop.create_datagram_endpoint(cls, remote_addr=("127.0.0.1", port))
        made.send = transport.sendto
        made.close = transport.close
        return made

    async def answer(self, seconds: float = 10) -> bytes:
        return await asyncio.wait_for(self.heard.get(), seconds)

    async def nothing(self, seconds: float = 0.5) -> bool:
        try:
            await self.answer(seconds)
        except TimeoutError:
            return True
        return False


def test_encrypted_and_plain_frames_by_tcp(nats):
    async def work():
        async with at(nats) as gateway:
            wire = await Wire.to(gateway, "sia-dc09")
            await wire.send(plain(1))
            ack = frame(f'"ACK"0001L0#{ACCOUNT}[]')
            assert await wire.receive(len(ack)) == ack
            await wire.send(sealed(2, KEYS[1]))
            said = (await asyncio.wait_for(wire.reader.readuntil(b"\r"), 10)).decode()
            head, _, rest = said.partition("[")
            assert head[9:] == f'"*ACK"0002L0#{ACCOUNT}'
            assert decrypt(rest[:-1], bytes.fromhex(KEYS[1])).startswith("]_")
            return dict(gateway.counts)

    counts = asyncio.run(work())
    assert counts["messages"] == 2
    found = asyncio.run(stored(nats.url))
    assert [(subject, e.device, e.kind) for subject, e in found] == [("signals.alarm.1", 1, "alarm")] * 2


def test_a_foreign_key_and_a_frame_that_is_sent_again_later_are_not_taken(nats):
    async def work():
        async with at(nats) as gateway:
            unit = await Unit.to(gateway.ports["sia-dc09"][0])
            unit.send(sealed(1, KEYS[2]))
            unit.send(sealed(2, KEYS[1], account="9999"))
            assert await unit.nothing()
            unit.send(sealed(3, KEYS[1], late=120))
            assert b'"NAK"0000L0A0[]_' in await unit.answer()
            unit.close()
            return dict(gateway.counts)

    counts = asyncio.run(work())
    assert (counts["skipped_undecipherable"], counts["skipped_no_key"], counts["skipped_wrong_clock"]) == (1, 1, 1)
    assert counts.get("messages", 0) == 0
    assert asyncio.run(stored(nats.url)) == []


def test_by_udp_the_answer_means_stored_and_a_repetition_is_one_alarm(nats):
    async def work():
        async with at(nats) as gateway:
            unit = await Unit.to(gateway.ports["sia-dc09"][0])
            said = plain(7)
            unit.send(said)
            assert await unit.answer() == frame(f'"ACK"0007L0#{ACCOUNT}[]')
            unit.send(said)  # the answer was lost on the way
            assert await unit.answer() == frame(f'"ACK"0007L0#{ACCOUNT}[]')
            unit.send(plain(8, account="9999"))
            unit.send(b"\x00" * 100)
            assert await unit.nothing()
            assert gateway.counts["unknown"] == 1
            nats.stop(signal.SIGKILL)
            later = sealed(9, KEYS[2], account=OTHER)
            unit.send(later)
            assert await unit.nothing(1)
            nats.start()
            assert f'"*ACK"0009L0#{OTHER}['.encode() in await unit.answer(30)  # an alarm is tried on until it is stored
            unit.close()

    asyncio.run(work())
    assert [e.device for _s, e in asyncio.run(stored(nats.url))] == [1, 2]


def test_what_one_unit_has_unanswered_is_bounded(nats):
    async def work():
        async with at(nats) as gateway:
            unit = await Unit.to(gateway.ports["sia-dc09"][0])
            nats.stop(signal.SIGKILL)
            for n in range(200):
                unit.send(plain(n, "Nri1/RP0"))
                await asyncio.sleep(0)
            await asyncio.sleep(1)
            assert gateway.counts["datagrams_dropped"] == gateway.counts["datagrams"] - gateway.limits.waiting
            assert gateway.counts["datagrams"] > gateway.limits.waiting
            nats.start()
            other = await Unit.to(gateway.ports["sia-dc09"][0])
            other.send(plain(1, account=OTHER))
            assert f'"ACK"0001L0#{OTHER}[]'.encode() in await other.answer(30)
            unit.close()
            other.close()

    asyncio.run(work())
