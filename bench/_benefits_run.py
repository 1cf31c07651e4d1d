"""Part of bench/benefits.py: the whole run of a city's month, database to committed lines with the difference from last month.

    python bench/_benefits_run.py --url postgresql:///bench_lists_549000?host=/tmp/pg --rounds 3 --past 12

The limit is one bare INSERT … SELECT of the same lines (the facts as they stand, without comparing, reasons or review) into the
same table with its indexes, constraints and triggers, committed too. ``--past`` then computes a run that looks at so many earlier months
again, against one that looks at none. Policies are those that ship for Dalian's district, holding for the bench's city. Runs
that the bench makes are removed in the end.
"""

import argparse
import gc
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
POLICIES = HERE.parent / "data" / "policies"
MONTH = date(2026, 10, 1)
BAR, PAST_BAR = 4.0, 8.0


def officer(path: str, account: int = 1):
    from sangyu.kernel.actor import Actor, Audience
    from sangyu.kernel.permissions import every_permission

    return Actor(
        Audience.STAFF, path, f"测算{account}", account_id=account, role="bureau", permissions=every_permission()
    )


def prepare(city) -> int:
    """Approve the shipped policies of a district for ``city``; how many hold in the month."""
    from django.db import connection

    from sangyu.care.policies import selectors, services
    from sangyu.care.policies.models import PolicyVersion
    from sangyu.registry.documents import services as documents

    if not PolicyVersion.objects.approved().filter(path=city.path, code="age-allowance").exists():
        author, chief = officer(city.path), officer(city.path, 2)
        paper = documents.add(
            actor=author, number="测〔2020〕1号", title="测算办法", issuer="测算", level="city", kind="measures",
            issued_on=date(2020, 1, 1), valid_from=date(2020, 1, 1), valid_to=None,
        )  # fmt: skip
        code = city.code.rstrip("0")
        for file in sorted((POLICIES / "210203").glob("*.yaml")):
            text = file.read_text().replace('region: "210203"', f'region: "{code + "0" * (len(code) % 2)}"')
            made = services.draft(actor=author, text=text)
            services.approve(actor=chief, version_id=made.pk, document_id=paper.pk)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE benefits_line")
    return len(selectors.due_in(city.path, MONTH))


class Clock:
    """Seconds by stage, taken around functions of the room."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def around(self, owner: Any, name: str, stage: str) -> None:
        inner = getattr(owner, name)

        def timed(*args: Any, **kwargs: Any) -> Any:
            began = time.perf_counter()
            try:
                return inner(*args, **kwargs)
            finally:
                self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - began

        setattr(owner, name, timed)


def watched() -> Clock:
    """A clock around the stages of a run."""
    from sangyu.care.benefits import computing, evaluation
    from sangyu.care.benefits.services import preparing
    from sangyu.care.policies.frames import Store

    clock = Clock()
    clock.around(Store, "frame", "facts out")
    clock.around(evaluation, "evaluate", "evaluate")
    clock.around(evaluation, "_fresh", "facts to lines")
    clock.around(computing, "_copy", "lines in")
    clock.around(computing, "_insert", "compare and write")
    clock.around(evaluation, "_reasons", "reasons")
    clock.around(preparing, "_reviews", "reviews")
    return clock


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    gc.collect()
    began = time.perf_counter()
    made = work()
    return time.perf_counter() - began, made


def forget(run_ids: list[int]) -> None:
    """Remove runs past the triggers; the bench owns the database."""
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table in ("benefits_line", "benefits_review", "benefits_runlog"):
            cursor.execute(f"DELETE FROM {table} WHERE run_id = ANY (%s)", [run_ids])
        cursor.execute("DELETE FROM benefits_run WHERE id = ANY (%s)", [run_ids])


def whole(actor, region, month: date, back: int = 0):
    """Begin and compute one run, committed."""
    from sangyu.care.benefits import services

    run = services.begin(actor=actor, region_id=region.pk, month=month, back_months=back)
    return services.compute(actor=actor, run_id=run.pk)


def released(run) -> None:
    """As if ``run`` had been released, so that later runs look at it again."""
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE benefits_line SET state = 'released' WHERE run_id = %s", [run.pk])
        cursor.execute(
            "UPDATE benefits_run SET state = 'released', approved_at = now(), released_at = now() WHERE id = %s",
            [run.pk],
        )
        cursor.execute("SET LOCAL session_replication_role = origin")


def bare(actor, run) -> float:
    """Seconds of one INSERT … SELECT of the lines of ``run``, committed, in the officer's scope."""
    from django.db import connection

    from sangyu.kernel.scoping import as_system, scope

    columns = (
        "path, subject_kind, subject_id, person_id, policy, version_id, month, kind, form, fund, amount, computed, before, previous, "
        'quantity, days, "row", base, stacked, winner, change, facts, state, withheld_for'
    )
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_lines")
        cursor.execute(
            f"CREATE UNLOGGED TABLE bench_lines AS SELECT {columns} FROM benefits_line WHERE run_id = %s", [run.pk]
        )
        cursor.execute("GRANT SELECT ON bench_lines TO PUBLIC")
    forget([run.pk])
    from sangyu.care.benefits import services

    other = services.begin(actor=actor, region_id=run.region_id, month=run.month)

    def insert() -> int:
        with scope(actor), as_system("the bench's limit"), connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO benefits_line (run_id, {columns}) SELECT %s, {columns} FROM bench_lines", [other.pk]
            )
            return cursor.rowcount

    seconds, count = timed(insert)
    assert count == run.line_count, (count, run.line_count)
    forget([other.pk])
    return seconds


