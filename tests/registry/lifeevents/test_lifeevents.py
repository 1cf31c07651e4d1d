"""Life events with their check lists: what stops by itself, what a person closes, what a mistake takes back (X-03, R-129)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import connection
from django.db.utils import IntegrityError

from sangyu.care.orders import services as orders
from sangyu.care.orders.models import Agreement, Order
from sangyu.care.orders.selectors import visits_after
from sangyu.kernel import jobs
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.models import Change, Event, Share
from sangyu.kernel.scoping import scope
from sangyu.registry.accounts.models import Account
from sangyu.registry.lifeevents import selectors, services
from sangyu.registry.lifeevents.models import LifeEvent, LifeEventItem, Notice
from sangyu.registry.people import services as people
from sangyu.registry.people.models import Person, PersonFact
from sangyu.registry.people.selectors import get_person

pytestmark = pytest.mark.django_db
DAY = date(2026, 10, 13)


def order(world, days=3):
    return orders.request_and_receive(
        actor=world.desk, person_id=world.person.pk, item_code="cleaning",
        planned_start=world.now + timedelta(days=days, hours=6), channel="hotline", requested_by="女儿", now=world.now,
    )  # fmt: skip


def daughter(world, **more):
    """A relative with consent, an account and herself as actor."""
    contact = people.add_contact(actor=world.desk, person_id=world.person.pk, name="李梅", relation="3")
    account = Account.objects.create(username="limei", name="李梅")
    people.link_contact_account(actor=world.desk, contact_id=contact.pk, account_id=account.pk)
    people.give_consent(
        actor=world.desk, person_id=world.person.pk, purpose="family_view", version="1", given_on=date(2026, 1, 1),
        contact_id=contact.pk, **more,
    )  # fmt: skip
    return Actor(
        Audience.FAMILY, world.person.path, "李梅", account_id=account.pk, subject_id=account.pk, role="family",
        permissions=world.desk.permissions,
    )  # fmt: skip


def test_a_death_stops_everything_and_says_what_stopped(world, record, items):
    waiting = order(world)
    agreement = Agreement.objects.create(
        person=world.person, person_name="王桂兰", organisation=world.organisation, path=world.person.path,
        valid_from=date(2026, 1, 1), valid_to=date(2026, 12, 31), signed_on=date(2026, 1, 1), signed_by="王桂兰",
        state="signed", risk_notice="知情", number="XY1", region=world.region,
    )  # fmt: skip
    actor = daughter(world)
    event = record()
    assert Person.objects.get(pk=world.person.pk).died_on == DAY
    assert Order.objects.get(pk=waiting.pk).state == "cancelled"
    agreement.refresh_from_db()
    assert (agreement.state, agreement.ended_on) == ("ended", DAY)
    found = items(event)
    assert found["orders"] == ("done", "已取消 1 项", True)
    assert found["vouchers"][0] == "done"
    assert found["overuse"] == ("done", "未发生使用", True)
    assert found["access"] == ("done", "已终止 1 个访问权限", True)
    assert found["providers"][0] == "done"
    assert found["subsidies"] == ("open", "", False)
    assert found["parties"] == ("open", "已在此告知 1 方，其余请电话通知", False)
    assert event.closed_at is None
    assert not Share.objects.filter(object_id=world.person.pk, until__isnull=True).exists()
    with pytest.raises(NotVisible):
        get_person(actor, world.person.pk)
    with scope(actor):
        assert [n.text for n in selectors.notices(actor)] == ["王**：去世 2026-10-13"]


def test_items_are_closed_by_a_person_with_name_and_day_and_the_event_closes(world, record):
    event = record()
    rows = list(LifeEventItem.objects.filter(event=event, state="open").order_by("id"))
    assert [r.item for r in rows] == ["subsidies"]
    with pytest.raises(Invalid):
        services.settle_item(actor=world.desk, item_id=rows[0].pk, state="not_needed")
    with pytest.raises(Forbidden):
        services.settle_item(actor=replace(world.desk, permissions=frozenset()), item_id=rows[0].pk, state="done")
    assert LifeEventItem.objects.get(pk=rows[0].pk).state == "open"
    for row in rows:
        services.settle_item(actor=world.desk, item_id=row.pk, state="done", note="已停发", now=world.now)
    event.refresh_from_db()
    assert event.closed_at == world.now
    assert Event.objects.filter(name="lifeevents.closed").count() == 1
    done = LifeEventItem.objects.get(pk=rows[0].pk)
    assert (done.state, done.done_by, done.automatic, done.note) == ("done", world.desk.name, False, "已停发")
    services.settle_item(actor=world.desk, item_id=done.pk, state="open", now=world.now)
    event.refresh_from_db()
    assert event.closed_at is None


def test_a_report_does_not_overwrite_what_a_person_closed(world, record, items):
    order(world)
    event = record(run=False)
    row = LifeEventItem.objects.get(event=event, item="orders")
    services.settle_item(actor=world.desk, item_id=row.pk, state="not_needed", note="无订单", now=world.now)
    jobs.run_due()
    assert items(event)["orders"] == ("not_needed", "无订单", False)


def test_a_mistaken_death_is_taken_back_with_its_trace(world, record, items):
    order(world)
    actor = daughter(world)
    event = record()
    with pytest.raises(Invalid):
        services.withdraw(actor=world.desk, event_id=event.pk, reason=" ")
    assert Person.objects.get(pk=world.person.pk).died_on == DAY
    services.withdraw(actor=world.desk, event_id=event.pk, reason="同名误录", now=world.now)
    event.refresh_from_db()
    assert Person.objects.get(pk=world.person.pk).died_on is None
    assert (event.withdrawn_by, event.withdrawn_reason, event.closed_at) == (world.desk.name, "同名误录", None)
    found = items(event)
    assert found["restore_access"] == ("done", "已恢复 1 个访问权限", True)
    assert found["restore_orders"] == ("open", "已取消 1 项", False)
    assert found["restore_vouchers"][0] == "open"
    assert get_person(actor, world.person.pk) == world.person
    with scope(actor):
        assert selectors.notices(actor)[0].text == "王**：去世 2026-10-13，已撤销"
    kept = Change.objects.filter(table_name="people_person", row_id=world.person.pk, op="U").order_by("-id")
    assert kept[0].fields["died_on"] == ["2026-10-13", None]
    assert (kept[0].reason, kept[0].actor, kept[0].role) == ("同名误录", world.desk.name, "dispatcher")
    with pytest.raises(Refused):
        services.withdraw(actor=world.desk, event_id=event.pk, reason="又一次")
    again = record()
    assert LifeEvent.objects.filter(kind="death").count() == 2
    assert again.withdrawn_at is None


def test_access_withdrawn_meanwhile_is_not_given_back(world, record, items):
    actor = daughter(world)
    event = record()
    consent = world.person.consents.get()
    people.withdraw_consent(
        actor=world.desk, consent_id=consent.pk, withdrawn_on=date(2026, 11, 1), today=date(2026, 11, 2)
    )
    services.withdraw(actor=world.desk, event_id=event.pk, reason="误录", now=world.now)
    assert items(event)["restore_access"][1] == "已恢复 0 个访问权限"
    with pytest.raises(NotVisible):
        get_person(actor, world.person.pk)


def test_a_death_recorded_past_this_room_gets_its_check_list_once(world, items):
    people.record_death(
        actor=world.desk, person_id=world.person.pk, died_on=DAY, source="民政比对", today=world.now.date()
    )
    jobs.run_due()
    event = LifeEvent.objects.get()
    assert (event.kind, event.on, event.reported_by) == ("death", DAY, "list")
    assert items(event)["orders"][0] == "done"
    services.ensure(actor=world.desk, person_id=world.person.pk, kind="death", on=DAY, source="x")
    assert LifeEvent.objects.count() == 1


def test_a_late_death_shows_what_was_used_after_it(world, record, items):
    """X-03: the visits after the day stand in a list for somebody to look through."""
    found = order(world, days=1)
    Order.objects.filter(pk=found.pk).update(
        state="confirmed", arrived_at=world.now + timedelta(days=1), done_at=world.now, confirmed_at=world.now,
        organisation=world.organisation, contract=world.contract, worker=world.cleaner, accepted_at=world.now,
        departed_at=world.now,
    )  # fmt: skip
    event = record()
    state, note, automatic = items(event)["overuse"]
    assert (state, automatic) == ("open", False)
    assert note.startswith("1 次服务")
    with scope(world.desk):
        assert [o.pk for o in visits_after(world.desk, world.person.pk, DAY)] == [found.pk]


def test_a_stay_and_its_correction(world, record):
    event = record("institution", on=date(2026, 10, 1), place="市福利院")
    held = PersonFact.objects.on(date(2026, 10, 10)).filter(subject=world.person, kind="residence")
    assert [(f.value, f.note) for f in held] == [("institution", "市福利院")]
    later = [world.now + timedelta(seconds=n) for n in (1, 2, 3)]
    hospital = record("hospital", on=date(2026, 10, 5), place="中心医院", now=later[0])
    assert [f.value for f in held.all()] == ["hospital"]
    services.withdraw(actor=world.desk, event_id=hospital.pk, reason="人未住院", now=later[1])
    assert [f.value for f in held.all()] == ["institution"]
    services.withdraw(actor=world.desk, event_id=event.pk, reason="未入住", now=later[2])
    assert [f.value for f in held.all()] == []


def test_a_move_takes_events_along_and_is_corrected_by_a_move(world, record, regions, staff):
    first = record("hospital", on=date(2026, 10, 5), place="中心医院")
    event = record("move", on=date(2026, 10, 10), region_id=regions["b_one"].pk, address="新路 2 号")
    first.refresh_from_db()
    assert (event.path, first.path) == (regions["b_one"].path, regions["b_one"].path)
    with scope(world.desk):
        assert LifeEvent.objects.count() == 0
    assert LifeEventItem.objects.get(event=event, item="orders").state == "done"
    with pytest.raises(Refused):
        services.withdraw(actor=staff("b"), event_id=event.pk, reason="误录")
    event.refresh_from_db()
    assert event.withdrawn_at is None


@pytest.mark.parametrize(
    "change",
    [
        {"on": date(2027, 1, 1)},
        {"kind": "moon"},
        {"kind": "institution"},
        {"kind": "move"},
        {"reported_by": "moon"},
    ],
)
def test_what_is_refused_changes_nothing(world, record, change):
    with pytest.raises(Invalid):
        record(**{"run": False, **change})
    assert LifeEvent.objects.count() == Notice.objects.count() == 0
    assert Person.objects.get(pk=world.person.pk).died_on is None


def test_out_of_scope_and_one_live_death(world, record, staff):
    with pytest.raises(NotVisible):
        services.record(
            actor=staff("b"), person_id=world.person.pk, kind="death", on=DAY, source="x", today=world.now.date()
        )
    event = record()
    with pytest.raises(Refused):
        record()
    with pytest.raises(NotVisible):
        services.settle_item(actor=staff("b"), item_id=event.items.first().pk, state="done")
    with pytest.raises(IntegrityError, match="life_event_one_death"), connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO lifeevents_lifeevent (person_id, path, kind, "on", reported_by, source, place, recorded_at, actor,'
            ' withdrawn_by, withdrawn_reason, ended_shares) SELECT person_id, path, kind, "on", reported_by, source, place,'
            " recorded_at, actor, withdrawn_by, withdrawn_reason, ended_shares FROM lifeevents_lifeevent"
        )
