"""Issue, return, exchange, repair, loss of devices (R-089, R-186)."""

import re
from datetime import date, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError

from sangyu.kernel import jobs
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.models import Change, DataRead, Event
from sangyu.kernel.scoping import scope
from sangyu.registry.devices import selectors, services
from sangyu.registry.devices.enums import Action, State
from sangyu.registry.devices.models import Binding, Device, DeviceLog, Repair, Setting
from sangyu.registry.devices.workflow import DEVICE_FLOW
from sangyu.registry.facilities import services as facilities
from sangyu.registry.lifeevents.models import LifeEventItem
from sangyu.registry.people import services as people
from sangyu.registry.people.models import Consent, Contact
from support.equipping import AGREED, NOW
from support.world import make_person

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=3)


def trail(device) -> list[tuple]:
    return list(DeviceLog.objects.filter(device=device).values_list("action", "source", "target"))


def refused(code, call, **given):
    with pytest.raises(Refused) as error:
        call(**given)
    assert error.value.code == code


def test_a_device_comes_into_stock_once(bureau, watch, staff, regions):
    """R-089: the number is unique, here and in other areas; the SIM card is sealed and unique too."""
    assert (watch.state, watch.kind, watch.protocol, watch.path) == ("stock", "watch", "watch", regions["a"].path)
    assert trail(watch) == [("receive", "", "stock")]
    refused("devices.identity", services.receive, actor=staff("b"), product="watch-3g", identity=watch.identity)
    refused("devices.sim", services.receive, actor=bureau, product="watch-3g", identity="8800000900", iccid=watch.iccid)
    for wrong in ({"identity": "12"}, {"identity": "88000000A1"}):
        with pytest.raises(Invalid) as invalid:
            services.receive(actor=bureau, product="watch-3g", **wrong)
        assert list(invalid.value.errors) == ["identity"]
    with pytest.raises(Invalid) as invalid:
        services.receive(actor=bureau, product="watch-3g", identity="8800000901", iccid="12", sim_phone="abc")
    assert sorted(invalid.value.errors) == ["iccid", "sim_phone"]
    with pytest.raises(NotVisible):
        services.receive(actor=bureau, product="watch-3g", identity="8800000902", region_id=regions["b"].pk)
    assert Device.objects.count() == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT iccid, sim_phone FROM devices_device")
        assert all(b"1390000" not in bytes(v) and b"898600" not in bytes(v) for v in cursor.fetchone())
    assert (watch.sim_masked, watch.iccid_masked) == ("139****1234", "898600…0017")


def test_issue_asks_for_consent_and_the_device_goes_to_the_elder(bureau, watch, elder, staff, regions):
    """R-089, R-090: what tells places or measures asks; who refuses gets the watch all the same."""
    with pytest.raises(Invalid) as invalid:
        services.issue(actor=bureau, device_id=watch.pk, person_id=elder.pk, now=NOW)
    assert sorted(invalid.value.errors) == ["health_data", "location"]
    assert (Binding.objects.count(), Consent.objects.count()) == (0, 0)
    with pytest.raises(NotVisible):
        selectors.get_device(staff("a_one"), watch.pk)  # stock is seen from its region and above
    made = services.issue(
        actor=bureau, device_id=watch.pk, person_id=elder.pk, answers={"location": "paper", "health_data": "refused"},
        deposit=10_000, now=NOW,
    )  # fmt: skip
    watch.refresh_from_db()
    assert (watch.state, watch.person_id, watch.path) == ("issued", elder.pk, elder.path)
    assert (made.issued_at, made.issued_by, made.deposit, made.path) == (NOW, bureau.name, 10_000, elder.path)
    assert list(Consent.objects.values_list("purpose", "proof", "version")) == [("location", "paper", "2026-1")]
    assert selectors.get_device(staff("a_one"), watch.pk) == watch
    with pytest.raises(NotVisible):
        selectors.get_device(staff("a_two"), watch.pk)
    assert selectors.wearers([watch.pk])[watch.pk] == selectors.Wearer(
        watch.pk, elder.path, elder.pk, None, "", "", NOW, frozenset({"location"})
    )
    assert selectors.wearers([watch.pk], at=NOW - timedelta(seconds=1)) == {}
    assert Event.objects.filter(name="devices.bound").values_list("payload", flat=True).get() == {
        "id": watch.pk, "binding": made.pk, "person": elder.pk,
    }  # fmt: skip


