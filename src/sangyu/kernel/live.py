"""Live push: from the outbox to NATS JetStream, and the tickets with which browsers listen (docs/adr/0007-events.md).

``relay_forever`` publishes committed outbox rows, at least once, in order of their ids as far as one relay sees them;
any number of relays may run. ``runtime/push.py`` serves them to browsers. An event carries ids only: the browser then
asks for the fragment over HTTP, where scope and permissions hold.
"""

import asyncio
import hashlib
import json
import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import nats
import psycopg
from django.conf import settings
from django.core import signing
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError
from procrastinate.contrib.django.utils import connector_params

from .actor import ROOT_PATH, Actor, Audience

log = logging.getLogger(__name__)

STREAM = "EVENTS"
SUBJECT = "sangyu.events"
#: Seconds between two looks at the outbox when it was empty.
POLL = 0.1
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


def ticket(actor: Actor, topics: Iterable[str], *, session_key: str = "", age: int = TICKET_AGE) -> str:
    """A signed pass for ``/live/events?ticket=…`` that hears ``topics`` ("orders" = all its events, or
    "orders.confirmed").

    Bound to the browser's session by ``session_key`` (``request.session.session_key``), valid ``age`` seconds.
    """
    body = {
        "a": actor.audience.value,
        "p": actor.path,
        "s": actor.subject_id,
        "i": actor.account_id,
        "t": sorted(topics),
        "k": session_mark(session_key),
        "e": int(time.time()) + age,
    }
    return signing.dumps(body, salt=_SALT, compress=True)


def listener(text: str) -> Listener | None:
    """Who a ticket is for; None when it is forged or expired."""
    try:
        body = signing.loads(text, salt=_SALT)
    except signing.BadSignature:
        return None
    if body["e"] <= time.time():
        return None
    return Listener(body["a"], body["p"], body["s"], body["i"], tuple(body["t"]), body["k"], body["e"])


def session_mark(session_key: str) -> str:
    """A short one-way mark of the session, so that a ticket does not carry the key."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:16] if session_key else ""


# ---------------------------------------------------------------- NATS
async def connect(name: str, url: str = "") -> nats.NATS:
    """A connection that keeps reconnecting. Raises when there is no server now."""

    async def quiet(error: Exception) -> None:
        log.debug("nats %s: %s", name, error)

    return await nats.connect(
        url or settings.NATS_URL,
        name=name,
        error_cb=quiet,
        connect_timeout=2,
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.25,
        ping_interval=10,
    )


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
            )
        )


# ---------------------------------------------------------------- relay
_ENTER = "SELECT set_config('sangyu.path', %s, true), set_config('role', %s, true)"
_TAKE = (
    "SELECT id, name, path, payload::text, extract(epoch FROM at)::float8 FROM kernel_event WHERE relayed_at IS NULL "
    "ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED"
)


def relay_forever(stop: threading.Event) -> None:
    """Publish outbox rows until ``stop``. Without NATS or the database it waits and tries again; rows stay."""
    asyncio.run(_relay(stop))


async def _relay(stop: threading.Event) -> None:
    pause = 0.2
    while not stop.is_set():
        nc = database = None
        try:
            nc = await connect("sangyu relay")
            js = nc.jetstream()
            await ensure_stream(js)
            database = await psycopg.AsyncConnection.connect(**connector_params(), autocommit=True)
            while not stop.is_set():
                sent = await relay_once(database, js)
                pause = 0.2
                if sent < BATCH:
                    await asyncio.sleep(POLL)
        except (NatsError, OSError, psycopg.Error, TimeoutError) as error:
            log.warning("events wait: %s: %s", type(error).__name__, error)
            await _sleep(stop, pause)
            pause = min(pause * 2, 5)
        finally:
            if nc is not None:
                await nc.close()
            if database is not None:
                await database.close()


async def relay_once(database: psycopg.AsyncConnection, js: JetStreamContext) -> int:
    """Publish one batch and mark what the stream has stored, in one transaction. Returns how many rows were taken."""
    async with database.transaction(), database.cursor(row_factory=psycopg.rows.tuple_row) as cursor:
        await cursor.execute(_ENTER, [ROOT_PATH, Audience.JOB.db_role])
        await cursor.execute(_TAKE, [BATCH])
        rows = await cursor.fetchall()
        if not rows:
            return 0
        answers = await asyncio.gather(*(_publish(js, *row) for row in rows), return_exceptions=True)
        stored = [row[0] for row, answer in zip(rows, answers, strict=True) if not isinstance(answer, BaseException)]
        await cursor.execute("UPDATE kernel_event SET relayed_at = clock_timestamp() WHERE id = ANY (%s)", [stored])
    refused = next((a for a in answers if isinstance(a, BaseException)), None)
    if refused is not None:  # after the commit of what was stored
        raise refused
    return len(rows)


async def _publish(js: JetStreamContext, pk: int, name: str, path: str, payload: str, at: float) -> None:
    body = json.dumps(
        {"id": pk, "name": name, "path": path, "at": at, "payload": json.loads(payload)}, ensure_ascii=False
    )
    # The time makes the mark unique even when a database is loaded anew and its ids start again.
    headers = {"Nats-Msg-Id": f"{pk}-{at:.6f}"}
    await js.publish(f"{SUBJECT}.{path}.{name}", body.encode(), timeout=5, stream=STREAM, headers=headers)


async def _sleep(stop: threading.Event, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not stop.is_set() and time.monotonic() < until:
        await asyncio.sleep(0.05)
