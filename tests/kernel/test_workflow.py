"""The locked apply(): the whole graph of a real process, stale pages, guards, who hears (design rule 6)."""

import dataclasses
import threading

import pytest
from django.db import connection, transaction

from sangyu.kernel.errors import NotVisible, Refused
from sangyu.kernel.models import Event
from sangyu.kernel.scoping import scope
from sangyu.registry.organisations.models import Organisation
from sangyu.registry.workforce.enums import Action, State
from sangyu.registry.workforce.models import Worker, WorkerLog
from sangyu.registry.workforce.workflow import ENGAGEMENT
from support.workflow import unreachable, walk_graph


@pytest.fixture
def make(regions, staff):
    from django.utils import timezone

    region = regions["a"]
    organisation = Organisation.objects.create(name="某某家政", region=region, path=region.path)

    def worker(state=State.ACTIVE, n=[0]):  # noqa: B006 - a counter
        n[0] += 1
        now = timezone.now()
        return Worker.objects.create(
            organisation=organisation,
            name=f"李{n[0]}",
            sex="2",
            region=region,
            path=region.path,
            state=state,
            admitted_at=now if state in {State.ACTIVE, State.SUSPENDED} else None,
            left_at=now if state == State.LEFT else None,
        )

    return worker


def needs(action, row):
    from django.utils import timezone

    extra = {"changes": {"admitted_at": timezone.now()}} if action == Action.ADMIT else {}
    return {"reason": "a reason", **extra}


@pytest.mark.django_db
def test_every_pair_of_the_graph(make, staff):
    worked, refused = walk_graph(ENGAGEMENT, actor=staff("a"), make=make, actions=Action, states=State, arguments=needs)
    assert (worked, refused) == (len(ENGAGEMENT.edges), len(Action) * len(State) - len(ENGAGEMENT.edges))
    assert unreachable(ENGAGEMENT, State.CANDIDATE) == set()
    assert unreachable(ENGAGEMENT, State.LEFT) == {State.CANDIDATE, State.ACTIVE, State.SUSPENDED}


@pytest.mark.django_db
def test_the_walk_sees_a_missing_stamp_and_a_missing_edge(make, staff):
    lame = dataclasses.replace(ENGAGEMENT, stamps={State.ACTIVE: "left_at"})
    with pytest.raises(Exception, match="worker_"):
        walk_graph(lame, actor=staff("a"), make=make, actions=Action, states=State, arguments=needs)
    twice = dataclasses.replace(ENGAGEMENT, edges=(*ENGAGEMENT.edges, ("unknown", State.ACTIVE, State.LEFT)))
    with pytest.raises(AssertionError, match="unknown"):
        walk_graph(twice, actor=staff("a"), make=make, actions=Action, states=State, arguments=needs)


def apply(actor, row, action, **given):
    with scope(actor):
        return ENGAGEMENT.apply(actor=actor, queryset=Worker.objects.all(), pk=row.pk, action=action, **given)


@pytest.mark.django_db
def test_a_stale_page_a_guard_and_a_foreign_row_change_nothing(make, staff):
    row = make(State.ACTIVE)
    before = Worker.objects.filter(pk=row.pk).values().get()
    with pytest.raises(Refused) as stale:
        apply(staff("a"), row, Action.SUSPEND, reason="x", expect=State.CANDIDATE)
    assert stale.value.code == "workflow.stale"
    with pytest.raises(Refused) as guarded:
        apply(staff("a"), row, Action.SUSPEND)
    assert guarded.value.code == "workforce.reason"
    with pytest.raises(NotVisible):
        apply(staff("b"), row, Action.SUSPEND, reason="x")
    assert Worker.objects.filter(pk=row.pk).values().get() == before
    assert (WorkerLog.objects.count(), Event.objects.count()) == (0, 0)


@pytest.mark.django_db
def test_who_heard_before_and_after_is_named(make, staff, monkeypatch):
    row = make(State.ACTIVE)
    heard = dataclasses.replace(ENGAGEMENT, hears=lambda r: [f"worker:{r.pk}", f"state:{r.state}"])
    with scope(staff("a")):
        heard.apply(actor=staff("a"), queryset=Worker.objects.all(), pk=row.pk, action=Action.SUSPEND, reason="x")
    event = Event.objects.get()
    assert event.name == "workforce.suspended"
    assert event.payload == {
        "id": row.pk,
        "action": "suspend",
        "to": ["state:active", "state:suspended", f"worker:{row.pk}"],
    }


@pytest.mark.django_db(transaction=True)
def test_two_clients_at_once_one_wins_the_other_is_refused(make, staff):
    row, actor = make(State.ACTIVE), staff("a")
    together, outcomes = threading.Barrier(2), []

    def client():
        try:
            together.wait(10)
            with transaction.atomic():
                apply(actor, row, Action.SUSPEND, reason="x")
            outcomes.append("done")
        except Refused as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=client) for _n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["done", "workflow.edge"]
    assert WorkerLog.objects.count() == 1