def test_one_watch_each_and_no_two_wearers(bureau, issued, elder, receive, regions):
    """R-089: a second watch is refused, a pendant beside it is not; one device has one wearer at a time."""
    second, pendant = receive(), receive("pendant-h02")
    refused("devices.one_each", services.issue, actor=bureau, device_id=second.pk, person_id=elder.pk, answers=AGREED)
    services.issue(actor=bureau, device_id=pendant.pk, person_id=elder.pk, now=NOW)  # location was asked already
    other = make_person(regions["a_two"], "李秀英")
    refused("workflow.edge", services.issue, actor=bureau, device_id=issued.pk, person_id=other.pk, answers=AGREED)
    second.refresh_from_db()
    assert (second.state, Binding.objects.count(), Consent.objects.filter(person=other).count()) == ("stock", 2, 0)
    with pytest.raises(IntegrityError, match="binding_no_overlap"), transaction.atomic():
        Binding.objects.create(device=issued, person=other, path=other.path, issued_at=LATER, issued_by="x")
    with pytest.raises(IntegrityError, match="device_holder_fits_state"), transaction.atomic():
        Device.objects.filter(pk=issued.pk).update(person=None)
    with pytest.raises(IntegrityError, match="device_holder_fits_state"), transaction.atomic():
        Device.objects.filter(pk=issued.pk).update(state="stock")


def test_the_dead_and_the_restricted_get_nothing(bureau, watch, elder):
    people.record_death(actor=bureau, person_id=elder.pk, died_on=date(2026, 10, 1), source="证明", today=NOW.date())
    refused("people.dead", services.issue, actor=bureau, device_id=watch.pk, person_id=elder.pk, answers=AGREED)
    people.revoke_death(actor=bureau, person_id=elder.pk, reason="同名")
    people.restrict(actor=bureau, person_id=elder.pk, reason="本人要求")
    refused("people.restricted", services.issue, actor=bureau, device_id=watch.pk, person_id=elder.pk, answers=AGREED)
    assert (Binding.objects.count(), Consent.objects.count()) == (0, 0)


def test_it_comes_back_is_checked_and_goes_out_again(bureau, issued, elder, regions):
    """The same watch goes to another elder on the same day: each signal has one wearer."""
    noon, evening = NOW + timedelta(hours=3), NOW + timedelta(hours=9)
    services.take_back(actor=bureau, device_id=issued.pk, reason="returned", note="表带换新", now=noon)
    issued.refresh_from_db()
    assert (issued.state, issued.person_id, issued.path) == ("returned", None, regions["a"].path)
    other = make_person(regions["a_two"], "李秀英")
    refused("workflow.edge", services.issue, actor=bureau, device_id=issued.pk, person_id=other.pk, answers=AGREED)
    services.restock(actor=bureau, device_id=issued.pk, now=noon)
    services.issue(actor=bureau, device_id=issued.pk, person_id=other.pk, answers=AGREED, now=evening)
    found = {at: selectors.wearers([issued.pk], at=at) for at in (NOW, noon, evening)}
    assert [w[issued.pk].person_id if w else None for w in found.values()] == [elder.pk, None, other.pk]
    first = Binding.objects.get(person=elder)
    assert (first.returned_at, first.end_reason, first.note) == (noon, "returned", "表带换新")
    assert list(selectors.unsettled(bureau)) == [first]
    services.pay_back(actor=bureau, binding_id=first.pk, on=NOW.date(), today=NOW.date())
    assert list(selectors.unsettled(bureau)) == []
    refused("devices.deposit", services.pay_back, actor=bureau, binding_id=first.pk, on=NOW.date(), today=NOW.date())
    assert Change.objects.filter(table_name="devices_binding", row_id=first.pk).count() == 3