def measure(rounds: int, past: int) -> bool:
    from sangyu.care.benefits.models import Run
    from sangyu.care.benefits.services import add_months
    from sangyu.registry.people.models import Person
    from sangyu.registry.regions.models import Region

    person = Person.objects.filter(registered_on__isnull=False).first()
    city = Region.objects.get(path=person.path[: len("000001001")])
    actor = officer(city.path)
    forget(list(Run.objects.values_list("pk", flat=True)))
    print(
        f"{Person.objects.filter(registered_on__isnull=False).count():,} elders, {prepare(city)} policies due in the month"
    )
    whole(actor, city, add_months(MONTH, -1))  # last month's run, and everything warm
    clock, ratios, ours = watched(), [], []
    for n in range(rounds):
        clock.seconds.clear()
        took, run = timed(lambda: whole(actor, city, MONTH))
        stages = dict(clock.seconds)
        limit = bare(actor, run)
        ratios.append(took / limit)
        ours.append(took)
        print(
            f"  round {n + 1}: {took:.2f} s, {run.line_count:,} lines ({run.counts}); bare INSERT {limit:.2f} s; {took / limit:.2f}x"
        )
        print(
            "    "
            + ", ".join(f"{k} {v:.2f} s" for k, v in stages.items())
            + f", rest {took - sum(stages.values()):.2f} s"
        )
    good = _verdict("whole run", statistics.median(ratios), BAR, "the bare INSERT … SELECT of the same lines")
    if past:
        good &= _past(actor, city, past, rounds)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")
    forget(list(Run.objects.values_list("pk", flat=True)))
    return good


def _past(actor, city, past: int, rounds: int) -> bool:
    """A run that looks at ``past`` earlier months again against one that looks at none."""
    from sangyu.care.benefits.models import Run
    from sangyu.care.benefits.services import add_months

    forget(list(Run.objects.values_list("pk", flat=True)))
    for n in range(past, 0, -1):
        released(whole(actor, city, add_months(MONTH, -n)))
    ratios = []
    for _n in range(rounds):
        one, run = timed(lambda: whole(actor, city, MONTH))
        forget([run.pk])
        many, run = timed(lambda: whole(actor, city, MONTH, past))
        ratios.append(many / one)
        print(f"  {past} past months {many:.2f} s ({run.counts}), none {one:.2f} s: {many / one:.2f}x")
        forget([run.pk])
    return _verdict(f"{past} past months", statistics.median(ratios), PAST_BAR, "one month")


def _verdict(what: str, ratio: float, bar: float, against: str) -> bool:
    from _harness import verdict

    return verdict(what, f"{ratio:.2f}x", against, f"{bar:g}x", ratio <= bar)


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--url", required=True)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--past", type=int, default=0)
    given = asked.parse_args()
    sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]
    os.environ |= {"SANGYU_TEST_DATABASE_URL": given.url, "DJANGO_SETTINGS_MODULE": "_settings_city"}
    import django

    django.setup()
    return 0 if measure(given.rounds, given.past) else 1


if __name__ == "__main__":
    sys.exit(main())
