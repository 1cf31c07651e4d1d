"""What the embedded engines share: one error with a way out, accounts, ports, processes that do not outlive us."""

import contextlib
import ctypes
import hashlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

#: The longest path a unix socket may have on Linux (macOS: 103).
SOCKET_PATH_MAX = 107 if sys.platform == "linux" else 103
#: Below this an engine does not start; the supervisor warns below half of it while running.
DISK_FLOOR = 200 * 2**20


class EngineError(Exception):
    """An engine cannot start. ``remedy`` says what the operator can do about it."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(f"{message}\n  → {remedy}" if remedy else message)
        self.remedy = remedy


@dataclass(frozen=True)
class Account:
    """The operating-system account a process runs under."""

    name: str
    uid: int
    gid: int

    @classmethod
    def named(cls, name: str) -> "Account":
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            raise EngineError(
                f"There is no account called {name!r} on this machine.", "name another one in SANGYU_PG_ACCOUNT"
            ) from None
        return cls(found.pw_name, found.pw_uid, found.pw_gid)

    @classmethod
    def of_uid(cls, uid: int) -> "Account | None":
        try:
            found = pwd.getpwuid(uid)
        except KeyError:
            return None
        return cls(found.pw_name, found.pw_uid, found.pw_gid)

    def switch(self) -> dict:
        """Arguments for ``subprocess`` that make a child of root run under this account."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_enter(self, folder: Path) -> bool:
        """Whether a process of this account can change into ``folder``; asked of the kernel, so ACLs count too."""
        probe = subprocess.run(
            ["/bin/sh", "-c", 'cd "$0"', str(folder)],
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            **self.switch(),
        )
        return probe.returncode == 0


@dataclass(frozen=True)
class Command:
    """A process to start: what, as whom, how it is asked to stop and how long it may take, how far it stands back (``nice``)."""

    argv: list[str]
    env: dict[str, str] = field(default_factory=dict)
    cwd: str = "/"
    account: Account | None = None
    stop_signal: int = signal.SIGTERM
    stop_seconds: float = 10.0
    nice: int = 0

    def spawn(self, **kwargs) -> subprocess.Popen:
        """Start it in a process group of its own; it is told to stop when this process dies, however it dies."""
        switch = self.account.switch() if self.account else {}
        with contextlib.suppress(PermissionError, FileNotFoundError):
            return subprocess.Popen(
                self.argv,
                cwd=self.cwd,
                env=self.env,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=_at_birth(self.stop_signal, self.nice),
                **switch,
                **kwargs,
            )
        whom = f" as {self.account.name}" if self.account else ""
        raise EngineError(
            f"{self.argv[0]} cannot be run{whom}.",
            "check that the file exists and may be executed; `make clean && make demo` installs it anew",
        )


def _at_birth(signum: int, nice: int) -> Callable[[], None] | None:
    """What the child does first. Linux: the kernel sends it ``signum`` when its parent thread ends, even by kill -9."""
    if sys.platform != "linux":
        return partial(os.nice, nice) if nice else None
    libc, parent = ctypes.CDLL(None), os.getpid()

    def in_child() -> None:
        libc.prctl(1, signum)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)
        if nice:
            os.nice(nice)
            # Each part is a session of its own, and the kernel may share the processor out by session: then the session's counts.
            with contextlib.suppress(OSError):
                Path("/proc/self/autogroup").write_text(str(nice))

    return in_child


