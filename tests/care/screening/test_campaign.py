"""A campaign from the draft to its end: targets, sheets, four eyes, facts with source, counts that reconcile (R-022 … R-024)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.urls import reverse

from sangyu.care.assessments.models import Assessment, Need
from sangyu.care.screening import selectors, services, targets
from sangyu.care.screening.models import Campaign, FollowUp, Task, TaskLog
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.scoping import scope
from sangyu.registry.accounts.models import Account
from sangyu.registry.people.models import Person, PersonFact
from sangyu.ui.models import SavedView
from support.pages import client_for
from support.people import in_role
from support.screening import ANSWERS, NOW, campaign, task_of
from support.world import make_organisation, make_person, make_worker

pytestmark = pytest.mark.django_db
DAY = NOW.date()


@pytest.fixture
def elders(regions):
    """Three in county A (two communities), one in B."""
    return [
        make_person(regions["a_one"], "王桂兰", living="with_family"),
        make_person(regions["a_one"], "李秀英", difficult="yes", living="alone"),
        make_person(regions["a_two"], "赵玉珍", birth=date(1960, 1, 1)),
        make_person(regions["b_one"], "外区人", living="alone"),
    ]


@pytest.fixture
def county(staff):
    return replace(in_role(staff("a"), "bureau"), account_id=1)


@pytest.fixture
def community(staff, regions):
    return replace(in_role(staff("a_one"), "community"), account_id=2)


def facts(person, kind):
    return list(
        PersonFact.objects.filter(subject=person, kind=kind, superseded_at=None)
        .order_by("valid_from")
        .values_list("value", "valid_from", "valid_to", "source")
    )


def test_the_list_is_drawn_by_conditions_one_task_an_elder(county, regions, elders):
    row = campaign(county, regions["a"], conditions={"age_from": 70})
    assert list(row.tasks.order_by("person").values_list("person_name", "path", "address", "state")) == [
        ("王桂兰", elders[0].path, elders[0].address, "waiting"), ("李秀英", elders[1].path, elders[1].address, "waiting"),
    ]  # fmt: skip
    assert (row.state, row.number, row.trail.get(action="open").data) == (
        "open",
        "PC20261014-210802-0001",
        {"targets": 2},
    )
    again = campaign(county, regions["a"], conditions={"tags": ["difficult", "alone"]})
    assert list(again.tasks.values_list("person_name", flat=True)) == ["李秀英"]
    with pytest.raises(Refused) as caught:
        campaign(county, regions["a"], conditions={"age_from": 120})
    assert caught.value.code == "screening.nobody"
    with pytest.raises(NotVisible):
        campaign(county, regions["b"])
    for wrong in ({"age_from": "x"}, {"tags": ["none"]}, {"ability": "none"}, {"age_from": 80, "age_to": 70}):
        with pytest.raises(Invalid):
            campaign(county, regions["a"], conditions=wrong)
    with pytest.raises(Invalid):
        campaign(county, regions["a"], sheet="unknown")
    with pytest.raises(Invalid):
        campaign(county, regions["a"], ends_on=date(2026, 9, 1))
    assert Campaign.objects.filter(state="open").count() == 2


def test_a_saved_list_brings_its_conditions(county, regions, elders):
    own = SavedView.objects.create(
        account_id=1, page=targets.ELDERS, name="高龄", query="age_from=80&alive=1&tag=alone", path=county.path
    )
    other = SavedView.objects.create(
        account_id=9, page=targets.ELDERS, name="别人的", query="age_from=60", path=county.path
    )
    with scope(county):
        assert [v.pk for v in targets.saved_lists(county)] == [own.pk]
        found = targets.checked(targets.of_list(county, own.pk))
        assert found == {"age_from": 80, "tags": ["alone"]}
        assert [p.name for p in targets.elders(county, county.path, found, DAY)] == ["李秀英"]
        with pytest.raises(Invalid):
            targets.of_list(county, other.pk)


def test_restricted_and_dead_elders_are_not_sought(county, regions, elders):
    Person.objects.filter(pk=elders[0].pk).update(restricted_at=NOW)
    Person.objects.filter(pk=elders[1].pk).update(died_on=DAY)
    assert list(campaign(county, regions["a"]).tasks.values_list("person_name", flat=True)) == ["赵玉珍"]


def test_a_confirmed_sheet_becomes_facts_needs_and_follow_ups(county, community, regions, elders):
    row = campaign(county, regions["a"])
    task = task_of(row, elders[0])
    kept = services.save(actor=community, task_id=task.pk, answers={"living": "alone"}, hand_in=False, now=NOW)
    assert (kept.state, kept.answers, kept.filled_at) == ("waiting", {"living": "alone"}, None)
    with pytest.raises(Invalid) as caught:
        services.save(actor=community, task_id=task.pk, answers={"living": "alone"}, now=NOW)
    assert sorted(caught.value.errors) == ["daily", "difficult", "memory"]
    day = DAY - timedelta(days=2)
    done = services.save(actor=community, task_id=task.pk, answers=ANSWERS, visited_on=day, now=NOW)
    assert (done.state, done.standing, done.needs, done.follow_up) == (
        "filled",
        "partly",
        ["meals"],
        ["visit", "assessment", "order"],
    )
    assert facts(elders[0], "living") == [
        ("with_family", date(2020, 1, 1), None, "test")
    ]  # nothing before the second pair of eyes
    mine = replace(in_role(county, "bureau"), account_id=2)
    assert list(services.confirm(actor=mine, ids=[task.pk], now=NOW)) == [task.pk]
    task.refresh_from_db()
    assert (task.state, FollowUp.objects.count()) == ("filled", 0)
    assert services.confirm(actor=county, ids=[task.pk], now=NOW) == {}
    source = f"摸底排查 {row.number}"
    assert facts(elders[0], "living") == [("with_family", date(2020, 1, 1), day, "test"), ("alone", day, None, source)]
    assert facts(elders[0], "difficult") == [("yes", day, None, source)]
    assert facts(elders[0], "care_level") == []
    assert list(Need.objects.values_list("person_id", "kind", "rank", "source", "assessment")) == [
        (elders[0].pk, "meals", 1, source, None)
    ]
    assert sorted(FollowUp.objects.values_list("kind", "state")) == [
        ("assessment", "open"),
        ("order", "open"),
        ("visit", "open"),
    ]
    assert list(TaskLog.objects.filter(task=task).order_by("id").values_list("action", "actor")) == [
        ("fill", community.name), ("confirm", county.name),
    ]  # fmt: skip
    assert services.confirm(actor=county, ids=[task.pk], now=NOW) == {task.pk: "这份排查表不在待审核状态。"}


def test_a_fact_that_holds_keeps_its_beginning(county, community, regions, elders):
    row = campaign(county, regions["a"])
    task = task_of(row, elders[1])
    services.save(actor=community, task_id=task.pk, answers=ANSWERS, now=NOW)
    services.confirm(actor=county, ids=[task.pk], now=NOW)
    assert facts(elders[1], "living") == [("alone", date(2020, 1, 1), None, "test")]
    again = campaign(county, regions["a"])
    services.save(
        actor=community, task_id=task_of(again, elders[1]).pk, answers={**ANSWERS, "difficult": "no"}, now=NOW
    )
    services.confirm(actor=county, ids=[task_of(again, elders[1]).pk], now=NOW)
    assert facts(elders[1], "difficult")[-1][:2] == ("no", DAY)


def test_the_counts_make_up_the_whole_in_each_area(county, community, regions, elders, staff):
    row = campaign(county, regions["a"])
    two = replace(in_role(staff("a_two"), "community"), account_id=3)
    services.save(
        actor=community, task_id=task_of(row, elders[0]).pk, answers={**ANSWERS, "daily": "disabled"}, now=NOW
    )
    services.save(actor=community, task_id=task_of(row, elders[1]).pk, answers=ANSWERS, now=NOW)
    services.miss(actor=two, task_id=task_of(row, elders[2]).pk, why="absent", now=NOW)
    services.confirm(actor=county, ids=[t.pk for t in row.tasks.all()], now=NOW)
    with scope(county):
        found = selectors.totals(county, row)
        assert [
            (line.name, line.targets, line.states["confirmed"], line.states["missed"], line.inside)
            for line in found.lines
        ] == [("站前街道", 3, 2, 1, 2)]
        deeper = selectors.totals(county, row, found.lines[0].path)
        assert [(line.name, line.targets, line.inside) for line in deeper.lines] == [
            ("清华社区", 2, 2),
            ("胜利社区", 1, 0),
        ]
        for whole in (found.whole, deeper.whole):
            assert (
                whole.standings["disabled"],
                whole.standings["partly"],
                whole.inside,
                whole.targets,
                whole.percent,
            ) == (1, 1, 2, 3, 100)
        daily = next(a for a in selectors.answers(county, row) if a["question"].code == "daily")
        assert (daily["options"], daily["none"], daily["all"]) == (
            [("都能自己做", 0), ("一至三项需要人帮", 1), ("四项以上需要人帮", 1)],
            0,
            2,
        )
    with scope(two):  # a community reads its own part
        assert selectors.totals(two, row).whole.targets == 1


def test_who_is_not_met_is_visited_again_and_what_is_wrong_is_given_back(county, community, regions, elders):
    row = campaign(county, regions["a"])
    task = task_of(row, elders[0])
    with pytest.raises(Invalid):
        services.miss(actor=community, task_id=task.pk, why="other", now=NOW)
    services.miss(actor=community, task_id=task.pk, why="hospital", now=NOW)
    services.save(actor=community, task_id=task.pk, answers=ANSWERS, now=NOW)
    assert services.give_back(actor=county, ids=[task.pk], reason="电话核实不符", now=NOW) == {}
    task.refresh_from_db()
    assert (task.state, task.note, task.answers["living"], task.standing, task.filled_at) == (
        "waiting",
        "电话核实不符",
        "alone",
        "",
        None,
    )
    with pytest.raises(Invalid):
        services.save(actor=community, task_id=task.pk, answers=ANSWERS, visited_on=DAY + timedelta(days=1), now=NOW)
    with pytest.raises(Invalid):
        services.save(actor=community, task_id=task.pk, answers=ANSWERS, visited_on=date(2026, 9, 30), now=NOW)
    task.refresh_from_db()
    assert task.state == "waiting"


def test_roles_and_regions_hold(county, community, regions, elders, staff):
    row = campaign(county, regions["a"])
    task = task_of(row, elders[2])
    with pytest.raises(NotVisible):  # another community's
        services.save(actor=community, task_id=task.pk, answers=ANSWERS, now=NOW)
    for act in (
        lambda: campaign(community, regions["a"]),
        lambda: services.close(actor=community, campaign_id=row.pk, now=NOW),
        lambda: services.confirm(actor=community, ids=[task.pk], now=NOW),
        lambda: services.save(actor=county, task_id=task.pk, answers=ANSWERS, now=NOW),
    ):
        with pytest.raises(Forbidden):
            act()
    city = in_role(staff("city"), "bureau")
    wide = campaign(city, regions["city"])
    assert wide.tasks.count() == 4
    with pytest.raises(Forbidden):  # published from above, not to be closed below
        services.close(actor=county, campaign_id=wide.pk, now=NOW)
    with scope(county):
        assert selectors.totals(county, wide).whole.targets == 3
    other = in_role(staff("b"), "bureau")
    with pytest.raises(NotVisible):
        selectors.get_campaign(other, row.pk)
    wide.refresh_from_db()
    assert wide.state == "open"


def test_restricted_after_the_start_is_refused(county, community, regions, elders):
    row = campaign(county, regions["a"])
    first, second = task_of(row, elders[0]), task_of(row, elders[1])
    services.save(actor=community, task_id=first.pk, answers=ANSWERS, now=NOW)
    Person.objects.filter(pk__in=[elders[0].pk, elders[1].pk]).update(restricted_at=NOW)
    assert services.confirm(actor=county, ids=[first.pk], now=NOW) == {
        first.pk: "此人已去世、信息受限，或已不在您的辖区。"
    }
    with pytest.raises(Refused) as caught:
        services.save(actor=community, task_id=second.pk, answers=ANSWERS, now=NOW)
    assert caught.value.code == "people.restricted"
    assert facts(elders[0], "living") == [("with_family", date(2020, 1, 1), None, "test")]
    assert list(row.tasks.order_by("person").values_list("state", flat=True)) == ["filled", "waiting", "waiting"]


def test_a_campaign_closes_when_nothing_waits_for_confirmation(county, community, regions, elders):
    row = campaign(county, regions["a"])
    task = task_of(row, elders[0])
    services.save(actor=community, task_id=task.pk, answers=ANSWERS, now=NOW)
    with pytest.raises(Refused) as caught:
        services.close(actor=county, campaign_id=row.pk, now=NOW)
    assert caught.value.code == "screening.unconfirmed"
    services.confirm(actor=county, ids=[task.pk], now=NOW)
    services.close(actor=county, campaign_id=row.pk, now=NOW)
    assert sorted(row.tasks.values_list("state", flat=True)) == ["confirmed", "lapsed", "lapsed"]
    with pytest.raises(Refused):
        services.save(actor=community, task_id=task_of(row, elders[1]).pk, answers=ANSWERS, now=NOW)
    with pytest.raises(Refused):
        services.add_target(actor=community, campaign_id=row.pk, who="王桂兰", now=NOW)


def test_somebody_whom_the_conditions_missed_is_added_once(county, community, regions, elders):
    row = campaign(county, regions["a"], conditions={"tags": ["difficult"]})
    clerk = Account.objects.create_user(
        "社工", "Mulberry-2026", name="社工", region=regions["a"], path=regions["a"].path
    )
    community = replace(community, account_id=clerk.pk)
    added = services.add_target(actor=community, campaign_id=row.pk, who="王桂兰", now=NOW)
    assert (added.person_id, added.account_id, added.trail.get().action) == (elders[0].pk, clerk.pk, "add")
    with pytest.raises(Refused) as caught:
        services.add_target(actor=community, campaign_id=row.pk, who="王桂兰", now=NOW)
    assert caught.value.code == "screening.twice"
    with pytest.raises(Invalid):
        services.add_target(actor=community, campaign_id=row.pk, who="外区人", now=NOW)
    assert row.tasks.count() == 2


def test_follow_ups_are_worked_off(county, community, regions, elders):
    row = campaign(county, regions["a"])
    for person in elders[:2]:
        services.save(actor=community, task_id=task_of(row, person).pk, answers=ANSWERS, now=NOW)
    services.confirm(actor=county, ids=[t.pk for t in row.tasks.filter(state="filled")], now=NOW)
    wanted = FollowUp.objects.filter(kind="assessment").order_by("pk")
    other = FollowUp.objects.filter(kind="order").first()
    refused = services.apply_for_assessments(
        actor=community, ids=[*wanted.values_list("pk", flat=True), other.pk], now=NOW
    )
    assert refused == {other.pk: "此项不需要能力评估。"}
    assert list(Assessment.objects.order_by("pk").values_list("person_id", "state", "reason")) == [
        (elders[0].pk, "applied", "other"), (elders[1].pk, "applied", "other"),
    ]  # fmt: skip
    assert set(wanted.values_list("state", "done_by")) == {("done", community.name)}
    with pytest.raises(Invalid):
        services.settle(actor=community, ids=[other.pk], note=" ", now=NOW)
    services.settle(actor=community, ids=[other.pk], note="已派助餐", now=NOW)
    other.refresh_from_db()
    assert (other.state, other.note) == ("done", "已派助餐")


def test_a_worker_fills_what_is_in_its_hands_and_sees_nothing_else(county, community, regions, elders):
    from sangyu.kernel.actor import Actor, Audience
    from sangyu.registry.accounts import roles

    organisation, _contract = make_organisation(regions["a"], "康乐", {})
    worker = make_worker(organisation, regions["a"], "孙丽华")
    row = campaign(county, regions["a"])
    task = task_of(row, elders[0])
    assert services.assign(actor=community, ids=[task.pk], worker_id=worker.pk) == {}
    carer = Actor(
        Audience.WORKER, regions["a"].path, "孙丽华", subject_id=worker.pk, role="worker",
        permissions=roles.role("worker").permissions,
    )  # fmt: skip
    with scope(carer):
        assert [t.pk for t in selectors.mine(carer)] == [task.pk]
    door = client_for(carer).get(reverse("worker:today")).text
    assert ("摸底排查：待走访 1 位老人" in door, reverse("screening:mine") in door) == (True, True)
    with scope(community):
        assert task.pk not in {t.pk for t in selectors.mine(community)}
    services.save(actor=carer, task_id=task.pk, answers=ANSWERS, now=NOW)
    assert "摸底排查：待走访" not in client_for(carer).get(reverse("worker:today")).text
    with pytest.raises(NotVisible):
        services.save(actor=carer, task_id=task_of(row, elders[1]).pk, answers=ANSWERS, now=NOW)
    assert services.assign(actor=community, ids=[task.pk]) == {task.pk: "排查表已提交。"}
    task.refresh_from_db()
    assert (task.state, task.worker_id) == ("filled", worker.pk)


def test_who_dies_or_leaves_the_region_is_not_visited(county, regions, elders):
    row = campaign(county, regions["a"])
    system = replace(county, permissions=frozenset(["screening.fill"]))
    assert services.miss_all_of(actor=system, person_id=elders[0].pk, why="died", now=NOW) == 1
    assert services.miss_all_of(actor=system, person_id=elders[1].pk, why="moved", outside_only=True, now=NOW) == 0
    assert list(row.tasks.order_by("person").values_list("state", "missed")) == [
        ("missed", "died"),
        ("waiting", ""),
        ("waiting", ""),
    ]


def test_open_visits_are_handed_over(county, community, regions, elders):
    from sangyu.care.screening.handover import handover_rules
    from sangyu.kernel.handover import Holder

    one, two = (
        Account.objects.create_user(
            f"社工{n}", "Mulberry-2026", name=f"社工{n}", region=regions["a"], path=regions["a"].path
        )
        for n in "甲乙"
    )
    row = campaign(county, regions["a"])
    tasks = [task_of(row, p) for p in elders[:2]]
    Task.objects.filter(pk__in=[t.pk for t in tasks]).update(account=one)
    (rule,) = handover_rules
    assert [w.row_id for w in rule.open_of(Holder(one.pk, "甲"))] == [t.pk for t in tasks]
    rule.move(Holder(one.pk, "甲"), Holder(two.pk, "乙"), [tasks[0].pk])
    assert list(row.tasks.order_by("person").values_list("account", flat=True)) == [two.pk, one.pk, None]