def test_exchange_is_one_act(bureau, issued, elder, receive):
    """Deposit and SOS numbers go along; a device of another kind, or one that is not in stock, changes nothing."""
    son = Contact.objects.create(person=elder, path=elder.path, name="王强", relation="2", phone="13800000001",
                                 phone_index=b"x" * 16, phone_tail=b"y" * 8)  # fmt: skip
    services.configure(actor=bureau, device_id=issued.pk, sos_contacts=[son.pk], interval=600)
    pendant, new = receive("pendant-h02"), receive()
    refused("devices.other_kind", services.exchange, actor=bureau, device_id=issued.pk, new_device_id=pendant.pk)
    services.report_lost(actor=bureau, device_id=new.pk, reason="找不到")
    refused("workflow.edge", services.exchange, actor=bureau, device_id=issued.pk, new_device_id=new.pk, now=LATER)
    issued.refresh_from_db()
    assert (issued.state, Binding.objects.filter(returned_at=None).count()) == ("issued", 1)
    services.report_found(actor=bureau, device_id=new.pk, now=NOW)
    services.restock(actor=bureau, device_id=new.pk, now=NOW)
    made = services.exchange(actor=bureau, device_id=issued.pk, new_device_id=new.pk, reason="defect", now=LATER)
    issued.refresh_from_db(), new.refresh_from_db()
    assert (issued.state, new.state, new.person_id) == ("returned", "issued", elder.pk)
    assert (made.deposit, Binding.objects.get(device=issued).deposit) == (10_000, 0)
    assert Setting.objects.get(device=new).sos_contacts == [son.pk]
    assert (Setting.objects.get(device=issued).sos_contacts, Setting.objects.get(device=new).interval) == ([], 600)
    assert Consent.objects.count() == 2  # nobody was asked twice


def test_repair_keeps_the_wearer_and_a_lost_one_may_be_found(bureau, issued, elder):
    services.send_to_repair(actor=bureau, device_id=issued.pk, vendor="厂家", fault="不开机", on=NOW.date(), now=NOW)
    refused("workflow.edge", services.take_back, actor=bureau, device_id=issued.pk, reason="returned")
    with pytest.raises(Invalid):
        services.repair_ended(actor=bureau, device_id=issued.pk, outcome="fixed", on=date(2026, 10, 1), now=LATER)
    services.repair_ended(
        actor=bureau, device_id=issued.pk, outcome="fixed", on=LATER.date(), cost=3_500, note="换电池", now=LATER
    )
    issued.refresh_from_db()
    assert (issued.state, issued.person_id) == ("issued", elder.pk)
    assert Repair.objects.values_list("vendor", "back_on", "cost", "outcome").get() == (
        "厂家", LATER.date(), 3_500, "fixed",
    )  # fmt: skip
    refused("devices.no_repair", services.repair_ended, actor=bureau, device_id=issued.pk, outcome="fixed")
    services.report_lost(actor=bureau, device_id=issued.pk, reason="走失时遗失", now=LATER)
    services.report_found(actor=bureau, device_id=issued.pk, note="在沙发下", now=LATER)
    issued.refresh_from_db()
    assert (issued.state, issued.person_id) == ("issued", elder.pk)
    services.report_lost(actor=bureau, device_id=issued.pk, reason="又丢了", now=LATER)
    services.retire(actor=bureau, device_id=issued.pk, reason="赔付", now=LATER)
    issued.refresh_from_db()
    assert (issued.state, issued.person_id, Binding.objects.get().end_reason) == ("retired", None, "lost")
    assert selectors.by_identity("watch", issued.identity) is None
    assert trail(issued)[-3:] == [
        ("lose", "issued", "lost"), ("give_up", "lost", "lost"), ("retire", "lost", "retired")
    ]  # fmt: skip


def test_a_mattress_lies_on_a_bed_and_belongs_to_who_lives_there(bureau, receive, elder, regions, staff):
    """R-186: institution, room, bed; the wearer follows from the list of residents."""
    home = facilities.register(
        actor=bureau, region_id=regions["a_one"].pk, name="福寿养老院", kind="institution", opened_on=date(2018, 5, 1),
        urban_rural="urban", beds=20,
    )  # fmt: skip
    mattress, other, watch = (
        receive("mattress-alink", identity="bed-0001"),
        receive("mattress-alink", identity="bed-2"),
        receive(),
    )
    refused("devices.kind", services.bind_place, actor=bureau, device_id=watch.pk, facility_id=home.pk, bed="1")
    with pytest.raises(Invalid):
        services.bind_place(actor=bureau, device_id=mattress.pk, facility_id=home.pk)
    with pytest.raises(NotVisible):
        services.bind_place(actor=staff("b"), device_id=mattress.pk, facility_id=home.pk, bed="201-1")
    services.bind_place(actor=bureau, device_id=mattress.pk, facility_id=home.pk, room="201", bed="201-1", now=NOW)
    refused("devices.bed", services.bind_place, actor=bureau, device_id=other.pk, facility_id=home.pk, bed="201-1")
    found = selectors.wearers([mattress.pk], at=NOW)[mattress.pk]
    assert (found.person_id, found.facility_id, found.room, found.bed) == (None, home.pk, "201", "201-1")
    facilities.admit(
        actor=bureau, facility_id=home.pk, person_id=elder.pk, on=NOW.date(), bed="201-1", source="x", today=NOW.date()
    )
    assert selectors.wearers([mattress.pk], at=NOW)[mattress.pk].person_id == elder.pk
    services.take_back(actor=bureau, device_id=mattress.pk, reason="defect", now=LATER)
    assert selectors.wearers([mattress.pk]) == {}


