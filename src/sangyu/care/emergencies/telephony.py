"""The port to the exchange: what an adapter must be able to say and do (devices.md §7). The SIP side comes later.

Events come in through ``services.call_event`` (offered, ringing, answered, ended), from an HTTP adapter or written by hand;
commands go out through ``adapter(name)``. An adapter that cannot do something says so, and the desk dials by hand.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class What(StrEnum):
    """Events of a call, in the order in which they usually come."""

    OFFERED = "offered"
    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"


class Command(StrEnum):
    ANSWER = "answer"
    HANG_UP = "hang_up"
    TRANSFER = "transfer"
    HOLD = "hold"
    ORIGINATE = "originate"
    RECORD = "record"


@dataclass(frozen=True)
class Adapter:
    """One way to an exchange. ``can``: commands it carries out through ``run(command, **parameters)``; "" or why it failed."""

    name: str
    can: frozenset[Command] = frozenset()
    run: Callable[..., str] | None = None

    def do(self, command: Command, **parameters) -> str:
        """Carry out ``command``: "" or why not."""
        if command not in self.can or self.run is None:
            return "unsupported"
        return self.run(command, **parameters)


#: By hand: the operator writes down who called. HTTP: another program reports the events of the exchange.
MANUAL, HTTP = Adapter("manual"), Adapter("http")
_adapters: dict[str, Adapter] = {a.name: a for a in (MANUAL, HTTP)}


def register(adapter: Adapter) -> None:
    """Make ``adapter`` known under its name; for exchanges and for tests."""
    _adapters[adapter.name] = adapter


def adapter(name: str) -> Adapter | None:
    return _adapters.get(name)


def names() -> list[str]:
    return sorted(_adapters)
