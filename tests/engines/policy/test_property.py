"""Random people under random policies: the compiled expressions and the naive interpreter agree on every line (issue 4 §5.2)."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from sangyu.engines.policy import Period, sentence
from support.evaluation import INCOME, VOCABULARY, lines, policy

YEAR = date(2026, 1, 1)
MONTHS = [Period.month(2026, m) for m in range(1, 13)]
NAMES = ["income_category", "care_level", "payment_level", "three_no", "alive", "children", "pension", "residence"]
births = (
    st.dates(date(1924, 1, 1), date(1955, 12, 31))
    | st.dates(date(1956, 1, 1), date(1968, 12, 31))
    | st.sampled_from(
        [
            date(1936, 2, 29),
            date(1936, 3, 1),
            date(1936, 3, 31),
            date(1936, 12, 31),
            date(1937, 1, 1),
            date(1926, 3, 15),
        ]
    )
)
days = st.dates(date(2025, 11, 1), date(2027, 1, 31))


# ---------------------------------------------------------------- policies
codes = st.lists(st.sampled_from([*INCOME]), min_size=1, max_size=5, unique=True).map(lambda c: f"({', '.join(c)})")
size = st.sampled_from(["<", "<=", "=", ">", ">=", "!="])
leaves = st.one_of(
    st.builds(lambda op, n: f"年龄 {op} {n}", size, st.integers(58, 100)),
    st.builds(lambda a, n: f"age between {a} and {a + n}", st.integers(60, 95), st.integers(0, 9)),
    st.builds(lambda op, c: f"经济状况 {op} {c}", st.sampled_from(["属于", "不属于", "in", "not in"]), codes),
    st.builds(lambda op, c: f"care_level {op} {c}", st.sampled_from([">=", "<=", "="]), st.sampled_from("01234")),
    st.builds(lambda op, n: f"children {op} {n}", size, st.integers(0, 3)),
    st.builds(lambda op, n: f"养老金 * 2 - 100元 {op} {n}元", size, st.integers(0, 9000)),
    st.builds(lambda op, n: f"满月数(登记日期) {op} {n}", size, st.integers(-3, 14)),
    st.builds(lambda op, n: f"相隔月数(applied_on, 登记日期) {op} {n}", size, st.integers(-3, 14)),
    st.builds(lambda op, n: f"years_since(出生日期) {op} {n}", size, st.integers(58, 100)),
    st.builds(lambda op, d: f"registered_on {op} {d}", size, days),
    st.sampled_from(["三无", "非 三无", "在世 = 是", "three_no = no", "补贴档次 = 失能", "居住场所 != 居家", "children is unknown", "经济状况 已知"]),
)  # fmt: skip
#: Conditions that most people meet: without them nearly every table of lines would be empty.
WIDE = ["年龄 >= 60", "年龄 < 95", "出生日期 已知", "children is unknown or children >= 0", "经济状况 != 普通"]
wide = st.sampled_from(WIDE)
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda a, b: f"({a}) 且 ({b})", inner, inner),
        st.builds(lambda a, b: f"({a}) or ({b})", inner, inner),
        st.builds(lambda a: f"not ({a})", inner),
    ),
    max_leaves=5,
)
sums = st.one_of(
    st.integers(1, 2000).map(lambda n: f"{n}元"),
    st.sampled_from(["33.33元", "1000元 / 3", "养老金 * 17%", "min(养老金, 500元)", "max(300元, 100元 * children)", "50元 + 1元 * (age - 60)"]),
)  # fmt: skip
shared = st.sampled_from(["0%", "25%", "33.3%", "100%", "100%"])
edges = st.sampled_from(
    [
        *[""] * 4,
        "starts: {at: applied_on, from: day}",
        "starts: {at: applied_on, from: month}",
        "starts: {at: 申请日期, from: next_month}",
    ]
)
stops = st.sampled_from(
    [
        *[""] * 2,
        "stops: {at: died_on, until: day}",
        "stops: {at: died_on, until: month}",
        "stops: {at: died_on, until: month_before}",
    ]
)
periods = st.sampled_from(
    ["month"] * 5
    + [
        "once", "{every: quarter, month: 3}", "{every: year, month: 6}", "{every: year, month: 1, covers: previous}",
     "{every: year, month: 2, joiners: monthly}", "{every: festival, festival: double_ninth}"]
)  # fmt: skip


@st.composite
def bodies(draw) -> str:
    period = draw(periods)
    read = draw(st.sampled_from(["first_day", "last_day", "previous_month_end", "pay_day"] + ["each_day"] * 4))
    read = "pay_day" if "festival" in period else read
    parts = ["none", "days", "months"] + ["half_month"] * (period in ("month", "once"))
    prorate = draw(st.sampled_from(parts)) if read == "each_day" else "none"
    rows = draw(st.lists(st.tuples(conditions, sums), max_size=3))
    found = [
        f"period: {period}",
        f"read: {read}",
        f"birthday: {draw(st.sampled_from(['day', 'month', 'next_month', 'january']))}",
    ]
    found += [
        draw(edges),
        draw(stops),
        "who:",
        f'  - "{draw(st.one_of(wide, wide, wide, conditions))}"',
    ]
    if draw(st.integers(0, 5)) == 0:
        shares = draw(st.lists(st.tuples(wide | conditions, shared), max_size=3))
        found += ["copayment:", "  table:", *(f'    - {{when: "{c}", share: {s}}}' for c, s in shares)]
        return "\n".join(line for line in [*found, f"    - {{share: {draw(shared)}}}"] if line)
    found += [
        "amount:",
        f"  prorate: {prorate}",
        f"  round: {{to: {draw(st.sampled_from(['fen', 'jiao', 'yuan']))}, way: {draw(st.sampled_from(['half_up', 'up', 'down']))}}}",
    ]
    found += draw(st.sampled_from([[], ["  minimum: 20元", "  maximum: 600元"]]))
    if rows:
        found += ["  table:", *(f'    - {{when: "{c}", amount: "{s}"}}' for c, s in rows)]
        # Without a last row for everybody else few would find theirs.
        found += [f'    - {{amount: "{draw(sums)}"}}'] * draw(st.sampled_from([0, 1, 1]))
    else:
        found.append(f'  formula: "{draw(sums)}"')
    stacking = draw(
        st.sampled_from(
            [
                "",
                "{group: g, rule: highest}",
                "{group: g, rule: top_up}",
                "{group: g}",
                "{excludes: [p-1, p-2]}",
                "{excluded_by: [p-0]}",
            ]
        )
    )
    found += [f"stacking: {stacking}"] if stacking else []
    if period == "once" or "joiners" in period:
        found.append(f"repeat: {draw(st.sampled_from(['never', 'difference', 'settle']))}")
    return "\n".join(line for line in found if line)


# ---------------------------------------------------------------- people
def mostly(known) -> st.SearchStrategy:
    """A fact that is unknown of one in five. What is drawn most often is the simplest, so that must be known."""
    return st.integers(0, 4).flatmap(lambda n: known if n < 4 else st.none())


facts = st.fixed_dictionaries(
    {
        "income_category": mostly(st.sampled_from([*INCOME])),
        "care_level": mostly(st.sampled_from("01234")),
        "payment_level": mostly(st.sampled_from(["self_care", "part", "full"])),
        "three_no": mostly(st.booleans()),
        "alive": mostly(st.booleans()),
        "children": mostly(st.integers(0, 3)),
        "pension": mostly(st.integers(0, 900_000)),
        "residence": mostly(st.sampled_from(["home", "institution"])),
    }
)
own = st.fixed_dictionaries(
    {
        "birth_date": mostly(births),
        "died_on": st.one_of(st.none(), st.none(), days),
        "applied_on": mostly(days | st.dates(date(2025, 6, 1), date(2026, 1, 31))),
        "registered_on": mostly(days),
    }
)


@st.composite
def people(draw) -> list[dict]:
    """Rows that tile two years: whatever window is read, they cover it."""
    found = []
    for subject in range(1, draw(st.integers(3, 8)) + 1):
        fixed = draw(own)
        cuts = sorted(draw(st.lists(st.integers(0, 729), max_size=3, unique=True)))
        ends = [date(2025, 1, 1), *(date(2025, 1, 1) + timedelta(c) for c in cuts if c), date(2027, 1, 1)]
        for start, end in pairwise(ends):
            found.append({"subject_id": subject, "from": start, "to": end, **fixed, **draw(facts)})
    return found


def one_a_day(rows: list[dict]) -> list[dict]:
    """For readings of one day: the first row of each subject."""
    return list({row["subject_id"]: row for row in reversed(rows)}.values())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_compiled_and_naive_agree(data):
    """R-038 … R-061: ages, stretches, tables, stacking; ``lines`` compares both ways line by line."""
    texts = data.draw(st.lists(bodies(), min_size=1, max_size=3))
    policies = [policy(text.replace(f"p-{n}", "other"), f"p-{n}") for n, text in enumerate(texts)]
    rows = data.draw(people())
    if any(p.mode == "day" for p in policies):
        rows = one_a_day(rows)
        rows = [{**row, "from": date(2025, 1, 1), "to": date(2027, 1, 1)} for row in rows]
    paid = data.draw(st.none() | st.just({(1, "p-0"): 5_000, (2, "p-1"): 90_000}))
    due = {month: sum(p.due(month.start) is not None for p in policies) for month in MONTHS}
    month = data.draw(st.sampled_from([m for m in MONTHS if due[m] == max(due.values())]))
    found = lines(policies, rows, month, paid)
    event(f"somebody gets something: {any(line['base'] or 0 < line['share'] < 10_000 for line in found)}")
    for one in policies:
        assert all(sentence(clause.expr) for clause in one.who)
    assert set(NAMES) <= set(VOCABULARY.terms)


@pytest.mark.parametrize("count", [1, 7, 8, 100])
def test_sums_are_exact_in_tables_of_any_length(count):
    """A column is divided in blocks where it is long: 47 yuan for the whole year stay 47 yuan (``lines`` compares with one row's sum)."""
    whole = policy(
        "period: {every: year, month: 6}\nread: each_day\nwho: 年龄 >= 60\n"
        "amount: {formula: 47元, prorate: days, round: jiao}"
    )
    rows = [{"subject_id": n, "birth_date": date(1955, 1, 1)} for n in range(count)]
    assert [line["amount"] for line in lines([whole], rows, Period.month(2026, 6))] == [4_700] * count