def test_after_a_death_the_device_is_fetched(bureau, issued, elder):
    """X-03, R-043: the check list names the device until it is back; the watch stays bound to nobody's silence."""
    people.record_death(actor=bureau, person_id=elder.pk, died_on=date(2026, 10, 16), source="证明", today=LATER.date())
    jobs.run_due()
    item = LifeEventItem.objects.get(item="devices")
    assert (item.state, item.note) == ("open", "还有 1 台设备待收回")
    assert list(selectors.needing(selectors.devices_visible(bureau), "dead", LATER)) == [issued]
    services.take_back(actor=bureau, device_id=issued.pk, reason="death", now=LATER)
    jobs.run_due()
    item.refresh_from_db()
    assert (item.state, item.note) == ("done", "没有设备在外")


def test_the_device_follows_its_wearer(bureau, issued, elder, regions, staff):
    """A move takes device and binding along; a return puts it with whoever takes it."""
    people.move(
        actor=staff("city"),
        person_id=elder.pk,
        region_id=regions["b"].pk,
        moved_on=LATER.date(),
        source="x",
        today=LATER.date(),
    )
    issued.refresh_from_db()
    assert (issued.path, Binding.objects.get().path) == (regions["b"].path, regions["b"].path)
    with pytest.raises(NotVisible):
        services.report_lost(actor=bureau, device_id=issued.pk, reason="x")
    services.take_back(actor=staff("b"), device_id=issued.pk, reason="moved", now=LATER)
    issued.refresh_from_db()
    assert (issued.region_id, issued.path) == (regions["b"].pk, regions["b"].path)


