"""The gateway as a whole: starts, listens, sweeps, tells how it goes, stops (ADR 0024, docs/rooms/gateway.md)."""

import asyncio
import contextlib
import json
import logging
import os
import platform
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import Error as JetStreamError

from sangyu.engines.codecs import Message, codec
from sangyu.engines.codecs.entries import Entry
from sangyu.engines.codecs.interface import Options
from sangyu.engines.codecs.products import Product
from sangyu.kernel import live
from sangyu.kernel.aio import ended

from ..engines import process
from ..engines.nkeys import Issuer
from . import bridge, stream
from .commander import Commander, NoCommands, Queue, Rows
from .config import DATAGRAMS, Limits, Listen, bound, most_connections, remembered, state_file
from .connections import Connection, Strangers
from .conversion import entry_of
from .datagrams import hear
from .door import Door
from .freshness import EVENTS, Freshness
from .publishing import Publisher
from .pulse import Pulse
from .pushing import MOST_HEAD, Push, keys
from .register import Database, Device, Register
from .turns import Turns

log = logging.getLogger(__name__)

SWEEP, CARE = 5.0, 30.0
BACKLOG = 4096
#: Bytes that may wait for a NATS server that is slow.
PENDING = 16_000_000
#: Minutes east of UTC of a device that writes local time.
CHINA = 480


