"""The clocks run, the nearest open one is asked, next when closed, refused or silent; every answer is stamped (R-093, R-094)."""

from datetime import timedelta

import pytest

from sangyu.care.emergencies import selectors, services
from sangyu.care.emergencies.models import Duty, Incident, Notice, Party, Step, Trail
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.permissions import every_permission
from sangyu.kernel.scoping import scope
from sangyu.registry.workforce.models import Shift, Worker
from support.emergencies import JOB, NOW, account, alarm, contact, facility, operator, signed_in
from support.world import make_organisation, make_person, make_regions, make_worker

pytestmark = pytest.mark.django_db
PERMISSIONS = every_permission()


@pytest.fixture(scope="module")
def village(shared_rows):
    """An elder; a station 500 m away that is shut, one 900 m away that is open, a worker on duty 2 km away; two relatives."""
    tree = make_regions()
    person = make_person(tree["a_one"], living="alone")
    body, _contract = make_organisation(tree["a"], "康乐", {})
    second, _contract = make_organisation(tree["a"], "安心", {})
    shut = facility(tree["a_one"], "清华驿站", metres=500, person=person, state="suspended", organisation=body)
    near = facility(tree["a_two"], "胜利驿站", metres=900, person=person, organisation=body)
    home = facility(tree["b_one"], "西市养老院", kind="institution", metres=3000, person=person, organisation=second)
    worker = make_worker(
        body, tree["a"], "孙丽华", latitude=person.latitude - 2000 / 111_195, longitude=person.longitude
    )
    idle = make_worker(body, tree["a"], "于晓梅", latitude=person.latitude, longitude=person.longitude)
    for w in (worker, idle):
        w.account_id = account(tree["a"], w.name).pk
        w.save(update_fields=["account_id"])
        Shift.objects.create(worker=w, weekday=3, starts="08:00", ends="18:00", valid_from="2026-01-01")
    from sangyu.registry.accounts.models import Account

    signed_in(Account.objects.get(pk=worker.account_id), role="worker", region=tree["a"])
    son = account(tree["a"], "李建华")
    first = operator(tree["a"], "王丽")
    signed_in(first)
    boss = operator(tree["a"], "刘主任", role="bureau")
    signed_in(boss, role="bureau")
    operator(tree["a"], "下班的人")  # has no session
    return {
        "tree": tree, "person": person, "shut": shut, "near": near, "home": home, "worker": worker, "idle": idle, "body": body,
        "second": second, "first": first, "boss": boss, "son": contact(person, "李建华", account=son),
        "daughter": contact(person, "李红", priority=2, phone="13841700002"),
        "by_body": Actor(Audience.PROVIDER, tree["a"].path, "康乐经理", subject_id=body.pk, role="provider_manager", permissions=PERMISSIONS),
        "by_worker": Actor(Audience.WORKER, tree["a"].path, "孙丽华", subject_id=worker.pk, account_id=worker.account_id, role="worker", permissions=PERMISSIONS),
        "by_son": Actor(Audience.FAMILY, tree["a"].path, "李建华", account_id=son.pk, subject_id=son.pk, role="family", permissions=PERMISSIONS),
    }  # fmt: skip


def at(seconds):
    return NOW + timedelta(seconds=seconds)


def raised(village, **more):
    (pk,) = services.alarms([alarm(village["person"], **more)], actor=JOB, now=NOW)
    return pk


def run(seconds):
    return services.tick(actor=JOB, now=at(seconds))


def answers(pk):
    return [(p.name, p.answer) for p in Party.objects.filter(incident_id=pk).exclude(kind="family").order_by("id")]


