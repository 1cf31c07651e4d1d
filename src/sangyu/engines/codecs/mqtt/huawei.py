"""Huawei IoTDA: ``$oc/devices/{device_id}/sys/…``; gateways report for their children (devices.md §5). Reports need no answer."""

from collections.abc import Mapping
from datetime import datetime

from ..commands import Command, Encoded, NotEncodable, Target, one, parameters
from ..interface import Collector, register
from ..kinds import MessageKind
from ..messages import DeviceTime, device_time
from .common import Dialect, dumped, fields, items, mapping, parsed, safe, text_of

_ANSWER = "request_id="


class Huawei(Dialect):
    name = "huawei"
    topics = (
        "$oc/devices/+/sys/properties/report",
        "$oc/devices/+/sys/gateway/sub_devices/properties/report",
        "$oc/devices/+/sys/commands/response/+",
    )

    def read(self, topic: str, payload: bytes, received_at: datetime, out: Collector) -> None:
        parts = topic.split("/")
        if len(parts) < 6 or parts[:2] != ["$oc", "devices"] or parts[3] != "sys":
            return
        device, rest = parts[2], parts[4:]
        report = rest == ["properties", "report"]
        children = rest == ["gateway", "sub_devices", "properties", "report"]
        answer = rest[:2] == ["commands", "response"] and len(rest) == 3
        if not (report or children or answer):
            return
        body = parsed(payload)
        if not isinstance(body, dict):
            out.skip("json", payload)
        elif answer:
            out.messages.append(
                self.message(
                    device, MessageKind.CONFIRMATION, "response", received_at, payload,
                    confirms=rest[2].removeprefix(_ANSWER), details={"code": body.get("result_code")},
                )
            )  # fmt: skip
        elif report:
            self._services(device, body, payload, received_at, out)
        else:
            for child in items(body.get("devices")):
                name = text_of(mapping(child).get("device_id"))
                if name:
                    self._services(name, child, payload, received_at, out)

    def _services(self, device: str, body: Mapping, payload: bytes, received_at: datetime, out: Collector) -> None:
        """One message a service: each has its own time."""
        for service in items(body.get("services")):
            service = mapping(service)
            time = _time(service.get("event_time"), received_at)
            out.messages.append(
                self.message(
                    device, MessageKind.STATUS, text_of(service.get("service_id")), received_at, payload, time=time,
                    fields=fields(service.get("properties"), received_at),
                )
            )  # fmt: skip

    def encode(self, command: Command, target: Target, now: datetime) -> Encoded | NotEncodable:
        """``templates: {ring: Bell.find}`` names service and command."""
        word = target.templates.get(command.name, f"Care.{command.name}")
        if not isinstance(word, str) or "." not in word or not safe(target.device):
            return NotEncodable("unsupported", command.name)
        service, name = word.split(".", 1)
        number = str(target.sequence)
        body = {"service_id": service, "command_name": name, "paras": parameters(command)}
        return one(dumped(body), number, f"$oc/devices/{target.device}/sys/commands/{_ANSWER}{number}")


def _time(value: object, received_at: datetime) -> DeviceTime | None:
    """``20250512T083015Z``, UTC."""
    try:
        stated = datetime.strptime(text_of(value), "%Y%m%dT%H%M%SZ")
    except ValueError:
        return None
    return device_time(stated, 0, received_at)


CODEC = register(Huawei())