class Gateway:
    """``run`` until ``stop``. ``connect`` makes a NATS connection and raises while there is none."""

    def __init__(
        self, register: Register, products: Mapping[str, Product], listens: list[Listen], connect: Callable,
        *, limits: Limits = Limits(), state: Path | None = None, name: str = "", queue: Queue | None = None, issuer: Issuer | None = None, secret: Callable[[Device], str] | None = None, push: tuple[Path, Mapping[str, str]] | None = None,
    ) -> None:  # fmt: skip
        self.register, self.listens, self.limits, self.state = register, listens, limits, state
        self.name = name or f"{platform.node()}-{os.getpid()}"
        self.options = Options(offset=CHINA, key=self._key)
        self.counts: dict[str, int] = defaultdict(int)
        self.publisher = Publisher(self.counts)
        self.publisher.drained = self._drained
        self.turns = Turns()
        self.strangers = Strangers(limits.strangers)
        self.commander = Commander(queue or NoCommands(), self.start, self.counts)
        self.freshness = Freshness(register, self.commander, self.newest)
        self.pulse = Pulse(self.name, self.summary, state)
        self.connections: set[Connection] = set()
        self.paused: set[Connection] = set()
        self.by_device: dict[int, list[Connection]] = {}
        self._datagrams: list[asyncio.DatagramTransport] = []
        self.ports: dict[str, list[int]] = {}
        self.listening = asyncio.Event()
        self.full, self.lag = 0.0, 0
        self.stopping = False
        self._products = dict(products)
        self._local = {code: replace(p, clock=CHINA) for code, p in products.items()}
        self._connect, self._push = connect, push
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task] = set()
        self._most = min(limits.connections, most_connections())
        self._secret = secret
        self._door = Door(register, issuer, secret, self.counts, self.strangers) if issuer and secret else None
        register.gone = self._gone

    # ------------------------------------------------------------ life
    async def run(self) -> None:
        """Wait for NATS and the register, listen, work until ``stop``; then answer what is stored and close."""
        nats: Client | None = None
        sockets, servers = [], []
        try:
            sockets.extend((listen, bound(listen)) for listen in self.listens)
            nats = await self._until_stopped(self._connected())
            if nats is None or await self._until_stopped(self.freshness.begin()) is None:
                return
            self.publisher.connection = nats
            await nats.subscribe(EVENTS, cb=self.freshness.hear)
            loop = asyncio.get_running_loop()
            for listen, sock in sockets:
                server = await loop.create_server(
                    lambda c=codec(listen.protocol): Connection(self, c), sock=sock, backlog=BACKLOG
                )
                servers.append(server)
                port = sock.getsockname()[1]
                self.ports.setdefault(listen.protocol, []).append(port)
                if listen.protocol in DATAGRAMS:
                    self._datagrams.extend(await hear(self, listen, port))
            for work in (
                self._sweep(),
                self.pulse.run(nats),
                self.freshness.keep_register(),
                self.freshness.keep_commands(),
                self._care(nats),
            ):
                self.start(work)
            if self._door is not None:
                await bridge.ensure(nats.jetstream())
                await self._door.open(nats)
                self.start(bridge.Bridge(self, nats).run())
            if self._push is not None:
                where, secrets = self._push
                where.unlink(missing_ok=True)
                serve = Push(self, secrets).serve
                servers.append(await asyncio.start_unix_server(serve, where, limit=MOST_HEAD))
            await nats.flush()  # what is subscribed holds from here on
            if self.state is not None:
                (self.state.parent / "ports.json").write_text(json.dumps(self.ports))
            self.listening.set()
            log.warning("gateway listens: %s; %s devices", self.ports, len(self.register))
            await self._stop.wait()
        finally:
            self.stopping = True
            for server in servers:
                server.close()
            for _listen, sock in sockets:
                sock.close()
            for connection in list(self.connections):
                connection._pause()
            await self.publisher.close(5)
            for transport in self._datagrams:
                transport.close()
            for connection in list(self.connections):
                connection.close("stop")
            await ended(*self._tasks)
            self.register.close()
            self.commander.close()
            self.pulse.close()
            if nats is not None:
                with contextlib.suppress(Exception):
                    await asyncio.wait_for(nats.close(), 2)

    def stop(self) -> None:
        self._stop.set()

    def stop_on_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self.stop)

    def start(self, work) -> None:
        """A task that ends with the gateway; what it raises is logged."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("gateway task failed", exc_info=task.exception())

    async def _until_stopped(self, work):
        """What ``work`` gives; None when the stop came first."""
        task, stop = asyncio.ensure_future(work), asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            task.cancel()
            stop.cancel()

    def _key(self, account: str) -> bytes | None:
        """The AES key of a SIA DC-09 account; None for one that the register does not have."""
        device = self.register.find("sia-dc09", account)
        return bytes.fromhex(self._secret(device)) if device is not None and self._secret is not None else None

    async def _connected(self) -> Client:
        said = False
        while True:
            try:
                nats = await self._connect()
                await stream.ensure(nats.jetstream())
                return nats
            except (NatsError, JetStreamError, OSError, TimeoutError) as error:
                if not said:
                    log.warning("the gateway waits for NATS: %s: %s", type(error).__name__, error)
                said = True
                await asyncio.sleep(0.5)

    # ------------------------------------------------------------ connections
    def entry(self, message: Message, device: Device, network: str) -> Entry | None:
        """What the stream gets of a message, by whatever way it came. One that cannot be read is counted and logged: None."""
        product = (self._local if device.local_clock else self._products).get(device.product)
        try:
            made = entry_of(message, device.id, device.product, product, network)
        except Exception:
            self.counts["unread"] += 1
            log.exception("a %s message of device %s could not be read", message.protocol, device.id)
            return None
        self.counts["messages"] += 1
        return made

    def opened(self, connection: Connection) -> None:
        self.counts["connected"] += 1
        self.connections.add(connection)
        if len(self.connections) > self._most:
            unnamed = [c for c in self.connections if c.device is None]
            min(unnamed or [connection], key=lambda c: c.opened).close("too_many")
        elif self.publisher.full:
            connection._pause()

    def closed(self, connection: Connection) -> None:
        self.connections.discard(connection)
        self.paused.discard(connection)
        if connection.device is not None:
            held = self.by_device.get(connection.device.id, [])
            if connection in held:
                held.remove(connection)
            if not held:
                self.by_device.pop(connection.device.id, None)

    def bound(self, connection: Connection) -> None:
        """A device said who it is. Networks leave half-open connections behind: the newest is the one that is spoken to."""
        held = self.by_device.setdefault(connection.device.id, [])
        held.append(connection)
        if len(held) > 3:
            held[0].close("superseded")

    def newest(self, device: int) -> Connection | None:
        """The connection on which a device is spoken to."""
        return next((c for c in reversed(self.by_device.get(device, ())) if not c.transport.is_closing()), None)

    def _gone(self, device: Device) -> None:
        for connection in list(self.by_device.get(device.id, ())):
            connection.close("retired")

    def _drained(self) -> None:
        for connection in list(self.paused):
            connection._resume()

    async def _sweep(self) -> None:
        """Close what is silent, and what does not say who it is."""
        while True:
            await asyncio.sleep(SWEEP if self.limits.idle > 60 else self.limits.idle / 10)
            now = time.monotonic()
            for connection in list(self.connections):
                if connection.device is None and now - connection.opened > self.limits.identify:
                    connection.close("nameless")
                elif now - connection.heard > self.limits.idle:
                    connection.close("idle")

    # ------------------------------------------------------------ stream and state
    async def _care(self, nats: Client) -> None:
        while True:
            try:
                self.full, self.lag = await stream.care(nats.jetstream())
            except (NatsError, JetStreamError, OSError, TimeoutError) as error:
                log.debug("the stream was not looked at: %s", error)
            reserved = self.full > stream.RESERVED
            if reserved != self.publisher.reserved:
                log.error(
                    "the stream of signals is %s", "nearly full: readings are refused" if reserved else "free again"
                )
            self.publisher.reserved = reserved
            await asyncio.sleep(5 if self.full > stream.TRIMMED else CARE)

    def summary(self) -> dict[str, object]:
        """Ports, counts and how it goes; no personal data."""
        return {
            "name": self.name, "pid": os.getpid(), "at": time.time(), "ports": self.ports, "connections": len(self.connections),
            "devices": len(self.by_device), "registered": len(self.register), "register_from_disk": self.register.from_disk,
            "waiting": self.publisher.waiting, "alarms_waiting": self.publisher.alarms_waiting,
            "last_stored": self.publisher.last_stored, "nats": self.publisher.connected, "stream_full": round(self.full, 4),
            "stream_lag": self.lag, "counts": dict(sorted(self.counts.items())),
        }  # fmt: skip


def main(home: Path, products: Mapping[str, Product], listens: list[Listen], url: str) -> None:
    """Run one gateway until SIGTERM. SANGYU_MQTT_PORT: it also lets MQTT devices in and bridges them. Raises EngineError when it cannot listen."""
    import uvloop

    from sangyu.registry.devices import credentials

    token = urlsplit(url.partition(",")[0]).password or ""
    issuer = Issuer(token) if os.environ.get("SANGYU_MQTT_PORT") and token else None

    def secret(device: Device) -> str:
        return credentials.secret(device.protocol, device.identity, device.credential)

    state = state_file(home)
    state.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def work() -> None:
        register = Register(Database(), state.parent / "register")
        run = process.make_socket_folder(process.socket_folder(home / "run"))
        same = remembered(listens, state.parent / "ports.json")
        gateway = Gateway(
            register,
            products,
            same,
            lambda: live.connect("sangyu gateway", url, pending_size=PENDING),
            state=state,
            queue=Rows(),
            issuer=issuer,
            secret=secret,
            push=(run / "gateway.sock", keys()),
        )
        gateway.stop_on_signals()
        await gateway.run()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work())
