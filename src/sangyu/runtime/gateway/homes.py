"""What Home Assistant bridges said of their entities: known to every gateway and after every restart (devices.md §5).

A bridge names its state topics once, in configurations that it may never send again; a value on such a topic means nothing without them. The
last configuration of each topic is kept in the stream HOMES, which each gateway reads from its beginning and follows.
"""

import asyncio
import contextlib
import logging
import time
from datetime import UTC, datetime

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, DiscardPolicy, StorageType, StreamConfig
from nats.js.errors import Error as JetStreamError

from sangyu.engines.codecs import Decoder, Options, codec
from sangyu.kernel.live import replicas

from . import topics

log = logging.getLogger(__name__)

PREFIX = "homes."
#: Seconds after a configuration in which its bridge may be saying more: of a button that has told its battery only no press would be heard.
SETTLES = 1.0
#: Full means refused: what is known is never dropped for what is new.
STREAM = StreamConfig(
    name="HOMES", subjects=[f"{PREFIX}>"], max_msgs_per_subject=1, discard=DiscardPolicy.NEW, storage=StorageType.FILE,
    max_bytes=200_000_000, max_msg_size=270_000,
)  # fmt: skip
#: Configurations read at once; seconds until there are none; seconds after which the server forgets a reader.
TOGETHER, WAIT, GONE = 500, 2, 300


def stream() -> StreamConfig:
    """The stream as this deployment keeps it."""
    return STREAM.evolve(num_replicas=replicas())


class Homes:
    """The entities of every bridge. One decoder a bridge: what one says of its topics is not believed of another's."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.caught_up = False
        self._decoders: dict[str, Decoder] = {}
        self._news: dict[str, float] = {}

    def decoder(self, topic: str) -> Decoder:
        """The decoder of the bridge to which ``topic`` belongs."""
        bridge, _rest = topics.home(topic)
        if bridge not in self._decoders:
            self._decoders[bridge] = codec(topics.HOME).decoder(self.options)
        return self._decoders[bridge]

    def knows(self, topic: str) -> bool:
        """Whether some entity gets its value from ``topic``."""
        return topic in self.decoder(topic).wanted

    def waits(self, topic: str) -> bool:
        """Whether a value on ``topic`` is not to be read yet: nothing is known of it, or its bridge is just saying more."""
        bridge, _rest = topics.home(topic)
        return not self.knows(topic) or time.monotonic() - self._news.get(bridge, -SETTLES) < SETTLES

    async def keep(self, nats: Client, message) -> None:
        """Keep a configuration for all gateways, then take it off the intake; again later when it could not be kept."""
        bridge, _rest = topics.home(topics.topic(message.subject))
        self._news[bridge] = time.monotonic()
        try:
            await nats.jetstream().publish(PREFIX + message.subject, message.data)
        except (NatsError, JetStreamError, OSError) as error:
            log.warning("a bridge's configuration waits: %s: %s", type(error).__name__, error)
            await message.nak(1)
        else:
            await message.ack()

    async def run(self, nats: Client) -> None:
        """Read and follow until cancelled; NATS may come and go."""
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.ALL, ack_policy=AckPolicy.EXPLICIT, inactive_threshold=GONE
        )
        while True:
            try:
                pull = await nats.jetstream().pull_subscribe(f"{PREFIX}>", stream=STREAM.name, config=config)
                while True:
                    messages = []
                    with contextlib.suppress(TimeoutError):
                        messages = await pull.fetch(TOGETHER, timeout=WAIT)
                    for message in messages:
                        self._learn(message)
                        await message.ack()
                    self.caught_up |= len(messages) < TOGETHER
            except (NatsError, JetStreamError, OSError) as error:
                log.warning("bridges' configurations wait: %s: %s", type(error).__name__, error)
                await asyncio.sleep(1)

    def _learn(self, message) -> None:
        topic = topics.topic(message.subject.removeprefix(PREFIX))
        try:
            bridge, rest = topics.home(topic)
            self.decoder(topic).feed(message.data, received_at=datetime.now(UTC), topic=rest)
            if self.caught_up:
                self._news[bridge] = time.monotonic()
        except Exception:
            log.exception("a configuration on %s could not be read", topic)
