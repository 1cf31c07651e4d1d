"""A whole pass over the register for files of one human being, beside Splink (DuckDB) on the same rows.

``make bench NAME=duplicates`` (549,000 rows), or ``python bench/duplicates.py --rows 50000``. 2% of the rows are second
registrations with typing errors, swapped characters, changed telephones and missing numbers; couples, namesakes and twins must
not match. Weights were set on the pairs of the one half; recall and precision are told of the other half. Splink estimates its own
weights from the rows, and its threshold is the one that is best on the first half. Seconds: from loaded tables to scored pairs.
"""

import argparse
import csv
import logging
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from _harness import server, verdict

ROUNDS = 3


def set_up(url: str) -> None:
    os.environ["SANGYU_TEST_DATABASE_URL"] = url
    os.environ["DJANGO_SETTINGS_MODULE"] = "sangyu.runtime.settings.test"
    import django

    django.setup()


def load(rows) -> float:
    """COPY into the register's own table, without triggers and foreign keys: the rows are made up."""
    from _twice import COLUMNS, records
    from django.db import connection

    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("TRUNCATE people_person CASCADE")
        with cursor.copy(f"COPY people_person ({', '.join(COLUMNS)}) FROM STDIN") as copy:
            for record in records(rows):
                copy.write_row(record)
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("ANALYZE people_person")
    return time.perf_counter() - began


def held_out(pair: tuple[int, int]) -> bool:
    """Half of the pairs, by the smaller id: nothing was tuned on them."""
    return pair[0] * 2654435761 % 2**32 >= 2**31


def quality(found: set, true: set, half) -> tuple[float, float]:
    """Recall and precision among the pairs of one half."""
    f, t = {p for p in found if half(p)}, {p for p in true if half(p)}
    hit = len(f & t)
    return hit / max(len(t), 1), hit / max(len(f), 1)


def ours(explain: bool = False) -> tuple[float, dict, int]:
    from datetime import date

    from django.db import connection

    from sangyu.kernel.actor import Actor
    from sangyu.kernel.scoping import scope
    from sangyu.registry.duplicates.finding import find
    from sangyu.registry.duplicates.rules import rules_on

    began = time.perf_counter()
    at = [began]

    def told(what):
        if explain:
            print(f"    {what}: {time.perf_counter() - at[0]:.1f} s")
            at[0] = time.perf_counter()

    with scope(Actor.job("bench")), connection.cursor() as cursor:
        done = find(rules_on(date(2026, 11, 1)), told=told)
        took = time.perf_counter() - began
        cursor.execute("SELECT first, second, score, levels FROM duplicate_pair")
        pairs = {(a, b): (score, levels) for a, b, score, levels in cursor.fetchall()}
    return took, pairs, done.compared


