"""Golden cases of the shipped scales: every border of every level, every change rule, the traps (R-030, R-031, O-1)."""

from datetime import date
from itertools import product

import pytest
from django.conf import settings

from sangyu.engines.assessment import WrongAnswers, payment, read, score
from sangyu.engines.assessment import settings as settings_rules
from sangyu.engines.yamlfile import FileErrors
from support.scales import CODES, answers_for, full, scale

GBT, MZT, LTCI = (scale(code) for code in CODES)


def test_the_shipped_scales_have_the_published_shape():
    assert [(p.code, len(p.items), p.most) for p in GBT.parts] == [
        ("B.1", 8, 32), ("B.2", 4, 15), ("B.3", 9, 28), ("B.4", 5, 15),
    ]  # fmt: skip
    assert (len(GBT.items), GBT.most) == (26, 90)
    assert [(len(p.items), p.most) for p in MZT.parts] == [(10, 100), (3, 6), (4, 14), (5, 20)]
    assert [(len(p.items), p.most) for p in LTCI.parts] == [(10, 100), (4, 16), (3, 12)]


# ---------------------------------------------------------------- GB/T 42195-2022
@pytest.mark.parametrize(
    ("total", "level"), [(90, 0), (89, 1), (66, 1), (65, 2), (46, 2), (45, 3), (30, 3), (29, 4), (0, 4)]
)
def test_gbt_levels_at_every_border(total, level):
    result = score(GBT, answers_for(GBT, total))
    assert (result.total, result.preliminary, result.level, result.mark) == (total, level, level, "V")
    assert result.rule == f"level.{level}"
    assert sum(p.score for p in result.parts) == total


@pytest.mark.parametrize(
    ("total", "findings", "changed", "level"),
    [
        (90, {"dementia_diagnosis": True}, ["dementia_change"], 1),
        (70, {"mental_disorder": True}, ["dementia_change"], 2),
        (90, {"fall": 2}, ["events_change"], 1),
        (90, {"fall": 1, "choking": 1}, ["events_change"], 1),  # kinds are counted together
        (90, {"fall": 1}, [], 0),
        (50, {"dementia_diagnosis": True, "fall": 3}, ["dementia_change", "events_change"], 3),  # one level in all
        (20, {"fall": 2}, ["events_change"], 4),  # never worse than the worst
        (90, {"dementia": "none", "fall": 0}, [], 0),
    ],
)
def test_gbt_changes(total, findings, changed, level):
    result = score(GBT, answers_for(GBT, total), findings)
    assert ([c.code for c in result.changes], result.level) == (changed, level)
    assert all(c.reason and c.text and c.mark == "V" for c in result.changes)


def test_gbt_readings_are_parameters():
    answers, both = answers_for(GBT, 70), {"dementia_diagnosis": True, "fall": 2}
    assert score(GBT, answers, both).level == 2
    each = score(GBT, answers, both, {"stacking": "each"})
    assert (each.level, each.parameters["stacking"]) == (3, "each")
    mixed = {"fall": 1, "choking": 1}
    assert score(GBT, answers, mixed, {"counting": "kind"}).changes == ()


def test_coma_places_and_stupor_does_not():
    answers = full(GBT)
    stupor = score(GBT, {**answers, "B.3.9": "stupor"})
    coma = score(GBT, {**answers, "B.3.9": "coma"}, {"fall": 2})
    assert (stupor.total, stupor.level, stupor.changes) == (88, 1, ())
    assert (coma.total, coma.preliminary, coma.level) == (88, 1, 4)
    assert [(c.code, c.before, c.after, c.note) for c in coma.changes] == [
        ("coma", 1, 4, ""), ("events_change", 4, 4, "placed"),
    ]  # fmt: skip
    assert score(GBT, {**answers, "B.3.9": "coma"}, {}, {"coma_level": "3"}).level == 3


def test_missing_and_wrong_answers_are_named():
    answers = full(GBT)
    del answers["B.1.1"]
    with pytest.raises(WrongAnswers) as caught:
        score(GBT, {**answers, "B.2.4": "4", "X": "1"})
    assert (caught.value.missing, caught.value.wrong) == (["B.1.1"], {"B.2.4": "4", "X": "1"})


