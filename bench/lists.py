"""Lists, searches, the elder's file and the order board at 50,000 and 549,000 elders, each as a multiple of a bare view.

    make bench NAME=lists                                    # its own server, both cities: about half an hour
    python bench/lists.py --server URL --elders 5000 20000   # on a server of yours; the cities are kept there

Requests go through Django's test client with the real middleware, a real session and row-level security: what is measured
is the work of the server process, the same on both sides. The yardstick is a view with one primary-key query under the same
middleware and scope. Rounds alternate between all cases and the yardstick; of each round the 95th percentile is taken, of the
rounds the median ratio. Three users: the bureau over the whole city, a street, a community. Beside it stand the same two ratios of processor
seconds ("cpu"), of the process and of its database backend together, which other work on the machine hardly moves.
"""

import argparse
import gzip
import itertools
import os
import random
import re
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from _city import ORDERS, build, paths
from _harness import server, verdict

RATIO, FLAT, QUERIES, PROFILE_QUERIES, BYTES = 8.0, 1.3, 12, 25, 120 * 1024
ROUNDS, REQUESTS = 7, 20


@dataclass
class Case:
    """One kind of request; ``addresses`` gives a new one each time."""

    name: str
    addresses: Iterator[str]
    users: tuple[str, ...] = ("bureau", "street", "community")
    queries: int = QUERIES
    fragment: bool = False
    times: dict[str, list[list[float]]] = field(default_factory=dict)
    cpu: dict[str, list[list[float]]] = field(default_factory=dict)
    asked: int = 0
    sent: int = 0


class Facts:
    """What the requests ask for: real values of the city, drawn with a fixed seed."""

    def __init__(self) -> None:
        from django.db import connection
        from django.db.models import Count

        from sangyu.care.orders.models import Order
        from sangyu.registry.accounts.models import Account
        from sangyu.registry.people.models import Person

        self.accounts = {n: Account.objects.get(username=n) for n in ("bureau", "street", "community")}
        dice = random.Random(7)
        low, high = Person.objects.order_by("pk").first().pk, Person.objects.order_by("-pk").first().pk
        found = list(Person.objects.filter(pk__in=dice.sample(range(low, high), 600)))
        found = [p for p in found if p.id_number and p.phone]
        community = self.accounts["community"].path
        self.own = list(Person.objects.filter(path=community)[:200])  # seen by all three
        names = Person.objects.order_by().values_list("name").annotate(n=Count("pk"))
        self.rare = [n for (n, c) in names.filter(n=1)[:200]]
        self.common = [n for (n, c) in names.order_by("-n")[:30]]
        self.given = [n[1:] for n in self.common]
        self.initials = [p.initials for p in found]
        self.tails = [p.phone[-4:] for p in found]
        self.id_tails = [p.id_number[-4:] for p in found]
        self.ids = [p.id_number for p in found]
        self.addresses = ["阳光花园", "幸福家园", "平安路", "3号楼2单元", "光华路"]
        self.numbers = list(Order.objects.order_by("-pk").values_list("number", flat=True)[:200])
        street = self.accounts["street"].path
        self.streets = list(
            dict.fromkeys(p[: len(street)] for p in Person.objects.order_by().values_list("path", flat=True).distinct())
        )
        connection.close()


