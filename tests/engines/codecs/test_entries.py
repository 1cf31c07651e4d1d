"""Entries of the stream survive the way, and what is none is refused (ADR 0024)."""

import msgspec
import pytest

from sangyu.engines.codecs.entries import Entry, Place, joined, pack, packed, subject, unpack

SOS = Entry(
    b"\x01" * 16, 7, "watch-3g", "alarm", "AL", 1_700_000_000_000, 1_699_999_999_000,
    readings=(("battery", 40.0, None),), alarms=(("sos", 1, "status.16", ""), ("low_battery", 3, "status.17", "")),
    place=Place(30.5, 104.25, 12.0), states={"worn": True}, details={"steps": 3}, raw=b"[3G*1*0002*AL]",
)  # fmt: skip
QUIET = Entry(b"\x02" * 16, 9, "watch-3g", "heartbeat", "LK", 1_700_000_000_000, doubt="unset")


def test_both_ways():
    assert unpack(pack([SOS, QUIET])) == [SOS, QUIET]


def test_in_two_steps_it_is_the_same_body():
    assert joined([packed(SOS), packed(QUIET)]) == pack([SOS, QUIET])


def test_filed_under_the_devices_time_where_it_can_be_used():
    assert (SOS.at, QUIET.at) == (1_699_999_999_000, 1_700_000_000_000)


def test_an_alarm_goes_by_its_gravest_level_and_a_reading_by_device():
    assert (subject(SOS), subject(QUIET), QUIET.level) == ("signals.alarm.1", "signals.reading.1", 0)


def test_an_older_gateway_leaves_the_last_fields_out():
    short = msgspec.msgpack.encode((1, [[b"\x02" * 16, 9, "watch-3g", "heartbeat", "LK", 5]]))
    assert unpack(short) == [Entry(b"\x02" * 16, 9, "watch-3g", "heartbeat", "LK", 5)]


@pytest.mark.parametrize(
    "body", [b"", b"\xff", pack([SOS])[:-1], msgspec.msgpack.encode((2, [])), msgspec.msgpack.encode([1, [[1]]])]
)
def test_anything_else_is_refused(body):
    with pytest.raises(ValueError, match=r"entries|version"):
        unpack(body)
