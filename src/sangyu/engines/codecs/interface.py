"""What every codec offers, the register of codecs, and the one door for commands (ADR 0022)."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from re import Pattern
from typing import Protocol

from .commands import Command, Encoded, ListenIn, NotEncodable, Target, mistake
from .messages import Batch, Message, Outgoing, Skipped

CHUNK = 16_384
HEAD = 24


@dataclass(frozen=True, slots=True)
class Options:
    """What a decoder is told when a connection begins. ``lenient``: read frames with a wrong checksum. ``key``: AES key of an account
    (SIA DC-09). ``offset``: minutes east of UTC for devices that ask for local time."""

    lenient: bool = False
    key: Callable[[str], bytes | None] = lambda account: None
    offset: int = 480


class Decoder(Protocol):
    """One connection. ``limit``: most bytes it ever keeps between two calls."""

    limit: int

    @property
    def buffered(self) -> int: ...

    def feed(self, data: bytes, *, received_at: datetime, topic: str = "") -> Batch:
        """Messages that are complete with ``data``, and what was skipped. Never raises because of ``data``."""


class Codec(Protocol):
    """One protocol. ``topics``: what to subscribe to; empty for protocols on a connection of their own. ``urgent``: where bytes match, a call
    for help may be among them, and they are decoded before those of others; a hint only, None where nothing tells."""

    name: str
    topics: tuple[str, ...]
    urgent: Pattern[bytes] | None

    def decoder(self, options: Options = ...) -> Decoder: ...

    def encode(self, command: Command, target: Target, now: datetime) -> Encoded | NotEncodable: ...


CODECS: dict[str, Codec] = {}


def register(codec: Codec) -> Codec:
    """Make a codec known by its name. ValueError when the name is taken."""
    if codec.name in CODECS:
        raise ValueError(f"there is a codec “{codec.name}” already")
    CODECS[codec.name] = codec
    return codec


def encode(codec: Codec, command: Command, target: Target, now: datetime) -> Encoded | NotEncodable:
    """The only way to make bytes of a command: checks values, the product's list, and for listening in the authorisation."""
    if isinstance(command, ListenIn):
        if not hasattr(command.authorisation, "covers") or not command.authorisation.covers(now):
            return NotEncodable(
                "not_authorised", "listening in needs consent, role, reason and a term that has not ended"
            )
        if target.allowed is None or command.name not in target.allowed:
            return NotEncodable("not_allowed", "the product does not name listen_in")
    elif target.allowed is not None and command.name not in target.allowed:
        return NotEncodable("not_allowed", f"the product does not name {command.name}")
    wrong = mistake(command)
    if wrong:
        return NotEncodable("bad_value", wrong)
    return codec.encode(command, target, now)


class Collector:
    """Builds a Batch; rubbish that lies together becomes one Skipped."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.skipped: list[Skipped] = []

    def skip(self, reason: str, data: bytes, replies: tuple[Outgoing, ...] = ()) -> None:
        if not data:
            return
        last = self.skipped[-1] if self.skipped else None
        if reason == "rubbish" and last is not None and last.reason == "rubbish":
            self.skipped[-1] = Skipped(reason, last.size + len(data), (last.head + bytes(data[:HEAD]))[:HEAD])
        else:
            self.skipped.append(Skipped(reason, len(data), bytes(data[:HEAD]), replies))

    def batch(self) -> Batch:
        return Batch(tuple(self.messages), tuple(self.skipped))


class StreamDecoder(ABC):
    """A bounded buffer and the loop around it. A protocol gives ``limit``, ``_cut`` and ``_frame``.

    ``_cut(at)`` looks for the next frame from ``at`` on and answers (begin, end, reason): bytes before ``begin`` are rubbish; end 0 means
    "wait for more, keep from begin"; a reason means that begin … end is to be skipped with it. Memory: ``limit`` bytes and one chunk.
    """

    limit = 1024

    def __init__(self, options: Options) -> None:
        self.options = options
        self._buffer = bytearray()

    @property
    def buffered(self) -> int:
        return len(self._buffer)

    def feed(self, data: bytes, *, received_at: datetime, topic: str = "") -> Batch:
        out = Collector()
        for start in range(0, len(data), CHUNK):
            self._buffer += data[start : start + CHUNK]
            self._drain(out, received_at)
        return out.batch()

    def _drain(self, out: Collector, received_at: datetime) -> None:
        buffer, at = self._buffer, 0
        while at < len(buffer):
            begin, end, reason = self._cut(at)
            if begin > at:
                self._rubbish(out, bytes(buffer[at:begin]))
            at = begin
            if at >= len(buffer):
                break
            if not end:
                if len(buffer) - at <= self.limit:
                    break
                end, reason = at + 1, "too_long"
                self._forget()
            if reason:
                out.skip(reason, bytes(buffer[at:end]))
            else:
                self._frame(bytes(buffer[at:end]), out, received_at)
            at = end
        if at:
            del buffer[:at]
            self._moved(at)

    def _rubbish(self, out: Collector, data: bytes) -> None:
        out.skip("rubbish", data)

    def _forget(self) -> None:  # noqa: B027  most protocols remember nothing
        """The frame that was waited for is given up."""

    def _moved(self, by: int) -> None:  # noqa: B027  as above
        """The buffer begins ``by`` bytes later now."""

    @abstractmethod
    def _cut(self, at: int) -> tuple[int, int, str]:
        """(begin, end, reason) of the next frame."""

    @abstractmethod
    def _frame(self, frame: bytes, out: Collector, received_at: datetime) -> None:
        """Read one whole frame into ``out``."""
