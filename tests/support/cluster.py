"""Three NATS servers of one cluster on this machine, each with the settings of the embedded one, to be killed and started again one by one."""

import asyncio
import contextlib
import json
import signal
import subprocess
from pathlib import Path

import nats

from sangyu.runtime.engines.nats import Nats
from sangyu.runtime.engines.process import free_port, wait_until

NODES = 3


class Cluster:
    """``url`` names all of them; runs while its ``with`` does."""

    def __init__(self, home: Path) -> None:
        self.nodes = [Nats(home / f"node{n}", "cluster") for n in range(NODES)]
        self.processes: list[subprocess.Popen | None] = [None] * NODES
        doors = [free_port() for _node in self.nodes]
        for n, node in enumerate(self.nodes):
            node.prepare()
            file = node.folder / "nats.conf"
            others = [f"nats-route://127.0.0.1:{port}" for port in doors if port != doors[n]]
            joined = {
                "server_name": f"node{n}",
                "cluster": {"name": "trial", "listen": f"127.0.0.1:{doors[n]}", "routes": others},
            }
            file.write_text(json.dumps(json.loads(file.read_text()) | joined))

    @property
    def url(self) -> str:
        return ",".join(node.url for node in self.nodes)

    def __enter__(self) -> "Cluster":
        for n in range(NODES):
            self.run(n)
        assert wait_until(self.answers, 60, 0.5), "the cluster has no leader"
        return self

    def run(self, n: int) -> None:
        """Start a node that does not run; does not wait for it."""
        process = self.processes[n]
        if process is None or process.poll() is not None:
            self.processes[n] = self.nodes[n].command().spawn(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self, n: int, number: int = signal.SIGKILL) -> None:
        process = self.processes[n]
        if process is not None and process.poll() is None:
            process.send_signal(number)
            process.wait(20)

    def answers(self) -> bool:
        async def quiet(error: Exception) -> None: ...

        async def ask() -> None:
            connection = await nats.connect(
                self.url.split(","), connect_timeout=1, allow_reconnect=False, error_cb=quiet
            )
            try:
                await connection.jetstream().account_info()
            finally:
                await connection.close()

        with contextlib.suppress(Exception):
            asyncio.run(ask())
            return True
        return False

    def __exit__(self, *error: object) -> None:
        for n in range(NODES):
            self.kill(n, signal.SIGTERM)
