"""Live push on a real NATS server: outbox → stream → browser (design rules 5 and 7, issue 2 §1)."""

import contextlib
import http.client
import json
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from queue import Empty, Queue

import pytest
from django.conf import settings as django_settings
from django.db import connection

from sangyu.kernel import live
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.events import emit
from sangyu.kernel.models import Event
from sangyu.kernel.scoping import scope
from sangyu.runtime.parts import push_command
from support.nats import Nats
from support.processes import ROOT, eventually, free_port

pytestmark = pytest.mark.usefixtures("clean_jobs")
A = Actor(audience=Audience.STAFF, path="000001", name="a", account_id=1)
B = Actor(audience=Audience.STAFF, path="000002", name="b", account_id=2)
WORKER = Actor(audience=Audience.WORKER, path="000", name="w", account_id=3, subject_id=7)


@contextlib.contextmanager
def running_nats(folder: Path):
    server = Nats(folder / "nats")
    server.folder.mkdir()
    server.start()
    yield server
    server.stop()


@contextlib.contextmanager
def running_push(nats: Nats, home: Path):
    """The push process as it is run: granian, ASGI, on a free port."""
    port = free_port()
    env = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT / "src"),
        "DJANGO_SETTINGS_MODULE": "sangyu.runtime.settings.test",
        "SANGYU_NATS_URL": nats.url,
        "SANGYU_HOME": str(home),
    }
    child = subprocess.Popen(push_command(["--host", "127.0.0.1", "--port", str(port)]), env=env)
    eventually(lambda: status(port, "/live/health") == 200, 120, "push is ready")
    yield port
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
        try:
            assert child.wait(20) == 0  # open streams do not hold it up
        finally:
            child.kill()


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """A NATS server and a push process for all tests that leave them alone: push takes seconds to start."""
    home = tmp_path_factory.mktemp("live")
    with running_nats(home) as nats, running_push(nats, home) as port:
        yield nats, port


@pytest.fixture
def nats(servers, settings):
    settings.NATS_URL = servers[0].url


@pytest.fixture
def push(servers, nats):
    return servers[1]


@pytest.fixture
def own_nats(tmp_path, settings):
    """For tests that stop it or count what it holds."""
    with running_nats(tmp_path) as server:
        settings.NATS_URL = server.url
        yield server


@pytest.fixture
def own_push(own_nats, tmp_path):
    with running_push(own_nats, tmp_path) as port:
        yield port


@pytest.fixture
def relay(nats):
    """Two relays at once: an event must still be published once."""
    with running_relays(2):
        yield


