"""Commands to devices: exact bytes, confirmations, and the door before listening in (devices.md §1 "Down", §3, §5; R-090)."""

import json
from datetime import time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sangyu.engines.codecs import CODECS, Encoded, NotEncodable, Target, codec, encode
from sangyu.engines.codecs import commands as c
from sangyu.engines.codecs.gt06 import frame as gt06_frame
from sangyu.engines.codecs.watch_content import frame as watch_frame
from support.devices import NOW, cases, decoded, frame_bytes

WATCH = Target("8800000015")
SOUND = c.Authorisation(
    "consent 17", "dispatcher", "fall, no answer to three calls", "account 5", NOW + timedelta(minutes=10)
)


def text(encoded: Encoded) -> list[tuple[str, str]]:
    return [(s.outgoing.payload.decode(), s.confirmation) for s in encoded.steps]


CAPTURED = {
    "reboot": lambda given: c.Restart(),
    "text_message": lambda given: c.ShowMessage(given["text"]),
    "set_timezone": lambda given: c.SetTimeZone(given["offset_hours"]),
    "voice": lambda given: c.PlayVoice(bytes.fromhex(given["audio_hex"])),
}


@pytest.mark.parametrize("case", [pytest.param(x, id=x["id"]) for x in cases("watch-command")])
def test_captured_command(case):
    command = CAPTURED[case["input"]["command"]](case["input"])
    made = encode(codec("watch"), command, Target(case["device_id"], family=case["manufacturer"]), NOW)
    assert [s.outgoing.payload for s in made.steps] == [frame_bytes(case)]


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        (c.LocateNow(), [("[3G*8800000015*0002*CR]", "CR")]),
        (c.ReportInterval(600), [("[3G*8800000015*000a*UPLOAD,600]", "UPLOAD")]),
        (c.SosNumbers(("13800138000", "12349")), [("[3G*8800000015*0010*SOS1,13800138000]", "SOS1"), ("[3G*8800000015*000a*SOS2,12349]", "SOS2")]),
        (c.Call("12349"), [("[3G*8800000015*000a*CALL,12349]", "CALL")]),
        (c.Ring(), [("[3G*8800000015*0004*FIND]", "FIND")]),
        (c.ShowMessage("吃药"), [("[3G*8800000015*0010*MESSAGE,5403836f]", "MESSAGE")]),
        (c.Reminder(time(8, 5)), [("[3G*8800000015*0010*REMIND,08:05-1-1]", "REMIND")]),
        (c.Reminder(time(8, 5), frozenset(range(7)), on=False), [("[3G*8800000015*0010*REMIND,08:05-0-2]", "REMIND")]),
        (c.Reminder(time(8, 5), frozenset({0, 6})), [("[3G*8800000015*0018*REMIND,08:05-1-3-1100000]", "REMIND")]),
        (c.MeasureHeartRate(), [("[3G*8800000015*000a*hrtstart,1]", "hrtstart")]),
        (c.SetTimeZone(5.75), [("[3G*8800000015*0009*LZ,,+5.75]", "LZ")]),
    ],
)  # fmt: skip
def test_watch_commands_and_their_confirmations(command, wanted):
    made = encode(codec("watch"), command, WATCH, NOW)
    assert text(made) == wanted
    assert made.timeout_seconds == 30
    for _, word in wanted:  # the bare word comes back
        (message,) = decoded("watch", watch_frame("3G", WATCH.device, "", word.encode()))
        assert message.confirms == word


def test_the_serial_variant_counts_up():
    made = encode(
        codec("watch"), c.SosNumbers(("12349", "12350")), Target("014111001350304", family="ZJ", sequence=0xFFFF), NOW
    )
    assert [s.outgoing.payload.split(b"*")[2] for s in made.steps] == [b"ffff", b"0000"]


def test_gt06_commands_are_confirmed_by_the_server_flag():
    made = encode(codec("gt06"), c.SosNumbers(("12349", "12350")), Target("1", sequence=7), NOW)
    (step,) = made.steps
    (message,) = decoded("gt06", step.outgoing.payload)  # a frame of type 80 is well formed
    assert (message.word, b"SOS,A,12349,12350#" in step.outgoing.payload, step.confirmation) == (
        "0x80",
        True,
        "00000007",
    )
    (answer,) = decoded("gt06", gt06_frame(0x15, b"\x07\x00\x00\x00\x07OK!\x00\x02", 9))
    assert (answer.confirms, answer.text) == ("00000007", "OK!")


