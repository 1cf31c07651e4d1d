"""Captured frames (tests/data/device-frames, whose README names the sources) and one dictionary for what our messages say, in its words."""

import json
from datetime import UTC, datetime
from pathlib import Path

from sangyu.engines.codecs import Message, codec
from sangyu.engines.codecs import ReadingKind as R

FOLDER = Path(__file__).parents[1] / "data" / "device-frames"
NOW = datetime(2025, 5, 12, 8, 30, 30, tzinfo=UTC)
STREAMS = ("watch", "h02", "gt06", "sia-dc09")
_READINGS = {
    "heart_rate_bpm": R.HEART_RATE, "pulse_bpm": R.HEART_RATE, "systolic_mmhg": R.SYSTOLIC, "diastolic_mmhg": R.DIASTOLIC,
    "map_mmhg": R.MEAN_PRESSURE, "spo2_pct": R.SPO2, "temperature_c": R.BODY_TEMPERATURE, "glucose_mmol_l": R.GLUCOSE,
    "battery_pct": R.BATTERY, "steps": R.STEPS, "gsm_signal_pct": R.SIGNAL, "gsm_signal": R.SIGNAL,
}  # fmt: skip
_KINDS = {
    "location": "position",
    "lbs": "cells",
    "lbs_wifi": "cells",
    "none": "nothing",
    "command_reply": "confirmation",
}


def cases(name: str) -> list[dict]:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["cases"]


def frame_bytes(case: dict) -> bytes:
    frame = case.get("frame", case.get("stream"))
    return bytes.fromhex(frame) if case.get("encoding") == "hex" else frame.encode("latin-1")


def decoded(protocol: str, data: bytes, **options) -> list[Message]:
    return list(codec(protocol).decoder(**options).feed(data, received_at=NOW).messages)


def all_frames(protocol: str) -> list[bytes]:
    """Frames of the protocol that its own checksum accepts."""
    return [frame_bytes(c) for c in cases(protocol) if c["expected"].get("crc_ok", True)]


def said(message: Message, key: str):
    """What our message says under the name of the captured expectations."""
    place, time = message.position, message.time
    if key in _READINGS:
        return message.value(_READINGS[key])
    simple = {
        "manufacturer": lambda: message.details["family"],
        "device_id": lambda: message.device or None,
        "type": lambda: message.word,
        "index": lambda: message.sequence,
        "serial": lambda: int(message.sequence),
        "fix_time": lambda: f"{time.utc:%Y-%m-%dT%H:%M:%SZ}",
        "device_time": lambda: f"{time.utc:%Y-%m-%dT%H:%M:%SZ}",
        "time": lambda: f"{time.utc:%Y-%m-%dT%H:%M:%SZ}",
        "time_local": lambda: time.stated.isoformat(),
        "valid": lambda: place.fixed,
        "usable_fix": lambda: place.usable,
        "lat": lambda: place.latitude,
        "lon": lambda: place.longitude,
        "speed_kmh": lambda: place.speed_kmh,
        "course": lambda: place.course,
        "altitude_m": lambda: place.altitude_m,
        "satellites": lambda: place.satellites if place else message.details["satellites"],
        "status_hex": lambda: message.details["status"],
        "motion": lambda: message.states["moving"],
        "charging": lambda: message.states["charging"],
        "contact": lambda: message.states["contact"],
        "alarms": lambda: sorted({str(a.kind) for a in message.alarms} - {"unknown"}),
        "cells": lambda: sorted((_cell(c) for c in message.cells), key=lambda c: (c["lac"], c["cid"])),
        "wifi": lambda: sorted(({"mac": p.mac, "rssi": p.signal} for p in message.access_points), key=lambda p: p["mac"]),
        "audio_hex": lambda: message.attachment.data.hex(),
        "audio_format": lambda: message.attachment.kind,
        "result": lambda: message.text,
        "declared_length": lambda: int(message.raw.split(b"*")[3 if message.sequence else 2], 16),
        "actual_length": lambda: len(message.raw.split(b"*", 4 if message.sequence else 3)[-1]) - 1,
        "message": lambda: message.word,
        "account": lambda: message.device,
    }  # fmt: skip
    if key in simple:
        return simple[key]()
    return message.sequence if key == "sequence" and message.protocol == "sia-dc09" else message.details.get(key)


def _cell(cell) -> dict:
    made = {"mcc": cell.mcc, "mnc": cell.mnc, "lac": cell.lac, "cid": cell.cid}
    return made if cell.signal is None else {**made, "signal": cell.signal}


def kind_fits(message: Message, kind: str) -> bool:
    """An alarm in a position frame makes the message an alarm; a GT06 status is a heartbeat; "info" and "status" are one."""
    ours = str(message.kind)
    if ours == "alarm" and message.alarms:
        return True
    if kind == "none":  # says nothing about the person; a heartbeat is answered all the same
        return not (message.readings or message.alarms or message.position or message.cells)
    if message.protocol == "gt06" and kind in ("status", "info"):
        return ours in ("heartbeat", "status")
    return ours == _KINDS.get(kind, kind) or (kind == "text" and ours == "confirmation")
