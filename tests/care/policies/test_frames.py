"""Facts out of the database: what the tables hold is what the rows say, day by day and as known then (R-035, R-068, O-1)."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from django.utils import timezone

from sangyu.care.policies import columns, selectors
from sangyu.care.policies.frames import Store, frames
from sangyu.engines.policy import Reading
from sangyu.kernel.scoping import scope
from sangyu.registry.people import services as persons
from sangyu.registry.people.models import PersonFact

pytestmark = pytest.mark.django_db
OCTOBER = date(2026, 10, 1), date(2026, 11, 1)
TERMS = frozenset(
    {"birth_date", "alive", "income_category", "payment_level", "residence", "three_no", "disability_grade"}
)


def day_reading(day: date, terms=TERMS) -> Reading:
    return Reading("person", "day", day, day, day + timedelta(1), terms)


def month_reading(terms=TERMS) -> Reading:
    return Reading("person", "segments", None, *OCTOBER, terms)


def rows(frame: pl.DataFrame, *names: str) -> list[tuple]:
    return frame.select(names).rows()


def test_one_day(elder, staff):
    """Codes, yes/no, dates, words made of others; what nobody stated is unknown; others' regions are not there."""
    first = elder("甲", income_category="minimum_living", care_level="3", three_no="yes", disability="4-2")
    elder("乙", place="b_one")
    clerk = staff("a")
    with scope(clerk):
        reading = day_reading(OCTOBER[0])
        (frame,) = frames(clerk.path, [reading]).values()
    wanted = (
        "subject_id",
        "alive",
        "income_category",
        "payment_level",
        "three_no",
        "disability_grade",
        "residence",
        "birth_date",
    )
    assert rows(frame, *wanted) == [
        (first.pk, True, "minimum_living", "full", True, "2", None, date(1940, 3, 5)),
    ]
    assert rows(frame, "from", "to") == [(OCTOBER[0], date(2026, 10, 2))]


def test_stretches_are_cut_at_every_change(elder, staff):
    """R-035: a level changed on the 10th, an admission on the 20th, a death on the 25th; who does not change has one row."""
    moved, steady = elder("动", care_level="1", residence="home"), elder("静", care_level="0")
    persons.record_fact(
        actor=elder.clerk,
        person_id=moved.pk,
        kind="care_level",
        value="4",
        valid_from=date(2026, 10, 10),
        source="评估",
    )
    persons.record_fact(
        actor=elder.clerk,
        person_id=moved.pk,
        kind="residence",
        value="institution",
        valid_from=date(2026, 10, 20),
        source="入住",
    )
    persons.record_death(actor=elder.clerk, person_id=moved.pk, died_on=date(2026, 10, 25), source="证明")
    city = staff("city")
    with scope(city):
        frame = Store(city.path).frame(month_reading())
    got = rows(frame, "subject_id", "from", "to", "payment_level", "residence", "alive")
    assert [r for r in got if r[0] == steady.pk] == [(steady.pk, *OCTOBER, "self_care", None, True)]
    own = [r[1:] for r in got if r[0] == moved.pk]
    assert own[:3] == [
        (date(2026, 10, 1), date(2026, 10, 10), "part", "home", True),
        (date(2026, 10, 10), date(2026, 10, 20), "full", "home", True),
        (date(2026, 10, 20), date(2026, 10, 25), "full", "institution", True),
    ]
    assert [r[-1] for r in own[3:]] == [False]
    assert own[-1][1] == OCTOBER[1]


def test_as_known_then(elder, staff):
    """X-03: a death and a level told later are not in the table of the day before; "now" has them."""
    person = elder("丙", care_level="1")
    then = timezone.now()
    PersonFact.objects.filter(subject=person).update(recorded_at=then - timedelta(days=5))
    persons.record_fact(
        actor=elder.clerk, person_id=person.pk, kind="care_level", value="4", valid_from=date(2026, 1, 1), source="更正"
    )
    persons.record_death(actor=elder.clerk, person_id=person.pk, died_on=date(2026, 9, 25), source="证明")
    city, reading = staff("city"), day_reading(OCTOBER[0])
    with scope(city):
        (before,) = frames(city.path, [reading], then).values()
        (now,) = frames(city.path, [reading]).values()
    assert rows(now, "payment_level", "alive") == [("full", False)]
    assert rows(before, "payment_level")[0][0] == "part"


def test_places_of_ids():
    """Ids of other regions lie before, between and behind those that are known."""
    who, there = columns.Places(np.array([5, 9, 12])).of(np.array([12, 4, 5, 13, 7]))
    assert (who.tolist(), there.tolist()) == ([2, 0], [True, False, True, False, False])
    who, there = columns.Places(np.empty(0, np.int64)).of(np.array([12]))
    assert (who.tolist(), there.tolist()) == ([], [False])


def test_a_line_can_name_its_rows(elder, staff):
    """R-068, X-06: (person, word) → the rows that gave the word its value."""
    person = elder("丁", income_category="minimum_living", care_level="2")
    city = staff("city")
    with scope(city):
        ids = dict(PersonFact.objects.filter(subject=person).values_list("kind", "id"))
        found = selectors.fact_rows(
            "person",
            [(person.pk, n) for n in ("income_category", "payment_level", "birth_date", "residence")],
            OCTOBER[0],
        )
    assert found == {
        (person.pk, "income_category"): [("people_personfact", ids["income_category"])],
        (person.pk, "payment_level"): [("people_personfact", ids["care_level"])],
        (person.pk, "birth_date"): [("people_person", person.pk)],
        (person.pk, "residence"): [],
    }


def test_only_candidates_by_age(elder, staff):
    """A rule for those of eighty reads nobody who cannot be eighty in that year."""
    from sangyu.engines.policy import Period
    from support.policies import ADVANCED_AGE, HOME_CARE

    old, _young = elder("老", born=date(1940, 3, 5)), elder("少", born=date(1964, 3, 5))
    city = staff("city")
    with scope(city):
        policies = [selectors.read_text(ADVANCED_AGE)]
        limit = selectors.born_until(policies, Period(*OCTOBER))
        frame = Store(city.path, born_until=limit).frame(day_reading(OCTOBER[0]))
        assert limit is not None
        assert date(1946, 1, 1) <= limit <= date(1947, 1, 31)
        assert (
            selectors.born_until(
                [*policies, selectors.read_text(HOME_CARE.replace("  - 年龄 >= 60\n", ""))], Period(*OCTOBER)
            )
            is None
        )
    assert frame["subject_id"].to_list() == [old.pk]


def test_a_second_reading_asks_only_for_what_is_new(elder, staff):
    """A repeated what-if reads nothing; another word reads that word."""
    elder("戊", care_level="2")
    city = staff("city")
    with scope(city):
        store = Store(city.path)
        store.frame(day_reading(OCTOBER[0], frozenset({"care_level"})))
        known = dict(store.series)
        store.frame(day_reading(OCTOBER[0], frozenset({"care_level", "residence"})))
        assert all(store.series[key] is series for key, series in known.items())
