"""What every bench shares: an embedded server of its own with its default settings, client processes, rounds, the verdict."""

import contextlib
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))


@contextlib.contextmanager
def server(options: dict[str, str] | None = None) -> Iterator["Postgres"]:  # noqa: F821
    """A fresh embedded PostgreSQL, durable as in production; stopped and removed at the end. Django points at it."""
    from sangyu.runtime.engines.postgres import Postgres

    home = Path(tempfile.mkdtemp(prefix="sangyu-bench-"))
    home.chmod(0o711)
    postgres = Postgres(home, options)
    try:
        postgres.start()
        postgres.set_up()
        yield postgres
    finally:
        postgres.stop()
        shutil.rmtree(home, ignore_errors=True)


def django_as(url: str) -> None:
    """Set Django up against ``url``, once per process."""
    os.environ["SANGYU_TEST_DATABASE_URL"] = url
    os.environ["DJANGO_SETTINGS_MODULE"] = "_settings"
    import django

    django.setup()


def migrated(postgres) -> None:
    """Create the schema as its owner, in a process of its own: the bench itself connects as the application does."""
    env = {
        **os.environ,
        "SANGYU_TEST_DATABASE_URL": postgres.url("postgres"),
        "DJANGO_SETTINGS_MODULE": "_settings",
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]),
    }
    subprocess.run([sys.executable, "-m", "django", "migrate", "--skip-checks", "-v", "0"], env=env, check=True)


def together(processes: int, work: Callable[[int], float]) -> list[float]:
    """Run ``work(n)`` in ``processes`` forked processes at once; their answers. Close database connections before."""
    context = multiprocessing.get_context("fork")
    queue = context.Queue()

    def run(n: int) -> None:
        try:
            queue.put((n, work(n)))
        except BaseException as error:
            queue.put((n, error))
            raise

    started = [context.Process(target=run, args=(n,)) for n in range(processes)]
    for p in started:
        p.start()
    answers = dict(queue.get(timeout=600) for _ in started)
    for p in started:
        p.join()
    failed = [a for a in answers.values() if isinstance(a, BaseException)]
    if failed:
        raise failed[0]
    return [answers[n] for n in range(processes)]


def rounds(count: int, ours: Callable[[int], float], theirs: Callable[[int], float], names: tuple[str, str], unit: str):
    """Interleave ``count`` rounds of both sides, print each, answer both medians."""
    ours_all, theirs_all = [], []
    for n in range(count):
        a, b = (ours(n), theirs(n)) if n % 2 else (theirs(n), ours(n))[::-1]
        ours_all.append(a)
        theirs_all.append(b)
        print(
            f"  round {n + 1}: {names[0]} {a:,.0f} {unit}   {names[1]} {b:,.0f} {unit}   ratio {a / b:.2f}", flush=True
        )
    a, b = statistics.median(ours_all), statistics.median(theirs_all)
    print(f"  median:  {names[0]} {a:,.0f} {unit}   {names[1]} {b:,.0f} {unit}   ratio {a / b:.2f}", flush=True)
    return a, b


def verdict(name: str, measured: str, what: str, bar: str, passed: bool) -> bool:
    """One closing line; benches end with these and exit 0 only if all pass."""
    print(f"{name}: {measured} vs {what} (bar {bar}) {'PASS' if passed else 'SHORT'}", flush=True)
    return passed