def test_h02_uses_the_words_of_the_product():
    target = Target("4109198974", templates={"locate_now": "D1,{time},1"})
    assert text(encode(codec("h02"), c.LocateNow(), target, NOW)) == [("*HQ,4109198974,D1,083030,1#", "D1")]
    assert text(encode(codec("h02"), c.ReportInterval(60), target, NOW)) == [
        ("*HQ,4109198974,S71,083030,22,60#", "S71")
    ]
    assert encode(codec("h02"), c.Ring(), target, NOW) == NotEncodable("unsupported", "ring")
    (message,) = decoded(
        "h02", b"*HQ,4109198974,V4,S71,083030,083031,A,2212.8745,N,11346.6574,E,14.28,028,120525,FFFFFBFF#"
    )
    assert message.confirms == "S71"


@pytest.mark.parametrize(
    ("name", "device", "topic", "answer_topic", "answer"),
    [
        ("own", "o/d", "care/v1/o/d/down/command", "care/v1/o/d/up/event", {"type": "reply", "values": {"command": "c9", "code": 0}}),
        ("alink", "pk/dn", "/sys/pk/dn/thing/service/ring", "/sys/pk/dn/thing/service/ring_reply", {"id": "9", "code": 200}),
        ("huawei", "d", "$oc/devices/d/sys/commands/request_id=9", "$oc/devices/d/sys/commands/response/request_id=9", {"result_code": 0}),
        ("tencent", "p/d", "$thing/down/action/p/d", "$thing/up/action/p/d", {"method": "action_reply", "clientToken": "9", "code": 0}),
    ],
)  # fmt: skip
def test_topic_commands_and_their_confirmations(name, device, topic, answer_topic, answer):
    made = encode(codec(name), c.Ring(), Target(device, sequence=9), NOW)
    (step,) = made.steps
    assert step.outgoing.topic == topic
    assert isinstance(json.loads(step.outgoing.payload), dict)
    batch = codec(name).decoder().feed(json.dumps(answer).encode(), received_at=NOW, topic=answer_topic)
    assert [m.confirms for m in batch.messages] == [step.confirmation]


# ---------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    "command",
    [
        c.ReportInterval(59), c.ReportInterval(65_536), c.SosNumbers(()), c.SosNumbers(("1]",)), c.SosNumbers(("12349",) * 4),
        c.Call("12349]"), c.Call(""), c.ShowMessage(""), c.ShowMessage("x" * 201), c.PlayVoice(b""), c.MeasureHeartRate(7),
        c.Reminder(time(8), frozenset({7})), c.SetTimeZone(15),
    ],
)  # fmt: skip
def test_bad_values_are_refused_by_every_codec(command):
    assert {encode(known, command, WATCH, NOW).reason for known in CODECS.values()} == {"bad_value"}


def test_a_product_limits_the_commands():
    target = Target("8800000015", allowed=frozenset({"ring"}))
    assert encode(codec("watch"), c.LocateNow(), target, NOW).reason == "not_allowed"
    assert isinstance(encode(codec("watch"), c.Ring(), target, NOW), Encoded)


def test_listening_in_cannot_be_made_without_authorisation():
    with pytest.raises(TypeError):
        c.ListenIn("12349")


@pytest.mark.parametrize("name", sorted(CODECS))
@pytest.mark.parametrize(
    ("authorisation", "allowed", "reason"),
    [
        (None, frozenset({"listen_in"}), "not_authorised"),
        ("yes", frozenset({"listen_in"}), "not_authorised"),
        (c.Authorisation("", "dispatcher", "why", "account 5", SOUND.until), frozenset({"listen_in"}), "not_authorised"),
        (c.Authorisation("consent 17", "dispatcher", " ", "account 5", SOUND.until), frozenset({"listen_in"}), "not_authorised"),
        (c.Authorisation("consent 17", "dispatcher", "why", "account 5", NOW - timedelta(seconds=1)), frozenset({"listen_in"}), "not_authorised"),
        (SOUND, None, "not_allowed"),
        (SOUND, frozenset({"call"}), "not_allowed"),
    ],
)  # fmt: skip
def test_listening_in_is_refused(name, authorisation, allowed, reason):
    made = encode(codec(name), c.ListenIn("12349", authorisation), Target("8800000015", allowed=allowed), NOW)
    assert made.reason == reason


def test_listening_in_with_everything_on_record():
    target = Target("8800000015", allowed=frozenset({"listen_in"}))
    made = encode(codec("watch"), c.ListenIn("12349", SOUND), target, NOW)
    assert text(made) == [("[3G*8800000015*000d*MONITOR,12349]", "MONITOR")]


@settings(max_examples=60, deadline=None, database=None)
@given(st.text(min_size=1, max_size=200))
def test_a_message_cannot_break_out_of_its_frame(words):
    for name in ("watch", "gt06", "h02"):
        target = Target("8800000015", templates={} if name == "watch" else {"show_message": "TXT,{text}"})
        made = encode(codec(name), c.ShowMessage(words), target, NOW)
        if isinstance(made, Encoded):
            assert len(decoded(name, made.steps[0].outgoing.payload)) == 1