def cases(facts: Facts) -> list[Case]:
    dice = random.Random(11)

    def drawn(form: str, values: list) -> Iterator[str]:
        from urllib.parse import quote

        return (form.format(quote(str(v))) for v in iter(lambda: dice.choice(values), None))

    def turn(*addresses: str) -> Iterator[str]:
        return itertools.cycle(addresses)

    elders = "/people/?view=all"
    return [
        Case("elder list", turn(elders)),
        Case(
            "elder list, sorted", turn("/people/?sort=name", "/people/?sort=-birth_date", "/people/?sort=completeness")
        ),
        Case(
            "elder list, filtered",
            turn(
                "/people/?tag=alone&age_from=80&alive=1",
                "/people/?care_level=3",
                "/people/?completeness_below=60&alive=1",
                "/people/?sex=1&age_from=90&tag=dementia",
            ),
        ),
        Case("elder list, a street", drawn("/people/?path={}", facts.streets), ("bureau",)),
        Case("search: rare name", drawn("/people/?q={}", facts.rare)),
        Case("search: common name", drawn("/people/?q={}", facts.common)),
        Case("search: surname 王", turn("/people/?q=王")),
        Case("search: given name", drawn("/people/?q={}", facts.given)),
        Case("search: initials", drawn("/people/?q={}", facts.initials)),
        Case("search: phone tail", drawn("/people/?q={}", facts.tails)),
        Case("search: ID tail", drawn("/people/?q={}", facts.id_tails)),
        Case("search: whole ID", drawn("/people/?q={}", facts.ids)),
        Case("search: address part", drawn("/people/?q={}", facts.addresses)),
        Case("top bar search", drawn("/casefile/search/?q={}", facts.common + facts.rare), fragment=True),
        Case("elder's file", drawn("/casefile/{}/", [p.pk for p in facts.own]), queries=PROFILE_QUERIES),
        Case(
            "order board",
            turn("/orders/?view=all", "/orders/?state=received", "/orders/?state=settled", "/orders/?state=open"),
        ),
        Case("order board, search", drawn("/orders/?q={}", facts.numbers)),
    ]


def clients(facts: Facts) -> dict:
    from django.test import Client

    made = {}
    for name, account in facts.accounts.items():
        made[name] = Client()
        made[name].force_login(account)
    return made


def backend_seconds() -> float:
    """Processor time of the database backend that serves us; 0 where it cannot be read (a server elsewhere)."""
    from django.db import connection

    try:
        return int(Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text().split()[0]) / 1e9
    except (AttributeError, OSError):
        return 0.0


def fetch(client, address: str, fragment: bool) -> tuple[float, float, bytes]:
    """Seconds by the clock, processor seconds of this process and its backend, the page."""
    headers = {"HX-Request": "true"} if fragment else {}
    queried = backend_seconds()
    began, worked = time.perf_counter(), time.process_time()
    response = client.get(address, headers=headers)
    content = response.content
    spent, worked = time.perf_counter() - began, time.process_time() - worked
    worked += backend_seconds() - queried
    if response.status_code != 200:
        raise SystemExit(f"{address} answered {response.status_code} {response.get('Location', '')}")
    return spent, worked, content


def p95(times: list[float]) -> float:
    return sorted(times)[max(0, int(len(times) * 0.95) - 1)]


