"""The ledger against pgbench's TPC-B (single transfers) and django-hordak (batches), on one server.

Single: 8 client processes call the public service; key, hash and limits are checked, each transfer is its own commit. A
person's account pays one of ten providers: as many hot rows as TPC-B's branches at scale 10. Batch: one client, one commit
per batch on both sides.
"""

import itertools
import random
import subprocess
import sys
import time

from _harness import django_as, migrated, rounds, server, together, verdict

SECONDS, ROUNDS, CLIENTS, PERSONS, PROVIDERS = 5, 7, 8, 100_000, 10
BATCH, HORDAK_BATCH = 10_000, 300
serial = itertools.count()


def set_up_accounts():
    from sangyu.kernel.actor import ROOT_PATH, Actor
    from sangyu.kernel.ledger import services
    from sangyu.kernel.ledger.services import Move

    job = Actor.job("bench")
    fund = services.open_account(
        actor=job, owner_kind="fund", owner_id=1, unit="fen", purpose="x", path=ROOT_PATH, floor=None
    )

    def opened(kind, count):
        rows = [(n, ROOT_PATH, None) for n in range(count)]
        return services.open_accounts(actor=job, owner_kind=kind, unit="fen", purpose="x", rows=rows)

    persons, providers = opened("person", PERSONS), opened("organisation", PROVIDERS)
    services.transfer_batch(
        actor=job, moves=[Move(fund, p, 10_000_000, f"seed:{p}") for p in persons], kind="bench.seed"
    )
    return job, persons, providers


def single(job, persons, providers, number: int) -> float:
    """Transfers a second over all clients in one round."""
    from django.db import connection

    from sangyu.kernel.ledger import services

    connection.close()

    def client(n: int) -> float:
        dice = random.Random(f"{number}/{n}")
        connection.ensure_connection()
        began = time.perf_counter()
        until, done = began + SECONDS, 0
        while time.perf_counter() < until:
            services.transfer(
                actor=job,
                debit=dice.choice(persons),
                credit=dice.choice(providers),
                amount=dice.randint(1, 5000),
                key=f"order:{number}:{n}:{done}",
                kind="order.pay",
                reference=f"order:{done}",
            )
            done += 1
        rate = done / (time.perf_counter() - began)
        connection.close()
        return rate

    return sum(together(CLIENTS, client))


def batch(job, persons, providers) -> float:
    """Transfers a second of one batch."""
    from sangyu.kernel.ledger import services
    from sangyu.kernel.ledger.services import Move

    n = next(serial)
    moves = [
        Move(random.choice(persons), random.choice(providers), random.randint(1, 100), f"batch:{n}:{i}", f"o:{i}")
        for i in range(BATCH)
    ]
    began = time.perf_counter()
    made = services.transfer_batch(actor=job, moves=moves, kind="order.pay")
    rate = BATCH / (time.perf_counter() - began)
    assert len(set(made)) == BATCH
    return rate


def hordak_accounts():
    from hordak.models import Account, AccountType

    def make(count):
        return [
            Account.objects.create(name=f"a{n}", code=None, type=AccountType.liability, currencies=["CNY"])
            for n in range(count)
        ]

    return make(300), make(PROVIDERS)


def hordak(persons, providers) -> float:
    """Transfers a second of one batch by django-hordak, in one transaction."""
    from django.db import transaction
    from moneyed import Money

    pairs = [(random.choice(persons), random.choice(providers), random.randint(1, 100)) for _ in range(HORDAK_BATCH)]
    began = time.perf_counter()
    with transaction.atomic():
        for payer, payee, fen in pairs:
            payer.transfer_to(payee, Money(fen, "CNY") / 100)
    return HORDAK_BATCH / (time.perf_counter() - began)


def pgbench(postgres, *options: str) -> str:
    program = str(postgres.binaries / "pgbench")
    done = subprocess.run(
        [program, *options, "-h", str(postgres.sockets), "-U", "postgres", "pgbench"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def tpc_b(postgres) -> float:
    said = pgbench(postgres, "-n", "-c", str(CLIENTS), "-j", "2", "-T", str(SECONDS))
    return float(next(line for line in said.splitlines() if line.startswith("tps =")).split()[2])


def invariants() -> list[str]:
    from django.db import connection

    from sangyu.kernel import checks

    with connection.cursor() as cursor:
        return [f for name, found in checks.run(cursor).items() if name.startswith("ledger.") for f in found]


def main() -> int:
    with server() as postgres:
        migrated(postgres)
        with postgres.connect() as connection:
            connection.execute("CREATE DATABASE pgbench")
            fsync = connection.execute("SHOW fsync").fetchone()[0]
        pgbench(postgres, "-i", "-q", "-s", "10")
        django_as(postgres.url("postgres"))
        people, shops = hordak_accounts()  # as the owner: the peer knows no roles
        from django.db import connections

        connections["default"].settings_dict["USER"] = "sangyu_app"
        connections.close_all()
        job, persons, providers = set_up_accounts()
        with postgres.connect("sangyu") as connection:
            connection.execute("VACUUM ANALYZE")
        print(f"PostgreSQL fsync={fsync}, {CLIENTS} clients, {SECONDS} s a round")

        def ours(n):
            return single(job, persons, providers, n)

        one, tps = rounds(ROUNDS, ours, lambda n: tpc_b(postgres), ("ledger", "pgbench TPC-B"), "tps")

        def theirs(n):
            connections["default"].settings_dict["USER"] = "postgres"
            connections.close_all()
            rate = hordak(people, shops)
            connections["default"].settings_dict["USER"] = "sangyu_app"
            connections.close_all()
            return rate

        many, peer = rounds(
            ROUNDS, lambda n: batch(job, persons, providers), theirs, ("batch", "django-hordak"), "transfers/s"
        )
        connections["default"].settings_dict["USER"] = "postgres"
        connections.close_all()
        found = invariants()
        connections.close_all()
    print("invariants after: " + ("; ".join(found) or "sum zero, balances and reservations equal their transfers"))
    passed = [
        verdict("ledger batch", f"{many / peer:.1f}x", "django-hordak", "40.0x", many >= 40 * peer and not found),
        verdict("ledger", f"{one / tps:.2f}x", "pgbench TPC-B tps", "1.00x", one >= tps and not found),
    ]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
