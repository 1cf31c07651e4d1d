"""Our own dialect, the one that bridges and new gateways are asked to speak: ``care/v1/{organisation}/{device}/up/…`` (devices.md §5).

- ``up/props``  ``{"id", "ts": ms, "values": {…}}``
- ``up/event``  ``{"id", "ts", "type", "level", "values"}``; ``type`` "reply" with ``values: {command, code}`` confirms a command
- ``up/raw``    ``{"id", "ts", "characteristic": "2A37", "hex" or "base64", "device"}``: a Bluetooth value behind a gateway
- ``status``    "online" or "offline" (last will)
- answer        ``down/ack`` ``{"id", "code": 0}``; commands ``down/command`` ``{"id", "ts", "command", "params"}``
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime

from .. import gatt
from ..commands import Command, Encoded, NotEncodable, PlayVoice, Target, one, parameters
from ..interface import Collector, register
from ..kinds import MessageKind
from ..messages import Outgoing, device_time
from .common import (
    Dialect,
    dumped,
    event_alarm,
    fields,
    kind_of,
    mapping,
    milliseconds,
    moment_of,
    parsed,
    safe,
    text_of,
)


class Own(Dialect):
    name = "own"
    topics = ("care/v1/+/+/up/+", "care/v1/+/+/status")

    def read(self, topic: str, payload: bytes, received_at: datetime, out: Collector) -> None:
        parts = topic.split("/")
        if len(parts) == 5 and parts[:2] == ["care", "v1"] and parts[4] == "status":
            online = payload.strip() == b"online"
            made = self.message(
                f"{parts[2]}/{parts[3]}", MessageKind.STATUS, "status", received_at, payload, states={"online": online}
            )
            out.messages.append(made)
            return
        if len(parts) != 6 or parts[:2] != ["care", "v1"] or parts[4] != "up":
            return
        body = parsed(payload)
        if not isinstance(body, dict):
            out.skip("json", payload)
            return
        device, number = f"{parts[2]}/{parts[3]}", text_of(body.get("id"))
        replies = ()
        if number:
            replies = (Outgoing(dumped({"id": body["id"], "code": 0}), f"care/v1/{device}/down/ack"),)
        common = {"sequence": number, "replies": replies}
        if parts[5] == "props":
            time = moment_of(body.get("ts"), received_at)
            made = self.message(
                device, MessageKind.STATUS, "props", received_at, payload, time=time,
                fields=fields(body.get("values"), received_at), **common,
            )  # fmt: skip
            out.messages.append(made)
        elif parts[5] == "event":
            out.messages.append(self._event(device, body, received_at, payload, common))
        elif parts[5] == "raw":
            self._raw(device, body, received_at, payload, common, out)

    def _event(self, device: str, body: Mapping, received_at: datetime, payload: bytes, common: dict):
        word, values = text_of(body.get("type")), mapping(body.get("values"))
        time = moment_of(body.get("ts"), received_at)
        if word == "reply":
            return self.message(
                device, MessageKind.CONFIRMATION, word, received_at, payload, time=time,
                confirms=text_of(values.get("command")), details={"code": values.get("code")}, **common,
            )  # fmt: skip
        alarms = (event_alarm(word, body.get("level")),)
        return self.message(
            device, kind_of(alarms), word, received_at, payload, time=time, alarms=alarms,
            fields=fields(values, received_at), **common,
        )  # fmt: skip

    def _raw(
        self, device: str, body: Mapping, received_at: datetime, payload: bytes, common: dict, out: Collector
    ) -> None:
        word = gatt.short_name(text_of(body.get("characteristic")))
        value = _bytes(body)
        seen = gatt.read(word, value) if value is not None else None
        if seen is None:
            out.skip("characteristic", payload)
            return
        inner = text_of(body.get("device"))
        time = device_time(seen.stated, None, received_at) if seen.stated else moment_of(body.get("ts"), received_at)
        out.messages.append(
            self.message(
                f"{device}/{inner}" if inner and safe(inner) else device, MessageKind.VITALS, word, received_at, payload, time=time,
                readings=tuple(seen.readings.made), failed=tuple(seen.readings.failed), states=seen.states,
                details=seen.details, **common,
            )
        )  # fmt: skip

    def encode(self, command: Command, target: Target, now: datetime) -> Encoded | NotEncodable:
        if not safe(target.device):
            return NotEncodable("bad_value", "device")
        params = parameters(command)
        if isinstance(command, PlayVoice):
            params = {"amr": base64.b64encode(command.audio).decode()}
        number = f"c{target.sequence}"
        body = {"id": number, "ts": milliseconds(now), "command": command.name, "params": params}
        return one(dumped(body), number, f"care/v1/{target.device}/down/command")


def _bytes(body: Mapping) -> bytes | None:
    try:
        if isinstance(body.get("hex"), str):
            return bytes.fromhex(body["hex"])
        if isinstance(body.get("base64"), str):
            return base64.b64decode(body["base64"], validate=True)
    except (ValueError, binascii.Error):
        return None
    return None


CODEC = register(Own())
