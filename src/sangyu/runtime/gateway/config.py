"""Where the gateway listens and what it allows (devices.md §0; docs/rooms/gateway.md)."""

import json
import os
import resource
import socket
from dataclasses import dataclass, replace
from pathlib import Path

from sangyu.engines.codecs import CODECS

from ..engines.process import EngineError, port_is_free

#: Usual ports of these protocols in the field; devices are set to them in the shop.
PORTS = {"watch": 5093, "h02": 5013, "gt06": 5023, "sia-dc09": 5094}
#: Protocols that are heard by UDP too, on the port of the same number.
DATAGRAMS = frozenset({"sia-dc09"})


@dataclass(frozen=True, slots=True)
class Listen:
    """One listening socket. Port 0 = any free one; ``fixed`` = named by the operator, so another will not do."""

    protocol: str
    host: str
    port: int
    fixed: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and counts. ``idle``: without a well-formed message; ``identify``: to say who one is.

    ``waiting``: messages of one connection that the stream has not acknowledged, before no more is read of it. ``rate`` and ``burst``:
    messages a second of one connection. ``strangers``: unknown ids of one address a minute that are looked up.
    """

    idle: float = 900
    identify: float = 60
    waiting: int = 64
    rate: float = 100
    burst: int = 1000
    strangers: int = 30
    changes: int = 3
    connections: int = 100_000


def listens(text: str | None = None) -> list[Listen]:
    """From SANGYU_GATEWAY, ``watch=0.0.0.0:5093,h02=…``; without it the usual ports on 127.0.0.1. Raises EngineError."""
    given = os.environ.get("SANGYU_GATEWAY", "") if text is None else text
    if not given:
        return [Listen(name, "127.0.0.1", port, False) for name, port in PORTS.items()]
    made = []
    for word in given.split(","):
        protocol, _, place = word.strip().partition("=")
        host, _, port = place.rpartition(":")
        if protocol not in CODECS or CODECS[protocol].topics or not host or not port.isdigit() or int(port) > 65_535:
            known = ", ".join(name for name, codec in CODECS.items() if not codec.topics)
            raise EngineError(
                f"SANGYU_GATEWAY: “{word}” is no listener.", f"write watch=0.0.0.0:5093; protocols: {known}"
            )
        made.append(Listen(protocol, host.strip("[]"), int(port), port != "0"))
    return made


def remembered(listens: list[Listen], file: Path) -> list[Listen]:
    """The same listeners on the ports they had before, where the operator names none: devices come back to where they were."""
    try:
        before = json.loads(file.read_text())
    except (OSError, ValueError):
        return listens
    return [
        replace(listen, port=before[listen.protocol][0]) if not listen.fixed and before.get(listen.protocol) else listen
        for listen in listens
    ]


def bound_datagrams(listen: Listen, port: int) -> socket.socket | None:
    """The UDP socket beside the listening one. None when a usual port is taken by somebody else. Raises EngineError for a named one."""
    made = socket.socket(socket.AF_INET6 if ":" in listen.host else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.bind((listen.host, port))
    except OSError as error:
        made.close()
        if not listen.fixed:
            return None
        raise EngineError(
            f"The gateway cannot hear {listen.protocol} by UDP on {listen.host}:{port}: {error.strerror}.",
            "end what uses the port, or name another in SANGYU_GATEWAY",
        ) from None
    made.setblocking(False)
    return made


def bound(listen: Listen) -> socket.socket:
    """The listening socket. A usual port that is taken gives way to a free one. Raises EngineError."""
    port = listen.port
    if not listen.fixed and port and not port_is_free(port, listen.host):
        port = 0
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((listen.host, port))
    except OSError as error:
        made.close()
        raise EngineError(
            f"The gateway cannot listen for {listen.protocol} on {listen.host}:{port}: {error.strerror}.",
            "end what uses the port, or name another in SANGYU_GATEWAY",
        ) from None
    made.setblocking(False)
    return made


def most_connections() -> int:
    """How many sockets this process may hold: the limit is raised as far as the machine lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return max(64, min(hard if hard > 0 else 100_000, 1_000_000) - 256)


def state_file(home: Path) -> Path:
    """Where the gateway of ``home`` says on which ports it listens, and how it goes."""
    return home / "gateway" / "state.json"
