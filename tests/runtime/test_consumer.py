"""From the stream to the database, with real NATS and PostgreSQL: once each, whatever dies (R-089, R-094, ADR 0024)."""

import asyncio
import signal
import threading
import time
from datetime import timedelta
from types import SimpleNamespace

import nats
import pytest
from django.utils import timezone

from sangyu.care.emergencies.models import Incident
from sangyu.care.signals.models import Alarm, Last, Poison, Reading
from sangyu.engines.codecs.entries import STREAM, pack, subject
from sangyu.runtime import consumer
from sangyu.runtime.gateway import stream
from support.nats import Nats
from support.processes import eventually, process
from support.signalling import entry, worn
from support.world import make_person, make_regions

pytestmark = pytest.mark.django_db(transaction=True)
CONSUMER = "from sangyu.runtime import consumer; consumer.ACK_WAIT[consumer.DURABLE] = 4; consumer.run()"
#: Dies like by kill -9 when its first batch has committed and nothing is acknowledged.
DYING = """
import os
from sangyu.runtime import consumer
whole = consumer.work
def work(*given):
    whole(*given)
    os._exit(9)
consumer.work = work
consumer.ACK_WAIT[consumer.DURABLE] = 4
consumer.run()
"""


@pytest.fixture
def server(tmp_path):
    server = Nats(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def watches(db):
    regions = make_regions()
    return [worn(regions["a"], make_person(regions["a_one"], f"老人{n}")).pk for n in range(6)]


def publish(server, *bodies: tuple[str, bytes]) -> None:
    async def send():
        nc = await nats.connect(server.url)
        js = nc.jetstream()
        await stream.ensure(js)
        for to, body in bodies:
            await js.publish(to, body)
        await nc.close()

    asyncio.run(send())


def unread(server) -> int:
    """Messages of the stream that no consumer has acknowledged."""

    async def ask():
        nc = await nats.connect(server.url)
        js = nc.jetstream()
        infos = [await js.consumer_info(STREAM, name) for name in stream.CONSUMERS]
        await nc.close()
        return sum(i.num_pending + i.num_ack_pending for i in infos)

    try:
        return asyncio.run(ask())
    except Exception:
        return -1


def messages(watches, minutes=30):
    """Readings in messages of six, and an alarm of each watch alone."""
    now = timezone.now().replace(microsecond=0)
    made = []
    for n in range(minutes):
        at = now - timedelta(minutes=minutes - n)
        group = [
            entry(d, at, readings={"heart_rate": 70 + n % 7, "battery": 80}, place=(40.66, 122.23)) for d in watches
        ]
        made.append((subject(group[0]), pack(group)))
    sos = [entry(d, now, alarms=[("sos", 1)]) for d in watches]
    return made + [(subject(e), pack([e])) for e in sos]


def test_two_consumers_take_each_message_once_and_open_each_case_once(server, watches):
    sent = messages(watches)
    with process(CONSUMER, SANGYU_NATS_URL=server.url), process(CONSUMER, SANGYU_NATS_URL=server.url):
        publish(server, *sent[:15], ("signals.reading.0", b"rubbish"), *sent[10:], *sent[20:])
        eventually(lambda: unread(server) == 0, 40, "everything is acknowledged")
    assert Reading.objects.count() == 30 * len(watches) + len(watches)
    assert (Alarm.objects.count(), Alarm.objects.filter(state="open", kind="sos").count()) == (6, 6)
    assert Incident.objects.count() == 6
    assert Last.objects.count() == 6
    assert Poison.objects.get().reason.startswith("no entries of signals")


def test_killed_between_commit_and_acknowledgement(server, watches):
    """What committed and was not acknowledged comes again and changes nothing."""
    sent = messages(watches, minutes=5)
    publish(server, *sent)
    with process(DYING, SANGYU_NATS_URL=server.url) as dying:
        assert dying.wait(60) == 9
    stored = Reading.objects.count()
    assert stored > 0
    assert unread(server) == len(sent)
    with process(CONSUMER, SANGYU_NATS_URL=server.url):
        eventually(lambda: unread(server) == 0, 60, "the messages come again")
    assert Reading.objects.count() == 5 * len(watches) + len(watches)
    assert (Alarm.objects.count(), Incident.objects.count()) == (6, 6)
    assert set(Alarm.objects.values_list("count", flat=True)) == {1}


def test_an_ended_consumer_leaves_nothing_unsaid(server, watches):
    """SIGTERM: what is under way is committed and acknowledged, then it ends."""
    publish(server, *messages(watches, minutes=3))
    with process(CONSUMER, SANGYU_NATS_URL=server.url) as one:
        eventually(lambda: unread(server) == 0, 40, "everything is acknowledged")
        one.send_signal(signal.SIGTERM)
        assert one.wait(30) == 0


def test_a_request_that_ran_out_is_made_anew_at_once():
    """Every nine seconds nothing was asked for until a second had passed: an alarm of that second waited for it."""
    asked = []

    class Nats:
        def new_inbox(self):
            return "inbox"

        async def subscribe(self, inbox, cb):
            return SimpleNamespace(unsubscribe=lambda: None)

        async def publish(self, subject, body, reply=""):
            asked.append(subject)

    async def work():
        stop = threading.Event()
        puller = consumer.Puller(Nats(), consumer.ALARMS, consumer.Done(), stop)
        running = asyncio.create_task(puller.run(None))
        await asyncio.sleep(0.05)
        assert len(asked) == 1
        await puller._take(SimpleNamespace(headers={"Status": "408", "Nats-Pending-Messages": str(consumer.AHEAD)}))
        await asyncio.sleep(0.05)
        again = len(asked)
        stop.set()
        puller.came.set()
        await running
        return again

    assert asyncio.run(work()) == 2


@pytest.mark.parametrize(
    ("durable", "asked", "sizes", "waits"),
    [
        (consumer.DURABLE, 9, [100], True),
        (consumer.DURABLE, 9, [], True),
        (consumer.DURABLE, 9, [consumer.MOST_BYTES], False),
        (consumer.DURABLE, 0, [100], False),
        (consumer.ALARMS, 9, [], False),
    ],
)
def test_readings_gather_for_the_next_transaction_and_alarms_do_not(monkeypatch, durable, asked, sizes, waits):
    pauses = []

    async def pause(seconds):
        pauses.append(seconds)

    async def work():
        puller = consumer.Puller(SimpleNamespace(new_inbox=str), durable, consumer.Done(), threading.Event())
        puller.asked, puller.waiting = asked, [consumer.Message("", "", bytes(size)) for size in sizes]
        await puller._gather(time.monotonic())

    monkeypatch.setattr(consumer.asyncio, "sleep", pause)
    asyncio.run(work())
    assert bool(pauses) is waits
