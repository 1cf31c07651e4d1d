"""MQTT devices: their own password and their own topics only, and their messages on the same stream (R-092, R-096, devices.md §5)."""

import asyncio
import hashlib
import hmac
import json
import subprocess
from types import SimpleNamespace

import pytest

from sangyu.engines.codecs import Target, codec, encode
from sangyu.engines.codecs.commands import Ring
from sangyu.runtime.engines import nats as engine
from sangyu.runtime.engines.nkeys import Issuer
from sangyu.runtime.engines.process import wait_until
from sangyu.runtime.gateway import topics
from sangyu.runtime.gateway.register import Device
from sangyu.runtime.simulate import Fleet, Wearer
from sangyu.runtime.simulate.mqtt import Client, Refused
from support.gateway import Source, running, stored
from support.processes import free_port

BED, OTHER, GATE = "demo-00005", "demo-00006", "yingkou/hub-1"
DEVICES = [
    Device(1, "alink", BED, "mattress-alink", "issued"),
    Device(2, "alink", OTHER, "mattress-alink", "issued"),
    Device(3, "own", GATE, "gateway-own", "issued"),
    Device(4, "huawei", "bed-77", "mattress-huawei", "issued"),
    Device(5, "home-assistant", "bridge-1", "gateway-home-assistant", "issued"),
    Device(6, "home-assistant", "zigbee2mqtt_0x01", "button-zigbee", "issued"),
    Device(7, "home-assistant", "bridge-2", "gateway-home-assistant", "issued"),
]
POST = f"/sys/pk1/{BED}/thing/event/property/post"


def secret(device: Device) -> str:
    return f"secret-{device.id}-{device.credential}"


@pytest.fixture
def house(tmp_path, monkeypatch):
    """Our own server with its MQTT listener, as `sangyu up` starts it."""
    monkeypatch.setenv("SANGYU_MQTT_PORT", str(free_port()))
    server = engine.Nats(tmp_path, "token")
    server.prepare()
    log = (tmp_path / "log").open("wb")
    process = server.command().spawn(stdout=log, stderr=log)
    assert wait_until(server.ready, 30)
    port = json.loads((tmp_path / "nats" / "nats.conf").read_text())["mqtt"]["listen"].rpartition(":")[2]
    yield SimpleNamespace(url=server.url, mqtt=int(port), log=tmp_path / "log")
    process.terminate()

    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()


def gateway(house, source=None, **more):
    return running(house.url, source or Source(list(DEVICES)), issuer=Issuer("token"), secret=secret, **more)


async def connect(house, user=f"alink/{BED}", password="secret-1-1", client="c1", *, tries=3, **more):
    """As a device does: again when it is refused. The server's very first question may find nobody who answers."""
    while True:
        try:
            return await Client.connect("127.0.0.1", house.mqtt, client=client, user=user, password=password, **more)
        except Refused:
            tries -= 1
            if not tries:
                raise


def test_a_mattress_reports_is_stored_and_answered(house):
    body = json.dumps(
        {"id": "9", "version": "1.0", "params": {"HeartRate": 72, "RespRate": 16, "inBedStatus": 1}}
    ).encode()

    async def work():
        async with gateway(house) as g:
            bed = await connect(house)
            assert await bed.subscribe(f"{POST}_reply")
            assert await bed.publish(POST, body)
            topic, answer = await asyncio.wait_for(bed.heard.get(), 10)
            assert (topic, json.loads(answer)["code"]) == (f"{POST}_reply", 200)
            await bed.close()
            return dict(g.counts)

    counts = asyncio.run(work())
    ((subject, entry),) = asyncio.run(stored(house.url))
    assert subject.startswith("signals.reading.")
    assert (entry.device, entry.product, entry.raw) == (1, "mattress-alink", body)
    assert {kind: value for kind, value, _at in entry.readings} == {"heart_rate": 72, "respiration": 16, "in_bed": 1}
    assert (counts["mqtt_signed_in"], counts["mqtt_messages"], counts.get("mqtt_refused", 0)) == (1, 1, 0)


