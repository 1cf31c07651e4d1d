"""One device on one TCP connection: frames in, identity, entries out, replies after storing (devices.md §0)."""

import asyncio
import logging
import time
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sangyu.engines.codecs import Codec, Message, Outgoing

from .conversion import network_of
from .register import Device

if TYPE_CHECKING:
    from .service import Gateway

log = logging.getLogger(__name__)

#: Bytes of one connection that are decoded at once: some sixty frames, ten milliseconds. The rest waits for the others' turn, and for the limits.
SHARE = 8_192


class Connection(asyncio.Protocol):
    """Nothing that arrives here may raise, block, or grow without bound; one device never disturbs another."""

    def __init__(self, gateway: "Gateway", codec: Codec) -> None:
        self.gateway, self.codec = gateway, codec
        self.decoder = codec.decoder(gateway.options)
        self.device: Device | None = None
        self.identity = ""
        self.family = ""
        self.network = ""
        self.address = ""
        self.transport: asyncio.Transport | None = None
        self.opened = self.heard = time.monotonic()
        self.unanswered = 0
        self._changes = 0
        self._asking = False
        self._held: list[Message] = []
        self._rest, self.queued = b"", False
        self._reading = True
        self._tokens, self._counted = float(gateway.limits.burst), self.opened

    # ------------------------------------------------------------ asyncio
    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        peer = transport.get_extra_info("peername")
        self.address = peer[0] if isinstance(peer, tuple) and peer else ""
        self.gateway.opened(self)

    def data_received(self, data: bytes) -> None:
        self.gateway.counts["bytes"] += len(data)
        self._rest += data
        if len(self._rest) > SHARE:
            self._pause()
        self.gateway.turns.add(self, urgent=bool(self.codec.urgent and self.codec.urgent.search(data)))

    def eof_received(self) -> None:
        """It says no more; what it said counts."""
        if self.queued:
            self.decode()

    def decode(self) -> None:
        """One share of what came, in its turn (``Turns``); while more is left than one, nothing is read."""
        if not self._may_go_on():
            self._pause()
            return
        data, self._rest = self._rest[:SHARE], self._rest[SHARE:]
        self._feed(data)
        self._resume()

    def _feed(self, data: bytes) -> None:
        counts = self.gateway.counts
        try:
            batch = self.decoder.feed(data, received_at=datetime.now(UTC))
        except Exception:
            counts["decoder_failed"] += 1
            log.exception("%s decoder failed on %s bytes", self.codec.name, len(data))
            self.close("decoder")
            return
        for skipped in batch.skipped:
            counts["skipped"] += 1
            counts[f"skipped_{skipped.reason}"] += 1
            for reply in skipped.replies:
                self._write(reply.payload)
        if batch.messages:
            self.heard = time.monotonic()
            self._take(batch.messages)
            self._charge(len(batch.messages))

    def connection_lost(self, error: Exception | None) -> None:
        self.gateway.closed(self)
        self._held.clear()
        self._rest = b""

    def pause_writing(self) -> None:
        """It does not read our answers."""
        self.close("deaf")

    # ------------------------------------------------------------ messages
    def _take(self, messages: tuple[Message, ...] | list[Message]) -> None:
        for place, message in enumerate(messages):
            if self.transport is None or self.transport.is_closing():
                return
            if self._asking:
                self._held.extend(messages[place:])
                return
            if self.device is None and not self._identify(message):
                if self._asking:
                    self._held.extend(messages[place:])
                return
            if message.device != self.identity:
                self._changed(message)
                continue
            self._publish(message)

    def _identify(self, message: Message) -> bool:
        """Bind the connection to the device of its first message. False: it is asked for, or the connection is closed."""
        gateway, protocol = self.gateway, self.codec.name
        if not message.device:
            self.close("no_login")
            return False
        found = gateway.register.find(protocol, message.device)
        if found is not None:
            self._bind(found, message.device)
            return True
        if gateway.register.strange(protocol, message.device) or not gateway.strangers.may_ask(self.address):
            self._unknown()
            return False
        self._asking = True
        self._pause()
        gateway.start(self._look_up(message.device))
        return False

    async def _look_up(self, identity: str) -> None:
        found = await self.gateway.register.look_up(self.codec.name, identity)
        self._asking = False
        if self.transport is None or self.transport.is_closing():
            return
        if found is None:
            self._unknown()
            return
        self._bind(found, identity)
        held, self._held = self._held, []
        self._take(held)
        self._resume()

    def _bind(self, device: Device, identity: str) -> None:
        self.device, self.identity = device, identity
        self.gateway.bound(self)

    def _unknown(self) -> None:
        self.gateway.counts["unknown"] += 1
        self.gateway.strangers.note(self.address)
        self.close("unknown")

    def _changed(self, message: Message) -> None:
        """A frame with another id: a flipped digit, or somebody who tries. It is not taken; after a few the connection ends."""
        self.gateway.counts["changed_id"] += 1
        self._changes += 1
        if self._changes >= self.gateway.limits.changes:
            self.close("changed_id")

    def _publish(self, message: Message) -> None:
        gateway, device = self.gateway, self.device
        self.network = network_of(message) or self.network
        self.family = message.details.get("family") or self.family
        entry = gateway.entry(message, device, self.network)
        if entry is None:
            return
        self.unanswered += 1
        gateway.publisher.put(entry, self, (message.replies, message.confirms))
        if self.unanswered >= gateway.limits.waiting or gateway.publisher.full:
            self._pause()

    # ------------------------------------------------------------ the publisher's word
    def stored(self, token: tuple[tuple[Outgoing, ...], str]) -> None:
        """The stream has the message on disk: answer it. ``token``: its replies and the word that it confirms."""
        self.unanswered -= 1
        replies, confirms = token
        for reply in replies:
            self._write(reply.payload)
        if self.device is not None:
            if confirms:
                self.gateway.commander.confirmed(self.device.id, confirms)
            self.gateway.commander.heard(self.device.id, self.family, self.send)
        if not self._reading and self.unanswered < self.gateway.limits.waiting:
            self._resume()

    def failed(self) -> None:
        """Not stored: the device is not answered and comes again."""
        self.unanswered -= 1
        self.gateway.counts["not_answered"] += 1
        self.close("not_stored")

    # ------------------------------------------------------------ flow
    def _charge(self, messages: int) -> None:
        now, limits = self.heard, self.gateway.limits
        self._tokens = min(float(limits.burst), self._tokens + (now - self._counted) * limits.rate) - messages
        self._counted = now
        if self._tokens < 0:
            self.gateway.counts["slowed"] += 1
            self._pause()
            asyncio.get_running_loop().call_later(min(30.0, 0.05 - self._tokens / limits.rate), self._resume)

    def _pause(self) -> None:
        if self._reading and self.transport is not None and not self.transport.is_closing():
            self._reading = False
            self.transport.pause_reading()
            self.gateway.paused.add(self)

    def _resume(self) -> None:
        """Go on with what came, then read on, unless something else still stands against it."""
        if (self._reading and not self._rest) or not self._may_go_on():
            return
        if self._rest:
            self.gateway.turns.add(self)
            return
        self._reading = True
        self.gateway.paused.discard(self)
        self.transport.resume_reading()

    def _may_go_on(self) -> bool:
        gateway, limits = self.gateway, self.gateway.limits
        if gateway.stopping or self._asking or self.transport is None or self.transport.is_closing():
            return False
        if self.unanswered >= limits.waiting or gateway.publisher.full:
            return False
        return self._tokens + (time.monotonic() - self._counted) * limits.rate >= 0

    def send(self, payload: bytes, topic: str = "") -> bool:
        """A command to the device, on its newest connection. False when it is not there any more."""
        newest = self.gateway.newest(self.device.id)
        if newest is not None and newest is not self:
            return newest.send(payload)
        if self.transport is None or self.transport.is_closing():
            return False
        self.transport.write(payload)
        return True

    def _write(self, payload: bytes) -> None:
        if payload and self.transport is not None and not self.transport.is_closing():
            self.transport.write(payload)

    def close(self, why: str) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.gateway.counts[f"closed_{why}"] += 1
            self.transport.close() if why in ("stop", "retired") else self.transport.abort()


class Strangers:
    """How often an address came with an id that nobody knows. Known devices behind the same address are never held back:
    thousands of watches share one address of their operator."""

    def __init__(self, a_minute: int) -> None:
        self.a_minute = a_minute
        self._seen: dict[str, int] = defaultdict(int)
        self._since = time.monotonic()

    def may_ask(self, address: str) -> bool:
        """May the register be asked for one more id of this address?"""
        self._turn()
        return self._seen[address] < self.a_minute

    def note(self, address: str) -> None:
        self._turn()
        self._seen[address] += 1
        if self._seen[address] == self.a_minute:
            log.warning("many unknown devices from %s: they are not looked up for a minute", address)

    def _turn(self) -> None:
        now = time.monotonic()
        if now - self._since > 60 or len(self._seen) > 100_000:
            self._seen.clear()
            self._since = now