def measure(rounds: int, requests: int) -> dict[str, dict]:
    """Ratio, milliseconds, queries and bytes of each case on the city that Django is set up for."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    facts = Facts()
    users, asked = clients(facts), cases(facts)
    own = [p.pk for p in facts.own]
    for case in asked:  # warm, and counted
        for user in case.users:
            for _n in range(3):
                fetch(users[user], next(case.addresses), case.fragment)
            with CaptureQueriesContext(connection) as queries:
                _spent, _worked, content = fetch(users[user], next(case.addresses), case.fragment)
            case.asked = max(case.asked, len(queries))
            case.sent = max(case.sent, len(gzip.compress(content, 6)))
            if not case.fragment:
                case.static = static_bytes(content.decode())
    bare: list[dict[str, float]] = []
    bare_cpu: list[dict[str, float]] = []
    for n in range(rounds):
        found, found_cpu = {}, {}
        for user, client in users.items():
            asks = [fetch(client, f"/bare/{random.choice(own)}/", False) for _n in range(requests * 3)]
            found[user] = p95([spent for spent, _worked, _content in asks])
            found_cpu[user] = p95([worked for _spent, worked, _content in asks])
        bare.append(found)
        bare_cpu.append(found_cpu)
        for case in asked if n % 2 else reversed(asked):
            for user in case.users:
                asks = [fetch(users[user], next(case.addresses), case.fragment) for _n in range(requests)]
                case.times.setdefault(user, []).append([spent for spent, _worked, _content in asks])
                case.cpu.setdefault(user, []).append([worked for _spent, worked, _content in asks])
    answers = {}
    for case in asked:
        per_user = ratios(case.times, bare)
        slowest = max(per_user, key=per_user.get)
        answers[case.name] = {
            "ratio": per_user[slowest],
            "user": slowest,
            "per_user": per_user,
            "cpu": max(ratios(case.cpu, bare_cpu).values()),
            "ms": 1000 * statistics.median(p95(t) for t in case.times[slowest]),
            "queries": case.asked,
            "query_bar": case.queries,
            "bytes": case.sent + getattr(case, "static", 0),
        }
    answers["bare view"] = {"ms": 1000 * statistics.median(b["bureau"] for b in bare)}
    return answers


def ratios(times: dict[str, list[list[float]]], bare: list[dict[str, float]]) -> dict[str, float]:
    """Of each user the median over the rounds: 95th percentile beside that of the bare view."""
    return {
        user: statistics.median(p95(asks) / bare[n][user] for n, asks in enumerate(rounds_of))
        for user, rounds_of in times.items()
    }


def static_bytes(html: str) -> int:
    """Compressed size of the scripts, styles and pictures of a page, as a first visit loads them."""
    import brotli
    from django.contrib.staticfiles import finders

    total = 0
    for name in set(re.findall(r'(?:src|href)="/static/([^"#?]+)', html)):
        if path := finders.find(name):
            total += len(brotli.compress(Path(path).read_bytes()))
    return total


def table(sizes: list[int], found: dict[int, dict]) -> bool:
    """Print all, answer whether every bar is kept."""
    small, large = sizes[0], sizes[-1]
    print(
        f"\n{'':26}" + "".join(f"{s:>10,}" for s in sizes) + "   flat    cpu   flat  user        ms  queries   KB",
        flush=True,
    )
    kept = True
    for name, last in found[large].items():
        if name == "bare view":
            continue
        flat, flat_cpu = (last[what] / found[small][name][what] for what in ("ratio", "cpu"))
        good = {
            f"> {RATIO:g}x": last["ratio"] <= RATIO,
            f"not flat > {FLAT}": flat <= FLAT or len(sizes) == 1,
            f"> {last['query_bar']} queries": last["queries"] <= last["query_bar"],
            "> 120 KB": last["bytes"] <= BYTES,
        }
        wrong = ", ".join(k for k, v in good.items() if not v)
        kept = kept and not wrong
        ratios = "".join(f"{found[s][name]['ratio']:>9.1f}x" for s in sizes)
        print(
            f"{name:26}{ratios}  {flat:5.2f}{last['cpu']:6.1f}x  {flat_cpu:5.2f}  {last['user']:10}{last['ms']:5.0f}{last['queries']:>8}{last['bytes'] / 1024:>7.0f}"
            f"  {wrong or 'PASS'}",
            flush=True,
        )
    print(f"bare view p95 {found[large]['bare view']['ms']:.2f} ms at {large:,}")
    return kept


def one(elders: int, url: str, rounds: int, requests: int) -> dict:
    """Measure one city in a process of its own: Django is set up once a process."""
    import json
    import subprocess

    env = {
        **os.environ,
        "SANGYU_TEST_DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "_settings_city",
        "PYTHONPATH": paths(),
    }
    command = [sys.executable, __file__, "--measure", str(rounds), str(requests)]
    done = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--elders", type=int, nargs="+", default=[50_000, 549_000])
    parser.add_argument("--orders", type=int, default=ORDERS)
    parser.add_argument("--server", help="a PostgreSQL where the cities are kept; else a fresh one, thrown away")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--measure", type=int, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        import json

        import django

        django.setup()
        print(json.dumps(measure(*options.measure)))
        return 0
    if options.server:
        return run(options.server, options)
    with server() as postgres:
        return run(postgres.url("postgres", "postgres"), options)


def run(address: str, options: argparse.Namespace) -> int:
    sizes = sorted(options.elders)
    urls = {n: build(address, n, options.orders) for n in sizes}
    found = {n: one(n, urls[n], options.rounds, options.requests) for n in sizes}
    kept = table(sizes, found)
    worst = max(v["ratio"] for k, v in found[sizes[-1]].items() if k != "bare view")
    return 0 if verdict("lists", f"{worst:.1f}x", "a bare one-query view, p95", f"{RATIO:g}x and all bars", kept) else 1


if __name__ == "__main__":
    sys.exit(main())
