"""One process that starts the parts in order, forwards their logs, restarts what dies, and leaves nothing behind.

Knows nothing of Sangyu: a part is a command with a question "are you ready?". ``parts.py`` says which parts there are.
"""

import contextlib
import fcntl
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from .engines import process
from .engines.process import Command, EngineError

BACKOFF = (0.5, 1, 2, 5, 10, 30)
#: A part that ran this long starts again without delay when it dies.
HEALTHY_SECONDS = 60
DISK_EVERY = 30


def _nothing() -> None:
    return None


@dataclass
class Part:
    """One process to keep running. ``once`` parts run to their end before the next starts (migrate)."""

    name: str
    command: Callable[[], Command]
    ready: Callable[[], bool] | None = None
    prepare: Callable[[], None] = _nothing
    started: Callable[[], None] = _nothing
    notices: list[str] = field(default_factory=list)
    once: bool = False
    seconds: float = 60

    process: subprocess.Popen | None = None
    running: Command | None = None
    since: float = 0.0
    restarts: int = 0
    failures: int = 0
    start_at: float = 0.0
    lines: deque = field(default_factory=lambda: deque(maxlen=40))
    last_trouble: str = ""
    rest: bytes = b""


class Lock:
    """One supervisor per home, held as long as this process lives. The file tells who holds it."""

    def __init__(self, home: Path) -> None:
        self.path = home / "supervisor.json"
        self.file: TextIO | None = None

    def take(self) -> None:
        """Raises EngineError that names the running one."""
        self.file = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            running = self.read()
            self.file.close()
            raise EngineError(
                f"Sangyu already runs in {self.path.parent} (pid {running.get('pid', '?')},"
                f" {running.get('address') or 'starting'}).",
                "see `sangyu status`, end it with `sangyu down`, or set SANGYU_HOME to another folder for a second one",
            ) from None
        self.write({"pid": os.getpid()})

    def write(self, state: dict) -> None:
        text = json.dumps(state, indent=1) + "\n"
        with contextlib.suppress(OSError):  # a full disk must not end the supervisor
            os.pwrite(self.file.fileno(), text.encode(), 0)
            os.ftruncate(self.file.fileno(), len(text.encode()))

    def read(self) -> dict:
        try:
            return json.loads(self.path.read_text() or "{}")
        except (OSError, ValueError):
            return {}

    def holder(self) -> dict | None:
        """State of the running supervisor, None when none runs."""
        if not self.path.exists():
            return None
        with self.path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return self.read()
        return None

    def release(self) -> None:
        if self.file is not None:
            self.write({})
            self.file.close()
            self.file = None


