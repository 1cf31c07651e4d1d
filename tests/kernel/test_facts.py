"""Dated facts against a naive day-by-day model (design rule 2, docs/adr/0003-dated-facts.md)."""

import threading
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sangyu.kernel import facts
from sangyu.kernel.errors import Invalid
from sangyu.registry.people.models import Person, PersonFact

BEGIN = date(2026, 1, 1)
START = datetime(2026, 6, 1, tzinfo=ZoneInfo("Asia/Shanghai"))
DAYS = 10


@pytest.fixture
def values(monkeypatch):
    """Three values of one kind that the table accepts."""
    from sangyu.registry.people.enums import FACT_VALUES

    kind, allowed = next((str(k), [str(v) for v in vs]) for k, vs in FACT_VALUES.items() if len(list(vs)) >= 3)
    return kind, allowed[:3]


def person(regions) -> Person:
    region = regions["a_one"]
    return Person.objects.create(name="王秀英", sex="2", region=region, path=region.path, source="test")


def day(n: int) -> date:
    return BEGIN + timedelta(n)


steps = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 2, None]),  # which value; None removes
        st.integers(0, DAYS - 1),
        st.one_of(st.none(), st.integers(1, DAYS)),  # length; None = open end
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.django_db
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_random_statements_equal_a_day_by_day_model(regions, values, steps):
    """As known now, and as known at every past moment; intervals never overlap; nothing is ever deleted."""
    kind, allowed = values
    with transaction.atomic():
        subject, other = person(regions), person(regions)
        facts.record(PersonFact, subject=other, kind=kind, value=allowed[0], valid_from=day(0), source="t", now=START)
        naive: dict[int, str] = {}
        snapshots = [(START, {})]
        count = 0
        for n, (which, first, length) in enumerate(steps, 1):
            now = START + timedelta(days=n)
            value = None if which is None else allowed[which]
            end = None if length is None else first + length
            facts.record(
                PersonFact, subject=subject, kind=kind, value=value, valid_from=day(first),
                valid_to=None if end is None else day(end), source="t", now=now,
            )  # fmt: skip
            for d in range(first, min(end or 2 * DAYS, 2 * DAYS)):
                naive.pop(d, None)
                if value is not None:
                    naive[d] = value
            snapshots.append((now, dict(naive)))
            stored = PersonFact.objects.filter(subject=subject).count()
            assert stored >= count
            count = stored
        for known, expected in [*snapshots, (None, naive)]:
            for d in range(2 * DAYS):
                held = PersonFact.objects.filter(subject=subject, kind=kind).on(day(d), known=known)
                assert [f.value for f in held] == ([expected[d]] if d in expected else []), (known, d)
        kept = PersonFact.objects.filter(subject=other).on(day(3))
        assert [f.value for f in kept] == [allowed[0]]
        transaction.set_rollback(True)


@pytest.mark.django_db
def test_an_empty_interval_is_refused_and_changes_nothing(regions, values):
    subject, (kind, allowed) = person(regions), values
    facts.record(PersonFact, subject=subject, kind=kind, value=allowed[0], valid_from=day(1), source="t")
    before = list(PersonFact.objects.values())
    for end in (day(5), day(4)):
        with pytest.raises(Invalid) as refused:
            facts.record(
                PersonFact, subject=subject, kind=kind, value=allowed[1], valid_from=day(5), valid_to=end, source="t"
            )
        assert list(refused.value.errors) == ["valid_to"]
    assert list(PersonFact.objects.values()) == before


@pytest.mark.django_db
def test_the_database_refuses_an_overlap_by_itself(regions, values):
    subject, (kind, allowed) = person(regions), values
    common = {"subject": subject, "path": subject.path, "kind": kind, "source": "t"}
    PersonFact.objects.create(**common, value=allowed[0], valid_from=day(1), valid_to=day(9))
    with pytest.raises(IntegrityError, match="person_fact_no_overlap"), transaction.atomic():
        PersonFact.objects.create(**common, value=allowed[1], valid_from=day(8))
    with pytest.raises(IntegrityError, match="person_fact_not_empty"), transaction.atomic():
        PersonFact.objects.create(**common, value=allowed[1], valid_from=day(20), valid_to=day(19))
    PersonFact.objects.create(**common, value=allowed[1], valid_from=day(9))


@pytest.mark.django_db(transaction=True)
def test_two_clients_stating_a_first_fact_at_once_wait_for_each_other(regions, values):
    subject, (kind, allowed) = person(regions), values
    together, errors = threading.Barrier(2), []

    def client(value):
        try:
            together.wait(10)
            for _n in range(5):
                with transaction.atomic():
                    facts.record(PersonFact, subject=subject, kind=kind, value=value, valid_from=day(0), source="t")
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=client, args=(v,)) for v in allowed[:2]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    assert PersonFact.objects.filter(superseded_at__isnull=True).count() == 1
    assert PersonFact.objects.count() == 10
