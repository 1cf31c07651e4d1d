"""Who wears which device, kept on NATS for the moment when the database cannot be asked (ADR 24, step 5).

The relay's process writes it: everything at its start and once an hour, and a device soon after an event about it. The stream keeps
the last message a subject, so it outlives the database, the writer and the reader. What it says is little: numbers of rows, the
device's number, the wearer's name masked, room and bed. ``runtime/push.py`` reads it.
"""

import hashlib
import logging
import queue
import threading
import time
from collections.abc import Iterable
from typing import Any

import msgspec
from nats.js import JetStreamContext
from nats.js.api import StorageType, StreamConfig
from nats.js.errors import NotFoundError

log = logging.getLogger(__name__)

STREAM = "WEARERS"
SUBJECT = "wearers"
#: Devices whose ids follow each other share a message.
SHARD = 500
#: Seconds between two looks at everything: what no event tells (somebody moved to another bed).
EVERY = 3600.0
#: Seconds in which changes are gathered.
SOON = 1.0
#: Events after which a device, or a person's devices, are looked at anew; "count" in the payload means many: look at everything.
OF_DEVICE, OF_PERSON = "devices.", ("people.updated", "people.merged", "people.unmerged", "people.moved")


class Worn(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One device as the desk must know it without the database. ``path`` says who may hear of it."""

    path: str
    number: str
    product: str
    person: int | None = None
    name: str = ""
    facility: int | None = None
    room: str = ""
    bed: str = ""


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(dict[int, Worn]).decode


async def ensure_stream(js: JetStreamContext) -> None:
    """Create the stream when it is not there."""
    try:
        await js.stream_info(STREAM)
    except NotFoundError:
        await js.add_stream(
            StreamConfig(name=STREAM, subjects=[f"{SUBJECT}.*"], storage=StorageType.FILE, max_msgs_per_subject=1)
        )


def read(shards: Iterable[int] | None = None) -> dict[int, dict[int, Worn]]:
    """Shard → its devices that may speak; ``shards`` None: all there are. Needs the database and an open scope of a job."""
    from sangyu.kernel.identity import mask_name
    from sangyu.registry.devices import selectors as devices
    from sangyu.registry.devices.enums import State
    from sangyu.registry.devices.models import Device
    from sangyu.registry.people.models import Person

    rows = Device.objects.exclude(state=State.RETIRED).order_by("pk")
    if shards is None:
        last = Device.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        shards = range(last // SHARD + 1)
    found: dict[int, dict[int, Worn]] = {}
    for shard in shards:
        mine = rows.filter(pk__gte=shard * SHARD, pk__lt=(shard + 1) * SHARD)
        known = list(mine.values_list("pk", "path", "identity", "product", "person_id", "facility_id"))
        worn = devices.wearers([row[0] for row in known])
        whose = {pk: (worn[pk].person_id if pk in worn else None) or person for pk, *_rest, person, _house in known}
        names = dict(Person.objects.filter(pk__in={p for p in whose.values() if p}).values_list("pk", "name"))
        found[shard] = {
            pk: Worn(
                path,
                number,
                product,
                whose[pk],
                mask_name(names[whose[pk]]) if whose[pk] in names else "",
                house,
                worn[pk].room if pk in worn else "",
                worn[pk].bed if pk in worn else "",
            )
            for pk, path, number, product, _person, house in known
        }
    return found


class Keeper:
    """Writes the snapshot from a thread of the relay's process."""

    def __init__(self) -> None:
        self.changes: queue.SimpleQueue[tuple[str, dict[str, Any]]] = queue.SimpleQueue()
        self.digests: dict[int, bytes] = {}

    def passed(self, events: list[tuple[str, dict[str, Any]]]) -> None:
        """What the relay carried: kept for the thread when it concerns us."""
        for name, payload in events:
            if name.startswith(OF_DEVICE) or name in OF_PERSON:
                self.changes.put((name, payload))

    def shards(self, events: list[tuple[str, dict[str, Any]]]) -> set[int] | None:
        """Which shards ``events`` concern; None for all."""
        from sangyu.registry.devices.models import Device

        ids: set[int] = set()
        persons: set[int] = set()
        for name, payload in events:
            numbers = [payload[k] for k in ("id", "gone") if isinstance(payload.get(k), int)]
            if not numbers:
                return None
            (ids if name.startswith(OF_DEVICE) else persons).update(numbers)
        if persons:
            ids.update(Device.objects.filter(person_id__in=persons).values_list("pk", flat=True))
        return {pk // SHARD for pk in ids}

    def bodies(self, events: list[tuple[str, dict[str, Any]]] | None) -> dict[int, bytes]:
        """Messages whose content is another than the one written last."""
        from sangyu.kernel.actor import Actor
        from sangyu.kernel.scoping import scope

        with scope(Actor.job("who wears what")):
            wanted = None if events is None else self.shards(events)
            made = {shard: encode(rows) for shard, rows in read(wanted).items()}
        return {s: body for s, body in made.items() if self.digests.get(s) != hashlib.sha256(body).digest()}

    def run(self, stop: threading.Event) -> None:
        """Until ``stop``; without the database or NATS it waits and begins with everything."""
        import asyncio

        from django.db import connections

        pause = 1.0
        while not stop.is_set():
            try:
                asyncio.run(self._keep(stop))
            except Exception as error:  # it serves the worst moment and must never end the relay that runs beside it
                log.warning("the snapshot of wearers waits: %s: %s", type(error).__name__, error)
                self.digests.clear()
                stop.wait(pause)
            finally:
                connections.close_all()

    async def _keep(self, stop: threading.Event) -> None:
        import asyncio

        from sangyu.kernel import live

        nc = await live.connect("sangyu wearers")
        try:
            js = nc.jetstream()
            await ensure_stream(js)
            whole = 0.0
            while not stop.is_set():
                events: list | None = await asyncio.to_thread(self._gather)
                if time.monotonic() - whole >= EVERY or not whole:
                    whole, events = time.monotonic(), None
                if events == []:
                    continue
                for shard, body in (await asyncio.to_thread(self.bodies, events)).items():
                    await js.publish(f"{SUBJECT}.{shard}", body, timeout=5, stream=STREAM)
                    self.digests[shard] = hashlib.sha256(body).digest()
        finally:
            await nc.close()

    def _gather(self) -> list[tuple[str, dict[str, Any]]]:
        events = []
        until = time.monotonic() + SOON
        while (left := until - time.monotonic()) > 0:
            try:
                events.append(self.changes.get(timeout=left))
            except queue.Empty:
                break
        return events
