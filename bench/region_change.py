"""Merging two streets and dividing a community in a city of 549,000 elders, against the bare UPDATE of the same rows.

    python bench/region_change.py --server URL --elders 549000     # on a server of yours; the city is kept there

The limit is one UPDATE of path and region of the same persons with the same triggers and indexes, nothing else. Every round is
rolled back, so that the city stays as it is; rounds alternate.
"""

import argparse
import os
import statistics
import sys
import time

from _city import ORDERS, build
from _harness import verdict

BAR = 6.0


def timed(work) -> tuple[float, int]:
    """Seconds and rows of ``work()``, rolled back."""
    from django.db import transaction

    with transaction.atomic():
        began = time.perf_counter()
        rows = work()
        spent = time.perf_counter() - began
        transaction.set_rollback(True)
    return spent, rows


def measure(rounds: int) -> bool:
    from django.db import connection
    from django.utils import timezone

    from sangyu.kernel.actor import Actor
    from sangyu.registry.people.models import Person
    from sangyu.registry.regions import services
    from sangyu.registry.regions.models import Region

    job, today = Actor.job("bench"), timezone.localdate()
    parent = Region.objects.get(path=Person.objects.values_list("path", flat=True).first()[:15])
    one, two = Region.objects.filter(parent=parent, valid_to=None).order_by("path")[:2]

    def ours() -> int:
        services.merge(actor=job, region_ids=[one.pk, two.pk], into=one.pk, day=today, reason="bench")
        return Person.objects.filter(region=one).count()

    def bare() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE people_person SET path = %s, region_id = %s WHERE path = %s", [one.path, one.pk, two.path]
            )
            return cursor.rowcount

    ratios = []
    for n in range(rounds):
        (a, kept), (b, moved) = timed(ours), timed(bare)
        ratios.append(a / b)
        print(
            f"  round {n + 1}: merge {a:.2f} s ({kept:,} elders after), bare UPDATE {b:.2f} s ({moved:,} rows), {a / b:.1f}x"
        )
    median = statistics.median(ratios)
    return verdict("region merge", f"{median:.1f}x", "the bare UPDATE of the persons alone", f"{BAR:g}x", median <= BAR)


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