@contextlib.contextmanager
def running_relays(count: int):
    stop = threading.Event()
    threads = [threading.Thread(target=live.relay_forever, args=(stop,)) for _n in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()


def status(port: int, path: str, **headers: str) -> int:
    with contextlib.suppress(OSError):
        talk = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        talk.request("GET", path, headers=headers)
        code = talk.getresponse().status
        talk.close()
        return code
    return 0


class Browser:
    """Reads one event stream in a thread; ``got`` are its events as (name, payload)."""

    def __init__(self, port: int, ticket: str, last: str = "", **headers: str) -> None:
        self.talk = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.talk.connect()
        self.socket = self.talk.sock
        self.talk.request(
            "GET", f"/live/events?ticket={ticket}", headers={**({"Last-Event-ID": last} if last else {}), **headers}
        )
        self.answer = self.talk.getresponse()
        assert self.answer.status == 200, self.answer.read()
        self.last = last
        self.events: Queue = Queue()
        self.ended = threading.Event()
        self.begun = threading.Event()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()
        assert self.begun.wait(60)

    def _read(self) -> None:
        event: dict[str, str] = {}
        with contextlib.suppress(OSError, ValueError, AttributeError, http.client.HTTPException):
            while line := self.answer.readline():
                key, _colon, value = line.decode().rstrip("\n").partition(": ")
                if key:
                    event[key] = value
                    continue
                self.last = event.get("id", self.last)
                if "event" in event:
                    self.events.put((event["event"], json.loads(event["data"])))
                if "id" in event:
                    self.begun.set()
                event = {}
        self.ended.set()

    def next(self, seconds: float = 60) -> tuple[str, dict]:
        return self.events.get(timeout=seconds)

    def nothing(self, seconds: float = 0.8) -> bool:
        try:
            raise AssertionError(f"unexpected {self.events.get(timeout=seconds)}")
        except Empty:
            return True

    def close(self) -> None:
        # The reader waits in the socket: closing the answer alone would wait with it for the next heartbeat.
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(10)
        self.answer.close()
        self.talk.close()


def happened(actor: Actor, number: int, **payload) -> None:
    with scope(actor):
        emit("orders.confirmed", path=payload.pop("path", actor.path), id=number, **payload)


def unrelayed() -> int:
    with scope(Actor.job("test")):
        return Event.objects.filter(relayed_at__isnull=True).count()


def test_committed_events_arrive_once_rolled_back_never_foreign_never(relay, push):
    mine, theirs = Browser(push, live.ticket(A, ["orders"])), Browser(push, live.ticket(B, ["orders"]))
    city = Browser(push, live.ticket(Actor(audience=Audience.STAFF, path="000", name="c"), ["orders.confirmed"]))
    deaf = Browser(push, live.ticket(A, ["people", "orders.conf"]))
    with pytest.raises(RuntimeError), scope(A):
        emit("orders.confirmed", path=A.path, id=1)
        raise RuntimeError
    began = time.monotonic()
    happened(A, 2, to=["worker:7"])
    name, data = mine.next()
    assert time.monotonic() - began < 10  # a third of a second on a machine with nothing else to do
    assert (name, data["payload"], set(data)) == ("orders.confirmed", {"id": 2}, {"id", "at", "payload"})
    assert city.next()[1]["payload"] == {"id": 2}
    for n in range(3, 60):
        happened(A, n)
    # each exactly once; two relays at once may swap neighbours
    assert sorted(mine.next()[1]["payload"]["id"] for _n in range(57)) == list(range(3, 60))
    assert mine.nothing()
    assert theirs.nothing(0.1)
    assert deaf.nothing(0.1)
    assert unrelayed() == 0
    for browser in (mine, theirs, city, deaf):
        browser.close()


def test_a_commit_wakes_the_relay_and_a_lost_word_costs_one_look(push, monkeypatch):
    """X-08: nothing hangs on the notification; with it nobody waits for the next look."""
    monkeypatch.setattr(live, "POLL", 20)
    stop = threading.Event()
    thread = threading.Thread(target=live.relay_forever, args=(stop,))
    browser = Browser(push, live.ticket(A, ["orders"]))
    happened(A, 1)  # before the relay is there: nobody hears the word
    thread.start()
    assert browser.next()[1]["payload"] == {"id": 1}
    with scope(A):
        emit("orders.confirmed", path=A.path, id=2)
        emit("orders.confirmed", path=A.path, id=3)
        assert [call[1] for call in connection.run_on_commit].count(live._notify) == 1
    began = time.monotonic()
    assert [browser.next()[1]["payload"]["id"] for _n in range(2)] == [2, 3]
    assert time.monotonic() - began < 10
    monkeypatch.setattr(live, "POLL", 0.2)
    happened(A, 4)  # the relay is woken once more and waits shortly from then on
    assert browser.next()[1]["payload"] == {"id": 4}
    monkeypatch.setattr(live, "announce", lambda events: None)
    happened(A, 5)
    assert browser.next()[1]["payload"] == {"id": 5}
    stop.set()
    thread.join(60)
    browser.close()


def test_others_hear_what_names_them(relay, push):
    worker, stranger = (
        Browser(push, live.ticket(a, ["orders"]))
        for a in (WORKER, Actor(audience=Audience.PROVIDER, path="000", name="p", subject_id=7))
    )
    person = Browser(push, live.ticket(B, ["orders"]))
    happened(A, 1)
    happened(A, 2, to=["worker:7", "account:2"])
    assert worker.next()[1]["payload"] == {"id": 2}
    assert person.next()[1]["payload"] == {"id": 2}
    assert worker.nothing(0.3)
    assert stranger.nothing(0.1)


def test_who_comes_back_gets_what_it_missed_and_else_a_reset(relay, push):
    first = Browser(push, live.ticket(A, ["orders"]))
    happened(A, 1)
    assert first.next()[1]["payload"] == {"id": 1}
    first.close()
    for n in (2, 3):
        happened(A, n)
    happened(B, 4)
    eventually(lambda: unrelayed() == 0)
    second = Browser(push, live.ticket(A, ["orders"]), last=first.last)
    # two relays: each keeps its own order, not that of the other
    assert sorted(second.next()[1]["payload"]["id"] for _n in range(2)) == [2, 3]
    assert second.nothing(0.3)
    for unknown in ("20200101.5", "nonsense", first.last.rpartition(".")[0] + ".99999"):
        lost = Browser(push, live.ticket(A, ["orders"]), last=unknown)
        assert lost.next() == ("reset", {})


def test_nats_killed_and_back_nothing_is_lost(own_nats, own_push):
    browser = Browser(own_push, live.ticket(A, ["orders"]))
    with running_relays(1):
        happened(A, 1)
        assert browser.next()[1]["payload"] == {"id": 1}
        own_nats.stop()
        for n in (2, 3, 4):
            happened(A, n)
        time.sleep(1)
        assert unrelayed() == 3
        own_nats.start()
        assert [browser.next()[1]["payload"]["id"] for _n in range(3)] == [2, 3, 4]
        assert unrelayed() == 0
        assert browser.nothing(0.5)


def test_a_relay_that_dies_between_publishing_and_marking_publishes_no_second_time(own_nats):
    """At least once, and the stream throws the second one away by its mark."""
    import asyncio

    import psycopg
    from procrastinate.contrib.django.utils import connector_params

    happened(A, 1)

    async def dies_then_again():
        nc = await live.connect("test")
        js = nc.jetstream()
        await live.ensure_stream(js)
        database = await psycopg.AsyncConnection.connect(**connector_params(), autocommit=True)
        with pytest.raises(RuntimeError):
            async with database.transaction():
                assert await live.relay_once(database, js) == 1
                raise RuntimeError
        assert await live.relay_once(database, js) == 1
        assert await live.relay_once(database, js) == 0
        info = await js.stream_info(live.STREAM)
        await database.close()
        await nc.close()
        return info.state.messages

    assert asyncio.run(dies_then_again()) == 1


def test_an_event_put_ahead_is_on_the_stream_at_once_and_once(own_nats):
    """Whoever has milliseconds to lose publishes after its commit; the relay is not woken and marks the row at its next look."""
    import asyncio

    import psycopg
    from procrastinate.contrib.django.utils import connector_params

    with live.ahead() as events:
        happened(A, 1)
    happened(A, 2)
    assert [e.payload for e in events] == [{"id": 1}]
    assert unrelayed() == 2

    async def ahead_then_relay():
        nc = await live.connect("test")
        js = nc.jetstream()
        await live.ensure_stream(js)
        await live.publish_ahead(nc, events)
        for _n in range(200):  # nobody waited for the stream's word
            if first := (await js.stream_info(live.STREAM)).state.messages:
                break
            await asyncio.sleep(0.05)
        database = await psycopg.AsyncConnection.connect(**connector_params(), autocommit=True)
        assert await live.relay_once(database, js) == 2
        await database.close()
        last = (await js.stream_info(live.STREAM)).state.messages
        await nc.close()
        return first, last

    assert asyncio.run(ahead_then_relay()) == (1, 2)
    assert unrelayed() == 0


def test_tickets_are_short_lived_signed_and_bound_to_the_session(push):
    assert live.listener(live.ticket(A, ["orders"], age=-1)) is None
    assert live.listener(live.ticket(A, ["orders"]) + "x") is None
    good = live.ticket(A, ["orders"], session_key="s3cret")
    assert "s3cret" not in good
    path = f"/live/events?ticket={good}"
    cookie = django_settings.SESSION_COOKIE_NAME
    assert status(push, path) == 401
    assert status(push, path, Cookie=f"{cookie}=other") == 401
    assert status(push, path, Cookie=f"{cookie}=s3cret") == 200
    assert status(push, path, Cookie=f"{cookie}=s3cret", Origin="https://evil.example") == 403
    assert status(push, path, Cookie=f"{cookie}=s3cret", **{"Sec-Fetch-Site": "cross-site"}) == 403
    assert status(push, path, Cookie=f"{cookie}=s3cret", Origin=f"http://127.0.0.1:{push}") == 200
    assert status(push, "/live/events") == 401


def test_headers_and_renewal(push):
    browser = Browser(push, live.ticket(A, ["orders"], age=3))
    headers = {k.lower(): v for k, v in browser.answer.getheaders()}
    assert headers["content-type"].startswith("text/event-stream")
    assert (headers["content-encoding"], headers["x-accel-buffering"], headers["cache-control"]) == (
        "identity",
        "no",
        "no-store",
    )
    assert browser.next() == ("renew", {})
    assert browser.ended.wait(20)


def test_a_slow_browser_is_cut_off_and_others_go_on():
    import asyncio

    from sangyu.runtime import push as module

    async def flood():
        hub = module.Hub()
        hub.era = "e"
        slow, quick = (module.Client(live.listener(live.ticket(A, ["orders"]))) for _n in range(2))
        hub.clients |= {slow, quick}
        for n in range(1, module.QUEUE + 2):
            hub._take(n, json.dumps({"id": n, "name": "orders.x", "path": "000001", "at": 0, "payload": {}}).encode())
            await quick.queue.get()
        hub._take(n + 1, b"not json")
        assert (slow.cut_off, quick.cut_off, hub.clients) == (True, False, {quick})
        assert [mark for mark, _event in hub.missed(slow.who, "e.250")] == [f"e.{m}" for m in range(251, n + 1)]

    asyncio.run(flood())


def open_transactions() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%%' "
            "AND datname = current_database() AND pid <> pg_backend_pid()"
        )
        return cursor.fetchone()[0]


def test_an_idle_relay_holds_no_transaction(relay):
    happened(A, 1)
    eventually(lambda: unrelayed() == 0)
    eventually(lambda: open_transactions() == 0)  # but for the moments in which it looks again


def test_a_relay_without_a_server_ends_when_it_is_told_to(settings):
    """The supervisor may be gone by then: nobody else ends it."""
    settings.NATS_URL = f"nats://127.0.0.1:{free_port()}"
    stop = threading.Event()
    relay = threading.Thread(target=live.relay_forever, args=(stop,), daemon=True)
    relay.start()
    time.sleep(0.3)
    stop.set()
    relay.join(12)
    assert not relay.is_alive()
