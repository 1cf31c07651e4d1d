"""Frames a second of every codec, beside the least that anybody could do with the same bytes (R-089, ADR 0022).

``python bench/codecs.py [--frames N] [--rounds N]``: the captured frames of tests/data/device-frames, repeated, fed in pieces of 1,460 bytes as from a socket.
The limit beside it: for text protocols ``bytes.split`` at the end mark and at every comma and one ``float`` a value; for GT06 one
``struct`` unpacking and the checksum; for JSON ``json.loads``. Processor time of one process, so that a busy machine does not count. The bar is 5,000 frames a second each: a city of 310,000
that reports once a minute through one process.
"""

import argparse
import contextlib
import json
import statistics
import struct
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from _harness import verdict  # noqa: E402

from sangyu.engines.codecs import CODECS, codec, products  # noqa: E402
from sangyu.engines.codecs.checksums import x25  # noqa: E402
from support.devices import all_frames  # noqa: E402

PIECE, BAR = 1460, 5_000
NOW = datetime.now(UTC)
ALINK = "/sys/pk/dn/thing/event/property/post"
TOPICS = {
    "own": ("care/v1/o/d/up/props", {"id": "1", "ts": 1747038600000, "values": {"heart_rate": 72, "battery": 80, "in_bed": 1}}),
    "alink": (ALINK, {"id": "123", "version": "1.0", "params": {"HeartRate": 72, "RespRate": 16, "inBedStatus": 1}}),
    "huawei": ("$oc/devices/d/sys/properties/report", {"services": [{"service_id": "Bed", "properties": {"heart_rate": 61, "inbed": 1}, "event_time": "20250512T083015Z"}]}),
    "tencent": ("$thing/up/property/p/d", {"method": "report", "clientToken": "x", "timestamp": 1747038600000, "params": {"call_status": 0, "battery_percentage": 80}}),
}  # fmt: skip


def decode_stream(name: str, data: bytes, count: int) -> float:
    decoder, made = codec(name).decoder(), 0
    began = time.process_time()
    for start in range(0, len(data), PIECE):
        made += len(decoder.feed(data[start : start + PIECE], received_at=NOW).messages)
    spent = time.process_time() - began
    assert made == count, (name, made, count)
    return count / spent


def split_text(data: bytes, count: int, end: bytes) -> float:
    began = time.process_time()
    for frame in data.split(end):
        for value in frame.split(b","):
            with contextlib.suppress(ValueError):
                float(value)
    return count / (time.process_time() - began)


def unpack_binary(frames: list[bytes], count: int) -> float:
    layout, times = struct.Struct(">H6BB"), count // len(frames)
    began = time.process_time()
    for frame in frames * times:
        layout.unpack_from(frame)
        x25(frame[2:-4])
    return count / (time.process_time() - began)


def decode_topic(name: str, topic: str, payload: bytes, count: int) -> float:
    decoder = codec(name).decoder()
    began = time.process_time()
    for _ in range(count):
        decoder.feed(payload, received_at=NOW, topic=topic)
    return count / (time.process_time() - began)


def only_json(payload: bytes, count: int) -> float:
    began = time.process_time()
    for _ in range(count):
        json.loads(payload)
    return count / (time.process_time() - began)


def main() -> bool:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--frames", type=int, default=20_000)
    arguments.add_argument("--rounds", type=int, default=5)
    given = arguments.parse_args()
    good = True
    for name, end in (("watch", b"]"), ("h02", b"#"), ("gt06", b""), ("sia-dc09", b"\r")):
        frames = all_frames(name)
        times = max(1, given.frames // len(frames))
        data, count = b"".join(frames) * times, len(frames) * times
        good &= compare(
            name, given.rounds, lambda n=name, d=data, c=count: decode_stream(n, d, c),
            lambda e=end, d=data, c=count, f=frames: split_text(d, c, e) if e else unpack_binary(f, c),
            "split and float" if end else "struct and checksum",
        )  # fmt: skip
    for name, (topic, body) in TOPICS.items():
        payload = json.dumps(body).encode()
        good &= compare(
            name, given.rounds, lambda n=name, t=topic, p=payload: decode_topic(n, t, p, given.frames),
            lambda p=payload: only_json(p, given.frames), "json.loads",
        )  # fmt: skip
    product = products.shipped(ROOT / "data" / "devices" / "products")["mattress-alink"]
    (message,) = (
        CODECS["alink"].decoder().feed(json.dumps(TOPICS["alink"][1]).encode(), received_at=NOW, topic=ALINK).messages
    )
    began = time.process_time()
    for _ in range(given.frames):
        products.interpret(product, message)
    print(f"product profile applied: {given.frames / (time.process_time() - began):,.0f} messages a second")
    return good


def compare(name: str, rounds: int, ours, theirs, limit: str) -> bool:
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    speed, other = (statistics.median(p[n] for p in pairs) for n in (0, 1))
    ratio = statistics.median(a / b for a, b in pairs)
    return verdict(
        f"codec {name}",
        f"{speed:,.0f} frames/s",
        f"{limit} {other:,.0f}/s, ratio {ratio:.3f}",
        f"{BAR:,}/s",
        speed >= BAR,
    )


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