# ---------------------------------------------------------------- MZ/T 039-2013
@pytest.mark.parametrize(
    ("part", "total", "level"),
    [
        ("A", 100, 0), ("A", 95, 1), ("A", 65, 1), ("A", 60, 2), ("A", 45, 2), ("A", 40, 3), ("A", 0, 3),
        ("M", 0, 0), ("M", 1, 1), ("M", 2, 2), ("M", 3, 2), ("M", 4, 3), ("M", 6, 3),
        ("S", 2, 0), ("S", 3, 1), ("S", 7, 1), ("S", 8, 2), ("S", 13, 2), ("S", 14, 3), ("S", 20, 3),
    ],
)  # fmt: skip
def test_mzt_part_levels_at_every_border(part, total, level):
    result = score(MZT, mzt(**{part: total}))
    assert next(p for p in result.parts if p.code == part).level == level


def mzt(A=100, M=0, S=0, P=(0, 0, 0, 0)):
    senses = dict(zip(("P.1", "P.2", "P.3", "P.4"), map(str, P), strict=True))
    return answers_for(MZT, A, "A") | answers_for(MZT, M, "M") | answers_for(MZT, S, "S") | senses


@pytest.mark.parametrize(
    ("senses", "level"),
    [
        ((0, 1, 1, 0), 0), ((0, 2, 0, 0), 1), ((0, 0, 2, 0), 1), ((0, 0, 0, 1), 1), ((0, 3, 0, 0), 2),
        ((0, 0, 0, 2), 2), ((1, 3, 3, 2), 2), ((1, 0, 0, 0), 2), ((0, 4, 0, 0), 3), ((1, 0, 0, 3), 3), ((2, 0, 0, 0), 3),
    ],
)  # fmt: skip
def test_mzt_senses(senses, level):
    assert score(MZT, mzt(P=senses)).parts[2].level == level


def by_levels(a, m, p, s):
    senses = ((0, 0, 0, 0), (0, 2, 0, 0), (0, 3, 0, 0), (0, 4, 0, 0))[p]
    return score(MZT, mzt((100, 95, 60, 40)[a], (0, 1, 2, 4)[m], (0, 3, 8, 14)[s], senses))


@pytest.mark.parametrize(
    ("levels", "level"),
    [
        ((0, 0, 0, 1), 0), ((0, 1, 0, 0), 1), ((0, 0, 1, 0), 1), ((0, 0, 0, 2), 1), ((0, 0, 0, 3), 1),
        ((1, 0, 0, 0), 1), ((1, 2, 2, 1), 1), ((1, 2, 2, 2), 2), ((1, 3, 0, 0), 2), ((2, 0, 0, 0), 2), ((2, 1, 1, 2), 2),
        ((2, 2, 2, 2), 3), ((2, 3, 0, 0), 3), ((3, 0, 0, 0), 3),
    ],
)  # fmt: skip
def test_mzt_overall(levels, level):
    """Our reading of overlapping rules, once: the worst first, holes closed."""
    assert by_levels(*levels).level == level


def test_mzt_every_combination_has_a_level_and_worse_parts_never_lead_to_a_better_one():
    found = {levels: by_levels(*levels).preliminary for levels in product(range(4), repeat=4)}
    assert set(found.values()) == {0, 1, 2, 3}
    for levels, level in found.items():
        worse = [levels[:i] + (levels[i] + 1,) + levels[i + 1 :] for i in range(4) if levels[i] < 3]
        assert all(found[w] >= level for w in worse), levels


def test_mzt_a_preliminary_severe_is_not_raised():
    result = score(MZT, mzt(A=40), {"fall": 2})
    assert (result.level, [c.note for c in result.changes]) == (3, ["fixed"])
    assert score(MZT, mzt(A=60), {"fall": 2}).level == 3
    assert score(MZT, mzt(P=(3, 0, 0, 0))).level == 3


# ---------------------------------------------------------------- long-term care insurance
@pytest.mark.parametrize(
    ("d", "c", "p", "grade"),
    [
        (100, 16, 12, 0), (100, 4, 12, 0), (100, 3, 12, 1), (100, 16, 0, 1),
        (95, 16, 12, 1), (65, 2, 12, 1), (65, 1, 12, 2), (60, 16, 12, 2), (45, 16, 2, 2), (45, 16, 1, 3),
        (40, 16, 12, 3), (0, 15, 4, 3), (40, 3, 12, 4), (40, 16, 2, 4), (40, 1, 12, 5), (0, 0, 0, 5),
    ],
)  # fmt: skip
def test_ltci_grades_of_the_table(d, c, p, grade):
    answers = answers_for(LTCI, d, "D") | answers_for(LTCI, c, "C") | answers_for(LTCI, p, "P")
    result = score(LTCI, answers)
    assert (result.level, result.mark) == (grade, "G")


