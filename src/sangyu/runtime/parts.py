"""Which parts Sangyu has, and how each is started: by the supervisor or alone, with the same command."""

import http.client
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from . import keys
from .engines import process
from .engines.caddy import Caddy, Door
from .engines.nats import Nats
from .engines.postgres import APP, OWNER, Postgres
from .engines.process import Command
from .supervisor import Part

#: Written with the collected static files; pages cannot name them without it.
MANIFEST = "staticfiles.json"
#: How far readings, clocks and jobs stand back when the processor is short: a press of the button and who answers it go first.
BACK = 5


def run_folder(home: Path) -> Path:
    """Folder of the sockets between the front door and the processes behind it."""
    return process.socket_folder(home / "run")


def web_command(bind: list[str], workers: int = 2) -> list[str]:
    """Pages and API: granian WSGI. ``bind`` is ``["--uds", path]`` or ``["--host", host, "--port", port]``."""
    return [
        *(
            sys.executable,
            "-m",
            "granian",
            "--interface",
            "wsgi",
            "--no-ws",
            "--workers",
            str(workers),
            "--blocking-threads",
            "4",
        ),
        *("--respawn-failed-workers", "--workers-kill-timeout", "5", "--log-level", "warning", "--http", "1"),
        *bind,
        "sangyu.runtime.wsgi:application",
    ]


def push_command(bind: list[str]) -> list[str]:
    """Live push: granian ASGI, one process; its streams are cut on a stop, the browser comes back by itself."""
    return [
        *(sys.executable, "-m", "granian", "--interface", "asgi", "--no-ws", "--workers", "1"),
        *("--respawn-failed-workers", "--workers-kill-timeout", "1", "--log-level", "warning", "--http", "1"),
        *bind,
        "sangyu.runtime.push:application",
    ]


def own_command(*words: str) -> list[str]:
    """``sangyu …`` under the same Python."""
    return [sys.executable, "-m", "sangyu.runtime.cli", *words]


def stack(
    home: Path, static: Path, *, port: int | None = None, without: frozenset[str] = frozenset(), migrate: bool = True
) -> tuple[list[Part], Caddy]:
    """The parts in the order they start, and the front door.

    SANGYU_DATABASE_URL and SANGYU_NATS_URL replace the embedded engines. Raises EngineError.
    """
    production = os.environ.get("DJANGO_SETTINGS_MODULE", "").endswith("production")
    secrets = keys.load(home, create=not production)
    run = process.make_socket_folder(run_folder(home))
    static.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "SANGYU_HOME": str(home), "SANGYU_STATIC_ROOT": str(static), "PYTHONUNBUFFERED": "1"}
    env.setdefault("DJANGO_SETTINGS_MODULE", "sangyu.runtime.settings.dev")
    owner = dict(env)
    parts: list[Part] = []

    if not env.get("SANGYU_DATABASE_URL"):
        postgres = Postgres(home)
        parts.append(_engine("postgres", postgres, started=postgres.set_up))
        env["SANGYU_DATABASE_URL"], owner["SANGYU_DATABASE_URL"] = _later(postgres, APP), _later(postgres, OWNER)
    else:
        owner["SANGYU_DATABASE_URL"] = env.get("SANGYU_OWNER_DATABASE_URL", "")
    if not env.get("SANGYU_NATS_URL"):
        nats = Nats(home, secrets["nats_token"])
        parts.append(_engine("nats", nats))
        env["SANGYU_NATS_URL"] = owner["SANGYU_NATS_URL"] = _Later(lambda: nats.url)

    if migrate and owner["SANGYU_DATABASE_URL"]:
        parts.append(Part("migrate", _django(own_command("migrate", "--here"), owner), once=True, seconds=900))
    if not (static / MANIFEST).exists():  # a new home, or one that was restored into
        parts.append(
            Part("static", _django(own_command("django", "collectstatic", "--no-input", "-v", "0"), env), once=True)
        )
    web, push = run / "web.sock", run / "push.sock"
    workers = int(os.environ.get("SANGYU_WEB_WORKERS", "2"))
    parts.append(_server("web", web_command(["--uds", str(web)], workers), env, web))
    parts.append(_server("push", push_command(["--uds", str(push)]), env, push))
    parts.append(Part("jobs", _django(own_command("worker"), env, stop_seconds=15, nice=BACK)))
    parts.append(Part("relay", _django(own_command("relay"), env)))
    parts.append(
        Part("consumer", _django(own_command("consumer", "--only", "readings"), env, stop_seconds=25, nice=BACK))
    )
    parts.append(Part("alarms", _django(own_command("consumer", "--only", "alarms"), env, stop_seconds=25)))
    state = home / "gateway" / "state.json"  # written once it listens
    parts.append(
        Part(
            "gateway", _django(own_command("gateway"), env, stop_seconds=15), ready=state.exists,
            prepare=lambda: state.unlink(missing_ok=True),
        )
    )  # fmt: skip
    caddy = Caddy(home, run, static, Door.from_environment(port))
    parts.append(_engine("door", caddy))
    return [p for p in parts if p.name not in without], caddy


class _Later(str):
    """A value that is known only when its engine was prepared (a chosen port, a moved data folder)."""

    def __new__(cls, ask: Callable[[], str]) -> "_Later":
        made = super().__new__(cls, "later")
        made.ask = ask
        return made


def _later(postgres: Postgres, user: str) -> _Later:
    return _Later(lambda: postgres.url(user))


def _django(argv: list[str], env: dict[str, str], stop_seconds: float = 10, nice: int = 0) -> Callable[[], Command]:
    def command() -> Command:
        now = {key: value.ask() if isinstance(value, _Later) else value for key, value in env.items()}
        return Command(argv, env=now, cwd=os.getcwd(), stop_seconds=stop_seconds, nice=nice)

    return command


def _engine(name: str, engine, started: Callable[[], None] = lambda: None) -> Part:
    return Part(
        name,
        engine.command,
        ready=engine.ready,
        prepare=engine.prepare,
        started=started,
        notices=getattr(engine, "notices", []),
    )


def _server(name: str, argv: list[str], env: dict[str, str], sock: Path) -> Part:
    return Part(
        name, _django(argv, env), ready=lambda: answers(sock), prepare=lambda: sock.unlink(missing_ok=True), notices=[]
    )


def answers(sock: Path) -> bool:
    """Whether an HTTP server answers on the unix socket, with whatever status."""
    connection = http.client.HTTPConnection("localhost", timeout=5)
    try:
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(5)
        connection.sock.connect(str(sock))
        connection.request("HEAD", "/healthz")
        return connection.getresponse().status > 0
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
