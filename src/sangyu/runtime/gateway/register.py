"""Who may speak: the register of devices in memory, kept fresh by events, and on disk for a start without a database (ADR 0023, 0024)."""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import msgspec

log = logging.getLogger(__name__)

#: Seconds for which an id that the register does not have is remembered.
REMEMBERED = 60.0
#: Strange ids kept in memory, and lookups under way, at most.
MOST_STRANGERS, MOST_LOOKUPS = 50_000, 200


class Device(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the gateway knows of one device."""

    id: int
    protocol: str
    identity: str
    product: str
    state: str
    local_clock: bool = False
    credential: int = 1


class Source(Protocol):
    """Where the register is read; both block and may raise."""

    def everything(self, changed: Iterable[int] | None = None) -> list[Device]: ...

    def one(self, protocol: str, identity: str) -> Device | None: ...


class Database:
    """The register through the devices room, in the scope of a job."""

    def everything(self, changed: Iterable[int] | None = None) -> list[Device]:
        from sangyu.registry.devices import selectors

        with in_job_scope():
            return [
                Device(k.id, k.protocol, k.identity, k.product, k.state, k.local_clock, k.credential)
                for k in selectors.snapshot(changed=changed)
            ]

    def one(self, protocol: str, identity: str) -> Device | None:
        from sangyu.registry.devices import selectors

        with in_job_scope():
            found = selectors.by_identity(protocol, identity)
            return next(iter(self._known(found.id)), None) if found else None

    def _known(self, pk: int) -> list[Device]:
        from sangyu.registry.devices import selectors

        return [
            Device(k.id, k.protocol, k.identity, k.product, k.state, k.local_clock, k.credential)
            for k in selectors.snapshot(changed=[pk])
        ]


@contextlib.contextmanager
def in_job_scope():
    """The scope of a job, on a connection that is made anew when the server went away meanwhile."""
    from django.db import close_old_connections, connection

    from sangyu.kernel.actor import Actor
    from sangyu.kernel.scoping import scope

    if not connection.in_atomic_block:
        close_old_connections()
    actor = Actor.job("signals.gateway")
    with scope(actor):
        yield actor


class Register:
    """``find`` answers from memory; ``look_up`` asks the database once for an id that memory does not have."""

    def __init__(self, source: Source, file: Path | None = None) -> None:
        self.source, self.file = source, file
        self.by_key: dict[tuple[str, str], Device] = {}
        self.by_id: dict[int, Device] = {}
        self.loaded_at = 0.0
        self.from_disk = False
        self.gone: Callable[[Device], None] = lambda device: None
        self._strangers: dict[tuple[str, str], float] = {}
        self._asking: dict[tuple[str, str], asyncio.Future] = {}
        self._thread = ThreadPoolExecutor(1, "register")

    def __len__(self) -> int:
        return len(self.by_id)

    def find(self, protocol: str, identity: str) -> Device | None:
        return self.by_key.get((protocol, identity))

    def strange(self, protocol: str, identity: str) -> bool:
        """Was the register asked for this id a short while ago, in vain?"""
        return self._strangers.get((protocol, identity), 0) > time.monotonic()

    async def look_up(self, protocol: str, identity: str) -> Device | None:
        """From the database, once for all who ask at the same time. None also when there is no answer now."""
        key = (protocol, identity)
        if len(self._asking) >= MOST_LOOKUPS and key not in self._asking:
            return None
        if key not in self._asking:
            self._asking[key] = asyncio.ensure_future(self._ask(key))
        return await asyncio.shield(self._asking[key])

    async def _ask(self, key: tuple[str, str]) -> Device | None:
        try:
            found = await self._in_thread(self.source.one, *key)
        except Exception as error:
            log.warning("the register cannot be asked: %s: %s", type(error).__name__, error)
            return None
        finally:
            del self._asking[key]
        if found is not None:
            self._put(found)
            return found
        if len(self._strangers) >= MOST_STRANGERS:
            self._strangers.clear()
        self._strangers[key] = time.monotonic() + REMEMBERED
        return None

    async def load(self) -> None:
        """Read everything anew and keep it on disk. Raises what the source raises."""
        found = await self._in_thread(self.source.everything)
        before = self.by_id
        self.by_key = {(d.protocol, d.identity): d for d in found}
        self.by_id = {d.id: d for d in found}
        self.loaded_at, self.from_disk = time.time(), False
        self._strangers.clear()
        for device in before.values():
            if device.id not in self.by_id:
                self.gone(device)
        if self.file is not None:
            await self._in_thread(self._keep, found)

    async def refresh(self, ids: Iterable[int]) -> None:
        """Read some devices anew; those that are not there any more may not speak. Raises what the source raises."""
        wanted = set(ids)
        found = {d.id: d for d in await self._in_thread(self.source.everything, wanted)}
        for pk in wanted:
            before = self.by_id.get(pk)
            if pk in found:
                self._put(found[pk])
            elif before is not None:
                del self.by_id[pk]
                self.by_key.pop((before.protocol, before.identity), None)
                self.gone(before)

    def load_kept(self) -> bool:
        """The register as it was last kept, for a start while the database does not answer."""
        try:
            found = msgspec.msgpack.decode(self.file.read_bytes(), type=list[Device]) if self.file else []
        except (OSError, msgspec.DecodeError) as error:
            log.warning("no kept register: %s", error)
            return False
        for device in found:
            self._put(device)
        self.from_disk = bool(found)
        return self.from_disk

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _put(self, device: Device) -> None:
        before = self.by_id.get(device.id)
        if before is not None and (before.protocol, before.identity) != (device.protocol, device.identity):
            self.by_key.pop((before.protocol, before.identity), None)
        self.by_id[device.id] = device
        self.by_key[device.protocol, device.identity] = device
        self._strangers.pop((device.protocol, device.identity), None)

    def _keep(self, found: list[Device]) -> None:
        draft = self.file.with_suffix(f".{os.getpid()}")
        try:
            draft.touch(0o600)
            draft.write_bytes(msgspec.msgpack.encode(found))
            draft.replace(self.file)
        except OSError as error:
            log.warning("the register could not be kept: %s", error)

    def _in_thread(self, ask: Callable, *words):
        return asyncio.get_running_loop().run_in_executor(self._thread, ask, *words)
