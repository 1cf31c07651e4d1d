"""Live push: from the outbox to NATS JetStream, and the tickets with which browsers listen (docs/adr/0007-events.md).

``relay_forever`` publishes committed outbox rows, at least once, in order of their ids as far as one relay sees them;
any number of relays may run. ``runtime/push.py`` serves them to browsers. An event carries ids only: the browser then
asks for the fragment over HTTP, where scope and permissions hold.
"""

import asyncio
import hashlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import nats
import psycopg
from django.conf import settings
from django.core import signing
from django.db import connection, transaction
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError
from procrastinate.contrib.django.utils import connector_params

from .actor import ROOT_PATH, Actor, Audience

if TYPE_CHECKING:
    from .models import Event

log = logging.getLogger(__name__)

STREAM = "EVENTS"
SUBJECT = "sangyu.events"
#: Said after a commit that left rows in the outbox; see ``announce``.
CHANNEL = "sangyu_outbox"
#: Seconds between two looks at the outbox when nobody said anything: how late an event is whose notification was lost.
POLL = 0.5
#: Said on NATS, not stored, while a relay reaches the database. Who misses it knows that cases arrive late or not at all.
BEAT = "sangyu.beat"
BEAT_EVERY = 1.0
BATCH = 500
#: Events are kept for browsers that come back; a day covers a night shift.
MAX_AGE = 24 * 3600.0
MAX_BYTES = 1_000_000_000
#: Seconds a ticket opens the stream; the page fetches a new one before or when told so.
TICKET_AGE = 600
_SALT = "sangyu.live"


# ---------------------------------------------------------------- tickets
@dataclass(frozen=True)
class Listener:
    """What a ticket entitles to."""

    audience: str
    path: str
    subject_id: int | None
    account_id: int | None
    topics: tuple[str, ...]
    session: str
    expires: float

    def hears(self, event: dict[str, Any]) -> bool:
        """Whether this event is for the listener: staff by region, others when named in ``to``; and one of its
        topics.
        """
        if not any(event["name"] == t or event["name"].startswith(t + ".") for t in self.topics):
            return False
        if self.audience == Audience.STAFF and event["path"].startswith(self.path):
            return True
        to = event["payload"].get("to", ())
        return f"{self.audience}:{self.subject_id}" in to or f"account:{self.account_id}" in to


#: Topic → permission without which a ticket does not hear it: the few events that say more than ids.
_guarded: dict[str, str] = {}


def guard(topic: str, permission: str) -> None:
    """Only who holds ``permission`` hears ``topic`` and what is below it."""
    _guarded[topic] = permission


def _may_hear(actor: Actor, topic: str) -> bool:
    return all(
        actor.may(permission)
        for held, permission in _guarded.items()
        if f"{held}.".startswith(f"{topic}.") or f"{topic}.".startswith(f"{held}.")
    )


def ticket(actor: Actor, topics: Iterable[str], *, session_key: str = "", age: int = TICKET_AGE) -> str:
    """A signed pass for ``/live/events?ticket=…`` that hears ``topics`` ("orders" = all its events, or
    "orders.confirmed"); those that the actor may not hear are left out.

    Bound to the browser's session by ``session_key`` (``request.session.session_key``), valid ``age`` seconds.
    """
    body = {
        "a": actor.audience.value,
        "p": actor.path,
        "s": actor.subject_id,
        "i": actor.account_id,
        "t": sorted(t for t in topics if _may_hear(actor, t)),
        "k": session_mark(session_key),
        "e": int(time.time()) + age,
    }
    return signing.dumps(body, salt=_SALT, compress=True)


def listener(text: str, at: float | None = None) -> Listener | None:
    """Who a ticket is for; None when it is forged or had expired ``at`` (default now)."""
    try:
        body = signing.loads(text, salt=_SALT)
    except signing.BadSignature:
        return None
    if body["e"] <= (time.time() if at is None else at):
        return None
    return Listener(body["a"], body["p"], body["s"], body["i"], tuple(body["t"]), body["k"], body["e"])


