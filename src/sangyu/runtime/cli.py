"""``sangyu``: the operator's tool.

Commands that touch data use the running engines, or start PostgreSQL for their own duration.
"""

import contextlib
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from . import keeping, parts
from .engines import process
from .engines.process import EngineError

app = typer.Typer(
    help=(
        "Sangyu 桑榆: run, look after and try out the elder care platform. Data and keys lie in $SANGYU_HOME (default:"
        " .sangyu here)."
    ),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,  # they would print local variables: keys and personal data
)
console = Console()
errors = Console(stderr=True)


def home_folder() -> Path:
    """SANGYU_HOME, resolved."""
    return Path(os.environ.get("SANGYU_HOME", ".sangyu")).resolve()


def static_folder(home: Path) -> Path:
    return Path(os.environ.get("SANGYU_STATIC_ROOT", home / "static"))


def main() -> None:
    """Entry point: an EngineError is a message with a way out, not a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sangyu.runtime.settings.dev")
    try:
        app()
    except EngineError as error:
        errors.print(f"[bold red]✗[/] {error}", highlight=False, soft_wrap=True)
        sys.exit(1)


@contextlib.contextmanager
def database(user: str | None = None, *, here: bool = False) -> Iterator[None]:
    """Have SANGYU_DATABASE_URL name a server that runs, for the body.

    That is the configured one, the supervised one, or one of our own.

    ``user`` "sangyu_owner" signs in as the owner of the tables (SANGYU_OWNER_DATABASE_URL for a server of your own).
    """
    from .engines.postgres import APP, OWNER, Postgres, url_of
    from .supervisor import Lock

    home = home_folder()
    configured = os.environ.get("SANGYU_DATABASE_URL")
    if configured:
        if user == OWNER and not here:
            os.environ["SANGYU_DATABASE_URL"] = os.environ.get("SANGYU_OWNER_DATABASE_URL") or configured
        yield
        return
    lock = Lock(home)
    if lock.holder():
        os.environ["SANGYU_DATABASE_URL"] = url_of(home, user or APP)
        yield
        return
    process.make_folder(home, 0o711 if os.geteuid() == 0 else 0o700) if not home.exists() else None
    from . import keys

    keys.load(
        home, create=not os.environ["DJANGO_SETTINGS_MODULE"].endswith("production")
    )  # before the data: they belong together
    lock.take()
    server = Postgres(home)
    try:
        server.start()
        for notice in server.notices:
            console.print(notice)
        server.set_up()
        os.environ["SANGYU_DATABASE_URL"] = server.url(user or APP)
        yield
    finally:
        _close_connections()
        server.stop()
        lock.release()


def _close_connections() -> None:
    if "django.db" in sys.modules:
        from django.db import connections

        connections.close_all()


def _django(*words: str) -> None:
    from django.core.management import execute_from_command_line

    execute_from_command_line(["sangyu", *words])


def _replace(argv: list[str]) -> None:
    """Become ``argv``: signals and the exit code are then its own."""
    sys.stdout.flush()
    os.execv(argv[0], argv)


# ---------------------------------------------------------------- the whole
@app.command()
def up(
    port: Annotated[
        int | None, typer.Option(help="Port of the front door; default 8000 or the next free one (SANGYU_PORT).")
    ] = None,
    without: Annotated[
        str, typer.Option(help="Parts to leave out, comma-separated: door, jobs, relay, push, migrate …")
    ] = "",
) -> None:
    """Start everything and keep it running until Ctrl-C or `sangyu down`.

    Embedded PostgreSQL and NATS (unless SANGYU_DATABASE_URL and SANGYU_NATS_URL name others), migrations, pages,
    live push, jobs, and the front door that makes them one address.
    """
    from .supervisor import Lock, Supervisor

    home = home_folder()
    keeping.require_whole(home)
    process.make_folder(home, 0o711 if os.geteuid() == 0 else 0o700) if not home.exists() else None
    if running := Lock(home).holder():
        raise EngineError(
            f"Sangyu already runs in {home} (pid {running.get('pid')}, {running.get('address') or 'starting'}).",
            "see `sangyu status`, end it with `sangyu down`, or set SANGYU_HOME to another folder for a second one",
        )
    made, door = parts.stack(home, static_folder(home), port=port, without=frozenset(without.split(",")))
    supervisor = Supervisor(home, made)

    def ready() -> None:
        if any(p.name == "door" for p in made):
            supervisor.address = door.address
        supervisor._state()
        console.print(
            f"\n  [bold green]Sangyu answers at {supervisor.address or 'its sockets'}[/]   (stop: Ctrl-C)\n",
            highlight=False,
        )

    raise typer.Exit(supervisor.run(ready))


@app.command()
def down(seconds: Annotated[int, typer.Option(help="How long to wait for the clean stop.")] = 60) -> None:
    """Stop the Sangyu that runs in $SANGYU_HOME, cleanly and completely."""
    from .supervisor import Lock

    lock = Lock(home_folder())
    running = lock.holder()
    if not running or not running.get("pid"):
        console.print("Sangyu does not run here.")
        return
    os.kill(running["pid"], 15)
    if not process.wait_until(lambda: lock.holder() is None, seconds):
        raise EngineError(
            f"Sangyu (pid {running['pid']}) still stops after {seconds} s.",
            "wait and look at its log, or repeat with --seconds 300",
        )
    console.print("Stopped.")


@app.command()
def status() -> None:
    """Say what runs, since when and at which address. Exit code 3 when nothing runs."""
    from .engines.postgres import place_of
    from .supervisor import Lock

    home = home_folder()
    running = Lock(home).holder()
    console.print(
        f"home      {home}\ndatabase "
        f" {(os.environ.get('SANGYU_DATABASE_URL') and 'SANGYU_DATABASE_URL') or place_of(home)}",
        highlight=False,
    )
    if home.exists():
        console.print(f"disk      {shutil.disk_usage(home).free // 2**30} GB free", highlight=False)
    if not running:
        console.print("Sangyu does not run here. Start it with `sangyu up`.")
        raise typer.Exit(3)
    console.print(f"address   {running.get('address') or 'starting'}\npid       {running['pid']}", highlight=False)
    table = Table("part", "pid", "up", "restarts", box=None)
    for name, part in running.get("parts", {}).items():
        alive = part["pid"] and process.process_state(part["pid"]) not in {"", "Z"}
        table.add_row(
            name,
            str(part["pid"] or "—"),
            f"{time.time() - part['since']:.0f} s" if alive else "[red]down[/]",
            str(part["restarts"]),
        )
    console.print(table)


# ---------------------------------------------------------------- parts alone
HOST = Annotated[str, typer.Option(help="Address to listen on.")]
PORT = Annotated[int, typer.Option(help="Port to listen on.")]


@app.command()
def web(host: HOST = "127.0.0.1", port: PORT = 8001, workers: int = 2) -> None:
    """Serve pages and API alone, against SANGYU_DATABASE_URL and SANGYU_NATS_URL."""
    process.require_port(port, "--port", host)
    _replace(parts.web_command(["--host", host, "--port", str(port)], workers))


@app.command()
def push(host: HOST = "127.0.0.1", port: PORT = 8002) -> None:
    """Serve live push alone, against SANGYU_NATS_URL."""
    process.require_port(port, "--port", host)
    _replace(parts.push_command(["--host", host, "--port", str(port)]))


@app.command()
def worker(
    concurrency: Annotated[int, typer.Option(help="Jobs at the same time.")] = 2,
    queues: Annotated[str, typer.Option(help="Queues to serve, comma-separated; all when left out.")] = "",
    grace: Annotated[float, typer.Option(help="Seconds that running jobs get on a stop.")] = 12,
) -> None:
    """Work on jobs and event handlers alone. Start as many as the load needs, on any machine."""
    import django

    django.setup()
    from sangyu.kernel.worker import run_worker

    run_worker(queues=queues.split(",") if queues else None, concurrency=concurrency, grace=grace)


@app.command()
def consumer(
    only: Annotated[str, typer.Option(help="alarms, or readings (with the clocks); default: everything.")] = "",
) -> None:
    """Bring device signals from the stream into the database, raise alarms, let their clocks run. Any number may run."""
    if only not in ("", "alarms", "readings"):
        raise EngineError(f"“{only}” is no part of the consumer's work.", "leave it out, or say alarms or readings")
    import django

    django.setup()
    from .consumer import run

    run(only=only)


@app.command()
def relay() -> None:
    """Carry outbox events to NATS alone, and keep there who wears which device."""
    import django

    django.setup()
    from sangyu.kernel.live import relay_forever

    from .wearers import Keeper

    stop, keeper = threading.Event(), Keeper()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=keeper.run, args=(stop,), name="wearers", daemon=True).start()
    relay_forever(stop, keeper.passed)


@app.command()
def gateway(
    listen: Annotated[
        str,
        typer.Option(help="watch=0.0.0.0:5093,h02=…,gt06=…,sia-dc09=…; default SANGYU_GATEWAY, else usual ports here."),
    ] = "",
) -> None:
    """Receive devices' signals alone. Start as many as the load needs, on any machine."""
    import django

    django.setup()
    from django.conf import settings

    from sangyu.registry.devices.selectors import products

    from .gateway import config, service

    if not settings.NATS_URL:
        raise EngineError("The gateway needs NATS.", "start `sangyu up`, or name a server in SANGYU_NATS_URL")
    service.main(home_folder(), products(), config.listens(listen or None), settings.NATS_URL)


