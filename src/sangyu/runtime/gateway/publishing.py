"""Entries to the stream, at least once, and word to whoever waits for the acknowledgement (ADR 0024).

Readings of all connections share a message every few milliseconds; an alarm goes at once and alone, and is tried until it is stored.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from hashlib import blake2b
from typing import Protocol

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import Error as JetStreamError

from sangyu.engines.codecs.entries import READING, STREAM, Entry, joined, pack, packed, subject
from sangyu.kernel.aio import ended

log = logging.getLogger(__name__)

#: Seconds that readings of several devices wait for each other: what a message of the stream costs all who handle it is shared by that many.
EVERY = 0.02
#: A stream message of readings: entries and bytes at most (NATS takes 1 MiB).
MOST_ENTRIES, MOST_BYTES = 1000, 500_000
#: Readings' messages under way at the same time.
IN_FLIGHT = 8
#: Entries that wait for the stream; above it nothing more is read of any device.
MOST_WAITING = 50_000
#: Seconds for the stream to acknowledge one try, and after which a device is told by closing its connection.
TRY, GIVE_UP = 2.0, 20.0
#: Alarms that are tried on without their device; beyond it the oldest is given up, its device sends it again.
MOST_ALARMS = 10_000
SHARDS = 8


class Waiter(Protocol):
    """Who is told. Exactly one of the two, once for each ``put``."""

    def stored(self, token: object) -> None: ...

    def failed(self) -> None: ...


class Batch:
    """Entries wait packed: what thousands of them are made of would push all else out of the processor's caches."""

    __slots__ = ("born", "entries", "ids", "size", "waiting")

    def __init__(self) -> None:
        self.entries: list[bytes] = []
        self.ids: list[bytes] = []
        self.waiting: list[tuple[Waiter, object, float]] = []
        self.size = 0
        self.born = time.monotonic()

    def tell(self, stored: bool, before: float = float("inf")) -> None:
        """Tell all who wait since before that moment."""
        told, self.waiting = self.waiting, [w for w in self.waiting if w[2] > before]
        for waiter, token, since in told:
            if since > before:
                continue
            try:
                waiter.stored(token) if stored else waiter.failed()
            except Exception:
                log.exception("a connection could not be told")


