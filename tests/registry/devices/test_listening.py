"""Silent listening in: off unless consent, role, reason and the product allow it; always on record (R-090, devices.md §1 "Down")."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Forbidden, Invalid, Refused
from sangyu.kernel.models import DataRead
from sangyu.kernel.scoping import scope
from sangyu.registry.devices import services
from sangyu.registry.devices.models import Command
from sangyu.registry.people import services as people
from sangyu.registry.people.models import Consent
from sangyu.registry.privacy import selectors as privacy
from support.equipping import AGREED, NOW
from support.pages import client_for

JOB = Actor.job("test")
WHY = "摔倒报警后三次拨打不接"
PERMISSIONS = {"devices.view", "devices.command", "devices.listen_in"}


@pytest.fixture
def operator(staff):
    return staff("a", role="operator", permissions=PERMISSIONS)


@pytest.fixture
def worn(bureau, receive, elder):
    """A watch that can listen in; its wearer agreed to position and health, not to this."""
    device = receive("watch-3g-listen")
    services.issue(actor=bureau, device_id=device.pk, person_id=elder.pk, answers=AGREED, now=NOW)
    device.refresh_from_db()
    return device


@pytest.fixture
def agreed(bureau, worn):
    return people.give_consent(
        actor=bureau, person_id=worn.person_id, purpose="listen_in", version="2026-1", given_on=date(2026, 10, 1)
    )


def listen(actor, device, number="13900001234", reason=WHY):
    return services.listen_in(actor=actor, device_id=device.pk, number=number, reason=reason, now=NOW)


def test_with_consent_role_and_reason_the_device_calls_once_and_everything_is_on_record(operator, worn, agreed, elder):
    made = listen(operator, worn)
    assert (made.state, made.consent_id, made.role, made.reason) == ("queued", agreed.pk, "operator", WHY)
    assert made.expires_at == NOW + timedelta(minutes=5)
    looks = DataRead.objects.filter(table_name="people_person", row_id=elder.pk)
    assert list(looks.values_list("what", "purpose", "actor")) == [("listen_in", WHY, operator.name)]
    with scope(operator):
        (shown,) = privacy.looks_for_family(operator, elder.pk)
    assert privacy.look_label(shown.what) != "listen_in"
    sent = services.next_command(actor=JOB, device_id=worn.pk, now=NOW)
    (step,) = sent.encoded.steps
    assert step.outgoing.payload == f"[3G*{worn.identity}*0013*MONITOR,13900001234]".encode()
    assert services.command_done(actor=JOB, command_id=sent.id, confirmed=False, now=NOW) == "failed"  # never twice


def test_without_consent_role_or_reason_and_by_another_product_nobody_listens(operator, worn, receive, staff):
    def refused(code, actor=operator, device=worn):
        with pytest.raises(Refused) as error:
            listen(actor, device)
        assert error.value.code == code

    refused("devices.consent")  # agreeing to position and health is not agreeing to this
    refused("devices.no_command", device=receive("watch-3g"))
    refused("devices.nobody_wears", device=receive("watch-3g-listen"))
    with pytest.raises(Refused):  # and not as a common command
        services.command(actor=operator, device_id=worn.pk, name="listen_in", arguments={"number": "123"}, now=NOW)
    with pytest.raises(Forbidden):
        listen(staff("a", permissions={"devices.view", "devices.command"}), worn)
    with pytest.raises(Forbidden):  # a job has no role that anybody answers for
        listen(JOB, worn)
    with pytest.raises(Invalid):
        listen(operator, worn, reason="  ")
    assert (Command.objects.count(), DataRead.objects.filter(what="listen_in").count()) == (0, 0)


def test_a_number_that_is_none_is_refused(operator, worn, agreed):
    with pytest.raises(Invalid) as wrong:
        listen(operator, worn, number="12*34")
    assert set(wrong.value.errors) == {"number"}
    assert (Command.objects.count(), DataRead.objects.filter(what="listen_in").count()) == (0, 0)


def test_a_consent_that_is_withdrawn_meanwhile_stops_what_waits(bureau, operator, worn, agreed):
    made = listen(operator, worn)
    people.withdraw_consent(actor=bureau, consent_id=agreed.pk, withdrawn_on=NOW.date(), today=NOW.date())
    assert services.next_command(actor=JOB, device_id=worn.pk, now=NOW) is None
    made.refresh_from_db()
    assert (made.state, made.note) == ("failed", "the consent holds no more")
    with pytest.raises(Refused) as refused:
        listen(operator, worn)
    assert refused.value.code == "devices.consent"


def test_after_five_minutes_it_is_not_sent(operator, worn, agreed):
    listen(operator, worn)
    assert services.next_command(actor=JOB, device_id=worn.pk, now=NOW + timedelta(minutes=5)) is None


def test_the_database_takes_no_listening_in_without_its_grounds(operator, worn, agreed):
    made = listen(operator, worn)
    for lost in ({"consent": None}, {"role": ""}, {"reason": ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Command.objects.filter(pk=made.pk).update(**lost)


def test_the_page_says_why_not_and_then_tells_that_the_device_calls(operator, worn):
    client = client_for(operator)
    address = f"/devices/{worn.pk}/listen-in/"
    given = {"number": "13900001234", "reason": WHY}
    assert "静默监听" in client.get(f"/devices/{worn.pk}/").content.decode()
    assert "没有同意静默监听" in client.post(address, given).content.decode()
    Consent.objects.create(
        person_id=worn.person_id, path=worn.person.path, purpose="listen_in", version="2026-1", given_on=NOW.date(), given_by="self"
    )  # fmt: skip
    assert client.post(address, given).status_code == 303
    assert list(Command.objects.values_list("name", "role")) == [("listen_in", "operator")]