def test_two_scales_answer_different_questions_for_one_person():
    """R-031: the same person in two instruments, both results stand."""
    assert score(GBT, answers_for(GBT, 65)).level_name == "中度失能"
    assert score(LTCI, full(LTCI)).level_name == "基本正常"


# ---------------------------------------------------------------- reading
SHIPPED = (settings.DATA / "instruments" / "gbt-42195-2022.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("max: 32", "max: 33", "The items of B.1 add up to 32, not 33."),
        ("from: 46, to: 65", "from: 47, to: 65", "46 points have no level."),
        ("from: 46, to: 65", "from: 45, to: 65", "45 points have several levels."),
        ("code: B.1.2,", "code: B.1.1,", "The code “B.1.1” stands twice."),
        ("name: 洗澡, help: 清洗和擦干, ladder: L", "name: 洗澡, ladder: M", "There is no ladder “M”."),
        ("from: 90, to: 90, mark: V", "from: 90, to: 90, mark: X", "“mark: X” is not known."),
        ("to: coma_level", "to: comma_level", "There is no parameter “comma_level”."),
        ("flags: [coma]", "flags: [koma]", "No option raises the flag “koma”."),
        ("purpose: care", "purpose: fun", "“purpose: fun” is not known."),
        ("document: GB/T 42195-2022\n", "", "“document” is missing."),
        ("reassess_months: 12", "reasess_months: 12", "“reasess_months” is not known here."),
        ("valid_from: 2022-12-30", "valid_from: soon", "“valid_from” must be a day."),
        ("{level: 0, from: 90", "{level: 7, from: 90", "There is no level 7."),
        ("at_least: 2", "at_least: two", "“at_least” must be a whole number."),
        ("    worse: 1", "    worse: 1\n    to: coma_level", "A change goes “to” a level or is so much “worse”."),
        ("code: gbt-42195-2022", "code: [a", "This is no YAML: "),
    ],
)
def test_mistakes_are_named_with_file_line_and_remedy(old, new, message):
    assert old in SHIPPED
    with pytest.raises(FileErrors) as caught:
        read(SHIPPED.replace(old, new, 1), file="x.yaml")
    said = next(p for p in caught.value.problems if p.message.startswith(message))
    assert said.file == "x.yaml"
    assert said.line > 0
    assert said.remedy


# ---------------------------------------------------------------- payment level and setting
def test_payment_levels_are_dated_and_the_nearest_region_wins():
    """O-1, R-035: the mapping is data; another city's words from a day on."""
    text = (settings.DATA / "levels" / "default.yaml").read_text(encoding="utf-8") + (
        '  - {region: "210810000000", valid_from: 2026-07-01, valid_to: 2027-01-01, document: 测试, mark: G, '
        "levels: {0: self_care, 1: self_care, 2: part, 3: part, 4: full}}\n"
    )
    found = payment.read(text, file="x")

    def of(code, day):
        return "".join(v[0] for v in payment.on(found, day, code).levels.values())

    assert of("210810001000", date(2026, 6, 30)) == "sppff"
    assert of("210810001000", date(2026, 7, 1)) == "ssppf"
    assert of("210810001000", date(2027, 1, 1)) == "sppff"
    assert of("210811001000", date(2026, 7, 1)) == "sppff"
    assert payment.on(found, date(2010, 1, 1), "210810") is None
    with pytest.raises(FileErrors, match="Each level 0 to 4"):
        payment.read(text.replace("4: full}", "5: full}", 1), file="x")


def test_the_recommended_setting_names_its_rule():
    """R-032."""
    text = (settings.DATA / "levels" / "settings.yaml").read_text(encoding="utf-8")
    rules = settings_rules.read(text, file="x")
    cases = {
        ("4", "alone", "", ""): "nursing", ("3", "alone", "", ""): "institution", ("3", "with_family", "", ""): "community",
        ("3", "with_family", "", "yes"): "nursing", ("2", "with_family", "severe", ""): "institution",
        ("2", "alone", "", ""): "community", ("1", "alone", "severe", ""): "home", ("0", "", "", ""): "home",
    }  # fmt: skip
    for (level, living, dementia, special), setting in cases.items():
        facts = {"level": level, "living": living, "dementia": dementia, "special_care": special}
        assert settings_rules.recommend(rules, facts).setting == setting, facts
    with pytest.raises(FileErrors, match="no recommendation"):
        settings_rules.read(text.replace("text: 能力完好或轻度失能：居家}", "text: x, when: {level: [1]}}"), file="x")
