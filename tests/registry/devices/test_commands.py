"""Commands to devices: who may, what waits, what is sent, and how each ends (R-089, R-090, devices.md §1 "Down")."""

from datetime import timedelta

import pytest

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Forbidden, Invalid, Refused
from sangyu.kernel.models import DataRead, Event
from sangyu.registry.devices import selectors, services
from sangyu.registry.devices.models import Command
from support.equipping import NOW

JOB = Actor.job("test")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def worn(bureau, receive, elder):
    """A watch whose wearer has agreed to nothing."""
    device = receive()
    services.issue(
        actor=bureau, device_id=device.pk, person_id=elder.pk,
        answers={"location": "refused", "health_data": "refused"}, now=NOW,
    )  # fmt: skip
    device.refresh_from_db()
    return device


def give(actor, device, name="ring", **more):
    return services.command(actor=actor, device_id=device.pk, name=name, now=more.pop("now", NOW), **more)


def states(device):
    return list(Command.objects.filter(device=device).order_by("pk").values_list("name", "state", "tries"))


def test_a_command_waits_is_sent_and_ends_with_the_confirmation(bureau, worn):
    made = give(bureau, worn, "show_message", arguments={"text": "该吃药了"})
    assert (made.state, made.expires_at, made.path) == ("queued", NOW + 30 * MINUTE, worn.path)
    assert selectors.commands_waiting() == {worn.pk}
    sent = services.next_command(actor=JOB, device_id=worn.pk, now=NOW + MINUTE)
    text = "该吃药了".encode("utf-16-be").hex()
    assert [(s.outgoing.payload, s.confirmation) for s in sent.encoded.steps] == [
        (f"[3G*{worn.identity}*{len(text) + 8:04x}*MESSAGE,{text}]".encode(), "MESSAGE")
    ]
    assert selectors.commands_waiting() == set()
    # one in flight a device
    give(bureau, worn)
    assert services.next_command(actor=JOB, device_id=worn.pk, now=NOW + MINUTE) is None
    assert services.command_done(actor=JOB, command_id=sent.id, confirmed=True, now=NOW + 2 * MINUTE) == "confirmed"
    assert states(worn) == [("show_message", "confirmed", 1), ("ring", "queued", 0)]
    told = Event.objects.filter(name="devices.command_ended").values_list("payload", flat=True)
    assert list(told) == [{"id": worn.pk, "command": sent.id, "state": "confirmed"}]


def test_what_is_not_answered_is_tried_three_times_and_a_call_once(bureau, worn):
    give(bureau, worn)
    for n, state in enumerate(("queued", "queued", "failed"), 1):
        sent = services.next_command(actor=JOB, device_id=worn.pk, now=NOW + n * MINUTE)
        assert services.command_done(actor=JOB, command_id=sent.id, confirmed=False, now=NOW + n * MINUTE) == state
    give(bureau, worn, "call", arguments={"number": "13900001234"})
    sent = services.next_command(actor=JOB, device_id=worn.pk, now=NOW + MINUTE)
    assert services.command_done(actor=JOB, command_id=sent.id, confirmed=False, now=NOW + MINUTE) == "failed"
    assert states(worn) == [("ring", "failed", 3), ("call", "failed", 1)]


def test_a_command_expires_and_a_dead_gateways_is_taken_back(bureau, worn):
    give(bureau, worn, minutes=5)
    assert services.sweep_commands(actor=JOB, now=NOW + 4 * MINUTE) == 0
    sent = services.next_command(actor=JOB, device_id=worn.pk, now=NOW + 4 * MINUTE)
    assert sent is not None
    give(bureau, worn, "restart", minutes=600)
    assert services.sweep_commands(actor=JOB, now=NOW + 10 * MINUTE) == 1
    assert states(worn) == [("ring", "expired", 1), ("restart", "queued", 0)]
    assert services.next_command(actor=JOB, device_id=worn.pk, now=NOW + 700 * MINUTE) is None
    assert states(worn)[1] == ("restart", "expired", 0)


def test_locating_somebody_needs_the_consent_or_a_reason_and_is_logged(bureau, worn, receive, staff):
    with pytest.raises(Refused) as refused:
        give(bureau, worn, "locate_now")
    assert refused.value.code == "devices.consent"
    assert states(worn) == []
    give(bureau, worn, "locate_now", reason="家属报走失")
    looks = DataRead.objects.filter(table_name="people_person", row_id=worn.person_id)
    assert list(looks.values_list("what", "purpose")) == [("position", "家属报走失")]


def test_what_a_device_may_not_be_told_is_refused_and_nothing_changes(bureau, worn, receive, staff):
    cases = (
        ("listen_in", {"number": "13900001234"}, Refused),
        ("photograph", {}, Refused),
        ("report_interval", {"seconds": 10}, Invalid),
        ("report_interval", {}, Invalid),
        ("call", {"number": "12*34"}, Invalid),
        ("show_message", {"text": ""}, Invalid),
        ("reminder", {"at": "25:00"}, Invalid),
        ("sos_numbers", {}, Invalid),  # the settings name nobody
    )
    for name, arguments, error in cases:
        with pytest.raises(error):
            give(bureau, worn, name, arguments=arguments)
    services.configure(actor=bureau, device_id=worn.pk, commands=["locate_now"])
    with pytest.raises(Refused) as refused:
        give(bureau, worn)
    assert refused.value.code == "devices.no_command"
    with pytest.raises(Forbidden):
        give(staff("a", role="inspector", permissions={"devices.view"}), worn)
    assert states(worn) == []


def test_who_gave_it_may_withdraw_it_until_it_is_sent(bureau, worn):
    made = give(bureau, worn)
    assert services.cancel_command(actor=bureau, command_id=made.pk, now=NOW).state == "cancelled"
    again = give(bureau, worn)
    services.next_command(actor=JOB, device_id=worn.pk, now=NOW)
    with pytest.raises(Refused) as refused:
        services.cancel_command(actor=bureau, command_id=again.pk)
    assert refused.value.code == "devices.sent"


def test_no_more_than_twenty_wait_for_one_device(bureau, worn):
    for _n in range(20):
        give(bureau, worn)
    with pytest.raises(Refused) as refused:
        give(bureau, worn)
    assert refused.value.code == "devices.queue"


def test_the_texts_of_a_command_are_sealed(bureau, worn):
    from django.db import connection

    give(bureau, worn, "call", arguments={"number": "13900001234"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT arguments::text FROM devices_command")
        assert "13900001234" not in cursor.fetchone()[0]
