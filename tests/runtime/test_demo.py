"""The demo city: shares of its people, and what it refuses; a small one built whole: tests/e2e/test_demo.py."""

import io
from collections import Counter
from datetime import date

import pytest
from rich.console import Console

from sangyu.kernel.identity import age_on, parse_id_number, parse_phone
from sangyu.kernel.names import pinyin_of
from sangyu.registry.people.models import Person
from sangyu.runtime.demo import build, shares
from sangyu.runtime.demo.elders import DIFFICULT_SOURCE, Draw, Elder
from sangyu.runtime.demo.phones import demo_phone
from sangyu.runtime.demo.places import Place, share_out
from sangyu.runtime.engines.process import EngineError

TODAY = date(2026, 11, 21)
ELDERS = 300


# ---------------------------------------------------------------- drawing, without a database
def place(code: str = "210802001003") -> Place:
    return Place(
        1,
        "000021008002001003",
        code,
        "五大门社区",
        "站前区八田地街道五大门社区",
        "站前区",
        True,
        40.67,
        122.23,
        0.003,
        1.0,
    )


def draw(count: int, seed: str = "test") -> list[Elder]:
    disabled, partly = shares.difficult(count)
    difficult = {n * 7: n < disabled for n in range(disabled + partly)}
    return Draw(today=TODAY, seed=seed, next_id=1, difficult=difficult).community(place(), count, 0)[0]


@pytest.fixture(scope="module")
def drawn() -> list[Elder]:
    return draw(12_000)


def percent(people: list[Elder], holds) -> float:
    return 100 * sum(map(bool, map(holds, people))) / len(people)


def now_of(e: Elder, kind: str) -> str:
    return next((str(f[1]) for f in e.facts if f[0] == kind and f[3] is None and f[5] is None), "")


def test_shares_follow_the_census(drawn):
    """Standards §9: age bands, sex, living, income, disability, dementia, phones, relatives."""
    for first, last, share in shares.AGES:
        assert percent(drawn, lambda e, a=first, b=last: a <= age_on(e.birth, TODAY) <= b) == pytest.approx(
            share, abs=1.5
        )
    assert percent(drawn, lambda e: e.sex == "2") == pytest.approx(51.6, abs=1.5)
    assert percent(drawn, lambda e: e.living == "empty_nest") == pytest.approx(45, abs=1.5)
    assert percent(drawn, lambda e: e.living == "alone") == pytest.approx(13, abs=1)
    assert percent(drawn, lambda e: e.living == "with_family") == pytest.approx(37, abs=1.5)
    assert percent(drawn, lambda e: now_of(e, "residence") == "institution") == pytest.approx(1.5, abs=0.5)
    assert percent(drawn, lambda e: now_of(e, "income_category") == "minimum_living") == pytest.approx(4, abs=0.7)
    assert percent(drawn, lambda e: now_of(e, "income_category") == "near_minimum") == pytest.approx(2, abs=0.5)
    assert percent(drawn, lambda e: now_of(e, "income_category").startswith("destitute")) == pytest.approx(1.2, abs=0.4)
    assert percent(drawn, lambda e: now_of(e, "disability")) == pytest.approx(9, abs=1)
    assert percent(drawn, lambda e: now_of(e, "dementia")) == pytest.approx(5.5, abs=0.8)
    assert percent(drawn, lambda e: e.phone) == pytest.approx(88, abs=1)
    assert percent(drawn, lambda e: any(c[1] in "1234" for c in e.contacts)) == pytest.approx(93, abs=1)


def test_ability_follows_age(drawn):
    """Standards §9: from 93 % intact in the sixties to 32 % at ninety and over."""
    for group, weights in shares.ABILITY.items():
        own = [
            e
            for e in drawn
            if shares.group(e.age) == group and now_of(e, "care_level") and e.source != DIFFICULT_SOURCE
        ]
        lost = [e for e in own if now_of(e, "care_level") != "0"]
        # one intact elder in five has no assessment on file
        known = (100 - weights[0]) / (100 - 0.2 * weights[0]) * 100
        assert 100 * len(lost) / len(own) == pytest.approx(known, abs=8 if group == 90 else 3)


def test_difficulty_database_adds_up(drawn):
    """R-023: 283 disabled + 656 partly disabled = 939 among 549,000, in proportion elsewhere."""
    assert shares.difficult(549_000) == (283, 656)
    assert shares.difficult(5_000) == (3, 6)
    people = [e for e in drawn if e.source == DIFFICULT_SOURCE]
    levels = Counter(now_of(e, "care_level") in "34" for e in people)
    assert (levels[True], levels[False]) == shares.difficult(12_000) == (6, 15)
    assert {now_of(e, "income_category") for e in people} <= {"minimum_living", "near_minimum", "destitute_home"}


def test_id_numbers_are_valid_and_once(drawn):
    numbers = [e.id_number for e in drawn if e.id_number]
    assert len(numbers) == len(set(numbers)) > 11_000
    for e in drawn:
        if e.id_number:
            found = parse_id_number(e.id_number, today=TODAY)
            assert (found.birth_date, found.sex) == (e.birth, e.sex)
            assert 950 <= int(e.id_number[14:17]) <= 999


def test_same_seed_same_people(drawn):
    assert [(e.name.text, e.id_number, e.facts) for e in draw(500)] == [
        (e.name.text, e.id_number, e.facts) for e in draw(500)
    ]
    assert [e.id_number for e in draw(500, "another")] != [e.id_number for e in draw(500)]


def test_names_are_found_by_their_pinyin(drawn):
    assert sum((e.name.pinyin, e.name.initials) == pinyin_of(e.name.text) for e in drawn[:500]) >= 495


def test_couples_share_a_home(drawn):
    couples = [e for e in drawn if e.spouse]
    assert len(couples) > 4_000
    assert all(
        e.spouse.spouse is e and (e.address, e.household) == (e.spouse.address, e.spouse.household) for e in couples
    )


def test_phones_are_in_ranges_nobody_has():
    phones = {demo_phone("154", n) for n in range(20_000)}
    assert len(phones) == 20_000
    assert all(parse_phone(p) == p and p.startswith("154") for p in list(phones)[:50])


def test_share_out_loses_nobody():
    assert share_out(10, [1, 1, 1]) == [4, 3, 3]
    assert sum(share_out(549_000, [p / 7 for p in range(1, 850)])) == 549_000


# ---------------------------------------------------------------- refusals
def test_real_people_are_never_mixed_in(regions, db):
    Person.objects.create(name="张桂兰", sex="2", region=regions["a_one"], path=regions["a_one"].path, source="import")
    with pytest.raises(EngineError, match="not of this demo city"):
        build(elders=ELDERS, reset=True)
    assert Person.objects.count() == 1


@pytest.mark.parametrize(("choice", "words"), [({"elders": 99}, "at least 100"), ({"city": "9999"}, "division code")])
def test_impossible_choices_say_what_to_do(db, choice, words):
    with pytest.raises(EngineError, match=words):
        build(console=Console(file=io.StringIO()), **{"elders": 100, **choice})
    assert not Person.objects.exists()