def test_candidates_stand_by_distance_with_what_keeps_them(village):
    found = selectors.candidates(village["first"], raised(village), now=NOW)
    assert [(c.name, c.able) for c in found] == [
        ("于晓梅", False), ("清华驿站", False), ("胜利驿站", True), ("孙丽华", True), ("西市养老院", True), ("李建华", True),
        ("李红", True),
    ]  # fmt: skip
    assert [c.distance_m for c in found[:5]] == [0, 650, 1170, 2600, 3900]  # straight line × 1.3
    night = {
        c.name: (c.able, c.reason) for c in selectors.candidates(village["first"], raised(village), now=at(14 * 3600))
    }
    assert night["胜利驿站"][0] is False
    assert "08:00" not in night["胜利驿站"][1]  # tonight it opens no more
    assert night["西市养老院"][0] is True
    assert "孙丽华" not in night  # her hours are over


def test_nobody_does_anything_and_the_ladder_runs_to_120(village):
    pk = raised(village)
    assert run(0) == 1  # the roster: empty
    assert run(29) == 0
    run(31)
    told = Notice.objects.filter(incident_id=pk, channel="screen")
    assert {(n.name, n.why, n.state) for n in told} == {("王丽", "1.desk", "sent"), ("刘主任", "1.supervisor", "sent")}
    run(61)
    assert answers(pk) == [("于晓梅", "passed"), ("清华驿站", "passed"), ("胜利驿站", "")]
    family = Party.objects.get(incident_id=pk, kind="family")
    assert (family.name, family.answer) == ("李建华", "")
    run(107)  # 45 s without an answer
    assert answers(pk)[2:] == [("胜利驿站", "silent"), ("孙丽华", "")]
    run(125)
    assert Party.objects.filter(incident_id=pk, kind="family", name="李红").exists()
    run(301)
    case = Incident.objects.get(pk=pk)
    assert case.emergency_due_at == at(301)
    assert "西市养老院" in dict(answers(pk))
    assert "王桂兰" in selectors.handover_text(village["first"], pk, now=at(301))
    services.escalate_120(actor=village["first"], incident_id=pk, now=at(320), words="已派车")
    assert Incident.objects.get(pk=pk).state == "dispatched"
    assert not Step.objects.filter(incident_id=pk, due_at__lte=at(301), done_at=None).exists()


def test_steps_that_are_needless_say_so(village):
    pk = raised(village)
    services.claim(actor=village["first"], incident_id=pk, now=at(5))
    services.verify(actor=village["first"], incident_id=pk, now=at(20), result="all_right")
    run(400)
    done = dict(Step.objects.filter(incident_id=pk, done_at__isnull=False).values_list("code", "result"))
    assert set(done.values()) == {"needless"}
    assert len(done) == 6
    assert not Party.objects.filter(incident_id=pk).exists()


def test_a_step_that_fails_holds_up_no_other_and_is_tried_again(village, monkeypatch):
    """X-08: an error in one case's clock must not silence the clocks of all."""
    from sangyu.care.emergencies.services import ticking

    pk = raised(village)
    asked = ticking.ACTS["nearest"]

    def broken(*given):
        raise ValueError("no such thing")

    monkeypatch.setitem(ticking.ACTS, "nearest", broken)
    run(125)
    (left,) = Step.objects.filter(incident_id=pk, done_at=None, due_at__lte=at(140))
    assert (left.act, left.due_at) == ("nearest", at(130))
    assert Party.objects.filter(incident_id=pk, kind="family", name="李建华").exists()
    assert not Party.objects.filter(incident_id=pk, kind="facility").exists()
    monkeypatch.setitem(ticking.ACTS, "nearest", asked)
    run(131)
    assert Step.objects.get(pk=left.pk).done_at == at(131)
    assert answers(pk)[-1] == ("胜利驿站", "")