def test_simulated_mattresses_sign_in_report_and_raise_their_alarm(house):
    """`sangyu simulate` plays what speaks MQTT as well: each with its own password, an alarm until it is acknowledged."""
    beds = [Wearer("alink", d.identity, 40.66, 122.23, d.product, secret(d)) for d in DEVICES if d.protocol == "alink"]

    async def work():
        async with gateway(house) as g:
            fleet = Fleet([*beds, Wearer("alink", BED, 40.66, 122.23, "", "wrong")], {"alink": house.mqtt})
            assert await fleet.open(seconds=5) == 2
            fleet.devices[0].press()
            await fleet.run(seconds=1, rate=20)
            assert await fleet.settle(10)
            assert len(fleet.signed_in) == 2
            for _n in range(100):
                if g.counts["stored"] >= fleet.counts["answered"]:
                    break
                await asyncio.sleep(0.05)
            await fleet.close()
            return dict(fleet.counts)

    counts = asyncio.run(work())
    entries = [entry for _subject, entry in asyncio.run(stored(house.url))]
    assert (counts["alarms"], counts["alarms_answered"]) == (1, 1)
    assert len(entries) == counts["answered"] > 10
    assert [e.alarms[0][0] for e in entries if e.alarms] == ["apnea"]
    assert {e.device for e in entries} == {1, 2}


def test_an_sos_event_is_alone_and_a_last_will_says_that_the_device_is_gone(house):
    async def work():
        async with gateway(house):
            hub = await connect(
                house, f"own/{GATE}", "secret-3-1", "hub", will=(f"care/v1/{GATE}/status", b"offline")
            )  # fmt: skip
            event = {"id": "1", "ts": 1, "type": "sos", "values": {}}
            assert await hub.publish(f"care/v1/{GATE}/up/event", json.dumps(event).encode())
            hub.writer.transport.abort()
            for _n in range(100):
                found = await stored(house.url)
                if len(found) == 2:
                    return found
                await asyncio.sleep(0.05)
            raise AssertionError(found)

    found = asyncio.run(work())
    assert [(s, e.alarms and e.alarms[0][:2]) for s, e in found if e.alarms] == [("signals.alarm.1", ("sos", 1))]
    assert [e.states for _s, e in found if not e.alarms] == [{"online": False}]


def test_only_the_device_itself_gets_in_and_only_to_its_own_topics(house):
    async def work():
        async with gateway(house) as g:
            for user, password in (
                (f"alink/{BED}", "secret-2-1"), (f"alink/{BED}", "secret-1-2"), (f"alink/{BED}", ""), ("alink/nobody", "x"), ("", ""),
                ("sangyu", "wrong"), ("huawei/demo-00005", "secret-1-1"),
            ):  # fmt: skip
                with pytest.raises(Refused):
                    await connect(house, user, password, tries=1)
            bed = await connect(house)
            foreign = POST.replace(BED, OTHER)
            assert not await bed.subscribe(f"/sys/pk1/{OTHER}/thing/#")
            assert not await bed.subscribe("#")
            await bed.publish(foreign, b"{}", seconds=1)  # the server drops it, with or without a word
            with_own = await connect(house, client="c2")
            await with_own.publish(POST, b'{"id":"1","params":{"HeartRate":60}}')
            for _n in range(100):
                if g.counts["stored"]:
                    break
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.3)
            return dict(g.counts)

    counts = asyncio.run(work())
    assert [e.device for _s, e in asyncio.run(stored(house.url))] == [1]
    assert counts["mqtt_messages"] == 1
    assert counts["mqtt_signed_in"] == 2


def test_the_ways_in_which_alink_and_huawei_sign_in(house):
    alink = "clientIdbeddeviceNamedemo-00005productKeypk1timestamp1700"
    sealed = hmac.new(b"secret-1-1", alink.encode(), hashlib.sha256).hexdigest()
    hour = hmac.new(b"2026112210", b"secret-4-1", hashlib.sha256).hexdigest()

    async def work():
        async with gateway(house):
            first = await connect(house, f"{BED}&pk1", sealed, "bed|securemode=3,signmethod=hmacsha256,timestamp=1700|")
            second = await connect(house, "bed-77", hour, "bed-77_0_0_2026112210")
            report = {
                "services": [{"service_id": "Bed", "properties": {"heart_rate": 61}, "event_time": "20250512T083015Z"}]
            }
            assert await second.publish("$oc/devices/bed-77/sys/properties/report", json.dumps(report).encode())
            await first.close()
            await second.close()
            for _n in range(100):
                if found := await stored(house.url):
                    return found
                await asyncio.sleep(0.05)
            return []

    ((_subject, entry),) = asyncio.run(work())
    assert (entry.device, entry.readings[0][:2]) == (4, ("heart_rate", 61))


