"""Merging two communities, merging two streets and dividing a community in a city of 549,000 elders.

    python bench/region_change.py --server URL --elders 549000     # on a server of yours; the city is kept there

Each is compared with the bare UPDATE of path and region of the same persons with the same triggers and indexes, nothing else: what
moves besides (facts, contacts, orders, shares …) and the comparison of totals is what the ratio shows. The totals of every table
under the parent are counted before and after by the bench as well. Every round is rolled back, so that the city stays as it is.
"""

import argparse
import os
import statistics
import sys
import time

from _city import ORDERS, build
from _harness import verdict

BAR = 6.0


#: What a change writes by itself, so that there is more of it afterwards: events, and the dated responsible regions.
WRITES = {"kernel_event", "people_personfact"}


def timed(work, above: str) -> tuple[float, int, int]:
    """Seconds of ``work()``, its answer, and how many rows hang on regions under ``above``: the same before and after, or
    AssertionError. Rolled back."""
    from django.db import transaction

    from sangyu.kernel.actor import Actor
    from sangyu.kernel.scoping import scope
    from sangyu.registry.regions.moving import holdings

    def totals() -> dict[str, int]:
        return {table: count for table, count in holdings([above]).items() if table not in WRITES}

    with scope(Actor.job("bench")):
        before = totals()
        began = time.perf_counter()
        answer = work()
        spent = time.perf_counter() - began
        after = totals()
        assert before == after, {t: (before.get(t), after.get(t)) for t in {*before, *after}}
        transaction.set_rollback(True)
    return spent, answer, sum(after.values())


def bare(where: str, values: list, target) -> int:
    """The plain UPDATE: the persons that ``where`` finds now hang on ``target``."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE people_person SET path = %s, region_id = %s WHERE {where}", [target.path, target.pk, *values]
        )
        return cursor.rowcount


def changes() -> dict:
    """Name → (the region above, the change, the bare UPDATE), all of the county and street where the first elder lives."""
    from django.utils import timezone

    from sangyu.kernel.actor import Actor
    from sangyu.registry.people import areas
    from sangyu.registry.people.models import Person
    from sangyu.registry.regions import services
    from sangyu.registry.regions.models import Region

    job, today = Actor.job("bench"), timezone.localdate()
    first = Person.objects.values_list("path", flat=True).first()

    def two_under(path: str):
        return Region.objects.filter(parent__path=path, valid_to=None).order_by("path")[:2]

    def merge(one, two):
        return lambda: services.merge(actor=job, region_ids=[one.pk, two.pk], into=one.pk, day=today, reason="bench")

    (street, other), (community, neighbour) = two_under(first[:12]), two_under(first[:15])
    leaving = list(
        Person.objects.filter(region=community, died_on=None).order_by("address", "pk").values_list("pk", flat=True)
    )
    leaving = leaving[: len(leaving) // 2]

    def divide():
        part = services.Part(name="新划社区", code="210899999001")
        (new,) = services.split(actor=job, region_id=community.pk, parts=[part], day=today, reason="bench")
        done = areas.reassign(actor=job, ids=leaving, region_id=new.pk, day=today, reason="bench")
        assert len(done.previous) == len(leaving)

    within = "path >= %s AND path < %s || '~'"
    return {
        "merge of communities": (
            first[:15], merge(community, neighbour), lambda: bare("path = %s", [neighbour.path], community),
        ),
        "merge of streets": (first[:12], merge(street, other), lambda: bare(within, [other.path] * 2, street)),
        "division of a community": (first[:15], divide, lambda: bare("id = ANY(%s)", [leaving], neighbour)),
    }  # fmt: skip


def measure(rounds: int) -> bool:
    kept = True
    for name, (above, change, plain) in changes().items():
        ratios = []
        for n in range(rounds):
            (a, _none, held), (b, moved, _held) = timed(change, above), timed(plain, above)
            ratios.append(a / b)
            print(
                f"  {name}, round {n + 1}: {a:.2f} s ({held:,} rows of all tables, before as after), "
                f"bare UPDATE {b:.2f} s ({moved:,} elders), {a / b:.1f}x",
                flush=True,
            )
        median = statistics.median(ratios)
        kept &= verdict(name, f"{median:.1f}x", "the bare UPDATE of the persons alone", f"{BAR:g}x", median <= BAR)
    return kept


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--server", required=True)
    parser.add_argument("--elders", type=int, default=549_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    os.environ["SANGYU_TEST_DATABASE_URL"] = build(options.server, options.elders, ORDERS)
    os.environ["DJANGO_SETTINGS_MODULE"] = "_settings_city"
    import django

    django.setup()
    return 0 if measure(options.rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
