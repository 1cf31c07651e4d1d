"""What came by MQTT, decoded and put on the stream of signals; the device's own acknowledgement follows (ADR 0024).

Devices publish into the stream DEVICES of NATS's own MQTT listener. A message leaves it when its entries are on SIGNALS; then its dialect's answer is published.
"""

import asyncio
import contextlib
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import Error as JetStreamError
from nats.js.errors import NotFoundError

from sangyu.engines.codecs import Decoder, Message, codec
from sangyu.kernel.live import replicas

from . import homes, topics
from .conversion import network_of
from .door import find

if TYPE_CHECKING:
    from .service import Gateway

log = logging.getLogger(__name__)

STREAM, DURABLE = "DEVICES", "bridge"
MOST_BYTES = 2_000_000_000
TOGETHER, ACK_WAIT = 200, 30
#: A value whose configuration is not known (yet) is looked at again after so many seconds, so many times in all.
UNKNOWN_AFTER, UNKNOWN_TRIES = 2, 3


async def ensure(js) -> None:
    """Make the streams, or teach an older one the subjects of today. They must be there before a device may publish: what nobody stores is
    not acknowledged."""
    intake = StreamConfig(
        name=STREAM, subjects=list(topics.SUBJECTS), retention=RetentionPolicy.WORK_QUEUE, discard=DiscardPolicy.NEW,
        storage=StorageType.FILE, max_bytes=MOST_BYTES, max_msg_size=270_000, num_replicas=replicas(),
    )  # fmt: skip
    for wanted in (intake, homes.stream()):
        try:
            found = (await js.stream_info(wanted.name)).config
        except NotFoundError:
            await js.add_stream(wanted)
            continue
        if set(found.subjects) != set(wanted.subjects):
            await js.update_stream(found.evolve(subjects=wanted.subjects))


class Waiting:
    """One message of the stream until all its entries are stored."""

    def __init__(self, bridge: "Bridge", message, left: int) -> None:
        self.bridge, self.message, self.left, self.lost = bridge, message, left, False

    def stored(self, token: object) -> None:
        self.bridge.start(self._answer(token))
        self._one_less()

    def failed(self) -> None:
        self.lost = True
        self._one_less()

    async def _answer(self, token: Message) -> None:
        for reply in token.replies:
            if reply.topic:
                await self.bridge.nats.publish(topics.subject(reply.topic), reply.payload)

    def _one_less(self) -> None:
        self.left -= 1
        if self.left <= 0:
            self.bridge.start(self.message.nak(1) if self.lost else self.message.ack())


class Bridge:
    """Runs inside a gateway; of several gateways each takes what it gets."""

    def __init__(self, gateway: "Gateway", nats: Client) -> None:
        self.gateway, self.nats, self.start = gateway, nats, gateway.start
        self._decoders = {name: codec(name).decoder(gateway.options) for name in topics.PROTOCOLS - {topics.HOME}}
        self._homes = homes.Homes(gateway.options)

    async def run(self) -> None:
        """Until cancelled; NATS may come and go."""
        config = ConsumerConfig(
            durable_name=DURABLE, ack_policy=AckPolicy.EXPLICIT, ack_wait=ACK_WAIT, max_deliver=-1, max_ack_pending=5000
        )
        self.start(self._homes.run(self.nats))
        while True:
            try:
                js = self.nats.jetstream()
                await ensure(js)
                pull = await js.pull_subscribe(">", DURABLE, stream=STREAM, config=config)
                while True:
                    with contextlib.suppress(TimeoutError):
                        for message in await pull.fetch(TOGETHER, timeout=5):
                            self._take(message)
                    while self.gateway.publisher.full:
                        await asyncio.sleep(0.05)
            except (NatsError, JetStreamError, OSError) as error:
                log.warning("the MQTT bridge waits: %s: %s", type(error).__name__, error)
                await asyncio.sleep(1)

    def _take(self, message) -> None:
        counts, where = self.gateway.counts, topics.topic(message.subject)
        counts["mqtt_messages"] += 1
        protocol = topics.protocol_of(where)
        if protocol == topics.HOME:
            self._take_home(message, where)
        elif protocol:
            self._read(message, where, self._decoders[protocol])
        else:
            self._drop(message)

    def _take_home(self, message, where: str) -> None:
        """A bridge's configuration is kept; a value is read once its configuration is known, or dropped when none has come."""
        homes = self._homes
        if topics.announces(where):
            self.start(homes.keep(self.nats, message))
        elif homes.waits(where) and not (homes.caught_up and message.metadata.num_delivered >= UNKNOWN_TRIES):
            self.start(message.nak(UNKNOWN_AFTER))
        elif homes.knows(where):
            self._read(message, where, homes.decoder(where))
        else:
            self._drop(message)

    def _drop(self, message) -> None:
        self.gateway.counts["mqtt_skipped"] += 1
        self.start(message.term())

    def _read(self, message, where: str, decoder: Decoder) -> None:
        counts = self.gateway.counts
        try:
            batch = decoder.feed(message.data, received_at=_received(message), topic=where)
            known = [
                (m, device) for m in batch.messages if (device := find(self.gateway.register, m.protocol, m.device))
            ]
        except Exception:
            log.exception("an MQTT message on %s could not be read", where)
            counts["unread"] += 1
            self.start(message.term())
            return
        counts["mqtt_skipped"] += len(batch.skipped)
        counts["unknown"] += len(batch.messages) - len(known)
        entries = [(self.gateway.entry(m, device, network_of(m)), m, device) for m, device in known]
        made = [found for found in entries if found[0] is not None]
        if not made:
            self.start(message.term())
            return
        waiting = Waiting(self, message, len(made))
        for entry, m, device in made:
            self.gateway.publisher.put(entry, waiting, m)
            if m.confirms:
                self.gateway.commander.confirmed(device.id, m.confirms)
            self.gateway.commander.heard(device.id, "", self.send)

    def send(self, payload: bytes, topic: str = "") -> bool:
        """A command on the device's topic."""
        if not topic:
            return False
        self.start(self.nats.publish(topics.subject(topic), payload))
        return True


def _received(message) -> datetime:
    """When NATS had it: a message that waited is not younger for it."""
    with contextlib.suppress(Exception):
        return message.metadata.timestamp.astimezone(UTC)
    return datetime.now(UTC)
