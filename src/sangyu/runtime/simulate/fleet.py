"""Many simulated devices on real connections in one event loop: when each speaks, what it waits for, what it sends again."""

import asyncio
import heapq
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from sangyu.engines.codecs import codec
from sangyu.engines.codecs.identity import identity
from sangyu.kernel.aio import ended

from ..gateway.config import most_connections
from .again import AGAIN, Pause
from .beds import Bed
from .faults import NONE, Faults
from .life import CHINA, Life
from .speech import SPEECHES, Frame
from .wearers import Wearer

#: Seconds after which a sign-in that is not answered ends the connection.
PATIENCE = 30.0
WRONG_CLOCKS = (timedelta(days=-9000), timedelta(hours=8), timedelta(days=400), timedelta(days=-30))


class Device(asyncio.Protocol):
    """One device. Alarms, and with ``prove`` every answered frame, are kept until their answer and sent again after a break."""

    def __init__(self, fleet: "Fleet", wearer: Wearer) -> None:
        self.fleet, self.wearer = fleet, wearer
        self.draw = Random(f"{fleet.seed} {wearer.protocol} {wearer.identity}")
        self.life = Life(fleet.seed, wearer.identity, wearer.latitude, wearer.longitude)
        wrong = self.draw.random() < fleet.faults.wrong_clock
        self.speech = SPEECHES[wearer.protocol](
            wearer.identity, self.draw.choice(WRONG_CLOCKS) if wrong else timedelta()
        )
        self.transport: asyncio.Transport | None = None
        self.signed_in = False
        self.closing = False
        self.waiting: dict[str, list[tuple[Frame, float]]] = {}
        self.pause = Pause(self.draw)
        self.alarms: list[Frame] = []
        self.last_sent = 0.0

    # ------------------------------------------------------------ connection
    async def connect(self) -> None:
        """Until it is connected or told to close."""
        loop, fleet = asyncio.get_running_loop(), self.fleet
        while not self.closing:
            try:
                await loop.create_connection(lambda: self, fleet.host, fleet.ports[self.wearer.protocol])
                return
            except OSError:
                fleet.counts["refused"] += 1
                await self.pause.over()

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.fleet.counts["connected"] += 1
        self.fleet.online.add(self)
        self.waiting.clear()
        login = self.speech.login(datetime.now(UTC))
        self._write(login)
        if not self.speech.login_first:
            self._signed_in()

    def connection_lost(self, error: Exception | None) -> None:
        self.transport, self.signed_in = None, False
        self.fleet.online.discard(self)
        self.fleet.signed_in.discard(self)
        self.fleet.counts["lost"] += 1
        if not self.closing:
            self.fleet.later(self._again())

    async def _again(self) -> None:
        await self.pause.over()
        await self.connect()

    def _signed_in(self) -> None:
        self.signed_in = True
        self.pause.succeeded()
        self.fleet.signed_in.add(self)
        for frame in self.alarms:
            self._write(frame)

    def data_received(self, data: bytes) -> None:
        keys, said = self.speech.hear(data)
        now = time.monotonic()
        for key in keys:
            if not self.signed_in:
                self._signed_in()
            held = self.waiting.get(key)
            if not held:
                self.fleet.counts["answers_unexpected"] += 1
                continue
            frame, since = held.pop(0)
            self.fleet.counts["answered"] += 1
            if frame.alarm:
                if frame in self.alarms:
                    self.alarms.remove(frame)
                    self.fleet.counts["alarms_answered"] += 1
                self.fleet.delays.append(now - since)
            self.fleet.proved(self, frame)
        for word in said:
            self.fleet.counts["commands"] += 1
            if self.transport is not None:
                self.transport.write(word)

    # ------------------------------------------------------------ speaking
    def speak(self) -> None:
        """The next frame: a report, now and then vital signs or a heartbeat."""
        if not self.signed_in:
            self.fleet.counts["unsent"] += 1
            return
        now = datetime.now(UTC)
        body = self.life.at(now.astimezone(CHINA))
        chance = self.draw.random()
        make = self.speech.vitals if chance < 0.3 else self.speech.heartbeat if chance < 0.4 else self.speech.report
        self._write(self._made(make(body, now)))

    def press(self, kind: str = "sos") -> None:
        """The button, or what else of ``kind`` the device reports; kept until it is answered."""
        now = datetime.now(UTC)
        frame = self._made(self.speech.alarm(self.life.at(now.astimezone(CHINA)), now, kind))
        self.alarms.append(frame)
        self.fleet.counts["alarms"] += 1
        if self.signed_in:
            self._write(frame)

    def _made(self, frame: Frame) -> Frame:
        if self.wearer.protocol != "watch":
            return frame
        return replace(frame, data=self.fleet.faults.made(frame.data, self.draw))

    def remind(self, now: float) -> None:
        """Send again what was not answered; give up a connection that never answered the sign-in."""
        if self.transport is None:
            return
        if not self.signed_in and now - self.last_sent > PATIENCE:
            self.transport.abort()
        elif self.alarms and self.signed_in and now - self.last_sent > AGAIN:
            for frame in self.alarms:
                self.fleet.counts["alarms_again"] += 1
                self._write(frame)

    def _write(self, frame: Frame) -> None:
        self.last_sent = time.monotonic()
        fleet = self.fleet
        fleet.counts["sent"] += 1
        if frame.key:
            self.waiting.setdefault(frame.key, []).append((frame, self.last_sent))
        faults = fleet.faults
        if faults is NONE:
            self.transport.write(frame.data)
            return
        for piece in faults.pieces(frame.data, self.draw):
            self.transport.write(piece)
        if faults.drop and self.draw.random() < faults.drop:
            fleet.counts["dropped"] += 1
            fleet.loop.call_later(0.2, self.drop)

    def drop(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    def close(self) -> None:
        self.closing = True
        if self.transport is not None:
            self.transport.close()


#: Protocol → the device that speaks it; all others have frames on a connection of their own.
_DEVICES = {"alink": Bed}
PROTOCOLS = (*SPEECHES, *_DEVICES)


class Fleet:
    """``counts`` tell what happened; ``delays`` seconds from a press to its answer; with ``prove`` ``answered_ids`` are the entries' ids of answered frames
    that have a time of their own: each must be in the database exactly once, and of the ``alarm_ids`` each must have become one incident."""

    def __init__(
        self, wearers: Iterable[Wearer], ports: Mapping[str, int], *, host: str = "127.0.0.1", seed: object = 1,
        faults: Faults = NONE, prove: bool = False,
    ) -> None:  # fmt: skip
        self.ports, self.host, self.seed, self.faults, self.prove = dict(ports), host, seed, faults, prove
        self.counts: dict[str, int] = defaultdict(int)
        self.delays: list[float] = []
        self.online: set[Device] = set()
        self.signed_in: set[Device] = set()
        self.answered_ids: set[bytes] = set()
        self.alarm_ids: set[bytes] = set()
        self.draw = Random(f"{seed} fleet")
        self.devices: list[Device | Bed] = [_DEVICES.get(w.protocol, Device)(self, w) for w in wearers]
        self.loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task] = set()
        self._stop = False

    async def open(self, *, a_second: float = 1000, seconds: float = 60) -> int:
        """Connect all, ``a_second`` at most; answers how many are signed in after ``seconds`` at the latest."""
        self.loop = asyncio.get_running_loop()
        most_connections()
        began = time.monotonic()
        for n, device in enumerate(self.devices):
            self.later(device.connect())
            if (ahead := n / a_second - (time.monotonic() - began)) > 0.01:
                await asyncio.sleep(ahead)
        while len(self.signed_in) < len(self.devices) and time.monotonic() - began < seconds:
            await asyncio.sleep(0.02)
        return len(self.signed_in)

    async def run(
        self, *, seconds: float = 0, rate: float = 0, interval: float = 60, sos: float = 0,
        told: Callable[[dict], None] | None = None,
    ) -> None:  # fmt: skip
        """Speak: ``rate`` messages a second of all together, else each every ``interval`` seconds; a share ``sos`` of them are presses.

        ``seconds`` 0 = until ``stop``. ``told`` hears the counts every five seconds.
        """
        self.loop = asyncio.get_running_loop()
        each = len(self.devices) / rate if rate else interval
        began = time.monotonic()
        due = [(began + each * n / len(self.devices), n) for n in range(len(self.devices))]
        self.draw.shuffle(due) if not rate else None
        heapq.heapify(due)
        look, tell = began + 1, began + 5
        while not self._stop and (not seconds or time.monotonic() < began + seconds):
            now = time.monotonic()
            while due and due[0][0] <= now:
                at, n = due[0]
                device = self.devices[n]
                device.press() if sos and self.draw.random() < sos else device.speak()
                heapq.heapreplace(due, (max(at + each, now - 5), n))  # no burst after a pause
            if now >= look:
                look = now + 1
                for device in self.devices:
                    device.remind(now)
            if told and now >= tell:
                tell = now + 5
                told(dict(self.counts))
            await asyncio.sleep(min(0.005 if rate else 0.05, max(0.0, due[0][0] - time.monotonic()) if due else 1))

    async def settle(self, seconds: float = 30) -> bool:
        """Until every press is answered; False if that takes longer."""
        until = time.monotonic() + seconds
        while any(d.alarms for d in self.devices) and time.monotonic() < until:
            for device in self.devices:
                device.remind(time.monotonic())
            await asyncio.sleep(0.1)
        return not any(d.alarms for d in self.devices)

    def storm(self) -> None:
        """All connections break at once, as when a mast or a gateway goes."""
        for device in list(self.online):
            device.drop()

    def stop(self) -> None:
        self._stop = True

    async def close(self) -> None:
        self._stop = True
        for device in self.devices:
            device.close()
        await ended(*self._tasks)
        await asyncio.sleep(0)

    def later(self, work) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def proved(self, device: Device, frame: Frame) -> None:
        """Keep the id that an answered frame has on the stream."""
        if not self.prove or (not frame.alarm and device.wearer.protocol != "gt06"):
            return
        decoder = codec(device.wearer.protocol).decoder()
        if device.wearer.protocol == "gt06":
            login = SPEECHES["gt06"](device.wearer.identity).login(datetime.now(UTC))
            decoder.feed(login.data, received_at=datetime.now(UTC))
        for message in decoder.feed(frame.data, received_at=datetime.now(UTC)).messages:
            if message.time is not None:
                self.answered_ids.add(identity(message))
                if frame.alarm:
                    self.alarm_ids.add(identity(message))
