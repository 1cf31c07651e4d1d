"""What the sheet says in words: alarms, failed measurements, clocks, resynchronisation, limits of each protocol (devices.md §0 – §6)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sangyu.engines.codecs import Doubt, Options, codec, gatt
from sangyu.engines.codecs import ReadingKind as R
from sangyu.engines.codecs.checksums import arc, x25
from sangyu.engines.codecs.dc09 import decrypt, encrypt, frame, stamp
from sangyu.engines.codecs.dc09_events import event
from sangyu.engines.codecs.gt06 import frame as gt06_frame
from sangyu.engines.codecs.identity import identity
from sangyu.engines.codecs.kinds import LEVELS, UNITS, AlarmKind, ReadingKind
from sangyu.engines.codecs.messages import device_time
from sangyu.engines.codecs.watch_content import escape, unescape
from support.devices import NOW, decoded

PLACE = "120525,083015,A,31.230416,N,121.473701,E,0.86,12.8,4.0,9,88,63,2310,0"


def watch(content: str, head: str = "3G*8800000015") -> bytes:
    return f"[{head}*{len(content):04x}*{content}]".encode()


def alarms(message) -> list[str]:
    return [str(a.kind) for a in message.alarms]


def test_every_kind_has_a_unit_or_a_level():
    assert set(UNITS) == set(ReadingKind)
    assert set(LEVELS) == set(AlarmKind)


# ---------------------------------------------------------------- watch
@pytest.mark.parametrize(
    ("word", "status", "wanted"),
    [
        ("AL", "00130001", ["sos", "low_battery", "removed"]),
        ("UD", "00010000", ["sos"]),
        ("AL", "00000000", ["general"]),
        ("AL", "00000002", ["geofence_exit"]),
        ("UD", "00000002", []),
        ("UD", "00004000", ["power_cut"]),
        ("AL", "81000000", ["unknown", "unknown"]),
        ("AL", "80010000", ["sos", "unknown"]),
        ("AL", "zz", ["general"]),
    ],
)
def test_all_alarm_bits_are_read_and_the_gravest_comes_first(word, status, wanted):
    (message,) = decoded("watch", watch(f"{word},{PLACE},{status},0,0"))
    assert sorted(alarms(message)) == sorted(wanted)
    assert [a.level for a in message.alarms] == sorted(a.level for a in message.alarms)
    assert [r.payload for r in message.replies] == ([b"[3G*8800000015*0002*AL]"] if word == "AL" else [])


def test_unknown_bits_keep_their_code():
    (message,) = decoded("watch", watch(f"AL,{PLACE},81000000,0,0"))
    assert [a.code for a in message.alarms] == ["status.24", "status.31"]


def test_an_alarm_with_a_garbled_place_is_still_an_alarm():
    (message,) = decoded("watch", watch("AL,garbled"))
    assert (alarms(message), message.position, message.time) == (["general"], None, None)
    assert len(message.replies) == 1


@pytest.mark.parametrize(
    ("content", "kinds", "failed", "reply"),
    [
        ("heart,0", {}, [R.HEART_RATE], "heart"),
        ("bphrt,0,0,0,170,1,70,60", {}, [R.SYSTOLIC, R.DIASTOLIC, R.HEART_RATE], "bphrt"),
        ("bphrt,128,82,71,,,,", {R.SYSTOLIC: 128, R.DIASTOLIC: 82, R.HEART_RATE: 71}, [], "bphrt"),
        ("btemp2,0,36.5", {}, [R.BODY_TEMPERATURE], "btemp2"),
        ("oxygen,0,97", {R.SPO2: 97}, [], "oxygen,1"),
        ("LK,120,3,88", {R.STEPS: 120, R.BATTERY: 88}, [], "LK"),
        ("LK,120,3", {}, [], "LK"),
        ("LGZONE", {}, [], "LGZONE,+8,16:30:30,2025-05-12"),
        ("TKQ2", {}, [], "TKQ2"),
        ("ICCID,8986", {}, [], "ICCID2,1"),
        ("rcapture", {}, [], None),
    ],
)
def test_words_of_a_watch(content, kinds, failed, reply):
    (message,) = decoded("watch", watch(content))
    assert {r.kind: r.value for r in message.readings} == kinds
    assert list(message.failed) == failed
    assert [r.payload for r in message.replies] == ([watch(reply)] if reply else [])


def test_a_bare_command_word_confirms_it():
    (message,) = decoded("watch", watch("SOS1"))
    assert (str(message.kind), message.confirms, message.replies) == ("confirmation", "SOS1", ())


def test_brackets_in_a_network_name():
    """Balanced ones are counted; an unbalanced one survives when the declared length is right."""
    tail = "00000000,0,2,[x],aa:bb:cc:dd:ee:ff,-50,{},11:22:33:44:55:66,-60"
    for name in ("home", "a[b", "a]b"):
        data = watch(f"UD,{PLACE},{tail.format(name)}") + watch("LK")
        first, second = decoded("watch", data)
        assert [p.name for p in first.access_points] == ["[x]", name]
        assert second.word == "LK"


def test_a_late_position_is_marked():
    (message,) = decoded("watch", watch(f"UD2,{PLACE},00000000,0,0"))
    assert message.late


def test_voice_in_parts():
    content = b"JXTK,1,a.amr,2,3," + escape(b"#!AMR[x]")
    (message,) = decoded("watch", b"[3G*8800000015*%04x*%s]" % (len(content), content))
    assert (message.attachment.part, message.attachment.parts, message.attachment.data) == (2, 3, b"#!AMR[x]")


@settings(max_examples=50, deadline=None, database=None)
@given(st.binary(max_size=200))
def test_escaping_round_trip(data):
    assert unescape(escape(data)) == data
    assert not set(escape(data)) & set(b"[],*")


# ---------------------------------------------------------------- H02
@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        ("FFFFFFFF", []), ("FFFFFFFD", ["sos"]), ("FFFBFFFF", ["sos"]), ("FFFFFFF8", ["sos", "overspeed", "vibration"]),
        ("FFF7FFFD", ["sos", "power_cut"]),
    ],
)  # fmt: skip
def test_h02_alarms_are_the_zero_bits(status, wanted):
    text = f"*HQ,4109198974,V1,083015,A,3113.8250,N,12128.4221,E,3.34,342,120525,{status}#"
    (message,) = decoded("h02", text.encode())
    assert alarms(message) == wanted
    assert message.position.speed_kmh == pytest.approx(6.18568)
    assert message.time.usable


def test_h02_alarm_without_a_readable_place_is_an_alarm_and_answered():
    (message,) = decoded("h02", b"*HQ,4109198974,V1,000000,V,0.0000,0,0.0000,0,0.00,0.00,000000,fffffffd#")
    assert (alarms(message), message.position) == (["sos"], None)
    assert message.replies[0].payload == b"*HQ,4109198974,V4,V1,20250512083030#"


def test_h02_text_and_binary_on_one_connection():
    binary = bytes.fromhex("24410600082621532131081504419390060740418306000000fffffbfdff0015060000002c02dc0c000000001f")
    text = b"*HQ,4106000826,HTBT,57#\r\n"
    batch = codec("h02").decoder().feed(text + binary + text + binary[:32] + binary, received_at=NOW)
    assert [m.word for m in batch.messages] == ["HTBT", "binary", "HTBT", "binary", "binary"]
    assert batch.skipped == ()
    assert batch.messages[0].value(R.BATTERY) == 57


# ---------------------------------------------------------------- GT06
def test_checksum_of_the_sheet():
    assert gt06_frame(0x01, b"", 1).hex() == "787805010001d9dc0d0a"
    assert x25(b"123456789") == 0x906E
    assert arc(b"123456789") == 0xBB3D


def test_gt06_knows_the_device_and_its_zone_after_login():
    login = gt06_frame(0x01, bytes.fromhex("0864717003283581") + b"\x00\x01" + (800 << 4).to_bytes(2), 1)
    place = gt06_frame(0x12, bytes.fromhex("19050c101e0fc90359c4dc0d085ff503148f01cc00287d001f71"), 2)
    first, second = decoded("gt06", login + place)
    assert (first.device, second.device) == ("864717003283581",) * 2
    assert second.time.utc == datetime(2025, 5, 12, 8, 30, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("info", "code", "wanted"),
    [
        (0x20, 0x02, ["sos", "power_cut"]), (0x00, 0x23, ["fall"]), (0x18, 0x01, ["sos", "low_battery"]),
        (0x00, 0x00, []), (0x00, 0x77, ["unknown"]), (0x00, 0xFF, []),
    ],
)  # fmt: skip
def test_gt06_takes_the_union_of_both_sources(info, code, wanted):
    content = bytes.fromhex("19050c081e0fc90359c4dc0d085ff503148f0901cc00287d001f71") + bytes([info, 4, 4, code, 2])
    (message,) = decoded("gt06", gt06_frame(0x16, content, 9))
    assert alarms(message) == wanted
    assert (str(message.kind), message.value(R.BATTERY)) == ("alarm", 66)


def test_gt06_short_alarm_frame_is_an_alarm():
    (message,) = decoded("gt06", gt06_frame(0x26, b"\x19\x05", 9))
    assert (alarms(message), len(message.replies)) == (["general"], 1)


def test_gt06_time_query_and_long_form():
    (message,) = decoded("gt06", gt06_frame(0x8A, b"", 6))
    assert message.replies[0].payload == gt06_frame(0x8A, bytes([25, 5, 12, 8, 30, 30]), 6)
    body = b"\x00\x0c\x21\x00\x00\x00\x07\x01OK\x00\x05"
    (message,) = decoded("gt06", b"yy" + body + x25(body).to_bytes(2) + b"\r\n")
    assert (message.text, message.confirms) == ("OK", "00000007")


# ---------------------------------------------------------------- time
@pytest.mark.parametrize(
    ("stated", "offset", "doubt"),
    [
        (NOW, 0, Doubt.NONE), (NOW - timedelta(days=6, hours=23), 0, Doubt.NONE), (NOW - timedelta(days=7, seconds=1), 0, Doubt.OLD),
        (NOW + timedelta(minutes=9), 0, Doubt.NONE), (NOW + timedelta(minutes=11), 0, Doubt.FUTURE), (NOW.replace(year=1970), 0, Doubt.UNSET),
        (NOW.replace(year=2000), 0, Doubt.UNSET), (NOW, None, Doubt.NO_ZONE), (NOW + timedelta(hours=8), 480, Doubt.NONE),
        (datetime(9999, 12, 31, 23, 59, tzinfo=UTC), -480, Doubt.FUTURE),
    ],
)  # fmt: skip
def test_doubt_of_a_device_time(stated, offset, doubt):
    assert device_time(stated.replace(tzinfo=None), offset, NOW).doubt is doubt


# ---------------------------------------------------------------- Bluetooth
@settings(max_examples=100, deadline=None, database=None)
@given(st.integers(-2045, 2045), st.integers(-8, 7))
def test_sfloat_round_trip(mantissa, exponent):
    value = mantissa * 10**exponent if exponent >= 0 else mantissa / 10**-exponent
    assert gatt.sfloat(gatt.make_sfloat(value, exponent)) == pytest.approx(value)


@settings(max_examples=100, deadline=None, database=None)
@given(st.sampled_from(sorted(gatt.CHARACTERISTICS)), st.binary(max_size=24))
def test_any_bytes_of_a_characteristic(name, value):
    made = gatt.read(name, value)
    assert made is None or name == "2A18" or len(made.readings.made) + len(made.readings.failed) >= 1


@pytest.mark.parametrize(
    ("name", "value", "kind", "wanted"),
    [
        ("2A37", "0648", R.HEART_RATE, 72),
        ("2A37", "05480048", R.HEART_RATE, None),
        ("2A9D", "00e02e", R.WEIGHT, 60.0),
        ("2A9D", "01a033", R.WEIGHT, 59.947),
        ("2A19", "55", R.BATTERY, 85),
        ("00002a19-0000-1000-8000-00805f9b34fb", "55", R.BATTERY, 85),
        ("2A18", "021100e907050c081e0f6db011", R.GLUCOSE, 6.05),
        ("2A35", "0180f080008000", R.SYSTOLIC, 96.01),
    ],
)
def test_values_of_health_devices(name, value, kind, wanted):
    made = gatt.read(name, bytes.fromhex(value))
    found = {r.kind: r.value for r in made.readings.made}
    assert found.get(kind) == (pytest.approx(wanted, abs=0.001) if wanted is not None else None)


# ---------------------------------------------------------------- SIA DC-09
KEY = bytes(range(16))
KEYED = Options(key=lambda account: KEY if account == "1234" else None)


def encrypted(data: str, when: datetime = NOW) -> bytes:
    return frame(f'"*SIA-DCS"0042L0#1234[{encrypt(data + "]" + stamp(when), KEY)}')


def test_an_alarm_unit_takes_its_call_back():
    """SIA QR and MH, Contact-ID 3101: what was raised is over; it raises nothing."""
    assert event("SIA-DCS", "Nri1/QR12").states == {"sos": False}
    assert event("SIA-DCS", "Nri1/MH12").states == {"medical": False}
    assert event("SIA-DCS", "Nri1/OP12").states == {}
    assert event("ADM-CID", "3101 01 015").states == {"sos": False}


def test_encrypted_alarm_unit():
    (message,) = decoded("sia-dc09", encrypted("#1234|Nri1/QA12", NOW - timedelta(seconds=39)), options=KEYED)
    assert (alarms(message), message.details["zone"], message.device) == (["sos"], "12", "1234")
    reply = message.replies[0].payload.decode()
    head, _, secret = reply.partition("[")
    assert head[9:] == '"*ACK"0042L0#1234'
    assert decrypt(secret[:-1], KEY) == "]" + stamp(NOW)


@pytest.mark.parametrize("late", [-41, 21])
def test_encrypted_frame_with_a_wrong_clock_is_refused_with_our_time(late):
    batch = (
        codec("sia-dc09")
        .decoder(KEYED)
        .feed(encrypted("#1234|Nri1/QA12", NOW + timedelta(seconds=late)), received_at=NOW)
    )
    assert batch.messages == ()
    assert [(s.reason, s.replies[0].payload) for s in batch.skipped] == [
        ("wrong_clock", frame('"NAK"0000L0A0[]_08:30:30,05-12-2025'))
    ]


def test_without_key_nothing_is_answered():
    batch = codec("sia-dc09").decoder().feed(encrypted("#1234|Nri1/QA12"), received_at=NOW)
    assert [(s.reason, s.replies) for s in batch.skipped] == [("no_key", ())]


def test_encrypted_frame_without_a_time_is_not_read():
    """What a foreign key leaves may hold a padding mark by chance."""
    words = frame(f'"*SIA-DCS"0042L0#1234[{encrypt("#1234|Nri1/QA12]", KEY)}')
    batch = codec("sia-dc09").decoder(KEYED).feed(words, received_at=NOW)
    assert batch.messages == ()
    assert [(s.reason, s.replies) for s in batch.skipped] == [("undecipherable", ())]


@pytest.mark.parametrize(
    ("kind", "data", "wanted", "reply"),
    [
        ("ADM-CID", "#1234|1101 01 015", ["sos"], "ACK"),
        ("ADM-CID", "#1234|3101 01 015", [], "ACK"),
        ("ADM-CID", "#1234|1999 01 015", ["unknown"], "ACK"),
        ("ADM-CID", "#1234|nonsense", [], "DUH"),
        ("SIA-DCS", "#1234|Nri1/YT00", ["low_battery"], "ACK"),
        ("SIA-DCS", "#1234|Nri1/YR00", [], "ACK"),
        ("SIA-DCS", "#1234|NZZ9", ["unknown"], "ACK"),
        ("XYZ", "#1234|abc", [], "DUH"),
    ],
)
def test_alarm_unit_codes(kind, data, wanted, reply):
    (message,) = decoded("sia-dc09", frame(f'"{kind}"0042R1L2#1234[{data}]_08:30:15,05-12-2025'))
    assert alarms(message) == wanted
    assert message.replies[0].payload == frame(f'"{reply}"0042R1L2#1234[]')


# ---------------------------------------------------------------- identity
def test_a_repetition_has_the_same_identity_whatever_the_device_counts_up():
    first, second = (
        decoded("watch", watch(f"AL,{PLACE},00010000,0,0", f"ZJ*880000001500001*{serial}"))[0]
        for serial in ("0001", "0002")
    )
    assert identity(first) == identity(second)
    content = bytes.fromhex("19050c081e0fc90359c4dc0d085ff503148f0901cc00287d001f710004040102")
    assert len({identity(decoded("gt06", gt06_frame(0x16, content, n))[0]) for n in (1, 2, 3)}) == 1
    later = decoded("gt06", gt06_frame(0x16, content[:5] + b"\x10" + content[6:], 1))[0]
    assert identity(later) != identity(decoded("gt06", gt06_frame(0x16, content, 1))[0])


def test_two_heartbeats_are_two():
    decoder = codec("watch").decoder()
    made = [decoder.feed(watch("LK,0,0,53"), received_at=NOW + timedelta(minutes=n)).messages[0] for n in (0, 5)]
    assert len({identity(m) for m in made}) == 2
    assert len({identity(m) for m in made[:1] * 2}) == 1
