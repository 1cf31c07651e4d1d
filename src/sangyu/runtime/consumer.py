"""From the stream of signals to the database: one batch is one transaction, acknowledged after its commit (ADR 0024).

Any number may run. Alarms and readings are pulled by consumers of their own, each with a thread and a database connection, so that an alarm never
waits behind readings. A batch that was committed and not acknowledged comes again and changes nothing. A message that cannot be taken is set aside
with its reason; without the database everything stays in the stream. A third thread lets the clock of the world run: due stretches, silence,
steps of the escalation ladders.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import threading
import time
from dataclasses import dataclass, field
from functools import partial

from django.db import InterfaceError, OperationalError, connection, connections
from django.utils import timezone
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from sangyu.care.emergencies import services as emergencies
from sangyu.care.signals import services as signals
from sangyu.care.signals.events import RAISED
from sangyu.engines.codecs.entries import ALARM, READING, STREAM, Entry, pack, unpack
from sangyu.kernel import live
from sangyu.kernel.actor import Actor
from sangyu.kernel.aio import ended
from sangyu.kernel.models import Event
from sangyu.kernel.scoping import scope

from .gateway import stream

log = logging.getLogger(__name__)

ACTOR = Actor.job("signals")
#: Durable consumers of the stream and what they read. The alarms' own one keeps them out of the readings' queue.
DURABLE, ALARMS = "signals", "signals_alarms"
#: Seconds after which what a dead consumer had in hand comes again; one that lives and waits for the database says so meanwhile.
ACK_WAIT = {DURABLE: 30.0, ALARMS: 5.0}
#: Bytes of the messages of one transaction, a thousand readings: enough to pay for its statements, few enough to be done in a tenth of a second.
MOST_BYTES = 400_000
#: Seconds from the beginning of one transaction to the next. Readings gather: the statements of one for thirty cost as much as of one for
#: three hundred. Alarms are taken as they come.
APART = {DURABLE: 0.1, ALARMS: 0.0}
#: Messages asked for at once and kept here at most.
AHEAD = 256
TICK = 0.5
#: Unread messages in the stream from which on silence says nothing.
BEHIND = 2_000


@dataclass
class Message:
    """One message of the stream: where to acknowledge it, what it holds."""

    reply: str
    subject: str
    data: bytes

    @property
    def sequence(self) -> int | None:
        parts = self.reply.split(".")
        return int(parts[5]) if len(parts) >= 9 and parts[5].isdigit() else None


@dataclass
class Done:
    """Counts since the start, for the log and for measuring."""

    batches: int = 0
    messages: int = 0
    entries: int = 0
    raised: int = 0
    set_aside: int = 0
    seconds: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


# ---------------------------------------------------------------- one batch
def settle(entries: list[Entry], done: Done | None = None) -> list[Event]:
    """One transaction: take the entries in, let alarms become incidents. Answers its events, cases first, to be put on the stream ahead of the relay."""
    now, began = timezone.now(), time.perf_counter()
    with live.ahead() as events, scope(ACTOR, source="signals"):
        raised = signals.take(entries, actor=ACTOR, now=now)
        if raised:
            emergencies.alarms(raised, actor=ACTOR, now=now)
        for device in signals.resets(entries):
            emergencies.device_reset(actor=ACTOR, device_id=device, now=now)
    if done is not None:
        with done.lock:
            done.batches += 1
            done.entries += len(entries)
            done.raised += len(raised)
            done.seconds += time.perf_counter() - began
    return sorted(events, key=lambda e: e.name == RAISED)  # the stream puts each on disk before the next


def work(messages: list[Message], done: Done, stop: threading.Event) -> list[Event] | None:
    """Bring messages into the database, whatever is wrong with some of them; answers what happened by that. None when told to stop before
    the database was there.
    """
    readable: list[tuple[Message, list[Entry]]] = []
    for message in messages:
        try:
            readable.append((message, unpack(message.data)))
        except ValueError as error:
            if not _patient(partial(_set_aside, message.data, str(error), message), stop):
                return None
            done.set_aside += 1
    events: list[Event] = []
    if not _patient(partial(_settle_all, readable, done, events), stop):
        return None
    done.messages += len(messages)
    return events


def _settle_all(readable: list[tuple[Message, list[Entry]]], done: Done, events: list[Event]) -> None:
    try:
        events += settle([e for _m, entries in readable for e in entries], done)
        return
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        signals.forget_days()
        connection.close()  # nothing that it kept, a plan of before a migration, is tried again
        log.warning("a batch of %s messages is taken one by one", len(readable), exc_info=True)
    for message, entries in readable:
        for entry in entries:
            try:
                events += settle([entry], done)
            except (OperationalError, InterfaceError):
                raise
            except Exception as error:
                log.error("a message of device %s is set aside: %s: %s", entry.device, type(error).__name__, error)
                _set_aside(pack([entry]), f"{type(error).__name__}: {error}", message)
                done.set_aside += 1


def _set_aside(body: bytes, reason: str, message: Message) -> None:
    with scope(ACTOR, source="signals"):
        signals.set_aside(
            body, actor=ACTOR, reason=reason, subject=message.subject, sequence=message.sequence, now=timezone.now()
        )


def _patient(act, stop: threading.Event) -> bool:
    """Do ``act`` until the database lets it; False when told to stop meanwhile. Deadlocks and lost connections are tried again at once, then slower."""
    pause = 0.05
    while True:
        try:
            act()
            return True
        except (OperationalError, InterfaceError) as error:
            log.warning("signals wait for the database: %s", str(error).partition("\n")[0])
            with contextlib.suppress(Exception):
                connection.close()
            if stop.wait(pause):
                return False
            pause = min(pause * 2, 1.0)


# ---------------------------------------------------------------- the stream
def wanted(name: str, subject: str) -> ConsumerConfig:
    return ConsumerConfig(
        durable_name=name, filter_subject=subject, ack_policy=AckPolicy.EXPLICIT, ack_wait=ACK_WAIT[name], max_deliver=-1,
        deliver_policy=DeliverPolicy.ALL, max_ack_pending=8 * AHEAD,
    )  # fmt: skip


class Puller:
    """One durable consumer: asks for messages ahead, hands batches to a thread, acknowledges what that has committed."""

    def __init__(self, nc, durable: str, done: Done, stop: threading.Event) -> None:
        self.nc, self.durable, self.done, self.stop = nc, durable, done, stop
        self.waiting: list[Message] = []
        self.came = asyncio.Event()
        self.asked, self.asked_at = 0, 0.0
        self.inbox = nc.new_inbox()

    async def run(self, pool) -> None:
        """Until stopped. Raises NatsError when the stream or the consumer is gone."""
        subscription = await self.nc.subscribe(self.inbox, cb=self._take)
        loop = asyncio.get_running_loop()
        try:
            while not self.stop.is_set():
                await self._ask()
                if not self.waiting:
                    self.came.clear()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self.came.wait(), 1)
                    continue
                began, batch = time.monotonic(), self._batch()
                settled = loop.run_in_executor(pool, work, batch, self.done, self.stop)
                while not (await asyncio.wait({settled}, timeout=ACK_WAIT[self.durable] / 3))[0]:
                    for message in batch:  # the database is away: nobody else need try meanwhile
                        await self.nc.publish(message.reply, b"+WPI")
                events = settled.result()
                if events is not None:
                    await live.publish_ahead(self.nc, events)
                    for message in batch:
                        await self.nc.publish(message.reply, b"+ACK")
                await self._gather(began)
        finally:
            with contextlib.suppress(Exception):
                await subscription.unsubscribe()

    def _batch(self) -> list[Message]:
        """Messages up to about ``MOST_BYTES``."""
        taken, size = 0, 0
        for message in self.waiting:
            taken, size = taken + 1, size + len(message.data)
            if size > MOST_BYTES:
                break
        batch, self.waiting = self.waiting[:taken], self.waiting[taken:]
        return batch

    async def _gather(self, began: float) -> None:
        """Wait until the next batch may begin; not at all while there is enough for it, or all that was asked for."""
        left = began + APART[self.durable] - time.monotonic()
        if left > 0 and self.asked and sum(len(m.data) for m in self.waiting) < MOST_BYTES:
            await asyncio.sleep(left)

    async def _ask(self) -> None:
        """Keep ``AHEAD`` messages asked for or here; ask again when an answer is overdue."""
        now = time.monotonic()
        if now - self.asked_at > 10:
            self.asked = 0
        wish = AHEAD - len(self.waiting) - self.asked
        if wish < AHEAD // 2:
            return
        self.asked, self.asked_at = self.asked + wish, now
        request = json.dumps({"batch": wish, "expires": 9_000_000_000}).encode()
        await self.nc.publish(f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{self.durable}", request, reply=self.inbox)

    async def _take(self, message) -> None:
        status = (message.headers or {}).get("Status")
        if status:
            if status in ("408", "409"):  # the request ran out
                left = (message.headers or {}).get("Nats-Pending-Messages", "")
                self.asked = max(0, self.asked - int(left)) if left.isdigit() else 0
                if status == "408":  # asked anew at once: an alarm of the next second would wait for that second
                    self.came.set()
            if status in ("404", "503"):
                self.asked = 0
            return
        self.asked = max(0, self.asked - 1)
        self.waiting.append(Message(message.reply, message.subject, message.data))
        self.came.set()


# ---------------------------------------------------------------- the clock
class Clock(threading.Thread):
    """Every half second: what the clock brings about. Silence is judged only while nothing unread waits in the stream."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__(name="clock", daemon=True)
        self.stop, self.unread = stop, 0

    def run(self) -> None:
        while not self.stop.wait(TICK):
            try:
                tick(behind=self.unread > BEHIND)
            except (OperationalError, InterfaceError) as error:
                log.warning("the clock waits for the database: %s", str(error).partition("\n")[0])
                with contextlib.suppress(Exception):
                    connection.close()
                self.stop.wait(0.5)
            except Exception:
                log.exception("the clock stumbled")
        connections.close_all()


