"""The stream SIGNALS: how it is made, and how it stays small without ever dropping what nobody has read (ADR 0024)."""

import logging
import os

from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import APIError, NotFoundError

from sangyu.engines.codecs.entries import ALARM, READING, STREAM
from sangyu.kernel.live import replicas

log = logging.getLogger(__name__)

#: The durable consumers that write to the database: of readings, and of alarms, which never wait behind readings.
CONSUMERS = ("signals", "signals_alarms")
GIGABYTE = 1_000_000_000
LEAST = 64_000_000
#: A device that repeats itself within this time is dropped by the stream already; the consumer drops all the others.
DUPLICATES = 120.0
#: Above this part of the stream readings are refused, so that alarms still find room.
RESERVED = 0.9
#: Read messages are removed when the stream holds more than this part: until then they can be read again.
TRIMMED = 0.5
_NO_ROOM = 10047


async def ensure(js: JetStreamContext) -> None:
    """Create the stream when it is not there. SANGYU_SIGNALS_GB: its most bytes (8).

    A full stream takes nothing new and so is no device answered: it never drops what is not in the database. On a disk that has less
    room it is made smaller. What an operator changes afterwards stays.
    """
    try:
        await js.stream_info(STREAM)
    except NotFoundError:
        size = int(float(os.environ.get("SANGYU_SIGNALS_GB", "8")) * GIGABYTE)
        while True:
            try:
                await js.add_stream(_config(size))
                return
            except APIError as error:
                if error.err_code != _NO_ROOM or size // 2 < LEAST:
                    raise
                size //= 2
                log.warning("little room for the stream of signals: %.1f GB", size / GIGABYTE)


def _config(size: int) -> StreamConfig:
    return StreamConfig(
        name=STREAM,
        subjects=[f"{ALARM}.>", f"{READING}.>"],
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.NEW,
        storage=StorageType.FILE,
        max_bytes=size,
        duplicate_window=DUPLICATES,
        num_replicas=replicas(),
    )


async def care(js: JetStreamContext) -> tuple[float, int]:
    """Remove what all consumers have behind them once the stream is half full. Answers how full it is (0–1) and how many messages wait.

    While one of the consumers is missing nothing is removed. Raises NATS errors.
    """
    info = await js.stream_info(STREAM)
    most = info.config.max_bytes or 0
    full = info.state.bytes / most if most > 0 else 0.0
    floor, waiting = info.state.last_seq, 0
    for name in CONSUMERS:
        try:
            consumer = await js.consumer_info(STREAM, name)
        except NotFoundError:
            return full, info.state.messages
        open_ = (consumer.num_pending or 0) + (consumer.num_ack_pending or 0)
        waiting += open_
        # one that has nothing to do has read all that was there when the stream was asked, whatever its last message was
        if open_:
            floor = min(floor, consumer.ack_floor.stream_seq if consumer.ack_floor else 0)
    if full > TRIMMED and floor >= info.state.first_seq:
        await js.purge_stream(STREAM, seq=floor + 1)
        info = await js.stream_info(STREAM)
        full = info.state.bytes / most
    return full, waiting
