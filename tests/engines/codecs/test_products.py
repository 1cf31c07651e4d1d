"""Products are files, protocols are modules: profiles, their mistakes, what they make of messages, and a new family in a few lines (ADR 0022)."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.conf import settings

from sangyu.engines.codecs import CODECS, AlarmKind, Batch, Datum, Message, MessageKind, codec, products, register
from sangyu.engines.codecs import ReadingKind as R
from sangyu.engines.codecs.commands import NotEncodable
from sangyu.engines.yamlfile import FileErrors
from support.devices import NOW, decoded

FOLDER = settings.DATA / "devices" / "products"
SHIPPED = products.shipped(FOLDER)


def topic_message(name: str, topic: str, body: object) -> Message:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    (message,) = codec(name).decoder().feed(payload, received_at=NOW, topic=topic).messages
    return message


def readings(message: Message) -> dict:
    return {r.kind: r.value for r in message.readings}


def test_shipped_profiles_cover_every_protocol_and_are_named_like_their_files():
    assert {p.protocol for p in SHIPPED.values()} == set(CODECS)
    assert all(p.code == name for name, p in SHIPPED.items())
    # one watch has a twin that may listen in; nobody gets it by mistake
    assert [p.code for p in SHIPPED.values() if "listen_in" in p.allowed] == ["watch-3g-listen"]


def test_mattress_of_the_alink_dialect():
    ms = int(datetime(2025, 5, 12, 8, 29, tzinfo=UTC).timestamp() * 1000)
    params = {
        "HeartRate": 72,
        "RespRate": {"value": 16.5, "time": ms},
        "inBedStatus": 1,
        "wetBed": True,
        "signal": "64/100",
        "other": 1,
    }
    message = topic_message(
        "alink", "/sys/pk/dn/thing/event/property/post", {"id": "123", "version": "1.0", "params": params}
    )
    assert message.device == "pk/dn"
    assert message.replies[0].topic == "/sys/pk/dn/thing/event/property/post_reply"
    assert json.loads(message.replies[0].payload) == {
        "id": "123",
        "code": 200,
        "data": {},
        "message": "success",
        "version": "1.0",
    }
    seen = products.interpret(SHIPPED["mattress-alink"], message)
    assert readings(seen) == {R.HEART_RATE: 72, R.RESPIRATION: 16.5, R.IN_BED: 1, R.WET_BED: 1, R.SIGNAL_QUALITY: 64}
    assert [r.at.utc.minute for r in seen.readings if r.kind is R.RESPIRATION] == [29]
    assert (list(seen.failed), seen.fields["other"].value) == ([], 1)


def test_invalid_values_are_failed_measurements():
    message = topic_message(
        "alink",
        "/sys/pk/dn/thing/event/property/post",
        {"id": "1", "params": {"HeartRate": 255, "RespRate": 0, "inBedStatus": 2}},
    )
    seen = products.interpret(SHIPPED["mattress-alink"], message)
    assert (readings(seen), list(seen.failed)) == ({R.IN_BED: 0}, [R.HEART_RATE, R.RESPIRATION])


@pytest.mark.parametrize(
    ("event", "kinds"),
    [
        ("LeaveBed", []),
        ("BreathStop", ["apnea"]),
        ("Sos", ["sos"]),
        ("lowBattery", ["low_battery"]),
        ("Xyz", ["unknown"]),
    ],
)
def test_events_are_alarms_unless_the_product_says_not(event, kinds):
    message = topic_message(
        "alink",
        f"/sys/pk/dn/thing/event/{event}/post",
        {"id": "1", "params": {"value": {"a": 1}, "time": 1747038600000}},
    )
    seen = products.interpret(SHIPPED["mattress-alink"], message)
    assert [str(a.kind) for a in seen.alarms] == kinds
    assert str(seen.kind) == ("alarm" if kinds else "status")


def test_huawei_gateway_speaks_for_its_children():
    body = {"devices": [{"device_id": "child1", "services": [{"service_id": "Bed", "properties": {"heart_rate": 61, "inbed": "true"}, "event_time": "20250512T083015Z"}]}, {"device_id": "child2", "services": [{"properties": {"quality": 40}}]}]}  # fmt: skip
    batch = (
        codec("huawei")
        .decoder()
        .feed(
            json.dumps(body).encode(), received_at=NOW, topic="$oc/devices/gw/sys/gateway/sub_devices/properties/report"
        )
    )
    first, second = (products.interpret(SHIPPED["mattress-huawei"], m) for m in batch.messages)
    assert (first.device, readings(first), first.time.utc.second) == ("child1", {R.HEART_RATE: 61, R.IN_BED: 1}, 15)
    assert (second.device, readings(second), second.replies) == ("child2", {R.SIGNAL_QUALITY: 40}, ())


def test_tencent_button():
    body = {
        "method": "report",
        "clientToken": "x",
        "timestamp": 1747038600000,
        "params": {"call_status": 1, "battery_percentage": 12},
    }
    message = topic_message("tencent", "$thing/up/property/p/d", body)
    assert (message.replies[0].topic, json.loads(message.replies[0].payload)) == (
        "$thing/down/property/p/d", {"method": "report_reply", "clientToken": "x", "code": 0}
    )  # fmt: skip
    seen = products.interpret(SHIPPED["button-tencent"], message)
    assert ([(str(a.kind), a.level, a.code) for a in seen.alarms], readings(seen)) == (
        [("sos", 1, "field.call_status=1")],
        {R.BATTERY: 12},
    )


def test_phone_in_the_own_dialect_keeps_its_datum():
    message = topic_message(
        "own",
        "care/v1/o/d/up/event",
        {
            "id": "9",
            "ts": 1747038600000,
            "type": "sos",
            "values": {"latitude": 39.9, "longitude": 116.4, "accuracy": 25},
        },
    )
    assert (message.replies[0].topic, message.replies[0].payload) == ("care/v1/o/d/down/ack", b'{"id":"9","code":0}')
    seen = products.interpret(SHIPPED["phone-own"], message)
    assert (seen.position.datum, seen.position.accuracy_m, seen.position.usable) == (Datum.GCJ02, 25, True)
    assert [a.kind for a in seen.alarms] == [AlarmKind.SOS]


def test_last_will_of_the_own_dialect():
    assert topic_message("own", "care/v1/o/d/status", b"offline").states == {"online": False}


def test_home_assistant_learns_its_topics():
    decoder = codec("home-assistant").decoder()
    config = {
        "stat_t": "~/state",
        "~": "zigbee2mqtt/pull",
        "val_tpl": "{{ value_json['battery'] | float | round(1) }}",
        "dev": {"ids": ["0x01"]},
    }
    decoder.feed(json.dumps(config).encode(), received_at=NOW, topic="homeassistant/sensor/0x01/battery/config")
    config |= {"val_tpl": "{{ value_json.action }}"}
    decoder.feed(json.dumps(config).encode(), received_at=NOW, topic="homeassistant/sensor/0x01/action/config")
    refused = decoder.feed(
        json.dumps(config | {"val_tpl": "{% if x %}"}).encode(),
        received_at=NOW,
        topic="homeassistant/sensor/0x01/x/config",
    )
    assert ([s.reason for s in refused.skipped], decoder.wanted) == (["template"], {"zigbee2mqtt/pull/state"})
    (message,) = decoder.feed(
        b'{"battery":"81.26","action":"single"}', received_at=NOW, topic="zigbee2mqtt/pull/state"
    ).messages
    seen = products.interpret(SHIPPED["button-zigbee"], message)
    assert (seen.device, readings(seen), [str(a.kind) for a in seen.alarms]) == ("0x01", {R.BATTERY: 81.3}, ["sos"])


def test_bit_22_is_a_matter_of_the_model():
    frame = "[ZJ*014111001350304*0033*0052*AL,120525,083015,A,31.230416,N,121.473701,E,0.86,12.8,4.0,9,88,63,2310,0,00400000]"
    (message,) = decoded("watch", frame.encode())
    assert [str(a.kind) for a in message.alarms] == ["fall"]
    assert [(str(a.kind), a.level) for a in products.interpret(SHIPPED["watch-zj"], message).alarms] == [
        ("heart_rate", 2)
    ]
    assert products.interpret(SHIPPED["watch-3g"], message).alarms == message.alarms


def test_a_clock_in_local_time_is_the_product_s():
    frame = "[3G*8800000015*0052*UD,120525,163015,A,31.230416,N,121.473701,E,0.86,12.8,4.0,9,88,63,2310,0,00000000]"
    (message,) = decoded("watch", frame.encode())
    assert message.time.doubt == "future"
    seen = products.interpret(replace(SHIPPED["watch-3g"], clock=480), message)
    assert (seen.time.utc, seen.time.usable) == (datetime(2025, 5, 12, 8, 30, 15, tzinfo=UTC), True)


WRONG = """\
code: x
name: x
kind: watch
protocol: morse
supervision_minutes: 0
capabilities: [sos, fly]
battery: {low: 40, clear: 30}
clock: noon
readings:
  a: pulse
  b: {kind: heart_rate, scale: much, values: {1: one}}
