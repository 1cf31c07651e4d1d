"""A notice is sent once, tried again, then the next channel, then the next person (R-094)."""

from datetime import timedelta

import pytest

from sangyu.care.emergencies import services
from sangyu.care.emergencies.models import Channel, Incident, Notice, Party, Trail
from sangyu.care.emergencies.services import notices
from sangyu.kernel import jobs
from sangyu.kernel.errors import Invalid
from support.emergencies import JOB, NOW, alarm, contact, operator
from support.world import make_person, make_regions

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def home(shared_rows):
    tree = make_regions()
    person = make_person(tree["a_one"])
    return {
        "tree": tree,
        "person": person,
        "son": contact(person, "李建华"),
        "daughter": contact(person, "李红", priority=2, phone="13841700002"),
        "first": operator(tree["a"]),
    }


def at(seconds):
    return NOW + timedelta(seconds=seconds)


@pytest.fixture
def asked(home):
    """A case whose first relative was asked by telephone: the notice waits for its job."""
    (pk,) = services.alarms([alarm(home["person"])], actor=JOB, now=NOW)
    services.tick(actor=JOB, now=at(60))
    return Notice.objects.get(incident_id=pk, role="family")


@pytest.fixture
def way(monkeypatch):
    """What the service answers: "" or why not; ``sent`` collects (address, number)."""
    sent, answers = [], [""]

    def fake(url, number, words, path, actor):
        sent.append((url, number))
        return answers[0]

    monkeypatch.setattr(notices, "send", fake)
    return sent, answers


def deliver(notice, seconds):
    return services.deliver(actor=JOB, notice_id=notice.pk, now=at(seconds))


def test_it_is_sent_once(asked, way):
    sent, _answers = way
    assert deliver(asked, 61) == "sent"
    assert deliver(asked, 62) == "sent"
    assert sent == [("", "13841700001")]
    assert "王桂兰" in asked.words
    assert "健康" not in asked.words
    assert Trail.objects.filter(incident=asked.incident, what="notice").count() == 1


def test_the_job_sends_it_through_the_house_without_a_channel(asked):
    jobs.run_due(queues=["default"])
    asked.refresh_from_db()
    assert asked.state == "sent"
    from sangyu.registry.accounts.models import TextMessage

    assert TextMessage.objects.get().template == "emergency"


def test_it_is_tried_four_times_then_the_next_person_is_asked(asked, way):
    sent, answers = way
    answers[0] = "no route"
    for seconds in (61, 75, 110):
        assert deliver(asked, seconds) == "waiting"
    assert deliver(asked, 220) == "failed"
    assert len(sent) == 4
    asked.party.refresh_from_db()
    assert asked.party.answer == "silent"
    assert Party.objects.filter(incident=asked.incident, name="李红", answer="").exists()
    assert Trail.objects.filter(incident=asked.incident, what="notice_failed").count() == 1


def test_another_channel_comes_before_another_person(home, way):
    sent, answers = way
    county = home["tree"]["a"]
    for n, name in enumerate(("短信甲", "短信乙"), 1):
        Channel.objects.create(
            region=county, path=county.path, name=name, kind="sms", url=f"json://gateway{n}/{{to}}", rank=n
        )
    (pk,) = services.alarms([alarm(home["person"])], actor=JOB, now=NOW)
    services.tick(actor=JOB, now=at(60))
    first = Notice.objects.get(incident_id=pk)
    assert first.via.name == "短信甲"
    answers[0] = "busy"
    for seconds in (61, 75, 110, 220):
        deliver(first, seconds)
    second = Notice.objects.get(incident_id=pk, state="waiting")
    assert second.via.name == "短信乙"
    assert Party.objects.get(incident_id=pk).answer == ""
    answers[0] = ""
    assert deliver(second, 221) == "sent"
    assert sent[-1][0] == "json://gateway2/{to}"


def test_without_any_job_the_clock_itself_goes_on_to_the_next(asked):
    for seconds in (110, 170, 250, 390):  # no job runs: each look counts as a try
        services.tick(actor=JOB, now=at(seconds))
    asked.refresh_from_db()
    assert asked.state == "failed"


def test_a_sender_that_died_is_replaced(asked, way):
    Notice.objects.filter(pk=asked.pk).update(state="sending", taken_at=at(61), tries=1, next_at=at(106))
    assert deliver(asked, 80) == "sending"  # another one may still be at it
    assert deliver(asked, 107) == "sent"


def test_a_closed_case_sends_nothing_more(asked, home, way):
    services.claim(actor=home["first"], incident_id=asked.incident_id, now=at(61))
    services.close(
        actor=home["first"], incident_id=asked.incident_id, outcome="false_alarm", cause="by_mistake", now=at(62)
    )
    assert deliver(asked, 63) == "failed"
    assert way[0] == []
    assert Incident.objects.get().state == "closed"


def test_channels_are_checked_and_really_used(home):
    with pytest.raises(Invalid):
        services.save_channel(
            actor=home["first"], region_id=home["tree"]["a"].pk, name="错", kind="sms", url="nonsense", now=NOW
        )
    assert notices.send("json://127.0.0.1:9/{to}", "13841700001", "演练", "000", JOB) != ""  # nobody listens there
    assert notices.send("nonsense", "13841700001", "演练", "000", JOB) != ""
