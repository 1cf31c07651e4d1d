"""What the push process hears of alarms itself, past the database: the desk's last thread (ADR 24, step 5; X-08).

It reads ``signals.alarm.1`` from the stream of signals and tells the staff of the wearer's area at once, as the event
``signals.alarm``: device, number, masked name and room from the snapshot in ``wearers.py``. That is not yet a case; the case follows as
``emergencies.opened`` when the database has taken it. No beat of a relay for ``SILENCE`` means that cases come late or not at all: those
consoles are told (``live.degraded``, ``live.recovered``), their tickets are not ended meanwhile, and who comes back gets what was
heard since.
"""

import asyncio
import contextlib
import logging
import time
from collections import OrderedDict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from sangyu.engines.codecs import entries
from sangyu.kernel import live
from sangyu.kernel.actor import ROOT_PATH

from . import wearers

if TYPE_CHECKING:
    from .push import Hub

log = logging.getLogger(__name__)

TOPIC = "signals.alarm"
#: Seconds without a beat of any relay.
SILENCE = 6.0
#: How far back alarms are looked for at the start, and how long one is kept for consoles that come back.
BACK = timedelta(minutes=15)
#: Alarms kept; more than a desk can read.
KEPT = 2_000
#: Seconds of alarms that a console gets again when it comes back while all is well: what fell into its gap.
GAP = 10.0
#: A ticket that was good when the database went away stays good for so long: a shift.
GRACE = 12 * 3600.0