def test_a_command_goes_to_its_topic_and_its_answer_ends_it(house):
    class Queue:
        given, ended = {1}, []

        def waiting(self):
            return set(self.given)

        def take(self, device, family):
            if device not in self.given:
                return None
            self.given.discard(device)
            target = Target(f"pk1/{BED}", sequence=31, templates={"ring": "FindMe"})
            return SimpleNamespace(id=5, encoded=encode(codec("alink"), Ring(), target, None))

        def done(self, command, confirmed, note):
            self.ended.append((command, confirmed))
            return "confirmed"

    queue = Queue()

    async def work():
        async with gateway(house, queue=queue):
            bed = await connect(house)
            service = f"/sys/pk1/{BED}/thing/service/FindMe"
            assert await bed.subscribe(service)
            await bed.publish(POST, b'{"id":"1","params":{"HeartRate":60}}')
            topic, told = await asyncio.wait_for(bed.heard.get(), 10)
            assert (topic, json.loads(told)["id"]) == (service, "31")
            await bed.publish(f"{service}_reply", b'{"id":"31","code":200,"data":{}}')
            for _n in range(100):
                if queue.ended:
                    break
                await asyncio.sleep(0.05)

    asyncio.run(work())
    assert queue.ended == [(5, True)]


def test_a_bridge_says_once_what_its_topics_mean_and_every_gateway_knows_it_then(house):
    """Home Assistant discovery: values are read by whichever gateway gets them, also after a restart, and of the bridge's own topics only."""
    button = {"device": {"identifiers": ["zigbee2mqtt_0x01"]}, "state_topic": "ha/bridge-1/z2m/button"}

    def config(key, **more):
        return f"ha/bridge-1/homeassistant/sensor/0x01/{key}/config", json.dumps(button | more).encode()

    async def told(g):
        for _n in range(200):
            if g.counts["stored"] + g.counts["alarms_stored"]:
                break
            await asyncio.sleep(0.05)

    async def work():
        async with gateway(house) as g:
            bridge = await connect(house, "home-assistant/bridge-1", "secret-5-1", "b1")
            # the value comes before the gateway has learnt what it means: it waits
            for topic, payload in (
                config("action", value_template="{{ value_json.action }}"),
                config("battery", value_template="{{ value_json.battery }}"),
                ("ha/bridge-1/z2m/button", b'{"action": "single", "battery": 87}'),
            ):
                assert await bridge.publish(topic, payload)
            await told(g)
            await bridge.publish("zigbee2mqtt/button", b'{"action": "single"}', seconds=1)  # not below its own prefix
            other = await connect(house, "home-assistant/bridge-2", "secret-7-1", "b2")
            foreign = json.dumps(button | {"value_template": "{{ value_json.action }}"}).encode()
            await other.publish("ha/bridge-2/homeassistant/sensor/x/y/config", foreign)
            await other.publish("ha/bridge-2/z2m/button", b'{"action": "single"}')
            await bridge.close()
            await other.close()
            await asyncio.sleep(0.5)
            first = dict(g.counts)
        async with gateway(house) as g:  # nothing in its memory
            bridge = await connect(house, "home-assistant/bridge-1", "secret-5-1", "b1")
            assert await bridge.publish("ha/bridge-1/z2m/button", b'{"action": "", "battery": 86}')
            await told(g)
            return first

    counts = asyncio.run(work())
    entries = [e for _s, e in asyncio.run(stored(house.url))]
    assert [(e.device, [a[:2] for a in e.alarms]) for e in entries] == [(6, [("sos", 1)]), (6, [])]
    assert [{k: v for k, v, _at in e.readings} for e in entries] == [{"battery": 87}, {"battery": 86}]
    assert (counts["alarms_stored"], counts.get("stored", 0)) == (1, 0)


@pytest.mark.parametrize(
    ("topic", "subject"),
    [
        ("/sys/pk/dn/thing/event/+/post", "/.sys.pk.dn.thing.event.*.post"),
        ("$oc/devices/a.b/sys/#", "$oc.devices.a//b.sys.>"),
        ("care/v1/o/d/up/props", "care.v1.o.d.up.props"),
    ],
)
def test_topics_and_subjects(topic, subject):
    assert topics.subject(topic) == subject
    if "+" not in topic and "#" not in topic:
        assert topics.topic(subject) == topic
