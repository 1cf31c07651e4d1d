"""Streams as networks and bad devices make them: any fragmentation, rubbish, broken frames, random bytes; bounded memory and time (devices.md §0.7).

``SANGYU_FUZZ_EXAMPLES`` is the number of examples of each property: 20 by default, 20,000 for a long run.
"""

import gc
import json
import os
import random
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sangyu.engines.codecs import CODECS, codec
from sangyu.engines.codecs.interface import CHUNK
from support.devices import NOW, STREAMS, all_frames, decoded

EXAMPLES = int(os.environ.get("SANGYU_FUZZ_EXAMPLES", "20"))
bounded = settings(max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES <= 20, database=None)
FRAMES = {name: all_frames(name) for name in STREAMS}
TOPICS = (
    "care/v1/o/d/up/props", "care/v1/o/d/up/event", "care/v1/o/d/up/raw", "care/v1/o/d/status",
    "/sys/pk/dn/thing/event/property/post", "/sys/pk/dn/thing/event/Sos/post", "/sys/pk/dn/thing/service/ring_reply",
    "$oc/devices/d/sys/properties/report", "$oc/devices/d/sys/gateway/sub_devices/properties/report",
    "$oc/devices/d/sys/commands/response/request_id=1", "$thing/up/property/p/d", "$thing/up/event/p/d", "$thing/up/action/p/d",
    "homeassistant/sensor/n/o/config", "homeassistant/device/n/config", "zigbee/n", "", "////",
)  # fmt: skip


def compared(messages):
    return [
        (m.kind, m.word, m.device, m.time, m.readings, m.alarms, m.position, m.cells, m.replies, m.raw)
        for m in messages
    ]


def fed(name: str, pieces: list[bytes]):
    """Messages and skipped bytes; the buffer never holds more than the protocol's limit and one chunk."""
    decoder, messages, skipped = codec(name).decoder(), [], 0
    for piece in pieces:
        batch = decoder.feed(piece, received_at=NOW)
        messages += batch.messages
        skipped += sum(s.size for s in batch.skipped)
        assert decoder.buffered <= decoder.limit + CHUNK
    return messages, skipped


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(p % (len(data) + 1) for p in places)})
    return [data[a:b] for a, b in pairwise(edges)]


@pytest.mark.parametrize("name", STREAMS)
@bounded
@given(data=st.data())
def test_any_fragmentation_gives_the_same_messages(name, data):
    frames = data.draw(st.lists(st.sampled_from(FRAMES[name]), min_size=1, max_size=6))
    stream = b"".join(frames)
    whole, _ = fed(name, [stream])
    pieces, _ = fed(name, cut(stream, data.draw(st.lists(st.integers(0, 5000), max_size=12))))
    assert compared(pieces) == compared(whole)
    assert len(whole) == len(frames)


@pytest.mark.parametrize("name", STREAMS)
def test_one_byte_at_a_time(name):
    stream = b"".join(FRAMES[name])
    assert compared(fed(name, [bytes([b]) for b in stream])[0]) == compared(fed(name, [stream])[0])


@pytest.mark.parametrize("name", STREAMS)
def test_each_frame_is_out_with_its_last_byte(name):
    """An alarm never waits for the next frame."""
    for frame in FRAMES[name]:
        assert len(decoded(name, frame)) == 1


@pytest.mark.parametrize("name", STREAMS)
@bounded
@given(data=st.data())
def test_a_broken_frame_does_not_swallow_the_next(name, data):
    """One frame is cut short or has a byte changed; the good frame behind it is decoded as if alone."""
    bad, good = data.draw(st.sampled_from(FRAMES[name])), data.draw(st.sampled_from(FRAMES[name]))
    if data.draw(st.booleans()):
        bad = bad[: data.draw(st.integers(1, len(bad) - 1))]
    else:
        place, value = data.draw(st.integers(0, len(bad) - 1)), data.draw(st.integers(0, 255))
        bad = bad[:place] + bytes([value]) + bad[place + 1 :]
    if bad[:1] in (b"$", b"X"):
        bad = bad.ljust(32, b"\0")  # a binary H02 frame has no end mark: what is missing is taken from the next
    messages, _ = fed(name, [bad + good + good])  # the repetition that follows within minutes
    assert compared(decoded(name, good))[0] in compared(messages)