def tick(*, behind: bool = False) -> None:
    """One turn: each ladder step in a transaction of its own, then stretches and silence in one with the incidents they open."""
    now = timezone.now()
    emergencies.tick(actor=ACTOR, now=now)
    with scope(ACTOR, source="signals"):
        raised = signals.due(actor=ACTOR, now=now, behind=behind)
        if raised:
            emergencies.alarms(raised, actor=ACTOR, now=now)


# ---------------------------------------------------------------- the process
#: What a process may be given to do; all of it by default. Alarms alone have an interpreter to themselves, so that the work on readings and
#: on the clocks never stands in their way.
WORK = {"alarms": (ALARMS, f"{ALARM}.>"), "readings": (DURABLE, f"{READING}.>")}


async def _follow(stop: threading.Event, done: Done, clock: Clock, only: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    taken = [name for name in WORK if only in ("", name)]
    pools = [ThreadPoolExecutor(1, thread_name_prefix=name) for name in taken]
    nc = await live.connect("sangyu consumer")
    try:
        js = nc.jetstream()
        await stream.ensure(js)
        pullers = []
        for durable, subject in WORK.values():
            await js.add_consumer(STREAM, config=wanted(durable, subject))
        for name, pool in zip(taken, pools, strict=True):
            durable, _subject = WORK[name]
            pullers.append(asyncio.create_task(Puller(nc, durable, done, stop).run(pool)))
        watch = asyncio.create_task(_look(js, stop, done, clock))
        finished, _ = await asyncio.wait({*pullers, watch}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            await asyncio.wait(pullers, timeout=20)
            await nc.flush(timeout=2)
        await ended(*pullers, watch)
        for task in finished:
            task.result()
    finally:
        for pool in pools:
            pool.shutdown(wait=False, cancel_futures=True)
        with contextlib.suppress(Exception):
            await nc.close()


async def _look(js, stop: threading.Event, done: Done, clock: Clock) -> None:
    """How far behind we are; once a minute a line in the log."""
    said, before = time.monotonic(), 0
    while not stop.is_set():
        clock.unread = (await js.consumer_info(STREAM, DURABLE)).num_pending
        if time.monotonic() - said > 60 and done.entries > before:
            log.info(
                "taken %s, raised %s, set aside %s, unread %s", done.entries, done.raised, done.set_aside, clock.unread
            )
            said, before = time.monotonic(), done.entries
        await asyncio.sleep(0.5)


def run(stop: threading.Event | None = None, done: Done | None = None, only: str = "") -> None:
    """Consume until SIGTERM, SIGINT or ``stop``. Waits for NATS and the database, dies of neither.

    ``only``: "alarms", or "readings", which sees to the clocks too; "" does everything.
    """
    import uvloop

    stop, done = stop or threading.Event(), done or Done()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_args: stop.set())
    if only == "alarms":  # the same few statements, few rows each: the server keeps their plans (kernel.scoping)
        connections.settings["default"].setdefault("OPTIONS", {}).update(server_side_binding=True, prepare_threshold=2)
    clock = Clock(stop)
    if only != "alarms":
        clock.start()
    pause = 0.2
    while not stop.is_set():
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_follow(stop, done, clock, only))
            pause = 0.2
        except (NatsError, OSError, TimeoutError) as error:
            log.warning("signals wait for NATS: %s: %s", type(error).__name__, error)
            stop.wait(pause)
            pause = min(pause * 2, 2)
    if clock.is_alive():
        clock.join(5)
    if os.environ.get("SANGYU_CONSUMER_REPORT"):
        print(json.dumps({k: v for k, v in vars(done).items() if k != "lock"}), flush=True)