class Alarms:
    """Alarms of level 1, who wears what, and whether cases come."""

    def __init__(self, hub: "Hub") -> None:
        self.hub = hub
        self.worn: dict[int, wearers.Worn] = {}
        self.kept: OrderedDict[str, tuple[float, dict[str, Any]]] = OrderedDict()
        self.beat = time.monotonic()
        #: When (time.time) the database was last known to be reached; None while all is well.
        self.since: float | None = None
        self.place = 0
        self.loaded = asyncio.Event()

    # ------------------------------------------------------------ what others ask
    def concerns(self, who: live.Listener) -> bool:
        """Whether the listener's ticket is for alarms."""
        return any(t == TOPIC or TOPIC.startswith(t + ".") for t in who.topics)

    def stays(self, who: live.Listener) -> bool:
        """Whether a stream whose ticket has run out goes on: a new ticket cannot be had without the database."""
        return self.since is not None and self.concerns(who) and who.expires > self.since - 60 > time.time() - GRACE

    def good_at(self) -> float | None:
        """The moment for which a ticket must be good; None for now."""
        return None if self.since is None or self.since < time.time() - GRACE else self.since - 60

    def greeting(self, who: live.Listener) -> Iterator[dict[str, Any]]:
        """What a console that comes (back) must know besides the events."""
        if not self.concerns(who):
            return
        begin = time.time() - GAP
        if self.since is not None:
            begin = self.since - BACK.total_seconds()
            yield self._state()
        for heard, event in list(self.kept.values()):
            if heard >= begin and who.hears(event):
                yield event

    # ------------------------------------------------------------ following
    async def run(self) -> None:
        """Follow beats, the snapshot and alarms until cancelled; each may come and go by itself."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch())
            tasks.create_task(self._again(self._beats))
            tasks.create_task(self._again(self._snapshot))
            tasks.create_task(self._again(self._signals))

    async def _again(self, follow) -> None:
        while True:
            nc = None
            try:
                nc = await live.connect("sangyu push alarms")
                await follow(nc)
            except (NatsError, OSError, TimeoutError, NotFoundError) as error:
                log.debug("alarms wait: %s: %s", type(error).__name__, error)
            finally:
                if nc is not None:
                    with contextlib.suppress(Exception):
                        await nc.close()
            await asyncio.sleep(0.5)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            quiet = time.monotonic() - self.beat
            if self.since is None and quiet > SILENCE:
                self.since = time.time() - quiet
                log.warning("no relay reaches the database: consoles are told")
                self._tell(self._state())

    async def _beats(self, nc) -> None:
        subscription = await nc.subscribe(live.BEAT)
        while True:
            with contextlib.suppress(TimeoutError):
                await subscription.next_msg(timeout=5)
                self.beat = time.monotonic()
                if self.since is not None:
                    self.since = None
                    self._tell(self._state())

    async def _snapshot(self, nc) -> None:
        js = nc.jetstream()
        await wearers.ensure_stream(js)
        last = (await js.stream_info(wearers.STREAM)).state.last_seq
        config = ConsumerConfig(deliver_policy=DeliverPolicy.LAST_PER_SUBJECT)
        async for data, place in _follow(js, f"{wearers.SUBJECT}.*", wearers.STREAM, config):
            self.worn |= wearers.decode(data)
            if place >= last:
                self.loaded.set()

    async def _signals(self, nc) -> None:
        js = nc.jetstream()
        while True:  # the gateway makes the stream
            with contextlib.suppress(NotFoundError):
                info = await js.stream_info(entries.STREAM)
                break
            await asyncio.sleep(2)
        with contextlib.suppress(TimeoutError):  # an alarm is told by what the snapshot says of its device
            await asyncio.wait_for(self.loaded.wait(), 5)
        if info.state.last_seq < self.place:
            self.place = 0
        if self.place:
            start = {"deliver_policy": DeliverPolicy.BY_START_SEQUENCE, "opt_start_seq": self.place + 1}
        else:
            since = (datetime.now(UTC) - BACK).strftime("%Y-%m-%dT%H:%M:%SZ")
            start = {"deliver_policy": DeliverPolicy.BY_START_TIME, "opt_start_time": since}
        config = ConsumerConfig(**start)
        async for data, place in _follow(js, f"{entries.ALARM}.1", entries.STREAM, config):
            self.place = place
            try:
                heard = entries.unpack(data)
            except ValueError as error:
                log.error("place %s of the signals: %s", place, error)
                continue
            for entry in heard:
                self.take(entry)

    def take(self, entry: entries.Entry) -> None:
        """One alarm from the stream: kept, and told to those of the wearer's area. Once an id."""
        key = entry.id.hex()
        if key in self.kept or entry.level != 1:
            return
        # A device that the snapshot does not know yet belongs to nobody's area: the root's staff hear of it.
        worn = self.worn.get(entry.device) or wearers.Worn(ROOT_PATH, str(entry.device), entry.product)
        event = {
            "id": 0,
            "name": TOPIC,
            "path": worn.path,
            "at": entry.at / 1000,
            "payload": {
                "entry": key,
                "device": entry.device,
                "number": worn.number,
                "product": worn.product,
                "person": worn.person,
                "name": worn.name,
                "room": " ".join(p for p in (worn.room, worn.bed) if p),
                "kind": entry.alarms[0][0],
                "level": 1,
                "received": entry.received_at / 1000,
            },
        }
        self.kept[key] = (entry.received_at / 1000, event)
        while len(self.kept) > KEPT:
            self.kept.popitem(last=False)
        self._tell(event)

    def _state(self) -> dict[str, Any]:
        name = "live.recovered" if self.since is None else "live.degraded"
        return {"id": 0, "name": name, "path": "", "at": self.since or time.time(), "payload": {}}

    def _tell(self, event: dict[str, Any]) -> None:
        own = event["name"].startswith("live.")
        for client in list(self.hub.clients):
            if self.concerns(client.who) if own else client.who.hears(event):
                self.hub.give(client, "", event)


async def _follow(js, subject: str, stream: str, config: ConsumerConfig):
    """Bodies and places from an ephemeral consumer, until it misses one or vanishes."""
    config.ack_policy, config.inactive_threshold, config.mem_storage = AckPolicy.NONE, 60, True
    subscription = await js.subscribe(subject, stream=stream, config=config, manual_ack=True)
    expected = 1
    try:
        while True:
            try:
                message = await subscription.next_msg(timeout=2)
            except TimeoutError:
                if (await subscription.consumer_info()).delivered.consumer_seq >= expected:
                    return
                continue
            place = message.metadata.sequence
            if place.consumer != expected:
                return
            expected += 1
            yield message.data, place.stream
    finally:
        with contextlib.suppress(Exception):
            await subscription.unsubscribe()