def stop(process: subprocess.Popen, command: Command) -> None:
    """Ask ``process`` to stop, insist after ``stop_seconds``, and leave nothing of its process group behind."""
    if process.poll() is None:
        process.send_signal(command.stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(command.stop_seconds)
    end_group(process)


def end_group(process: subprocess.Popen) -> None:
    """Kill whatever is left of the process group that ``process`` led."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def process_state(pid: int) -> str:
    """State letter of ``pid`` ("R", "Z" …), "" when there is no such process, "?" where the system does not say."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, IndexError):
            return ""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        return "?"
    return "?"


def command_line(pid: int) -> str:
    """Command line of ``pid``, "" when it cannot be known."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def wait_until(happened: Callable[[], bool], seconds: float, every: float = 0.05) -> bool:
    """Poll ``happened`` for at most ``seconds``; False when it never did."""
    until = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > until:
            return False
        time.sleep(every)
    return True


# ---------------------------------------------------------------- ports
def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port of ``host`` that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on ``port`` of ``host`` now. Raises EngineError where the account may not."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            raise EngineError(
                f"This account may not listen on port {port}.",
                "choose a port above 1023, or see docs/guides/production.md for ports 80 and 443",
            ) from None
        except OSError:
            return False
    return True


def require_port(port: int, option: str, host: str = "127.0.0.1") -> None:
    """Raise EngineError that names who holds ``port`` and which ``option`` changes it, unless it is free."""
    if port_is_free(port, host):
        return
    raise EngineError(
        f"Port {port} is in use by {port_holder(port) or 'another process'}.",
        f"stop that process, or choose another port: {option}",
    )


def port_holder(port: int) -> str:
    """Who listens on ``port``: "name (pid 12: command line)", "" when it cannot be known."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                columns = line.split()
                if columns[3] == "0A" and int(columns[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{columns[9]}]")
    for entry in _numeric("/proc") if inodes else ():
        with contextlib.suppress(OSError):
            if any(os.readlink(fd) in inodes for fd in Path(f"/proc/{entry}/fd").iterdir()):
                name = Path(f"/proc/{entry}/comm").read_text().strip()
                return f"{name} (pid {entry}: {command_line(int(entry))[:120]})"
    return ""


def _numeric(folder: str) -> Iterable[str]:
    with contextlib.suppress(OSError):
        return [name for name in os.listdir(folder) if name.isdigit()]
    return ()


# ---------------------------------------------------------------- disk
def require_disk(folder: Path, floor: int = DISK_FLOOR) -> None:
    """Raise EngineError when less than ``floor`` bytes are free where ``folder`` lies."""
    free = shutil.disk_usage(folder).free
    if free < floor:
        raise EngineError(
            f"Only {free // 2**20} MB are free on the disk of {folder}; at least {floor // 2**20} MB are needed.",
            "free some space, or move the whole folder to a larger disk and name it in SANGYU_HOME",
        )


def make_folder(folder: Path, mode: int = 0o700, account: Account | None = None) -> Path:
    """Create ``folder`` (parents too) with this mode and owner; raises EngineError when disk or rights refuse."""
    try:
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
        if account and os.geteuid() == 0:
            os.chown(folder, account.uid, account.gid)
        if folder.stat().st_uid in {os.geteuid(), account.uid if account else -1}:
            folder.chmod(mode)
    except OSError as error:
        raise EngineError(
            f"The folder {folder} cannot be made: {error.strerror}.",
            "check its rights and the disk, or name another folder in SANGYU_HOME",
        ) from error
    return folder


def socket_folder(wanted: Path) -> Path:
    """``wanted``, or a folder of fixed name in the temporary folder when sockets in it would have too long a path."""
    if len(os.fsencode(wanted)) + len("/.s.PGSQL.5432") <= SOCKET_PATH_MAX:
        return wanted
    return Path(tempfile.gettempdir()) / f"sangyu-{hashlib.sha256(os.fsencode(wanted)).hexdigest()[:16]}"


def make_socket_folder(folder: Path, account: Account | None = None) -> Path:
    """Create ``folder`` for sockets, 0700; refuses one that somebody else made first."""
    if folder.is_symlink() or (
        folder.exists() and folder.stat().st_uid not in {os.geteuid(), account.uid if account else -1}
    ):
        raise EngineError(
            f"The socket folder {folder} belongs to somebody else.", "remove it, or set SANGYU_HOME to a shorter path"
        )
    return make_folder(folder, 0o700, account)


#: What engines write when something is wrong → what it means and the way out. Looked for in their last lines.
KNOWN_TROUBLE = {
    "No space left on device": (
        "The disk is full. Free some space: nothing is lost, the part goes on by itself once it can write."
    ),
    "no space left on device": (
        "The disk is full. Free some space: nothing is lost, the part goes on by itself once it can write."
    ),
    "ddress already in use": (
        "Another process listens there already. `sangyu status` names the ports; --port or SANGYU_PORT changes the"
        " front door's."
    ),
    "pre-existing shared memory block": (
        "A killed PostgreSQL is still letting go of its memory. It is tried again in a moment."
    ),
    "incompatible with server": (
        "The data folder was made by another PostgreSQL version. Point SANGYU_PG_BIN at that version's bin folder."
    ),
    "too many open files": "The limit of open files is too low: raise it with `ulimit -n 4096`.",
    "Cannot allocate memory": "The machine has no memory left.",
}


def explain(lines: Iterable[str]) -> str:
    """The meaning of the newest known trouble in an engine's last ``lines``, "" when there is none."""
    for line in reversed(list(lines)):
        for sign, meaning in KNOWN_TROUBLE.items():
            if sign in line:
                return meaning
    return ""