@pytest.mark.parametrize("name", STREAMS)
@bounded
@given(data=st.data())
def test_random_bytes_never_raise_and_are_accounted_for(name, data):
    parts = st.one_of(
        st.binary(max_size=80),
        st.sampled_from(FRAMES[name]),
        st.sampled_from([b"[", b"]", b"*", b"#", b"$", b"xx", b"yy", b"\n", b"\r", b"\r\n"]),
    )
    pieces = data.draw(st.lists(parts, max_size=12))
    decoder = codec(name).decoder()
    taken = 0
    for piece in pieces:
        batch = decoder.feed(piece, received_at=NOW)
        taken += sum(len(m.raw) for m in batch.messages) + sum(s.size for s in batch.skipped)
        assert decoder.buffered <= decoder.limit
    total = sum(map(len, pieces))
    assert taken + decoder.buffered <= total
    if name != "h02":  # its tails and line ends are dropped without a word
        assert taken + decoder.buffered == total


@pytest.mark.parametrize("name", sorted(set(CODECS) - set(STREAMS)))
@bounded
@given(topic=st.sampled_from(TOPICS), data=st.data())
def test_any_payload_on_any_topic(name, topic, data):
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
            st.sampled_from(["id", "ts", "values", "params", "value", "time", "services", "properties", "devices", "method", "clientToken", "state_topic", "value_template", "device", "components", "hex", "characteristic", "type", "level"]) | st.text(max_size=4), inner, max_size=5),
        max_leaves=6,
    )  # fmt: skip
    payload = data.draw(st.one_of(st.binary(max_size=60), values.map(lambda v: json.dumps(v).encode())))
    decoder = codec(name).decoder()
    batch = decoder.feed(payload, received_at=NOW, topic=topic)
    assert batch.messages or batch.skipped
    assert decoder.buffered <= decoder.limit


@pytest.mark.parametrize(
    ("name", "piece"),
    [
        ("watch", b"[3G*1234567890*FFFF*"), ("watch", b"["), ("watch", b"[3G*1234567890*00FF*UD,[[[[,"), ("watch", b"]"),
        ("h02", b"*HQ,"), ("h02", b"$"), ("h02", b"*"), ("h02", b"$12345678900000000101"), ("h02", b"*HQ,1,V1,,"),
        ("gt06", b"xx"), ("gt06", b"x"), ("gt06", b"yy\x04\x00"), ("gt06", b"xx\xff"), ("gt06", b"xx\x05\x01\0\1\0\0\r\n"),
        ("sia-dc09", b"\n"), ("sia-dc09", b'\nAAAA0FFF"'), ("sia-dc09", b"A"), ("sia-dc09", b"\r"),
    ],
)  # fmt: skip
def test_hostile_repetition_takes_linear_time_and_bounded_memory(name, piece):
    """Eight times the bytes take about eight times as long, not sixty-four times, and little is kept."""

    def spent(size: int) -> float:
        began = time.process_time()
        fed(name, [piece * (size // len(piece))])
        return time.process_time() - began

    gc.collect()
    gc.disable()
    try:
        small, large = (min(spent(size) for _ in range(2)) for size in (1_000, 8_000))
    finally:
        gc.enable()
    assert large < 30 * max(small, 0.001)


def test_a_long_voice_message_byte_by_byte_is_linear():
    body = b"TK," + bytes(random.Random(1).choices(b"abcdef", k=30_000))
    frame = b"[3G*1234567890*%04X*%s]" % (len(body), body)
    began = time.process_time()
    messages, skipped = fed("watch", [frame[n : n + 1] for n in range(len(frame))])
    assert (len(messages), skipped, len(messages[0].attachment.data)) == (1, 0, 30_000)
    assert time.process_time() - began < 5


def test_deeply_nested_json_is_skipped():
    batch = codec("own").decoder().feed(b"[" * 100_000, received_at=NOW, topic="care/v1/o/d/up/props")
    assert [s.reason for s in batch.skipped] == ["json"]
    batch = codec("own").decoder().feed(b" " * 300_000, received_at=NOW, topic="care/v1/o/d/up/props")
    assert [s.reason for s in batch.skipped] == ["too_long"]
