"""Alink, the thing model of most Chinese sensors: ``/sys/{productKey}/{deviceName}/thing/…`` (devices.md §5). The device id is ``productKey/deviceName``."""

from collections.abc import Mapping
from datetime import datetime

from ..commands import Command, Encoded, NotEncodable, Target, one, parameters
from ..interface import Collector, register
from ..kinds import MessageKind
from ..messages import Attachment, Message, Outgoing
from .common import Dialect, dumped, event_alarm, fields, mapping, moment_of, parsed, safe, text_of


class Alink(Dialect):
    name = "alink"
    topics = ("/sys/+/+/thing/event/+/post", "/sys/+/+/thing/service/#", "/sys/+/+/thing/model/up_raw")

    def read(self, topic: str, payload: bytes, received_at: datetime, out: Collector) -> None:
        parts = topic.split("/")
        if len(parts) < 7 or parts[0] or parts[1] != "sys" or parts[4] != "thing":
            return
        device, rest = f"{parts[2]}/{parts[3]}", parts[5:]
        if rest == ["model", "up_raw"]:
            out.messages.append(
                self.message(
                    device, MessageKind.STATUS, "up_raw", received_at, payload, attachment=Attachment("raw", payload),
                    replies=(Outgoing(b"", f"{topic}_reply"),),
                )
            )  # fmt: skip
            return
        answered = rest[0] == "service" and rest[-1].endswith("_reply")
        posted = len(rest) == 3 and rest[0] == "event" and rest[2] == "post"
        if not answered and not posted:
            return
        body = parsed(payload)
        if not isinstance(body, dict):
            out.skip("json", payload)
        elif answered:
            made = self.message(
                device, MessageKind.CONFIRMATION, "/".join(rest[1:]), received_at, payload,
                confirms=text_of(body.get("id")), details={"code": body.get("code")},
            )  # fmt: skip
            out.messages.append(made)
        else:
            out.messages.append(self._posted(topic, device, rest[1], body, payload, received_at))

    def _posted(
        self, topic: str, device: str, word: str, body: Mapping, payload: bytes, received_at: datetime
    ) -> Message:
        number, params = text_of(body.get("id")), mapping(body.get("params"))
        answer = {"id": number, "code": 200, "data": {}, "message": "success", "version": "1.0"}
        common = {"sequence": number, "replies": (Outgoing(dumped(answer), f"{topic}_reply"),) if number else ()}
        if word == "property":
            made = fields(params, received_at)
            time = next((f.at for f in made.values() if f.at), None)
            return self.message(
                device, MessageKind.STATUS, word, received_at, payload, time=time, fields=made, **common
            )
        time = moment_of(params.get("time"), received_at)
        values = params["value"] if isinstance(params.get("value"), dict) else params
        return self.message(
            device, MessageKind.ALARM, word, received_at, payload, time=time, alarms=(event_alarm(word),),
            fields=fields(values, received_at), **common,
        )  # fmt: skip

    def encode(self, command: Command, target: Target, now: datetime) -> Encoded | NotEncodable:
        """A service of the product's own name: ``templates: {ring: FindMe}``; without one, the command's name."""
        service = target.templates.get(command.name, command.name)
        if not isinstance(service, str) or not safe(service) or not safe(target.device):
            return NotEncodable("unsupported", command.name)
        number = str(target.sequence)
        body = {"id": number, "version": "1.0", "params": parameters(command), "method": f"thing.service.{service}"}
        return one(dumped(body), number, f"/sys/{target.device}/thing/service/{service}")


CODEC = register(Alink())