def session_mark(session_key: str) -> str:
    """A short one-way mark of the session, so that a ticket does not carry the key."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:16] if session_key else ""


# ---------------------------------------------------------------- NATS
async def connect(name: str, url: str = "", **more) -> nats.NATS:
    """A connection that comes back by itself; ``url`` may name several servers, separated by commas; ``more`` for the library.

    Raises when there is no server now: whoever waits must hear that it is to stop.
    """

    async def quiet(error: Exception) -> None:
        log.debug("nats %s: %s", name, error)

    async with asyncio.timeout(5):  # the library itself would try for ever, also the first time
        return await nats.connect(
            (url or settings.NATS_URL).split(","),
            name=name,
            error_cb=quiet,
            connect_timeout=2,
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.25,
            ping_interval=5,
            max_outstanding_pings=2,
            **more,
        )


def replicas() -> int:
    """Copies of each stream in a cluster of NATS: SANGYU_NATS_REPLICAS, read when the stream is made."""
    return int(os.environ.get("SANGYU_NATS_REPLICAS", "1"))


async def ensure_stream(js: JetStreamContext) -> None:
    """Create the stream when it is not there. Its settings can be changed by an operator afterwards (replicas,
    size).
    """
    try:
        await js.stream_info(STREAM)
    except NotFoundError:
        await js.add_stream(
            StreamConfig(
                name=STREAM,
                subjects=[f"{SUBJECT}.>"],
                retention=RetentionPolicy.LIMITS,
                storage=StorageType.FILE,
                max_age=MAX_AGE,
                max_bytes=MAX_BYTES,
                duplicate_window=120.0,
                num_replicas=replicas(),
            )
        )


# ---------------------------------------------------------------- relay
Passed = Callable[[list[tuple[str, dict[str, Any]]]], None]


_ahead: ContextVar[list["Event"] | None] = ContextVar("sangyu_ahead", default=None)


@contextmanager
def ahead() -> Iterator[list["Event"]]:
    """Events written inside are handed to the caller, who gives them to ``publish_ahead`` after the commit.

    For the few that count in milliseconds: they reach the stream without the way through a relay, which is not woken for
    them. It finds their rows at its next look all the same and brings what did not arrive; the stream keeps each once.
    """
    events: list[Event] = []
    token = _ahead.set(events)
    try:
        yield events
    finally:
        _ahead.reset(token)


async def publish_ahead(nc: nats.NATS, events: Iterable["Event"]) -> None:
    """Put events of a committed transaction on the stream, without waiting for its word: see ``ahead``."""
    for event in events:
        subject, body, headers = _message(event.pk, event.name, event.path, event.payload, event.at.timestamp())
        await nc.publish(subject, body, headers=headers)


def announce(events: Sequence["Event"]) -> None:
    """Have the relays look at the outbox as soon as the open transaction, which holds ``events``, is committed.

    Once a transaction is enough. The notification is a statement of its own after the commit: inside the transaction it
    would hold a lock of the whole server until the commit is on disk, and commits would queue. Lost ones cost ``POLL``.
    """
    held = _ahead.get()
    if held is not None:
        held.extend(events)
    elif events and not any(call[1] is _notify for call in connection.run_on_commit):
        transaction.on_commit(_notify, robust=True)


def _notify() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {CHANNEL}")


_ENTER = "SELECT set_config('sangyu.path', %s, true), set_config('role', %s, true)"
_TAKE = (
    "SELECT id, name, path, payload::text, extract(epoch FROM at)::float8 FROM kernel_event WHERE relayed_at IS NULL "
    "ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED"
)


def relay_forever(stop: threading.Event, passed: Passed | None = None) -> None:
    """Publish outbox rows until ``stop``. Without NATS or the database it waits and tries again; rows stay.

    ``passed`` is told names and payloads of what went by, after they were stored; it must not wait.
    """
    asyncio.run(_relay(stop, passed))


async def _relay(stop: threading.Event, passed: Passed | None) -> None:
    pause, beat = 0.2, 0.0
    while not stop.is_set():
        nc = database = None
        try:
            nc = await connect("sangyu relay")
            js = nc.jetstream()
            await ensure_stream(js)
            database = await psycopg.AsyncConnection.connect(**connector_params(), autocommit=True)
            await database.execute(f"LISTEN {CHANNEL}")
            while not stop.is_set():
                sent = await relay_once(database, js, passed)
                pause = 0.2
                if time.monotonic() - beat >= BEAT_EVERY:
                    beat = time.monotonic()
                    await nc.publish(BEAT, b"")
                if sent < BATCH:  # what was said meanwhile was kept: nothing falls between the look and the wait
                    async for _said in database.notifies(timeout=POLL, stop_after=1):
                        pass
        except (NatsError, OSError, psycopg.Error, TimeoutError) as error:
            log.warning("events wait: %s: %s", type(error).__name__, error)
            await _sleep(stop, pause)
            pause = min(pause * 2, 2)
        finally:
            if nc is not None:
                await nc.close()
            if database is not None:
                await database.close()


async def relay_once(database: psycopg.AsyncConnection, js: JetStreamContext, passed: Passed | None = None) -> int:
    """Publish one batch and mark what the stream has stored, in one transaction. Returns how many rows were taken."""
    async with database.transaction(), database.cursor(row_factory=psycopg.rows.tuple_row) as cursor:
        async with database.pipeline():  # one round trip
            await cursor.execute(_ENTER, [ROOT_PATH, Audience.JOB.db_role])
            await cursor.execute(_TAKE, [BATCH])
            rows = await cursor.fetchall()
        if not rows:
            return 0
        answers = await asyncio.gather(*(_publish(js, *row) for row in rows), return_exceptions=True)
        stored = [row for row, answer in zip(rows, answers, strict=True) if not isinstance(answer, BaseException)]
        marked = [row[0] for row in stored]
        await cursor.execute("UPDATE kernel_event SET relayed_at = clock_timestamp() WHERE id = ANY (%s)", [marked])
    if passed is not None:
        passed([(row[1], json.loads(row[3])) for row in stored])
    refused = next((a for a in answers if isinstance(a, BaseException)), None)
    if refused is not None:  # after the commit of what was stored
        raise refused
    return len(rows)


def _message(pk: int, name: str, path: str, payload: dict[str, Any], at: float) -> tuple[str, bytes, dict[str, str]]:
    """Subject, body and headers of one event. The mark is the same whoever publishes it; the time makes it unique even when
    a database is loaded anew and its ids start again.
    """
    body = json.dumps({"id": pk, "name": name, "path": path, "at": at, "payload": payload}, ensure_ascii=False)
    return f"{SUBJECT}.{path}.{name}", body.encode(), {"Nats-Msg-Id": f"{pk}-{at:.6f}"}


async def _publish(js: JetStreamContext, pk: int, name: str, path: str, payload: str, at: float) -> None:
    subject, body, headers = _message(pk, name, path, json.loads(payload), at)
    await js.publish(subject, body, timeout=5, stream=STREAM, headers=headers)


async def _sleep(stop: threading.Event, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not stop.is_set() and time.monotonic() < until:
        await asyncio.sleep(0.05)
