"""Whose bytes are decoded next: in a turn of the loop a few milliseconds' worth, those of who seems to call for help before all others.

Reading a socket costs a tenth of decoding what came. When a thousand devices speak at the same moment, decoding each as it is read would keep
an alarm that was read last, and the stream's word on all others, waiting until the last of them is done.
"""

import asyncio
import time
from collections import deque
from typing import Protocol

#: Seconds of decoding in a turn of the loop; then what was read and acknowledged meanwhile has its turn.
TURN = 0.005


class Waiting(Protocol):
    """A connection with bytes to decode: ``decode`` takes a share of them."""

    queued: bool

    def decode(self) -> None: ...


class Turns:
    """One a gateway."""

    def __init__(self) -> None:
        self._urgent: deque[Waiting] = deque()
        self._others: deque[Waiting] = deque()
        self._called = False

    def add(self, connection: Waiting, *, urgent: bool = False) -> None:
        """Its turn will come, once for all that it has by then. Who waits already and is urgent now moves to the front."""
        if urgent:
            self._urgent.append(connection)
        elif not connection.queued:
            self._others.append(connection)
        connection.queued = True
        self._call()

    def _call(self) -> None:
        if not self._called:
            self._called = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._called = False
        until = time.monotonic() + TURN
        while (queue := self._urgent or self._others) and time.monotonic() < until:
            connection = queue.popleft()
            if connection.queued:  # else it had its turn, from the other queue
                connection.queued = False
                connection.decode()
        if queue:
            self._call()
