"""How a gateway goes, told every two seconds: on disk for who looks at this machine, on NATS for who shows that alarms can be received."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
from nats.aio.client import Client
from nats.errors import Error as NatsError

#: Heartbeat of each gateway; not stored.
PULSE = "signals.gateway"
TELL = 2.0


class Pulse:
    """``summary`` is what to tell; ``state`` the file, None where none is kept."""

    def __init__(self, name: str, summary: Callable[[], Mapping[str, object]], state: Path | None) -> None:
        self.summary, self.state = summary, state
        self.subject = f"{PULSE}.{_token(name)}"
        #: A busy disk may keep who writes to it for many seconds: never the loop that hears the devices.
        self._disk = ThreadPoolExecutor(1, "state")

    async def run(self, nats: Client) -> None:
        while True:
            said = msgspec.json.encode(self.summary())
            if self.state is not None:
                await asyncio.get_running_loop().run_in_executor(self._disk, self._keep, said)
            if nats.is_connected:
                with contextlib.suppress(NatsError, OSError):
                    await nats.publish(self.subject, said)
            await asyncio.sleep(TELL)

    def _keep(self, said: bytes) -> None:
        with contextlib.suppress(OSError):
            draft = self.state.with_suffix(".draft")
            draft.write_bytes(said)
            draft.replace(self.state)

    def close(self) -> None:
        """Who reads the file from here on sees that no gateway runs."""
        if self.state is not None:
            self._disk.submit(self.state.unlink, missing_ok=True)
        self._disk.shutdown()


def _token(name: str) -> str:
    """A name as one part of a subject."""
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in name) or "gateway"