class Publisher:
    """One a process. ``connection`` is the NATS client; None while there is none."""

    def __init__(self, counts: dict[str, int]) -> None:
        self.connection: Client | None = None
        self.counts = counts
        self.waiting = 0
        self.last_stored = 0.0
        #: Readings are refused while the stream is nearly full.
        self.reserved = False
        self.drained: Callable[[], None] = lambda: None
        self._batch: Batch | None = None
        self._sealed: deque[Batch] = deque()
        self._under_way = 0
        self._alarms: dict[bytes, Batch] = {}
        self._tasks: set[asyncio.Task] = set()
        self._stopping = False
        self._shard = 0

    @property
    def full(self) -> bool:
        return self.waiting >= MOST_WAITING

    @property
    def connected(self) -> bool:
        return self.connection is not None and self.connection.is_connected

    @property
    def alarms_waiting(self) -> int:
        return len(self._alarms)

    def put(self, entry: Entry, waiter: Waiter, token: object) -> None:
        """Take one entry; ``waiter.stored(token)`` follows when the stream has it on disk, else ``waiter.failed()``."""
        if entry.alarms:
            self._alarm(entry, waiter, token)
            return
        if self.reserved:
            asyncio.get_running_loop().call_soon(waiter.failed)
            return
        batch = self._batch
        if batch is None:
            batch = self._batch = Batch()
            asyncio.get_running_loop().call_later(EVERY, self._seal, batch)
        part = packed(entry)
        batch.entries.append(part)
        batch.ids.append(entry.id)
        batch.waiting.append((waiter, token, batch.born))
        batch.size += len(part)
        self.waiting += 1
        if len(batch.entries) >= MOST_ENTRIES or batch.size >= MOST_BYTES:
            self._seal(batch)

    async def close(self, seconds: float) -> None:
        """Try what waits for so long; then those who wait are told that it failed."""
        self._stopping = True
        if self._batch is not None:
            self._seal(self._batch)
        until = time.monotonic() + seconds
        while (self._tasks or self._sealed) and time.monotonic() < until:
            await asyncio.sleep(0.02)
        while self._sealed:
            self._sealed.popleft().tell(False)
        await ended(*self._tasks)

    # ------------------------------------------------------------ readings
    def _seal(self, batch: Batch) -> None:
        if self._batch is batch:
            self._batch = None
            self._sealed.append(batch)
            self._send_on()

    def _send_on(self) -> None:
        while self._sealed and self._under_way < IN_FLIGHT:
            self._under_way += 1
            self._start(self._send_readings(self._joined()))

    def _joined(self) -> Batch:
        """The next batch, with those behind it that fit in: a slow disk makes fewer and greater messages."""
        first = self._sealed.popleft()
        while self._sealed:
            following = self._sealed[0]
            if len(first.entries) + len(following.entries) > MOST_ENTRIES or first.size + following.size > MOST_BYTES:
                break
            first.entries += following.entries
            first.ids += following.ids
            first.waiting += following.waiting
            first.size += self._sealed.popleft().size
        return first

    async def _send_readings(self, batch: Batch) -> None:
        stored = False
        try:
            self._shard = (self._shard + 1) % SHARDS
            mark = blake2b(b"".join(batch.ids), digest_size=16).hexdigest()
            body = joined(batch.entries)
            until = batch.born + GIVE_UP
            while not stored and time.monotonic() < until:
                stored = await self._try(f"{READING}.{self._shard}", body, mark)
        finally:
            self._under_way -= 1
            self.waiting -= len(batch.entries)
            self.counts["stored" if stored else "unstored"] += len(batch.entries)
            batch.tell(stored)
            self._send_on()
            if self.waiting < MOST_WAITING // 2:
                self.drained()

    # ------------------------------------------------------------ alarms
    def _alarm(self, entry: Entry, waiter: Waiter, token: object) -> None:
        known = self._alarms.get(entry.id)
        if known is not None:  # sent again while the first is still being tried
            known.waiting.append((waiter, token, time.monotonic()))
            return
        if len(self._alarms) >= MOST_ALARMS:
            oldest = next(iter(self._alarms))
            self._alarms.pop(oldest).tell(False)
            self.counts["alarms_given_up"] += 1
            log.error("too many alarms wait for the stream: one was given up, its device will send it again")
        batch = self._alarms[entry.id] = Batch()
        batch.waiting.append((waiter, token, batch.born))
        self._start(self._send_alarm(entry, batch))

    async def _send_alarm(self, entry: Entry, batch: Batch) -> None:
        stored = False
        try:
            body, mark, where = pack([entry]), entry.id.hex(), subject(entry)
            while self._alarms.get(entry.id) is batch:
                stored = await self._try(where, body, mark)
                if stored:
                    break
                # the device hears nothing and comes again; we go on all the same
                batch.tell(False, before=time.monotonic() - GIVE_UP)
        finally:
            if self._alarms.get(entry.id) is batch:
                del self._alarms[entry.id]
            self.counts["alarms_stored" if stored else "alarms_unstored"] += 1
            batch.tell(stored)

    # ------------------------------------------------------------ both
    async def _try(self, where: str, body: bytes, mark: str) -> bool:
        """One attempt. Not stored after a refusal or within ``TRY`` seconds; the next comes a little later."""
        began = time.monotonic()
        if not self.connected:
            await asyncio.sleep(0.05)
            return False
        try:
            headers = {"Nats-Msg-Id": mark}
            await self.connection.jetstream().publish(where, body, timeout=TRY, stream=STREAM, headers=headers)
        except (NatsError, JetStreamError, OSError, TimeoutError, ValueError) as error:
            self.counts["tries_failed"] += 1
            log.debug("not stored yet: %s: %s", type(error).__name__, error)
            await asyncio.sleep(max(0.05, 0.25 - (time.monotonic() - began)))
            return False
        self.last_stored = time.time()
        return True

    def _start(self, work) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
