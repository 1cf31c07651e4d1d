"""The register and the commands that wait, kept fresh: events say what changed, and everything is looked at now and then besides."""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Callable

from .commander import Commander
from .connections import Connection
from .register import Register

log = logging.getLogger(__name__)

#: What the gateway asks NATS for.
EVENTS = "sangyu.events.*.devices.>"
RELOAD, COMMANDS = 600.0, 15.0


class Freshness:
    """``newest`` answers the connection on which a device is spoken to, None when it is not there."""

    def __init__(self, register: Register, commander: Commander, newest: Callable[[int], Connection | None]) -> None:
        self.register, self.commander, self.newest = register, commander, newest
        self._changed: set[int] = set()
        self._everything = False

    async def begin(self) -> bool:
        """Wait for the register: the database's, else the one kept on disk."""
        said = False
        while True:
            try:
                await self.register.load()
                return True
            except Exception as error:
                if self.register.load_kept():
                    log.error("the database does not answer; the register is the one kept on disk (%s)", error)
                    return True
                if not said:
                    log.warning("the gateway waits for the register: %s: %s", type(error).__name__, error)
                said = True
                await asyncio.sleep(1)

    async def hear(self, message) -> None:
        """A device was issued, changed, retired …, or is given a command; only its id matters, the database says the rest."""
        with contextlib.suppress(ValueError, KeyError, TypeError):
            pk = json.loads(message.data)["payload"].get("id")
            if message.subject.endswith(".command_ended"):
                return
            if message.subject.endswith(".commanded"):
                self._commanded(pk)
            elif isinstance(pk, int):
                self._changed.add(pk)
            else:
                self._everything = True

    def _commanded(self, pk: int) -> None:
        self.commander.waiting.add(pk)
        connection = self.newest(pk)
        if connection is not None:
            self.commander.heard(pk, connection.family, connection.send)

    async def keep_commands(self) -> None:
        """Which devices have commands waiting: an event may have been missed, a try may be due."""
        while True:
            try:
                await self.commander.load()
                for pk in list(self.commander.waiting):
                    if self.newest(pk) is not None:
                        self._commanded(pk)
            except Exception as error:
                log.debug("commands were not looked at: %s", error)
            await asyncio.sleep(COMMANDS)

    async def keep_register(self) -> None:
        """What events told, at once; everything now and then and after a start from disk."""
        tried = time.monotonic()
        while True:
            await asyncio.sleep(0.25)
            due = time.monotonic() - tried > (10 if self.register.from_disk else RELOAD)
            if not (self._changed or self._everything or due):
                continue
            changed, self._changed = self._changed, set()
            try:
                if self._everything or due:
                    tried = time.monotonic()
                    await self.register.load()
                    self._everything = False
                else:
                    await self.register.refresh(changed)
            except Exception as error:
                self._changed |= changed
                log.warning("the register was not read: %s: %s", type(error).__name__, error)
                await asyncio.sleep(2)