class Supervisor:
    """Runs ``parts`` until SIGTERM or SIGINT. ``home`` holds the lock and is the disk that is watched."""

    def __init__(self, home: Path, parts: list[Part], out: TextIO | None = None) -> None:
        self.home, self.parts = home, parts
        self.out = out or sys.stdout
        self.lock = Lock(home)
        self.selector = selectors.DefaultSelector()
        self.stopping = False
        self.address = ""
        self.width = max((len(p.name) for p in parts), default=0)
        self.next_disk_check = 0.0

    # ------------------------------------------------------------ life
    def run(self, on_ready: Callable[[], None] = _nothing) -> int:
        """Start everything, call ``on_ready``, keep it running. 0 after a wanted stop, 1 when a first start failed."""
        self.lock.take()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop_wanted)
        try:
            for part in self.parts:
                if self.stopping:
                    break
                self._first_start(part)
            if not self.stopping:
                on_ready()
            while not self.stopping:
                self._turn(0.25)
        except EngineError as error:
            self.say("sangyu", str(error))
            return 1
        finally:
            self._shut_down()
            self.lock.release()
        return 0

    def _stop_wanted(self, number, frame) -> None:
        self.stopping = True

    def _first_start(self, part: Part) -> None:
        self._start(part)
        until = time.monotonic() + part.seconds
        while not self.stopping:
            self._forward(0.05)
            code = part.process.poll()
            if part.once and code is not None:
                self._drain(part)
                if code:
                    raise EngineError(
                        f"{part.name} failed (exit {code}).",
                        process.explain(part.lines) or "its last lines above say why",
                    )
                part.process = None
                return
            if code is not None:
                self._drain(part)
                raise EngineError(
                    f"{part.name} ended at once (exit {code}).",
                    process.explain(part.lines) or "its last lines above say why",
                )
            if not part.once and (part.ready is None or part.ready()):
                part.started()
                self._state()
                return
            if time.monotonic() > until:
                raise EngineError(
                    f"{part.name} was not ready after {part.seconds:.0f} s.",
                    process.explain(part.lines) or "its lines above say how far it came",
                )

    def _start(self, part: Part) -> None:
        part.prepare()
        while part.notices:
            self.say(part.name, part.notices.pop(0))
        part.running = part.command()
        part.process = part.running.spawn(stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        os.set_blocking(part.process.stdout.fileno(), False)
        self.selector.register(part.process.stdout, selectors.EVENT_READ, part)
        part.since = time.time()

    def _turn(self, seconds: float) -> None:
        self._forward(seconds)
        for part in self.parts:
            if part.once:
                continue
            if part.process is None:
                if time.monotonic() >= part.start_at:
                    self._restart(part)
            elif part.process.poll() is not None:
                self._died(part)
        self._watch_disk()

    def _died(self, part: Part) -> None:
        self._drain(part)
        code, ran = part.process.returncode, time.time() - part.since
        process.end_group(part.process)
        part.process = None
        part.failures = 0 if ran > HEALTHY_SECONDS else part.failures + 1
        wait = BACKOFF[min(part.failures, len(BACKOFF) - 1)] if part.failures else 0
        part.start_at = time.monotonic() + wait
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        self.say("sangyu", f"{part.name} {how} after {ran:.0f} s; starting again" + (f" in {wait:g} s" if wait else ""))
        self._state()

    def _restart(self, part: Part) -> None:
        try:
            self._start(part)
        except (EngineError, OSError) as error:
            part.failures += 1
            part.start_at = time.monotonic() + BACKOFF[min(part.failures, len(BACKOFF) - 1)]
            self.say("sangyu", f"{part.name} cannot start yet: {error}")
        else:
            part.restarts += 1
        self._state()

    def _shut_down(self) -> None:
        alive = [p for p in self.parts if p.process is not None]
        if alive:
            self.say("sangyu", "stopping")
        for part in reversed(alive):
            if part.process.poll() is None:
                part.process.send_signal(part.running.stop_signal)
            until = time.monotonic() + part.running.stop_seconds
            while part.process.poll() is None and time.monotonic() < until:
                self._forward(0.05)
            if part.process.poll() is None:
                self.say("sangyu", f"{part.name} did not stop within {part.running.stop_seconds:.0f} s: killed")
            process.end_group(part.process)
            self._drain(part)
            part.process = None
        if alive:
            self.say("sangyu", "stopped")

    # ------------------------------------------------------------ logs, state, disk
    def say(self, name: str, text: str) -> None:
        """One prefixed message; never fails, even when nobody reads any more."""
        with contextlib.suppress(OSError, ValueError):
            for line in text.splitlines():
                self.out.write(f"{name:<{max(self.width, 6)}} │ {line}\n")
            self.out.flush()

    def _forward(self, seconds: float) -> None:
        for key, _ in self.selector.select(seconds):
            self._read(key.data, key.fileobj)

    def _read(self, part: Part, pipe) -> bool:
        try:
            data = os.read(pipe.fileno(), 65536)
        except BlockingIOError:
            return False
        if not data:
            self.selector.unregister(pipe)
            pipe.close()
            return False
        *lines, part.rest = (part.rest + data).split(b"\n")
        for raw in lines:
            line = raw.decode(errors="replace").rstrip()
            part.lines.append(line)
            self.say(part.name, line)
            meaning = process.explain([line])
            if meaning and meaning != part.last_trouble:
                part.last_trouble = meaning
                self.say("sangyu", f"{part.name}: {meaning}")
        return True

    def _drain(self, part: Part) -> None:
        pipe = part.process.stdout
        while not pipe.closed and self._read(part, pipe):
            pass
        if not pipe.closed:
            self.selector.unregister(pipe)
            pipe.close()
        part.rest = b""

    def _watch_disk(self) -> None:
        if time.monotonic() < self.next_disk_check:
            return
        self.next_disk_check = time.monotonic() + DISK_EVERY
        with contextlib.suppress(OSError):
            free = shutil.disk_usage(self.home).free
            if free < process.DISK_FLOOR // 2:
                self.say(
                    "sangyu",
                    f"Only {free // 2**20} MB are free on the disk of {self.home}: free some space before writing"
                    " stops.",
                )

    def _state(self) -> None:
        parts = {
            p.name: {"pid": p.process.pid if p.process else None, "since": p.since, "restarts": p.restarts}
            for p in self.parts
            if not p.once and p.since
        }
        self.lock.write({"pid": os.getpid(), "address": self.address, "parts": parts})
