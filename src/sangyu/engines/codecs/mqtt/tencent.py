"""Tencent IoT Explorer: ``$thing/up/{property,event,action}/{ProductID}/{DeviceName}`` (devices.md §5). The device id is ``ProductID/DeviceName``."""

from collections.abc import Mapping
from datetime import datetime

from ..commands import Command, Encoded, NotEncodable, Target, one, parameters
from ..interface import Collector, register
from ..kinds import MessageKind
from ..messages import Message, Outgoing
from .common import Dialect, dumped, event_alarm, fields, kind_of, milliseconds, moment_of, parsed, safe, text_of

_ANSWERS = {"report": "report_reply", "event_post": "event_reply", "report_info": "report_info_reply"}


class Tencent(Dialect):
    name = "tencent"
    topics = ("$thing/up/property/+/+", "$thing/up/event/+/+", "$thing/up/action/+/+")

    def read(self, topic: str, payload: bytes, received_at: datetime, out: Collector) -> None:
        parts = topic.split("/")
        if len(parts) != 5 or parts[:2] != ["$thing", "up"] or parts[2] not in ("property", "event", "action"):
            return
        body = parsed(payload)
        if not isinstance(body, dict):
            out.skip("json", payload)
            return
        out.messages.append(self._message(parts[2], f"{parts[3]}/{parts[4]}", body, payload, received_at))

    def _message(self, branch: str, device: str, body: Mapping, payload: bytes, received_at: datetime) -> Message:
        method, token = text_of(body.get("method")), text_of(body.get("clientToken"))
        if method.endswith("_reply"):
            return self.message(
                device, MessageKind.CONFIRMATION, method, received_at, payload, confirms=token,
                details={"code": body.get("code")},
            )  # fmt: skip
        replies = ()
        if method in _ANSWERS and token:
            answer = {"method": _ANSWERS[method], "clientToken": token, "code": 0}
            replies = (Outgoing(dumped(answer), f"$thing/down/{branch}/{device}"),)
        time, alarms, word = moment_of(body.get("timestamp"), received_at), (), method
        if branch == "event":
            word = text_of(body.get("eventId"))
            found = event_alarm(word)
            # "info" is no alarm, unless its name is one.
            alarms = () if body.get("type") == "info" and found.kind == "unknown" else (found,)
        return self.message(
            device, kind_of(alarms), word, received_at, payload, time=time, alarms=alarms, sequence=token,
            fields=fields(body.get("params"), received_at), replies=replies,
        )  # fmt: skip

    def encode(self, command: Command, target: Target, now: datetime) -> Encoded | NotEncodable:
        """An action of the product's own name (``templates``), else the command's name."""
        action = target.templates.get(command.name, command.name)
        if not isinstance(action, str) or not safe(target.device):
            return NotEncodable("unsupported", command.name)
        number = str(target.sequence)
        body = {
            "method": "action", "clientToken": number, "actionId": action, "timestamp": milliseconds(now),
            "params": parameters(command),
        }  # fmt: skip
        return one(dumped(body), number, f"$thing/down/action/{target.device}")


CODEC = register(Tencent())
