"""A demo city of a given size to measure on: built once, kept where a server is named, thrown away with its own server else."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ORDERS = 200_000


def url_of(server: str, elders: int) -> str:
    """``server`` (postgresql:///postgres?…) with the database of a city of ``elders``."""
    head, _sep, options = server.partition("?")
    base = head.rsplit("/", 1)[0]
    return f"{base}/bench_lists_{elders}" + (f"?{options}" if options else "")


def build(server: str, elders: int, orders: int) -> str:
    """The url of the city; builds it unless it is there."""
    import psycopg

    url = url_of(server, elders)
    with psycopg.connect(server, autocommit=True) as db:
        there = db.execute("SELECT 1 FROM pg_database WHERE datname = %s", [f"bench_lists_{elders}"]).fetchone()
        if not there:
            db.execute(f"CREATE DATABASE bench_lists_{elders}")
    env = {
        **os.environ,
        "SANGYU_TEST_DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "_settings_city",
        "PYTHONPATH": paths(),
    }
    print(f"city of {elders:,} elders and {orders:,} orders", flush=True)
    subprocess.run([sys.executable, "-m", "django", "migrate", "--skip-checks", "-v", "0"], env=env, check=True)
    subprocess.run([sys.executable, str(HERE / "_city.py"), str(elders), str(orders)], env=env, check=True)
    return url


def paths() -> str:
    return os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH", "")]))


def main(elders: int, orders: int) -> None:
    import django

    django.setup()
    from django.db import connection
    from rich.console import Console

    from sangyu.care.orders.models import Order
    from sangyu.runtime.demo import build as build_demo

    build_demo(elders=elders, orders=20, runs=False, console=Console(quiet=True))
    if Order.objects.count() < orders // 2:
        from _orders import make_orders

        print(f"  orders: {make_orders(orders):,}")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
