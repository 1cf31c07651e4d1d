"""Commands on their way to devices: sent when a device is heard, one at a time, confirmed by its own word (devices.md §1 "Down").

The rows are in the devices room; here is only what is under way on this gateway's connections.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from sangyu.engines.codecs import Encoded

from .register import in_job_scope

log = logging.getLogger(__name__)

#: Seconds after an unanswered command before the same device is tried again.
REST = 20.0


class ToSend(Protocol):
    id: int
    encoded: Encoded


class Queue(Protocol):
    """Where commands wait; all block and may raise."""

    def waiting(self) -> set[int]: ...

    def take(self, device: int, family: str) -> ToSend | None: ...

    def done(self, command: int, confirmed: bool, note: str) -> str: ...


class Rows:
    """The rows of the devices room."""

    def waiting(self) -> set[int]:
        from sangyu.registry.devices import selectors

        with in_job_scope():
            return selectors.commands_waiting()

    def take(self, device: int, family: str) -> ToSend | None:
        from sangyu.registry.devices import services

        with in_job_scope() as actor:
            return services.next_command(actor=actor, device_id=device, family=family)

    def done(self, command: int, confirmed: bool, note: str) -> str:
        from sangyu.registry.devices import services

        with in_job_scope() as actor:
            return services.command_done(actor=actor, command_id=command, confirmed=confirmed, note=note)


class NoCommands:
    """A gateway without commands."""

    def waiting(self) -> set[int]:
        return set()

    def take(self, device: int, family: str) -> None:
        return None

    def done(self, command: int, confirmed: bool, note: str) -> str:
        return ""


class Commander:
    """``heard`` whenever a device speaks and ``send`` can reach it; ``confirmed`` when a message confirms a word."""

    def __init__(self, queue: Queue, start: Callable, counts: dict[str, int]) -> None:
        self.queue, self.start, self.counts = queue, start, counts
        self.waiting: set[int] = set()
        self._busy: set[int] = set()
        self._resting: dict[int, float] = {}
        self._expected: dict[int, tuple[str, asyncio.Future]] = {}
        self._thread = ThreadPoolExecutor(1, "commands")

    async def load(self) -> None:
        """Which devices have commands waiting. Raises what the queue raises."""
        self.waiting = await self._in_thread(self.queue.waiting)

    def heard(self, device: int, family: str, send: Callable[[bytes, str], bool]) -> None:
        """The device is there: send what waits for it. Cheap when nothing does."""
        if device not in self.waiting or device in self._busy or self._resting.get(device, 0) > time.monotonic():
            return
        self._busy.add(device)
        self.start(self._deliver(device, family, send))

    def confirmed(self, device: int, word: str) -> None:
        expected = self._expected.get(device)
        if expected is not None and expected[0].lower() == word.lower() and not expected[1].done():
            expected[1].set_result(True)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _deliver(self, device: int, family: str, send: Callable[[bytes, str], bool]) -> None:
        try:
            while True:
                self.waiting.discard(device)  # an event that comes from here on puts it in again
                found = await self._in_thread(self.queue.take, device, family)
                if found is None:
                    return
                trouble = await self._steps(device, found.encoded, send)
                self.counts["commands_unconfirmed" if trouble else "commands_confirmed"] += 1
                state = await self._in_thread(self.queue.done, found.id, not trouble, trouble)
                if trouble:
                    self._resting[device] = time.monotonic() + REST
                    if state == "queued":
                        self.waiting.add(device)
                    return
        except Exception as error:
            self.waiting.add(device)
            self._resting[device] = time.monotonic() + REST
            log.warning("commands wait: %s: %s", type(error).__name__, error)
        finally:
            self._busy.discard(device)
            if len(self._resting) > 10_000:
                self._resting.clear()

    async def _steps(self, device: int, encoded: Encoded, send: Callable[[bytes, str], bool]) -> str:
        """Send step by step; what went wrong, "" when all are confirmed."""
        for step in encoded.steps:
            answer = asyncio.get_running_loop().create_future()
            self._expected[device] = (step.confirmation, answer)
            try:
                if not send(step.outgoing.payload, step.outgoing.topic):
                    return "not connected"
                self.counts["commands_sent"] += 1
                if step.confirmation:
                    await asyncio.wait_for(answer, encoded.timeout_seconds)
            except TimeoutError:
                return "no answer"
            finally:
                del self._expected[device]
        return ""

    def _in_thread(self, ask: Callable, *words):
        return asyncio.get_running_loop().run_in_executor(self._thread, ask, *words)
