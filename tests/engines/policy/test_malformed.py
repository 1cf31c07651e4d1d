"""Every kind of malformed policy has one clear message: file, line, what, remedy; in English and Chinese (issue 4 §5.5)."""

from pathlib import Path

import pytest
import yaml

from sangyu.engines.policy import PolicyErrors, read
from sangyu.engines.policy.messages import MESSAGES
from support.evaluation import VOCABULARY, text_of

TABLE = yaml.safe_load((Path(__file__).parent / "golden" / "malformed.yaml").read_text(encoding="utf-8"))


def problems(case):
    text = case.get("text") or headed(case["body"])
    with pytest.raises(PolicyErrors) as raised:
        read(text, file="甲.yaml", vocabulary=VOCABULARY)
    return raised.value.problems


def headed(body: str) -> str:
    """Nine lines of head, whatever of it the body says again: lines are easy to count."""
    text = text_of(body)
    missing = 9 + body.count("\n") + 1 - text.removesuffix("application: automatic\n").count("\n")
    return "#\n" * missing + text


@pytest.mark.parametrize("case", TABLE, ids=lambda c: f"{c['kind']}-{c['line']}")
def test_one_clear_message(case):
    found = problems(case)
    if "text" not in case:
        assert [(p.kind, p.line) for p in found] == [(case["kind"], case["line"])]
    first = next(p for p in found if p.kind == case["kind"])
    assert str(first) == f"甲.yaml:{case['line']}: {first.message} {first.remedy}"
    for words in (first.message, first.remedy, *first.chinese):
        assert words
        assert "{" not in words.replace("{every", "").replace("{from", "").replace("{name", "").replace("{节点", "")


def test_at_least_fifty_kinds_are_in_the_table():
    kinds = {case["kind"] for case in TABLE}
    assert len(kinds) >= 50
    assert kinds <= set(MESSAGES)
    assert set(MESSAGES) - kinds == {"too_long", "too_deep", "empty_expression"}


def test_all_problems_of_a_text_are_told_at_once():
    text = text_of("who:\n  - 年纪 >= 60\n  - 经济状况 = 低宝\namount: 300\nform: 金币\nvalid_to: 昨天")
    with pytest.raises(PolicyErrors) as raised:
        read(text, file="a.yaml", vocabulary=VOCABULARY)
    assert [p.kind for p in raised.value.problems] == [
        "unknown_word",
        "unknown_code",
        "money_unit",
        "unknown_choice",
        "wants_date",
    ]


def test_too_long_and_too_deep_texts_are_refused():
    """A text cannot exhaust the reader."""
    with pytest.raises(PolicyErrors, match="longer than"):
        read("a" * 70_000, file="a.yaml", vocabulary=VOCABULARY)
    deep = "(" * 200 + "三无" + ")" * 200
    with pytest.raises(PolicyErrors, match="levels of brackets"):
        read(text_of(f'who: "{deep}"\namount: 1元'), file="a.yaml", vocabulary=VOCABULARY)
    with pytest.raises(PolicyErrors, match="levels of brackets"):
        read(text_of(f'who: "{"not " * 300}三无"\namount: 1元'), file="a.yaml", vocabulary=VOCABULARY)
