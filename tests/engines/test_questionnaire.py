"""Question sheets: shipped ones are whole, mistakes name their line, answers mean what the sheet says (R-022, R-023)."""

from pathlib import Path

import pytest

from sangyu.engines.questionnaire import Vocabulary, read
from sangyu.engines.yamlfile import FileErrors

WORDS = Vocabulary({"living": {"alone": "", "with_family": ""}, "difficult": {"yes": "", "no": ""}, "care_level": {"3": ""}}, ("meals",),
                   ("visit",))  # fmt: skip
SHEET = """code: test
name: 测试
document: 无
mark: G
valid_from: 2026-01-01
parts:
  - name: 一
    questions:
      - code: living
        text: 居住
        kind: choice
        required: true
        options:
          - {value: alone, text: 独居, facts: {living: alone}, follow_up: [visit]}
          - {value: family, text: 同住, facts: {living: with_family}}
      - code: daily
        text: 起居
        kind: choice
        options: [{value: full, text: 不能}, {value: half, text: 部分}, {value: able, text: 能}]
      - code: seen
        text: 多久
        kind: number
        most: 31
        when: {living: [alone]}
      - code: wants
        text: 需求
        kind: several
        options: [{value: b, text: 乙}, {value: a, text: 甲, needs: [meals]}]
      - {code: day, text: 日期, kind: day}
      - code: hard
        text: 困难
        kind: choice
        options:
          - {value: "yes", text: 是, facts: {difficult: "yes"}}
          - {value: "no", text: 否}
database:
  inside: {hard: ["yes"]}
  disabled: {daily: [full]}
  partly: {daily: [half]}
  able: {daily: [able]}
"""


@pytest.fixture(scope="module")
def sheet():
    return read(SHEET, file="test.yaml", words=WORDS)


def test_answers_are_checked_and_what_was_not_asked_is_dropped(sheet):
    kept, wrong = sheet.check({"living": "family", "seen": "3", "wants": ["a", "b"], "day": "2026-02-30", "other": "x"})
    assert kept == {"living": "family", "wants": ["b", "a"]}
    assert wrong == {"day": "day", "other": "unknown"}
    assert sheet.check({"seen": "40"}) == ({}, {"living": "missing"})
    assert sheet.check({"living": "alone", "seen": "40"})[1] == {"seen": "number"}
    assert sheet.check({"living": "alone", "seen": "31"})[0] == {"living": "alone", "seen": 31}
    assert sheet.check({}, partial=True) == ({}, {})
    assert sheet.check({"living": "nobody"})[1] == {"living": "unknown"}


def test_answers_mean_facts_needs_follow_ups_and_a_standing(sheet):
    found = sheet.findings({"living": "alone", "daily": "half", "wants": ["a"], "hard": "yes"})
    assert (found.facts, found.needs, found.follow_up, found.standing) == (
        {"living": "alone", "difficult": "yes"}, ("meals",), ("visit",), "partly",
    )  # fmt: skip
    assert [sheet.standing({"hard": h, "daily": d}) for h, d in (("yes", "full"), ("yes", "able"), ("yes", ""), ("no", "full"))] == [
        "disabled", "able", "open", "outside",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("kind: number", "kind: numbers", 22, "“kind: numbers” is not known."),
        ("{living: alone}", "{living: elsewhere}", 14, "“living” is never “elsewhere”."),
        ("{living: alone}", "{care_level: 3}", 14, "A screening does not state “care_level”."),
        ("{living: alone}", "{livng: alone}", 14, "There is no fact “livng”."),
        ("[visit]", "[visits]", 14, "“visits” is not known here."),
        ("[meals]", "[meal]", 28, "“meal” is not known here."),
        ("when: {living: [alone]}", "when: {living: [single]}", 24, "“living” has no answer “single”."),
        ("when: {living: [alone]}", "when: {hard: [alone]}", 24, "No question “hard” with options stands before this."),
        ("code: daily", "code: living", 16, "The code “living” stands twice."),
        ("mark: G", "mark: X", 4, "“mark: X” is not known."),
        ("disabled: {daily", "disbled: {daily", 38, "“disbled” is not known here."),
        ("name: 测试\n", "", 1, "“name” is missing."),
    ],
)
def test_every_mistake_names_its_line(old, new, line, message):
    assert old in SHEET
    with pytest.raises(FileErrors) as caught:
        read(SHEET.replace(old, new, 1), file="test.yaml", words=WORDS)
    assert [(p.line, p.message) for p in caught.value.problems if p.message == message] == [(line, message)]


@pytest.mark.parametrize("name", ["difficult-elders", "difficult-monthly"])
def test_shipped_sheets_are_read(name):
    from sangyu.care.screening import sheets

    sheet, text = sheets.shipped()[name]
    assert text == Path(f"data/questionnaires/{name}.yaml").read_text(encoding="utf-8")
    assert set(sheet.database) == {"inside", "disabled", "partly", "able"}
    assert all(sheets.meaning(o) is not None for q in sheet.questions.values() for o in q.options)
