"""Every captured frame decodes as stated, with the stated reply (R-089, R-092; devices.md §1 – §6)."""

import re

import pytest

from sangyu.engines.codecs import Options, codec, gatt
from sangyu.engines.codecs.messages import Message
from sangyu.engines.codecs.mqtt import own
from support.devices import NOW, cases, decoded, frame_bytes, kind_fits, said

NOT_VALUES = {"kind", "reply", "reply_suggested", "reply_pattern", "crc_ok", "note", "meaning", "crc_policy"}
TOLERANCE = {"lat": 1e-5, "lon": 1e-5, "speed_kmh": 0.05, "altitude_m": 0.01, "course": 0.01, "battery_v": 1e-9}


def _all(*names):
    return [pytest.param(name, case, id=case["id"]) for name in names for case in cases(name)]


def _compare(message: Message, expected: dict) -> None:
    assert kind_fits(message, expected.get("kind", message.kind))
    for key in set(expected) - NOT_VALUES:
        if key == "device_id" and expected[key] is None:
            continue  # nothing to store; the id still says whose connection it is
        found, wanted = said(message, key), expected[key]
        if isinstance(wanted, float):
            assert found == pytest.approx(wanted, abs=TOLERANCE.get(key, 1e-6)), key
        elif isinstance(wanted, str) and key in ("status_hex", "index"):
            assert found.lower() == wanted.lower(), key
        else:
            assert found == wanted, key


@pytest.mark.parametrize(("protocol", "case"), _all("watch", "h02", "gt06"))
def test_captured_frame(protocol, case):
    expected, data = case["expected"], frame_bytes(case)
    if not expected.get("crc_ok", True):
        batch = codec(protocol).decoder().feed(data, received_at=NOW)
        assert batch.messages == ()
        assert batch.skipped[0].reason == "checksum"
        assert sum(s.size for s in batch.skipped) == len(data)
        (message,) = decoded(protocol, data, options=Options(lenient=True))
    else:
        (message,) = decoded(protocol, data)
    assert message.raw == data[: len(message.raw)]
    _compare(message, expected)
    replies = [r.payload for r in message.replies]
    if "reply_pattern" in expected:
        pattern = expected["reply_pattern"]
        filled = pattern and re.sub("<[^>]*>", NOW.strftime("%Y%m%d%H%M%S"), pattern)
        assert replies == ([filled.encode()] if filled else [])
    elif protocol == "gt06":
        assert [r.hex() for r in replies] == ([expected["reply"]] if expected["reply"] else [])
    else:
        wanted = expected.get("reply") or expected.get("reply_suggested")
        assert replies == ([wanted.encode()] if wanted else [])


@pytest.mark.parametrize(("protocol", "case"), _all("watch-stream"))
def test_captured_stream(protocol, case):
    assert [m.raw.decode() for m in decoded("watch", frame_bytes(case))] == case["expected_frames"]


@pytest.mark.parametrize(("protocol", "case"), _all("sia-dc09"))
def test_alarm_unit_frame(protocol, case):
    (message,) = decoded(protocol, frame_bytes(case))
    _compare(message, case["expected"])
    assert [str(a.kind) for a in message.alarms] == (["sos"] if "alarm" in case["expected"]["meaning"][:26] else [])
    assert [r.payload.decode() for r in message.replies] == [case["reply"]]


@pytest.mark.parametrize(("protocol", "case"), _all("ble"))
def test_bluetooth_value(protocol, case):
    """As it arrives: a gateway's payload around the characteristic."""
    payload = f'{{"id":"1","characteristic":"{case["characteristic"]}","hex":"{case["hex"]}"}}'.encode()
    batch = own.CODEC.decoder().feed(payload, received_at=NOW, topic="care/v1/o/g/up/raw")
    (message,) = batch.messages
    _compare(message, case["expected"])
    nulls = [k for k, v in case["expected"].items() if v is None]
    assert len(message.failed) == len(nulls)
    assert (
        gatt.read(case["characteristic"], bytes.fromhex(case["hex"])[:-1]) is None or case["characteristic"] == "2A5F"
    )