def test_from_the_question_to_the_door(village):
    pk = raised(village)
    first = village["first"]
    services.claim(actor=first, incident_id=pk, now=at(8))
    services.verify(actor=first, incident_id=pk, now=at(20), result="needs_help")
    with pytest.raises(NotVisible):
        services.answer_offer(actor=village["by_body"], incident_id=pk, accepted=True, now=at(25))
    services.offer(actor=first, incident_id=pk, kind="facility", subject_id=village["near"].pk, now=at(30))
    with scope(village["by_body"]):
        assert Incident.objects.get().address == village["person"].address
    party = services.answer_offer(
        actor=village["by_body"], incident_id=pk, accepted=False, reason="人手不够", now=at(40)
    )
    assert (party.answer, party.answer_words) == ("refused", "人手不够")
    assert answers(pk)[-1] == ("孙丽华", "")  # the next one is asked at once
    worker = village["by_worker"]
    services.answer_offer(actor=worker, incident_id=pk, accepted=True, now=at(50))
    services.answer_offer(actor=worker, incident_id=pk, accepted=True, now=at(51))  # a second tap
    services.on_the_way(actor=worker, incident_id=pk, now=at(60))
    assert Incident.objects.get(pk=pk).state == "on_the_way"
    services.arrived(actor=worker, incident_id=pk, now=at(600), words="老人清醒")
    case = Incident.objects.get(pk=pk)
    assert (case.dispatched_at, case.under_way_at, case.arrived_at) == (at(50), at(60), at(600))
    with pytest.raises(Invalid):
        services.close(actor=first, incident_id=pk, outcome="drill", cause="fall", now=at(900))
    services.close(actor=first, incident_id=pk, outcome="helped", cause="fall", words="已扶起", now=at(900))
    case.refresh_from_db()
    assert (case.state, case.closed_by) == ("closed", "王丽")
    with scope(worker):
        assert not Incident.objects.exists()  # who went sees it no more
    with pytest.raises(Refused):
        services.review(actor=first, incident_id=pk, now=at(1000))
    services.review(actor=village["boss"], incident_id=pk, now=at(1000), words="处置及时")
    trail = [t.what for t in selectors.trail(first, pk)]
    assert trail == [
        "opened", "claimed", "verified", "offered", "refused", "passed", "passed", "offered", "accepted", "on_the_way", "arrived",
        "closed", "reviewed",
    ]  # fmt: skip


def test_a_late_yes_counts_unless_somebody_else_comes(village):
    pk = raised(village)
    run(61)
    run(107)  # the station was silent, the worker is asked
    services.answer_offer(actor=village["by_body"], incident_id=pk, accepted=True, now=at(120), party_id=None)
    assert dict(answers(pk)) | {"孙丽华": "withdrawn", "胜利驿站": "accepted"} == dict(answers(pk))
    with pytest.raises(Refused, match=r"."):
        services.answer_offer(actor=village["by_worker"], incident_id=pk, accepted=True, now=at(130))


def test_a_volunteer_on_duty_is_asked_like_a_worker_and_stands_as_one(village):
    """R-093: volunteers are engaged like workers, with that post."""
    Worker.objects.filter(pk=village["worker"].pk).update(post="volunteer")
    pk = raised(village)
    run(61)
    run(107)  # the station was silent
    party = Party.objects.get(incident_id=pk, name="孙丽华")
    assert (party.kind, party.answer, party.distance_m) == ("volunteer", "", 2600)
    services.answer_offer(actor=village["by_worker"], incident_id=pk, accepted=True, now=at(120))
    services.on_the_way(actor=village["by_worker"], incident_id=pk, now=at(130))
    with scope(village["by_worker"]):
        assert Incident.objects.get().state == "on_the_way"


def test_a_relative_answers_and_the_desk_for_who_has_no_account(village):
    pk = raised(village)
    run(61)
    services.answer_offer(actor=village["by_son"], incident_id=pk, accepted=False, reason="在外地", now=at(70))
    daughter = Party.objects.get(incident_id=pk, name="李红")
    with pytest.raises(NotVisible):
        services.answer_offer(actor=village["by_son"], incident_id=pk, accepted=True, now=at(71), party_id=daughter.pk)
    services.claim(actor=village["first"], incident_id=pk, now=at(75))
    services.answer_offer(actor=village["first"], incident_id=pk, accepted=True, now=at(80), party_id=daughter.pk)
    assert Incident.objects.get(pk=pk).state == "dispatched"


