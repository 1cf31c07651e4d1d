"""A gateway on a real NATS server and free ports, inside one event loop, with a register that the test writes."""

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sangyu.engines.codecs import entries
from sangyu.engines.codecs.products import shipped
from sangyu.kernel import live
from sangyu.runtime.gateway.config import Limits, Listen
from sangyu.runtime.gateway.register import Device, Register
from sangyu.runtime.gateway.service import Gateway

ROOT = Path(__file__).parents[2]
PRODUCTS = shipped(ROOT / "data" / "devices" / "products")
WATCH, OTHER, PENDANT, CANE = "3012345678", "3012345679", "8800000015", "123456789012345"
#: A watch signs in; presses the button; reports its place.
LK = b"[3G*3012345678*000D*LK,100,0,85]"
TODAY = f"{datetime.now(UTC):%d%m%y}"
_PRESS = f"AL,{TODAY},000015,A,41.1201,N,122.0701,E,0.00,0.0,0.0,9,90,66,100,0,00010000,1,0,460,00,9763,4021,130"
SOS = f"[3G*{WATCH}*{len(_PRESS):04x}*{_PRESS}]".encode()


def ud(n: int, device: str = WATCH) -> bytes:
    """A position that differs with ``n``."""
    content = f"UD,{TODAY},00{n // 60 % 60:02d}{n % 60:02d},A,41.12{n % 100:02d},N,122.0701,E,0.00,0.0,0.0,9,90,66,{n},0,00000000,1,0,460,00,9763,4021,130"
    return f"[3G*{device}*{len(content):04x}*{content}]".encode()


@dataclass
class Source:
    """A register of a few devices; ``down`` = the database does not answer."""

    devices: list[Device] = field(default_factory=list)
    down: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)

    def everything(self, changed: Iterable[int] | None = None) -> list[Device]:
        self._answer()
        return [d for d in self.devices if changed is None or d.id in set(changed)]

    def one(self, protocol: str, identity: str) -> Device | None:
        self.asked.append((protocol, identity))
        self._answer()
        return next((d for d in self.devices if (d.protocol, d.identity) == (protocol, identity)), None)

    def _answer(self) -> None:
        if self.down:
            raise ConnectionError("the database is away")


def four() -> list[Device]:
    return [
        Device(1, "watch", WATCH, "watch-3g", "issued"),
        Device(2, "watch", OTHER, "watch-3g", "issued"),
        Device(3, "h02", PENDANT, "pendant-h02", "issued"),
        Device(4, "gt06", CANE, "cane-gt06", "issued"),
    ]


@contextlib.asynccontextmanager
async def running(url: str, source: Source, *, limits: Limits = Limits(), folder: Path | None = None, **more):
    """A gateway that listens; stopped at the end."""
    register = Register(source, folder / "register" if folder else None)
    listens = [Listen(name, "127.0.0.1", 0, False) for name in ("watch", "h02", "gt06", "sia-dc09")]
    gateway = Gateway(register, PRODUCTS, listens, lambda: live.connect("test", url), limits=limits, **more)
    task = asyncio.ensure_future(gateway.run())
    listening = asyncio.ensure_future(gateway.listening.wait())
    await asyncio.wait({task, listening}, timeout=30, return_when=asyncio.FIRST_COMPLETED)
    assert gateway.listening.is_set(), task
    try:
        yield gateway
    finally:
        gateway.stop()
        await asyncio.wait_for(task, 30)


class Wire:
    """One device's connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, gateway: Gateway, protocol: str = "watch") -> "Wire":
        return cls(*await asyncio.open_connection("127.0.0.1", gateway.ports[protocol][0]))

    async def send(self, *pieces: bytes, pause: float = 0.0) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(pause)

    async def receive(self, size: int, seconds: float = 10) -> bytes:
        return await asyncio.wait_for(self.reader.readexactly(size), seconds)

    async def silent(self, seconds: float = 0.5) -> bool:
        """Open, and nothing came."""
        try:
            return await asyncio.wait_for(self.reader.read(1), seconds) is None
        except TimeoutError:
            return True

    async def closed(self, seconds: float = 10) -> bool:
        """The other side ended the connection without a word."""
        try:
            return await asyncio.wait_for(self.reader.read(1), seconds) == b""
        except ConnectionError:
            return True

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


async def stored(url: str) -> list[tuple[str, entries.Entry]]:
    """What the stream holds: subject and entry, in the order of the stream."""
    nats = await live.connect("test", url)
    try:
        js = nats.jetstream()
        found = []
        info = await js.stream_info(entries.STREAM)
        for place in range(max(1, info.state.first_seq), info.state.last_seq + 1):
            message = await js.get_msg(entries.STREAM, place)
            found.extend((message.subject, entry) for entry in entries.unpack(message.data))
        return found
    finally:
        await nats.close()