def test_settings_are_checked(bureau, issued, elder, receive):
    stranger = Contact.objects.create(
        person=make_person(elder.region, "李四"), path=elder.path, name="生人", relation="2"
    )
    for given, field in (
        ({"sos_contacts": [stranger.pk]}, "sos_contacts"), ({"interval": 10}, "interval"),
        ({"quiet_from": datetime(2026, 1, 1, 22).time()}, "quiet_to"), ({"commands": ["listen_in"]}, "commands"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as invalid:
            services.configure(actor=bureau, device_id=issued.pk, **given)
        assert list(invalid.value.errors) == [field]
    refused("devices.nobody", services.configure, actor=bureau, device_id=receive().pk, sos_contacts=[stranger.pk])
    assert Setting.objects.count() == 0
    services.configure(actor=bureau, device_id=issued.pk, interval=300, commands=["locate_now"], local_clock=True)
    with scope(bureau):
        known = {k.id: k for k in selectors.snapshot()}[issued.pk]
    assert (known.interval, known.commands, known.local_clock, known.person_id) == (
        300,
        ("locate_now",),
        True,
        elder.pk,
    )
    assert Change.objects.filter(table_name="devices_setting").exists()


def test_the_gateway_asks_cheaply(bureau, issued, receive, django_assert_num_queries):
    for _n in range(20):
        receive()
    with django_assert_num_queries(1):
        found = selectors.by_identity("watch", issued.identity)
    assert found == selectors.Identified(issued.pk, "watch-3g", "issued", issued.path)
    assert selectors.by_identity("h02", issued.identity) is None
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT id FROM devices_device WHERE protocol = 'watch' AND identity = '8800000001' AND state <> 'retired'"
        )
        assert "device_identity_once" in cursor.fetchall()[0][0]
    with django_assert_num_queries(2):
        assert len(list(selectors.snapshot())) == 21
    with django_assert_num_queries(2):
        selectors.wearers([issued.pk])


def test_fees_are_registered_once_a_month(bureau, receive, elder, staff):
    """Only what somebody had in the month; who pays and whether it was paid."""
    watch = receive(service_fee=1_000, sim_fee=500, payer="elder")
    receive(service_fee=1_000)
    services.issue(actor=bureau, device_id=watch.pk, person_id=elder.pk, answers=AGREED, now=NOW)
    today = date(2026, 11, 20)
    assert services.charge_month(actor=bureau, month=date(2026, 9, 3), today=today) == 0
    assert services.charge_month(actor=bureau, month=date(2026, 11, 3), today=today) == 2
    assert services.charge_month(actor=bureau, month=date(2026, 11, 30), today=today) == 0
    assert services.charge_month(actor=staff("b"), month=date(2026, 10, 1), today=today) == 0
    with pytest.raises(Invalid):
        services.charge_month(actor=bureau, month=date(2026, 12, 1), today=today)
    rows = list(
        selectors.fees_visible(bureau).order_by("kind").values_list("kind", "amount", "payer", "person", "month")
    )
    assert rows == [
        ("service", 1_000, "elder", elder.pk, date(2026, 11, 1)), ("sim", 500, "elder", elder.pk, date(2026, 11, 1))
    ]  # fmt: skip
    fee = selectors.fees_visible(bureau).first()
    services.record_paid(actor=bureau, fee_id=fee.pk, paid_on=today, reference="NO.7", today=today)
    refused("devices.paid", services.record_paid, actor=bureau, fee_id=fee.pk, paid_on=today, today=today)


def test_who_may(bureau, watch, elder, staff):
    plain = staff("a", permissions=["devices.view"])
    for call in (
        lambda: services.issue(actor=plain, device_id=watch.pk, person_id=elder.pk),
        lambda: services.retire(actor=plain, device_id=watch.pk, reason="x"),
        lambda: services.reveal(actor=plain, device_id=watch.pk, field="sim_phone", purpose="x"),
    ):
        with pytest.raises(Forbidden):
            call()
    assert services.reveal(actor=bureau, device_id=watch.pk, field="sim_phone", purpose="核对") == "13900001234"
    with pytest.raises(NotVisible):
        services.allot(actor=staff("b"), device_id=watch.pk, region_id=watch.region_id)


def test_the_graph_is_the_table():
    """Every edge leads somewhere, every state but the last can be left."""
    assert {s for _a, s, _t in DEVICE_FLOW.edges} == set(State) - {State.RETIRED}
    assert {a for a, _s, _t in DEVICE_FLOW.edges} == set(Action) - {Action.RECEIVE}


@pytest.mark.parametrize(
    ("product", "identity", "shown"),
    [
        ("alarm-unit-dc09", "1234", r"[0-9a-f]{32}"),
        ("mattress-alink", "bed00001", r"alink/bed00001 [a-z2-7]{26}"),
    ],
)
def test_password_and_key_are_shown_to_who_sets_a_device_up_and_a_new_one_ends_the_old(
    bureau, staff, product, identity, shown
):
    """devices.md §5, §6: each look is in the log, nothing of it is stored."""
    device = services.receive(actor=bureau, product=product, identity=identity)
    first = services.reveal_secret(actor=bureau, device_id=device.pk, purpose="装机")
    assert re.fullmatch(shown, first)
    assert list(DataRead.objects.values_list("what", "purpose")) == [("secret", "装机")]
    assert services.reveal_secret(actor=bureau, device_id=device.pk, purpose="装机") == first
    services.renew_secret(actor=bureau, device_id=device.pk)
    assert services.reveal_secret(actor=bureau, device_id=device.pk, purpose="装机") != first
    with pytest.raises(Forbidden):
        services.reveal_secret(actor=staff("a", permissions=["devices.view"]), device_id=device.pk, purpose="x")
    with pytest.raises(NotVisible):
        services.reveal_secret(actor=staff("b"), device_id=device.pk, purpose="x")


def test_a_watch_has_no_password(bureau, watch):
    refused("devices.no_secret", services.reveal_secret, actor=bureau, device_id=watch.pk, purpose="x")
    refused("devices.no_secret", services.renew_secret, actor=bureau, device_id=watch.pk)
    assert Device.objects.get(pk=watch.pk).credential == 1
