"""The engine's value of a command, and its bytes in the words of a device's product (ADR 0022)."""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any

from sangyu.engines.codecs import Encoded, NotEncodable, Target, codec, encode
from sangyu.engines.codecs import commands as engine

from . import selectors
from .models import Device
from .products import product as product_of


def built(device: Device, name: str, values: Mapping[str, Any]) -> engine.Command | str:
    """The engine's value of a command, or what is missing."""
    try:
        match name:
            case "locate_now":
                return engine.LocateNow()
            case "ring":
                return engine.Ring()
            case "restart":
                return engine.Restart()
            case "report_interval":
                return engine.ReportInterval(int(values["seconds"]))
            case "measure_heart_rate":
                return engine.MeasureHeartRate(int(values.get("seconds") or 1))
            case "call":
                return engine.Call(str(values["number"]))
            case "show_message":
                return engine.ShowMessage(str(values["text"]))
            case "reminder":
                return engine.Reminder(
                    time.fromisoformat(str(values["at"])), frozenset(map(int, values.get("days", ())))
                )
            case "set_time_zone":
                return engine.SetTimeZone(float(values.get("hours", 8)))
            case "sos_numbers":
                by_id = {c.pk: c.phone for c in selectors.sos_numbers(device)}
                return engine.SosNumbers(tuple(by_id[pk] for pk in values["contacts"] if pk in by_id))
    except (KeyError, TypeError):
        return "a value is missing"
    except ValueError:
        return "a time is written 08:30" if name == "reminder" else "a value is missing"
    return "not supported"


def encoded(
    device: Device, command: engine.Command, sequence: int, family: str, now: datetime
) -> Encoded | NotEncodable:
    """The steps to send, in the device's own words; ``sequence`` numbers our commands."""
    known = product_of(device.product)
    if known is None:
        return NotEncodable("unsupported", device.product)
    target = Target(
        device.identity, family=family or known.family or "3G", sequence=sequence, templates=known.templates,
        allowed=known.allowed,
    )  # fmt: skip
    return encode(codec(device.protocol), command, target, now)


def not_encodable(device: Device, command: engine.Command, now: datetime) -> str:
    """Why the command cannot be sent; "" when it can."""
    tried = encoded(device, command, 1, "", now)
    return "" if isinstance(tried, Encoded) else tried.detail or tried.reason
