"""Golden tables of the shipped policies: what each pays at its edges (issue 4 §5.2). Every line is also computed row by row."""

from datetime import date
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from sangyu.care.policies.vocabulary import vocabulary
from sangyu.engines.policy import Period, read, sentence, trace
from sangyu.engines.policy.shipped import texts
from support.evaluation import lines

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted((settings.DATA / "policies").glob("*/*.yaml"))


def shipped(name: str, **replaced: str):
    text = (settings.DATA / "policies" / f"{name}.yaml").read_text(encoding="utf-8")
    for old, new in replaced.items():
        text = text.replace(f"{old}: month\n", f"{old}: {new}\n")
    return read(text, file=f"{name}.yaml", vocabulary=vocabulary())


def table(name: str):
    return yaml.safe_load((GOLDEN / f"{name}.yaml").read_text(encoding="utf-8"))


def month(text: str) -> Period:
    return Period.month(*map(int, text.split("-")))


def rows_of(period: Period, facts: dict, case: dict) -> list[dict]:
    common = {"subject_id": 7, "applied_on": date(2000, 1, 1), **facts, **(case.get("with") or {})}
    if "spans" not in case:
        return [{**common, "from": date(2000, 1, 1), "to": date(2040, 1, 1)}]
    found, start = [], date(2000, 1, 1)
    for span in case["spans"]:
        end = span.get("to", date(2040, 1, 1))
        found.append({**common, **span, "from": start, "to": end})
        start = end
    return found


def cases():
    for name in ("people", "others"):
        for part in table(name):
            for n, case in enumerate(part["cases"]):
                yield pytest.param(part, case, id=f"{part['policies'][0]}-{n}-{case.get('why', case['month'])}")


@pytest.mark.parametrize(("part", "case"), [*cases()])
def test_what_shipped_policies_pay(part, case):
    """R-042 … R-048, R-050 … R-052, R-057 … R-061, O-3 … O-5, O-7."""
    period, policies = month(case["month"]), [shipped(name) for name in part["policies"]]
    paid = {(7, code): round(yuan * 100) for code, yuan in case["paid"].items()} if "paid" in case else None
    found = {
        line["policy"]: line
        for line in lines(policies, rows_of(period, part["facts"], case), period, paid, vocabulary=vocabulary())
    }
    assert {code: line["amount"] for code, line in found.items()} == {
        c: round(y * 100) for c, y in case["pays"].items()
    }
    for code, word in case.get("stacked", {}).items():
        assert found[code]["stacked"] == word
    for code, count in case.get("quantity", {}).items():
        assert found[code]["quantity"] == count


@pytest.mark.parametrize("case", table("age")["cases"], ids=lambda c: f"{c['rule']}-{c['born']}-{c['month']}")
def test_ages_under_each_birthday_rule(case):
    """R-040, R-041, O-2."""
    policy, period = shipped("210203/age-allowance", birthday=case["rule"]), month(case["month"])
    assert policy.birthday == case["rule"]
    found = lines([policy], [{"subject_id": 1, "birth_date": case["born"]}], period, vocabulary=vocabulary())
    assert [line["amount"] for line in found] == ([case["pays"] * 100] if case["pays"] else [])


def test_the_festival_falls_on_its_lunar_day():
    """R-046: once a year, in the month and on the day of the calendar, for ten years."""
    policy = shipped("210203/double-ninth")
    for year, day in table("festival").items():
        due = {m: policy.due(date(year, m, 1)) for m in range(1, 13)}
        assert [m for m, found in due.items() if found] == [day.month]
        assert due[day.month].pay_day == day
        person = {"subject_id": 1, "birth_date": date(day.year - 60, day.month, 1), "income_category": "minimum_living"}
        period = Period.month(year, day.month)
        late = {**person, "subject_id": 2, "died_on": day}
        found = lines([policy], [person, late], period, vocabulary=vocabulary())
        assert [(line["subject_id"], line["amount"]) for line in found] == [(1, 30_000)]


def test_twelve_people_have_their_tier():
    """R-051 … R-053: the own share by the tier policy; who pays all of it has no line, and is told why."""
    cases = [{"subject_id": n, "birth_date": date(1950, 1, 1), **c["with"]} for n, c in enumerate(table("tiers"))]
    tier, period = shipped("22/fee-tier"), Period.month(2026, 3)
    found = lines([tier], cases, period, vocabulary=vocabulary())
    shares = {line["subject_id"]: line["share"] // 100 for line in found}
    assert [shares.get(n, 100) for n in range(12)] == [case["share"] for case in table("tiers")]
    assert 100 not in shares.values()
    assert len(shares) == 7
    for case in cases:
        why = trace(tier, case, period)[-1]
        bears_all = case["subject_id"] not in shares
        assert (why.part, why.value) == (("who", False) if bears_all else ("copayment", True))
        assert why.sentence.endswith("100%，自付全部，没有补贴") is bears_all


@pytest.mark.parametrize("file", FILES, ids=lambda f: f"{f.parent.name}/{f.stem}")
def test_every_shipped_policy_reads_with_the_words_of_the_register(file):
    """Its region is its folder, its code its file; every condition reads back as a sentence."""
    policy = read(file.read_text(encoding="utf-8"), file=file.name, vocabulary=vocabulary())
    assert (policy.region, policy.code) == (file.parent.name, file.stem.split(".")[0])
    assert policy.document.number or policy.document.title
    assert all(sentence(clause.expr) for clause in policy.who)


def test_the_demo_city_shows_packages_of_two_regions_side_by_side():
    """R-039: the county's version of a code stands beside the city's."""
    found = [
        read(text, file=name, vocabulary=vocabulary())
        for name, text in texts(settings.DATA / "policies", "2108", ["210802", "210803"])
    ]
    assert {p.region for p in found if p.code == "resident-subsidy"} == {"2108", "210802"}
    assert len(found) == len([f for f in FILES if f.parent.name not in ("11", "31")])
