"""Vendors' clouds push over HTTPS: signed, answered when stored, the same again when repeated (R-096)."""

import asyncio
import contextlib
import http.client
import json
import socket
import time

import pytest

from sangyu.kernel.signing import keys, signature
from sangyu.runtime.gateway import publishing, service
from sangyu.runtime.gateway.register import Device
from support.gateway import Source, running, stored
from support.nats import Nats

SECRET = "a-secret-of-a-vendor"
BED = Device(1, "alink", "demo-00005", "mattress-alink", "issued")
POST = "/sys/pk1/demo-00005/thing/event/property/post"
MESSAGES = [
    {"topic": POST, "payload": {"id": "1", "params": {"HeartRate": 72, "inBedStatus": 1}}},
    {"topic": POST.replace("00005", "99999"), "payload": {"id": "2", "params": {"HeartRate": 72}}},
    {"topic": "weather/today", "payload": "fine"},
]


@pytest.fixture
def nats(tmp_path):
    server = Nats(tmp_path / "nats")
    server.folder.mkdir()
    server.start()
    yield server
    server.stop()


def post(where, body: bytes, *, stamp=None, secret=SECRET, key="vendor", path="/push/"):
    """Status and answer of one request, as the front door would hand it on."""
    stamp = str(int(time.time())) if stamp is None else stamp
    connection = http.client.HTTPConnection("localhost", timeout=20)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(20)
    connection.sock.connect(str(where))
    headers = {"X-Sangyu-Key": key, "X-Sangyu-Time": stamp, "X-Sangyu-Signature": signature(secret, stamp, body)}
    with contextlib.suppress(BrokenPipeError):  # the answer may come before all was sent
        connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    try:
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def body(messages=MESSAGES) -> bytes:
    return json.dumps({"messages": messages}).encode()


def pushing(nats, where):
    return running(nats.url, Source([BED]), push=(where, {"vendor": SECRET}))


def test_a_push_is_stored_and_its_repetition_is_the_same(nats, tmp_path):
    async def work():
        where = tmp_path / "s"
        async with pushing(nats, where):
            stamp = str(int(time.time()) - 3600)
            return [await asyncio.to_thread(post, where, body(), stamp=stamp) for _n in range(2)]

    answers = asyncio.run(work())
    assert answers == [(200, {"stored": 1, "skipped": 1, "unknown": 1})] * 2
    # two requests, one entry: the stream knows the id, and so would the database
    ((_subject, entry),) = asyncio.run(stored(nats.url))
    assert (entry.device, time.time() * 1000 - entry.received_at > 3_500_000) == (1, True)


def test_a_message_that_cannot_be_read_does_not_keep_the_others_back(nats, tmp_path, monkeypatch):
    """Else the vendor would repeat the whole request for ever."""
    read = service.entry_of

    def entry_of(message, *more):
        if message.sequence == "7":
            raise ValueError("unreadable")
        return read(message, *more)

    monkeypatch.setattr(service, "entry_of", entry_of)
    broken = {"topic": POST, "payload": {"id": "7", "params": {"HeartRate": 71}}}

    async def work():
        where = tmp_path / "s"
        async with pushing(nats, where) as gateway:
            return await asyncio.to_thread(post, where, body([broken, *MESSAGES])), dict(gateway.counts)

    answer, counts = asyncio.run(work())
    assert answer == (200, {"stored": 1, "skipped": 2, "unknown": 1})
    assert (counts["unread"], counts["messages"]) == (1, 1)
    assert len(asyncio.run(stored(nats.url))) == 1


def test_who_is_not_a_vendor_is_refused_and_nothing_is_stored(nats, tmp_path):
    now = int(time.time())

    async def work():
        where = tmp_path / "s"
        async with pushing(nats, where) as gateway:
            ask = lambda *a, **k: asyncio.to_thread(post, where, *a, **k)  # noqa: E731
            refused = [
                await ask(body(), secret="another-secret-here"), await ask(body(), key="nobody"), await ask(body(), stamp="soon"),
                await ask(body(), stamp=str(now + 1000)), await ask(body(), stamp=str(now - 8 * 86_400)),
            ]  # fmt: skip
            wrong = [
                await ask(b"[]"), await ask(b"{"), await ask(body(MESSAGES * 400)), await ask(b"x" * 1_000_001), await ask(body(), path="/other/"),
            ]  # fmt: skip
            return refused, wrong, dict(gateway.counts)

    refused, wrong, counts = asyncio.run(work())
    assert {status for status, _a in refused} == {401}
    assert [status for status, _a in wrong] == [400, 400, 400, 413, 404]
    assert counts["push_refused"] == 5
    assert asyncio.run(stored(nats.url)) == []


def test_without_the_stream_a_push_is_not_answered_as_stored(nats, tmp_path, monkeypatch):
    monkeypatch.setattr(publishing, "GIVE_UP", 0.5)
    monkeypatch.setattr(publishing, "TRY", 0.2)

    async def work():
        where = tmp_path / "s"
        async with pushing(nats, where):
            nats.stop()
            return await asyncio.to_thread(post, where, body())

    assert asyncio.run(work()) == (503, {"error": "not stored: send it again"})


def test_keys_are_named_and_long():
    assert keys("a=1234567890123456, b=short,=x") == {"a": "1234567890123456"}