def test_a_closed_house_is_asked_only_with_a_reason(village):
    pk = raised(village)
    services.claim(actor=village["first"], incident_id=pk, now=at(5))
    wanted = {
        "actor": village["first"],
        "incident_id": pk,
        "kind": "facility",
        "subject_id": village["shut"].pk,
        "now": at(6),
    }
    with pytest.raises(Invalid):
        services.offer(**wanted)
    assert services.offer(**wanted, reason="站长在站内").name == "清华驿站"
    with pytest.raises(Refused):
        services.offer(**wanted, reason="再问一次")


def test_at_night_the_person_on_duty_is_asked_then_the_next(village):
    tree, nurse, second = (
        village["tree"],
        operator(village["tree"]["a"], "夜班护士"),
        operator(village["tree"]["a"], "备班护士"),
    )
    house = village["home"]
    for n, who in enumerate((nurse, second), 1):
        Duty.objects.create(
            region=tree["b_one"], path=tree["b_one"].path, facility=house, account_id=who.account_id, account_name=who.name,
            rank=n, starts_at=NOW - timedelta(hours=1), ends_at=NOW + timedelta(hours=10), contact=f"1384170010{n}",
        )  # fmt: skip
    raised = alarm(
        path=tree["b_one"].path, facility_id=house.pk, room="301", bed="2", kind="left_bed", level=2
    )  # bed exit
    (pk,) = services.alarms([raised], actor=JOB, now=NOW)
    run(0)
    assert answers(pk) == [("夜班护士", "")]
    assert Notice.objects.get(incident_id=pk).channel == "sms"  # she is not signed in: by telephone only
    run(61)
    assert answers(pk) == [("夜班护士", "silent"), ("备班护士", "")]
    acting = Actor(Audience.STAFF, house.path, "备班护士", account_id=second.account_id, role="community", permissions=frozenset({"emergencies.answer", "emergencies.view"}))  # fmt: skip
    services.answer_offer(actor=acting, incident_id=pk, accepted=True, now=at(70))
    case = Incident.objects.get(pk=pk)
    assert (case.state, case.answered_by, case.answered_at) == ("dispatched", "备班护士", at(70))


def test_a_fall_closed_with_an_order_that_follows(village):
    from support.world import make_item

    make_item(village["tree"]["city"], "bathing", "助浴", skill="care")
    pk = raised(village, kind="fall")
    first = village["first"]
    services.claim(actor=first, incident_id=pk, now=at(5))
    case = services.close(
        actor=first, incident_id=pk, outcome="helped", cause="fall", now=at(300),
        follow_up={"item_code": "bathing", "planned_start": NOW + timedelta(days=1)},
    )  # fmt: skip
    from sangyu.care.orders.models import Order

    order = Order.objects.get()
    assert case.follow_up == order.number
    assert (order.person_id, order.state) == (village["person"].pk, "requested")


def test_a_press_after_the_end_is_a_new_case(village):
    pk = raised(village)
    services.claim(actor=village["first"], incident_id=pk, now=at(5))
    services.close(actor=village["first"], incident_id=pk, outcome="false_alarm", cause="by_mistake", now=at(60))
    (again,) = services.alarms([alarm(village["person"], at=at(90))], actor=JOB, now=at(91))
    assert again != pk


def test_who_may_not_does_not(village):
    pk = raised(village)
    clerk = Actor(
        Audience.STAFF, village["tree"]["a"].path, "办事员", account_id=1, role="street", permissions=frozenset()
    )
    for act, more in (
        (services.claim, {}),
        (services.close, {"outcome": "helped", "cause": "fall"}),
        (services.review, {}),
    ):
        with pytest.raises(Forbidden):
            act(actor=clerk, incident_id=pk, now=NOW, **more)
    with pytest.raises(Forbidden):
        services.tick(actor=clerk, now=NOW)
    assert Trail.objects.count() == 1