def splink(rows) -> tuple[float, dict]:
    """The usual way: estimated weights, the same blocking keys, comparisons of the same columns."""
    import duckdb
    import splink.comparison_library as cl
    from splink import Linker, SettingsCreator, block_on
    from splink.backends.duckdb import DuckDBAPI

    from sangyu.kernel.names import pinyin_of

    names = [
        "unique_id",
        "name",
        "pinyin",
        "surname",
        "birth",
        "year",
        "sex",
        "phone",
        "identity",
        "community",
        "street",
        "county",
        "address",
        "monthday",
    ]
    memory = duckdb.connect(":memory:")
    with tempfile.NamedTemporaryFile("w", suffix=".csv", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        for r in rows:
            swapped = "-".join(sorted((f"{r['birth']:%m}", f"{r['birth']:%d}")))
            writer.writerow(
                (
                    r["id"], r["name"], pinyin_of(r["name"])[0], r["name"][0], r["birth"], r["birth"].year, r["sex"], r["phone"],
                    r["id_number"], r["path"], r["path"][:15], r["path"][:12], r["address"], swapped,
                )
            )  # fmt: skip
        file.flush()
        memory.execute(
            "CREATE TABLE elders AS SELECT * REPLACE (unique_id::bigint AS unique_id) "
            f"FROM read_csv('{file.name}', all_varchar = true, header = true, nullstr = '')"
        )
    blocks = [
        block_on("pinyin", "birth"), block_on("surname", "birth"), block_on("phone"), block_on("pinyin", "street"),
        block_on("pinyin", "county", "year"), block_on("pinyin", "county", "monthday"), block_on("community", "birth"),
    ]  # fmt: skip
    settings = SettingsCreator(
        link_type="dedupe_only",
        blocking_rules_to_generate_predictions=blocks,
        comparisons=[
            cl.LevenshteinAtThresholds("name", 1).configure(term_frequency_adjustments=True),
            cl.LevenshteinAtThresholds("birth", [1, 2]),
            cl.ExactMatch("sex"),
            cl.LevenshteinAtThresholds("phone", 1),
            cl.ExactMatch("identity"),
            cl.ExactMatch("community"),
            cl.JaroWinklerAtThresholds("address", [0.9, 0.7]),
        ],
        retain_intermediate_calculation_columns=False,
        retain_matching_columns=False,
    )
    began = time.perf_counter()
    linker = Linker(DuckDBAPI(memory).register("elders"), settings, log_level=logging.ERROR)
    linker.training.estimate_probability_two_random_records_match([block_on("pinyin", "birth", "street")], recall=0.6)
    linker.training.estimate_u_using_random_sampling(max_pairs=2e6)
    for rule in (block_on("surname", "birth"), block_on("phone"), block_on("pinyin", "street")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    answer = linker.inference.predict(threshold_match_weight=-10)
    took = time.perf_counter() - began
    table = memory.execute(f"SELECT unique_id_l, unique_id_r, match_weight FROM {answer.physical_name}").fetchall()
    return took, {(min(a, b), max(a, b)): weight for a, b, weight in table}


def best_threshold(scored: dict, true: set, half) -> float:
    """The threshold with the best harmonic mean on one half."""
    mine = sorted(((w, p) for p, w in scored.items() if half(p)), reverse=True)
    wanted, hit, best, at = sum(map(half, true)), 0, 0.0, 0.0
    for n, (w, p) in enumerate(mine, 1):
        hit += p in true
        f = 2 * hit / (n + wanted)
        if f > best:
            best, at = f, w
    return at


def faults(pairs, true, rows, half, most=12) -> None:
    by_id = {r["id"]: r for r in rows}
    for label, wrong in (
        ("missed", sorted(p for p in true - set(pairs) if half(p))),
        ("wrong", sorted(p for p in set(pairs) - true if half(p))),
    ):
        print(f"  {label}: {len(wrong)}")
        for a, b in wrong[:most]:
            one, two = by_id[a], by_id[b]
            print(
                "   ",
                *(f"{one[k]}|{two[k]}" for k in ("name", "birth", "phone", "id_number", "path", "address")),
                pairs.get((a, b)),
            )


def run(rows_count: int, peer: str, explain: bool, loaded: bool, rounds: int) -> bool:
    from _twice import people

    began = time.perf_counter()
    rows, true = people(rows_count)
    print(f"{len(rows):,} rows, {len(true):,} pairs planted, made in {time.perf_counter() - began:.0f} s", flush=True)
    if not loaded:
        print(f"loaded in {load(rows):.0f} s", flush=True)
    mine, theirs, pairs = [], [], {}
    sample = rows
    for n in range(1 if explain else rounds):
        took, pairs, compared = ours(explain)
        mine.append(took)
        line = f"  round {n + 1}: sangyu {took:.1f} s ({compared:,} pairs compared, {len(pairs):,} to review)"
        if peer != "no":
            their_took, scored = splink(sample)
            theirs.append(their_took)
            line += f"   splink {their_took:.1f} s ({len(scored):,} pairs)   ratio {their_took / took:.1f}"
        print(line, flush=True)

    def first(p):
        return not held_out(p)

    print("  weights' half: recall {:.4f}, precision {:.4f}".format(*quality(set(pairs), true, first)))
    recall, precision = quality(set(pairs), true, held_out)
    print(f"  held-out half: recall {recall:.4f}, precision {precision:.4f}")
    if explain:
        faults(pairs, true, rows, first)
    good = verdict("duplicates", f"recall {recall:.4f}, precision {precision:.4f}", "the held-out half", ">= 0.98 each",
                   recall >= 0.98 and precision >= 0.98)  # fmt: skip
    if peer != "no":
        at = best_threshold(scored, true, first)
        theirs_found = {p for p, w in scored.items() if w >= at}
        r, p = quality(theirs_found, true, held_out)
        ratio = statistics.median(t / m for t, m in zip(theirs, mine, strict=True))
        print(f"  splink on the same held-out half: recall {r:.4f}, precision {p:.4f} (threshold {at:.1f})")
        good &= verdict(
            "duplicates",
            f"{statistics.median(mine):.1f} s",
            f"Splink's {statistics.median(theirs):.1f} s, {ratio:.1f}x",
            "told",
            True,
        )
    return good


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=549_000)
    parser.add_argument("--peer", choices=["yes", "no"], default="yes")
    parser.add_argument(
        "--explain", action="store_true", help="time per step, and the pairs of the first half that are wrong"
    )
    parser.add_argument("--url", default="", help="a migrated scratch database instead of an embedded server")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--loaded", action="store_true", help="the rows of an earlier run are in the scratch database")
    args = parser.parse_args()
    if args.url:
        set_up(args.url)
        sys.exit(0 if run(args.rows, args.peer, args.explain, args.loaded, args.rounds) else 1)
    with server() as postgres:
        set_up(postgres.url("postgres"))
        from django.core.management import call_command

        call_command("migrate", verbosity=0, skip_checks=True)
        sys.exit(0 if run(args.rows, args.peer, args.explain, False, args.rounds) else 1)