@app.command()
def simulate(
    devices: Annotated[int, typer.Option(help="How many of the register's issued devices to play, at most.")] = 500,
    interval: Annotated[float, typer.Option(help="Seconds between two messages of a device.")] = 60,
    rate: Annotated[float, typer.Option(help="Instead: messages a second of all together.")] = 0,
    sos: Annotated[float, typer.Option(help="Share of messages that are a press of the button, for example 0.001.")] = 0,
    seconds: Annotated[float, typer.Option(help="How long; 0 = until Ctrl-C.")] = 0,
    faults: Annotated[str, typer.Option(help="none, mild or wild: fragments, wrong lengths and clocks, repetitions, breaks.")] = "none",
    seed: Annotated[int, typer.Option(help="The same seed plays the same wearers.")] = 1,
    ports: Annotated[str, typer.Option(help="watch=5093,h02=…; default: the gateway that runs here.")] = "",
    host: Annotated[str, typer.Option(help="Where the gateway is.")] = "127.0.0.1",
    press: Annotated[str, typer.Option(help="Only press the button of the device with this number, once, and end.")] = "",
    kind: Annotated[str, typer.Option(help="With --press: sos, fall (watch, gt06), low_battery, …")] = "sos",
) -> None:  # fmt: skip
    """Play devices: real connections to the gateway, wearers who sleep and walk, faults, presses of the button.

    Exit code 1 when an alarm was not answered.
    """
    import asyncio

    from .simulate import command

    if faults not in command.LEVELS:
        raise EngineError(f"“{faults}” is no level of faults.", "write none, mild or wild")
    with database():
        where = command.ports_of(home_folder(), ports)
        wearers = command.wearers_of(home_folder(), where, 100_000 if press else devices, seed)

    def say(text: str) -> None:
        console.print(text, highlight=False)

    if press:
        wearer = next((w for w in wearers if w.identity == press), None)
        if wearer is None:
            raise EngineError(f"No issued device has the number {press}.", "see the register of devices")
        taken = asyncio.run(command.press(wearer, where, host=host, seed=seed, kind=kind))
        say(f"{kind} of {press}: stored and answered after {taken * 1000:.0f} ms")
        return
    counts = asyncio.run(
        command.play(
            wearers, where, host=host, seed=seed, interval=interval, rate=rate, sos=sos, seconds=seconds, level=faults, say=say,
        )
    )  # fmt: skip
    say(", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
    raise typer.Exit(1 if counts.get("alarms", 0) > counts.get("alarms_answered", 0) else 0)


@app.command()
def migrate(here: Annotated[bool, typer.Option("--here", hidden=True)] = False) -> None:
    """Bring the database to this version: tables, roles, row-level security, history triggers.

    Signs in as the owner: SANGYU_OWNER_DATABASE_URL for a server of your own.
    """
    from .engines.postgres import OWNER

    with database(OWNER, here=here):
        _django("migrate", "--no-input")


# ---------------------------------------------------------------- care for the data
@app.command()
def reseal() -> None:
    """Bring all sealed personal data to the present key and cipher (SANGYU_KEYS, SANGYU_CIPHER).

    Close the door first. Commits batch by batch: a stopped run is started again and goes on.
    """
    with database():
        import django

        django.setup()
        from rich.progress import Progress

        from sangyu.kernel import resealing
        from sangyu.kernel.actor import Actor
        from sangyu.kernel.scoping import scope

        with Progress(console=console) as bar:
            for model in resealing.sealed_models():
                with scope(Actor.job("kernel.reseal")):
                    waiting = resealing.stale(model)
                task = bar.add_task(str(model._meta.label), total=waiting or 1, completed=0 if waiting else 1)
                for done in resealing.reseal_model(model):
                    bar.advance(task, done)


@app.command()
def check() -> None:
    """Prove what must always hold (ledger sums to zero, …). Exit code 1 with findings."""
    from .engines.postgres import OWNER

    with database(OWNER):
        import django

        django.setup()
        from django.apps import apps
        from django.db import connection
        from django.utils.module_loading import module_has_submodule

        from sangyu.kernel import checks

        for config in apps.get_app_configs():
            if config.name.startswith("sangyu.") and module_has_submodule(config.module, "checks"):
                import_module(f"{config.name}.checks")
        with connection.cursor() as cursor:
            found = checks.run(cursor)
    for name, findings in found.items():
        console.print(
            f"{'[green]✓' if not findings else '[red]✗'}[/] {name}: {len(findings)} findings", highlight=False
        )
        for line in findings[:20]:
            console.print(f"    {line}", highlight=False, markup=False)
        if len(findings) > 20:
            console.print(f"    … and {len(findings) - 20} more")
    total = sum(map(len, found.values()))
    if any(lines for name, lines in found.items() if name.startswith("merging.")):
        console.print("    A thousand random edits, merges and undos on scratch rows: make sequences")
    console.print(f"{len(found)} checks, {total} findings")
    raise typer.Exit(1 if total else 0)


@app.command()
def demo(
    elders: Annotated[int, typer.Option(help="How many elders the city has.")] = 5000,
    city: Annotated[str, typer.Option(help="First four digits of the city's division code.")] = "2108",
    reset: Annotated[bool, typer.Option("--reset", help="First empty a database that holds a demo city.")] = False,
    orders: Annotated[int | None, typer.Option(help="How many visits; about 400, fewer in a small city.")] = None,
) -> None:
    """Load a believable city to look around in. Does nothing when its people are there already."""
    from .engines.postgres import OWNER

    with database(OWNER):
        _django("migrate", "--no-input", "--verbosity", "0")
        from sangyu.runtime.demo import build

        build(elders=elders, city=city, orders=orders, reset=reset)


@app.command(name="import")
def import_(
    kind: Annotated[str, typer.Argument(help="What is imported: people.roster, statuslists.list, workforce.workers …")],
    file: Annotated[Path, typer.Argument(help="Workbook (.xlsx, .xls) or .csv.")],
    username: Annotated[str, typer.Option("--as", help="Sign-in of who imports: its area and permissions hold.")],
    source: Annotated[str, typer.Option(help="Named source of the list, for example 站前街道花名册.")] = "",
    update: Annotated[
        bool, typer.Option("--update", help="Bring registered persons up to date, not only add.")
    ] = False,
    option: Annotated[list[str] | None, typer.Option(help="Further options of the import, as key=value.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and count, write nothing.")] = False,
) -> None:
    """Import a file in one transaction; rejected rows are written next to it. Ctrl-C leaves nothing behind.

    Exit code 0: all rows taken; 2: some rejected; 1: nothing done.
    """
    with database():
        import django

        django.setup()
        from .importing import run

        settings = dict(word.split("=", 1) for word in option or [] if "=" in word)
        if update:
            settings["mode"] = "update"
        code = run(console, kind, file, username=username, source=source, settings=settings, dry_run=dry_run)
    raise typer.Exit(code)


benefits = typer.Typer(help="Runs of benefits.", no_args_is_help=True)
app.add_typer(benefits, name="benefits")


@benefits.command(name="run")
def run_benefits(
    region: Annotated[str, typer.Option(help="Official code of the region, for example 210802.")],
    month: Annotated[str, typer.Option(help="The month, for example 2026-10.")],
    username: Annotated[str, typer.Option("--as", help="Sign-in of who prepares: its area and permissions hold.")],
    back: Annotated[int, typer.Option(help="Earlier months that are looked at again.")] = 3,
    again: Annotated[bool, typer.Option("--again", help="Compute a run anew that is not reviewed yet.")] = False,
) -> None:
    """Compute a month: who gets what, and what changed. Review, approval and release follow on the screen.

    Exit code 0: computed; 2: it was computed before; 1: nothing done.
    """
    with database():
        import django

        django.setup()
        from .benefits import run

        code = run(console, region=region, month=month, username=username, back=back, again=again)
    raise typer.Exit(code)


@benefits.callback()
def _benefits() -> None:
    """Runs of benefits."""


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def django(context: typer.Context) -> None:
    """Run a Django command: `sangyu django shell`. `--owner` first signs in as the owner of the tables."""
    from .engines.postgres import OWNER

    words = list(context.args)
    owner = words[:1] == ["--owner"]
    offline = {
        "check",
        "makemigrations",
        "collectstatic",
        "makemessages",
        "compilemessages",
        "help",
        "--help",
        "--version",
        "diffsettings",
        "vendor_assets",
    }
    words = words[1:] if owner else words
    if not words or words[0] in offline:
        _django(*words)
        return
    with database(OWNER if owner else None):
        _django(*words)


@app.command()
def keys(home: Annotated[Path | None, typer.Option(help="Folder; default $SANGYU_HOME.")] = None) -> None:
    """Make keys.json for a new installation, or say that it is there. Never overwrites."""
    from . import keys as keyring

    folder = (home or home_folder()).resolve()
    keyring.load(folder, create=True)
    console.print(
        f"{folder / 'keys.json'}: keep a copy apart from the database; without it encrypted fields are lost.",
        highlight=False,
    )


keeping.add_to(app)


if __name__ == "__main__":
    main()
