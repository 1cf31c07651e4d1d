"""Devices that speak by UDP: one datagram is one frame, its answer goes back where it came from (devices.md §6)."""

import asyncio
import logging
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sangyu.engines.codecs import Codec, Message, codec

from .config import Listen, bound_datagrams
from .conversion import network_of
from .register import Device

if TYPE_CHECKING:
    from .service import Gateway

log = logging.getLogger(__name__)

Address = tuple[str, int]


async def hear(gateway: "Gateway", listen: Listen, port: int) -> list[asyncio.DatagramTransport]:
    """Begin to hear datagrams on ``port``. Nothing when somebody else uses a usual port. Raises EngineError for a named one."""
    sock = bound_datagrams(listen, port)
    if sock is None:
        log.warning("%s is not heard by UDP: somebody else uses port %s", listen.protocol, port)
        return []
    loop = asyncio.get_running_loop()
    made, _protocol = await loop.create_datagram_endpoint(lambda: Datagrams(gateway, codec(listen.protocol)), sock=sock)
    return [made]


class Datagrams(asyncio.DatagramProtocol):
    """All that comes to one port. What is not stored is not answered: the unit sends it again, or takes its second path."""

    def __init__(self, gateway: "Gateway", codec: Codec) -> None:
        self.gateway, self.codec = gateway, codec
        self.transport: asyncio.DatagramTransport | None = None
        self.unanswered: Counter[int] = Counter()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: Address) -> None:
        counts = self.gateway.counts
        counts["bytes"] += len(data)
        counts["datagrams"] += 1
        if self.gateway.stopping or self.gateway.publisher.full:
            counts["datagrams_dropped"] += 1
            return
        try:
            batch = self.codec.decoder(self.gateway.options).feed(data, received_at=datetime.now(UTC))
        except Exception:
            counts["decoder_failed"] += 1
            log.exception("%s decoder failed on a datagram of %s bytes", self.codec.name, len(data))
            return
        for skipped in batch.skipped:
            counts["skipped"] += 1
            counts[f"skipped_{skipped.reason}"] += 1
            for reply in skipped.replies:
                self.send(reply.payload, address)
        for message in batch.messages:
            self._take(message, address)

    def _take(self, message: Message, address: Address) -> None:
        gateway, protocol = self.gateway, self.codec.name
        device = gateway.register.find(protocol, message.device)
        if device is not None:
            self._publish(message, device, address)
        elif gateway.register.strange(protocol, message.device) or not gateway.strangers.may_ask(address[0]):
            self._unknown(address)
        else:
            gateway.start(self._look_up(message, address))

    async def _look_up(self, message: Message, address: Address) -> None:
        device = await self.gateway.register.look_up(self.codec.name, message.device)
        if device is None:
            self._unknown(address)
        else:
            self._publish(message, device, address)

    def _unknown(self, address: Address) -> None:
        self.gateway.counts["unknown"] += 1
        self.gateway.strangers.note(address[0])

    def _publish(self, message: Message, device: Device, address: Address) -> None:
        gateway = self.gateway
        if self.unanswered[device.id] >= gateway.limits.waiting:
            gateway.counts["datagrams_dropped"] += 1
            return
        entry = gateway.entry(message, device, network_of(message))
        if entry is None:
            return
        self.unanswered[device.id] += 1
        gateway.publisher.put(entry, _Unanswered(self, device.id, address), message)

    def answered(self, device: int) -> None:
        self.unanswered[device] -= 1
        if self.unanswered[device] <= 0:
            del self.unanswered[device]

    def send(self, payload: bytes, address: Address) -> None:
        if payload and self.transport is not None and not self.transport.is_closing():
            self.transport.sendto(payload, address)

    def error_received(self, error: OSError) -> None:
        log.debug("a datagram could not be sent: %s", error)


class _Unanswered:
    """One message until the stream has it."""

    __slots__ = ("address", "device", "port")

    def __init__(self, port: Datagrams, device: int, address: Address) -> None:
        self.port, self.device, self.address = port, device, address

    def stored(self, token: Message) -> None:
        self.port.answered(self.device)
        for reply in token.replies:
            self.port.send(reply.payload, self.address)

    def failed(self) -> None:
        self.port.answered(self.device)
        self.port.gateway.counts["not_answered"] += 1
