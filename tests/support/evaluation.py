"""Policies in tests of the engine: a fixed vocabulary, texts with few lines, tables of people, both ways of evaluation."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from sangyu.engines.policy import COLUMNS, Period, Policy, Reading, Term, Vocabulary, evaluate, naive, read, readings

PEOPLE = frozenset({"person", "resident"})
PLACES = frozenset({"facility"})
STAFF = frozenset({"worker"})
INCOME = {
    "destitute_central": "特困供养（集中）", "destitute_home": "特困供养（分散）", "minimum_living": "低保",
    "near_minimum": "低保边缘", "ordinary": "普通",
}  # fmt: skip
LEVELS = dict(zip("01234", ["能力完好", "轻度失能", "中度失能", "重度失能", "完全失能"], strict=True))

VOCABULARY = Vocabulary(
    [
        Term("birth_date", "出生日期", "date", {}, PEOPLE | STAFF),
        Term("died_on", "去世日期", "date", {}, PEOPLE),
        Term("registered_on", "登记日期", "date", {}, PEOPLE),
        Term("applied_on", "申请日期", "date", {}, PEOPLE),
        Term("decided_amount", "核定金额", "fen", {}, PEOPLE),
        Term("alive", "在世", "bool", {}, PEOPLE),
        Term("sex", "性别", "code", {"1": "男", "2": "女"}, PEOPLE),
        Term("income_category", "经济状况", "code", INCOME, PEOPLE),
        Term("living", "居住情况", "code", {"alone": "独居", "empty_nest": "空巢"}, PEOPLE),
        Term("three_no", "三无", "bool", {}, PEOPLE),
        Term("bereaved_dependant", "遗属孤老", "bool", {}, PEOPLE),
        Term("disability", "残疾", "code", {f"{c}-{g}": f"{c}类{g}级" for c in range(1, 8) for g in range(1, 5)}, PEOPLE),
        Term("care_level", "能力等级", "code", LEVELS, PEOPLE),
        Term("payment_level", "补贴档次", "code", {"self_care": "自理", "part": "半失能", "full": "失能"}, PEOPLE),
        Term("residence", "居住场所", "code", {"home": "居家", "institution": "机构入住"}, PEOPLE),
        Term("children", "子女数", "int", {}, PEOPLE),
        Term("pension", "养老金", "fen", {}, PEOPLE),
        Term("village", "村", "text", {}, PEOPLE),
        Term("rating", "评定等级", "code", {"1": "一级", "2": "二级", "3": "三级"}, PLACES),
        Term("opened_on", "投用日期", "date", {}, PLACES),
        Term("beds", "床位数", "int", {}, PLACES),
        Term("joined_on", "入职日期", "date", {}, STAFF),
        Term("left_on", "离开日期", "date", {}, STAFF),
    ]
)  # fmt: skip
TYPES = {"text": pl.String, "bool": pl.Boolean, "int": pl.Int64, "fen": pl.Int64, "date": pl.Date}
MARCH = Period.month(2026, 3)
HEAD = """\
code: {code}
name: 试验政策
region: "2108"
document: {{number: 试〔2020〕1号}}
valid_from: 2020-01-01
form: cash
fund: county_budget
"""


def policy(body: str, code: str = "trial", vocabulary: Vocabulary = VOCABULARY) -> Policy:
    """A policy from the lines that matter; subject, period and form are set unless ``body`` says otherwise."""
    return read(text_of(body, code), file=f"{code}.yaml", vocabulary=vocabulary)


def text_of(body: str, code: str = "trial") -> str:
    given = {line.partition(":")[0] for line in body.splitlines() if line and line[0] not in " -#"}
    lines = [line for line in HEAD.format(code=code).splitlines() if line.partition(":")[0] not in given]
    lines += [line for key, line in (("subject", "subject: person"), ("period", "period: month")) if key not in given]
    rest = [] if "application" in given else ["application: automatic"]
    return "\n".join([*lines, body.strip("\n"), *rest]) + "\n"


def frame(reading: Reading, rows: Sequence[Mapping[str, Any]], vocabulary: Vocabulary = VOCABULARY) -> pl.DataFrame:
    """The table of a reading: what a row does not say is unknown."""
    schema = {"subject_id": pl.Int64, "from": pl.Date, "to": pl.Date}
    schema |= {name: type_of(vocabulary.term(name)) for name in sorted(reading.terms)}
    full = [{"from": reading.start, "to": reading.end, **row} for row in rows]
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in full], schema=schema)


def type_of(term: Term) -> pl.DataType:
    return pl.Enum([*term.values]) if term.kind == "code" else TYPES[term.kind]


def lines(
    policies: Sequence[Policy],
    rows: Sequence[Mapping[str, Any]],
    period: Period = MARCH,
    paid: Mapping[tuple[int, str], int] | None = None,
    vocabulary: Vocabulary = VOCABULARY,
) -> list[dict[str, Any]]:
    """The compiled evaluation of ``rows`` (subject_id and facts), checked against the naive one. ``paid``: (subject, code) → fen."""
    tables = {r: frame(r, rows, vocabulary) for r in readings(policies, period)}
    had = None if paid is None else paid_frame(paid)
    found = in_order(evaluate(policies, tables, period, paid=had).to_dicts())
    assert found == naively(policies, tables, period, paid or {})
    return found


def paid_frame(paid: Mapping[tuple[int, str], int]) -> pl.DataFrame:
    schema = {"subject_id": pl.Int64, "policy": pl.String, "amount": pl.Int64}
    return pl.DataFrame([(who, code, amount) for (who, code), amount in paid.items()], schema=schema, orient="row")


def naively(
    policies: Sequence[Policy],
    tables: Mapping[Reading, pl.DataFrame],
    period: Period,
    paid: Mapping[tuple[int, str], int],
) -> list[dict[str, Any]]:
    """The same lines, one subject after the other, in plain Python."""
    rows: dict[int, dict[Reading, list]] = {}
    for reading, table in tables.items():
        for row in table.to_dicts():
            rows.setdefault(row["subject_id"], {}).setdefault(reading, []).append(row)
    found = []
    for subject in sorted(rows):
        had = {code: amount for (who, code), amount in paid.items() if who == subject}
        made = naive.lines(policies, rows[subject], period, had)
        found += [{name: subject if name == "subject_id" else line[name] for name in COLUMNS} for line in made]
    return in_order(found)


def in_order(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lines by kind of subject, subject and policy."""
    return sorted(found, key=lambda line: (line["subject_kind"], line["subject_id"], line["policy"]))
