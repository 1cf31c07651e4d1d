"""What one press of the button costs on its way to a case, in statements: a burst costs no more of them (issue 5 §6.5)."""

from contextlib import contextmanager

import pytest
from django.db import connection
from django.utils import timezone

from sangyu.care.emergencies.models import Incident, Step, Trail
from sangyu.care.signals.models import Alarm
from sangyu.kernel.models import Change, Event
from sangyu.kernel.scoping import scope
from sangyu.runtime import consumer
from support.signalling import entry, worn
from support.world import make_person, make_regions

pytestmark = pytest.mark.django_db
#: Besides the COPY of readings and what opens and ends the transaction; a press with a place of its own needs one less.
MOST = 21


@pytest.fixture(scope="module")
def watches(shared_rows):
    regions = make_regions()
    return [worn(regions["a"], make_person(regions["a_one"], f"老人{n}")).pk for n in range(22)]


@contextmanager
def statements():
    found: list[str] = []

    def note(execute, sql, params, many, context):
        if not sql.startswith(("SAVEPOINT", "RELEASE")) and not any(
            w in sql for w in ("set_config", "signals_partitions")
        ):
            found.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield found


def press(*watches):
    now = timezone.now()
    return consumer.settle([entry(w, now, alarms=[("sos", 1)], received=now) for w in watches])


def test_a_press_and_a_burst_cost_the_same_few_statements(watches):
    press(watches[0])  # days are made, rules are read
    with statements() as one:
        press(watches[1])
    with statements() as twenty:
        events = press(*watches[2:])
    assert len(one) <= MOST, "\n".join(one)
    assert len(twenty) <= len(one)
    assert (Alarm.objects.filter(state="open").count(), Incident.objects.filter(state="open").count()) == (22, 22)
    assert Trail.objects.filter(what="opened").count() == 22
    assert set(Incident.objects.values_list("alarms__level", "person_name")) == {(1, f"老人{n}") for n in range(22)}
    assert Step.objects.filter(code="1.desk", done_at=None).count() == 22
    assert len(set(Incident.objects.values_list("number", flat=True))) == 22
    assert Change.objects.filter(table_name="emergencies_incident", op="I", source="signals").count() == 22
    # what is put on the stream ahead of the relay is what the relay will find
    assert [e.name for e in events] == ["emergencies.opened"] * 20 + [
        "signals.raised"
    ] * 20  # cases are what people wait for
    rows = Event.objects.filter(pk__in=[e.pk for e in events]).order_by("pk")
    assert [(e.pk, e.name, e.path, e.payload, e.at) for e in rows] == [
        (e.pk, e.name, e.path, e.payload, e.at) for e in sorted(events, key=lambda e: e.pk)
    ]


def test_statements_of_an_alarm_are_planned_once_and_start_no_workers(watches):
    """A Gather for one row of the readings took longer than all the rest of a press, plans made anew half of the rest."""
    asked = "SELECT current_setting('plan_cache_mode') || ' ' || current_setting('max_parallel_workers_per_gather')"
    with scope(consumer.ACTOR, source="signals"), connection.cursor() as cursor:
        cursor.execute(asked)
        assert cursor.fetchone() == ("force_generic_plan 0",)
    with scope(consumer.ACTOR, source="import 1"), connection.cursor() as cursor:
        cursor.execute(asked)
        assert cursor.fetchone()[0].startswith("auto ")
