"""A small MQTT 3.1.1 client for simulated devices and tests: sign in, publish and subscribe with QoS 1, hear."""

import asyncio
import contextlib

from sangyu.kernel.aio import ended


class Refused(Exception):
    """The server did not let the client in; ``code`` as in the protocol (4 user or password, 5 not authorised)."""

    def __init__(self, code: int) -> None:
        super().__init__(f"refused with {code}")
        self.code = code


class Client:
    """One connection. ``heard`` receives (topic, payload)."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self._waiting: dict[int, asyncio.Future] = {}
        self._number = 0
        self._task: asyncio.Task | None = None
        self.writer: asyncio.StreamWriter | None = None

    @classmethod
    async def connect(
        cls, host: str, port: int, *, client: str, user: str = "", password: str = "", will: tuple[str, bytes] | None = None,
        keep_alive: int = 60,
    ) -> "Client":  # fmt: skip
        """Sign in. Raises Refused, OSError."""
        made = cls()
        reader, made.writer = await asyncio.open_connection(host, port)
        flags, body = 0x02, _text(client)
        if will:
            flags |= 0x04 | 0x08
            body += _text(will[0]) + len(will[1]).to_bytes(2) + will[1]
        if user:
            flags |= 0x80 | 0x40
            body += _text(user) + _text(password)
        made._send(0x10, _text("MQTT") + bytes([4, flags]) + keep_alive.to_bytes(2) + body)
        try:
            kind, answer = await asyncio.wait_for(_packet(reader), 10)
        except (asyncio.IncompleteReadError, ConnectionError):
            made.writer.close()
            raise Refused(5) from None
        if kind >> 4 != 2 or answer[1]:
            made.writer.close()
            raise Refused(answer[1] if len(answer) > 1 else 3)
        made._task = asyncio.ensure_future(made._hear(reader))
        return made

    async def publish(self, topic: str, payload: bytes, seconds: float = 10) -> bool:
        """With QoS 1. False when it was not acknowledged: refused topics are not."""
        number, waiting = self._next()
        self._send(0x32, _text(topic) + number.to_bytes(2) + payload)
        with contextlib.suppress(TimeoutError, ConnectionError):
            await asyncio.wait_for(waiting, seconds)
            return True
        return False

    async def subscribe(self, topic: str) -> bool:
        """With QoS 1. False when it is not allowed."""
        number, waiting = self._next()
        self._send(0x82, number.to_bytes(2) + _text(topic) + b"\x01")
        codes = await asyncio.wait_for(waiting, 10)
        return codes[0] != 0x80

    async def close(self) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            self._send(0xE0, b"")
        await ended(self._task)
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    async def ended(self) -> None:
        """Until the connection is over, from whichever side."""
        await asyncio.wait([self._task])

    @property
    def closed(self) -> bool:
        return self._task is None or self._task.done()

    def _next(self) -> tuple[int, asyncio.Future]:
        self._number = self._number % 0xFFFF + 1
        waiting = self._waiting[self._number] = asyncio.get_running_loop().create_future()
        return self._number, waiting

    def _send(self, kind: int, body: bytes) -> None:
        size, length = len(body), bytearray()
        while True:
            size, digit = divmod(size, 128)
            length.append(digit | (0x80 if size else 0))
            if not size:
                break
        self.writer.write(bytes([kind]) + bytes(length) + body)

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                kind, body = await _packet(reader)
                match kind >> 4:
                    case 3:
                        size = int.from_bytes(body[:2])
                        topic, rest = body[2 : 2 + size].decode(), body[2 + size :]
                        if kind & 6:
                            self._send(0x40, rest[:2])
                            rest = rest[2:]
                        self.heard.put_nowait((topic, rest))
                    case 4 | 9:
                        waiting = self._waiting.pop(int.from_bytes(body[:2]), None)
                        if waiting is not None and not waiting.done():
                            waiting.set_result(body[2:])
        except (asyncio.IncompleteReadError, OSError):
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(ConnectionError("the connection ended"))


async def _packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    (kind,) = await reader.readexactly(1)
    size, shift = 0, 0
    while True:
        (digit,) = await reader.readexactly(1)
        size |= (digit & 0x7F) << shift
        shift += 7
        if not digit & 0x80:
            return kind, await reader.readexactly(size)


def _text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2) + data
