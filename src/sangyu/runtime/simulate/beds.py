"""Simulated mattresses: MQTT with a password of their own, Alink's words; a night's sleep by the wearer's clock (devices.md §5).

The same ways as ``fleet.Device``, so that a fleet plays both.
"""

import contextlib
import json
import time
from datetime import UTC, datetime
from random import Random

from .again import AGAIN, Pause
from .life import CHINA, Body, Life
from .mqtt import Client, Refused
from .wearers import Wearer

#: Product key in the topics; the register knows the device by its name alone.
PRODUCT = "simulated"


class Bed:
    """One mattress. Its alarm is a stop of breath: kept and sent again until the server has acknowledged it (QoS 1)."""

    def __init__(self, fleet, wearer: Wearer) -> None:
        self.fleet, self.wearer = fleet, wearer
        self.draw = Random(f"{fleet.seed} {wearer.protocol} {wearer.identity}")
        self.life = Life(fleet.seed, wearer.identity, wearer.latitude, wearer.longitude)
        self.client: Client | None = None
        self.signed_in = self.closing = False
        self.alarms: list[tuple[str, bytes]] = []
        self.pause, self.count, self.last_sent = Pause(self.draw), 0, 0.0

    async def connect(self) -> None:
        """Until it is connected or told to close; again when the connection ends."""
        fleet, who = self.fleet, self.wearer
        while not self.closing:
            try:
                self.client = await Client.connect(
                    fleet.host, fleet.ports[who.protocol], client=f"{who.identity}-{fleet.seed}",
                    user=f"{who.protocol}/{who.identity}", password=who.password,
                )  # fmt: skip
                await self.client.subscribe(self._topic("event/property/post_reply"))
                self._signed_in()
                await self.client.ended()
            except (OSError, Refused, TimeoutError):
                fleet.counts["refused"] += 1
            self._signed_out()
            if not self.closing:
                await self.pause.over()

    def _signed_in(self) -> None:
        self.signed_in = True
        self.pause.succeeded()
        self.fleet.counts["connected"] += 1
        self.fleet.online.add(self)
        self.fleet.signed_in.add(self)
        for alarm in self.alarms:
            self._send(*alarm, alarm=True)

    def _signed_out(self) -> None:
        if self.signed_in:
            self.fleet.counts["lost"] += 1
        self.signed_in = False
        self.fleet.online.discard(self)
        self.fleet.signed_in.discard(self)

    # ------------------------------------------------------------ speaking
    def speak(self) -> None:
        """What the bed feels now."""
        if not self.signed_in:
            self.fleet.counts["unsent"] += 1
            return
        now = datetime.now(UTC)
        self._send("event/property/post", self._said(now, _felt(self.life.at(now.astimezone(CHINA)))))

    def press(self, kind: str = "sos") -> None:
        """Raise the one alarm it has, whatever ``kind`` is wanted."""
        alarm = ("event/BreathStop/post", self._said(datetime.now(UTC), {"breathStop": 1}))
        self.alarms.append(alarm)
        self.fleet.counts["alarms"] += 1
        if self.signed_in:
            self._send(*alarm, alarm=True)

    def _said(self, now: datetime, values: dict) -> bytes:
        self.count += 1
        said = {"id": str(self.count), "version": "1.0", "params": values, "time": int(now.timestamp() * 1000)}
        return json.dumps(said).encode()

    def _topic(self, end: str) -> str:
        return f"/sys/{PRODUCT}/{self.wearer.identity}/thing/{end}"

    def _send(self, end: str, body: bytes, *, alarm: bool = False) -> None:
        self.last_sent = time.monotonic()
        self.fleet.counts["sent"] += 1
        self.fleet.later(self._sent(end, body, alarm))

    async def _sent(self, end: str, body: bytes, alarm: bool) -> None:
        began = time.monotonic()
        if self.client is None or not await self.client.publish(self._topic(end), body):
            return
        self.fleet.counts["answered"] += 1
        if alarm and (end, body) in self.alarms:
            self.alarms.remove((end, body))
            self.fleet.counts["alarms_answered"] += 1
            self.fleet.delays.append(time.monotonic() - began)

    def remind(self, now: float) -> None:
        """Send again what was not acknowledged."""
        if self.alarms and self.signed_in and now - self.last_sent > AGAIN:
            for alarm in self.alarms:
                self.fleet.counts["alarms_again"] += 1
                self._send(*alarm, alarm=True)

    def drop(self) -> None:
        if self.client is not None:
            with contextlib.suppress(OSError):
                self.client.writer.transport.abort()

    def close(self) -> None:
        self.closing = True
        self.drop()


def _felt(body: Body) -> dict:
    """Property values: in bed or not, and what is felt only there."""
    if not body.asleep:
        return {"inBedStatus": 2}
    return {"inBedStatus": 1, "HeartRate": body.heart, "RespRate": body.breath, "bodyMove": 0 if body.heart % 3 else 1}
