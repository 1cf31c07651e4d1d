"""Where the gateway listens, and what becomes of a message whose profile is at fault (R-089, ADR 0023, 0024)."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from sangyu.engines.codecs import entries
from sangyu.engines.codecs.kinds import Datum
from sangyu.engines.codecs.messages import device_time
from sangyu.runtime.engines.process import EngineError
from sangyu.runtime.gateway.config import listens
from sangyu.runtime.gateway.conversion import clean, entry_of
from support.devices import decoded
from support.gateway import PRODUCTS, SOS

WATCH_3G = PRODUCTS["watch-3g"]


def test_a_place_in_the_chinese_datum_is_stored_in_wgs84():
    (message,) = decoded("watch", SOS)
    place = replace(message.position, latitude=39.905603, longitude=116.413638, datum=Datum.GCJ02)
    entry = entry_of(replace(message, position=place), 1, "watch-3g", WATCH_3G)
    assert (round(entry.place.latitude, 4), round(entry.place.longitude, 4)) == (39.9042, 116.4074)


def test_local_time_of_a_device_is_read_eight_hours_earlier():
    now = datetime.now(UTC)
    (message,) = decoded("watch", SOS)
    message = replace(message, received_at=now, time=device_time((now + timedelta(hours=8)).replace(tzinfo=None), 0, now))  # fmt: skip
    plain = entry_of(message, 1, "watch-3g", WATCH_3G)
    local = entry_of(message, 1, "watch-3g", dataclasses.replace(WATCH_3G, clock=480))
    assert plain.doubt == "future"
    assert plain.device_time is None
    assert local.device_time == pytest.approx(now.timestamp() * 1000, abs=1)


def test_an_alarm_goes_through_even_when_the_profile_cannot_be_applied():
    class Broken:
        def __getattr__(self, name):
            raise RuntimeError("a mistake in a profile")

    (message,) = decoded("watch", SOS)
    entry = entry_of(message, 1, "watch-3g", Broken())
    assert entry.alarms == (("sos", 1, "status.16", ""),)
    assert entry.raw == SOS
    assert entries.unpack(entries.pack([entry])) == [entry]
    with pytest.raises(RuntimeError):
        entry_of(replace(message, alarms=()), 1, "watch-3g", Broken())


def test_text_that_no_database_takes_is_cleaned():
    assert clean("a\x00b\ud800c桑", 5) == "ab?c"
    assert clean("桑榆", 1) == "桑"


def test_listeners_are_named_or_usual():
    assert [(x.protocol, x.host, x.port, x.fixed) for x in listens("watch=0.0.0.0:7001,gt06=[::1]:0")] == [
        ("watch", "0.0.0.0", 7001, True), ("gt06", "::1", 0, False),
    ]  # fmt: skip
    for wrong in ("watch", "watch=:1", "own=127.0.0.1:1", "watch=127.0.0.1:99999", "telex=127.0.0.1:1"):
        with pytest.raises(EngineError, match="is no listener"):
            listens(wrong)