alarms:
  c: {kind: sos, level: 3}
  d: nothing
triggers:
  e: 5
commands: [dance]
position: {latitude: lat}
surprise: 1
"""


def test_mistakes_are_told_with_file_line_and_remedy():
    with pytest.raises(FileErrors) as found:
        products.read(WRONG, file="x.yaml")
    problems = found.value.problems
    assert all(p.file == "x.yaml" and p.remedy for p in problems)
    assert {p.line for p in problems} >= {4, 5, 6, 7, 8, 10, 11, 13, 14, 16, 17, 18, 19}
    assert "Use" in next(p.remedy for p in problems if p.line == 4)


# ---------------------------------------------------------------- a new protocol
class _Toy:
    """``name=pulse;`` — the whole of a new family."""

    name = "toy"
    topics = ()
    limit = 64

    def __init__(self):
        self.rest = b""

    buffered = property(lambda self: len(self.rest))

    def decoder(self, options=None):
        return _Toy()

    def feed(self, data, *, received_at, topic=""):
        *frames, rest = (self.rest + data).split(b";")
        self.rest = rest[-self.limit :]
        made = [
            Message("toy", f.split(b"=")[0].decode(), MessageKind.VITALS, "pulse", received_at, f, fields={})
            for f in frames
            if b"=" in f
        ]
        return Batch(tuple(made))

    def encode(self, command, target, now):
        return NotEncodable("not_supported", "a toy hears nothing")


@pytest.fixture
def toy():
    yield register(_Toy())
    del CODECS["toy"]


def test_a_new_protocol_is_one_module_and_a_file(toy):
    product = products.read(
        "code: toy\nname: 玩具\nkind: button\nprotocol: toy\nsupervision_minutes: 5\ncapabilities: [sos]\n",
        file="toy.yaml",
    )
    decoder = codec(product.protocol).decoder()
    batches = [decoder.feed(piece, received_at=NOW) for piece in (b"an", b"na=7", b"2;bert=80;c")]
    assert [m.device for b in batches for m in b.messages] == ["anna", "bert"]
    with pytest.raises(ValueError, match="toy"):
        register(_Toy())


def test_the_example_of_the_guide_is_a_good_profile():
    guide = (settings.DATA.parent / "docs" / "guides" / "adding-a-device.md").read_text(encoding="utf-8")
    product = products.read(guide.split("```yaml\n")[1].split("```")[0], file="adding-a-device.md")
    assert (product.clock, product.templates, product.allowed) == (480, {"ring": "FindMe"}, {"ring", "locate_now"})
